"""Negative binomial arithmetic for a normal-against-tumor layout: rates, fold changes, deviances.

With two groups and one library size per sample the GLM falls apart into one rate per group,
mu[g, j] = rate[g] * lib[j], so the general Levenberg fit of edgeR is not needed: Fisher scoring per
group gives the same numbers to rounding. The model is that of McCarthy, Chen and Smyth (2012),
Nucleic Acids Research 40:4288, as computed by R's edgeR 3.40.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from degnext._common.parallel import blocks, for_each

TINY = 1e-10  # below this an information is taken as zero, as edgeR does
PRIOR_COUNT = 0.125  # edgeR's default: counts added before a log fold change is taken


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

    def residual_df(self, dispersion: np.ndarray) -> np.ndarray:
        """Return residual degrees of freedom less zeros fitted as zeros: edgeR's .residDF."""
        out = np.empty(len(self.y))
        normal, tumor = self.parts()

        def work(rows: slice) -> None:
            data = self.rows(rows)
            zero = (data.y < 1e-4) & (data.means(dispersion[rows]) < 1e-4)
            groups_left = (~zero[:, normal]).any(axis=1).astype(int) + (~zero[:, tumor]).any(axis=1)
            out[rows] = np.maximum(self.n_samples - zero.sum(axis=1) - groups_left, 0)

        for_each(work, blocks(len(self.y), 8 * self.n_samples))
        return out


def fit_rate(
    y: np.ndarray, lib: np.ndarray, dispersion: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Return the maximum-likelihood rate per gene (genes,): the fitted mean is ``rate * lib``.

    y: genes × samples; lib: (samples,); dispersion: (genes,); start: rates to begin from.
    Genes without any count get 0. Source: edgeR's mglmOneGroup (Fisher scoring, start at the mean
    of y / lib, tolerance 1e-10 on the log rate).
    """
    total = y.sum(axis=1)
    seen = total > 0
    rate = y @ (1.0 / lib) / lib.size if start is None else start.copy()
    rate[~seen] = 0.0
    poisson = seen & (dispersion == 0)
    rate[poisson] = total[poisson] / lib.sum()
    active = np.flatnonzero(seen & ~poisson)
    y_active = y if active.size == len(y) else y[active]
    for _ in range(50):
        if not active.size:
            break
        weight = np.multiply.outer(dispersion[active] * rate[active], lib)
        weight += 1.0
        np.reciprocal(weight, out=weight)
        step = (
            np.einsum("ij,ij->i", y_active, weight)
            / (rate[active] * np.einsum("ij,j->i", weight, lib))
            - 1.0
        )
        rate[active] *= np.exp(step)
        going = np.abs(step) >= 1e-10
        if not going.all():
            active = active[going]
            y_active = y_active[going]
    return rate


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
    gamma = mu * phi > 1e6
    if gamma.any():
        unit = np.where(gamma, ((y - mu) / mu - log_ratio) * mu / (1 + mu * phi), unit)
    poisson = dispersion < 1e-4
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
