"""The profile network in the paper's experiments: general learning, and transfer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from degnext.cohorts.cohort import CLASS_NAMES, NEUTRAL, Cohort
from degnext.learning.profile.classifier import TRAINING, ProfileClassifier
from degnext.learning.profile.genes import genes_of

GENERAL = replace(TRAINING, epochs=20, batch_size=64, lr=3e-3)  # chosen on folds of T1
FINE_TUNE = {"n_classes": 2, "epochs": 20, "lr": 2e-3}
Answer = tuple[np.ndarray, np.ndarray]  # labels, class probabilities


class ProfileModel:
    """The profile network on images of some channels, behind the calls of the other methods."""

    def __init__(self, seed: int = 0, channels: Sequence[str] | None = None) -> None:
        given = {"channels": channels, "training": GENERAL, "random_state": seed}
        self.model_ = ProfileClassifier(CLASS_NAMES, **given)

    def fit(self, X: np.ndarray, y: np.ndarray, *, groups: object = None) -> ProfileModel:
        """Learn three classes; where no gene is neutral, both stages on the same genes."""
        self.model_.fit(X, y)
        called = y != "neutral"
        self._called = X[called], y[called]
        return self.fine_tune(X, y) if called.all() else self

    def fine_tune(self, X: np.ndarray, y: np.ndarray, *, groups: object = None) -> ProfileModel:
        """Return a two-class model; without genes it goes on with the called ones of ``fit``."""
        tuned = ProfileModel()
        tuned.model_ = self.model_.fine_tune(*((X, y) if len(y) else self._called), **FINE_TUNE)
        return tuned

    def predict(self, X: np.ndarray, *, groups: object = None) -> np.ndarray:
        """Return labels."""
        return self.model_.predict(X)

    def predict_proba(self, X: np.ndarray, *, groups: object = None) -> np.ndarray:
        """Return class probabilities."""
        return self.model_.predict_proba(X)


def general(cohort: Cohort, train_part: str = "T1", seed: int = 0) -> dict:
    """Train three classes on ``train_part`` and two on F1.

    Returns the answers on T2 and T3, and the seconds, encoding included.
    """
    start, model, y = time.perf_counter(), ProfileModel(seed), cohort.genes["label"].to_numpy()
    images = model.model_.encode(cohort)
    train, t2, f1, t3 = (cohort.rows(part) for part in (train_part, "T2", "F1", "T3"))
    model.fit(images[train], y[train])
    tuned = model.fine_tune(images[f1], y[f1])
    out = {"T2": (model.predict(images[t2]), model.predict_proba(images[t2]))}
    out["T3"] = (tuned.predict(images[t3]), tuned.predict_proba(images[t3]))
    return out | {"seconds": time.perf_counter() - start}


def called_genes(cohort: Cohort) -> np.ndarray:
    """Return a training cohort's UR and DR rows; those of T3 where it is all there is (BRCA)."""
    labels, part = cohort.codes, cohort.genes["part"].to_numpy()
    return np.flatnonzero((labels != NEUTRAL) & ((part != "T3") | (set(part) == {"T3"})))


def transfer(training: list[Cohort], target: Cohort, seed: int = 0) -> tuple[Answer, float]:
    """Train two classes on called genes; return the answer on the target's Q and the seconds."""
    start = time.perf_counter()
    genes = [genes_of(cohort, called_genes(cohort)) for cohort in training]
    model = ProfileClassifier(random_state=seed).fit(genes)
    return answer_on_q(model, target), time.perf_counter() - start


def answer_on_q(model: ProfileClassifier, target: Cohort) -> Answer:
    """Return the answer on the target's bio genes at hand, whose labels the model does not see."""
    parts = [part for part in ("F1", "T3") if part in target.parts]
    genes = genes_of(target, target.rows(*parts))._replace(labels=None)
    return model.predict(genes), model.predict_proba(genes)
