"""degnext.evaluation.disturbances: disturbances reach the models, and tables add up."""

from __future__ import annotations

import numpy as np
import pytest

from degnext.cohorts.perturb import PERTURBATIONS, drop_samples, perturb
from degnext.evaluation import disturbances as bench
from degnext.evaluation.experiments import CNN, IMAGE, RAW, RULE, SCALED, sorted_groups
from degnext.learning.images import row_values


@pytest.fixture
def labeled(make_labeled):
    return make_labeled(n_genes=160, n_normal=8, n_tumor=12)


def rule_only(rows: np.ndarray):
    def answer(cohort):
        raw, scaled = (row_values(cohort, scaling)[rows] for scaling in ("none", "log_cpm"))
        return bench.rule_calls(raw, scaled, sorted_groups(cohort))

    return answer


def test_test_genes_are_called_and_never_train(labeled):
    learn, test = bench.test_rows(labeled)
    assert not set(learn) & set(test) and (labeled.codes[np.r_[learn, test]] < 2).all()
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


def test_answers_are_asked_on_noisy_cohorts_with_their_labels(labeled):
    seen, (_, test) = [], bench.test_rows(labeled)

    def answer(noisy):
        seen.append(int((noisy.counts.to_numpy() != labeled.counts.to_numpy()).sum()))
        assert noisy.genes is labeled.genes
        return rule_only(test)(noisy)

    bench.noise_table(labeled, test, answer, draws=2, levels=(500,))
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
    truth = labeled.genes["label"].to_numpy()[test]
    assert {k[0] for k in called} >= {CNN, RULE, "SVM", "XGBoost", "Logistic regression"}
    assert (called[CNN, IMAGE] == truth).all() and (
        called["Logistic regression", "profile features"] == truth
    ).all()
