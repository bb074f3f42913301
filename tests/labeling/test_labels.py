"""degnext.labeling.calls: calls, disjoint and stratified parts, folds, disease genes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import truth_of

from degnext._common.errors import InputError
from degnext.cohorts.cohort import Cohort, label_names
from degnext.labeling.calls import (
    agreement,
    call_by_rule,
    call_genes,
    label,
    published_folds,
    split_parts,
    stratified_folds,
)
from degnext.labeling.differential_expression import differential_expression
from degnext.labeling.disease_genes import bio_genes


def labels(n: int = 500, seed: int = 0) -> pd.Series:
    codes = np.random.default_rng(seed).choice(3, n, p=[0.2, 0.3, 0.5])
    return pd.Series(label_names(codes), index=[f"G{i}" for i in range(n)])


BIO = [f"G{i}" for i in range(0, 500, 3)]


def test_a_gene_is_called_by_fdr_and_by_the_sign_of_its_change():
    table = pd.DataFrame(
        {"log_fc": [2, -2, 2, -0.1, 0, 0.4], "fdr": [0.001, 0.001, 0.02, 0.009, 0.001, 0.01]},
        index=list("abcdef"),
    )
    assert call_genes(table).tolist() == ["UR", "DR", "neutral", "DR", "neutral", "neutral"]
    relaxed = call_genes(table, fdr=0.05, log_fc=0.3)
    assert relaxed.tolist() == ["UR", "DR", "UR", "neutral", "neutral", "UR"]
    assert call_genes(table, log_fc=2).tolist() == ["neutral"] * 6


@pytest.mark.parametrize(
    "bad", [dict(fdr=0), dict(fdr=1.5), dict(fdr=float("nan")), dict(log_fc=-1)]
)
def test_impossible_thresholds_are_refused(bad, is_helpful):
    with pytest.raises(InputError) as caught:
        call_genes(pd.DataFrame({"log_fc": [1.0], "fdr": [0.1]}), **bad)
    assert is_helpful(str(caught.value))


def test_parts_are_disjoint_and_cover_every_gene():
    called = labels()
    genes = split_parts(called, BIO)
    assert (
        genes.index.equals(called.index)
        and (genes["label"] == called).all()
        and set(genes["part"]) == {"T1", "T2", "F1", "T3"}
    )
    assert ((genes["part"].isin(["F1", "T3"])) == genes["bio"]).all()
    assert (genes["fold"].eq(0) == genes["part"].isin(["T2", "T3"])).all()
    assert set(genes["fold"]) == {0, 1, 2, 3, 4}


def test_a_neutral_gene_with_disease_evidence_stays_in_p():
    called = labels()
    genes = split_parts(called, BIO)
    neutral_bio = (called == "neutral") & called.index.isin(BIO)
    assert (
        neutral_bio.sum() > 20
        and not genes["bio"][neutral_bio].any()
        and genes["part"][neutral_bio].isin(["T1", "T2"]).all()
    )
    assert genes["bio"][(called != "neutral") & called.index.isin(BIO)].all()
    assert not (genes["label"][genes["bio"]] == "neutral").any()


def test_parts_are_80_to_20_and_stratified():
    genes = split_parts(labels(), BIO)
    for bio in (False, True):
        group = genes[genes["bio"] == bio]
        for name in sorted(group["label"].unique()):
            per_fold = group[group["label"] == name]["fold"].value_counts()
            assert len(per_fold) == 5 and per_fold.max() - per_fold.min() <= 1, (bio, name)
        assert group["part"].isin(["T2", "T3"]).mean() == pytest.approx(0.2, abs=0.01)


def test_the_seed_decides_and_zero_is_one():
    called = labels()
    first = split_parts(called, BIO, seed=0)
    pd.testing.assert_frame_equal(first, split_parts(called, BIO, seed=0))
    assert (first["fold"] != split_parts(called, BIO, seed=1)["fold"]).mean() > 0.5


@pytest.mark.parametrize("bio", [[], ["G0"], ["nothing of the cohort"]])
def test_too_few_disease_genes_are_an_error_with_its_cure(bio, is_helpful):
    with pytest.raises(InputError, match="have disease evidence, 5 are needed") as caught:
        split_parts(labels(), bio)
    assert is_helpful(str(caught.value))


def test_a_class_too_small_for_its_folds_is_an_error():
    with pytest.raises(InputError, match="fewer than 5 genes"):
        stratified_folds(np.repeat([0, 1, 2], [20, 20, 4]))
    assert np.bincount(stratified_folds(np.repeat([0, 2], [20, 5]))).tolist() == [5] * 5


def test_a_cohort_is_labelled_whole(cohort):
    given = cohort.with_counts(cohort.counts, "said before")
    bio = cohort.counts.index[::2]
    labeled = label(given, bio, seed=1)
    assert (labeled.genes["label"] == truth_of(cohort)).mean() > 0.95
    called = labeled.genes["label"] != "neutral"
    assert (labeled.genes["bio"] == (called & labeled.genes.index.isin(bio))).all()
    assert labeled.notes[:-1] == ("said before",) and given.genes is None
    steps = call_by_rule(cohort.counts, cohort.groups, "standard")["label"]  # source "file"
    pd.testing.assert_frame_equal(labeled.genes, split_parts(steps, bio, seed=1))


@pytest.mark.parametrize("how", [dict(method="voom"), dict(library_size="tmm"), dict(method="ql")])
def test_how_to_test_and_how_much_change_is_passed_on(cohort, how):
    bio = cohort.counts.index[::2]
    labeled = label(cohort, bio, rule="paper", **how, fdr=0.05, log_fc=1)
    table = differential_expression(cohort.counts, cohort.groups, **how)
    assert (labeled.genes["label"] == call_genes(table, 0.05, 1)).all()


def symbols(cohort: Cohort, cancers: tuple[str, ...] = ("CHOL", "KICH", "READ")) -> Cohort:
    """The cohort with carried disease genes as the names of its even rows."""
    known = pd.Index([g for c in cancers for g in bio_genes(c, "demo")]).unique()
    names = cohort.counts.index.to_numpy(dtype=object, copy=True)
    names[::2] = known[: len(names[::2])]
    return replace(cohort, counts=cohort.counts.set_axis(names, axis=0))


@pytest.mark.parametrize(
    ("source", "name", "note"),
    [
        ("demo", "KICH", ""),
        ("file", "KICH", ""),
        ("gdc", "KICH", ""),
        ("file", "MINE", "READ stand in"),
    ],
)
def test_no_list_of_disease_genes_takes_the_best_at_hand(cohort, source, name, note):
    named = replace(symbols(cohort, ("KICH",)), source=source, name=name)
    labeled = label(named)
    called = labeled.genes["label"] != "neutral"
    assert labeled.genes["bio"][::2].equals(called[::2]) and not labeled.genes["bio"][1::2].any()
    assert [note in n for n in labeled.notes[1:]] == ([True] if note else [])
    pd.testing.assert_frame_equal(labeled.genes, label(named, "").genes)  # a notebook's empty text


def test_unknown_symbols_get_a_random_fifth_and_a_note(make_cohort):
    cohort = make_cohort(n_genes=200)
    labeled = label(cohort)  # source "file", genes no list knows
    bio = labeled.genes[labeled.genes["bio"]]
    assert bio["label"].value_counts().to_dict() == {"DR": 10, "UR": 10}
    assert set(labeled.parts) == {"T1", "T2", "F1", "T3"} and "random fifth" in labeled.notes[-1]
    pd.testing.assert_frame_equal(labeled.genes, label(cohort).genes)
    assert not label(cohort, seed=1).genes["bio"].equals(labeled.genes["bio"])


def test_ones_own_cohort_whose_ids_no_list_knows_is_labelled_under_any_name(make_cohort):
    labeled = label(replace(make_cohort(n_genes=200), name="KICH"))
    assert "random fifth" in labeled.notes[-1] and labeled.genes["bio"].sum() == 20


def test_labels_that_cannot_be_made_say_why(cohort, is_helpful, tmp_path):
    for bad, disease_genes, match in (
        (cohort, [], "disease evidence"),
        (cohort, tmp_path / "none.txt", "is no gene list"),
        (replace(cohort, source="gdc", name="BRCA"), None, "DEGNEXT_DATA"),
        (replace(cohort, source="published", name="KICH"), None, "published_folds"),
    ):
        with pytest.raises(InputError, match=match) as caught:
            label(bad, disease_genes)
        assert is_helpful(str(caught.value))


def published(make_labeled, parts=("T1", "T2", "F1", "T3")) -> Cohort:
    labeled = make_labeled(n_genes=160)
    kept = labeled.with_counts(labeled.counts[labeled.genes["part"].isin(parts)])
    genes = kept.genes.assign(fold=-1)
    return Cohort(kept.counts, kept.groups, genes=genes, name="KICH", source="published")


def test_published_parts_are_fold_0_and_the_rest_is_spread(make_labeled):
    cohort = published(make_labeled)
    folded = published_folds(cohort, seed=0)
    genes = folded.genes
    assert (genes["part"] == cohort.genes["part"]).all() and (cohort.genes["fold"] == -1).all()
    assert (genes["fold"].eq(0) == genes["part"].isin(["T2", "T3"])).all()
    for part in ("T1", "F1"):
        sizes = genes[genes["part"] == part].groupby(["label", "fold"]).size().unstack()
        assert (
            list(sizes.columns) == [1, 2, 3, 4]
            and (sizes.max(axis=1) - sizes.min(axis=1) <= 1).all()
        )
    other = folded.with_fold(2)
    assert not set(other.rows("T2")) & set(folded.rows("T2")) and set(folded.rows("T3")) <= set(
        other.rows("F1")
    )


@pytest.mark.parametrize("parts", [("T2", "F1", "T3"), ("T3",), ("T1", "T2", "T3")])
def test_a_published_cohort_without_all_parts_has_no_folds(make_labeled, parts):
    folded = published_folds(published(make_labeled, parts))
    assert (folded.genes["fold"] == -1).all() and folded.parts == parts
    with pytest.raises(InputError, match="has no fold 1"):
        folded.with_fold(1)


def test_agreement_counts_published_in_rows_and_ours_in_columns():
    theirs = pd.Series(["DR", "DR", "UR", "neutral"], index=list("abcd"))
    ours = pd.Series(["neutral", "UR", "DR", "DR", "DR"], index=list("xdbac"))
    table = agreement(ours, theirs)
    assert (
        table.loc["DR", "DR"] == 2
        and table.loc["UR", "DR"] == 1
        and table.loc["neutral", "UR"] == 1
        and table.to_numpy().sum() == 4
    )
    assert table.index.name == "published"


def test_the_two_rules_are_what_their_words_say():
    rng = np.random.default_rng(2)
    change = np.repeat([1.0, 3.0, 1 / 3, 1.3], [200, 30, 30, 40])[:, None] ** np.repeat([0, 1], 10)
    counts = rng.negative_binomial(100, 1 / (1 + 3 * change), (300, 20)).astype(int)
    counts[0] += np.repeat([1, 0], 10) * counts.sum(axis=0)  # one gene that falls lifts all others
    names = [f"S{i}" for i in range(20)]
    counts, groups = pd.DataFrame(counts, columns=names), pd.Series("normal", names)
    groups[10:] = "tumor"
    paper, standard = (call_by_rule(counts, groups, rule) for rule in ("paper", "standard"))
    by_hand = differential_expression(counts, groups)
    pd.testing.assert_series_equal(paper["label"], call_genes(by_hand), check_names=False)
    how = dict(library_size="tmm", dispersion="empirical")
    by_hand = differential_expression(counts, groups, **how)
    expected = call_genes(by_hand, log_fc=np.log2(1.5))
    pd.testing.assert_series_equal(standard["label"], expected, check_names=False)
    assert (paper["label"] == "UR")[1:200].mean() > 0.9  # the unchanged genes
    assert (standard["label"] == "neutral")[1:200].all() and (standard["label"] == "DR")[
        230:260
    ].all()
    assert (standard["label"] == "neutral")[260:].all()  # 1.3-fold is not enough
    assert set(standard["rule"]) == {
        "standard rule (lrt, library sizes tmm, FDR < 0.01, fold change above 1.5)"
    }
    other = call_by_rule(counts, groups, "standard", library_size="total", method="exact", log_fc=2)
    assert other["rule"][0] == (
        "standard rule (exact, library sizes total, FDR < 0.01, fold change above 4)"
    )
    with pytest.raises(InputError, match="unknown rule 'papers'"):
        call_by_rule(counts, groups, "papers")


@pytest.mark.parametrize(("source", "rule"), [("demo", "paper"), ("file", "standard")])
def test_labels_follow_the_rule_of_their_source_and_say_so(cohort, source, rule):
    cohort = replace(cohort, source=source)
    labeled = label(cohort, list(cohort.counts.index))
    note = next(n for n in labeled.notes if n.startswith("Labels: "))
    assert note.startswith(f"Labels: {rule} rule (lrt, library sizes ")
    calls = call_by_rule(cohort.counts, cohort.groups, rule)["label"]
    assert (labeled.genes["label"] == calls).all()
