"""Quantile-adjusted conditional maximum likelihood (qCML) of dispersions, at equal library sizes.

Source: Robinson and Smyth (2008), Biostatistics 9:321; R's edgeR 3.40 (equalizeLibSizes,
estimateCommonDisp, estimateTagwiseDisp).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import fminbound
from scipy.special import gammaln

from degnext._common.errors import InputError
from degnext._common.parallel import blocks, for_each
from degnext.labeling.edger.dispersion import GRID, PRIOR_DF, spline_maximum
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm, fit_rate
from degnext.labeling.edger.quantile_map import map_quantiles

_MIN_ROW_SUM = 5


def equalize(data: TwoGroups, dispersion: float) -> np.ndarray:
    """Return pseudo counts as if all libraries had the geometric mean size, genes × samples."""
    size = np.exp(np.log(data.lib).mean())
    phi = np.full(len(data.y), dispersion)
    pseudo = np.empty_like(data.y)

    def work(rows: slice) -> None:
        for part in data.parts():
            rate = fit_rate(data.y[rows, part], data.lib[part], phi[rows])
            mean_in = np.multiply.outer(rate, data.lib[part])
            mean_out = np.broadcast_to((rate * size)[:, None], mean_in.shape)
            pseudo[rows, part] = np.maximum(
                map_quantiles(data.y[rows, part], mean_in, mean_out, phi[rows, None]), 0.0
            )

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return pseudo


def common_dispersion_qcml(data: TwoGroups) -> float:
    """Return the common dispersion, as TCGAbiolinks' exact test uses it: estimateCommonDisp."""
    used = data.rows(data.y.sum(axis=1) > _MIN_ROW_SUM)
    if not len(used.y):
        raise InputError(
            "no gene has more than five counts: there is nothing to estimate a dispersion from"
        )
    dispersion = 0.01
    for _ in range(2):
        pseudo = equalize(used, dispersion)

        def negative(delta: float, pseudo: np.ndarray = pseudo) -> float:
            return -_conditional(pseudo, data.parts(), delta).sum()

        delta = fminbound(negative, 1e-4, 100.0 / 101.0, xtol=1e-6)
        dispersion = float(delta / (1.0 - delta))
    return dispersion


def tagwise_dispersion_qcml(data: TwoGroups, common: float) -> np.ndarray:
    """Return a dispersion per gene, squeezed towards its like in abundance: estimateTagwiseDisp."""
    pseudo = equalize(data, common)
    steps = common * 2.0**GRID
    likelihood = np.column_stack(
        [_conditional(pseudo, data.parts(), phi / (1.0 + phi)) for phi in steps]
    )
    order = np.argsort(ave_log_cpm(data, common), kind="stable")
    near = np.empty_like(likelihood)
    near[order] = moving_average(likelihood[order], int(0.3 * len(likelihood)))
    prior_n = PRIOR_DF / (data.n_samples - 2)
    return common * 2.0 ** spline_maximum(GRID, likelihood + prior_n * near)


def moving_average(x: np.ndarray, width: int) -> np.ndarray:
    """Return running means over ``width`` rows, fewer at the ends: edgeR's movingAverageByCol."""
    if width <= 1:
        return x
    n = len(x)
    after = width // 2  # rows below; the row itself and the rest of the window lie above
    total = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    centre = np.arange(1, n + 1)
    first, last = np.maximum(centre + after - width, 0), np.minimum(centre + after, n)
    return (total[last] - total[first]) / (last - first)[:, None]


def _conditional(pseudo: np.ndarray, parts: tuple[slice, slice], delta: float) -> np.ndarray:
    """Return the log-likelihood per gene of delta = phi / (1 + phi) given each group's sum.

    What delta does not move is left out. Stirling's formula takes the huge terms that cancel out of
    lgamma(y + r) and lgamma(sum + n r): the search for the top ends where R's would without
    rounding, whose noise is otherwise as high as the last steps.
    """
    r = 1.0 / delta - 1.0
    out = np.empty(len(pseudo))

    def work(rows: slice) -> None:
        value = 0.0
        for part in parts:
            z = pseudo[rows, part] + r
            n = z.shape[1]
            total = z.sum(axis=1)
            value = value + ((z - 0.5) * np.log(z * (n / total)[:, None]) + _stirling_rest(z)).sum(
                axis=1
            )
            value += (
                gammaln(n * r)
                - n * gammaln(r)
                - n * r * np.log(n)
                - (n - 1) / 2 * np.log(total)
                - _stirling_rest(total)
            )
        out[rows] = value

    for_each(work, blocks(len(pseudo), 8 * pseudo.shape[1]))
    return out


def _stirling_rest(z: np.ndarray) -> np.ndarray:
    """Return lgamma(z) - (z - 1/2) log z + z - log(2 pi) / 2, without cancellation for large z."""
    inverse = 1.0 / np.maximum(z, 10.0)
    square = inverse * inverse
    rest = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    small = z < 10.0
    if small.any():
        z = z[small]
        rest[small] = gammaln(z) - (z - 0.5) * np.log(z) + z - 0.5 * np.log(2.0 * np.pi)
    return rest
