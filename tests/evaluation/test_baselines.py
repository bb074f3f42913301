"""degnext.evaluation.baselines: two stages for any classifier, and the one-line rule against a search by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier

from degnext._common.errors import InputError
from degnext.evaluation.baselines import LogFoldChangeRule, TwoStage, paper_baselines
from degnext.learning.images import row_values

NAMES = ["Decision tree", "k-NN", "Random forest", "SVM", "XGBoost"]


@pytest.fixture
def planted(make_labeled):
    """Row values, labels and sample groups; even genes train, odd ones test."""
    labeled = make_labeled(n_genes=160)
    return row_values(labeled), labeled.codes, np.sort(labeled.is_tumor)


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
    assert (model.predict(x[half:]) == y[half:]).mean() > 0.75 and set(model.predict(x)) <= {
        0,
        1,
        2,
    }
    assert model.predict_proba(x[:5]).shape == (5, 3)
    called = np.flatnonzero(y[:half] != 2)[::4]
    model.fine_tune(x[called], y[called])
    proba = model.predict_proba(x[half:])
    assert proba.shape == (half, 2) and np.allclose(proba.sum(1), 1, atol=1e-5)
    rows = np.flatnonzero(y[half:] != 2)
    assert (model.predict(x[half:][rows]) == y[half:][rows]).mean() > 0.9
    assert ((proba[:, 1] > 0.5).astype(int) == model.predict(x[half:])).mean() > 0.95


@pytest.mark.parametrize("name", ["Decision tree"])
def test_a_seed_fixes_a_method(planted, name):
    x, y, _ = planted
    fits = [paper_baselines(seed=s)[name]().fit(x[::2], y[::2]).predict_proba(x) for s in (0, 0, 1)]
    assert np.array_equal(fits[0], fits[1]) and not np.array_equal(fits[0], fits[2])


def test_fine_tuning_learns_from_the_called_genes_of_both_stages_and_no_neutral_one():
    x = np.array([[0.0], [10.0], [5.0]])
    model = TwoStage(KNeighborsClassifier(1)).fit(x, [0, 1, 2])
    assert model.predict([[4.9]])[0] == 2
    model.fine_tune(np.array([[6.0]]), [0])
    assert model.classes_.tolist() == [0, 1] and model.predict(
        [[5.0], [9.0], [1.0], [7.0]]
    ).tolist() == [0, 1, 0, 0]
    with pytest.raises(InputError, match="call fit first"):
        TwoStage(KNeighborsClassifier(1)).fine_tune(x, [0, 1, 0])


def test_probabilities_stand_in_the_column_of_their_label():
    model = TwoStage(KNeighborsClassifier(1)).fit([[0.0], [5.0]], [0, 2])
    assert model.predict_proba([[0.1], [4.9]]).tolist() == [[1, 0, 0], [0, 0, 1]] and model.predict(
        [[4.9]]
    ).tolist() == [2]
    one = TwoStage(KNeighborsClassifier(1)).fit([[0.0], [5.0]], [1, 1])
    assert one.predict_proba([[0.1]]).tolist() == [[0, 1]]


def test_a_wrapped_method_can_be_cloned():
    model = TwoStage(KNeighborsClassifier(3)).fit(np.arange(6.0)[:, None], [0, 1, 2, 0, 1, 2])
    assert clone(model).estimator.n_neighbors == 3 and not hasattr(clone(model), "model_")


def test_the_rule_is_the_log_ratio_of_mean_counts():
    counts, is_tumor = (
        np.array([[3.0, 5, 15, 47], [0, 0, 0, 7]]),
        np.array([False, False, True, True]),
    )
    expected = [np.log2(32 / 5), np.log2(4.5)]
    np.testing.assert_allclose(LogFoldChangeRule(is_tumor, "counts").log_fc(counts), expected)
    np.testing.assert_allclose(LogFoldChangeRule(is_tumor).log_fc(np.log2(counts + 1)), expected)
    with pytest.raises(InputError, match="log_cpm"):
        LogFoldChangeRule(is_tumor, "log").log_fc(counts)


def test_the_rule_takes_the_sign(planted):
    x, y, is_tumor = planted
    rule = LogFoldChangeRule(is_tumor)
    called = y != 2
    rule.fine_tune(x[called], y[called])
    assert (rule.predict(x[called]) == y[called]).all() and rule.classes_.tolist() == [0, 1]
    assert np.array_equal(rule.predict_proba(x)[:, 1] > 0.5, rule.log_fc(x) > 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_neutral_threshold_is_the_best_there_is(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 60)
    x = np.zeros((60, 4))
    x[:, 2:] = (np.array([-1.0, 1.0, 0.0])[y] + rng.normal(0, 0.8, 60))[:, None]
    rule = LogFoldChangeRule(np.array([False, False, True, True])).fit(x, y)
    change = rule.log_fc(x)

    def accuracy(cut):
        return (np.where(np.abs(change) <= cut, 2, change > 0) == y).mean()

    best = max(accuracy(c) for c in [0.0, *np.abs(change)])
    assert (rule.predict(x) == y).mean() == pytest.approx(best) and rule.threshold_ > 0
    assert best > accuracy(0) and np.allclose(rule.predict_proba(x).sum(1), 1)


def test_two_classes_need_no_threshold(planted):
    x, y, is_tumor = planted
    rule = LogFoldChangeRule(is_tumor).fit(x[y != 2], y[y != 2])
    assert rule.threshold_ == 0 and rule.predict_proba(x).shape == (160, 2)
    assert LogFoldChangeRule(np.array([False, True])).fit(
        np.array([[0.0, 1], [1, 0]]), [1, 0]
    ).predict(np.array([[3.0, 3.0]])).tolist() == [0]


@pytest.mark.parametrize("is_tumor", [None, np.array([True, False])])
def test_the_rule_must_know_the_groups(planted, is_tumor, is_helpful):
    with pytest.raises(InputError, match="needs is_tumor") as caught:
        LogFoldChangeRule(is_tumor).fit(planted[0], planted[1])
    assert is_helpful(str(caught.value))


def test_the_rule_needs_no_gene_to_tune_on(planted):
    x, y, is_tumor = planted
    fitted = LogFoldChangeRule(is_tumor).fit(x, y).fine_tune(x[:0], y[:0])
    fresh = LogFoldChangeRule(is_tumor).fine_tune(x[:0], y[:0])
    for rule in (fitted, fresh):
        assert np.isfinite(rule.predict_proba(x)).all() and np.array_equal(
            rule.predict(x), (rule.log_fc(x) > 0).astype(int)
        )
