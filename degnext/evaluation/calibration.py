"""Are probabilities what they say? Reliability by bins, expected calibration error, accuracy against coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd

N_BINS = 10


def reliability(labels: np.ndarray, proba: np.ndarray, n_bins: int = N_BINS) -> pd.DataFrame:
    """Return one row per bin of confidence: its genes, mean confidence, accuracy and 95 % interval of the accuracy.

    labels: (genes,) classes 0…K-1; proba: genes × K; confidence is the largest probability, and bins are of equal width.
    Only bins that hold genes are returned. The interval is Wilson's (1927). Source: Guo et al. (2017), section 2.
    """
    sure, right = proba.max(1), proba.argmax(1) == np.asarray(labels)
    cell = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    rows = []
    for b in np.unique(cell):
        inside = cell == b
        low, high = wilson(int(right[inside].sum()), int(inside.sum()))
        rows.append(
            {
                "low": b / n_bins,
                "high": (b + 1) / n_bins,
                "n": int(inside.sum()),
                "confidence": float(sure[inside].mean()),
                "accuracy": float(right[inside].mean()),
                "accuracy_low": low,
                "accuracy_high": high,
            }
        )
    return pd.DataFrame(rows)


def calibration_error(bins: pd.DataFrame) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy, weighted by genes."""
    return float(
        (bins["n"] * (bins["confidence"] - bins["accuracy"]).abs()).sum() / bins["n"].sum()
    )


def abstention(labels: np.ndarray, proba: np.ndarray) -> pd.DataFrame:
    """Return accuracy against coverage: what is right among the surest genes, for every number of genes answered.

    Columns coverage (share of genes answered, surest first), accuracy (among them), confidence (the last one answered) and
    wrong (their number of errors). Genes of equal confidence are answered together, so that their order cannot matter.
    """
    sure, right = proba.max(1), proba.argmax(1) == np.asarray(labels)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    n, hits = last + 1, np.cumsum(right[order])[last]
    return pd.DataFrame(
        {
            "coverage": n / len(sure),
            "accuracy": hits / n,
            "confidence": sure[order][last],
            "wrong": n - hits,
        }
    )


def adapt_shares(proba: np.ndarray, n_iterations: int = 200) -> np.ndarray:
    """Return the probabilities of genes × K when classes are as frequent as these genes themselves say, without any label.

    Expectation maximisation of the class shares (Saerens, Latinne & Decaestecker 2002, Neural Computation 14:21), started
    at equal shares. Sure answers stay; doubtful ones lean to the larger class. Swapping two columns swaps the answer's.
    """
    equal = np.full(proba.shape[1], 1 / proba.shape[1])
    shares = equal
    for _ in range(n_iterations):
        weighted = proba * (shares / equal)
        adapted = weighted / weighted.sum(1, keepdims=True)
        shares = adapted.mean(0)
    return adapted


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share of ``hits`` in ``n``."""
    share, shrink = hits / n, 1 + z**2 / n
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / shrink
    middle = (share + z**2 / (2 * n)) / shrink
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
