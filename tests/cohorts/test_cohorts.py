"""degnext.cohorts.cohort: the registry and the two shapes in which data travel."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import degnext
from degnext._common.errors import InputError
from degnext.cohorts.cohort import (
    CANCERS,
    CLASS_NAMES,
    TRAINING,
    UNTRAINED,
    Cohort,
    check_cancer,
    label_codes,
    label_names,
    registry,
)


def test_the_registry_has_the_papers_seventeen_cancers_and_their_roles():
    table = registry()
    assert list(table.index) == list(CANCERS) and len(CANCERS) == 17
    assert not set(TRAINING) & set(UNTRAINED)
    assert set(table.index[table["role"] == "train"]) == set(TRAINING)
    assert table.loc["KICH", ["n_normal", "n_tumor"]].tolist() == [24, 65]


def test_the_registry_is_a_copy():
    table = registry()
    table.loc["KICH", "n_tumor"] = 0
    assert registry().loc["KICH", "n_tumor"] == 65


@pytest.mark.parametrize(
    ("wrong", "meant"), [("REED", "READ"), ("kich", "KICH"), ("STAAD", "STAD")]
)
def test_an_unknown_cancer_is_answered_with_the_nearest(wrong, meant):
    with pytest.raises(InputError, match=f"did you mean .*'{meant}'"):
        check_cancer(wrong)


def test_a_name_like_no_other_is_answered_with_all():
    with pytest.raises(InputError, match="choose one of: BLCA, BRCA"):
        check_cancer("1234567")


def test_public_names_resolve_and_others_do_not():
    assert all(getattr(degnext, name) is not None for name in degnext.__all__)
    assert set(degnext.__all__) <= set(dir(degnext))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = degnext.no_such_name


def test_is_tumor_follows_the_columns_not_the_groups(cohort):
    shuffled = cohort.with_counts(cohort.counts[["T2", "N1", "T1", "N3"]])
    shuffled = replace(shuffled, groups=cohort.groups.iloc[::-1])
    assert shuffled.is_tumor.tolist() == [True, False, True, False]
    assert (shuffled.n_normal, shuffled.n_tumor) == (2, 2)
    assert "80 genes × 2 normal + 2 tumor" in repr(shuffled)


def test_with_counts_keeps_groups_and_gathers_notes(cohort):
    fewer = cohort.with_counts(cohort.counts.iloc[:5, 2:], "first").with_counts(
        cohort.counts.iloc[:3, 2:], "second"
    )
    assert fewer.notes == ("first", "second") and fewer.counts.shape == (3, 13)
    assert list(fewer.groups.index) == list(fewer.counts.columns)
    assert cohort.counts.shape == (80, 15)


def test_rows_and_part_pick_the_parts(make_labeled):
    labeled = make_labeled()
    assert labeled.parts == ("T1", "T2", "F1", "T3")
    bio = labeled.part("F1", "T3")
    chosen = labeled.genes["part"].isin(["F1", "T3"])
    assert bio.counts.equals(labeled.counts[chosen]) and bio.genes.equals(labeled.genes[chosen])
    assert np.array_equal(np.array(CLASS_NAMES)[bio.codes], labeled.genes["label"][chosen])
    assert np.array_equal(labeled.rows("Q"), labeled.rows("F1", "T3"))
    assert len(labeled.rows(*labeled.parts)) == len(labeled.counts)


def test_labels_are_spelled_one_way():
    assert label_codes(["neutral", "DR", "UR"]).tolist() == [2, 0, 1]
    assert label_names(np.array([2, 0, 1])).tolist() == ["neutral", "DR", "UR"]
    with pytest.raises(InputError, match="'up' is no label: use DR, UR, neutral"):
        label_codes(["DR", "up"])


def test_a_part_that_is_not_at_hand_is_named(make_labeled):
    labeled = make_labeled()
    without = labeled.with_counts(labeled.counts[labeled.genes["part"] != "F1"])
    assert without.parts == ("T1", "T2", "T3") and len(without.genes) == len(without.counts)
    with pytest.raises(InputError, match="no part F1: at hand are T1, T2, T3"):
        without.rows("Q")


def test_log_cpm_is_the_logarithm_of_counts_per_million(cohort):
    cpm = 2 ** cohort.log_cpm() - 1
    np.testing.assert_allclose(cpm.sum(), 1e6)
    assert not np.allclose(cohort.log_cpm("tmm"), cohort.log_cpm())


def test_another_fold_swaps_the_test_parts(make_labeled):
    labeled = make_labeled()
    other = labeled.with_fold(3)
    assert set(np.flatnonzero(labeled.genes["fold"] == 3)) == set(other.rows("T2", "T3"))
    assert set(other.rows("T3")) == set(
        np.flatnonzero(labeled.genes["bio"] & (labeled.genes["fold"] == 3))
    )
    pd.testing.assert_frame_equal(labeled.with_fold(0).genes, labeled.genes)
    with pytest.raises(InputError, match="no fold 5"):
        labeled.with_fold(5)
    with pytest.raises(InputError, match="no fold -1"):
        labeled.with_fold(-1)


def test_part_table_counts_every_gene_once(make_labeled):
    labeled = make_labeled()
    table = labeled.part_table()
    assert list(table.columns) == ["DR", "UR", "neutral", "total"] and list(table.index) == [
        "T1",
        "T2",
        "F1",
        "T3",
    ]
    assert table["total"].sum() == 80
    assert table["UR"].sum() == 20 and table["neutral"].sum() == 40
    assert table.loc[["F1", "T3"], "neutral"].sum() == 0


@pytest.fixture
def anndata():
    return pytest.importorskip("anndata")


@pytest.mark.parametrize("labelled", [False, True])
def test_a_cohort_survives_anndata_and_its_file(anndata, make_labeled, tmp_path, labelled):
    cohort = make_labeled()
    if not labelled:
        cohort = replace(cohort, genes=None, notes=(), name="KICH", source="xena")
    data = cohort.to_anndata()
    assert data.shape == (15, 80) and data.obs["group"].tolist() == cohort.groups.tolist()
    data.write_h5ad(tmp_path / "c.h5ad")
    for back in (data, anndata.read_h5ad(tmp_path / "c.h5ad")):
        back = Cohort.from_anndata(back)
        pd.testing.assert_frame_equal(back.counts, cohort.counts)
        pd.testing.assert_series_equal(back.groups, cohort.groups)
        assert (back.name, back.source) == (cohort.name, cohort.source)
        assert back.notes == cohort.notes
        assert back.is_labeled == labelled
        if labelled:
            assert np.array_equal(back.codes, cohort.codes) and back.parts == cohort.parts
            assert back.with_fold(1).part_table().equals(cohort.with_fold(1).part_table())


def test_anndata_of_another_program_names_its_groups_and_layer(anndata, cohort):
    sparse = pytest.importorskip("scipy.sparse")
    obs = pd.DataFrame({"condition": cohort.groups.str.upper()})
    layers = {"counts": sparse.csr_matrix(cohort.counts.T.to_numpy(np.float32))}
    data = anndata.AnnData(np.log1p(cohort.counts.T), obs=obs, layers=layers)
    back = Cohort.from_anndata(data, group="condition", layer="counts")
    pd.testing.assert_frame_equal(back.counts, cohort.counts)
    assert not back.is_labeled and back.n_tumor == cohort.n_tumor


def test_what_anndata_lacks_is_named(anndata, cohort, is_helpful):
    data = cohort.to_anndata()
    data.layers["log"] = np.log1p(data.X)
    for options, said in (
        ({"group": "tissue"}, "no column of obs 'tissue'"),
        ({"layer": "raw"}, "no layer 'raw'"),
        ({"layer": "log"}, "fractional"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            Cohort.from_anndata(data, **options)
        assert is_helpful(str(caught.value))


def test_without_anndata_the_cure_is_told(cohort, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(InputError, match="anndata is not installed: run pip install"):
        cohort.to_anndata()
