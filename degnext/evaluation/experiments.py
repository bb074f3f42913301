"""Every method on every cohort in the paper's two experiments, on the same genes, as rows of one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from degnext.cohorts.cohort import NEUTRAL, Cohort
from degnext.evaluation.baselines import (
    LogFoldChangeRule,
    paper_baselines,
    profile_features,
    strong_references,
)
from degnext.evaluation.comparable_rows import comparable_rows
from degnext.evaluation.metrics import evaluate, result_row, result_table
from degnext.evaluation.profile_network import _FINE_TUNE, _GENERAL
from degnext.learning.images import row_values
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of

RAW, SCALED, FEATURES, IMAGE = "raw row", "log-CPM row", "profile features", "profile image"
RULE, CNN = "log-fold-change rule", "ProfileCNN"
N_FOLDS = 3  # of a part that must train and test


class ProfileModel:
    """The profile network behind the two calls of the other methods, on images."""

    def __init__(self, seed: int = 0) -> None:
        self.model = ProfileClassifier(random_state=seed, **_GENERAL)

    def fit(self, X: np.ndarray, y: np.ndarray) -> ProfileModel:
        """Learn three classes; the genes are kept for a cohort without bio genes to fine-tune on."""
        self.model.fit(X, y)
        self._called = (X[y != NEUTRAL], y[y != NEUTRAL])
        return self

    def fine_tune(self, X: np.ndarray, y: np.ndarray) -> ProfileModel:
        """Go on with two classes, on the called genes of the first stage where there are no others."""
        self.model.fine_tune(*((X, y) if len(y) else self._called), **_FINE_TUNE)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels."""
        return self.model.predict(X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities."""
        return self.model.predict_proba(X)


def scaled_rows(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Return raw counts and log2(CPM + 1), genes × samples, normal first; library sizes as the profile network takes them."""
    return row_values(cohort, "none"), row_values(cohort, "log_cpm", genes_of(cohort).factors)


def _methods(seed: int, is_tumor: np.ndarray | None) -> Iterator[tuple[str, str, Callable]]:
    """Yield name, input and factory of every method; without ``is_tumor`` the rule and the network are left to the caller."""
    for given in (RAW, SCALED, FEATURES):
        for name, make in paper_baselines(seed).items():
            yield name, given, make
    for name, make in strong_references(seed).items():
        yield name, FEATURES, make
    if is_tumor is not None:
        yield RULE, SCALED, lambda: LogFoldChangeRule(is_tumor)
        yield RULE, RAW, lambda: LogFoldChangeRule(is_tumor, "counts")
        yield CNN, IMAGE, lambda: ProfileModel(seed)


def general(cohort: Cohort, seed: int = 0, network: bool = True) -> pd.DataFrame:
    """Return one row per method and test part of one cohort's general learning; ``network=False`` leaves out the profile network.

    Three classes are learned on T1 and tested on T2; where T1 is not at hand, in three folds of T2 (every gene is
    predicted by a model that did not see it), and then on all of T2. Two classes are learned on the called genes of that part and
    F1 and tested on T3. With T3 alone, two classes in three folds of it. ``note`` says which.
    """
    parts, y = cohort.parts, cohort.codes
    t3, first = cohort.rows("T3"), next((p for p in ("T1", "T2") if p in parts), None)
    f1 = cohort.rows("F1") if "F1" in parts else np.array([], int)
    raw, scaled = scaled_rows(cohort)
    images = ProfileClassifier(3).encode(genes_of(cohort))
    features = profile_features(images, ProfileClassifier(3).channels)
    inputs, rows = {RAW: raw, SCALED: scaled, FEATURES: features, IMAGE: images}, []
    for name, given, make in _methods(seed, np.sort(cohort.is_tumor)):
        if given == IMAGE and not network:
            continue
        x, start = inputs[given], time.perf_counter()
        common = dict(
            cancer=cohort.name,
            source=cohort.source,
            protocol=given,
            model=name,
            fold=0,
            seed=seed,
        )

        def score(
            part: str,
            at: np.ndarray,
            proba: np.ndarray,
            called: np.ndarray,
            seconds: float,
            note: str,
        ) -> dict:
            return result_row(
                experiment="three-class" if part == "T2" else "general",
                part=part,
                scores=evaluate(y[at], called, proba),
                train_seconds=round(seconds, 2),
                note=note,
                **common,
            )

        if first is None:
            called, proba = folds(lambda: _two_stages(make), x, y, t3, seed)
            rows.append(
                score(
                    "T3",
                    t3,
                    proba,
                    called,
                    (time.perf_counter() - start) / N_FOLDS,
                    "three folds of T3: nothing else is at hand",
                )
            )
            continue
        train = cohort.rows(first)
        if first == "T1":
            model = make().fit(x[train], y[train])
            seconds, t2 = time.perf_counter() - start, cohort.rows("T2")
            rows.append(
                score("T2", t2, model.predict_proba(x[t2]), model.predict(x[t2]), seconds, "")
            )
        else:
            called, proba = folds(make, x, y, train, seed)
            rows.append(
                score(
                    "T2",
                    train,
                    proba,
                    called,
                    (time.perf_counter() - start) / N_FOLDS,
                    "three folds of T2: T1 is not at hand",
                )
            )
            start = time.perf_counter()
            model = make().fit(x[train], y[train])
        model.fine_tune(x[f1], y[f1])
        note = ("" if first == "T1" else "trained on T2") + ("" if len(f1) else ", without F1")
        rows.append(
            score(
                "T3",
                t3,
                model.predict_proba(x[t3]),
                model.predict(x[t3]),
                time.perf_counter() - start,
                note,
            )
        )
    return result_table(rows)


def _two_stages(make: Callable) -> object:
    """Return a model whose ``fit`` is its two stages on the same two-class genes."""
    model = make()
    if not isinstance(model, ProfileModel):
        return model
    first = model.fit
    model.fit = lambda x, y: (first(x, y), model.fine_tune(x, y))[1]
    return model


def folds(
    make: Callable, x: np.ndarray, y: np.ndarray, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of the genes at ``rows``, each from a model trained on the other stratified folds."""
    called, proba = np.zeros(len(rows), int), np.zeros((len(rows), int(y[rows].max()) + 1))
    for a, b in StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(rows, y[rows]):
        model = make().fit(x[rows[a]], y[rows[a]])
        called[b], proba[b] = (
            model.predict(x[rows[b]]),
            model.predict_proba(x[rows[b]])[:, : proba.shape[1]],
        )
    return called, proba


def called_genes(cohort: Cohort) -> np.ndarray:
    """Return the rows of a training cohort's UR and DR genes: T1, T2, F1; T3 only where nothing else is at hand (BRCA)."""
    labels, part = cohort.codes, cohort.genes["part"].to_numpy()
    return np.flatnonzero((labels != NEUTRAL) & ((part != "T3") | (set(part) == {"T3"})))


def transfer_inputs(
    cohort: Cohort,
    rows: np.ndarray,
    how: str = "quantiles",
    rng: np.random.Generator | None = None,
    inputs: tuple[str, ...] = (RAW, SCALED, FEATURES),
) -> dict[str, np.ndarray]:
    """Return each kind of input for the genes at ``rows``, of equal width in every cohort; the profile's numbers aligned as the network's."""
    out, is_tumor = {}, np.sort(cohort.is_tumor)
    raw, scaled = scaled_rows(cohort)
    for given, values in ((RAW, raw), (SCALED, scaled)):
        if given in inputs:
            out[given] = comparable_rows(values[rows], is_tumor, how, rng=rng)
    if FEATURES in inputs:
        encoder = ProfileClassifier(2)
        out[FEATURES] = profile_features(
            encoder.encode(genes_of(cohort, rows)._replace(labels=None)), encoder.channels
        )
    return out


def train_transfer(
    training: list[Cohort], seed: int = 0, probabilities: bool = True
) -> dict[tuple[str, str], tuple[object, float]]:
    """Train every method on the called genes of ``training``; return models and seconds by (model, input)."""
    rows = [called_genes(c) for c in training]
    y = np.concatenate([c.codes[r].astype(int) for c, r in zip(training, rows)])
    each = [transfer_inputs(c, r) for c, r in zip(training, rows)]
    x = {given: np.concatenate([e[given] for e in each]) for given in each[0]}
    methods = [
        (n, g, m)
        for g in (RAW, SCALED, FEATURES)
        for n, m in paper_baselines(seed, probabilities).items()
    ]
    methods += [(n, FEATURES, m) for n, m in strong_references(seed).items()]
    models = {}
    for name, given, make in methods:
        start = time.perf_counter()
        models[name, given] = make().fit(x[given], y), time.perf_counter() - start
    start = time.perf_counter()
    network = ProfileClassifier(2, random_state=seed).fit(
        [genes_of(c, r) for c, r in zip(training, rows)]
    )
    models[CNN, IMAGE] = network, time.perf_counter() - start
    return models


def transfer(models: dict, target: Cohort, seed: int = 0) -> pd.DataFrame:
    """Return one row per method for the target's Q, whose labels no model has seen."""
    q, y = target.rows("Q"), target.codes
    x, rows = transfer_inputs(target, q), []
    x[IMAGE] = genes_of(target, q)._replace(labels=None)
    common = dict(
        cancer=target.name,
        source=target.source,
        experiment="transfer",
        part="Q",
        fold=0,
        seed=seed,
    )
    for (name, given), (model, seconds) in models.items():
        scores = evaluate(y[q], model.predict(x[given]), model.predict_proba(x[given]))
        rows.append(
            result_row(
                model=name, protocol=given, scores=scores, train_seconds=round(seconds, 2), **common
            )
        )
    is_tumor = np.sort(target.is_tumor)
    for given, values, kind in zip((SCALED, RAW), scaled_rows(target)[::-1], ("log_cpm", "counts")):
        rule = LogFoldChangeRule(is_tumor, kind).fine_tune(values[q], y[q])
        scores = evaluate(y[q], rule.predict(values[q]), rule.predict_proba(values[q]))
        rows.append(
            result_row(model=RULE, protocol=given, scores=scores, train_seconds=0.0, **common)
        )
    return result_table(rows)


def compare_row_ways(
    training: list[Cohort], seed: int = 0, max_genes: int = 300
) -> pd.DataFrame:
    """Return the accuracy of the paper's five methods by way of making rows comparable, each training cancer left out in turn.

    At most ``max_genes`` called genes of each cohort are drawn, so that five methods × four ways × nine cohorts stay affordable.
    """
    from degnext.evaluation.comparable_rows import WAYS

    rng, out = np.random.default_rng(seed), []
    picked = [rng.permutation(called_genes(c))[:max_genes] for c in training]
    labels = [c.codes[r].astype(int) for c, r in zip(training, picked)]
    for how in WAYS:
        each = [
            transfer_inputs(c, r, how, np.random.default_rng([seed, i]), (RAW, SCALED))
            for i, (c, r) in enumerate(zip(training, picked))
        ]
        for left, cohort in enumerate(training):
            others = [i for i in range(len(training)) if i != left]
            y = np.concatenate([labels[i] for i in others])
            for given in (RAW, SCALED):
                x = np.concatenate([each[i][given] for i in others])
                for name, make in paper_baselines(seed, probabilities=False).items():
                    right = make().fit(x, y).predict(each[left][given]) == labels[left]
                    out.append(
                        {
                            "how": how,
                            "input": given,
                            "model": name,
                            "left_out": cohort.name,
                            "n": len(right),
                            "accuracy": round(float(right.mean()), 5),
                        }
                    )
    return pd.DataFrame(out)
