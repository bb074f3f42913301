"""The profile network in the two experiments of the paper: general learning on one cohort, transfer to another."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from degnext.cohorts.cohort import CLASS_NAMES, NEUTRAL, Cohort
from degnext.learning.profile.classifier import TRAINING, ProfileClassifier
from degnext.learning.profile.genes import genes_of

GENERAL = replace(TRAINING, epochs=20, batch_size=64, lr=3e-3)  # chosen on folds of T1
FINE_TUNE = {"n_classes": 2, "epochs": 20, "lr": 2e-3}
Answer = tuple[np.ndarray, np.ndarray]  # predicted labels, class probabilities


def general(cohort: Cohort, train_part: str = "T1", seed: int = 0) -> dict:
    """Train three classes on ``train_part`` and two on F1; return answers on T2 and T3 and the seconds, encoding included."""
    start = time.perf_counter()
    model = ProfileClassifier(CLASS_NAMES, training=GENERAL, random_state=seed)
    images, labels = model.encode(cohort), cohort.genes["label"].to_numpy()
    train, t2, f1, t3 = (cohort.rows(part) for part in (train_part, "T2", "F1", "T3"))
    model.fit(images[train], labels[train])
    out = {"T2": (model.predict(images[t2]), model.predict_proba(images[t2]))}
    model = model.fine_tune(images[f1], labels[f1], **FINE_TUNE)
    out["T3"] = (model.predict(images[t3]), model.predict_proba(images[t3]))
    return out | {"seconds": time.perf_counter() - start}


def transfer(training: list[Cohort], target: Cohort, seed: int = 0) -> tuple[Answer, float]:
    """Train two classes on the called genes of ``training`` without their T3; return the answer on the target's Q and the seconds."""
    start = time.perf_counter()
    learned = []
    for cohort in training:
        rows = np.flatnonzero((cohort.genes["part"] != "T3").to_numpy() & (cohort.codes != NEUTRAL))
        learned.append(genes_of(cohort, rows))
    model = ProfileClassifier(random_state=seed).fit(learned)
    return answer_on_q(model, target), time.perf_counter() - start


def answer_on_q(model: ProfileClassifier, target: Cohort) -> Answer:
    """Return labels and probabilities of the target's bio genes, whose labels the model does not see."""
    genes = genes_of(target, target.rows("Q"))._replace(labels=None)
    return model.predict(genes), model.predict_proba(genes)
