"""Negative binomial dispersions by Cox-Reid adjusted profile likelihood, as in edgeR's GLMs.

Source: McCarthy, Chen and Smyth (2012), Nucleic Acids Research 40:4288; R's edgeR 3.40. The
dispersion is the squared biological coefficient of variation: the variance is
mean + dispersion * mean^2.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import fminbound
from scipy.special import xlogy

from degnext._common.errors import InputError
from degnext._common.parallel import blocks, for_each
from degnext.labeling.edger.likelihood import LogGamma, profile_on_grid, profile_without_lgamma
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm

PRIOR_DF = 10.0
GRID = np.linspace(-6.0, 6.0, 11)  # log2 steps around the common dispersion
MIN_ROW_SUM = 5
_SUBSET = 10_000


def common_dispersion(data: TwoGroups) -> float:
    """Return the one dispersion that maximises the summed adjusted profile likelihood.

    Genes with fewer than 5 counts are left out; from 20,000 genes on, every k-th in order of
    abundance is used. Source: edgeR's estimateGLMCommonDisp (dispCoxReid; Brent's search on the
    fourth root of the dispersion, 0 to 4).
    """
    data = data.rows(data.y.sum(axis=1) >= MIN_ROW_SUM)
    n_genes = len(data.y)
    if not n_genes:
        raise InputError(
            "no gene has five counts or more: there is nothing to estimate a dispersion from"
        )
    if n_genes >= 2 * _SUBSET:
        every = n_genes // _SUBSET
        data = data.rows(np.argsort(ave_log_cpm(data), kind="stable")[every // 2 :: every])
    pieces = [data.rows(rows) for rows in blocks(len(data.y), 8 * data.n_samples)]
    y_log_lib = [xlogy(p.y, p.lib).sum(axis=1) for p in pieces]
    starts: list = [None for _ in pieces]
    log_gamma = LogGamma(data.y)

    def negative(fourth_root: float) -> float:
        phi = fourth_root**4

        def work(i: int) -> np.ndarray:
            value, starts[i] = profile_without_lgamma(
                pieces[i], y_log_lib[i], np.full(len(pieces[i].y), phi), starts[i]
            )
            return value

        value = np.concatenate(for_each(work, list(range(len(pieces)))))  # one sum, of any blocks
        return -(float(value.sum()) + log_gamma.total(phi))

    return float(fminbound(negative, 0.0, 4.0**0.25, xtol=1e-5) ** 4)


def tagwise_dispersion(data: TwoGroups, common: float) -> np.ndarray:
    """Return a dispersion per gene (genes,), squeezed towards ``common`` with 10 prior df.

    Genes with fewer than 5 counts keep ``common``. Source: edgeR's estimateGLMTagwiseDisp without
    trend.
    """
    out = np.full(len(data.y), common)
    used = data.y.sum(axis=1) >= MIN_ROW_SUM
    data = data.rows(used)
    profile = profile_on_grid(data, common * 2.0**GRID)
    prior_n = PRIOR_DF / (data.n_samples - data.n_coefficients)
    squeezed = (profile + prior_n * profile.mean(axis=0)) / (1.0 + prior_n)
    out[used] = common * 2.0 ** spline_maximum(GRID, squeezed)
    return out


def spline_maximum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return where the cubic spline through (x, y[g]) is highest (genes,); y: genes × points.

    The spline's third derivative at each end is that of the cubic through the four outermost points
    (Forsythe, Malcolm and Moler 1977). Source: edgeR's maximizeInterpolant, which looks in the two
    segments around the highest point only.
    """
    slope, second, third = _spline_coefficients(x, y)
    best = y.argmax(axis=1)
    row = np.arange(len(y))
    at, top = x[best].astype(float), y[row, best].copy()
    for shift in (-1, 0):  # the segment left of the best point, then the one right of it
        left = best + shift
        inside = (left >= 0) & (left < x.size - 1)
        left = np.where(inside, left, 0)
        b, c, d = slope[row, left], second[row, left], third[row, left]
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(c * c - 3.0 * b * d)
            # two forms of the same root, each without cancellation on its side; d may be 0
            step = np.where(c <= 0, b / (root - c), (-c - root) / (3.0 * d))
            height = ((d * step + c) * step + b) * step + y[row, left]
            better = inside & (step > 0) & (step < x[left + 1] - x[left]) & (height > top)
        at = np.where(better, x[left] + step, at)
        top = np.where(better, height, top)
    return at


def _spline_coefficients(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coefficients of t, t^2, t^3 per row and segment; t is 0 at its left end."""
    n = x.size
    h = np.diff(x)
    rise = np.diff(y, axis=1) / h
    matrix = np.zeros((n, n))
    right = np.zeros((len(y), n))
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = h[i - 1], 2.0 * (h[i - 1] + h[i]), h[i]
        right[:, i] = rise[:, i] - rise[:, i - 1]

    def third_difference(i: int) -> np.ndarray:
        low = (rise[:, i + 1] - rise[:, i]) / (x[i + 2] - x[i])
        high = (rise[:, i + 2] - rise[:, i + 1]) / (x[i + 3] - x[i + 1])
        return (high - low) / (x[i + 3] - x[i])

    matrix[0, :2] = -h[0], h[0]
    right[:, 0] = h[0] ** 2 * third_difference(0)
    matrix[-1, -2:] = h[-1], -h[-1]
    right[:, -1] = -(h[-1] ** 2) * third_difference(n - 4)
    sigma = np.linalg.solve(matrix, right.T).T
    return (
        rise - h * (sigma[:, 1:] + 2.0 * sigma[:, :-1]),
        3.0 * sigma[:, :-1],
        np.diff(sigma, axis=1) / h,
    )
