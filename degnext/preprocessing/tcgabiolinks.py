"""Within-lane and between-lane normalisation, and what TCGAbiolinks makes of them, equal to R to the integer.

Sources: Risso, Schwartz, Sherlock and Dudoit (2011), BMC Bioinformatics 12:480; R's EDASeq 2.32
(withinLaneNormalization, betweenLaneNormalization) and TCGAbiolinks (TCGAanalyze_Normalization).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.matrix import (
    as_matrix,
    column_blocks,
    column_quantiles,
    exact_mean,
    like,
    stable_order,
)
from degnext._common.parallel import for_each

_PROB = {"upper": 0.75, "median": 0.5}


def within_lane(
    counts: pd.DataFrame, feature: pd.Series, which: str = "upper", n_bins: int = 10
) -> pd.DataFrame:
    """Bring the bins of a gene feature (GC content or length) to the same level within each sample.

    Genes fall into ``n_bins`` bins of equal size by ``feature`` (indexed by gene); in each sample, log counts of a bin
    are shifted so that the bin's upper quartile (or median) is that of the whole sample, then rounded half to even.
    Returns genes × samples, integers. Raises InputError where a gene has no feature, or where a bin's quantile is zero
    (R returns NaN and Inf there). Source: EDASeq's withinLaneNormalization.
    """
    check_choice("which", which, _PROB)
    values, order, edges = _binned(counts, feature, n_bins)
    out = np.empty(values.shape, dtype=np.int64)

    def work(cols: slice) -> None:
        block = np.ascontiguousarray(values[:, cols].T)
        done = np.empty(block.shape, dtype=np.int64)
        for row, target, name in zip(block, done, counts.columns[cols]):
            target[order] = np.rint(_shift_bins(row[order], edges, _PROB[which], name))
        out[:, cols] = done.T

    for_each(work, column_blocks(values.shape[1]))
    return like(counts, out)


def between_lane(counts: pd.DataFrame, which: str = "upper") -> pd.DataFrame:
    """Divide every sample by its upper quartile (or median) relative to the mean of all samples' and round.

    Returns genes × samples, integers, halves rounded to even. Raises InputError where a sample's quantile is zero.
    Source: EDASeq's betweenLaneNormalization.
    """
    check_choice("which", which, _PROB)
    values = as_matrix(counts)
    factor = _lane_factors(values.T, _PROB[which], counts.columns)
    out = np.empty(values.shape, dtype=np.int64)

    def work(cols: slice) -> None:
        out[:, cols] = np.rint(values[:, cols] / factor[cols])

    for_each(work, column_blocks(values.shape[1]))
    return like(counts, out)


def tcgabiolinks_normalize(
    counts: pd.DataFrame, gene_info: pd.DataFrame, method: str = "gcContent"
) -> pd.DataFrame:
    """Do what TCGAanalyze_Normalization does, faults included, on the genes found in ``gene_info``.

    gene_info: index gene symbols, columns gene_length and gc_content. "gcContent": within-lane by GC content, then
    between-lane, both as offsets on log(count + 0.1), floored, then full quantile normalisation over samples, floored;
    genes in the order of ``gene_info``. "geneLength" (its default, which the paper used): the counts come back as they
    went in, because the function returns the counts slot after normalising; genes without any count and SLC35E2 are
    left out, order as in ``counts``. Returns genes × samples, integers.
    """
    check_choice("method", method, ("gcContent", "geneLength"))
    if counts.index.has_duplicates or gene_info.index.has_duplicates:
        raise InputError(
            "gene symbols occur twice: resolve duplicates first, for instance with map_symbols"
        )
    known = gene_info[gene_info["gene_length"].notna()]
    if method == "geneLength":
        kept = counts.loc[counts.index.isin(known.index) & (counts.index != "SLC35E2")]
        if not len(kept):
            raise InputError(_NO_OVERLAP)
        kept = like(kept, np.rint(as_matrix(kept)).astype(np.int64))
        return kept[kept.sum(axis=1) > 0]
    genes = known.index[known.index.isin(counts.index)]
    if not len(genes):
        raise InputError(_NO_OVERLAP)
    kept = counts.loc[genes]
    if as_matrix(kept).dtype.kind == "f":
        kept = like(kept, np.floor(kept.to_numpy()))
    values, order, edges = _binned(kept, known.loc[genes, "gc_content"], 10)
    return like(kept, _quantile_normalize(_offset_normalize(values, order, edges, kept.columns)))


_NO_OVERLAP = "no gene of counts is in gene_info: both need gene symbols as index, see map_symbols"


def _binned(
    counts: pd.DataFrame, feature: pd.Series, n_bins: int
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the values, the gene order that puts bins side by side, and the bins' edges in that order."""
    values = as_matrix(counts)
    if feature.index.has_duplicates and not feature.index.equals(counts.index):
        raise InputError("feature lists a gene twice: keep one row per gene")
    if not feature.index.equals(counts.index):
        feature = feature.reindex(counts.index)
    x = feature.to_numpy(float)
    gaps = int(np.isnan(x).sum())
    if gaps:
        first = counts.index[np.isnan(x)][0]
        raise InputError(
            f"{gaps} genes have no value in feature, the first is {first!r}: drop them before normalising"
        )
    breaks = np.array(
        [column_quantiles(x[None, :], p)[0] for p in np.arange(n_bins + 1) * (1.0 / n_bins)]
    )
    breaks[-1] = x.max()
    if (np.diff(breaks) <= 0).any():
        raise InputError(
            f"feature cannot be cut into {n_bins} bins of different values: use fewer bins"
        )
    # intervals closed on the right; the smallest value lies outside all of them and goes to the first bin, as in EDASeq
    bins = np.maximum(np.searchsorted(breaks, x, side="left"), 1) - 1
    order = np.argsort(bins, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=n_bins))])
    return values, order, edges.tolist()


def _shift_bins(row: np.ndarray, edges: list[int], prob: float, name: str) -> np.ndarray:
    """Return exp(log x - bin quantile + sample quantile) for one sample, genes in bin order."""
    overall = column_quantiles(row[None, :], prob, log=True)[0]
    with np.errstate(divide="ignore"):
        shifted = np.log(row)
    for start, end in zip(edges[:-1], edges[1:]):
        level = column_quantiles(row[None, start:end], prob, log=True)[0]
        if not (np.isfinite(level) and np.isfinite(overall)):
            raise InputError(
                f"sample {name!r} has a bin of genes that are mostly zero, so the bin has no level to normalise to: "
                "drop unexpressed genes first, for instance with quantile_filter"
            )
        shifted[start:end] -= level
    shifted += overall
    return np.exp(shifted, out=shifted)


def _lane_factors(values: np.ndarray, prob: float, names: pd.Index) -> np.ndarray:
    """Return each sample's quantile over the mean of all samples' quantiles; ``values`` is samples × genes."""
    parts = for_each(
        lambda rows: column_quantiles(np.ascontiguousarray(values[rows]), prob),
        column_blocks(len(values)),
    )
    return _relative(np.concatenate(parts), names)


def _relative(level: np.ndarray, names: pd.Index) -> np.ndarray:
    if not (level > 0).all():
        raise InputError(
            f"most genes of sample {names[int(level.argmin())]!r} are zero, so its quantile is zero: "
            "drop unexpressed genes first, for instance with quantile_filter, or leave the sample out"
        )
    return level / exact_mean(level)


def _offset_normalize(
    values: np.ndarray, order: np.ndarray, edges: list[int], names: pd.Index
) -> np.ndarray:
    """Return floored counts after both offsets of TCGAbiolinks' gcContent method, samples × genes."""
    shifted = np.empty(values.T.shape)

    def within(cols: slice) -> None:
        block = np.ascontiguousarray(values[:, cols].T)
        for j, row in zip(range(cols.start, cols.stop), block):
            shifted[j, order] = _shift_bins(row[order], edges, 0.75, names[j])

    def level(rows: slice) -> np.ndarray:
        return np.concatenate(
            [column_quantiles(np.rint(row)[None, :], 0.75) for row in shifted[rows]]
        )

    blocks = column_blocks(values.shape[1])
    for_each(within, blocks)
    factor = _relative(np.concatenate(for_each(level, blocks)), names)
    result = np.empty(shifted.shape, dtype=np.int64)

    def between(cols: slice) -> None:
        block = np.ascontiguousarray(values[:, cols].T)
        for j, raw in zip(range(cols.start, cols.stop), block):
            result[j] = _apply_offsets(raw, shifted[j], factor[j])

    for_each(between, blocks)
    return result


def _apply_offsets(raw: np.ndarray, shifted: np.ndarray, factor: float) -> np.ndarray:
    """Return floor(exp(log(raw + 0.1) + offsets) - 0.1) of one sample, the offsets those of both steps."""
    lane, log_raw = np.rint(shifted), np.log(raw + 0.1)
    offset = (np.log(shifted + 0.1) - log_raw) + (np.log(lane / factor + 0.1) - np.log(lane + 0.1))
    exact = np.exp(log_raw + offset) - 0.1
    floored = np.floor(exact)
    # next to an integer the last digit decides, and R takes its log and exp from the C library as math does
    floored[raw == 0] = math.floor(math.exp(math.log(0.1)) - 0.1)
    for i in np.flatnonzero((np.abs(exact - np.rint(exact)) < 1e-9) & (raw > 0)):
        floored[i] = math.floor(math.exp(math.log(raw[i] + 0.1) + offset[i]) - 0.1)
    return floored


def _quantile_normalize(values: np.ndarray) -> np.ndarray:
    """Give every sample (row) the floored mean of all samples' sorted counts; ties keep gene order. Returns genes × samples."""
    n_samples, n_genes = values.shape
    positions = np.empty((n_samples, n_genes), dtype=np.int32)
    blocks = column_blocks(n_samples)

    def sort(rows: slice) -> np.ndarray:
        total = np.zeros(n_genes, dtype=np.int64)
        for j in range(rows.start, rows.stop):
            positions[j], ordered = stable_order(values[j] - floor)
            total += ordered
        return total

    floor = int(values.min())  # -1 where R's rounding makes it so
    level = sum(for_each(sort, blocks)) // n_samples + floor
    out = np.empty((n_genes, n_samples), dtype=np.int64)

    def place(rows: slice) -> None:
        block = np.empty((rows.stop - rows.start, n_genes), dtype=np.int64)
        np.put_along_axis(block, positions[rows], level[None, :], axis=1)
        out[:, rows] = block.T

    for_each(place, blocks)
    return out
