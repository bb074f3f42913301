"""reproduction.small_samples: draws, answers that keep their promises, known scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from degnext._common.paths import data_dir
from degnext.cohorts.cohort import label_codes, label_names
from degnext.cohorts.perturb import draw_samples
from degnext.labeling import differential_expression as edger
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction import small_samples as small

REFERENCE = Path(__file__).parents[1] / "reference"


def cohort(seed: int = 0, n_genes: int = 900, n_normal: int = 14, n_tumor: int = 30) -> Genes:
    """Draw negative-binomial genes: a quarter up, a quarter down, half neutral."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 2], n_genes)
    change = np.select([labels == 0, labels == 1], [-1.0, 1.0], 0.0) * rng.uniform(
        0.8, 2.5, n_genes
    )
    tumor = np.arange(n_normal + n_tumor) >= n_normal
    mean = (
        2 ** rng.normal(9, 1.5, n_genes)[:, None]
        * rng.uniform(0.6, 1.6, len(tumor))
        * 2 ** (change[:, None] * (tumor - 0.5))
    )
    size = 1 / rng.uniform(0.05, 0.3, n_genes)[:, None]
    counts = rng.negative_binomial(size, size / (size + mean))
    return Genes(counts, tumor, label_names(labels))


def test_a_draw_is_what_it_says():
    tumor = np.random.default_rng(0).random(40) < 0.6
    first = draw_samples(tumor, 5, draw=3)
    assert (first == draw_samples(tumor, 5, draw=3)).all() and len(set(first)) == 10
    assert tumor[first].tolist() == [False] * 5 + [True] * 5
    assert not (first == draw_samples(tumor, 5, draw=4)).all()
    few = np.array([True] * 7 + [False] * 2)
    assert tumor_counts(few, draw_samples(few, 5, 0)) == (2, 5)  # a smaller group is taken whole


def tumor_counts(tumor: np.ndarray, columns: np.ndarray) -> tuple[int, int]:
    return int((~tumor[columns]).sum()), int(tumor[columns].sum())


def test_the_packaged_network_beats_chance_and_ranks_well():
    genes = cohort()
    for k in (2, 5):
        answer = small.ask_network(small.take(genes, draw_samples(genes.is_tumor, k, 0)))
        row = small.score(genes.labels, answer)[0]
        assert row["mcc"] > 0.45 and row["average_precision"] > 0.8 and row["direction"] > 0.9, row


def test_the_network_keeps_the_promises_of_the_others():
    genes = small.take(cohort(1), draw_samples(cohort(1).is_tumor, 3, 0))
    model = ProfileClassifier.from_pretrained("few_samples")
    p = model.predict_proba(genes)
    order = np.array([2, 0, 1, 5, 3, 4])
    assert (
        np.abs(model.predict_proba(genes._replace(counts=genes.counts[:, order])) - p).max() < 1e-6
    )
    swapped = model.predict_proba(genes._replace(is_tumor=~genes.is_tumor))
    assert np.abs(swapped[:, [1, 0, 2]] - p).mean() < 1e-3
    twice = genes._replace(
        counts=np.repeat(genes.counts, 2, axis=1), is_tumor=np.repeat(genes.is_tumor, 2)
    )
    assert ((p[:, 1] > p[:, 0]) == (lambda q: q[:, 1] > q[:, 0])(model.predict_proba(twice))).all()
    counts = genes.counts.copy()
    counts[:, 2] *= 7
    assert np.abs(model.predict_proba(genes._replace(counts=counts)) - p).max() < 1e-5


def test_the_card_knows_the_weights():
    card = json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))
    path = WEIGHTS / "profile_few_samples.safetensors"
    import hashlib

    assert card["files"][path.name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (
        sum(p.numel() for p in ProfileClassifier.from_pretrained(path).model_.parameters())
        == card["files"][path.name]["weights"]
        < 200_000
    )


def test_the_tests_are_those_of_edger_and_limma():
    counts = pd.read_csv(REFERENCE / "r_toy/counts.csv", index_col=0)
    counts = counts.loc[
        (REFERENCE / "r_toy/filter_quantile_025.txt").read_text().split(), ["N1", "N2", "T1", "T2"]
    ]
    genes = Genes(counts.to_numpy(), np.array([False, False, True, True]))
    answers = small.ask_tests(genes)
    ql, voom = (
        pd.read_csv(REFERENCE / f"r_voom/{name}.csv", index_col=0)
        for name in ("few_ql_tmm", "few_tmm")
    )
    np.testing.assert_allclose(-answers[small.QL].score, ql["PValue"], rtol=1e-6)
    np.testing.assert_allclose(-answers[small.VOOM].score, voom["P.Value"], rtol=1e-8)
    plain = edger.differential_expression(
        counts, pd.Series(["normal", "normal", "tumor", "tumor"], index=counts.columns), method="ql"
    )
    np.testing.assert_allclose(
        -small.ask_tests(genes, "column sums")[small.QL].score, plain["p_value"], rtol=1e-9
    )


def test_scores_have_known_values():
    labels = label_names([0, 0, 1, 1, 2, 2, 2, 2])
    p = np.array([1e-6, 1e-5, 1e-7, np.nan, 0.5, 0.6, 0.9, 0.7])
    up = np.array([-1.0, 2.0, 3.0, 1.0, 0.1, 0.2, -0.3, 0.4])
    strict, loose = small.score(labels, small.answer_of_test(up, p))
    assert strict["cut"] == "FDR 0.01" and strict["n_called"] == 3 and loose["n_called"] == 3
    assert (
        strict["direction"] == 0.75 and strict["n_de"] == 4
    )  # a missing p-value is no call but has a sign
    assert strict["average_precision"] == pytest.approx((1 + 1 + 1 + 4 / 8) / 4)
    from sklearn.metrics import matthews_corrcoef

    assert strict["mcc"] == pytest.approx(
        matthews_corrcoef([0, 0, 1, 1, 2, 2, 2, 2], [0, 1, 1, 2, 2, 2, 2, 2])
    )
    own = small.answer_of_test(up, p, {0.05: np.array([0.04, 0.06, 0.01, np.nan, 1, 1, 1, 1.0])})
    assert label_codes(own.calls["FDR 0.05"]).tolist() == [0, 2, 1, 2, 2, 2, 2, 2]


def drawn() -> pd.DataFrame:
    rows = [
        dict(
            cancer=c,
            k=2,
            draw=d,
            method=m,
            scaling="TMM",
            cut=cut,
            mcc=base + shift + 0.01 * d,
            average_precision=0.5,
            direction=0.9,
        )
        for c, base in (("A", 0.1), ("B", 0.5))
        for d in range(5)
        for m, cut, shift in (
            (small.NETWORK, "most probable", 0.2),
            (small.QL, "FDR 0.01", 0.0),
            (small.QL, "FDR 0.05", 0.1),
        )
    ]
    return pd.DataFrame(rows)


def test_means_weigh_cohorts_alike_and_intervals_hold_them():
    table = drawn().drop(index=[0, 3])  # two of five draws of A's network are missing
    s = small.summarize(table, "mcc").set_index("cut").loc["most probable"]
    assert s["mcc"] == pytest.approx((np.mean([0.32, 0.33, 0.34]) + 0.72) / 2)
    assert s["mcc_low"] < s["mcc"] < s["mcc_high"] and s["n_draws"] == 3 and s["n_cohorts"] == 2


def test_the_best_cut_off_is_kept():
    best = small.best_cut(drawn())
    assert set(best.loc[best["method"] == small.QL, "cut"]) == {"FDR 0.05"}


def test_one_comparison_has_every_method():
    genes = cohort(2, n_genes=400)
    table = small.compare(genes, 3, 0)
    assert set(table["method"]) == {small.NETWORK, small.QL, small.VOOM}
    assert set(small.COLUMNS) - {"cancer"} == set(table.columns)
    assert (table["n_normal"] == 3).all() and (table["n_genes"] == 400).all()


@pytest.mark.skipif(
    not (data_dir() / "results" / "small_samples.csv").exists(),
    reason="the table of record is not made yet",
)
def test_the_table_of_record_is_whole():
    table = pd.read_csv(data_dir() / "results" / "small_samples.csv")
    assert list(table.columns) == list(small.COLUMNS)
    assert set(table["method"]) == {small.NETWORK, *small.PEERS}
    draws = (
        table[table["k"] <= 5]
        .groupby(["cancer", "k", "method", "scaling", "cut"])["draw"]
        .nunique()
    )
    assert draws.min() >= 10
    run = json.loads(
        (data_dir() / "results" / "small_samples.run.json").read_text(encoding="utf-8")
    )
    card = json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))
    assert (
        run["settings"]["weights_sha256"]
        == card["files"]["profile_few_samples.safetensors"]["sha256"]
    )  # scores belong to these weights
