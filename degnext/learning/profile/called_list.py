"""The longest list of genes whose expected share of wrong calls is at most what was asked for."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from degnext._common.errors import InputError
from degnext.learning.profile.pretrained import WEIGHTS

CARD = WEIGHTS / "profile_standard_few.json"


class CalledList(NamedTuple):
    """chosen: bool per gene. expected: the list's expected share of wrong calls, NaN if empty."""

    chosen: np.ndarray
    expected: float


def expected_errors(
    chance: np.ndarray, smallest: int, correction: list[float] | None = None
) -> np.ndarray:
    """Return each gene's expected error (genes,), if it is called in its likelier direction.

    chance: probabilities of DR and UR, genes × 2 (further columns are ignored), from the
    ``standard_few`` network. smallest: samples in the smaller group. correction: intercept, slope,
    and both by 1 / samples, on the log odds; None takes what left-out training cancers asked for.
    """
    if correction is None:
        correction = json.loads(CARD.read_text(encoding="utf-8"))["correction"]
    z = logit(np.clip(1 - np.asarray(chance)[:, :2].max(axis=1), 1e-4, 1 - 1e-4))
    start, slope, start_few, slope_few = correction
    return expit(start + start_few / smallest + (slope + slope_few / smallest) * z)


def check_share(fdr: float) -> None:
    """Raise InputError for what is no share of wrong calls to ask for."""
    if not 0 < fdr < 1:
        raise InputError(f"fdr is {fdr}: give a share between 0 and 1, such as 0.1")


def longest_list(error: np.ndarray, fdr: float) -> CalledList:
    """Return the longest list whose expected errors average to ``fdr`` or less."""
    check_share(fdr)
    order = np.argsort(error, kind="stable")
    mean = np.cumsum(np.asarray(error)[order]) / np.arange(1, len(order) + 1)
    n = int((mean <= fdr).sum())  # a mean of sorted values only rises
    chosen = np.zeros(len(order), bool)
    chosen[order[:n]] = True
    return CalledList(chosen, float(mean[n - 1]) if n else float("nan"))
