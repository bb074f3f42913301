"""The longest list of genes whose expected share of wrong calls is at most what was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from degnext._common.errors import InputError
from degnext.learning.profile.pretrained import WEIGHTS

if TYPE_CHECKING:
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes

BLEND = 0.2  # less costs ranks where whole cohorts are small, more elsewhere (training cancers)
CARD = WEIGHTS / "profile_standard_few.json"


class CalledList(NamedTuple):
    """chosen: bool per gene. expected: the list's expected share of wrong calls, NaN if empty."""

    chosen: np.ndarray
    expected: float


def answer(network: ProfileClassifier, genes: Genes) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each gene's likelier direction is up, and its expected error if so called.

    network: ``standard_few``. genes: all rows of a draw with two samples a group or more.
    """
    images = network.encode(genes)
    root = np.abs(images[:, network.resolved["channels"].index("nb_root"), 1, 0])
    chance = network.predict_proba(images)
    n_tumor = int(np.sum(genes.is_tumor))
    smallest = min(n_tumor, len(genes.is_tumor) - n_tumor)
    return chance[:, 1] > chance[:, 0], expected_errors(chance, root, smallest)


def expected_errors(
    chance: np.ndarray, root: np.ndarray, smallest: int, correction: list[float] | None = None
) -> np.ndarray:
    """Return each gene's expected error (genes,), if it is called in its likelier direction.

    chance: probabilities of DR and UR, genes × 2 (further columns are ignored), from the
    ``standard_few`` network. root: what the test beside it would rank genes by (any scale): the
    order is that of ``BLEND`` parts of the test's rank to the rest of the network's, the sizes are
    the network's. smallest: samples in the smaller group. correction: intercept, slope, and both by
    1 / samples, on the log odds; None takes what left-out training cancers asked for.
    """
    if correction is None:
        correction = json.loads(CARD.read_text(encoding="utf-8"))["correction"]
    z = log_odds(chance, root)
    start, slope, start_few, slope_few = correction
    return expit(start + start_few / smallest + (slope + slope_few / smallest) * z)


def log_odds(chance: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return the network's log odds of an error, in the order that network and test agree on."""
    sure = np.asarray(chance)[:, :2].max(axis=1)
    order = np.argsort((1 - BLEND) * rankdata(sure) + BLEND * rankdata(root), kind="stable")
    blended = np.empty(len(sure))
    blended[order] = np.sort(sure)
    return logit(np.clip(1 - blended, 1e-4, 1 - 1e-4))


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
