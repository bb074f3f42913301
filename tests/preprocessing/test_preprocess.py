"""Preprocessing against stored R results, and what must hold for any data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from degnext._common import matrix
from degnext._common.errors import InputError
from degnext.cohorts.library_size import _middle, scale, size_factors, tmm_factors
from degnext.preprocessing import filters
from degnext.preprocessing.tcgabiolinks import _quantile_normalize, tcgabiolinks_normalize

REFERENCE = Path(__file__).parents[1] / "reference"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / name, index_col=0)


@pytest.fixture
def toy() -> pd.DataFrame:
    return read("r_toy/counts.csv")


@pytest.fixture
def toy_info() -> pd.DataFrame:
    return read("r_toy/gene_info.csv").set_axis(["gene_length", "gc_content"], axis=1)


def same(ours: pd.DataFrame, name: str) -> None:
    theirs = read(name)
    assert list(ours.index) == list(theirs.index) and list(ours.columns) == list(theirs.columns)
    np.testing.assert_array_equal(ours.to_numpy(), theirs.to_numpy())
    assert ours.to_numpy().dtype.kind == "i"


@pytest.mark.parametrize("layout", ["C", "F"])
def test_no_step_changes_its_input(toy, toy_info, layout):
    counts = pd.DataFrame(
        np.array(toy.to_numpy(), order=layout), index=toy.index, columns=toy.columns
    )
    for step in (
        lambda x: tcgabiolinks_normalize(x, toy_info),
        lambda x: tcgabiolinks_normalize(x, toy_info, "geneLength"),
        filters.sample_correlation,
        scale,
        tmm_factors,
        filters.quantile_filter,
    ):
        step(counts)
        pd.testing.assert_frame_equal(counts, toy)


def test_sample_order_does_not_matter_to_normalisation(toy, toy_info):
    shuffled = toy.iloc[:, ::-1]
    for step in (
        lambda x: tcgabiolinks_normalize(x, toy_info),
        scale,
        lambda x: scale(x, "upper_quartile"),
    ):
        pd.testing.assert_frame_equal(step(shuffled)[toy.columns], step(toy))


@pytest.mark.parametrize("method", ["gcContent", "geneLength"])
def test_tcgabiolinks_normalisation_equals_r(toy, toy_info, method):
    same(tcgabiolinks_normalize(toy, toy_info, method), f"r_toy/tcgabiolinks_{method}.csv")


def test_gene_length_method_hands_its_input_back(toy, toy_info):
    out = tcgabiolinks_normalize(
        toy.rename({"GENE007": "SLC35E2"}), toy_info.rename({"GENE007": "SLC35E2"}), "geneLength"
    )
    assert "SLC35E2" not in out.index and "GENE005" not in out.index  # GENE005 has no count at all
    pd.testing.assert_frame_equal(out, toy.loc[out.index])
    assert len(out) == len(toy) - 2


def test_gc_method_gives_every_sample_the_same_distribution(toy, toy_info):
    out = np.sort(tcgabiolinks_normalize(toy, toy_info).to_numpy(), axis=0)
    assert (out == out[:, :1]).all()


def test_quantile_filter_equals_r(toy):
    assert (
        list(filters.quantile_filter(toy).index)
        == (REFERENCE / "r_toy/filter_quantile_025.txt").read_text().split()
    )
    assert (
        len(filters.quantile_filter(toy, 0.0)) == (toy.mean(axis=1) > toy.mean(axis=1).min()).sum()
    )
    with pytest.raises(InputError, match="cut"):
        filters.quantile_filter(toy, 1.0)


def test_correlation_and_size_factors_equal_r():
    counts, samples = read("r_edge/counts.csv"), read("r_edge/samples.csv")
    np.testing.assert_allclose(filters.sample_correlation(counts), samples.spearman, rtol=1e-12)
    np.testing.assert_allclose(tmm_factors(counts), samples.tmm, rtol=1e-10)
    for method, factor in (
        ("total", 1.0),
        ("upper_quartile", samples.upper_quartile),
        ("tmm", samples.tmm),
    ):
        effective = samples.lib * factor
        np.testing.assert_allclose(size_factors(counts, method), effective / 1e6, rtol=1e-10)


def test_tmm_equals_r_on_the_toy(toy):
    expected = json.loads((REFERENCE / "r_toy/scalars.json").read_text())["tmm_norm_factors"]
    np.testing.assert_allclose(tmm_factors(filters.quantile_filter(toy)), expected, rtol=1e-10)


def test_scale_is_counts_per_million(toy):
    scaled = scale(toy)
    np.testing.assert_allclose(scaled.sum(), 1e6)
    np.testing.assert_allclose(scale(toy * np.arange(1, 11)), scaled)
    effective = toy.sum() * tmm_factors(toy)
    np.testing.assert_allclose(size_factors(toy, "tmm"), effective / 1e6)


def test_an_odd_sample_is_dropped_with_its_group(toy):
    rng = np.random.default_rng(1)
    groups = pd.Series(["normal"] * 4 + ["tumor"] * 6, index=toy.columns)
    kept, kept_groups = filters.drop_outliers(toy, groups, cut=0.4)
    assert kept.equals(toy) and kept_groups.equals(groups)
    odd = toy.assign(T3=rng.permutation(toy["T3"].to_numpy()))[["T3", *toy.columns.drop("T3")]]
    kept, kept_groups = filters.drop_outliers(odd, groups, cut=0.4)
    assert list(kept.columns) == [c for c in odd.columns if c != "T3"] and list(
        kept_groups.index
    ) == list(kept.columns)
    pd.testing.assert_frame_equal(kept, odd.drop(columns="T3"))
    with pytest.raises(InputError, match="lower cut"):
        filters.drop_outliers(toy, groups, cut=0.999)
    with pytest.raises(InputError, match="'N2' has the same count"):
        filters.sample_correlation(toy.assign(N2=3))


def test_zero_levels_are_explained_instead_of_nan(toy, toy_info):
    sparse = toy.mul(np.arange(len(toy)) % 5 == 0, axis=0)
    with pytest.raises(InputError, match="mostly zero"):
        tcgabiolinks_normalize(sparse, toy_info)
    with pytest.raises(InputError, match="'T4' has no counts"):
        size_factors(toy.assign(T4=0))


def test_wrong_input_is_explained(toy, toy_info):
    gaps = toy_info.assign(gc_content=toy_info["gc_content"].where(toy_info.index != "GENE003"))
    with pytest.raises(InputError, match="1 genes have no GC content, the first is 'GENE003'"):
        tcgabiolinks_normalize(toy, gaps)
    with pytest.raises(InputError, match="10 bins of different values: pass"):
        tcgabiolinks_normalize(toy, toy_info.round(1))
    with pytest.raises(InputError, match="gcContent"):
        tcgabiolinks_normalize(toy, toy_info, "gc")
    with pytest.raises(InputError, match="no gene"):
        tcgabiolinks_normalize(toy.rename(lambda g: f"x{g}"), toy_info)
    with pytest.raises(InputError, match="twice"):
        tcgabiolinks_normalize(pd.concat([toy, toy.iloc[:1]]), toy_info)
    with pytest.raises(InputError, match="numbers"):
        filters.quantile_filter(toy.assign(description="x"))
    with pytest.raises(InputError, match="unlogged"):
        filters.quantile_filter(-toy)
    with pytest.raises(InputError, match="empty"):
        filters.quantile_filter(toy.iloc[:0])


def test_quantiles_and_ranks_follow_r():
    # R: quantile(c(1, 2, 10, 20, 40), 0.75) is 20; quantile(1:4, 0.25) is 1.75;
    # rank(c(2, 2, 1)) is 2.5 2.5 1
    assert matrix.column_quantiles(np.array([[40, 1, 20, 2, 10]]), 0.75)[0] == 20
    assert matrix.column_quantiles(np.array([[4, 3, 2, 1]]), 0.25)[0] == 1.75
    assert matrix.column_quantiles(np.array([[0.0, 0, 0, 8]]), 0.75, log=True)[0] == -np.inf
    np.testing.assert_array_equal(matrix.average_ranks(np.array([2, 2, 1])), [2.5, 2.5, 1.0])
    np.testing.assert_array_equal(matrix.average_ranks(np.array([0.5, 0.5, 0.25])), [2.5, 2.5, 1.0])


def test_trimming_counts_ties_as_r_ranks_do():
    x = np.array([3.0, 1, 2, 2, 2, 2, 5, 4, 9, 8])
    rank = pd.Series(x).rank().to_numpy()
    for trim in (0.05, 0.1, 0.2, 0.3, 0.45):
        low = np.floor(x.size * trim) + 1
        np.testing.assert_array_equal(
            _middle(x, trim), (rank >= low) & (rank <= x.size + 1 - low), str(trim)
        )


def test_quantile_normalisation_by_hand():
    values = np.array([[5.0, 4], [2, 1], [3, 4], [4, 2]])
    # sorted columns 2 3 4 5 and 1 2 4 4: floored means 1 2 4 4; ties take levels in gene order
    np.testing.assert_array_equal(
        _quantile_normalize(values.astype(int)), [[4, 4], [1, 1], [2, 4], [4, 2]]
    )


def test_real_kich_filter_equals_r(real_data):
    from degnext.preprocessing import symbols as annotation

    reference = real_data.parent / "reference/r_kich"
    if not reference.exists():
        pytest.skip("no reference/r_kich beside DEGNEXT_DATA")
    parts = [
        pd.read_csv(
            real_data / f"rnaseqdb/kich-rsem-count-tcga{end}.txt.gz", sep="\t", index_col=0
        ).iloc[:, 1:]
        for end in ("", "-t")
    ]
    counts = pd.concat(parts, axis=1).round().astype(int)
    for method in ("geneLength", "gcContent"):
        kept = filters.quantile_filter(
            tcgabiolinks_normalize(counts, annotation.gene_info(), method)
        )
        assert (
            list(kept.index)
            == (reference / f"ref_kich_{method}_filtered_genes.txt").read_text().split()
        ), method
