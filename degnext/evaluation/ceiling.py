"""The best accuracy that any rule could reach on UR against DR after Gaussian noise.

What a rule sees of a gene is, at best, a normal number Z around the gene's true distance z from the
UR/DR border in standard errors. Knowing how z is distributed over the genes in question, a rule can
do no better than to say UR where UR genes make Z more probable:

    ceiling = (1/N) ∫ max( Σ_UR φ(Z − z_g), Σ_DR φ(Z − z_g) ) dZ.

Assumed: noise is normal and of known size, clean values of a group are normal with the gene's own
spread, labels are a function of the clean row, and level and spread of a row say nothing of its
direction. Cutting noisy counts at 0 and rounding them only take information away.
"""

from __future__ import annotations

import numpy as np

from degnext.cohorts.cohort import DR, UR
from degnext.cohorts.library_size import log_fold_change

_GRID = np.linspace(-12, 12, 2401)
_PRIOR_CPM = 1e-9  # keeps the log ratio of an empty group finite, and moves no other


def ceiling(z: np.ndarray) -> dict[str, tuple[float, float]]:
    """Return (accuracy, balanced) of the best rule, "ceiling", and the even-handed one, "sign".

    z: of :func:`standard_distance`. Balanced: UR and DR genes weigh the same, so that nothing is
    gained by guessing the larger class.
    """
    rules = {"ceiling": best_accuracy, "sign": sign_accuracy}
    return {name: (rule(z), rule(z, balanced=True)) for name, rule in rules.items()}


def label_border(
    counts: np.ndarray, is_tumor: np.ndarray, codes: np.ndarray, factors: np.ndarray
) -> float:
    """Return the log2 ratio of group means that splits DR from UR labels best, 0 if as good.

    counts: genes × samples. codes: 0 DR, 1 UR; others are left out. Labels made with other library
    sizes turn elsewhere.
    """
    ratio, codes = log_fold_change(counts, is_tumor, factors, _PRIOR_CPM), np.asarray(codes)
    down, up = (np.sort(ratio[codes == c]) for c in (DR, UR))
    ordered = np.sort(np.concatenate([down, up]))
    cuts = np.concatenate([[0.0], (ordered[1:] + ordered[:-1]) / 2])
    below = np.searchsorted(down, cuts, side="right")
    right = below + len(up) - np.searchsorted(up, cuts, side="right")
    best = cuts[right == right.max()]
    return float(best[np.abs(best).argmin()])


def standard_distance(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    codes: np.ndarray,
    sd: np.ndarray,
    factors: np.ndarray,
    border: float = 0.0,
) -> np.ndarray:
    """Return z (genes,): distance from the border in standard errors of noise, signed by label.

    counts: genes × samples, clean. codes: 0 DR, 1 UR. sd: noise per gene in counts. factors:
    library sizes in millions. border: log2, from :func:`label_border`. The standard error is the
    posterior one of a group's mean of clean values, given noisy ones whose noise is sd / factor:
    samples of a deep library are trusted more. A label on the wrong side of the border counts as if
    it were right, which keeps the ceiling a ceiling.
    """
    tumor = np.asarray(is_tumor, bool)
    scale = factors * np.where(tumor, 2.0**border, 1.0)
    clean, noise = counts / scale, sd[:, None] / scale
    difference = clean[:, tumor].mean(1) - clean[:, ~tumor].mean(1)
    variance = sum(_posterior_variance(clean[:, m], noise[:, m]) for m in (tumor, ~tumor))
    with np.errstate(divide="ignore"):
        z = np.abs(difference) / np.sqrt(variance)
    return np.where(np.asarray(codes) == UR, z, -z)


def _posterior_variance(clean: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the variance left of each row's mean: x_i ~ N(μ, s²), y_i ~ N(x_i, noise_i²)."""
    n = clean.shape[1]
    spread = clean.var(axis=1, ddof=1 if n > 1 else 0)[:, None] + 1e-12
    lost = noise**2 / (spread + noise**2)  # share of a sample's deviation that noise hides
    of_mean = 1 / (1 / (spread + noise**2)).sum(1)
    return (spread * lost).sum(1) / n**2 + (lost.mean(1)) ** 2 * of_mean


def best_accuracy(z: np.ndarray, balanced: bool = False) -> float:
    """Return the Bayes accuracy of telling sign(z) from Z ~ N(z, 1) where all z are known."""
    z, weight = np.asarray(z, float), _weights(z, balanced)
    far = np.abs(z) > _GRID[-1] - 5  # never mistaken
    near = z[~far]
    density = weight[~far, None] * np.exp(-0.5 * (_GRID - near[:, None]) ** 2) / np.sqrt(2 * np.pi)
    up, down = density[near > 0].sum(0), density[near <= 0].sum(0)
    mass = np.maximum(up, down).sum() * (_GRID[1] - _GRID[0]) + weight[far].sum()
    return float(mass / weight.sum())


def sign_accuracy(z: np.ndarray, balanced: bool = False) -> float:
    """Return the accuracy of the sign of the noisy difference: the mean of Φ(|z|).

    No rule that treats up and down alike (swapping the groups swaps its answer) can do better: it
    must not guess the larger class.
    """
    from scipy.stats import norm

    return float(np.average(norm.cdf(np.abs(z)), weights=_weights(z, balanced)))


def _weights(z: np.ndarray, balanced: bool) -> np.ndarray:
    """Return the genes' weights; balanced, UR (z > 0) and DR genes weigh the same together."""
    up = np.asarray(z) > 0
    share = up.mean()
    even = not balanced or share in (0, 1)
    return np.ones(len(up)) if even else np.where(up, 0.5 / share, 0.5 / (1 - share))
