"""From raw counts to counts fit for labelling: outliers, gene symbols, library sizes and the quantile filter.

The normalisations of EDASeq and TCGAbiolinks live in :mod:`degnext.normalize`, symbols in :mod:`degnext.annotation`;
their functions are at hand here too, so that a notebook needs one import.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .annotation import map_symbols
from .errors import InputError, check_choice
from .matrix import as_matrix, average_ranks, column_blocks, column_quantiles, exact_mean, like
from .normalize import between_lane, tcgabiolinks_normalize, within_lane
from .parallel import for_each

__all__ = [
    "between_lane",
    "correlation_matrix",
    "drop_outliers",
    "map_symbols",
    "quantile_filter",
    "sample_correlation",
    "scale",
    "size_factors",
    "tcgabiolinks_normalize",
    "tmm_factors",
    "within_lane",
]
_SIZE_METHODS = ("total", "upper_quartile", "tmm")


def sample_correlation(counts: pd.DataFrame) -> pd.Series:
    """Return each sample's mean Spearman correlation with all samples, itself (1) included, as TCGAbiolinks has it.

    counts: genes × samples. Time grows linearly in both: the mean of a row of the correlation matrix is the product of
    one sample's standardised ranks with the mean of everybody's. Raises InputError where a sample is constant.
    Source: TCGAbiolinks' TCGAanalyze_Preprocessing, ``rowMeans(cor(x, method = "spearman"))``.
    """
    ranks, norm = _centred_ranks(counts)
    total = np.zeros(len(counts))
    for row, length in zip(ranks, norm):
        total += row / length
    mean = np.array([(row * total).sum() for row in ranks]) / norm / len(norm)
    return pd.Series(mean, index=counts.columns, name="mean_correlation")


def correlation_matrix(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the Spearman correlation of every pair of samples, samples × samples (for a figure of a small cohort)."""
    ranks, norm = _centred_ranks(counts)
    unit = ranks / norm[:, None]
    return pd.DataFrame(np.clip(unit @ unit.T, -1.0, 1.0), index=counts.columns, columns=counts.columns)


def drop_outliers(counts: pd.DataFrame, groups: pd.Series, cut: float = 0.6) -> tuple[pd.DataFrame, pd.Series]:
    """Keep the samples whose mean correlation is above ``cut``; return their counts and groups.

    Every sample is judged by its own correlation. TCGAanalyze_Preprocessing (source read at commit 082c9d9) computes the
    correlations in an order sorted by tissue and barcode and applies them by position to the columns as they came, so
    that on an unsorted table it can drop other samples than the outliers.
    Raises InputError when no sample, or no sample of a group, is left.
    """
    kept = sample_correlation(counts) > cut
    groups = groups.loc[counts.columns]
    lost = sorted(set(groups) - set(groups[kept.to_numpy()]))
    if lost:
        raise InputError(f"cut={cut} drops every {lost[0]} sample: choose a lower cut")
    if kept.all():
        return counts, groups
    return counts.loc[:, kept.to_numpy()], groups[kept.to_numpy()]


def quantile_filter(counts: pd.DataFrame, cut: float = 0.25) -> pd.DataFrame:
    """Keep the genes whose mean count is above the ``cut`` quantile of all genes' means, in their order.

    Source: TCGAbiolinks' TCGAanalyze_Filtering, method "quantile" (R's quantile type 7, strictly above).
    """
    if not 0 <= cut < 1:
        raise InputError(f"cut must be at least 0 and below 1, not {cut}")
    values = as_matrix(counts)
    mean = values.sum(axis=1) / values.shape[1]
    return counts[mean > column_quantiles(mean[None, :], cut)[0]]


def size_factors(counts: pd.DataFrame, method: str = "total") -> pd.Series:
    """Return how big each sample's library is relative to the mean one (mean 1): divide counts by it to compare samples.

    method: "total" (column sums), "upper_quartile" (edgeR's upperquartile) or "tmm" (column sums times the trimmed mean
    of M-values). Source: edgeR's calcNormFactors; Bullard et al. (2010); Robinson and Oshlack (2010).
    """
    check_choice("method", method, _SIZE_METHODS)
    values = as_matrix(counts)
    if method == "upper_quartile":
        size = _upper_quartiles(values)
        if not (size > 0).all():
            raise InputError("a sample's upper quartile is zero: drop unexpressed genes first or use method='total'")
    else:
        size = values.sum(axis=0).astype(float)
        if not (size > 0).all():
            raise InputError(f"sample {counts.columns[int(size.argmin())]!r} has no counts at all: leave it out")
        if method == "tmm":
            size = size * tmm_factors(counts).to_numpy()
    return pd.Series(size / size.mean(), index=counts.columns, name=method)


def scale(counts: pd.DataFrame, method: str = "total") -> pd.DataFrame:
    """Return counts per million of each sample's effective library (see :func:`size_factors`), genes × samples, floats."""
    values = as_matrix(counts)
    size = size_factors(counts, method).to_numpy() * values.sum(axis=0).mean()
    return like(counts, values * (1e6 / size))


def tmm_factors(counts: pd.DataFrame) -> pd.Series:
    """Return the trimmed mean of M-values factor of each sample, geometric mean 1.

    The reference is the sample whose upper quartile is nearest the mean; 30 % of log ratios and 5 % of log intensities
    are trimmed at either end, and what stays is weighted by its precision. Source: edgeR's calcNormFactors.
    """
    values = as_matrix(counts)
    lib = values.sum(axis=0).astype(float)
    quartile = _upper_quartiles(values) / lib
    if np.median(quartile) < 1e-20:
        reference = int(np.sqrt(values).sum(axis=0).argmax())
    else:
        reference = int(np.abs(quartile - exact_mean(quartile)).argmin())
    ref = values[:, reference].astype(float)

    def work(cols: slice) -> list[float]:
        block = values[:, cols].T.astype(float)
        return [_tmm_log2(row, ref, size, lib[reference]) for row, size in zip(block, lib[cols])]

    log2_factor = np.concatenate(for_each(work, column_blocks(values.shape[1])))
    return pd.Series(2.0 ** (log2_factor - log2_factor.mean()), index=counts.columns, name="tmm")


def _tmm_log2(obs: np.ndarray, ref: np.ndarray, n_obs: float, n_ref: float) -> float:
    both = (obs > 0) & (ref > 0)
    obs, ref = obs[both], ref[both]
    if not obs.size:
        return 0.0
    ratio = np.log2((obs / n_obs) / (ref / n_ref))
    intensity = (np.log2(obs / n_obs) + np.log2(ref / n_ref)) / 2.0
    if np.abs(ratio).max() < 1e-6:
        return 0.0
    keep = _middle(ratio, 0.3) & _middle(intensity, 0.05)
    weight = 1.0 / ((n_obs - obs) / n_obs / obs + (n_ref - ref) / n_ref / ref)[keep]
    total = weight.sum()
    return float((ratio[keep] * weight).sum() / total) if total > 0 else 0.0


def _middle(x: np.ndarray, trim: float) -> np.ndarray:
    """Return which values have an average rank inside the trimmed range; only ties at its two ends need counting."""
    low = int(np.floor(x.size * trim)) + 1
    high = x.size + 1 - low
    ordered = np.partition(x, [low - 1, high - 1])
    keep = (x > ordered[low - 1]) & (x < ordered[high - 1])
    for edge in {ordered[low - 1], ordered[high - 1]}:
        equal = x == edge
        rank = np.count_nonzero(x < edge) + (np.count_nonzero(equal) + 1) / 2.0
        if low <= rank <= high:
            keep |= equal
    return keep


def _upper_quartiles(values: np.ndarray) -> np.ndarray:
    """Return each sample's upper quartile over the genes that any sample has."""
    seen = values.any(axis=1)

    def work(cols: slice) -> np.ndarray:
        return np.concatenate([column_quantiles(row[None, seen], 0.75) for row in np.ascontiguousarray(values[:, cols].T)])

    return np.concatenate(for_each(work, column_blocks(values.shape[1])))


def _centred_ranks(counts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return ranks less their mean (samples × genes, float32, exact) and their lengths."""
    values = as_matrix(counts)
    ranks = np.empty((values.shape[1], values.shape[0]), dtype=np.float32)
    norm = np.empty(values.shape[1])

    def work(cols: slice) -> None:
        for j, column in zip(range(cols.start, cols.stop), np.ascontiguousarray(values[:, cols].T)):
            ranks[j] = average_ranks(column) - np.float32((len(values) + 1) / 2)
            # no BLAS here: its own threads would get in the way of these
            norm[j] = np.sqrt(np.square(ranks[j], dtype=float).sum())

    for_each(work, column_blocks(values.shape[1]))
    if not (norm > 0).all():
        raise InputError(f"sample {counts.columns[int(norm.argmin())]!r} has the same count for every gene: leave it out")
    return ranks, norm
