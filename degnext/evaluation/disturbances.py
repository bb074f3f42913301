"""Every method on disturbed cohorts: Gaussian noise with its ceiling, and disturbances that happen in practice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import NEUTRAL, Cohort
from degnext.cohorts.perturb import LEVELS, PERTURBATIONS, add_noise, disturbed, perturb
from degnext.evaluation import experiments as benchmark
from degnext.evaluation.baselines import (
    LogFoldChangeRule,
    paper_baselines,
    profile_features,
    strong_references,
)
from degnext.evaluation.ceiling import ceiling
from degnext.evaluation.experiments import CNN, FEATURES, IMAGE, RAW, RULE, SCALED
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of

READINGS = ("absolute", "relative")
CEILINGS = {"ceiling": "ceiling", "sign": "sign of the noisy difference"}
SHARES = ", class shares estimated"
Answer = Callable[[Cohort], dict[tuple[str, str], np.ndarray]]


# -- two ways to train -----------------------------------------------------------------------------------------------


def rule_answer(cohort: Cohort, rows: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Return the calls of the rule on scaled and on raw counts; it learns nothing."""
    is_tumor, (raw, scaled) = np.sort(cohort.is_tumor), benchmark.scaled_rows(cohort)
    rules = ((SCALED, scaled, "log_cpm"), (RAW, raw, "counts"))
    return {
        (RULE, given): (LogFoldChangeRule(is_tumor, kind).log_fc(x[rows]) > 0).astype(int)
        for given, x, kind in rules
    }


def general_methods(seed: int = 0) -> dict[tuple[str, str], Callable]:
    """Return the methods of general learning: the paper's five on the raw row, logistic regression on features, the network."""
    out = {(name, RAW): make for name, make in paper_baselines(seed, probabilities=False).items()}
    out["Logistic regression", FEATURES] = strong_references(seed)["Logistic regression"]
    return out | {
        (CNN, IMAGE): lambda: ProfileClassifier(
            2, align=False, epochs=10, batch_size=64, random_state=seed
        )
    }


def general_inputs(cohort: Cohort) -> dict[str, np.ndarray]:
    """Return each kind of input of all genes of one cohort."""
    encoder = ProfileClassifier(2, align=False)
    images = encoder.encode(genes_of(cohort))
    return {
        RAW: benchmark.scaled_rows(cohort)[0],
        FEATURES: profile_features(images, encoder.channels),
        IMAGE: images,
    }


def train_general(
    cohort: Cohort, rows: np.ndarray, seed: int = 0
) -> dict[tuple[str, str], object]:
    """Train every method of :func:`general_methods` on the genes at ``rows``."""
    x, y = general_inputs(cohort), cohort.codes[rows]
    return {key: make().fit(x[key[1]][rows], y) for key, make in general_methods(seed).items()}


def general_answer(models: dict, rows: np.ndarray) -> Answer:
    """Return a function that lets the models of :func:`train_general` and the rule call the genes at ``rows``."""

    def answer(cohort: Cohort) -> dict[tuple[str, str], np.ndarray]:
        x = general_inputs(cohort)
        return {key: model.predict(x[key[1]][rows]) for key, model in models.items()} | rule_answer(
            cohort, rows
        )

    return answer


# -- experiments -----------------------------------------------------------------------------------------------------
def noise_table(
    cohort: Cohort,
    rows: np.ndarray,
    answer: Answer,
    *,
    draws: int = 5,
    seed: int = 0,
    levels: Iterable[int] = LEVELS,
    retrain: Callable[[Cohort], Answer] | None = None,
) -> pd.DataFrame:
    """Return mean and spread of every method's accuracy on the genes at ``rows`` by reading and level, and the ceiling.

    ``retrain`` makes the answer from the disturbed cohort itself: noise on train and test data alike.
    Columns reading, level, model, protocol, n, draws, accuracy, accuracy_sd, accuracy_low, accuracy_high (of the draws),
    balanced (mean of the shares of UR and of DR genes called right: nothing is gained by guessing the larger class).
    """
    counts, is_tumor, labels = (
        cohort.counts.to_numpy(),
        cohort.is_tumor,
        cohort.codes,
    )
    factors, found = genes_of(cohort).factors, []
    for reading in READINGS:
        for level in levels:
            best = ceiling(counts, is_tumor, labels, level, reading, factors, rows)
            found += [
                {
                    "reading": reading,
                    "level": level,
                    "model": CEILINGS[k],
                    "protocol": "",
                    "accuracy": v,
                    "balanced": b,
                }
                for k, (v, b) in best.items()
            ]
            for draw in range(draws):
                noisy = disturbed(
                    cohort,
                    add_noise(
                        counts, level, reading, np.random.default_rng([seed, level, draw]), is_tumor
                    ),
                )
                found += _right(
                    retrain(noisy) if retrain else answer,
                    noisy,
                    labels[rows],
                    reading=reading,
                    level=level,
                )
    return summary(pd.DataFrame(found), ["reading", "level"], len(rows))


def perturbation_table(
    cohort: Cohort,
    rows: np.ndarray,
    answer: Answer,
    *,
    draws: int = 5,
    seed: int = 0,
    perturbations: dict[str, tuple[float, ...]] = PERTURBATIONS,
) -> pd.DataFrame:
    """Return mean and spread of every method's accuracy under each perturbation; ``none`` is the cohort as it is."""
    labels = cohort.codes[rows]
    found = _right(answer, cohort, labels, perturbation="none", value=0)
    for name, values in perturbations.items():
        for value in values:
            for draw in range(draws):
                changed = perturb(
                    cohort, name, value, np.random.default_rng([seed, int(1000 * value), draw])
                )
                found += _right(answer, changed, labels, perturbation=name, value=value)
    return summary(pd.DataFrame(found), ["perturbation", "value"], len(rows))


def _right(
    answer: Answer, cohort: Cohort, labels: np.ndarray, **facts: object
) -> list[dict]:
    out = []
    for (model, protocol), said in answer(cohort).items():
        recalls = [(said[labels == k] == k).mean() for k in (0, 1) if (labels == k).any()]
        out.append(
            {
                **facts,
                "model": model,
                "protocol": protocol,
                "accuracy": float((said == labels).mean()),
                "balanced": float(np.mean(recalls)),
            }
        )
    return out


def summary(found: pd.DataFrame, by: list[str], n: int) -> pd.DataFrame:
    """Summarise accuracies of single draws."""
    groups = found.groupby([*by, "model", "protocol"], sort=False)
    columns = {
        "draws": "size",
        "accuracy": "mean",
        "accuracy_sd": "std",
        "accuracy_low": "min",
        "accuracy_high": "max",
    }
    stat = groups.agg(
        **{k: ("accuracy", how) for k, how in columns.items()}, balanced=("balanced", "mean")
    ).reset_index()
    stat.insert(len(by) + 2, "n", n)
    return stat.fillna({"accuracy_sd": 0.0})


def test_rows(cohort: Cohort, train_part: str = "T1") -> tuple[np.ndarray, np.ndarray]:
    """Return train and test rows of general learning: called genes of ``train_part`` and F1; of T2 (unless it trains) and T3."""
    called = cohort.codes != NEUTRAL
    part = cohort.genes["part"].to_numpy()
    test = ("T2", "T3") if train_part == "T1" else ("T3",)
    return np.flatnonzero(called & np.isin(part, (train_part, "F1"))), np.flatnonzero(
        called & np.isin(part, test)
    )


# -- what came out ---------------------------------------------------------------------------------------------------
def against_ceiling(
    table: pd.DataFrame, model: str = CNN, reading: str = "relative"
) -> pd.DataFrame:
    """Return, per cohort and level, a model's accuracy, both ceilings, the best other method and its name.

    table: rows of ``noise.csv`` of one experiment and one ``noise_on``. Variants of the network ("not aligned", "class shares estimated") count as its own.
    """
    rows = (
        table[table["reading"] == reading]
        .reset_index(drop=True)
        .assign(method=lambda t: t["model"] + ", " + t["protocol"].fillna(""))
    )
    own = rows["model"].str.startswith(CNN)
    limits = rows["model"].isin(CEILINGS.values())
    key = ["cancer", "level"]
    others = rows[~own & ~limits]
    best = others.loc[others.groupby(key)["accuracy"].idxmax()].set_index(key)
    out = rows[rows["model"] == model].set_index(key)[["accuracy", "balanced", "accuracy_sd"]]
    for column, name in CEILINGS.items():
        out[column] = rows[rows["model"] == name].set_index(key)["accuracy"]
    return out.assign(
        best_other=best["accuracy"],
        best_other_name=best["method"],
        best_other_balanced=others.groupby(key)["balanced"].max(),
    ).reset_index()


def shifts(table: pd.DataFrame, model: str = CNN) -> pd.DataFrame:
    """Return how far each perturbation moves a model's mean accuracy, in points, cohorts × perturbations."""
    rows = table[table["model"] == model]
    clean = rows[rows["perturbation"] == "none"].set_index("cancer")["accuracy"]
    rows = rows[rows["perturbation"] != "none"].assign(
        shift=lambda t: 100 * (t["accuracy"] - t["cancer"].map(clean))
    )
    return rows.pivot_table(
        index="cancer", columns=["perturbation", "value"], values="shift", sort=False
    )


def verdict(table: pd.DataFrame, name: str, model: str = CNN) -> str:
    """Say where a model stays within a point of the ceiling up to 100 % relative noise, and where another method beats it at 500 %."""
    found = against_ceiling(table, model)
    mild, hard = found[found["level"] <= 100], found[found["level"] == 500]
    gap = 100 * (mild["ceiling"] - mild["accuracy"])
    far = "; ".join(
        f"{r.cancer} at {r.level:g} % ({g:.1f} points)"
        for r, g in zip(mild[gap > 1].itertuples(), gap[gap > 1])
    )
    beaten = hard[hard["best_other"] > hard["accuracy"]]
    lost = "; ".join(
        f"{r.cancer} ({r.best_other_name} {r.best_other:.1%}, {model} {r.accuracy:.1%})"
        for r in beaten.itertuples()
    )
    return (
        f"**{name}.** Up to 100 % relative noise {model} is within 1 point of the ceiling in {int((gap <= 1).sum())} of {len(mild)} cases{f'; not in {far}' if far else ''}. "
        f"At 500 % it is above every other method in {len(hard) - len(beaten)} of {len(hard)} cohorts{f'; beaten in {lost}' if lost else ''}."
    )
