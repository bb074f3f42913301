"""degnext.evaluation.disturbances: disturbances reach the models, tables add up, verdicts read them right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext.cohorts.perturb import PERTURBATIONS, drop_samples, perturb
from degnext.evaluation import disturbances as bench
from degnext.evaluation.experiments import CNN, IMAGE, RAW, RULE, SCALED
from reproduction.experiments.noise import with_noise


@pytest.fixture
def labeled(make_labeled):
    return make_labeled(n_genes=160, n_normal=8, n_tumor=12)


def rule_only(rows: np.ndarray):
    return lambda cohort: bench.rule_answer(cohort, rows)


def test_test_genes_are_called_and_never_train(labeled):
    learn, test = bench.test_rows(labeled)
    assert (
        not set(learn) & set(test) and (labeled.codes[np.r_[learn, test]] < 2).all()
    )
    assert set(labeled.genes["part"].iloc[learn]) == {"T1", "F1"} and set(
        labeled.genes["part"].iloc[test]
    ) == {"T2", "T3"}
    learn, test = bench.test_rows(labeled, "T2")
    assert set(labeled.genes["part"].iloc[learn]) == {"T2", "F1"} and set(
        labeled.genes["part"].iloc[test]
    ) == {"T3"}


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in PERTURBATIONS.items() for v in values]
)
def test_each_perturbation_does_what_it_says(labeled, name, value):
    changed = perturb(labeled, name, value, np.random.default_rng(0))
    total, before = changed.counts.sum(), labeled.counts.sum()
    if name.startswith("tumors"):
        ratio = (total[labeled.is_tumor] / before[labeled.is_tumor]).mean() / (
            total[~labeled.is_tumor] / before[~labeled.is_tumor]
        ).mean()
        assert ratio == pytest.approx(value, rel=0.05)
    elif name.startswith("samples"):
        assert (
            changed.n_normal == max(2, round(8 * value))
            and changed.n_tumor == round(12 * value)
            and changed.counts.equals(labeled.counts[changed.counts.columns])
        )
    elif name.startswith("groups"):
        assert (changed.is_tumor != labeled.is_tumor).sum() == round(8 * value) + round(
            12 * value
        ) and changed.counts.equals(labeled.counts)
    else:
        assert total.sum() / before.sum() == pytest.approx(value, rel=0.05)
    assert (labeled.counts.sum() == before).all()


def test_dropping_keeps_two_of_each_group():
    left = drop_samples(np.repeat([True, False], [30, 3]), 0.1, np.random.default_rng(0))
    assert (left < 30).sum() == 3 and (left >= 30).sum() == 2 and (np.diff(left) > 0).all()


def test_the_table_holds_mean_spread_and_a_ceiling_that_is_not_passed(labeled):
    _, test = bench.test_rows(labeled)
    table = bench.noise_table(labeled, test, rule_only(test), draws=3, levels=(10, 1500))
    assert len(table) == 2 * 2 * 4 and (table["n"] == len(test)).all()
    single = bench.noise_table(labeled, test, rule_only(test), draws=1, levels=(1500,))
    scaled = (table["model"] == RULE) & (table["protocol"] == SCALED)
    assert table[scaled]["draws"].eq(3).all() and (single["accuracy_sd"] == 0).all()
    by = table.set_index(["reading", "level", "model", "protocol"])["accuracy"]
    assert (
        by["relative", 10, "ceiling", ""] == pytest.approx(1)
        and by["relative", 10, RULE, SCALED] == 1
    )
    assert (
        by["relative", 1500, RULE, SCALED] < 1
        and by["relative", 1500, RULE, SCALED] <= by["relative", 1500, "ceiling", ""] + 0.1
    )
    assert table["balanced"].between(0, 1).all()


def test_retraining_sees_the_noisy_cohort(labeled):
    seen, (_, test) = [], bench.test_rows(labeled)

    def retrain(noisy):
        seen.append(int((noisy.counts.to_numpy() != labeled.counts.to_numpy()).sum()))
        return rule_only(test)

    bench.noise_table(labeled, test, rule_only(test), draws=2, levels=(500,), retrain=retrain)
    assert len(seen) == 4 and min(seen) > 0


def test_unequal_depth_breaks_the_rule_on_raw_counts_only(labeled):
    _, test = bench.test_rows(labeled)
    table = bench.perturbation_table(
        labeled, test, rule_only(test), draws=1, perturbations={"tumors deeper (times)": (0.02,)}
    )
    by = table.set_index(["perturbation", "protocol"])["accuracy"]
    assert (
        by["none", RAW] == by["none", SCALED] == by["tumors deeper (times)", SCALED] == 1
        and by["tumors deeper (times)", RAW] < 0.8
    )


def test_general_models_learn_planted_directions(labeled):
    learn, test = bench.test_rows(labeled)
    models = bench.train_general(labeled, learn)
    called = bench.general_answer(models, test)(labeled)
    truth = labeled.codes[test]
    assert {k[0] for k in called} >= {CNN, RULE, "SVM", "XGBoost", "Logistic regression"}
    assert (called[CNN, IMAGE] == truth).all() and (
        called["Logistic regression", "profile features"] == truth
    ).all()


def test_noisy_copies_are_noisy(labeled):
    copy = with_noise(labeled, np.random.default_rng(0))
    assert (
        copy.counts.to_numpy() != labeled.counts.to_numpy()
    ).mean() > 0.5 and copy.genes is labeled.genes


def rows_of(**accuracy: float) -> pd.DataFrame:
    names = {
        "network": (CNN, IMAGE),
        "unaligned": (f"{CNN}, not aligned", IMAGE),
        "rule": (RULE, SCALED),
        "svm": ("SVM", RAW),
        "ceiling": ("ceiling", ""),
        "sign": ("sign of the noisy difference", ""),
    }
    return pd.DataFrame(
        [
            {
                "cancer": "CHOL",
                "reading": "relative",
                "level": 500,
                "model": names[k][0],
                "protocol": names[k][1],
                "accuracy": v,
                "accuracy_sd": 0.0,
                "balanced": v / 2,
            }
            for k, v in accuracy.items()
        ]
    )


def test_the_verdict_names_the_best_other_method_and_no_variant_of_the_network():
    found = bench.against_ceiling(
        rows_of(network=0.8, unaligned=0.95, rule=0.7, svm=0.85, ceiling=0.9, sign=0.82)
    ).iloc[0]
    assert (
        found["accuracy"],
        found["ceiling"],
        found["sign"],
        found["best_other"],
        found["best_other_name"],
    ) == (0.8, 0.9, 0.82, 0.85, "SVM, raw row")
    assert found["best_other_balanced"] == 0.425


def test_shifts_are_differences_from_the_cohort_as_it_is():
    rows = pd.DataFrame(
        {
            "cancer": ["CHOL"] * 3,
            "model": [CNN] * 3,
            "perturbation": ["none", "a", "a"],
            "value": [0, 1, 2],
            "accuracy": [0.9, 0.88, 0.95],
        }
    )
    assert bench.shifts(rows).round(6).to_numpy().tolist() == [[-2.0, 5.0]]


def test_the_verdict_in_words():
    said = bench.verdict(rows_of(network=0.8, rule=0.7, svm=0.85, ceiling=0.9, sign=0.82), "Here")
    assert (
        said.startswith("**Here.** Up to 100 %")
        and "0 of 0 cases" in said
        and "0 of 1 cohorts; beaten in CHOL (SVM, raw row 85.0%, ProfileCNN 80.0%)." in said
    )
    mild = pd.concat(
        [
            rows_of(network=0.8, rule=0.7, ceiling=0.9, sign=0.82).assign(level=100),
            rows_of(network=0.8, rule=0.7, ceiling=0.9, sign=0.82),
        ]
    )
    assert "0 of 1 cases; not in CHOL at 100 % (10.0 points)" in bench.verdict(
        mild, "Here"
    ) and "1 of 1 cohorts." in bench.verdict(mild, "Here")
