"""degnext.evaluation.baselines: two stages for any classifier; the rule against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import check_parameters_default_constructible

from degnext._common.errors import InputError
from degnext.cohorts.cohort import label_names
from degnext.evaluation.baselines import FoldChangeRule, TwoStage, paper_baselines
from degnext.evaluation.experiments import sorted_groups
from degnext.learning.images import row_values

NAMES = ["Decision tree", "k-NN", "Random forest", "SVM", "XGBoost"]


@pytest.fixture
def planted(make_labeled):
    """Row values, labels and sample groups; even genes train, odd ones test."""
    labeled = make_labeled(n_genes=160)
    return row_values(labeled), labeled.genes["label"].to_numpy(), sorted_groups(labeled)


def test_the_papers_five_methods_are_there():
    assert sorted(paper_baselines()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_method_learns_both_stages(planted, name):
    x, y, _ = planted
    x, y = (
        np.vstack([x, x + 0.1]),
        np.tile(y, 2),
    )  # the second half stands in for unseen genes next to seen ones
    half = len(y) // 2
    model = paper_baselines(seed=0)[name]().fit(x[:half], y[:half])
    assert (model.predict(x[half:]) == y[half:]).mean() > 0.75
    assert set(model.predict(x)) <= {"DR", "UR", "neutral"}
    assert model.predict_proba(x[:5]).shape == (5, 3)
    called = np.flatnonzero(y[:half] != "neutral")[::4]
    model = model.fine_tune(x[called], y[called])
    proba = model.predict_proba(x[half:])
    assert proba.shape == (half, 2) and np.allclose(proba.sum(1), 1, atol=1e-5)
    rows = np.flatnonzero(y[half:] != "neutral")
    assert (model.predict(x[half:][rows]) == y[half:][rows]).mean() > 0.9
    assert (
        model.classes_[(proba[:, 1] > 0.5).astype(int)] == model.predict(x[half:])
    ).mean() > 0.95


@pytest.mark.parametrize("name", ["Decision tree"])
def test_a_seed_fixes_a_method(planted, name):
    x, y, _ = planted
    fits = [paper_baselines(seed=s)[name]().fit(x[::2], y[::2]).predict_proba(x) for s in (0, 0, 1)]
    assert np.array_equal(fits[0], fits[1]) and not np.array_equal(fits[0], fits[2])


def test_fine_tuning_learns_from_the_called_genes_of_both_stages_and_no_neutral_one():
    x, first = np.array([[0.0], [10.0], [5.0]]), TwoStage(KNeighborsClassifier(1))
    first.fit(x, ["DR", "UR", "neutral"])
    assert first.predict([[4.9]])[0] == "neutral"
    model = first.fine_tune(np.array([[6.0]]), ["DR"])
    assert model.classes_.tolist() == ["DR", "UR"]
    assert model.predict([[5.0], [9.0], [1.0], [7.0]]).tolist() == ["DR", "UR", "DR", "DR"]
    assert first.predict([[4.9]])[0] == "neutral"  # the first model is as it was
    with pytest.raises(InputError, match="call fit first"):
        TwoStage(KNeighborsClassifier(1)).fine_tune(x, ["DR", "UR", "DR"])


def test_probabilities_stand_in_the_column_of_their_label():
    model = TwoStage(KNeighborsClassifier(1)).fit([[0.0], [5.0]], ["DR", "neutral"])
    assert model.predict_proba([[0.1], [4.9]]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert model.predict([[4.9]]).tolist() == ["neutral"]
    one = TwoStage(KNeighborsClassifier(1)).fit([[0.0], [5.0]], ["UR", "UR"])
    assert one.predict_proba([[0.1]]).tolist() == [[0, 1]]


def test_parameters_are_those_of_scikit_learn():
    y = ["DR", "UR", "neutral"] * 2
    model = TwoStage(KNeighborsClassifier(3)).fit(np.arange(6.0)[:, None], y)
    assert clone(model).estimator.n_neighbors == 3 and not hasattr(clone(model), "model_")
    rule = FoldChangeRule(1.5, counts=True)
    assert clone(rule).get_params() == rule.get_params() == {"threshold": 1.5, "counts": True}
    assert rule.set_params(threshold=0.5).threshold == 0.5
    for estimator in (rule, model):
        check_parameters_default_constructible("", estimator)


GROUPS = ["normal", "normal", "tumor", "tumor"]


def test_the_rule_is_the_log_ratio_of_mean_counts():
    counts = np.array([[3.0, 5, 15, 47], [0, 0, 0, 7]])
    expected = [np.log2(32 / 5), np.log2(4.5)]
    for rule, x in ((FoldChangeRule(counts=True), counts), (FoldChangeRule(), np.log2(counts + 1))):
        np.testing.assert_allclose(rule.log_fold_change(x, groups=GROUPS), expected)


def test_a_threshold_makes_small_changes_neutral():
    counts = np.array([[3.0, 5, 15, 47], [0, 0, 0, 7], [7, 0, 0, 0]])
    assert FoldChangeRule(2.5, counts=True).predict(counts, groups=GROUPS).tolist() == [
        "UR",
        "neutral",
        "neutral",
    ]
    assert FoldChangeRule(counts=True).predict(counts, groups=GROUPS).tolist() == ["UR", "UR", "DR"]
    assert FoldChangeRule(2.5, counts=True).predict_proba(counts, groups=GROUPS).shape == (3, 3)


def test_the_rule_takes_the_sign_and_learns_nothing_from_two_classes(planted):
    x, y, groups = planted
    called, rule = y != "neutral", FoldChangeRule()
    assert (rule.predict(x[called], groups=groups) == y[called]).all()
    up = rule.log_fold_change(x, groups=groups) > 0
    assert np.array_equal(rule.predict_proba(x, groups=groups)[:, 1] > 0.5, up)
    taught = FoldChangeRule().fit(x[called], y[called][::-1], groups=groups)
    tuned = FoldChangeRule().fit(x, y, groups=groups).fine_tune(x[:0], y[:0])
    for other in (taught, tuned):
        assert np.array_equal(other.predict(x, groups=groups), rule.predict(x, groups=groups))
    assert taught.classes_.tolist() == ["DR", "UR"] and taught.threshold_ == 0


def test_no_difference_is_down():
    flat = np.array([[3.0, 3.0]])
    assert FoldChangeRule().predict(flat, groups=["normal", "tumor"]).tolist() == ["DR"]


@pytest.mark.parametrize("seed", range(6))
def test_the_neutral_threshold_is_the_best_there_is(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 60)
    y, x = label_names(codes), np.zeros((60, 4))
    x[:, 2:] = (np.array([-1.0, 1.0, 0.0])[codes] + rng.normal(0, 0.8, 60))[:, None]
    rule = FoldChangeRule().fit(x, y, groups=GROUPS)
    change = rule.log_fold_change(x, groups=GROUPS)

    def accuracy(cut):
        return (np.where(np.abs(change) <= cut, 2, change > 0) == codes).mean()

    best = max(accuracy(c) for c in [0.0, *np.abs(change)])
    assert (rule.predict(x, groups=GROUPS) == y).mean() == pytest.approx(best)
    assert best > accuracy(0) and rule.threshold_ > 0
    assert np.allclose(rule.predict_proba(x, groups=GROUPS).sum(1), 1)


@pytest.mark.parametrize("groups", [["normal"], ["case"] * 8 + ["normal"] * 7, ["tumor"] * 15])
def test_the_rule_must_know_the_groups(planted, groups, is_helpful):
    with pytest.raises(InputError, match="needs the groups of 15 samples") as caught:
        FoldChangeRule().predict(planted[0], groups=groups)
    assert is_helpful(str(caught.value))
