"""Arithmetic that the tests and the networks share."""

from __future__ import annotations

import numpy as np
from scipy.special import polygamma


def trigamma_inverse(value: float) -> float:
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


def benjamini_hochberg(p_value: np.ndarray) -> np.ndarray:
    """Return the false discovery rate at which each p-value (no NaN) is called, by SciPy."""
    from scipy.stats import false_discovery_control  # half of the time that degnext takes to load

    return false_discovery_control(p_value)
