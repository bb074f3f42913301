"""A dispersion that follows abundance, as edgeR's estimateDisp finds it with the help of locfit.

Source: Chen, Lun and Smyth (2014), in Statistical Analysis of Next Generation Sequencing Data, 51;
R's edgeR 3.40 and locfit 1.5.
"""

from __future__ import annotations

import numpy as np

from degnext._common.errors import InputError
from degnext.labeling.edger.dispersion import MIN_ROW_SUM, spline_maximum
from degnext.labeling.edger.likelihood import profile_on_grid
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm

_GRID = np.linspace(-10.0, 10.0, 21)  # log2 steps around a dispersion of 0.1
_CELL = 0.8  # a cell of the trend is split until it is shorter than this share of the bandwidth


def trended_dispersion(data: TwoGroups) -> tuple[np.ndarray, np.ndarray]:
    """Return abundances and dispersions that follow them, (genes,) each: edgeR's estimateDisp.

    Abundances are average log2 counts per million at the common dispersion. Genes with fewer than 5
    counts get the dispersion of the least abundant gene.
    """
    used = data.y.sum(axis=1) >= MIN_ROW_SUM
    if not used.any():
        raise InputError(
            "no gene has five counts or more: there is nothing to estimate a dispersion from"
        )
    profile = profile_on_grid(data.rows(used), 0.1 * 2.0**_GRID)
    common = float(0.1 * 2.0 ** spline_maximum(_GRID, profile.sum(axis=0)[None, :])[0])
    every = ave_log_cpm(data, common)
    abundance = every[used]
    n = len(profile)
    span = 1.0 if n <= 50 else 0.25 + 0.75 * np.sqrt(50.0 / n)
    trend = 0.1 * 2.0 ** spline_maximum(_GRID, local_constant(abundance, profile, span))
    out = np.full(len(data.y), trend[abundance.argmin()])
    out[used] = trend
    return every, out


def local_constant(x: np.ndarray, y: np.ndarray, span: float) -> np.ndarray:
    """Return running tricube-weighted means of ``y`` (genes × points) along ``x`` (genes,).

    Means are taken at the ends of cells and interpolated in between; a cell is halved until it is
    short beside its bandwidth, the distance to the nearest ``span`` of all points. Source: R's
    locfit with deg=0, as edgeR calls it.
    """
    n = x.size
    if span * n < 2 or n < 2:
        return y
    k = int(n * span + 1e-12)
    ordered = np.sort(x)
    smallest = 1e-9 * float(ordered[-1] - ordered[0])  # below it is rounding, as of equal genes
    bandwidths: dict[float, float] = {}

    def bandwidth(at: float) -> float:
        if at not in bandwidths:
            bandwidths[at] = float(np.partition(np.abs(ordered - at), k - 1)[k - 1])
        return bandwidths[at]

    def split(low: float, high: float) -> None:
        positive = [h for h in (bandwidth(low), bandwidth(high)) if h > smallest]
        if positive and (high - low) / min(positive) > _CELL:
            middle = (low + high) / 2.0
            bandwidth(middle)
            split(low, middle)
            split(middle, high)

    split(float(ordered[0]), float(ordered[-1]))
    vertices = np.array(sorted(bandwidths))
    values = np.empty((vertices.size, y.shape[1]))
    for i, at in enumerate(vertices):
        distance = np.abs(x - at) / max(bandwidths[at], 1e-300)
        weight = (1.0 - np.minimum(distance, 1.0) ** 3) ** 3
        if not weight.any():  # halfway between two genes, say: both are at the bandwidth's end
            weight = (distance == distance.min()).astype(float)
        values[i] = weight @ y / weight.sum()
    cell = np.clip(np.searchsorted(vertices, x, side="right") - 1, 0, max(vertices.size - 2, 0))
    if vertices.size == 1:
        return np.broadcast_to(values[0], y.shape).copy()
    share = ((x - vertices[cell]) / (vertices[cell + 1] - vertices[cell]))[:, None]
    return values[cell] * (1.0 - share) + values[cell + 1] * share
