"""The best accuracy that any rule could reach on UR against DR after Gaussian noise: a ceiling for robustness plots.

What a rule sees of a gene is, at best, a normal number Z around the gene's true distance z from the UR/DR border, in
standard errors: z = d / v with d the difference of group means of the clean, depth-scaled counts (from the border at
which the cohort's labels turn) and v the standard error that the noise leaves on it. Knowing how z is distributed over the
genes in question, a rule can do no better than to say UR where UR genes make Z more probable:

    ceiling = (1/N) ∫ max( Σ_UR φ(Z − z_g), Σ_DR φ(Z − z_g) ) dZ.

Assumptions. Noise is normal, independent, of known size; the clean values of a group are normal with the gene's own
spread; the labels are a function of the clean row; a rule looks at one gene's row, and level and spread of that row say
nothing of its direction. Cutting noisy counts at 0 and rounding them can only take information away and are left out.
"""

from __future__ import annotations

import numpy as np

from degnext.cohorts.perturb import within_group_sd

_GRID = np.linspace(-12, 12, 2401)


def noise_sd(counts: np.ndarray, level: float, reading: str, is_tumor: np.ndarray) -> np.ndarray:
    """Return the SD per gene that :func:`degnext.cohorts.perturb.add_noise` adds, in counts."""
    return (
        np.full(len(counts), float(level))
        if reading == "absolute"
        else level / 100 * within_group_sd(np.asarray(counts, float), is_tumor)
    )


def label_border(
    counts: np.ndarray, is_tumor: np.ndarray, labels: np.ndarray, factors: np.ndarray
) -> float:
    """Return the log2 ratio of group means at which labels turn from DR to UR: the one that splits them best, 0 if as good.

    counts: genes × samples. labels: 0 DR, 1 UR; others are left out. Labels made with other library sizes turn elsewhere.
    """
    called = np.asarray(labels) < 2
    ratio, up = _log_ratio(counts[called], is_tumor, factors), np.asarray(labels)[called] == 1
    cuts = np.concatenate([[0.0], (np.sort(ratio)[1:] + np.sort(ratio)[:-1]) / 2])
    right = [np.mean((ratio > c) == up) for c in cuts]
    best = np.flatnonzero(np.asarray(right) == max(right))
    return float(cuts[best[np.argmin(np.abs(cuts[best]))]])


def _log_ratio(counts: np.ndarray, is_tumor: np.ndarray, factors: np.ndarray) -> np.ndarray:
    scaled = counts / factors
    return np.log2((scaled[:, is_tumor].mean(1) + 1e-9) / (scaled[:, ~is_tumor].mean(1) + 1e-9))


def standard_distance(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    labels: np.ndarray,
    sd: np.ndarray,
    factors: np.ndarray,
    border: float = 0.0,
) -> np.ndarray:
    """Return z of every gene: its distance from the border over the standard error that the noise leaves, signed by its label.

    counts: genes × samples, clean. sd: noise per gene in counts. factors: library sizes in millions. border: log2, from
    :func:`label_border`. The standard error is the posterior one of a group's mean of clean values, given noisy ones
    whose noise is sd / factor: samples of a deep library are trusted more. A label on the wrong side of the border counts as
    if it were right, which keeps the ceiling a ceiling.
    """
    tumor = np.asarray(is_tumor, bool)
    scaled = counts / factors
    scaled[:, tumor] /= 2.0**border
    noise = sd[:, None] / factors
    noise = np.where(tumor, noise / 2.0**border, noise)
    difference = scaled[:, tumor].mean(1) - scaled[:, ~tumor].mean(1)
    variance = sum(_posterior_variance(scaled[:, m], noise[:, m]) for m in (tumor, ~tumor))
    with np.errstate(divide="ignore"):
        z = np.abs(difference) / np.sqrt(variance)
    return np.where(np.asarray(labels) == 1, z, -z)


def _posterior_variance(clean: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the variance left of each row's mean: x_i ~ N(μ, s²), μ free, y_i ~ N(x_i, noise_i²); σ²/n for even noise."""
    n = clean.shape[1]
    spread = clean.var(axis=1, ddof=1 if n > 1 else 0)[:, None] + 1e-12
    lost = noise**2 / (spread + noise**2)  # share of a sample's deviation that noise hides
    of_mean = 1 / (1 / (spread + noise**2)).sum(1)
    return (spread * lost).sum(1) / n**2 + (lost.mean(1)) ** 2 * of_mean


def best_accuracy(z: np.ndarray, balanced: bool = False) -> float:
    """Return the Bayes accuracy of telling sign(z) from Z ~ N(z, 1) when the distribution of ``z`` is known.

    ``balanced`` gives UR and DR genes the same weight together, so that nothing is gained by guessing the larger class.
    """
    z = np.asarray(z, float)
    if balanced and (z > 0).any() and (z <= 0).any():
        share = (z > 0).mean()
        return _bayes(z, np.where(z > 0, 0.5 / share, 0.5 / (1 - share)))
    return _bayes(z, np.ones(len(z)))


def _bayes(z: np.ndarray, weight: np.ndarray) -> float:
    far = np.abs(z) > _GRID[-1] - 5  # never mistaken
    near = z[~far]
    density = weight[~far, None] * np.exp(-0.5 * (_GRID - near[:, None]) ** 2) / np.sqrt(2 * np.pi)
    up, down = density[near > 0].sum(0), density[near <= 0].sum(0)
    return float(
        (np.maximum(up, down).sum() * (_GRID[1] - _GRID[0]) + weight[far].sum()) / weight.sum()
    )


def sign_accuracy(z: np.ndarray, balanced: bool = False) -> float:
    """Return the accuracy of the sign of the noisy difference: the mean of Φ(|z|).

    No rule that treats up and down alike (swapping the groups swaps its answer) can do better: it must not guess the larger class.
    """
    from scipy.stats import norm

    right, up = norm.cdf(np.abs(z)), np.asarray(z) > 0
    return float(
        (right[up].mean() + right[~up].mean()) / 2
        if balanced and up.any() and not up.all()
        else right.mean()
    )


def ceiling(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    labels: np.ndarray,
    level: float,
    reading: str,
    factors: np.ndarray,
    rows: np.ndarray,
) -> dict[str, tuple[float, float]]:
    """Return accuracy and balanced accuracy of the best rule (``ceiling``) and of the best even-handed one (``sign``) for the genes at ``rows`` (labels 0/1) under a level of noise."""
    border = label_border(counts, is_tumor, labels, factors)
    sd = noise_sd(counts[rows], level, reading, is_tumor)
    z = standard_distance(counts[rows].astype(float), is_tumor, labels[rows], sd, factors, border)
    return {
        "ceiling": (best_accuracy(z), best_accuracy(z, True)),
        "sign": (sign_accuracy(z), sign_accuracy(z, True)),
    }
