"""Pairs: a normal and a tumor sample of each patient, compared within patients.

edgeR's design ``~ patient + group`` has a column per patient, so its information matrix is an
arrow: a diagonal of patients and a border of the group. Each step of the fit is therefore solved in
closed form, in time linear in samples. Source: McCarthy, Chen and Smyth (2012), Nucleic Acids
Research 40:4288; R's edgeR 3.40 (glmFit, adjustedProfileLik, predFC with that design).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from degnext._common.parallel import blocks, for_each
from degnext.labeling.edger.negbin import TINY, TwoGroups, fit_rate

_MAX_STEPS = 200
_ENOUGH = 1e-13  # of log-likelihood that another step would gain


@dataclass(frozen=True)
class Pairs(TwoGroups):
    """Hold counts (genes × samples) patient by patient, and where patients start."""

    starts: np.ndarray  # (patients,): the first sample of each
    tumor: np.ndarray  # (samples,): bool

    @property
    def n_coefficients(self) -> int:
        return self.starts.size + 1

    @property
    def is_tumor(self) -> np.ndarray:
        return self.tumor

    def rows(self, keep: np.ndarray | slice) -> Pairs:
        """Return the same samples with some genes only; library sizes stay those of all genes."""
        return Pairs(self.y[keep], self.lib, self.n_normal, self.starts, self.tumor)

    def means(self, dispersion: np.ndarray, null: bool = False) -> np.ndarray:
        """Return fitted means, genes × samples; ``null``: of patients that differ, groups not."""
        if not null:
            return self._means(*self.fit(dispersion))
        mu, ends = np.empty_like(self.y), [*self.starts[1:], self.n_samples]
        for part in map(slice, self.starts, ends):
            rate = fit_rate(self.y[:, part], self.lib[part], dispersion)
            mu[:, part] = np.multiply.outer(rate, self.lib[part])
        return mu

    def log_ratio(self, dispersion: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
        """Return log2 of tumor over normal within patients (genes,), ``prior`` added to counts."""
        out = np.empty(len(self.y))

        def work(rows: slice) -> None:
            data = self.rows(rows)
            if prior is not None:
                size = self.lib + 2 * prior
                data = Pairs(data.y + prior, size, self.n_normal, self.starts, self.tumor)
            with np.errstate(divide="ignore"):
                normal, tumor = np.log2(data.fit(dispersion[rows])[1]).T
            out[rows] = tumor - normal

        for_each(work, blocks(len(self.y), 8 * self.n_samples))
        return out

    def residual_df(self, mu: np.ndarray) -> np.ndarray:
        """Return residual degrees of freedom (genes,) less those of zeros fitted as zeros."""
        left = (self.y >= 1e-4) | (mu >= 1e-4)
        normal, tumor = (self._by_patient(left & kind) > 0 for kind in (~self.tumor, self.tumor))
        rank = (normal | tumor).sum(axis=1) + (normal & tumor).any(axis=1)
        return np.maximum(left.sum(axis=1) - rank, 0)

    def profile(
        self, dispersion: np.ndarray, start: tuple[np.ndarray, np.ndarray] | None
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return the adjusted profile log-likelihood (genes,) less log-gamma terms, and the fit."""
        fitted = self.fit(dispersion, start)
        mu, phi = self._means(*fitted), dispersion[:, None]
        growth = 1.0 + phi * mu
        value = (xlogy(self.y, phi * mu) - (self.y + 1.0 / phi) * np.log(growth)).sum(axis=1)
        weight, tumor = self._information(mu / growth)
        # half the log determinant as a product of pivots; those without counts are constants
        last = (tumor * (weight - tumor) / np.maximum(weight, TINY)).sum(axis=1)
        pivots = np.log(np.maximum(weight, TINY)).sum(axis=1) + np.log(np.maximum(last, TINY))
        return value - 0.5 * pivots, fitted

    def fit(
        self, dispersion: np.ndarray, start: tuple[np.ndarray, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return rates (genes × patients) and factors of normal and tumor (genes × 2).

        The fitted mean is rate * factor * library size. A patient without counts has rate 0, a
        group without counts factor 0. Fisher scoring; a step that loses likelihood is shortened.
        """
        rate, factor = start or self._begin()
        rate, factor = rate.copy(), factor.copy()
        move, turn = np.zeros_like(rate), np.zeros(len(rate))
        reached = np.full(len(rate), -np.inf)
        active = np.arange(len(rate))
        for _ in range(_MAX_STEPS):
            data, phi = self.rows(active), dispersion[active, None]
            new_rate = rate[active] * np.exp(move[active])
            new_factor = factor[active] * np.exp(np.outer(turn[active], [0.0, 1.0]))
            mu = data._means(new_rate, new_factor)
            growth = phi * mu
            value = xlogy(data.y, mu) - (data.y + 1.0 / phi) * np.log1p(growth)
            value, growth = value.sum(axis=1), growth + 1.0
            good = value >= reached[active] - 1e-9 * (1.0 + np.abs(value))
            worse, better = active[~good], active[good]
            move[worse], turn[worse] = move[worse] / 4.0, turn[worse] / 4.0
            rate[better], factor[better] = new_rate[good], new_factor[good]
            reached[better] = value[good]
            growth, mu = growth[good], mu[good]
            move[better], turn[better], gain = self._step(data.y[good], mu, growth)
            going = ~good
            going[good] = gain >= _ENOUGH
            active = active[going]
            if not active.size:
                break
        return rate, factor

    def _begin(self) -> tuple[np.ndarray, np.ndarray]:
        normal, tumor = ((self.y @ k, self.lib @ k) for k in (~self.tumor, self.tumor))
        one = np.ones(len(self.y))
        ratio = np.divide(tumor[0] * normal[1], normal[0] * tumor[1], one, where=normal[0] > 0)
        factor = np.column_stack([(normal[0] > 0).astype(float), ratio])
        size = np.where(self.tumor, factor[:, [1]], factor[:, [0]]) * self.lib
        total, size = self._by_patient(self.y), self._by_patient(size)
        return np.divide(total, size, out=np.zeros_like(total), where=size > 0), factor

    def _step(
        self, y: np.ndarray, mu: np.ndarray, growth: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the step of log rates and log fold change, and the likelihood that it promises."""
        weight, tumor = self._information(mu / growth)
        score = (y - mu) / growth
        by_patient, of_tumor = self._by_patient(score), score @ self.tumor
        share = np.divide(tumor, weight, out=np.zeros_like(weight), where=weight > 0)
        last = (share * (weight - tumor)).sum(axis=1)
        rest = of_tumor - (share * by_patient).sum(axis=1)
        turn = np.divide(rest, last, out=np.zeros_like(last), where=last > 0)
        move = np.divide(by_patient, weight, out=np.zeros_like(weight), where=weight > 0)
        move -= share * turn[:, None]
        gain = (move * by_patient).sum(axis=1) + turn * of_tumor
        longest = np.maximum(np.abs(move).max(axis=1), np.abs(turn))
        shorter = np.minimum(1.0, 3.0 / np.maximum(longest, TINY))
        return move * shorter[:, None], turn * shorter, gain

    def _means(self, rate: np.ndarray, factor: np.ndarray) -> np.ndarray:
        patient = np.repeat(np.arange(self.starts.size), np.diff([*self.starts, self.n_samples]))
        return rate[:, patient] * factor[:, self.tumor.astype(int)] * self.lib

    def _information(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of weights per patient, of all samples and of the tumor samples."""
        return self._by_patient(weight), self._by_patient(weight * self.tumor)

    def _by_patient(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.asarray(values, dtype=float), self.starts, axis=1)
