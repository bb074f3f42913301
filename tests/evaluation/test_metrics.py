"""degnext.evaluation.metrics: against scikit-learn's; the paper's batch averages by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from degnext._common.errors import InputError
from degnext.cohorts.cohort import label_names
from degnext.cohorts.paper import paper_value
from degnext.evaluation.metrics import (
    METRICS,
    RESULT_COLUMNS,
    accuracy_interval,
    auc,
    batch_averaged,
    confusion,
    confusion_counts,
    format_interval,
    mcc_interval,
    metrics_of,
    result_row,
    result_table,
    scores_both_ways,
    with_imagined_gene,
)
from degnext.evaluation.metrics import evaluate as evaluate_labels


def evaluate(y, p, *args, **settings):
    """Score codes: labels are spelled for whoever calls."""
    return evaluate_labels(label_names(y), label_names(p), *args, **settings)


def calls(
    n: int = 300, k: int = 3, seed: int = 0, right: float = 0.7
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=[0.2, 0.8] if k == 2 else [0.2, 0.3, 0.5])
    return y, np.where(rng.random(n) < right, y, rng.integers(0, k, n))


def sklearn_metrics(y, p) -> dict[str, float]:
    weighted = dict(average="weighted", zero_division=0)
    return {
        "accuracy": reference.accuracy_score(y, p),
        "recall": reference.recall_score(y, p, **weighted),
        "precision": reference.precision_score(y, p, **weighted),
        "f1": reference.f1_score(y, p, **weighted),
        "mcc": reference.matthews_corrcoef(y, p),
    }


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_those_of_sklearn(k, seed):
    y, p = calls(k=k, seed=seed, right=seed / 5)
    got = evaluate(y, p, n_boot=10)
    for name, value in sklearn_metrics(y, p).items():
        assert got[name] == pytest.approx(value, abs=1e-12), name
    assert got["n"] == 300 and np.array_equal(
        confusion_counts(y, p, k), reference.confusion_matrix(y, p)
    )


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0, 1, 2, 2], [2, 2, 2, 2]),
        ([1, 1, 1], [1, 1, 1]),
        ([0, 0, 1], [1, 1, 0]),
        ([0, 1, 1], [0, 2, 1]),
    ],
)
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_classes_never_called_or_never_there_are_as_in_sklearn(y, p):
    got = evaluate(y, p, n_boot=10)
    for name, value in sklearn_metrics(y, p).items():
        assert got[name] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("seed", range(6))
def test_weighted_recall_is_the_accuracy(seed):
    got = evaluate(*calls(seed=seed), n_boot=10)
    assert got["recall"] == pytest.approx(got["accuracy"], abs=1e-15)


def test_thousands_of_tables_are_done_at_once():
    tables = np.random.default_rng(1).integers(0, 30, (40, 3, 3))
    together = metrics_of(tables)
    for i in (0, 17, 39):
        alone = metrics_of(tables[i])
        assert all(together[name][i] == alone[name] for name in METRICS)


def test_the_papers_batches_of_193_genes_end_with_one_gene_whose_mcc_is_zero():
    y = np.arange(193) % 2
    assert evaluate(y, y, n_boot=10)["mcc"] == 1.0
    averaged = batch_averaged(y, y, 64)
    assert averaged["mcc"] == pytest.approx(3 / 4) and averaged["accuracy"] == 1.0
    assert batch_averaged(y[:192], y[:192], 64)["mcc"] == 1.0


def test_batch_averages_are_means_over_batches_in_order():
    y, p = calls(150)
    got = batch_averaged(y, p, 64)
    batches = [sklearn_metrics(y[s], p[s]) for s in (slice(0, 64), slice(64, 128), slice(128, 150))]
    for name in METRICS:
        assert got[name] == pytest.approx(np.mean([b[name] for b in batches]), abs=1e-12), name
    assert got["accuracy"] != pytest.approx(evaluate(y, p, n_boot=2)["accuracy"], abs=1e-6)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    hits, widths = 0, []
    for _ in range(200):
        y = rng.integers(0, 2, 250)
        got = evaluate(y, np.where(rng.random(250) < 0.8, y, 1 - y), n_boot=400, seed=1)
        hits += got["accuracy_low"] <= 0.8 <= got["accuracy_high"]
        widths.append(got["accuracy_high"] - got["accuracy_low"])
        assert got["mcc_low"] <= got["mcc"] <= got["mcc_high"]
    assert 0.90 <= hits / 200 <= 0.99
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 250), rel=0.08)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [  # R 4.2.2: prop.test(right, n, correct = FALSE)$conf.int
        (31, 31, 0.8897446045, 1.0),
        (0, 31, 0.0, 0.1102553955),
        (30, 31, 0.8380589484, 0.9942827785),
        (1, 1, 0.2065493144, 1.0),
        (1167, 1200, 0.9616320906, 0.9803524138),
    ],
)
def test_the_interval_of_accuracy_is_wilsons(right, n, low, high):
    assert accuracy_interval(right, n) == pytest.approx((low, high), abs=1e-9)
    got = evaluate(np.ones(n, int), np.arange(n) < right, n_boot=2)
    assert got[["accuracy_low", "accuracy_high"]].to_list() == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("n", [31, 300])
def test_no_error_seen_is_not_no_error_possible(k, n):
    y = np.arange(n) % k
    got = evaluate(y, y)
    assert got["accuracy"] == got["mcc"] == got["mcc_high"] == got["accuracy_high"] == 1
    wrong = 1 - got["mcc_low"]  # about as many errors as a rate of one in n may bring: 2 to 5
    assert 2 / n < wrong * (k - 1) / k < 5 / n and got["accuracy_low"] < 1 - 2 / n
    lost = evaluate(y, (y + 1) % k)
    assert lost["accuracy_low"] == 0 < lost["accuracy_high"] and lost["mcc_high"] > lost["mcc"]


def test_a_gene_is_imagined_only_where_a_kind_of_call_is_missing():
    seen = np.array([[5, 1], [0, 4]])
    assert np.array_equal(with_imagined_gene(seen), seen)
    assert with_imagined_gene(np.diag([6, 2])).tolist() == [[6, 0.75], [0.25, 2]]
    assert with_imagined_gene(np.diag([3, 3, 6])).sum() == pytest.approx(13)
    assert with_imagined_gene([[0, 6], [2, 0]]).tolist() == [[0.75, 6], [2, 0.25]]
    assert mcc_interval(np.diag([4, 0])) == (0, 0)  # one class: no correlation to speak of


def test_the_bootstrap_is_seeded():
    y, p = calls()
    assert evaluate(y, p, seed=0).equals(evaluate(y, p, seed=0))
    assert evaluate(y, p, seed=0)["mcc_low"] != evaluate(y, p, seed=1)["mcc_low"]


@pytest.mark.parametrize("k", [2, 3])
def test_auc_is_that_of_sklearn(k):
    y, _ = calls(k=k)
    proba = np.random.default_rng(2).dirichlet(np.ones(k), len(y)) + 0.3 * np.eye(k)[y]
    proba /= proba.sum(1, keepdims=True)
    expected = (
        reference.roc_auc_score(y, proba[:, 1])
        if k == 2
        else reference.roc_auc_score(y, proba, multi_class="ovr", average="weighted")
    )
    assert auc(y, proba) == pytest.approx(expected) and evaluate(
        y, proba.argmax(1), proba, n_boot=2
    )["auc"] == pytest.approx(expected)
    assert 0.55 < expected < 0.99
    assert np.isnan(auc(np.zeros(4, int), np.full((4, k), 1 / k))) and np.isnan(
        evaluate(y, y, n_boot=2)["auc"]
    )


def test_auc_of_three_classes_with_one_absent_weighs_those_present():
    y = np.array([0, 0, 0, 1])
    proba = np.array([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.7, 0.2, 0.1], [0.5, 0.4, 0.1]])
    assert auc(y, proba) == pytest.approx(0.75 * 2 / 3 + 0.25 * 2 / 3)


def test_result_rows_carry_the_papers_value_only_where_it_belongs():
    row = result_row(
        cancer="KICH",
        model="DEGnext",
        experiment="general",
        part="T3",
        scores={"accuracy": 0.9},
        seed=0,
    )
    assert row["paper_accuracy"] == pytest.approx(
        paper_value("KICH", "general", "accuracy") / 100
    ) and row["paper_mcc"] == paper_value("KICH", "general", "mcc")
    transfer = result_row(
        cancer="READ", model="DEGnext", experiment="transfer", part="Q", scores={}
    )
    assert transfer["paper_accuracy"] == pytest.approx(
        paper_value("READ", "transfer", "accuracy") / 100
    )
    for other in (
        dict(model="SVM"),
        dict(part="T2"),
        dict(cancer="MINE"),
        dict(cancer="BRCA", experiment="transfer", part="Q"),
        dict(part="Q"),
    ):
        got = result_row(
            **(
                {
                    "cancer": "KICH",
                    "model": "DEGnext",
                    "experiment": "general",
                    "part": "T3",
                    "scores": {},
                }
                | other
            )
        )
        assert got["paper_accuracy"] is None, other
    assert list(result_table([row, transfer]).columns) == list(RESULT_COLUMNS)
    with pytest.raises(ValueError, match="unknown result columns: .'accurcy'"):
        result_row(
            cancer="KICH", model="SVM", experiment="general", part="T3", scores={"accurcy": 1}
        )


def test_every_score_has_a_column():
    y, p = calls()
    row = result_row(
        cancer="KICH", model="SVM", experiment="general", part="T3", scores=evaluate(y, p, n_boot=5)
    )
    assert row["mcc_high"] >= row["mcc"]


def test_intervals_are_written_with_their_value():
    assert format_interval(0.974, 0.951, 0.989, percent=True) == "97.4 % [95.1, 98.9]"
    assert format_interval(0.95, 0.9, 0.98) == "0.95 [0.90, 0.98]"


def test_labels_are_spelled_and_paired(is_helpful):
    scores = evaluate_labels(["UR", "DR", "neutral"], ["UR", "DR", "DR"], n_boot=20)
    assert scores["n"] == 3 and scores["accuracy"] == pytest.approx(2 / 3)
    for y, said, fault in (
        (["UR"], ["up"], "'up' is no label"),
        ([1, 0], ["UR", "DR"], "is no label"),
        (["UR", "DR"], ["UR"], "2 labels and 1 calls"),
        ([], [], "0 labels"),
    ):
        with pytest.raises(InputError, match=fault) as caught:
            evaluate_labels(y, said)
        assert is_helpful(str(caught.value))


def test_a_confusion_table_names_its_classes():
    table = confusion(["UR", "UR", "DR"], ["UR", "neutral", "DR"])
    assert table.at["UR", "neutral"] == 1 and table.at["DR", "DR"] == 1 and table.shape == (3, 3)
    two = confusion(["UR", "DR"], ["DR", "DR"], ("DR", "UR"))
    assert two.to_numpy().tolist() == [[1, 0], [1, 0]] and list(two) == ["DR", "UR"]


def test_scores_come_over_all_genes_and_over_batches():
    """One class fills whole batches: averaged MCC is 0 there although every gene is right."""
    y = np.repeat(["DR", "UR"], [64, 64])
    scores = scores_both_ways(y, y)
    assert scores["mcc"] == 1 and scores["batch_mcc"] == 0 and scores["batch_accuracy"] == 1
