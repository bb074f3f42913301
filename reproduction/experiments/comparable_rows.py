"""Rows of equal width from cohorts of different sample numbers, for methods that need that."""

from __future__ import annotations

import numpy as np

from degnext._common.errors import InputError, check_choice

WAYS = ("quantiles", "averages", "interpolate", "random")
N_COLUMNS = 16  # per group


def comparable_rows(
    values: np.ndarray,
    is_tumor: np.ndarray,
    how: str = "quantiles",
    n_columns: int = N_COLUMNS,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Return genes × (2 · n_columns): normal columns first, then tumor, for any number of samples.

    values: genes × samples.

    ``quantiles``    each gene's own quantiles within the group, (j − ½)/n, whatever the order
    ``averages``     means over n runs of neighbouring samples, in the order of the file
    ``interpolate``  the row drawn out or pressed to n columns, linearly, in the order of the file
    ``random``       n samples drawn with ``rng``, the same for all genes; again where there are few

    Which is best was tested by leaving out one training cancer at a time
    (data/results/baseline_rows.csv).
    """
    check_choice("how", how, WAYS)
    tumor, values = np.asarray(is_tumor, bool), np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != len(tumor) or tumor.all() or not tumor.any():
        raise InputError(
            f"values {values.shape} and groups ({len(tumor)}) do not fit: give one per column, "
            "and both groups"
        )
    if how == "random" and rng is None:
        raise InputError("random columns need a generator: pass rng=np.random.default_rng(seed)")
    return np.concatenate(
        [_group(values[:, m], how, n_columns, rng) for m in (~tumor, tumor)], axis=1
    )


def _group(values: np.ndarray, how: str, k: int, rng: np.random.Generator | None) -> np.ndarray:
    n = values.shape[1]
    if how == "quantiles":
        return _at(np.sort(values, axis=1), np.clip((np.arange(k) + 0.5) / k * n - 0.5, 0, n - 1))
    if how == "interpolate":
        return _at(values, np.linspace(0, n - 1, k))
    if how == "random":
        return values[:, rng.choice(n, k, replace=n < k)]
    start = np.zeros((len(values), 1), np.float32)
    sums = np.concatenate([start, np.cumsum(values, axis=1, dtype=np.float64)], axis=1)
    edges = _at(sums, np.linspace(0, n, k + 1))
    return (np.diff(edges, axis=1) * k / n).astype(np.float32)


def _at(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Read rows at fractional column positions, linearly between neighbours."""
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, values.shape[1] - 1)
    share = position - low
    return values[:, low] * (1 - share) + values[:, high] * share
