"""P-values against a log fold change within an interval: edgeR's ``glmTreat``.

Source: McCarthy and Smyth 2009, Bioinformatics 25:765; R's edgeR 3.40.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from degnext.labeling.edger.negbin import TwoGroups, fit_deviance

_WIDTH = 1.470402  # edgeR's constant: how far the p-value is averaged beyond the interval's ends


def interval_p_values(
    data: TwoGroups,
    phi: np.ndarray,
    full: np.ndarray,
    bound: float,
    to_normal: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray:
    """Return p-values (genes,) for a log2 fold change beyond ``bound`` either way.

    full: deviances of the two-group fit. to_normal: turns roots of deviance differences into
    standard normal scores. Source: edgeR's glmTreat, which averages over the null interval.
    """
    scores = []
    for end in (bound, -bound):
        # one rate for all once the tumor libraries are scaled to this fold change
        moved = replace(data, lib=data.lib * np.where(data.is_tumor, 2.0**end, 1.0))
        drop = fit_deviance(moved, phi, null=True) - full
        scores.append(to_normal(np.sqrt(np.maximum(drop, 0.0))))
    near, far = np.minimum(*scores), np.maximum(*scores)
    beyond = np.abs(data.log_ratio(phi)) > bound
    near = np.where(beyond, -near, near)
    wide = far + near > _WIDTH
    outer = _mean_ndtr(-far, -far + _WIDTH) + _mean_ndtr(near - _WIDTH, near)
    return np.minimum(np.where(wide, outer, 2.0 * _mean_ndtr(-far, near)), 1.0)


def _mean_ndtr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the mean of the standard normal distribution function between ``a`` and ``b``."""

    def integral(x: np.ndarray) -> np.ndarray:
        return x * ndtr(x) + np.exp(-(x**2) / 2.0) / np.sqrt(2.0 * np.pi)

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a == b, ndtr(a), (integral(b) - integral(a)) / (b - a))
