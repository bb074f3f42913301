"""Test statistics for channels of a profile image, with care for the spread of few samples."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, polygamma

from degnext._common.arithmetic import trigamma_inverse


def moderated_t(
    groups: list[np.ndarray], n: list[int], prior_df: float | None = None
) -> np.ndarray:
    """Return a t statistic per gene with the variance drawn towards what other genes show.

    groups: values of normal and tumor, genes × samples. n: distinct samples of each. prior_df None:
    variances follow a trend over the mean and the prior's strength is estimated (limma's squeezeVar
    with trend; Smyth 2004, Law et al. 2014); a number: strength given, prior variance the mean.
    """
    mean = [v.mean(1, dtype=np.float64) for v in groups]
    df = max(n[0] + n[1] - 2, 0)
    if df == 0:  # one sample each: no variance to learn from
        return (mean[1] - mean[0]) / np.sqrt(2)
    pooled = sum(n[i] * groups[i].var(1, dtype=np.float64) for i in (0, 1)) / df + 1e-6
    if prior_df is None:
        level, log_var = (mean[0] + mean[1]) / 2, np.log(pooled) - digamma(df / 2) + np.log(df / 2)
        order = np.argsort(level, kind="stable")
        blocks = np.array_split(order, min(20, max(1, len(order) // 50)))
        knots = [(level[b].mean(), log_var[b].mean()) for b in blocks]
        trend = np.interp(level, *zip(*knots))
        extra = np.mean((log_var - trend) ** 2) - polygamma(1, df / 2)
        prior_df = 2 * trigamma_inverse(float(extra)) if extra > 1e-3 else 1000.0
        prior = np.exp(trend + digamma(prior_df / 2) - np.log(prior_df / 2))
    else:
        prior = pooled.mean()
    variance = (prior_df * prior + df * pooled) / (prior_df + df)
    return (mean[1] - mean[0]) / np.sqrt(variance * (1 / n[0] + 1 / n[1]))


def likelihood_ratio(
    cpm: list[np.ndarray], logs: list[np.ndarray], n: list[int], prior_df: float = 10.0
) -> np.ndarray:
    """Return the signed root of the likelihood ratio of two group means against one, per gene.

    At high counts the negative binomial is a gamma of shape 1/dispersion; its maximum-likelihood
    shape follows from log(mean) - mean(log) in closed form (Minka 2002), here shrunk across genes
    as edgeR's tagwise dispersion is. cpm, logs: counts per million of normal and tumor, genes ×
    samples, and their log2.
    """
    mean = [v.mean(1, dtype=np.float64) + 0.5 for v in cpm]
    gap = [np.log(mean[i]) - logs[i].mean(1, dtype=np.float64) * np.log(2) for i in (0, 1)]
    df = max(n[0] + n[1] - 2, 1)
    s = (n[0] * gap[0] + n[1] * gap[1]) / df + 1e-4
    s = (prior_df * s.mean() + df * s) / (prior_df + df)
    shape = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    both = (n[0] * mean[0] + n[1] * mean[1]) / (n[0] + n[1])
    ratio = 2 * shape * sum(n[i] * np.log(both / mean[i]) for i in (0, 1))
    return np.sign(mean[1] - mean[0]) * np.sqrt(np.clip(ratio, 0, None))


def weighted_t(groups: list[np.ndarray], n: list[int], prior_df: float = 5.0) -> np.ndarray:
    """Return a moderated t per gene in which odd samples count less and purity is no noise.

    groups: log values of normal and tumor, genes × samples. A sample's weight falls with the root
    of its mean squared distance from its group (as limma's arrayWeights, Ritchie et al. 2006, but
    half as strong). A tumor sample that holds normal tissue lies, in all genes alike, part of the
    way towards normal: that share of every gene's change is estimated per sample over all genes and
    taken out of the residuals before the variance is.
    """
    if n[0] + n[1] < 3:  # one sample each: nothing to weigh
        return moderated_t(groups, n)
    plain = [v - v.mean(1)[:, None] for v in groups]
    square = [np.einsum("ij,ij->j", r, r) / len(r) for r in plain]
    spread = [s / (1 - 1 / k) if k > 1 else None for s, k in zip(square, n)]
    for i, s in enumerate(spread):  # a lone sample is taken to spread as the other group does
        if s is None:
            spread[i] = np.full(len(square[i]), spread[1 - i].mean())
    weight = [1 / np.sqrt(s + 1e-6) for s in spread]
    scale = np.exp(sum(k * np.log(w).mean() for k, w in zip(n, weight)) / sum(n))
    weight = [w / scale for w in weight]
    mean = [v @ w / w.sum() for v, w in zip(groups, weight)]
    change = mean[1] - mean[0]
    total = [k * w.mean() for k, w in zip(n, weight)]  # a sample given twice adds nothing
    df, pooled = n[0] + n[1] - 2, 0.0
    for v, m, w, k in zip(groups, mean, weight, total):
        residual = v - m[:, None]
        residual -= change[:, None] * (change @ residual / max(change @ change, 1e-12))
        pooled = pooled + k * (residual**2 @ w) / w.sum() / df
    pooled = pooled + 1e-6
    variance = (prior_df * pooled.mean() + df * pooled) / (prior_df + df)
    return change / np.sqrt(variance * (1 / total[0] + 1 / total[1]))
