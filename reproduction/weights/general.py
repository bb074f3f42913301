"""General learning with the profile network on one published cohort, for its model card."""

from __future__ import annotations

import time

import numpy as np

from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.evaluation.profile_network import FINE_TUNE, GENERAL
from degnext.learning.profile.classifier import ProfileClassifier


def general_learning(cohort: Cohort, seed: int = 0) -> dict[str, object]:
    """Train three classes on T1 and test T2 (or by folds of T2), then two on F1 and test T3."""
    from sklearn.metrics import matthews_corrcoef

    start, cpu = time.perf_counter(), time.process_time()
    model = ProfileClassifier(CLASS_NAMES, training=GENERAL, random_state=seed)
    images, y = model.encode(cohort), cohort.genes["label"].to_numpy()
    part, called_by_edger = cohort.genes["part"].to_numpy(), y != "neutral"
    t2, t3, out = np.flatnonzero(part == "T2"), part == "T3", {}
    if "T1" in cohort.parts:
        called = model.fit(images[part == "T1"], y[part == "T1"]).predict(images[t2])
    else:
        called, out = by_folds(model, images[t2], y[t2], seed), {"t2_protocol": "five folds of T2"}
        start, cpu = time.perf_counter(), time.process_time()
        model.fit(images[t2], y[t2])  # one training run is what the time is quoted for
    tune = part == "F1" if "F1" in cohort.parts else np.isin(part, ["T1", "T2"]) & called_by_edger
    tuned = model.fine_tune(images[tune], y[tune], **FINE_TUNE)
    spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    said = tuned.predict(images[t3])
    found = {"t2_accuracy": np.mean(called == y[t2]), "t2_mcc": matthews_corrcoef(y[t2], called)}
    found |= {"t3_accuracy": np.mean(said == y[t3]), "t3_mcc": matthews_corrcoef(y[t3], said)}
    return out | {name: round(float(value), 4) for name, value in (found | spent).items()}


def by_folds(
    model: ProfileClassifier, images: np.ndarray, y: np.ndarray, seed: int, n_folds: int = 5
) -> np.ndarray:
    """Return each gene's label from a network that was trained on the other stratified folds."""
    from sklearn.model_selection import StratifiedKFold

    called = np.empty(len(y), dtype=object)
    for a, b in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(y, y):
        called[b] = model.fit(images[a], y[a]).predict(images[b])
    return called
