"""From raw counts to counts fit for labelling: outliers, gene symbols, library sizes and the quantile filter.

The normalisations of EDASeq and TCGAbiolinks live in :mod:`degnext.preprocessing.tcgabiolinks`, symbols in :mod:`degnext.preprocessing.symbols`;
their functions are at hand here too, so that a notebook needs one import.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext._common.matrix import as_matrix, average_ranks, column_blocks, column_quantiles
from degnext._common.parallel import for_each
from degnext.cohorts.cohort import Cohort
from degnext.preprocessing.symbols import map_symbols, to_symbols
from degnext.preprocessing.tcgabiolinks import between_lane, tcgabiolinks_normalize, within_lane

__all__ = [
    "between_lane",
    "correlation_matrix",
    "drop_outliers",
    "map_symbols",
    "quantile_filter",
    "sample_correlation",
    "tcgabiolinks_normalize",
    "within_lane",
]


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
    return pd.DataFrame(
        np.clip(unit @ unit.T, -1.0, 1.0), index=counts.columns, columns=counts.columns
    )


def drop_outliers(
    counts: pd.DataFrame, groups: pd.Series, cut: float = 0.6
) -> tuple[pd.DataFrame, pd.Series]:
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
        raise InputError(
            f"sample {counts.columns[int(norm.argmin())]!r} has the same count for every gene: leave it out"
        )
    return ranks, norm


def preprocess(
    cohort: Cohort, outlier_cut: float = 0.6, quantile_cut: float = 0.25, symbols: str = "auto"
) -> Cohort:
    """Name genes by symbol, drop outlier samples and lowly expressed genes (paper, Methods 2, 3 and 5), with notes of how many."""
    from degnext.preprocessing.filters import drop_outliers, quantile_filter

    named, _ = to_symbols(cohort, symbols)
    kept = drop_outliers(named.counts, named.groups, outlier_cut)[0]
    filtered = quantile_filter(kept, quantile_cut)
    notes = []
    if kept.shape[1] < cohort.counts.shape[1]:
        notes.append(f"{cohort.counts.shape[1] - kept.shape[1]} outlier sample(s) left out.")
    return named.with_counts(filtered, *notes)
