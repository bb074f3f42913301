"""limma-voom for tumor against normal: log counts with a weight per value, then a moderated t test.

Sources: Law, Chen, Shi and Smyth (2014), Genome Biology 15:R29; Smyth (2004), SAGMB 3:3; Cleveland
(1979), JASA 74:829; R's limma 3.54 (voom, lmFit, eBayes, topTable) and stats::lowess,
followed to rounding.
"""

from __future__ import annotations

import numpy as np

from degnext.labeling.edger.negbin import TwoGroups
from degnext.labeling.edger.quasi import f_tail, squeeze


def voom_table(data: TwoGroups) -> dict[str, np.ndarray]:
    """Return the moderated t test's columns (dispersion NaN): limma's voom, lmFit, eBayes."""
    y, lib = data.y, data.lib
    logs = np.log2((y + 0.5) / (lib + 1.0) * 1e6)
    weights = voom_weights(data, logs)
    total, mean = [], []
    rss = np.zeros(len(y))
    for part in data.parts():
        w, v = weights[:, part], logs[:, part]
        total.append(w.sum(1))
        mean.append((w * v).sum(1) / total[-1])
        rss += (w * (v - mean[-1][:, None]) ** 2).sum(1)
    df = np.full(len(y), data.n_samples - 2.0)
    variance, prior_df = squeeze(rss / df, df)
    t = (mean[1] - mean[0]) / np.sqrt(variance * (1 / total[0] + 1 / total[1]))
    return {
        "log_fc": mean[1] - mean[0],
        "log_cpm": logs.mean(1),
        "stat": t,
        "p_value": f_tail(t**2, np.minimum(df + prior_df, df.sum())),
        "dispersion": np.full(len(y), np.nan),
    }


def voom_weights(data: TwoGroups, logs: np.ndarray) -> np.ndarray:
    """Return each log count's precision (genes × samples), read off a curve of spread and level."""
    lib, parts = data.lib, data.parts()
    means = [logs[:, part].mean(1) for part in parts]
    rss = sum(((logs[:, part] - m[:, None]) ** 2).sum(1) for part, m in zip(parts, means))
    # the gene's level as a log count
    level = logs.mean(1) + np.log2(lib + 1.0).mean() - np.log2(1e6)
    root_sd = (rss / (data.n_samples - 2)) ** 0.25
    seen = data.y.sum(1) > 0
    x, curve = lowess(level[seen], root_sd[seen])
    x, first, n_equal = np.unique(x, return_index=True, return_counts=True)
    curve = np.add.reduceat(curve, first) / n_equal  # equal levels: the mean of their curve
    sizes = [1e-6 * (lib[part] + 1.0) for part in parts]
    fitted = np.hstack([np.multiply.outer(np.exp2(m), size) for m, size in zip(means, sizes)])
    return 1.0 / np.interp(np.log2(fitted), x, curve) ** 4


def lowess(
    x: np.ndarray, y: np.ndarray, span: float = 0.5, n_robust: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``x`` in order and the local regression of ``y`` on it: R's lowess, default ``delta``.

    statsmodels' lowess differs in the 1e-3 at either end of its two kernels, which R cuts flat:
    limma's numbers then hold to 3e-9 instead of 1e-11, and beyond the references' tolerance where a
    fold change is near zero.
    """
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
    """Return where lines are fitted, about ``delta`` apart; the rest is interpolated."""
    out, last = [0], 0
    while True:
        last = int(np.searchsorted(x, x[last], side="right")) - 1  # equal points share a fit
        if last >= len(x) - 1:
            return out
        beyond = int(np.searchsorted(x, x[last] + delta, side="right"))
        last = max(last + 1, beyond - 1)
        out.append(last)


def _windows(x: np.ndarray, anchors: list[int], size: int) -> list[tuple[int, int]]:
    """Return first and last index of each anchor's ``size`` nearest points, moving right as R."""
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
