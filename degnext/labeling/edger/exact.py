"""The exact test for two groups of negative binomial counts: edgeR's exactTest.

Source: Robinson and Smyth (2008), Biostatistics 9:321; R's edgeR 3.40.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincc, betaincinv, gammaln

from degnext._common.parallel import blocks, for_each
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm, fit_rate, log_fold_change
from degnext.labeling.edger.qcml import common_dispersion_qcml, tagwise_dispersion_qcml
from degnext.labeling.edger.quantile_map import map_quantiles

BIG_COUNT = (
    900  # above it in both groups, a beta distribution stands in for the sum over all outcomes
)
_TERMS_AT_ONCE = 1 << 20


def exact_table(data: TwoGroups, kind: str) -> dict[str, np.ndarray]:
    """Return the exact test's columns with common or tagwise qCML dispersion; its stat is NaN."""
    common = common_dispersion_qcml(data)
    phi = (
        tagwise_dispersion_qcml(data, common) if kind == "tagwise" else np.full(len(data.y), common)
    )
    return {
        "log_fc": log_fold_change(data, phi),
        "log_cpm": ave_log_cpm(data, common),
        "stat": np.full(len(data.y), np.nan),
        "p_value": exact_p_values(data, phi),
        "dispersion": phi,
    }


def exact_p_values(data: TwoGroups, dispersion: np.ndarray) -> np.ndarray:
    """Return two-sided p-values (genes,), twice the smaller tail, given each gene's total.

    Counts are first brought to the geometric mean library size. Group sums are rounded for the sum
    over outcomes and left as they are for the beta approximation, as edgeR does.
    """
    n_normal, n_tumor = data.n_normal, data.n_samples - data.n_normal
    sum_normal, sum_tumor = _pseudo_sums(data, dispersion)
    # R's round and NumPy's agree: halves go to the even neighbour
    k_normal, k_tumor = np.rint(sum_normal), np.rint(sum_tumor)
    p_value = np.ones(len(dispersion))
    big = (k_normal > BIG_COUNT) & (k_tumor > BIG_COUNT)
    p_value[big] = _beta_p_values(
        sum_normal[big], sum_tumor[big], n_normal, n_tumor, dispersion[big]
    )
    total = k_normal + k_tumor
    expected = n_normal * (total / (n_normal + n_tumor))
    small = ~big & (total >= 0)  # pseudo-counts may fall below zero
    left, right = small & (k_normal < expected), small & (k_normal > expected)
    # the right tail of the normal group is the left tail of the tumor group
    p_value[left] = _tail_p_values(k_normal[left], total[left], n_normal, n_tumor, dispersion[left])
    p_value[right] = _tail_p_values(
        k_tumor[right], total[right], n_tumor, n_normal, dispersion[right]
    )
    return np.minimum(p_value, 1.0)


def _pseudo_sums(data: TwoGroups, dispersion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each group's sum of counts at equal library size under one rate, (genes,) each."""
    size = np.exp(np.log(data.lib).mean())
    sums = np.empty((2, len(data.y)))

    def work(rows: slice) -> None:
        phi = dispersion[rows]
        rate = fit_rate(data.y[rows], data.lib, phi)
        mean_in = np.multiply.outer(rate, data.lib)
        mean_out = np.broadcast_to((rate * size)[:, None], mean_in.shape)
        pseudo = map_quantiles(data.y[rows], mean_in, mean_out, phi[:, None])
        for g, part in enumerate(data.parts()):
            sums[g, rows] = pseudo[:, part].sum(axis=1)

    for_each(work, blocks(len(data.y), 8 * data.n_samples))
    return sums[0], sums[1]


def _beta_p_values(s1: np.ndarray, s2: np.ndarray, n1: int, n2: int, phi: np.ndarray) -> np.ndarray:
    total = s1 + s2
    mean = total / (n1 + n2)
    a = n1 * mean / (1.0 + phi * mean)
    b = n2 / n1 * a
    median = betaincinv(a, b, 0.5)
    p_value = np.ones(len(s1))
    low, high = (s1 + 0.5) / total, (s1 - 0.5) / total
    left, right = low < median, high > median
    p_value[left] = 2.0 * betainc(a[left], b[left], low[left])
    p_value[right] = 2.0 * betaincc(a[right], b[right], high[right])
    return p_value


def _tail_p_values(
    k: np.ndarray, total: np.ndarray, n1: int, n2: int, phi: np.ndarray
) -> np.ndarray:
    """Return twice P(first group's sum <= k | total), summing negative hypergeometric terms."""
    p_value = np.empty(len(k))
    terms = np.cumsum(np.maximum(k, 0) + 1)
    start = 0
    while start < len(k):
        done = terms[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(terms, done + _TERMS_AT_ONCE, side="right")))
        p_value[start:stop] = _tail_block(
            k[start:stop], total[start:stop], n1 / phi[start:stop], n2 / phi[start:stop]
        )
        start = stop
    return p_value


def _tail_block(k: np.ndarray, total: np.ndarray, r1: np.ndarray, r2: np.ndarray) -> np.ndarray:
    length = np.maximum(k, 0).astype(np.int64) + 1  # below zero there is one term, as in edgeR
    starts = np.cumsum(length) - length
    gene = np.repeat(np.arange(len(k)), length)
    x = (np.arange(gene.size) - starts[gene]).astype(float)
    constant = (
        gammaln(total + 1.0)
        + gammaln(r1 + r2)
        - gammaln(total + r1 + r2)
        - gammaln(r1)
        - gammaln(r2)
    )
    rest = total[gene] - x
    log_p = (
        gammaln(x + r1[gene])
        - gammaln(x + 1.0)
        + gammaln(rest + r2[gene])
        - gammaln(rest + 1.0)
        + constant[gene]
    )
    return 2.0 * np.add.reduceat(np.exp(log_p), starts)
