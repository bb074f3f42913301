"""Are probabilities what they say? Reliability by bins, calibration error, coverage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import label_codes
from degnext.evaluation.metrics import accuracy_interval

N_BINS = 10


def reliability(labels: Sequence[str], proba: np.ndarray, n_bins: int = N_BINS) -> pd.DataFrame:
    """Return n, confidence, accuracy and its 95 % interval (Wilson 1927) by bins of confidence.

    labels: spelled (genes,); proba: genes × classes, columns DR, UR[, neutral]; confidence is the
    largest probability, and bins are of equal width. Only bins that hold genes are returned.
    Source: Guo et al. (2017), section 2.
    """
    sure, right = _sure_and_right(labels, proba)
    cell, rows = np.minimum((sure * n_bins).astype(int), n_bins - 1), []
    for b in np.unique(cell):
        inside = cell == b
        n, hits = int(inside.sum()), int(right[inside].sum())
        low, high = accuracy_interval(hits, n)
        row = {"low": b / n_bins, "high": (b + 1) / n_bins, "n": n}
        row |= {"confidence": float(sure[inside].mean()), "accuracy": hits / n}
        rows.append(row | {"accuracy_low": low, "accuracy_high": high})
    return pd.DataFrame(rows)


def calibration_error(bins: pd.DataFrame) -> float:
    """Return the expected calibration error: mean distance of confidence and accuracy."""
    return float(np.average((bins["confidence"] - bins["accuracy"]).abs(), weights=bins["n"]))


def abstention(labels: Sequence[str], proba: np.ndarray) -> pd.DataFrame:
    """Return what is right among the surest genes, for every number of genes answered.

    Columns coverage (share of genes answered, surest first), accuracy (among them), confidence (the
    last one answered) and wrong (their number of errors). Genes of equal confidence are answered
    together, so that their order cannot matter.
    """
    sure, right = _sure_and_right(labels, proba)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    n, hits = last + 1, np.cumsum(right[order])[last]
    curve = {"coverage": n / len(sure), "accuracy": hits / n, "confidence": sure[order][last]}
    return pd.DataFrame(curve | {"wrong": n - hits})


def _sure_and_right(labels: Sequence[str], proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each gene's confidence and whether its most probable class is its label."""
    return proba.max(1), proba.argmax(1) == label_codes(labels)
