"""Helpers on count matrices that follow R's conventions to the last digit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from degnext._common.errors import InputError

_AT_ONCE = 8  # samples per block: a row of counts is read a cache line (8 counts) at a time


def as_matrix(counts: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Return the counts as an array, genes × samples; raise InputError unless they are counts."""
    n_genes, n_samples = counts.shape
    if not n_genes or not n_samples:
        size = f"{n_genes} genes × {n_samples} samples"
        raise InputError(f"counts is empty ({size}): check the step before")
    values = counts.to_numpy() if isinstance(counts, pd.DataFrame) else np.asarray(counts)
    if values.dtype.kind not in "iuf":
        raise InputError("counts must be numbers: drop text columns such as gene descriptions")
    if not values.min() >= 0 or not np.isfinite(values.max()):
        fault = "counts must be non-negative numbers without gaps"
        raise InputError(f"{fault}: pass the raw, unlogged table")
    return values


def column_blocks(n_columns: int) -> list[slice]:
    """Return slices that cover the samples, a few at a time."""
    return [slice(i, min(i + _AT_ONCE, n_columns)) for i in range(0, n_columns, _AT_ONCE)]


def column_quantiles(block: np.ndarray, prob: float, log: bool = False) -> np.ndarray:
    """Return R's quantile (type 7) of each row of ``block`` (samples × genes).

    log: of the logarithms; equal neighbours are returned untouched, so -Inf stays -Inf.
    """
    index = max(block.shape[1] - 1, 0) * prob
    low, high = math.floor(index), math.ceil(index)
    weight = (1.0 + index) - (1.0 + low)
    ordered = np.partition(block, [low, high], axis=1)
    a, b = ordered[:, low].astype(float), ordered[:, high].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if log:
            a, b = np.log(a), np.log(b)
        between = (1.0 - weight) * a + weight * b
    return np.where((a == b) | (weight == 0.0), a, between)


def exact_mean(values: np.ndarray) -> float:
    """Return the correctly rounded mean; R sums in long double, plain float64 may miss a digit."""
    return math.fsum(values.tolist()) / values.size


def stable_order(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of a row's values, equal ones in their own order, and the sorted values.

    Counts and positions packed into one integer sort several times as fast as a stable argsort.
    """
    bits = int(row.size).bit_length()
    if row.dtype.kind in "iu" and int(row.max()).bit_length() + bits < 63:
        packed = (row.astype(np.int64) << bits) | np.arange(row.size)
        packed.sort()
        return packed & ((1 << bits) - 1), packed >> bits
    order = np.argsort(row, kind="stable")
    return order, row[order]


def average_ranks(row: np.ndarray) -> np.ndarray:
    """Return ranks from 1 of a row of values, ties averaged."""
    order, ordered = stable_order(row)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], row.size)
    ranks = np.empty(row.size, dtype=np.float32)  # half-integers up to 2^23 are exact
    ranks[order] = np.repeat(((starts + 1 + ends) / 2.0).astype(np.float32), ends - starts)
    return ranks
