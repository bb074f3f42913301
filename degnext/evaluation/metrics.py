"""Metrics over all genes with intervals, the paper's batch averages, and rows of result tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import CANCERS, CLASS_NAMES, UNTRAINED, label_codes
from degnext.cohorts.paper import paper_value

METRICS = ("accuracy", "recall", "precision", "f1", "mcc")
RESULT_COLUMNS = (
    *("cancer", "source", "experiment", "protocol", "model", "part", "fold", "seed", "n"),
    *("accuracy", "accuracy_low", "accuracy_high", "recall", "precision", "f1"),
    *("mcc", "mcc_low", "mcc_high", "auc", "train_seconds", "paper_accuracy", "paper_mcc"),
    *("batch_accuracy", "batch_mcc", "note"),
)


def evaluate(
    y_true: Iterable[str],
    y_pred: Iterable[str],
    y_proba: np.ndarray | None = None,
    *,
    n_boot: int = 2000,
    seed: int = 0,
) -> pd.Series:
    """Score calls over all genes, with 95 % intervals: accuracy by Wilson, MCC by bootstrap.

    y_true, y_pred: "DR", "UR" or "neutral" per gene. y_proba: genes × classes in this order (two
    columns where no gene is neutral); it adds the AUC, one against rest and weighted for three.
    Returns n, accuracy, recall, precision and F1 (weighted by class), MCC, accuracy_low and _high,
    mcc_low and _high, auc (NaN without y_proba). Raises InputError for a label spelled otherwise,
    for no gene, and for labels and calls of different length.
    The bootstrap resamples genes, which is a multinomial draw of the confusion table; where all are
    right (or all wrong) it draws from :func:`with_imagined_gene`, so that no interval is a point.
    Source: Wilson 1927, JASA 22.
    """
    y, said = label_codes(y_true), label_codes(y_pred)
    if len(y) != len(said) or not len(y):
        raise InputError(f"{len(y)} labels and {len(said)} calls: give one of each per gene")
    k = max(2, y.max() + 1, said.max() + 1, 0 if y_proba is None else y_proba.shape[1])
    table = confusion_counts(y, said, k)
    out = {"n": len(y)} | metrics_of(table)
    out["accuracy_low"], out["accuracy_high"] = accuracy_interval(np.trace(table), len(y))
    out["mcc_low"], out["mcc_high"] = mcc_interval(table, n_boot, seed)
    out["auc"] = np.nan if y_proba is None else auc(y, y_proba)
    return pd.Series(out, dtype=float)


def accuracy_interval(n_right: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the accuracy, ``n_right`` of ``n`` genes."""
    from scipy.stats import binomtest

    found = binomtest(int(n_right), int(n)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def mcc_interval(table: np.ndarray, n_boot: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of a confusion table's MCC."""
    n, share = int(np.sum(table)), with_imagined_gene(table).ravel()
    drawn = np.random.default_rng(seed).multinomial(n, share / share.sum(), size=n_boot)
    mcc, seen = metrics_of(drawn.reshape(n_boot, *np.shape(table)))["mcc"], metrics_of(table)["mcc"]
    low, high = np.quantile(mcc, [0.025, 0.975])
    return float(min(low, seen)), float(max(high, seen))


def with_imagined_gene(table: np.ndarray) -> np.ndarray:
    """Add one gene to a table without errors, spread over the cells that would be errors.

    Each class has its share of that gene, its wrong cells in equal parts. A table without a right
    call gets one in the same way; any other comes back as it is.
    """
    table, right = np.asarray(table, dtype=float), np.eye(len(table))
    share = table.sum(axis=1, keepdims=True) / table.sum()
    if table.sum() == np.trace(table):
        return table + share * (1 - right) / (len(table) - 1)
    return table if np.trace(table) else table + share * right


def scores_both_ways(
    y_true: Sequence[str], y_pred: Sequence[str], y_proba: np.ndarray | None = None
) -> pd.Series:
    """Return :func:`evaluate` with accuracy and MCC averaged over batches beside it (AUDIT 2)."""
    scores = evaluate(y_true, y_pred, y_proba)
    batched = batch_averaged(label_codes(y_true), label_codes(y_pred))
    scores["batch_accuracy"], scores["batch_mcc"] = batched["accuracy"], batched["mcc"]
    return scores


def confusion(
    y_true: Sequence[str], y_pred: Sequence[str], classes: Sequence[str] = CLASS_NAMES
) -> pd.DataFrame:
    """Count genes by label (rows) and call (columns), both in the order of ``classes``."""
    counts = confusion_counts(label_codes(y_true), label_codes(y_pred), len(CLASS_NAMES))
    table = pd.DataFrame(counts, index=CLASS_NAMES, columns=CLASS_NAMES)
    return table.loc[list(classes), list(classes)]


def confusion_counts(y: np.ndarray, said: np.ndarray, n_classes: int) -> np.ndarray:
    """Count genes by true (rows) and predicted (columns) code."""
    pair = np.asarray(y) * n_classes + np.asarray(said)
    return np.bincount(pair, minlength=n_classes**2).reshape(n_classes, n_classes)


def metrics_of(table: np.ndarray) -> dict[str, np.ndarray]:
    """Return accuracy, weighted recall, precision and F1, and Matthews' correlation of tables.

    ``table`` is (..., K, K): thousands of resampled ones are done at once. The weighted recall
    equals the accuracy, which is why the paper's tables show the same figure twice. A class never
    predicted has precision 0; MCC is 0 where a margin is empty.
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
        covariance = hit.sum(-1) * n - (true * said).sum(-1)
        mcc = np.where(spread > 0, covariance / np.where(spread > 0, spread, 1), 0.0)
        weighted = [(v * weight).sum(-1) for v in (recall, precision, f1)]
        return dict(zip(METRICS, (hit.sum(-1) / n, *weighted, mcc)))


def auc(y: np.ndarray, proba: np.ndarray) -> float:
    """Return the area under the ROC curve of codes ``y``; NaN where a single class is present."""
    from sklearn.metrics import roc_auc_score

    present = np.unique(y)
    if len(present) < 2:
        return float("nan")
    if proba.shape[1] == 2:
        return float(roc_auc_score(y, proba[:, 1]))
    parts = [(roc_auc_score(y == k, proba[:, k]), np.mean(y == k)) for k in present]
    return float(sum(a * w for a, w in parts) / sum(w for _, w in parts))


def batch_averaged(y: np.ndarray, said: np.ndarray, batch_size: int = 64) -> dict[str, float]:
    """Return the mean of each metric over batches in file order, as the paper has it (AUDIT 2)."""
    k = max(2, int(np.max(y)) + 1, int(np.max(said)) + 1)
    batches = [slice(i, i + batch_size) for i in range(0, len(y), batch_size)]
    tables = np.stack([confusion_counts(y[b], said[b], k) for b in batches])
    return {name: float(v.mean()) for name, v in metrics_of(tables).items()}


def result_row(
    *, cancer: str, model: str, experiment: str, part: str, scores: pd.Series | dict, **more: object
) -> dict:
    """Return one row of a result table, with the paper's value where it has one.

    scores: of :func:`evaluate`. more: further columns. Raises ValueError for a column that is not
    in ``RESULT_COLUMNS``.
    """
    row = dict.fromkeys(RESULT_COLUMNS)
    row |= {"cancer": cancer, "model": model, "experiment": experiment, "part": part}
    row |= dict(scores) | more
    if row["n"] is not None:
        row["n"] = int(row["n"])
    tested = {("general", "T3"): CANCERS, ("transfer", "Q"): UNTRAINED}
    if model == "DEGnext" and cancer in tested.get((experiment, part), ()):
        row["paper_accuracy"] = paper_value(cancer, experiment, "accuracy") / 100
        row["paper_mcc"] = paper_value(cancer, experiment, "mcc")
    if unknown := set(row) - set(RESULT_COLUMNS):
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
