"""From a gene's row of counts to a network's input: the paper's grid image.

The profile image, which does not depend on the number or order of samples, is in
:mod:`degnext.learning.profile.image`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import size_factors


def row_values(
    cohort: Cohort, scaling: str = "log_cpm", factors: np.ndarray | None = None
) -> np.ndarray:
    """Return one row of values per gene, float32 (genes × samples), normal samples first.

    ``none``    the counts as they are, what the paper's network was given (AUDIT 3)
    ``log_cpm`` log2(counts per million + 1); library sizes are sums over every gene of the cohort,
                so no label and no split enters; or ``factors``, one per sample in the cohort's own
                order, in millions of counts
    """
    check_choice("scaling", scaling, ("none", "log_cpm"))
    values = cohort.counts.to_numpy()
    if scaling == "log_cpm":
        millions = size_factors(values) if factors is None else np.asarray(factors)
        values = np.log2(values / millions + 1)
    return normal_first(values, cohort.groups.loc[cohort.counts.columns]).astype(np.float32)


def normal_first(
    values: np.ndarray | pd.DataFrame, groups: Sequence[str] | None
) -> np.ndarray | pd.DataFrame:
    """Return genes × samples with normal samples first, each group in its own order.

    groups: "normal" or "tumor" per column, found by name where ``values`` is a table and they are a
    Series; None says that the order is this already. Raises InputError for other words or numbers.
    """
    if groups is None:
        return values
    if isinstance(values, pd.DataFrame) and isinstance(groups, pd.Series):
        groups = groups.reindex(values.columns)
    values, groups = np.asarray(values), np.asarray(groups, dtype=object)
    if groups.shape != values.shape[1:]:
        raise InputError(f"X {values.shape} and {groups.size} groups: give one per column")
    if not np.isin(groups, ("normal", "tumor")).all():
        raise InputError("a sample's group is unknown: name each one 'normal' or 'tumor'")
    return values[:, np.argsort(groups == "tumor", kind="stable")]


def grid_shape(n_samples: int) -> tuple[int, int]:
    """Return height and width of the paper's image of ``n_samples`` pixels.

    The width is the largest divisor of n not above √n: the network pools over any shape, but the
    released weights were trained on upright ones. A prime n gets one zero pixel, so that n + 1 is
    divided (the authors' ``ArrayToTensor``; 89 samples of KICH make 10 × 9).
    """
    if n_samples < 2:
        raise InputError(f"an image needs at least two samples, not {n_samples}")

    def width(n: int) -> int:
        return max(d for d in range(1, int(n**0.5) + 1) if n % d == 0)

    n = n_samples if n_samples < 4 or width(n_samples) > 1 else n_samples + 1
    return n // width(n), width(n)


def grid_image(values: np.ndarray) -> np.ndarray:
    """Reshape rows (genes × samples) to the paper's images, float32 (genes, 1, height, width)."""
    values = np.asarray(values, dtype=np.float32)
    n_genes, n_samples = values.shape
    h, w = grid_shape(n_samples)
    if h * w > n_samples:
        values = np.pad(values, ((0, 0), (0, h * w - n_samples)))
    return values.reshape(n_genes, 1, h, w)


class Standardizer:
    """Take off each row's own mean, then shift and scale by one mean and one standard deviation.

    A gene's level says nothing about its direction; without it the network need not learn so.
    """

    def __init__(self, mean: float = 0.0, sd: float = 1.0) -> None:
        self.mean, self.sd = mean, sd

    def fit(self, *values: np.ndarray) -> Standardizer:
        """Learn both from training genes × samples, of one cohort or of several of any size."""
        every = np.concatenate([_centre(v).ravel() for v in values])
        self.mean, self.sd = float(every.mean(dtype=float)), float(every.std(dtype=float)) or 1.0
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Apply what was learned, to genes of any cohort."""
        return ((_centre(values) - self.mean) / self.sd).astype(np.float32)


def _centre(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True)
