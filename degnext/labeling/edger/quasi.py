"""The quasi-likelihood F test: a dispersion trend, and a squeezed quasi-dispersion per gene.

Source: Lund, Nettleton, McCarthy and Smyth (2012), SAGMB 11(5):8; R's edgeR 3.40 (glmQLFit,
glmQLFTest, glmTreat) and limma 3.54 (squeezeVar).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, erfc, ndtri_exp, polygamma, psi

from degnext._common.arithmetic import trigamma_inverse
from degnext._common.errors import InputError
from degnext.labeling.edger.interval_test import interval_p_values
from degnext.labeling.edger.negbin import (
    TwoGroups,
    fit_deviance,
    fit_rates,
    fit_residuals,
    log_fold_change,
)
from degnext.labeling.edger.trend import trended_dispersion


def quasi_table(data: TwoGroups, min_log_fc: float = 0.0) -> dict[str, np.ndarray]:
    """Return the columns of the quasi-likelihood F test; its dispersion is the trend's.

    min_log_fc: above 0 the test is whether the log2 fold change is larger than that, either way; it
    has no statistic.
    """
    abundance, phi = trended_dispersion(data)
    rates = fit_rates(data, phi)
    full, df = fit_residuals(data, phi)
    variance = np.divide(full, df, out=np.zeros_like(full), where=df > 0)
    posterior, prior_df = squeeze(np.maximum(variance, 0.0), df, abundance)
    df_total = np.minimum(prior_df + df, len(phi) * (data.n_samples - 2))
    if min_log_fc:
        stat = np.full(len(phi), np.nan)

        def to_normal(root: np.ndarray) -> np.ndarray:
            tail = f_tail(root**2 / posterior, df_total) / 2.0
            return np.maximum(-ndtri_exp(np.log(tail)), 0.0)

        p_value = interval_p_values(data, phi, full, min_log_fc, to_normal)
    else:
        ratio = fit_deviance(data, phi, null=True) - full
        stat = ratio / posterior
        p_value = f_tail(np.maximum(stat, 0.0), df_total)
    # where the fitted variance would fall below Poisson's, the Poisson ratio test bounds p
    below = _below_poisson(data, rates, phi, posterior)
    if below.any():
        bound = _poisson_p_values(data.rows(below), min_log_fc)
        p_value[below] = np.maximum(p_value[below], bound)
    return {
        "log_fc": log_fold_change(data, phi),
        "log_cpm": abundance,
        "stat": stat,
        "p_value": p_value,
        "dispersion": phi,
    }


def _poisson_p_values(data: TwoGroups, min_log_fc: float) -> np.ndarray:
    zero = np.zeros(len(data.y))
    full = fit_deviance(data, zero)
    if min_log_fc:
        return interval_p_values(data, zero, full, min_log_fc)
    stat = fit_deviance(data, zero, null=True) - full
    return f_tail(np.maximum(stat, 0.0), np.full(stat.size, np.inf))


def squeeze(
    variance: np.ndarray, df: np.ndarray, covariate: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Return variances (genes,) drawn towards a common one, and the prior degrees of freedom.

    covariate: what the common variance may follow as a natural spline, such as abundance.
    Source: limma's squeezeVar and fitFDist: a scaled F distribution, fitted to the variances' logs.
    """
    ok = (df > 1e-15) & np.isfinite(variance)
    n_ok = int(ok.sum())
    if n_ok < 3:
        raise InputError(
            "fewer than three genes have replicates with counts, too few to learn a variance from: "
            "give the whole table"
        )
    median = float(np.median(variance[ok]))
    floored = np.maximum(variance[ok], 1e-5 * (median if median > 0 else 1.0))
    half = df[ok] / 2.0
    e = np.log(floored) - psi(half) + np.log(half)
    n_basis = min(1 + (n_ok >= 3) + (n_ok >= 6) + (n_ok >= 30), _n_distinct(covariate, ok))
    if n_basis > 1:
        basis = _natural_spline(covariate, covariate[ok], n_basis)
        coefficients, _, rank, _ = np.linalg.lstsq(basis[ok], e, rcond=None)
        trend = basis @ coefficients
    else:
        rank, trend = 1, np.full(len(df), e.mean())
    spread = ((e - trend[ok]) ** 2).sum() / (n_ok - rank) - polygamma(1, half).mean()
    if spread <= 0:  # no more scatter than chance gives
        return np.exp(trend) if n_basis > 1 else np.full(len(df), floored.mean()), np.inf
    prior_df = 2.0 * trigamma_inverse(float(spread))
    prior = np.exp(trend + psi(prior_df / 2.0) - np.log(prior_df / 2.0))
    return (df * np.where(ok, variance, 0.0) + prior_df * prior) / (df + prior_df), prior_df


def _n_distinct(covariate: np.ndarray | None, ok: np.ndarray) -> int:
    return 1 if covariate is None else np.unique(covariate[ok]).size


def _natural_spline(x: np.ndarray, data: np.ndarray, n_basis: int) -> np.ndarray:
    """Return a basis (genes × n_basis) of natural cubic splines, knots at quantiles of ``data``."""
    knots = np.quantile(data, np.linspace(0.0, 1.0, n_basis))
    knots, x = (knots - knots[0]) / (knots[-1] - knots[0]), (x - knots[0]) / (knots[-1] - knots[0])

    def bend(i: int) -> np.ndarray:
        cubes = np.maximum(x - knots[i], 0.0) ** 3 - np.maximum(x - knots[-1], 0.0) ** 3
        return cubes / (knots[-1] - knots[i])

    return np.column_stack(
        [np.ones_like(x), x] + [bend(i) - bend(n_basis - 2) for i in range(n_basis - 2)]
    )


def _below_poisson(
    data: TwoGroups, rates: np.ndarray, phi: np.ndarray, posterior: np.ndarray
) -> np.ndarray:
    """Tell which genes have a sample with a variance, by the quasi-dispersion, below its mean."""
    smallest = [rates[:, g] * data.lib[part].min() for g, part in enumerate(data.parts())]
    lowest = np.minimum(*smallest)
    return (lowest * phi + 1.0) * posterior < 1.0


def f_tail(stat: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return P(F > stat) with 1 and ``df`` degrees of freedom, which may be infinite."""
    endless = ~np.isfinite(df) | (df > 1e10)
    df = np.where(endless, 1.0, df)
    return np.where(endless, erfc(np.sqrt(stat / 2.0)), betainc(df / 2.0, 0.5, df / (df + stat)))
