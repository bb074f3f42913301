"""degnext.labeling.edger.curves: sums read from curves are those taken one by one."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from degnext.labeling.edger.curves import MANY, curves
from degnext.labeling.edger.likelihood import profile_without_lgamma
from degnext.labeling.edger.negbin import TwoGroups
from degnext.labeling.edger.trend import _GRID


def test_curves_are_the_sums():
    rng, n = np.random.default_rng(0), MANY + 20
    mean = 10 ** rng.uniform(-1.5, 5.5, 300)
    lib = rng.uniform(0.05, 3, n) * 1e7
    shape = rng.choice([0.05, 0.5, 5, 500], 300)[:, None]
    y = rng.poisson(mean[:, None] * lib / 1e7 * rng.gamma(shape, 1 / shape, (300, n))).astype(float)
    y[:3, :20], y[3:6, 20:], y[6] = 0, 0, 0  # a group without counts, and a gene without any
    data, phi = TwoGroups(y, lib, 20), 0.1 * 2.0**_GRID
    y_log_lib = xlogy(y, lib).sum(axis=1)
    found = curves(data, y_log_lib, phi)
    for k, value in enumerate(phi):
        plain, _ = profile_without_lgamma(data, y_log_lib, np.full(300, value))
        assert np.allclose(found[:, k], plain, rtol=1e-9, atol=1e-5)
