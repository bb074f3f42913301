"""degnext.evaluation.experiments: the same genes for every method, no test gene in training."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from degnext.cohorts.cohort import CLASS_NAMES
from degnext.evaluation import experiments as benchmark
from degnext.evaluation.baselines import TwoStage, profile_features
from degnext.evaluation.experiments import FEATURES, RAW, RULE, SCALED, in_folds
from degnext.evaluation.profile_network import ProfileModel, called_genes
from degnext.learning.images import row_values
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from degnext.learning.profile.image import CHANNELS


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers the first value of every row it was given."""

    fitted: list = []
    asked: list = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Recorder.fitted.append((set(X[:, 0]), sorted(self.classes_)))
        return self

    def predict(self, X):
        Recorder.asked.append(set(X[:, 0]))
        return np.zeros(len(X), int)

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.fixture
def few_methods(monkeypatch):
    """Two quick methods in place of the five and the two."""
    tree, logistic = DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=5000)
    few = {"Tree": lambda: TwoStage(tree)}, {"Logistic regression": lambda: TwoStage(logistic)}
    monkeypatch.setattr(benchmark.baselines, "paper_baselines", lambda seed=0: few[0])
    monkeypatch.setattr(benchmark.baselines, "strong_references", lambda seed=0: few[1])


def without(cohort, *parts):
    return cohort.with_counts(cohort.counts[~cohort.genes["part"].isin(parts).to_numpy()])


@pytest.mark.parametrize("gone", [(), ("T1",), ("T1", "F1")])
def test_no_method_learns_from_a_gene_it_is_tested_on(make_labeled, monkeypatch, gone):
    cohort = without(make_labeled(n_genes=200), *gone)
    Recorder.fitted, Recorder.asked = [], []
    monkeypatch.setattr(
        benchmark,
        "methods",
        lambda seed, network: [("Recorder", RAW, lambda: TwoStage(Recorder()))],
    )
    marked = cohort.counts.to_numpy().copy()
    marked[:, 0] = np.arange(len(marked)) + 1  # a name for every row
    import dataclasses

    cohort = dataclasses.replace(cohort, counts=cohort.counts.mask(cohort.counts >= 0, marked))
    rows = benchmark.general(cohort)
    first = row_values(cohort, "none")[:, 0]
    of = {p: set(first[cohort.rows(p)]) for p in cohort.parts}
    assert rows["part"].tolist() == ["T2", "T3"] and all(
        not of["T3"] & seen for seen, _ in Recorder.fitted
    )
    assert Recorder.asked[-1] == of["T3"] and Recorder.fitted[-1][1] == [0, 1]
    if gone:  # three folds, then all of T2
        assert all(
            not seen & asked for (seen, _), asked in zip(Recorder.fitted[:3], Recorder.asked[:3])
        )
        assert (
            set.union(*Recorder.asked[:3]) == of["T2"] == Recorder.fitted[3][0]
            and "three folds" in rows["note"][0]
        )
    else:
        assert (
            Recorder.fitted[0][0] == of["T1"]
            and Recorder.asked[0] == of["T2"]
            and (rows["note"] == "").all()
        )


def test_a_cohort_with_t3_alone_is_tested_in_folds(make_labeled, few_methods):
    cohort = make_labeled(n_genes=400)
    rows = benchmark.general(without(cohort, "T1", "T2", "F1"), network=False)
    assert (
        (rows["part"] == "T3").all()
        and rows["note"].str.contains("three folds of T3").all()
        and (rows["n"] == len(cohort.rows("T3"))).all()
    )
    assert rows[rows["model"] == "Logistic regression"]["accuracy"].iloc[0] == 1


def test_every_method_stands_once_per_part_and_input(make_labeled, few_methods):
    rows = benchmark.general(make_labeled(n_genes=160), network=False)
    assert not rows.duplicated(["model", "protocol", "part"]).any() and len(rows) == 2 * (4 + 2 + 2)
    best = rows.set_index(["model", "protocol", "part"])["accuracy"]
    assert best[RULE, SCALED, "T3"] == 1 and best["Logistic regression", FEATURES, "T3"] == 1
    assert (rows["train_seconds"] >= 0).all() and rows["accuracy_low"].le(rows["accuracy"]).all()


def test_transfer_trains_on_called_genes_without_t3_unless_it_is_all_there_is(make_labeled):
    cohort = make_labeled(n_genes=200)
    rows = called_genes(cohort)
    assert "T3" not in set(cohort.genes["part"].iloc[rows]) and (cohort.codes[rows] < 2).all()
    only = without(cohort, "T1", "T2", "F1")
    assert len(called_genes(only)) == len(only.counts)


def test_features_hold_each_number_of_the_image_once(make_labeled):
    encoder = ProfileClassifier(CLASS_NAMES)
    images = encoder.encode(genes_of(make_labeled(n_genes=40)))
    channels = encoder.resolved["channels"]
    features = profile_features(images, channels)
    wide = [c for c in channels if c in ("shape", "quantiles")]
    assert features.shape == (40, 2 * 16 * len(wide) + 2 * (len(channels) - len(wide))) and set(
        channels
    ) <= set(CHANNELS)
    assert {round(float(v), 4) for v in images[3].ravel()} == {
        round(float(v), 4) for v in features[3]
    }


def test_folds_answer_for_every_gene():
    x, y = np.arange(30.0)[:, None], np.tile(["DR", "UR"], 15).astype(object)
    make, groups = (lambda: TwoStage(Recorder())), np.array(["normal", "tumor"])
    labels, proba, seconds = in_folds(make, x, y, np.arange(10, 30), groups, 0)
    assert (
        set(labels) == {"DR"} and np.allclose(proba.sum(1), 1) and len(proba) == 20 and seconds > 0
    )


def test_the_network_goes_through_both_stages_where_no_gene_is_neutral(make_labeled, monkeypatch):
    stages = []
    for name in ("fit", "fine_tune"):
        method = getattr(ProfileClassifier, name)

        def noted(self, x, y, method=method, name=name, **settings):
            stages.append((name, len(y)))
            return method(self, x, y, **settings)

        monkeypatch.setattr(ProfileClassifier, name, noted)
    cohort = make_labeled(n_genes=48)
    images, y = (
        ProfileClassifier(CLASS_NAMES).encode(genes_of(cohort)),
        cohort.genes["label"].to_numpy(),
    )
    called = y != "neutral"
    ProfileModel().fit(images[called], y[called])
    assert stages == [("fit", 24), ("fine_tune", 24)]
    model = ProfileModel().fit(images, y).fine_tune(images[:0], y[:0])
    assert stages[2:] == [("fit", 48), ("fine_tune", 24)]  # its own called genes where F1 is empty
    assert set(model.predict(images)) <= {"DR", "UR"}


def test_features_without_tests_hold_no_statistic(make_labeled):
    """Neither a t, a likelihood ratio nor the number of samples, but the fold change."""
    inputs = benchmark.gene_inputs(make_labeled(n_genes=40), ProfileClassifier(CLASS_NAMES))
    assert set(inputs) == set(benchmark.INPUTS)
    assert not {c for c in benchmark.DESCRIPTIVE if c[:2] in ("t_", "lr") or "size" in c}
    plain, image = inputs[benchmark.PLAIN_IMAGE], inputs[benchmark.IMAGE]
    for channel, name in enumerate(benchmark.DESCRIPTIVE):
        assert np.array_equal(plain[:, channel], image[:, CHANNELS.index(name)])
    # quantiles in full, and one number per row of the three other channels
    assert inputs[benchmark.PLAIN].shape[1] == plain.shape[2] * (plain.shape[3] + 3)
    few = benchmark.general(make_labeled(n_genes=160), given=(benchmark.PLAIN_IMAGE,))
    assert set(few["protocol"]) == {benchmark.PLAIN_IMAGE} and set(few["model"]) == {"ProfileCNN"}
