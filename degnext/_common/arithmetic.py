"""TODO."""

from __future__ import annotations

import numpy as np
from scipy.special import polygamma


def benjamini_hochberg(p_value: np.ndarray) -> np.ndarray:
    """Return false discovery rates (genes,) for p-values (genes,). Source: Benjamini and Hochberg (1995)."""
    p_value = np.asarray(p_value, float)
    order = np.argsort(p_value)[::-1]
    scaled = p_value[order] * p_value.size / np.arange(p_value.size, 0, -1)
    fdr = np.empty_like(p_value)
    fdr[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return fdr


def _trigamma_inverse(value: float) -> float:
    """Return y with trigamma(y) = value, by Newton steps on 1 / trigamma as in limma."""
    if value > 1e7:
        return value**-0.5
    if value < 1e-6:
        return 1.0 / value
    y = 0.5 + 1.0 / value
    for _ in range(50):
        tri = float(polygamma(1, y))
        step = tri * (1.0 - tri / value) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return y
