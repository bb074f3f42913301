"""Metrics over all genes with bootstrap intervals, and the paper's batch-averaged ones beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import CANCERS, UNTRAINED

METRICS = ("accuracy", "recall", "precision", "f1", "mcc")
RESULT_COLUMNS = (
    "cancer",
    "source",
    "experiment",
    "protocol",
    "model",
    "part",
    "fold",
    "seed",
    "n",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "recall",
    "precision",
    "f1",
    "mcc",
    "mcc_low",
    "mcc_high",
    "auc",
    "train_seconds",
    "paper_accuracy",
    "paper_mcc",
    "batch_accuracy",
    "batch_mcc",
    "note",
)


def confusion(y: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Count genes by true (rows) and predicted (columns) class."""
    return np.bincount(
        np.asarray(y) * n_classes + np.asarray(predicted), minlength=n_classes**2
    ).reshape(n_classes, n_classes)


def metrics_of(table: np.ndarray) -> dict[str, np.ndarray]:
    """Return accuracy, support-weighted recall, precision and F1, and Matthews' correlation of confusion tables.

    ``table`` is (..., K, K), so that thousands of resampled tables are done at once. The weighted recall equals the
    accuracy, which is why the paper's tables show the same figure twice. A class never predicted has precision 0; MCC
    is 0 where a margin is empty.
    """
    table = np.asarray(table, dtype=float)
    n, true, said = table.sum((-2, -1)), table.sum(-1), table.sum(-2)
    hit = np.diagonal(table, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.nan_to_num(hit / true)
        precision = np.nan_to_num(hit / said)
        f1 = np.nan_to_num(2 * recall * precision / (recall + precision))
        weight = true / n[..., None]
        spread = np.sqrt((n**2 - (said**2).sum(-1)) * (n**2 - (true**2).sum(-1)))
        mcc = np.where(
            spread > 0,
            (hit.sum(-1) * n - (true * said).sum(-1)) / np.where(spread > 0, spread, 1),
            0.0,
        )
        out = {
            "accuracy": hit.sum(-1) / n,
            "recall": (recall * weight).sum(-1),
            "precision": (precision * weight).sum(-1),
        }
    return out | {"f1": (f1 * weight).sum(-1), "mcc": mcc}


def evaluate(
    y: np.ndarray,
    predicted: np.ndarray,
    proba: np.ndarray | None = None,
    *,
    n_boot: int = 2000,
    seed: int = 0,
) -> dict[str, float]:
    """Return all metrics over all genes, with 95 % percentile-bootstrap intervals of accuracy and MCC.

    Genes are resampled; a resample of genes is a multinomial draw of the confusion table, so 2,000 take milliseconds.
    ``proba`` (N, K) adds the AUC (one against rest, weighted, when K > 2).
    """
    y, predicted = np.asarray(y), np.asarray(predicted)
    k = max(2, int(y.max()) + 1, int(predicted.max()) + 1, 0 if proba is None else proba.shape[1])
    table = confusion(y, predicted, k)
    out = {"n": int(len(y))} | {name: float(v) for name, v in metrics_of(table).items()}
    rng = np.random.default_rng(seed)
    drawn = metrics_of(
        rng.multinomial(len(y), table.ravel() / len(y), size=n_boot).reshape(n_boot, k, k)
    )
    for name in ("accuracy", "mcc"):
        out[f"{name}_low"], out[f"{name}_high"] = (
            float(q) for q in np.quantile(drawn[name], [0.025, 0.975])
        )
    out["auc"] = float("nan") if proba is None else auc(y, proba)
    return out


def auc(y: np.ndarray, proba: np.ndarray) -> float:
    """Return the area under the ROC curve; NaN where a single class is present."""
    from sklearn.metrics import roc_auc_score

    present = np.unique(y)
    if len(present) < 2:
        return float("nan")
    if proba.shape[1] == 2:
        return float(roc_auc_score(y, proba[:, 1]))
    parts = [(roc_auc_score(y == k, proba[:, k]), np.mean(y == k)) for k in present]
    return float(sum(a * w for a, w in parts) / sum(w for _, w in parts))


def batch_averaged(y: np.ndarray, predicted: np.ndarray, batch_size: int = 64) -> dict[str, float]:
    """Return the mean of each metric over batches in file order, as the paper's scripts report them (AUDIT 2)."""
    k = max(2, int(np.max(y)) + 1, int(np.max(predicted)) + 1)
    starts = range(0, len(y), batch_size)
    tables = np.stack(
        [confusion(y[i : i + batch_size], predicted[i : i + batch_size], k) for i in starts]
    )
    return {name: float(v.mean()) for name, v in metrics_of(tables).items()}


def result_row(
    *, cancer: str, model: str, experiment: str, part: str, scores: dict, **more: object
) -> dict:
    """Return one tidy row of ``data/results/*.csv``; columns as in ``RESULT_COLUMNS``, the paper's value where it has one."""
    from degnext.cohorts.paper import paper_value

    row = (
        dict.fromkeys(RESULT_COLUMNS)
        | {"cancer": cancer, "model": model, "experiment": experiment, "part": part}
        | scores
        | more
    )
    if (
        model == "DEGnext"
        and cancer in CANCERS
        and ((experiment, part) in (("general", "T3"), ("transfer", "Q")))
    ):
        if experiment == "general" or cancer in UNTRAINED:
            row |= {
                "paper_accuracy": paper_value(cancer, experiment, "accuracy") / 100,
                "paper_mcc": paper_value(cancer, experiment, "mcc"),
            }
    unknown = set(row) - set(RESULT_COLUMNS)
    if unknown:
        raise ValueError(f"unknown result columns: {sorted(unknown)}")
    return row


def result_table(rows: list[dict]) -> pd.DataFrame:
    """Return the rows as one table with the columns of ``RESULT_COLUMNS``."""
    return pd.DataFrame(rows, columns=list(RESULT_COLUMNS))


def format_interval(value: float, low: float, high: float, percent: bool = False) -> str:
    """Write a value with its interval: ``97.4 % [95.1, 98.9]`` or ``0.95 [0.90, 0.98]``."""
    if percent:
        return f"{100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"
