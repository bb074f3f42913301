"""Library sizes and what follows: size factors, counts per million, log2 fold changes.

Sources: edgeR's ``calcNormFactors`` (3.40); Robinson and Oshlack 2010, Genome Biology 11:R25 (TMM);
Bullard et al. 2010, BMC Bioinformatics 11:94 (upper quartile).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.matrix import as_matrix, column_blocks, column_quantiles, exact_mean
from degnext._common.parallel import for_each

METHODS = ("total", "tmm", "upper_quartile")
Table = pd.DataFrame | np.ndarray  # genes × samples


def size_factors(
    counts: Table, method: str = "total", *, gene_weight: np.ndarray | None = None
) -> pd.Series | np.ndarray:
    """Return each sample's effective library size in millions: counts over it are CPM.

    counts: genes × samples; a table gives a Series, an array an array. method: "total" (column
    sums), "tmm" or "upper_quartile" (column sums times that factor). gene_weight: how many genes of
    the full table each row stands for (``cohorts.published.part_weights``), which makes the
    Horvitz-Thompson estimate of a total; None says that the table is complete. Raises InputError
    for a sample without counts.
    """
    check_choice("method", method, METHODS)
    if gene_weight is None:
        values = as_matrix(counts)
        total = values.sum(axis=0, dtype=np.float64)
    else:
        values = np.asarray(counts)
        total = np.asarray(gene_weight, float) @ values
    is_table = isinstance(counts, pd.DataFrame)
    if not (total > 0).all():
        sample = counts.columns[total.argmin()] if is_table else int(total.argmin())
        raise InputError(f"sample {sample!r} has no counts at all: leave it out")
    if method != "total":
        total = total * _FACTORS[method](values)
    return pd.Series(total / 1e6, counts.columns, name=method) if is_table else total / 1e6


def scale(counts: pd.DataFrame, method: str = "total") -> pd.DataFrame:
    """Return counts per million of each sample's effective library, genes × samples, floats."""
    return counts / size_factors(counts, method)


def log_fold_change(
    counts: np.ndarray, is_tumor: np.ndarray, factors: np.ndarray | None = None, prior: float = 0.01
) -> np.ndarray:
    """Return log2 of tumor over normal mean counts per million (genes,).

    counts: genes × samples. is_tumor: bool per sample. factors: from ``size_factors``, by default
    of these counts. prior: counts per million added to both means.
    """
    factors = size_factors(counts) if factors is None else factors
    tumor = np.asarray(is_tumor, bool)
    # the other group counts 0 times: to leave it out would copy the table
    mean = [counts @ np.where(m, 1 / factors, 0.0) / m.sum() + prior for m in (~tumor, tumor)]
    return np.log2(mean[1] / mean[0])


def tmm_factors(counts: Table) -> np.ndarray:
    """Return each sample's trimmed mean of M-values factor (samples,), geometric mean 1.

    The reference is the sample whose upper quartile is nearest the mean; 30 % of log ratios and 5 %
    of log intensities are trimmed at either end, the rest weighted by precision. Equal to edgeR's.
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
    return 2.0 ** (log2_factor - log2_factor.mean())


def upper_quartile_factors(counts: Table) -> np.ndarray:
    """Return each sample's upper quartile over its column sum, geometric mean 1, as edgeR does."""
    values = as_matrix(counts)
    quartile = _upper_quartiles(values) / values.sum(axis=0)
    if not (quartile > 0).all():
        cure = "drop unexpressed genes first or use method='total'"
        raise InputError(f"a sample's upper quartile is zero: {cure}")
    return quartile / np.exp(np.log(quartile).mean())


_FACTORS = {"tmm": tmm_factors, "upper_quartile": upper_quartile_factors}


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
    """Tell which values have an average rank inside the trimmed range; only ties need counting."""
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
        columns = np.ascontiguousarray(values[:, cols].T)
        return np.concatenate([column_quantiles(row[None, seen], 0.75) for row in columns])

    return np.concatenate(for_each(work, column_blocks(values.shape[1])))
