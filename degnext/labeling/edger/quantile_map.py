"""Map counts between negative binomials with different means by quantiles, far tails included.

Source: R's edgeR 3.40 (q2qnbinom), after Robinson and Smyth (2008), Biostatistics 9:321.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv, gammaln

_FAR_TAIL = 1e-250  # below it probabilities lose digits or vanish, and logarithms take over


def map_quantiles(
    x: np.ndarray, mean_in: np.ndarray, mean_out: np.ndarray, dispersion: np.ndarray
) -> np.ndarray:
    """Return the counts at the same quantile under another mean, all genes × samples.

    The mean of a normal and a gamma approximation with the right mean and variance. Source: edgeR's
    q2qnbinom.
    """
    none = (mean_in < 1e-14) | (mean_out < 1e-14)
    if none.any():
        mean_in, mean_out = mean_in + 0.25 * none, mean_out + 0.25 * none
    scale_in, scale_out = 1.0 + dispersion * mean_in, 1.0 + dispersion * mean_out
    a, b, t = mean_in / scale_in, mean_out / scale_out, x / scale_in
    normal = mean_out + np.sqrt(mean_out * scale_out / (mean_in * scale_in)) * (x - mean_in)
    gamma = np.zeros_like(t)
    upper = x >= mean_in
    for side, is_upper in ((upper, True), (~upper & (x > 0), False)):
        gamma[side] = gamma_quantile(a[side], b[side], t[side], is_upper)
    return (normal + gamma * scale_out) / 2.0


def gamma_quantile(a: np.ndarray, b: np.ndarray, t: np.ndarray, upper: bool) -> np.ndarray:
    """Return s that a gamma variable of shape ``b`` passes as often as one of shape ``a`` does t.

    The cube roots of gamma variables are nearly normal (Wilson and Hilferty 1931), which gives the
    start of Halley's iteration; as the two shapes are alike, one or two steps reach the last digit.
    """
    tail, inverse, far = (
        (gammaincc, gammainccinv, _far_upper) if upper else (gammainc, gammaincinv, _far_lower)
    )
    p = tail(a, t)
    root = 1.0 - 1.0 / (9.0 * b) + (np.cbrt(t / a) - 1.0 + 1.0 / (9.0 * a)) * np.sqrt(a / b)
    s = b * root**3
    todo = np.flatnonzero((a > 0.5) & (b > 0.5) & (root > 0.01) & (p > _FAR_TAIL))
    settled = np.zeros(s.size, dtype=bool)
    for _ in range(4):
        shape, at = b[todo], s[todo]
        density = np.exp((shape - 1.0) * np.log(at) - at - gammaln(shape))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = (tail(shape, at) - p[todo]) / (density if upper else -density)
            step /= 1.0 + step / 2.0 * ((shape - 1.0) / at - 1.0)
        step = np.clip(np.nan_to_num(step), -0.9 * at, at)
        s[todo] += step
        near = (
            np.abs(step) < 1e-6 * at
        )  # the error after a step is of the order of the cube of the one before
        settled[todo[near]] = True
        todo = todo[~near]
        if not todo.size:
            break
    rest = ~settled
    s[rest] = inverse(b[rest], p[rest])
    deep = p < _FAR_TAIL
    if deep.any():
        s[deep] = far(a[deep], b[deep], t[deep])
    return s


def _far_upper(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return s with log Q(b, s) = log Q(a, t), both too small for a float; t lies far above a."""
    goal = -t + a * np.log(t) - gammaln(a) + np.log(_upper_fraction(a, t))
    s = np.maximum(t * b / a, b + 2.0)
    for _ in range(60):
        fraction = _upper_fraction(b, s)
        step = (-s + b * np.log(s) - gammaln(b) + np.log(fraction) - goal) * s * fraction
        s = np.maximum(s + step, b + 1.0)
        if (np.abs(step) <= 1e-14 * s).all():
            break
    return s


def _upper_fraction(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return Q(a, x) / (x^a e^-x / Gamma(a)) by Lentz's continued fraction, for x > a + 1."""
    b = x + 1.0 - a
    c, d = np.full_like(x, 1e300), 1.0 / b
    value = d.copy()
    for i in range(1, 500):
        term = -i * (i - a)
        b = b + 2.0
        d = 1.0 / (term * d + b)
        c = b + term / c
        value = value * (d * c)
        if (np.abs(d * c - 1.0) < 1e-15).all():
            break
    return value


def _far_lower(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return s with log P(b, s) = log P(a, t), both too small for a float; t lies far below a."""
    goal = -t + a * np.log(t) - gammaln(a + 1.0) + np.log(_lower_series(a, t))
    log_s = (goal + gammaln(b + 1.0)) / b
    for _ in range(60):
        s = np.exp(log_s)
        series = _lower_series(b, s)
        step = (-s + b * log_s - gammaln(b + 1.0) + np.log(series) - goal) * series / b
        log_s = log_s - step
        if (np.abs(step) <= 1e-14).all():
            break
    return np.exp(log_s)


def _lower_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return P(a, x) / (x^a e^-x / Gamma(a + 1)) by its power series, for x < a."""
    term, value = np.ones_like(x), np.ones_like(x)
    for i in range(1, 2000):
        term = term * x / (a + i)
        value = value + term
        if (term < 1e-16 * value).all():
            break
    return value
