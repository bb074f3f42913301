"""The paper's first experiment with every method on the same genes: three classes, then two."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.evaluation import baselines
from degnext.evaluation.metrics import evaluate, result_row, result_table
from degnext.evaluation.profile_network import ProfileModel
from degnext.learning.classifier import DEGnextClassifier
from degnext.learning.images import row_values
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of

RAW, SCALED, FEATURES, IMAGE = "raw row", "log-CPM row", "profile features", "profile image"
PLAIN, PLAIN_IMAGE = "features without tests", "image without tests"
INPUTS = (RAW, SCALED, PLAIN, FEATURES, PLAIN_IMAGE, IMAGE)
DESCRIPTIVE = ("quantiles", "log_ratio", "level", "within_sd")  # channels; none is a statistic
RULE, CNN, N_FOLDS = "log-fold-change rule", "ProfileCNN", 3  # folds where a part does both


class Answer(NamedTuple):
    """What a method says of the genes at ``rows`` of a part, after so many seconds of training."""

    part: str
    rows: np.ndarray
    labels: np.ndarray
    proba: np.ndarray
    seconds: float
    note: str


def methods(seed: int = 0, network: bool = True) -> list[tuple[str, str, Callable]]:
    """Return name, input and factory of every method."""
    five, strong = baselines.paper_baselines(seed), baselines.strong_references(seed)
    rule = baselines.FoldChangeRule
    out = [(name, x, make) for x in (RAW, SCALED, PLAIN, FEATURES) for name, make in five.items()]
    out += [(name, x, make) for x in (PLAIN, FEATURES) for name, make in strong.items()]
    out += [(RULE, SCALED, rule), (RULE, RAW, lambda: rule(counts=True))]
    plain = (CNN, PLAIN_IMAGE, lambda: ProfileModel(seed, DESCRIPTIVE))
    return out + ([plain, (CNN, IMAGE, lambda: ProfileModel(seed))] if network else [])


def gene_inputs(cohort: Cohort, encoder: ProfileClassifier) -> dict[str, np.ndarray]:
    """Return what methods are given of every gene, normal samples first.

    Keys as in ``INPUTS``: rows genes × samples, scaled by the profile network's library sizes;
    features genes × numbers of the image; images with all channels or the ``DESCRIPTIVE`` ones.
    """
    genes = genes_of(cohort)
    raw, scaled = row_values(cohort, "none"), row_values(cohort, "log_cpm", genes.factors)
    images = encoder.encode(genes)
    channels = encoder.resolved["channels"]
    plain = images[:, [channels.index(c) for c in DESCRIPTIVE if c in channels]]
    shown = (plain, DESCRIPTIVE), (images, channels)
    features = [baselines.profile_features(*given) for given in shown]
    return dict(zip(INPUTS, (raw, scaled, *features, plain, images)))


def sorted_groups(cohort: Cohort) -> np.ndarray:
    """Return the group of each column of row values: normal samples first."""
    return np.where(np.sort(cohort.is_tumor), "tumor", "normal")


def general(cohort: Cohort, seed: int = 0, network: bool = True, given=INPUTS) -> pd.DataFrame:
    """Return one row per method and test part of one cohort's general learning.

    Three classes are learned on T1 and tested on T2; where T1 is not at hand, in three folds of T2
    (every gene is predicted by a model that did not see it), and then on all of T2. Two classes are
    learned on the called genes of that part and F1 and tested on T3. With T3 alone, two classes in
    three folds of it. ``note`` says which. ``network=False`` leaves out the profile network,
    ``given`` names the inputs whose methods are run.
    """
    inputs = gene_inputs(cohort, ProfileClassifier(CLASS_NAMES))
    rows, y = [], cohort.genes["label"].to_numpy()
    for name, x, make in (m for m in methods(seed, network) if m[1] in given):
        about = {"cancer": cohort.name, "source": cohort.source, "model": name, "protocol": x}
        for a in _answers(make, inputs[x], cohort, seed):
            more = {"fold": 0, "seed": seed, "train_seconds": round(a.seconds, 2), "note": a.note}
            more |= {"experiment": "three-class" if a.part == "T2" else "general", "part": a.part}
            scores = evaluate(y[a.rows], a.labels, a.proba)
            rows.append(result_row(**about, **more, scores=scores))
    return result_table(rows)


def method_names(rows: pd.DataFrame) -> pd.Series:
    """Return "model, what it was given" for each row; with one kind of input the bare name."""
    kinds = rows.groupby("model")["protocol"].transform(lambda p: p.nunique(dropna=False))
    full = rows["model"] + ", " + rows["protocol"].fillna("").astype(str)
    return rows["model"].where(kinds == 1, full)


def _answers(make: Callable, x: np.ndarray, cohort: Cohort, seed: int) -> Iterator[Answer]:
    y, groups = cohort.genes["label"].to_numpy(), sorted_groups(cohort)
    t3, first = cohort.rows("T3"), next((p for p in ("T1", "T2") if p in cohort.parts), None)
    if first is None:
        said = in_folds(make, x, y, t3, groups, seed)
        yield Answer("T3", t3, *said, "three folds of T3: nothing else is at hand")
        return
    train, t2 = cohort.rows(first), cohort.rows("T2")
    if first == "T2":
        said = in_folds(make, x, y, t2, groups, seed)
        yield Answer("T2", t2, *said, "three folds of T2: T1 is not at hand")
    start = time.perf_counter()
    model = make().fit(x[train], y[train], groups=groups)
    seconds = time.perf_counter() - start
    if first == "T1":
        yield Answer("T2", t2, *ask(model, x[t2], groups), seconds, "")
    f1 = cohort.rows("F1") if "F1" in cohort.parts else np.array([], int)
    start = time.perf_counter()
    model = model.fine_tune(x[f1], y[f1], groups=groups)
    seconds += time.perf_counter() - start
    note = ("" if first == "T1" else "trained on T2") + ("" if len(f1) else ", without F1")
    yield Answer("T3", t3, *ask(model, x[t3], groups), seconds, note)


def ask(model, x: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and class probabilities of the genes in ``x``."""
    proba = model.predict_proba(x, groups=groups)
    if isinstance(model, DEGnextClassifier):  # which is slow: ask it once
        return model.called(proba), proba
    return model.predict(x, groups=groups), proba


def in_folds(
    make: Callable, x: np.ndarray, y: np.ndarray, rows: np.ndarray, groups: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return labels and probabilities of the genes at ``rows`` and the seconds of one fold.

    Each answer is from a model trained on the other stratified folds.
    """
    labels = np.empty(len(rows), object)
    proba = np.zeros((len(rows), 3 if "neutral" in y[rows] else 2))
    folds, start = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed), time.perf_counter()
    for a, b in folds.split(rows, y[rows]):
        model = make().fit(x[rows[a]], y[rows[a]], groups=groups)
        labels[b], proba[b] = ask(model, x[rows[b]], groups)
    return labels, proba, (time.perf_counter() - start) / N_FOLDS
