"""limma-voom for tumor against normal: log counts with a weight per value, then a moderated t test.

Sources: Law, Chen, Shi and Smyth (2014), Genome Biology 15:R29; Smyth (2004), SAGMB 3:3; Cleveland (1979), JASA 74:829;
R's limma 3.54 (voom, lmFit, eBayes, topTable) and stats::lowess, followed to rounding.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import polygamma, psi

from degnext._common.arithmetic import _trigamma_inverse, benjamini_hochberg
from degnext._common.errors import InputError
from degnext.labeling.differential_expression import two_groups
from degnext.labeling.edger.quasi import _f_tail

COLUMNS = ["log_fc", "log_cpm", "t", "p_value", "fdr"]


def voom_test(
    counts: pd.DataFrame, groups: pd.Series, factors: pd.Series | None = None
) -> pd.DataFrame:
    """Test every gene for a difference between tumor and normal; return a table in the order of ``counts``.

    counts: genes × samples, raw non-negative counts. groups: "normal" or "tumor" per sample, normal is the reference.
    factors: what library sizes are multiplied by (edgeR's norm.factors, see :func:`degnext.cohorts.library_size.tmm_factors`).
    Columns: log_fc (log2), log_cpm (mean of log2 counts per million), t (moderated), p_value, fdr (Benjamini-Hochberg).
    Raises InputError for a group without samples or fewer than three samples. Source: limma's voom, lmFit, eBayes.
    """
    data = two_groups(counts, groups)
    lib = counts.sum() * (1.0 if factors is None else factors.loc[counts.columns])
    order = np.argsort((groups.loc[counts.columns] == "tumor").to_numpy(), kind="stable")
    table = voom_table(data.y, lib.to_numpy(dtype=float)[order], data.n_normal)
    return pd.DataFrame(table, index=counts.index)[COLUMNS]


def voom_table(y: np.ndarray, lib: np.ndarray, n_normal: int) -> dict[str, np.ndarray]:
    """Return the columns of :func:`voom_test` for counts ``y`` (genes × samples, normal first) and library sizes ``lib``."""
    logs = np.log2((y + 0.5) / (lib + 1.0) * 1e6)
    weights = voom_weights(y, logs, lib, n_normal)
    total, mean = [], []
    rss = np.zeros(len(y))
    for part in (slice(None, n_normal), slice(n_normal, None)):
        w, v = weights[:, part], logs[:, part]
        total.append(w.sum(1))
        mean.append((w * v).sum(1) / total[-1])
        rss += (w * (v - mean[-1][:, None]) ** 2).sum(1)
    df = y.shape[1] - 2
    variance, prior_df = moderated_variance(rss / df, df)
    t = (mean[1] - mean[0]) / np.sqrt(variance * (1 / total[0] + 1 / total[1]))
    p_value = _f_tail(t**2, np.full(len(t), min(df + prior_df, float(df * len(t)))))
    return {
        "log_fc": mean[1] - mean[0],
        "log_cpm": logs.mean(1),
        "t": t,
        "p_value": p_value,
        "fdr": benjamini_hochberg(p_value),
    }


def voom_weights(y: np.ndarray, logs: np.ndarray, lib: np.ndarray, n_normal: int) -> np.ndarray:
    """Return the precision of every log count (genes × samples), read off a smooth curve of spread against level."""
    means = [logs[:, :n_normal].mean(1), logs[:, n_normal:].mean(1)]
    rss = ((logs[:, :n_normal] - means[0][:, None]) ** 2).sum(1) + (
        (logs[:, n_normal:] - means[1][:, None]) ** 2
    ).sum(1)
    level = (
        logs.mean(1) + np.log2(lib + 1.0).mean() - np.log2(1e6)
    )  # the gene's level as a log count
    root_sd = (rss / (y.shape[1] - 2)) ** 0.25
    seen = y.sum(1) > 0
    x, curve = lowess(level[seen], root_sd[seen])
    x, first, n_equal = np.unique(x, return_index=True, return_counts=True)
    curve = np.add.reduceat(curve, first) / n_equal  # equal levels: the mean of their curve
    share = [np.exp2(m) for m in means]  # fitted counts per million of each group
    fitted = np.hstack(
        [
            np.multiply.outer(s, 1e-6 * (l + 1.0))
            for s, l in zip(share, (lib[:n_normal], lib[n_normal:]))
        ]
    )
    return 1.0 / np.interp(np.log2(fitted), x, curve) ** 4


def moderated_variance(variance: np.ndarray, df: int) -> tuple[np.ndarray, float]:
    """Return variances (genes,) drawn towards a common one, and the prior degrees of freedom. Source: limma's squeezeVar."""
    if len(variance) < 3:
        raise InputError(
            f"{len(variance)} gene(s) are too few to learn a variance from: give the whole table"
        )
    median = float(np.median(variance))
    floored = np.maximum(variance, 1e-5 * (median if median > 0 else 1.0))
    e = np.log(floored) - psi(df / 2) + np.log(df / 2)
    spread = float(e.var(ddof=1) - polygamma(1, df / 2))
    if spread <= 0:  # no more scatter than chance gives
        return np.full(len(variance), floored.mean()), np.inf
    prior_df = 2.0 * _trigamma_inverse(spread)
    prior = np.exp(e.mean() + psi(prior_df / 2) - np.log(prior_df / 2))
    return (prior_df * prior + df * variance) / (prior_df + df), prior_df


def lowess(
    x: np.ndarray, y: np.ndarray, span: float = 0.5, n_robust: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``x`` in order and the local regression of ``y`` on it, as R's lowess with its default ``delta``."""
    order = np.argsort(x, kind="stable")
    x, y = np.asarray(x, float)[order], np.asarray(y, float)[order]
    n = len(x)
    size = max(2, min(n, int(span * n + 1e-7)))
    anchors = _anchors(x, 0.01 * (x[-1] - x[0]))
    windows = _windows(x, anchors, size)
    robust = np.ones(n)
    for turn in range(n_robust + 1):
        fitted = [
            _local_line(x, y, x[i], start, stop, robust)
            for i, (start, stop) in zip(anchors, windows)
        ]
        fitted = np.array([y[i] if v is None else v for i, v in zip(anchors, fitted)])
        curve = np.interp(x, x[anchors], fitted)
        error = np.abs(y - curve)
        middle = np.partition(error, (n // 2, n - n // 2 - 1))
        cut = 3.0 * (middle[n // 2] + middle[n - n // 2 - 1])  # six median absolute deviations
        if turn == n_robust or cut < 1e-7 * error.mean():
            break
        robust = np.where(
            error <= 0.001 * cut,
            1.0,
            np.where(error <= 0.999 * cut, (1 - (error / (cut or 1.0)) ** 2) ** 2, 0.0),
        )
    return x, curve


def _anchors(x: np.ndarray, delta: float) -> list[int]:
    """Return where lines are fitted: the last point within ``delta`` of the one before; the rest is interpolated."""
    out, last = [0], 0
    while True:
        last = int(np.searchsorted(x, x[last], side="right")) - 1  # equal points share a fit
        if last >= len(x) - 1:
            return out
        beyond = int(np.searchsorted(x, x[last] + delta, side="right"))
        last = max(last + 1, beyond - 1)
        out.append(last)


def _windows(x: np.ndarray, anchors: list[int], size: int) -> list[tuple[int, int]]:
    """Return first and last index of the ``size`` nearest points of each anchor, moving right as R's code does."""
    out, left = [], 0
    for i in anchors:
        while left + size < len(x) and x[i] - x[left] > x[left + size] - x[i]:
            left += 1
        out.append((left, left + size - 1))
    return out


def _local_line(
    x: np.ndarray, y: np.ndarray, at: float, left: int, right: int, robust: np.ndarray
) -> float | None:
    h = max(at - x[left], x[right] - at)
    stop = int(
        np.searchsorted(x, at + 0.999 * h, side="right")
    )  # ties of the last point belong to it
    part = slice(left, max(stop, left + 1))
    distance = np.abs(x[part] - at)
    w = (
        np.where(distance <= 0.001 * h, 1.0, (1.0 - (distance / (h or 1.0)) ** 3) ** 3)
        * (distance <= 0.999 * h)
        * robust[part]
    )
    if w.sum() <= 0:
        return None
    w /= w.sum()
    if h > 0:
        centre = w @ x[part]
        bend = w @ (x[part] - centre) ** 2
        if np.sqrt(bend) > 0.001 * (x[-1] - x[0]):  # enough spread for a slope
            w *= (at - centre) / bend * (x[part] - centre) + 1.0
    return float(w @ y[part])
