"""Dispersions along abundance, squeezed as far as the genes ask for: edgeR's ``estimateDisp``.

Source: Chen, Lun and Smyth (2014), in Statistical Analysis of Next Generation Sequencing Data, 51;
R's edgeR 3.40 (``estimateDisp`` with a design of two groups, default settings).
"""

from __future__ import annotations

import numpy as np

from degnext._common.errors import InputError
from degnext.labeling.edger.dispersion import MIN_ROW_SUM, spline_maximum
from degnext.labeling.edger.likelihood import profile_on_grid
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm, fit_residuals
from degnext.labeling.edger.quasi import squeeze
from degnext.labeling.edger.trend import _GRID, local_constant


def empirical_dispersion(data: TwoGroups) -> tuple[np.ndarray, np.ndarray]:
    """Return abundances and dispersions squeezed towards a trend along them, (genes,) each.

    Abundances are average log2 counts per million at the common dispersion. How strongly to squeeze
    is estimated from how much genes differ from the trend. Genes with fewer than 5 counts get its
    value at the lowest abundance. Raises InputError when no gene has five counts.
    """
    used = data.y.sum(axis=1) >= MIN_ROW_SUM
    if not used.any():
        raise InputError("no gene has five counts or more: there is no dispersion to estimate")
    part = data.rows(used)
    profile = profile_on_grid(part, 0.1 * 2.0**_GRID)
    common = float(0.1 * 2.0 ** spline_maximum(_GRID, profile.sum(axis=0)[None, :])[0])
    every = ave_log_cpm(data, common)
    abundance = every[used]
    n = len(profile)
    span = 1.0 if n <= 50 else 0.25 + 0.75 * np.sqrt(50.0 / n)
    shared = local_constant(abundance, profile, span)
    trend = 0.1 * 2.0 ** spline_maximum(_GRID, shared)
    prior_df = _prior_df(part, trend, abundance)
    out = np.full(len(data.y), trend[abundance.argmin()])
    prior_n = min(prior_df / (data.n_samples - data.n_coefficients), 1e6)
    out[used] = 0.1 * 2.0 ** spline_maximum(_GRID, profile + prior_n * shared)
    return every, out


def _prior_df(data: TwoGroups, trend: np.ndarray, abundance: np.ndarray) -> float:
    """Return the degrees of freedom that the trend is worth, from residual deviances."""
    spread, df = fit_residuals(data, trend)
    variance = np.divide(spread, df, out=np.zeros_like(spread), where=df > 0)
    return squeeze(np.maximum(variance, 0.0), df, abundance)[1]
