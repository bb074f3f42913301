"""Transfer: every method carried to a cohort of another size, and rows made comparable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from degnext.evaluation.baselines import TwoStage
from degnext.evaluation.experiments import CNN, FEATURES, IMAGE, RAW, RULE, SCALED
from reproduction.experiments import transfer_methods
from reproduction.experiments.comparable_rows import WAYS
from reproduction.experiments.transfer_methods import (
    compare_row_ways,
    train_transfer,
    transfer,
    transfer_inputs,
)


@pytest.fixture
def few_methods(monkeypatch):
    """Two quick methods in place of the five and the two."""
    tree, logistic = DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=5000)
    five = {"Tree": lambda: TwoStage(tree)}
    strong = {"Logistic regression": lambda: TwoStage(logistic)}
    monkeypatch.setattr(
        transfer_methods, "paper_baselines", lambda seed=0, probabilities=True: five
    )
    monkeypatch.setattr(transfer_methods, "strong_references", lambda seed=0: strong)


def test_transfer_carries_between_cohorts_of_different_size(make_labeled, few_methods):
    training, target = (
        [make_labeled(n_genes=160, n_normal=4 + i, n_tumor=9 - i, seed=i) for i in range(2)],
        make_labeled(n_genes=120, n_normal=11, n_tumor=3, seed=5),
    )
    models = train_transfer(training)
    assert set(models) == {
        ("Tree", RAW),
        ("Tree", SCALED),
        ("Tree", FEATURES),
        ("Logistic regression", FEATURES),
        (CNN, IMAGE),
    }
    rows = transfer(models, target)
    assert (
        (rows["n"] == len(target.rows("Q"))).all()
        and len(rows) == 5 + 2
        and (rows["part"] == "Q").all()
    )
    assert rows.set_index(["model", "protocol"]).at[(RULE, SCALED), "accuracy"] == 1
    assert {
        x.shape[1]
        for c in (*training, target)
        for g, x in transfer_inputs(c, c.rows("Q")).items()
        if g != FEATURES
    } == {32}


def test_labels_of_the_target_do_not_reach_the_inputs(make_labeled):
    cohort = make_labeled(n_genes=120)
    other = replace(
        cohort,
        genes=cohort.genes.assign(label=cohort.genes["label"].map({"DR": "UR"}).fillna("DR")),
    )
    rows = np.arange(40)
    for given, x in transfer_inputs(cohort, rows).items():
        assert np.array_equal(x, transfer_inputs(other, rows)[given]), given


def test_ways_are_compared_on_left_out_cohorts(make_labeled, few_methods):
    table = compare_row_ways([make_labeled(n_genes=80, n_normal=4 + i, seed=i) for i in range(3)])
    assert (
        len(table) == len(WAYS) * 3 * 2
        and table["accuracy"].between(0, 1).all()
        and set(table["input"]) == {RAW, SCALED}
    )
