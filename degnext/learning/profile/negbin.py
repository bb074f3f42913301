"""A negative binomial likelihood-ratio test fast enough for a channel: edgeR in single precision.

Per gene a dispersion by Cox-Reid adjusted profile likelihood on a grid, squeezed towards a trend
along abundance as far as the genes ask for, then the likelihood ratio of two rates against one and
its false discovery rate over all genes. Source of the steps: Chen, Lun and Smyth (2014), in
Statistical Analysis of Next Generation Sequencing Data, 51. The exact port is
:mod:`degnext.labeling.edger`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import digamma, erfc, gammaln, polygamma

from degnext._common.arithmetic import benjamini_hochberg, trigamma_inverse
from degnext._common.parallel import blocks, for_each

_GRID = np.arange(-7.0, 7.0)  # log2 steps around a dispersion of 0.1
_FINE = np.linspace(_GRID[0], _GRID[-1], 8 * (_GRID.size - 1) + 1)
_REFINE = CubicSpline(_GRID, np.eye(_GRID.size))(_FINE)
_CAP = 1e4  # higher means are scaled down to it: single precision is not endless
_PRIOR = 0.125  # counts added before a fold change, as edgeR does
_F = np.float32


class NegativeBinomialTest(NamedTuple):
    """Per gene log2 fold change and its standard error, signed root of the likelihood ratio, signed
    -log10 FDR.
    """

    log_fc: np.ndarray
    error: np.ndarray
    root: np.ndarray
    log_fdr: np.ndarray


class _Group(NamedTuple):
    y: np.ndarray  # genes × samples of one group, float32
    lib: np.ndarray  # effective library sizes, geometric mean 1 over both groups


def negative_binomial_test(
    counts: np.ndarray, is_tumor: np.ndarray, factors: np.ndarray
) -> NegativeBinomialTest:
    """Test every gene of a whole cohort (the trend and the FDR are taken over its rows).

    counts: genes × samples. is_tumor: bool per sample. factors: TMM library sizes in millions.
    Positive is higher in tumor. One sample per group shows no dispersion: the statistics are 0.
    """
    tumor = np.asarray(is_tumor, bool)
    lib = factors / np.exp(np.mean(np.log(factors)))
    df = len(tumor) - 2
    scale = np.minimum(1.0, _CAP / np.maximum(counts.mean(1), 1e-9))
    seen = counts.sum(1) >= 5
    slices = blocks(len(counts), 4 * len(tumor))
    pieces = [_piece(counts[rows], tumor, lib, scale[rows]) for rows in slices]
    rate = np.concatenate([np.stack([_start(g) for g in piece], 1) for piece in pieces])
    if df < 1 or not seen.any():
        zero = np.zeros(len(counts))
        return NegativeBinomialTest(_log_fc(rate, lib.mean(), scale), zero + 1.0, zero, zero)
    profile = np.concatenate(for_each(_profile, pieces))
    level = np.log2((rate @ [1 - tumor.mean(), tumor.mean()]) / scale + 2.0)
    shared = np.empty_like(profile)
    shared[seen] = _trend(level[seen], profile[seen])
    shared[~seen] = shared[seen][level[seen].argmin()]
    trend = _peak(shared)
    spread = np.concatenate(_by_gene(_deviance, pieces, trend))
    prior_df = _prior_df(spread, rate, tumor, level, seen)
    dispersion = np.where(seen, _peak(profile + prior_df / df * shared), trend)
    found = zip(*_by_gene(_likelihood_ratio, pieces, dispersion))
    ratio, rate, error = (np.concatenate(v) for v in found)
    ratio = np.maximum(ratio, 0.0)
    fdr = benjamini_hochberg(erfc(np.sqrt(ratio / 2.0)))
    sign = np.sign(rate[:, 1] - rate[:, 0])
    log_fdr = sign * -np.log10(np.maximum(fdr, 1e-300))
    log_fc = _log_fc(rate, lib.mean(), scale)
    return NegativeBinomialTest(log_fc, error, sign * np.sqrt(ratio), log_fdr)


def _piece(
    counts: np.ndarray, tumor: np.ndarray, lib: np.ndarray, scale: np.ndarray
) -> list[_Group]:
    scaled = (counts * scale[:, None]).astype(_F)
    # sums of 32 bits depend on their order: always from the smallest library to the largest
    groups = [np.flatnonzero(m)[np.argsort(lib[m])] for m in (~tumor, tumor)]
    return [_Group(np.ascontiguousarray(scaled[:, g]), lib[g].astype(_F)) for g in groups]


def _by_gene(work, pieces: list, dispersion: np.ndarray) -> list:
    ends = np.cumsum([len(piece[0].y) for piece in pieces])[:-1]
    parts = np.split(dispersion, ends)
    return for_each(lambda i: work(pieces[i], parts[i]), list(range(len(pieces))))


def _start(group: _Group) -> np.ndarray:
    # einsum's sum of a row does not depend on where the row stands, BLAS's does
    return np.einsum("ij,j->i", group.y, 1.0 / group.lib).astype(float) / group.lib.size


def _rate(
    y: np.ndarray, lib: np.ndarray, phi: np.ndarray | float, rate: np.ndarray, steps: int
) -> np.ndarray:
    """Return rates (genes,) after some steps of Fisher scoring; a gene without counts keeps 0."""
    for _ in range(steps):
        weight = 1.0 / (1.0 + np.multiply.outer((phi * rate).astype(_F), lib))
        seen = np.einsum("ij,j->i", weight, lib)
        step = np.einsum("ij,ij->i", y, weight) / np.maximum(rate * seen, 1e-30) - 1
        rate = np.where(y.any(1), rate * np.exp(np.clip(step, -2, 2)), 0.0)
    return rate


def _profile(piece: list[_Group]) -> np.ndarray:
    """Return the adjusted profile log-likelihood, genes × grid, up to a constant per gene."""
    out = np.zeros((len(piece[0].y), _GRID.size))
    for y, lib in piece:
        rate, total = _start(_Group(y, lib)), y.sum(1, dtype=float)
        for k, phi in enumerate(0.1 * 2.0**_GRID):
            r = _F(1.0 / phi)
            rate = _rate(y, lib, phi, rate, 1)
            mu = np.multiply.outer(rate.astype(_F), lib)
            information = (mu / (1 + _F(phi) * mu)).sum(1, dtype=float)
            out[:, k] -= 0.5 * np.log(np.maximum(information, 1e-10))
            z = y + r
            up = z + _F(3)  # Stirling's series at z + 3, stepped down to z
            term = z * np.log(up / (mu + r)) + _F(2.5) * np.log(up) - np.log(z * (z + 1) * (z + 2))
            term += _F(1 / 12) / up - y
            out[:, k] += term.sum(1, dtype=float) - lib.size * float(r + 3)
            out[:, k] += total * np.log(np.maximum(rate, 1e-30))
    n, r = sum(g.lib.size for g in piece), 10.0 / 2.0**_GRID
    return out + n * (r * np.log(r) - gammaln(r))


def _deviance(piece: list[_Group], phi: np.ndarray) -> np.ndarray:
    out, r = np.zeros(len(phi)), (1 / phi)[:, None].astype(_F)
    for y, lib in piece:
        rate = _rate(y, lib, phi, _start(_Group(y, lib)), 2).astype(_F)
        mu = np.multiply.outer(rate, lib) + _F(1e-8)
        y = y + _F(1e-8)
        out += 2 * (y * np.log(y / mu) - (y + r) * np.log((y + r) / (mu + r))).sum(1, dtype=float)
    return np.maximum(out, 0.0)


def _likelihood_ratio(piece: list[_Group], phi: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the likelihood ratio of two rates against one (genes,), the rates (genes × 2) and the
    standard error of their log2 ratio (genes,).
    """
    start = [_start(g) for g in piece]
    size = [g.lib.size for g in piece]
    both = _Group(np.hstack([g.y for g in piece]), np.concatenate([g.lib for g in piece]))
    null = _rate(*both, phi, (size[0] * start[0] + size[1] * start[1]) / sum(size), 4)
    rates = np.stack([_rate(*g, phi, s, 4) for g, s in zip(piece, start)], 1)
    out, r = np.zeros(len(phi)), (1 / phi)[:, None]
    variance = np.zeros(len(phi))
    for (y, lib), rate in zip(piece, rates.T):  # a small rest of large sums: in 64 bits
        gain = np.log(np.where(rate > 0, rate, 1.0) / np.where(null > 0, null, 1.0))
        out += 2 * np.where(rate > 0, y.sum(1, dtype=float) * gain, 0.0)
        mu, mu0 = (np.multiply.outer(v, lib) for v in (rate, null))
        out -= 2 * ((y + r) * np.log((mu + r) / (mu0 + r))).sum(1)
        variance += 1 / ((mu + _PRIOR) * r / (mu + _PRIOR + r)).sum(1)
    return out, rates, np.sqrt(variance) / np.log(2)


def _peak(profile: np.ndarray) -> np.ndarray:
    """Return the dispersion at which each row is highest: a spline, then a parabola at its top."""
    fine = profile @ _REFINE.T
    at = np.clip(fine.argmax(1), 1, _FINE.size - 2)
    low, top, high = (fine[np.arange(len(fine)), at + d] for d in (-1, 0, 1))
    bend = np.minimum(low - 2 * top + high, -1e-9)
    step = np.clip((low - high) / (2 * bend), -1, 1)
    return 0.1 * 2.0 ** (_FINE[at] + step * (_FINE[1] - _FINE[0]))


def _trend(level: np.ndarray, profile: np.ndarray, n_points: int = 20) -> np.ndarray:
    """Return running tricube means of the profiles along ``level``, over the nearest quarter of the
    genes or more, at points that follow both the range and the crowd."""
    n = len(level)
    k = max(1, int(n * (1.0 if n <= 50 else 0.25 + 0.75 * np.sqrt(50.0 / n))) - 1)
    share = np.linspace(0, 1, n_points)
    at = np.union1d(np.quantile(level, share), level.min() + share * np.ptp(level))
    means = []
    for x in at:
        distance = np.abs(level - x)
        near = distance / max(np.partition(distance, k)[k], 1e-9)
        weight = np.where(near < 1, (1 - near**3) ** 3, 0.0) + 1e-12
        means.append(weight @ profile / weight.sum())
    return np.stack([np.interp(level, at, column) for column in np.transpose(means)], 1)


def _prior_df(
    spread: np.ndarray, rate: np.ndarray, tumor: np.ndarray, level: np.ndarray, seen: np.ndarray
) -> float:
    """Return how many degrees of freedom the trend is worth (limma's fitFDist with a spline)."""
    size = [(~tumor).sum(), tumor.sum()]
    df = sum(np.where(rate[:, i] > 0, size[i] - 1, 0) for i in (0, 1))
    use = seen & (df > 0)
    if use.sum() < 10:
        return 10.0
    variance, half, x = spread[use] / df[use], df[use] / 2, level[use]
    variance = np.maximum(variance, 1e-5 * np.median(variance))
    log_var = np.log(variance) - digamma(half) + np.log(half)
    knots = np.quantile(x, [0, 1 / 3, 2 / 3, 1])
    width = max(knots[3] - knots[0], 1e-9)
    x, knots = (x - knots[0]) / width, (knots - knots[0]) / width
    cubes = [np.maximum(x - k, 0) ** 3 for k in knots]
    bend = [(cubes[i] - cubes[3]) / max(knots[3] - knots[i], 1e-9) for i in range(3)]
    basis = np.stack([np.ones_like(x), x, bend[0] - bend[2], bend[1] - bend[2]], 1)
    rest = log_var - basis @ np.linalg.lstsq(basis, log_var, rcond=None)[0]
    extra = (rest**2).sum() / (len(x) - 4) - polygamma(1, half).mean()
    return 2 * trigamma_inverse(float(extra)) if extra > 1e-6 else 1e6


def _log_fc(rate: np.ndarray, mean_lib: float, scale: np.ndarray) -> np.ndarray:
    prior = _PRIOR / mean_lib
    normal, tumor = (rate[:, i] / scale + prior for i in (0, 1))
    return np.log2(tumor / normal)
