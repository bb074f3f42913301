"""The paper's network in its first experiment: three classes on one cohort, then two."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.learning.classifier import DEGnextClassifier
from degnext.learning.images import row_values


def general(
    cohort: Cohort,
    train_part: str = "T1",
    *,
    fine_tune_epochs: int | None = None,
    save_to: Path | None = None,
    checkpoint: Path | None = None,
    progress: bool = False,
    **settings: object,
) -> dict:
    """Fit three classes on ``train_part``, fine-tune two on F1; return the answers on T2 and T3.

    ``settings`` go to :class:`degnext.DEGnextClassifier`. With ``save_to`` the weights of both
    stages are left there; from the folder ``checkpoint`` a killed run goes on. Returns a dict with
    ``T2`` and ``T3`` (labels, probabilities), ``rows`` of each part, ``history`` and
    ``fine_tune_history`` (one record per epoch) and ``seconds`` of training.
    """
    model = DEGnextClassifier(**settings)
    values, labels = row_values(cohort, model.rules.scaling), cohort.genes["label"].to_numpy()
    rows = {part: cohort.rows(part) for part in cohort.parts}

    def given(part: str, stage: str) -> dict:
        kept = checkpoint / f"{stage}.safetensors" if checkpoint else None
        x, y = values[rows[part]], labels[rows[part]]
        return {"X": x, "y": y, "checkpoint": kept, "progress": progress}

    def answer(model: DEGnextClassifier, part: str) -> tuple[np.ndarray, np.ndarray]:
        proba = model.predict_proba(values[rows[part]])
        return model.called(proba), proba

    start = time.perf_counter()
    model.fit(**given(train_part, "fit"))
    tuned = model.fine_tune(**given("F1", "fine_tune"), epochs=fine_tune_epochs)
    seconds = time.perf_counter() - start
    if save_to:
        model.save(save_to / "three_class.safetensors")
        tuned.save(save_to / "two_class.safetensors")
    out = {"T2": answer(model, "T2"), "T3": answer(tuned, "T3"), "rows": rows, "seconds": seconds}
    return out | {"history": model.history_, "fine_tune_history": tuned.history_}
