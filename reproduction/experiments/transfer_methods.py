"""The paper's second experiment with every method: trained on nine cancers, tested on others."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.evaluation.baselines import (
    FoldChangeRule,
    paper_baselines,
    profile_features,
    strong_references,
)
from degnext.evaluation.experiments import (
    CNN,
    FEATURES,
    IMAGE,
    RAW,
    RULE,
    SCALED,
    ask,
    sorted_groups,
)
from degnext.evaluation.metrics import evaluate, result_row, result_table
from degnext.evaluation.profile_network import called_genes
from degnext.learning.images import row_values
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction.experiments.comparable_rows import WAYS, comparable_rows


def scaled_rows(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Return raw counts and log2(CPM + 1), normal first; library sizes as the profile network's."""
    return row_values(cohort, "none"), row_values(cohort, "log_cpm", genes_of(cohort).factors)


def transfer_inputs(
    cohort: Cohort,
    rows: np.ndarray,
    how: str = "quantiles",
    rng: np.random.Generator | None = None,
    inputs: tuple[str, ...] = (RAW, SCALED, FEATURES),
) -> dict[str, np.ndarray]:
    """Return each kind of input for the genes at ``rows``, of equal width in every cohort."""
    out, is_tumor = {}, np.sort(cohort.is_tumor)
    for given, values in zip((RAW, SCALED), scaled_rows(cohort)):
        if given in inputs:
            out[given] = comparable_rows(values[rows], is_tumor, how, rng=rng)
    if FEATURES in inputs:
        encoder = ProfileClassifier()
        images = encoder.encode(genes_of(cohort, rows)._replace(labels=None))
        out[FEATURES] = profile_features(images, encoder.resolved["channels"])
    return out


def train_transfer(
    training: list[Cohort], seed: int = 0, probabilities: bool = True
) -> dict[tuple[str, str], tuple[object, float]]:
    """Train every method on called genes; return models and seconds by (model, input)."""
    rows = [called_genes(c) for c in training]
    y = np.concatenate([c.genes["label"].to_numpy()[r] for c, r in zip(training, rows)])
    each = [transfer_inputs(c, r) for c, r in zip(training, rows)]
    x = {given: np.concatenate([e[given] for e in each]) for given in each[0]}
    five = paper_baselines(seed, probabilities)
    methods = [(n, given, m) for given in (RAW, SCALED, FEATURES) for n, m in five.items()]
    methods += [(n, FEATURES, m) for n, m in strong_references(seed).items()]
    models = {}
    for name, given, make in methods:
        start = time.perf_counter()
        models[name, given] = make().fit(x[given], y), time.perf_counter() - start
    start, genes = time.perf_counter(), [genes_of(c, r) for c, r in zip(training, rows)]
    network = ProfileClassifier(random_state=seed).fit(genes)
    models[CNN, IMAGE] = network, time.perf_counter() - start
    return models


def transfer(models: dict, target: Cohort, seed: int = 0) -> pd.DataFrame:
    """Return one row per method for the target's Q, whose labels no model has seen."""
    q, groups = target.rows("Q"), sorted_groups(target)
    x, said = transfer_inputs(target, q), {}
    for (name, given), (model, seconds) in models.items():
        if given == IMAGE:
            genes = genes_of(target, q)._replace(labels=None)
            answer = model.predict(genes), model.predict_proba(genes)
        else:
            answer = ask(model, x[given], groups)
        said[name, given] = answer, seconds
    raw, scaled = scaled_rows(target)
    said[RULE, SCALED] = ask(FoldChangeRule(), scaled[q], groups), 0.0
    said[RULE, RAW] = ask(FoldChangeRule(counts=True), raw[q], groups), 0.0
    common = {"cancer": target.name, "source": target.source, "experiment": "transfer"}
    common |= {"part": "Q", "fold": 0, "seed": seed}
    rows, y = [], target.genes["label"].to_numpy()[q]
    for (name, given), (answer, seconds) in said.items():
        method = {"model": name, "protocol": given, "train_seconds": round(seconds, 2)}
        rows.append(result_row(**common, **method, scores=evaluate(y, *answer)))
    return result_table(rows)


def compare_row_ways(training: list[Cohort], seed: int = 0, max_genes: int = 300) -> pd.DataFrame:
    """Return the accuracy of the paper's five methods by way of making rows comparable.

    Each cohort is left out in turn. At most ``max_genes`` called genes of each are drawn, so that
    five methods × four ways × nine cohorts stay affordable.
    """
    rng, out = np.random.default_rng(seed), []
    picked = [rng.permutation(called_genes(c))[:max_genes] for c in training]
    labels = [c.genes["label"].to_numpy()[r] for c, r in zip(training, picked)]
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
                about = {"how": how, "input": given, "left_out": cohort.name}
                for name, make in paper_baselines(seed, probabilities=False).items():
                    right = make().fit(x, y).predict(each[left][given]) == labels[left]
                    accuracy = round(float(right.mean()), 5)
                    out.append({**about, "model": name, "n": len(right), "accuracy": accuracy})
    columns = ["how", "input", "model", "left_out", "n", "accuracy"]
    return pd.DataFrame(out, columns=columns)
