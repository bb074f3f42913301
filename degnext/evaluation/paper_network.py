"""The paper's network in its first experiment: three classes on one cohort, then two, tested on genes it has not seen."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from degnext.cohorts.cohort import Cohort, label_names
from degnext.evaluation import metrics
from degnext.learning.classifier import DEGnext
from degnext.learning.images import row_values


def general(
    cohort: Cohort,
    train_part: str = "T1",
    *,
    protocol: str = "corrected",
    save_to: Path | None = None,
    **settings: object,
) -> dict:
    """Fit three classes on ``train_part``, fine-tune two on F1; return the answers on T2 and T3.

    ``settings`` go to :class:`degnext.DEGnext` (relu, epochs, fine_tune_epochs, random_state, device, checkpoint, progress).
    With ``save_to`` the weights of both stages are left there. Returns a dict with ``T2`` and ``T3`` (labels, probabilities),
    ``history`` and ``fine_tune_history`` (one record per epoch) and ``seconds`` of training.
    """
    model = DEGnext(protocol, **settings)
    values, labels = row_values(cohort, model.rules.scaling), cohort.codes
    rows = {part: cohort.rows(part) for part in cohort.parts}
    start = time.perf_counter()
    model.fit(values[rows[train_part]], labels[rows[train_part]])
    seconds = time.perf_counter() - start
    out = {
        "T2": (model.predict(values[rows["T2"]]), model.predict_proba(values[rows["T2"]])),
        "history": model.history_,
        "rows": rows,
    }
    if save_to:
        model.save(save_to / "three_class.safetensors")
    start = time.perf_counter()
    model.fine_tune(values[rows["F1"]], labels[rows["F1"]])
    seconds += time.perf_counter() - start
    if save_to:
        model.save(save_to / "two_class.safetensors")
    out["T3"] = (model.predict(values[rows["T3"]]), model.predict_proba(values[rows["T3"]]))
    return out | {"fine_tune_history": model.fine_tune_history_, "seconds": seconds}


def scores_both_ways(labels: np.ndarray, predicted: np.ndarray, proba: np.ndarray | None = None):
    """Return :func:`degnext.evaluation.metrics.scores_both_ways` of codes."""
    return metrics.scores_both_ways(label_names(labels), label_names(predicted), proba)
