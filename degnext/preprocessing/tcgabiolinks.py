"""TCGAbiolinks' way with EDASeq's within-lane and between-lane normalisation, as in R.

Equal to the integer. Sources: Risso, Schwartz, Sherlock and Dudoit (2011), BMC Bioinformatics
12:480; R's EDASeq 2.32 (withinLaneNormalization, betweenLaneNormalization) and TCGAbiolinks
(TCGAanalyze_Normalization).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from degnext._common import matrix
from degnext._common.errors import InputError, check_choice
from degnext._common.parallel import for_each

Bins = tuple[np.ndarray, list[int]]  # the gene order that puts bins side by side, and their edges
_PROB = 0.75  # the upper quartile is what lanes are brought to
_BINS = 10  # of equally many genes
_CURE = "drop unexpressed genes first, for instance with quantile_filter"


def tcgabiolinks_normalize(
    counts: pd.DataFrame, gene_info: pd.DataFrame, method: str = "gcContent"
) -> pd.DataFrame:
    """Do what TCGAanalyze_Normalization does, faults included, on the genes of ``gene_info``.

    gene_info: index gene symbols, columns gene_length and gc_content. "gcContent": within-lane by
    GC content, then between-lane, both as offsets on log(count + 0.1), floored, then full quantile
    normalisation over samples, floored; genes in the order of ``gene_info``. "geneLength" (its
    default, which the paper used): the counts come back as they went in, because the function
    returns the counts slot after normalising; genes without any count and SLC35E2 are left out,
    order as in ``counts``. Returns genes × samples, integers.
    """
    check_choice("method", method, ("gcContent", "geneLength"))
    if counts.index.has_duplicates or gene_info.index.has_duplicates:
        cure = "resolve duplicates first, for instance with map_symbols"
        raise InputError(f"gene symbols occur twice: {cure}")
    known = gene_info[gene_info["gene_length"].notna()]
    genes = known.index[known.index.isin(counts.index)]
    if method == "geneLength":
        genes = counts.index[counts.index.isin(genes) & (counts.index != "SLC35E2")]
    if not len(genes):
        cure = "both need gene symbols as index, see map_symbols"
        raise InputError(f"no gene of counts is in gene_info: {cure}")
    kept = counts.loc[genes]
    values = matrix.as_matrix(kept)
    if method == "geneLength":
        kept = _like(kept, np.rint(values).astype(np.int64))
        return kept[kept.sum(axis=1) > 0]
    kept = _like(kept, np.floor(values)) if values.dtype.kind == "f" else kept
    values, bins = matrix.as_matrix(kept), _bins(known.loc[genes, "gc_content"])
    return _like(kept, _quantile_normalize(_offset_normalize(values, bins, kept.columns)))


def _like(counts: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, index=counts.index, columns=counts.columns, copy=False)


def _by_sample(
    one: Callable[[np.ndarray, int], np.ndarray], values: np.ndarray, dtype: type = np.int64
) -> np.ndarray:
    """Return ``one(column, number)`` of every column of ``values`` as columns, in threads."""

    def work(cols: slice) -> np.ndarray:
        block = np.ascontiguousarray(values[:, cols].T)
        return np.array([one(row, j) for row, j in zip(block, range(cols.start, cols.stop))])

    parts = for_each(work, matrix.column_blocks(values.shape[1]))
    return np.concatenate(parts).astype(dtype).T


def _bins(feature: pd.Series) -> Bins:
    """Return bins of equally many genes each."""
    x = feature.to_numpy(float)
    if (gaps := np.isnan(x)).any():
        fault = f"{gaps.sum()} genes have no GC content, the first is {feature.index[gaps][0]!r}"
        raise InputError(f"{fault}: drop them before normalising")
    shares = np.arange(_BINS + 1) * (1.0 / _BINS)
    breaks = np.array([matrix.column_quantiles(x[None], share)[0] for share in shares])
    breaks[-1] = x.max()
    if (np.diff(breaks) <= 0).any():
        fault = f"GC content cannot be cut into {_BINS} bins of different values"
        raise InputError(f"{fault}: pass more genes, or their real GC content")
    # intervals closed on the right; the smallest value lies outside all and goes to the first bin
    bins = np.maximum(np.searchsorted(breaks, x, side="left"), 1) - 1
    edges = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=_BINS))])
    return np.argsort(bins, kind="stable"), edges.tolist()


def _shift_bins(row: np.ndarray, bins: Bins, name: str) -> np.ndarray:
    """Return exp(log x - bin quantile + sample quantile) for one sample."""
    order, edges = bins
    row = row[order]
    overall = matrix.column_quantiles(row[None], _PROB, log=True)[0]
    with np.errstate(divide="ignore"):
        shifted = np.log(row)
    for start, end in zip(edges[:-1], edges[1:]):
        level = matrix.column_quantiles(row[None, start:end], _PROB, log=True)[0]
        if not (np.isfinite(level) and np.isfinite(overall)):
            fault = f"sample {name!r} has a bin of genes that are mostly zero"
            raise InputError(f"{fault}, so the bin has no level to normalise to: {_CURE}")
        shifted[start:end] -= level
    shifted += overall
    out = np.empty_like(shifted)
    out[order] = np.exp(shifted)
    return out


def _relative(level: np.ndarray, names: pd.Index) -> np.ndarray:
    """Return each sample's level over the mean of all."""
    if not (level > 0).all():
        fault = f"most genes of sample {names[int(level.argmin())]!r} are zero"
        raise InputError(f"{fault}, so its quantile is zero: {_CURE}, or leave the sample out")
    return level / matrix.exact_mean(level)


def _offset_normalize(values: np.ndarray, bins: Bins, names: pd.Index) -> np.ndarray:
    """Return floored counts after both offsets of TCGAbiolinks' gcContent method."""
    shifted = _by_sample(lambda row, j: _shift_bins(row, bins, names[j]), values, float)
    levels = _by_sample(
        lambda row, _: matrix.column_quantiles(np.rint(row)[None], _PROB), shifted, float
    )
    factor = _relative(levels[0], names)
    return _by_sample(lambda row, j: _apply_offsets(row, shifted[:, j], factor[j]), values)


def _apply_offsets(raw: np.ndarray, shifted: np.ndarray, factor: float) -> np.ndarray:
    """Return floor(exp(log(raw + 0.1) + both steps' offsets) - 0.1) of one sample."""
    lane, log_raw = np.rint(shifted), np.log(raw + 0.1)
    offset = (np.log(shifted + 0.1) - log_raw) + (np.log(lane / factor + 0.1) - np.log(lane + 0.1))
    exact = np.exp(log_raw + offset) - 0.1
    floored = np.floor(exact)
    # next to an integer the last digit decides, and R takes log and exp from the C library, as math
    floored[raw == 0] = math.floor(math.exp(math.log(0.1)) - 0.1)
    for i in np.flatnonzero((np.abs(exact - np.rint(exact)) < 1e-9) & (raw > 0)):
        floored[i] = math.floor(math.exp(math.log(raw[i] + 0.1) + offset[i]) - 0.1)
    return floored


def _quantile_normalize(values: np.ndarray) -> np.ndarray:
    """Give each sample the floored mean of all samples' sorted counts; ties keep gene order."""
    n_genes, n_samples = values.shape
    positions = np.empty((n_samples, n_genes), dtype=np.int32)
    floor = int(values.min())  # -1 where R's rounding makes it so

    def sort(cols: slice) -> np.ndarray:
        total = np.zeros(n_genes, dtype=np.int64)
        for j in range(cols.start, cols.stop):
            positions[j], ordered = matrix.stable_order(values[:, j] - floor)
            total += ordered
        return total

    level = sum(for_each(sort, matrix.column_blocks(n_samples))) // n_samples + floor

    def place(_: np.ndarray, j: int) -> np.ndarray:
        out = np.empty_like(level)
        out[positions[j]] = level
        return out

    return _by_sample(place, values)
