"""Profile likelihoods of many samples at once: sums over samples as curves of one number.

With one rate per gene and group every sum over samples that the likelihood needs depends on a gene
only through s = dispersion * rate. So the sums are taken at nodes of log s, for all genes in one
product of matrices, and read between the nodes by polynomials of degree nine: log(1 + s * lib) is
smooth in log s (its nearest singularity lies at a distance of pi), which leaves relative errors of
1e-12. ``likelihood.profile_without_lgamma`` computes the same sums one by one.
"""

from __future__ import annotations

import numpy as np
from scipy.special import comb, xlogy

from degnext.labeling.edger.negbin import TINY, TwoGroups, climb

MANY = 100  # samples from which this is quicker
_STEP, _POINTS, _MARGIN = 0.1, 10, 2.0  # of log s; of a polynomial; around what is expected
_SIGNED = comb(_POINTS - 1, np.arange(_POINTS)) * (-1.0) ** np.arange(_POINTS)


class _Group:
    """The sums of one group: counts and library sizes over 1 + s * lib, and its logarithm."""

    def __init__(self, y: np.ndarray, lib: np.ndarray, dispersions: np.ndarray) -> None:
        self.total = y.sum(axis=1)
        start = np.stack([y @ (1.0 / lib) / lib.size, self.total / lib.sum()])
        self.rate, seen = start[0].copy(), self.total > 0
        rates = start[:, seen] if seen.any() else np.ones(1)
        ends = np.log([rates.min() * dispersions.min(), rates.max() * dispersions.max()])
        self.low = ends[0] - _MARGIN
        n = int(np.ceil((ends[1] + _MARGIN - self.low) / _STEP)) + 1
        growth = 1.0 + np.multiply.outer(lib, np.exp(self.low + _STEP * np.arange(n)))
        log, self.high = np.log(growth), self.low + _STEP * (n - 1)
        growth = 1.0 / growth
        self.counts, self.logs = y @ growth, y @ log  # genes × nodes
        self.libs, self.log_libs = lib @ growth, log.sum(axis=0)

    def read(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where in the tables (genes × points) and with which weights to read."""
        place = (np.log(s) - self.low) / _STEP
        node = np.floor(place)
        place = node + np.maximum(place - node, 1e-12)  # at a node itself weights are not finite
        first = np.clip(node.astype(int) - _POINTS // 2 + 1, 0, len(self.libs) - _POINTS)
        weight = _SIGNED / ((place - first)[:, None] - np.arange(_POINTS))
        return first[:, None] + np.arange(_POINTS), weight / weight.sum(axis=1, keepdims=True)

    def fit(self, phi: float) -> None:
        """Move the rates to the maximum at a dispersion: Fisher scoring, as ``fit_rate``."""

        def target(active: np.ndarray, going: np.ndarray) -> np.ndarray:
            cells, weight = self.read(phi * self.rate[active])
            counts = np.einsum("ij,ij->i", self.counts[active[:, None], cells], weight)
            return counts / np.einsum("ij,ij->i", self.libs[cells], weight)

        with np.errstate(divide="ignore", invalid="ignore"):  # far from the nodes: see `terms`
            climb(self.rate, self.total > 0, target)

    def terms(self, phi: float) -> tuple[np.ndarray, np.ndarray, bool]:
        """Return likelihood and information per gene, and whether all lay between the nodes."""
        seen = self.total > 0
        s, rows = np.where(seen, phi * self.rate, np.exp(self.low)), np.arange(len(seen))
        cells, weight = self.read(s)
        logs = np.einsum("ij,ij->i", self.logs[rows[:, None], cells], weight)
        logs += np.einsum("ij,ij->i", self.log_libs[cells], weight) / phi
        information = self.rate * np.einsum("ij,ij->i", self.libs[cells], weight)
        inside = (np.log(s).min() >= self.low) and (np.log(s).max() <= self.high)
        value = np.where(seen, xlogy(self.total, s) - logs, 0.0)
        return value, np.where(seen, information, 0.0), inside


def curves(data: TwoGroups, y_log_lib: np.ndarray, dispersions: np.ndarray) -> np.ndarray | None:
    """Return the adjusted profile log-likelihood less log-gamma terms, genes × dispersions.

    y_log_lib: sum of y * log(lib) per gene. None where a rate left the nodes: nothing is guessed.
    """
    groups = [_Group(data.y[:, part], data.lib[part], dispersions) for part in data.parts()]
    out = np.repeat(y_log_lib[:, None], len(dispersions), axis=1)
    for k, phi in enumerate(dispersions):
        found = []
        for group in groups:
            group.fit(phi)
            value, information, inside = group.terms(phi)
            if not inside:
                return None
            out[:, k] += value
            found.append(information)
        normal, tumor = found
        both = normal + tumor
        second = np.divide(normal * tumor, both, out=np.zeros_like(both), where=both > 0)
        out[:, k] -= 0.5 * (np.log(np.maximum(both, TINY)) + np.log(np.maximum(second, TINY)))
    return out
