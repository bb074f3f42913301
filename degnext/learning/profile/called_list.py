"""The longest list of genes whose expected share of wrong calls is at most what was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
    """Return the network's log odds of an error, in the order that network and test agree on.

    Genes that both together rank alike get the same.
    """
    sure = np.asarray(chance)[:, :2].max(axis=1)
    rank = rankdata(np.round((1 - BLEND) * rankdata(sure) + BLEND * rankdata(root), 6))
    blended = np.interp(rank, np.arange(1, len(rank) + 1), np.sort(sure))
    return logit(np.clip(1 - blended, 1e-4, 1 - 1e-4))


def check_share(fdr: float) -> None:
    """Raise InputError for what is no share of wrong calls to ask for."""
    if not 0 < fdr < 1:
        raise InputError(f"fdr is {fdr}: give a share between 0 and 1, such as 0.1")


def share_wrong(error: np.ndarray) -> np.ndarray:
    """Return the mean error of each gene, of its equals and of all that are surer (genes,).

    The longest list whose errors average to x or less is where this is x or less. Equals are in it
    together or not at all, so that the order of genes does not matter.
    """
    ordered = np.sort(error)
    mean = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    return mean[np.searchsorted(ordered, error, side="right") - 1]
