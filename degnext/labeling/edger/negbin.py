"""Negative binomial arithmetic for a normal-against-tumor layout: rates, fold changes, deviances.

With two groups and one library size per sample the GLM falls apart into one rate per group,
mu[g, j] = rate[g] * lib[j], so the general Levenberg fit of edgeR is not needed: Fisher scoring per
group gives the same numbers to rounding. The model is that of McCarthy, Chen and Smyth (2012),
Nucleic Acids Research 40:4288, as computed by R's edgeR 3.40.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from degnext._common.parallel import blocks, for_each

TINY = 1e-10  # below this an information is taken as zero, as edgeR does
PRIOR_COUNT = 0.125  # edgeR's default: counts added before a log fold change is taken
POISSON, GAMMA = 1e-4, 1e6  # a dispersion below, a mean times dispersion above: edgeR's limits


@dataclass(frozen=True)
class TwoGroups:
    """Hold counts (genes × samples, floats, normal first), library sizes, number of normals."""

    y: np.ndarray
    lib: np.ndarray
    n_normal: int

    @property
    def n_samples(self) -> int:
        return self.y.shape[1]

    @property
    def n_coefficients(self) -> int:
        return 2

    @property
    def is_tumor(self) -> np.ndarray:
        return np.arange(self.n_samples) >= self.n_normal

    def parts(self) -> tuple[slice, slice]:
        """Return the columns of the normal and of the tumor samples."""
        return slice(0, self.n_normal), slice(self.n_normal, self.n_samples)

    def rows(self, keep: np.ndarray | slice) -> TwoGroups:
        """Return the same samples with some genes only; library sizes stay those of all genes."""
        return TwoGroups(self.y[keep], self.lib, self.n_normal)

    def means(self, dispersion: np.ndarray, null: bool = False) -> np.ndarray:
        """Return fitted means, genes × samples, of two rates per gene, or of one where ``null``."""
        mu = np.empty_like(self.y)
        for part in (slice(None),) if null else self.parts():
            rate = fit_rate(self.y[:, part], self.lib[part], dispersion)
            mu[:, part] = np.multiply.outer(rate, self.lib[part])
        return mu

    def log_ratio(self, dispersion: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
        """Return log2 of tumor over normal rate (genes,), ``prior`` (samples,) added to counts."""
        if prior is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                normal, tumor = np.log(fit_rates(self, dispersion)).T
        else:
            normal, tumor = (
                fit_with_prior(self.y[:, p], self.lib[p], dispersion, prior[p])
                for p in self.parts()
            )
        with np.errstate(invalid="ignore"):
            return (tumor - normal) / np.log(2.0)

    def residual_df(self, mu: np.ndarray) -> np.ndarray:
        """Return residual degrees of freedom (genes,) less zeros fitted as zeros: .residDF.

        mu: fitted means, genes × samples.
        """
        zero = (self.y < 1e-4) & (mu < 1e-4)
        groups_left = sum((~zero[:, part]).any(axis=1).astype(int) for part in self.parts())
        return np.maximum(self.n_samples - zero.sum(axis=1) - groups_left, 0)


def fit_rate(
    y: np.ndarray, lib: np.ndarray, dispersion: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Return the maximum-likelihood rate per gene (genes,): the fitted mean is ``rate * lib``.

    y: genes × samples; lib: (samples,); dispersion: (genes,); start: rates to begin from.
    Genes without any count get 0. Source: edgeR's mglmOneGroup (start at the mean of y / lib; its
    Fisher scoring is quickened by :func:`climb`, which ends within its tolerance of 1e-10).
    """
    total = y.sum(axis=1)
    seen = total > 0
    rate = y @ (1.0 / lib) / lib.size if start is None else start.copy()
    rate[~seen] = 0.0
    poisson = seen & (dispersion == 0)
    rate[poisson] = total[poisson] / lib.sum()
    y_active = y

    def target(active: np.ndarray, going: np.ndarray) -> np.ndarray:
        nonlocal y_active
        y_active = y_active if going.all() else y_active[going]
        weight = np.multiply.outer(dispersion[active] * rate[active], lib)
        weight += 1.0
        np.reciprocal(weight, out=weight)
        return np.einsum("ij,ij->i", y_active, weight) / (weight @ lib)

    climb(rate, seen & ~poisson, target)
    return rate


def climb(rate: np.ndarray, going: np.ndarray, target: Callable) -> None:
    """Move rates (genes,) where ``going`` to their maximum likelihood, in place.

    target: the rates that Fisher scoring would go to next, given the positions of the genes that
    are still going, and which of the last call's genes these are. The first step goes there. From
    then on the last two steps tell how far short of the maximum a step ends (the secant rule):
    what is then left of the error is about the product of the last two, which halves the steps.
    """
    active, move, gap = np.flatnonzero(going), 1.0, None
    for _ in range(50):
        if not active.size:
            break
        new_gap = np.log(target(active, going) / rate[active])
        step = new_gap.copy()
        if gap is not None:
            np.divide(new_gap * move, gap - new_gap, out=step, where=gap != new_gap)
        step = np.clip(step, -2.0, 2.0)
        rate[active] *= np.exp(step)
        going = np.abs(step * move) >= 1e-12
        active, move, gap = active[going], step[going], new_gap[going]


def fit_rates(data: TwoGroups, dispersion: np.ndarray) -> np.ndarray:
    """Return the fitted rates of the normal and the tumor group, genes × 2."""
    rates = np.empty((len(data.y), 2))

    def work(rows: slice) -> None:
        for g, part in enumerate(data.parts()):
            rates[rows, g] = fit_rate(data.y[rows, part], data.lib[part], dispersion[rows])

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return rates


def fit_with_prior(
    y: np.ndarray, lib: np.ndarray, dispersion: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Return log rates (genes,) with ``prior`` (samples,) added to counts, twice to libraries."""
    log_rate = np.empty(len(y))

    def work(rows: slice) -> None:
        log_rate[rows] = np.log(fit_rate(y[rows] + prior, lib + 2 * prior, dispersion[rows]))

    for_each(work, blocks(len(y), 8 * y.shape[1]))
    return log_rate


def ave_log_cpm(data: TwoGroups, dispersion: float | np.ndarray = 0.05) -> np.ndarray:
    """Return average log2 counts per million (genes,): edgeR's aveLogCPM with prior count 2."""
    phi = np.broadcast_to(np.asarray(dispersion, float), len(data.y))
    log_rate = fit_with_prior(data.y, data.lib, phi, 2.0 * data.lib / data.lib.mean())
    return (log_rate + np.log(1e6)) / np.log(2.0)


def log_fold_change(data: TwoGroups, dispersion: np.ndarray) -> np.ndarray:
    """Return log2 of tumor over normal rate (genes,), with edgeR's scaled prior count of 0.125."""
    return data.log_ratio(dispersion, PRIOR_COUNT * data.lib / data.lib.mean())


def deviance(y: np.ndarray, mu: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """Return the deviance per gene (genes,), with edgeR's Poisson and gamma limits."""
    y, mu, phi = y + 1e-8, mu + 1e-8, dispersion[:, None]
    log_ratio = np.log(y / mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = y * log_ratio + (y + 1 / phi) * np.log((1 + mu * phi) / (1 + y * phi))
    gamma = mu * phi > GAMMA
    if gamma.any():
        unit = np.where(gamma, ((y - mu) / mu - log_ratio) * mu / (1 + mu * phi), unit)
    poisson = dispersion < POISSON
    if poisson.any():
        yp, mp, pp = y[poisson], mu[poisson], phi[poisson]
        resid = yp - mp
        unit[poisson] = (
            yp * log_ratio[poisson] - resid - 0.5 * resid**2 * pp * (1 + pp * (2 / 3 * resid - yp))
        )
    return 2.0 * unit.sum(axis=1)


def fit_deviance(data: TwoGroups, dispersion: np.ndarray, null: bool = False) -> np.ndarray:
    """Return the deviance per gene (genes,) of the full fit, or of one without groups, ``null``."""
    out = np.empty(len(data.y))

    def work(rows: slice) -> None:
        piece, phi = data.rows(rows), dispersion[rows]
        out[rows] = deviance(piece.y, piece.means(phi, null), phi)

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return out


def fit_residuals(data: TwoGroups, dispersion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviance of the full fit and its residual degrees of freedom, (genes,) each."""
    out, df = np.empty(len(data.y)), np.empty(len(data.y))

    def work(rows: slice) -> None:
        piece, phi = data.rows(rows), dispersion[rows]
        mu = piece.means(phi)
        out[rows], df[rows] = deviance(piece.y, mu, phi), piece.residual_df(mu)

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return out, df


def likelihood_ratio(data: TwoGroups, dispersion: np.ndarray) -> np.ndarray:
    """Return how much lower the deviance (genes,) is with groups than without.

    The terms of both deviances that hold counts only cancel out, and half of the logarithms with
    them; where one of edgeR's limits is at play, the deviances are taken one by one.
    """
    out = np.empty(len(data.y))

    def work(rows: slice) -> None:
        piece, phi = data.rows(rows), dispersion[rows]
        full, null = piece.means(phi), piece.means(phi, null=True)
        if phi.min() < POISSON or max((mu.max(axis=1) * phi).max() for mu in (full, null)) > GAMMA:
            out[rows] = deviance(piece.y, null, phi) - deviance(piece.y, full, phi)
            return
        y, phi = piece.y + 1e-8, phi[:, None]
        full, null = full + 1e-8, null + 1e-8
        unit = y * np.log(full / null)
        unit += (y + 1 / phi) * np.log((1 + null * phi) / (1 + full * phi))
        out[rows] = 2.0 * unit.sum(axis=1)

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return out
