"""Every method on disturbed cohorts: noise with its ceiling, and what happens in practice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.perturb import LEVELS, PERTURBATIONS, add_noise, disturbed, noise_sd, perturb
from degnext.evaluation import experiments
from degnext.evaluation.baselines import FoldChangeRule, paper_baselines, strong_references
from degnext.evaluation.ceiling import ceiling, label_border, standard_distance
from degnext.evaluation.experiments import CNN, FEATURES, IMAGE, RAW, RULE, SCALED
from degnext.learning.profile.classifier import TRAINING, ProfileClassifier
from degnext.learning.profile.genes import genes_of

READINGS = ("absolute", "relative")
CEILINGS = {"ceiling": "ceiling", "sign": "sign of the noisy difference"}
Calls = dict[tuple[str, str], np.ndarray]  # labels by model and what it was given
Answer = Callable[[Cohort], Calls]


def test_rows(cohort: Cohort, train_part: str = "T1") -> tuple[np.ndarray, np.ndarray]:
    """Return called genes to train on, of ``train_part`` and F1, and to test on, of T2 and T3."""
    called = (cohort.genes["label"] != "neutral").to_numpy()
    train = cohort.genes["part"].isin([train_part, "F1"]).to_numpy()
    test = cohort.genes["part"].isin(["T2", "T3"] if train_part == "T1" else ["T3"]).to_numpy()
    return np.flatnonzero(called & train), np.flatnonzero(called & test)


def train_general(cohort: Cohort, rows: np.ndarray, seed: int = 0) -> dict[tuple[str, str], object]:
    """Train the paper's five methods, logistic regression and the network on some genes."""
    x = experiments.gene_inputs(cohort, ProfileClassifier(align=False))
    y = cohort.genes["label"].to_numpy()[rows]
    makes = {(name, RAW): m for name, m in paper_baselines(seed, probabilities=False).items()}
    makes["Logistic regression", FEATURES] = strong_references(seed)["Logistic regression"]
    models = {key: make().fit(x[key[1]][rows], y) for key, make in makes.items()}
    training = replace(TRAINING, epochs=10, batch_size=64)
    network = ProfileClassifier(align=False, training=training, random_state=seed)
    return models | {(CNN, IMAGE): network.fit(x[IMAGE][rows], y)}


def general_answer(models: dict, rows: np.ndarray) -> Answer:
    """Return a function by which models and the rule call the genes at ``rows`` of a cohort."""

    def answer(cohort: Cohort) -> Calls:
        inputs = experiments.gene_inputs(cohort, ProfileClassifier(align=False))
        x = {given: values[rows] for given, values in inputs.items()}
        calls = {key: model.predict(x[key[1]]) for key, model in models.items()}
        return calls | rule_calls(x[RAW], x[SCALED], experiments.sorted_groups(cohort))

    return answer


def rule_calls(raw: np.ndarray, scaled: np.ndarray, groups: np.ndarray) -> Calls:
    """Return the calls of the rule on scaled and on raw counts; it learns nothing."""
    on_counts = FoldChangeRule(counts=True).predict(raw, groups=groups)
    return {(RULE, SCALED): FoldChangeRule().predict(scaled, groups=groups), (RULE, RAW): on_counts}


def noise_table(
    cohort: Cohort,
    rows: np.ndarray,
    answer: Answer,
    *,
    draws: int = 5,
    seed: int = 0,
    levels: Iterable[int] = LEVELS,
) -> pd.DataFrame:
    """Return the accuracy of every method, and the ceiling, by level of noise.

    answer: asked for the genes at ``rows`` of every noisy cohort.

    Columns reading, level, model, protocol, n, draws, accuracy, accuracy_sd, accuracy_low,
    accuracy_high (of the draws), balanced (mean of the shares of UR and of DR genes called right:
    nothing is gained by guessing the larger class).
    """
    counts, tumor, codes = cohort.counts.to_numpy(), cohort.is_tumor, cohort.codes
    factors, labels = genes_of(cohort).factors, cohort.genes["label"].to_numpy()[rows]
    border, found = label_border(counts, tumor, codes, factors), []
    for reading, level in ((reading, level) for reading in READINGS for level in levels):
        facts = {"reading": reading, "level": level}
        sd = noise_sd(counts[rows], level, reading, tumor)
        z = standard_distance(counts[rows], tumor, codes[rows], sd, factors, border)
        for name, (accuracy, balanced) in ceiling(z).items():
            limit = {"model": CEILINGS[name], "protocol": ""}
            found.append({**facts, **limit, "accuracy": accuracy, "balanced": balanced})
        for draw in range(draws):
            rng = np.random.default_rng([seed, level, draw])
            noisy = disturbed(cohort, add_noise(counts, level, reading, rng, tumor))
            found += [facts | row for row in _right(answer(noisy), labels)]
    return _summary(found, ["reading", "level"], len(rows))


def perturbation_table(
    cohort: Cohort,
    rows: np.ndarray,
    answer: Answer,
    *,
    draws: int = 5,
    seed: int = 0,
    perturbations: dict[str, tuple[float, ...]] = PERTURBATIONS,
) -> pd.DataFrame:
    """Return every method's accuracy under each perturbation; "none" is the cohort as it is."""
    labels = cohort.genes["label"].to_numpy()[rows]
    facts = {"perturbation": "none", "value": 0}
    found = [facts | row for row in _right(answer(cohort), labels)]
    for name, value in ((name, v) for name, values in perturbations.items() for v in values):
        for draw in range(draws):
            rng = np.random.default_rng([seed, int(1000 * value), draw])
            calls = answer(perturb(cohort, name, value, rng))
            facts = {"perturbation": name, "value": value}
            found += [facts | row for row in _right(calls, labels)]
    return _summary(found, ["perturbation", "value"], len(rows))


def _right(calls: Calls, labels: np.ndarray) -> list[dict]:
    """Return accuracy and balanced accuracy of each method."""
    out = []
    for (model, protocol), said in calls.items():
        shares = [(said[labels == k] == k).mean() for k in ("DR", "UR") if (labels == k).any()]
        scores = {"accuracy": float((said == labels).mean()), "balanced": float(np.mean(shares))}
        out.append({"model": model, "protocol": protocol, **scores})
    return out


def _summary(found: list[dict], by: list[str], n: int) -> pd.DataFrame:
    """Summarise the accuracies of single draws."""
    stats = {"draws": "size", "accuracy": "mean", "accuracy_sd": "std"}
    stats |= {"accuracy_low": "min", "accuracy_high": "max"}
    columns = {name: ("accuracy", how) for name, how in stats.items()}
    groups = pd.DataFrame(found).groupby([*by, "model", "protocol"], sort=False)
    table = groups.agg(**columns, balanced=("balanced", "mean")).reset_index()
    table.insert(len(by) + 2, "n", n)
    return table.fillna({"accuracy_sd": 0.0})
