"""degnext.predict(..., fdr=...): the list of calls, where it abstains, and a single sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import truth_of

import degnext
from degnext.prediction.called import ABSTAIN, LIST_COLUMNS


@pytest.fixture
def planted(make_cohort):
    """A quarter of 480 genes up eightfold, a quarter down, 10 normal and 14 tumor samples."""
    return make_cohort(n_genes=480, n_normal=10, n_tumor=14)


def few_of(cohort, n_normal: int, n_tumor: int):
    tumor = cohort.is_tumor
    keep = np.r_[np.flatnonzero(~tumor)[:n_normal], np.flatnonzero(tumor)[:n_tumor]]
    return cohort.counts.iloc[:, keep], cohort.groups.iloc[keep]


@pytest.mark.parametrize("size", [2, 3, 10])
def test_the_list_holds_what_it_promises_on_planted_genes(planted, size):
    table = degnext.predict(*few_of(planted, size, size), fdr=0.1)
    called = (table["call"] != ABSTAIN).to_numpy()
    wrong = table["call"].to_numpy()[called] != truth_of(planted)[called]
    assert called.sum() > 100 and wrong.mean() <= 0.15
    assert table.loc[called, "expected_share_wrong"].max() <= 0.1
    assert table.loc[called, "expected_error"].max() <= table.loc[~called, "expected_error"].min()
    share = table["expected_error"].sort_values(kind="stable").expanding().mean()
    share = share.groupby(table["expected_error"]).transform("max")  # equals stand together
    np.testing.assert_allclose(table["expected_share_wrong"][share.index], share)
    text = " ".join(table.attrs["notes"])
    assert "are expected to be wrong" in text and "rank correlation" in text


def test_a_wider_limit_gives_a_longer_list_and_changes_nothing_else(planted):
    given = few_of(planted, 3, 3)
    plain, strict, wide = (degnext.predict(*given, fdr=f) for f in (None, 0.02, 0.3))
    assert set(strict) - set(plain) == set(LIST_COLUMNS)
    pd.testing.assert_frame_equal(strict[list(plain)], plain)
    short, long = ((t["call"] != ABSTAIN).to_numpy() for t in (strict, wide))
    assert short.sum() < long.sum() and long[short].all()
    same = strict["expected_share_wrong"] <= 0.3
    assert (same.to_numpy() == long).all()  # the column cuts the list at any share


def test_a_list_without_an_abstention_is_told_too(planted):
    table = degnext.predict(*few_of(planted, 3, 3), fdr=0.99)
    called = (table["call"] != ABSTAIN).to_numpy()
    assert called.all() and "on 0 genes it abstains" in " ".join(table.attrs["notes"])


def test_nothing_is_called_where_groups_are_alike(make_cohort):
    cohort = make_cohort(n_genes=600, n_normal=6, n_tumor=6, fold=1.0)
    table = degnext.predict(cohort, fdr=0.1)
    assert (table["call"] != ABSTAIN).mean() <= 0.01


@pytest.mark.parametrize("size", [(1, 5), (4, 1), (1, 1)])
def test_one_sample_in_a_group_is_answered_without_a_call(planted, size):
    table = degnext.predict(*few_of(planted, *size), fdr=0.2)
    assert (table["class"] == ABSTAIN).all() and (table["call"] == ABSTAIN).all()
    assert table[["p_UR", "edger_fdr"]].isna().all(axis=None)
    truth, change = truth_of(planted), table["edger_log2_fold_change"]
    assert (
        np.sign(change[truth != "neutral"]) == np.where(truth == "UR", 1, -1)[truth != "neutral"]
    ).mean() > 0.95
    assert (table["log2_fold_change_error"] > 0.5).all()
    assert "single sample" in " ".join(table.attrs["notes"])


def test_slips_end_with_a_sentence(planted, is_helpful):
    for counts, given, said in (
        ((planted,), {"fdr": 5}, "between 0 and 1"),
        ((planted,), {"fdr": 0.1, "rule": "paper"}, "belongs to rule 'standard'"),
        (few_of(planted, 1, 4), {"rule": "paper"}, "a single sample"),
    ):
        with pytest.raises(degnext.InputError, match=said) as caught:
            degnext.predict(*counts, **given)
        assert is_helpful(str(caught.value))


def test_the_command_lists_calls_and_takes_a_single_sample(planted, run_cli, tmp_path):
    counts, groups = few_of(planted, 1, 4)
    counts.to_csv(tmp_path / "counts.csv")
    groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    files = [tmp_path / "counts.csv", "--groups", tmp_path / "groups.csv"]
    done = run_cli("predict", *files, "--out", tmp_path / "one.csv", "--fdr", "0.1")
    assert done.code == 0 and "480 abstain" in done.out and "no gene can be called" in done.out
    source = ["--source", "demo", "--cancer", "KICH", "--fdr", "0.05"]
    done = run_cli("predict", *source, "--out", tmp_path / "p.csv")
    assert done.code == 0 and "List at fdr=0.05" in done.out and "by rule standard" in done.out
    assert set(LIST_COLUMNS) <= set(pd.read_csv(tmp_path / "p.csv"))
