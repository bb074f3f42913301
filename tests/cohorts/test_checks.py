"""degnext.cohorts.checks: what passes unchanged, what is refused (sentences: test_bad_inputs)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.checks import check_counts, check_groups, check_orientation
from degnext.cohorts.tcga import groups_from_barcodes, looks_like_barcode


def test_good_counts_pass_as_int64_without_a_change_of_value(cohort):
    checked = check_counts(cohort.counts.astype(float))
    assert (checked.dtypes == np.int64).all() and np.array_equal(checked, cohort.counts)
    assert checked.index.name == "gene" and list(checked.columns) == list(cohort.counts.columns)


def test_integer_names_become_text():
    checked = check_counts(pd.DataFrame({1: [3, 4], 2: [5, 6]}, index=[10, 11]))
    assert checked.index.tolist() == ["10", "11"] and checked.columns.tolist() == ["1", "2"]


def test_nullable_integers_pass_and_their_gaps_do_not():
    table = pd.DataFrame(
        {"a": pd.array([1, 2], dtype="Int64"), "b": pd.array([3, 4], dtype="Int64")},
        index=["x", "y"],
    )
    assert check_counts(table).to_numpy().tolist() == [[1, 3], [2, 4]]
    table.iloc[1, 0] = pd.NA
    with pytest.raises(InputError, match=r"1 value\(s\) in sample 'a' are missing"):
        check_counts(table)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (-1, "negative"),
        (0.5, "fractional"),
        (np.nan, "missing"),
        (np.inf, "infinite"),
        (2.0**53, "too large"),
    ],
)
def test_a_bad_value_is_named_with_its_sample_and_number(cohort, value, word):
    counts = cohort.counts.astype(float)
    counts.iloc[[3, 7], 4] = value
    with pytest.raises(InputError, match=rf"2 value\(s\) in sample 'N5' .*{word}"):
        check_counts(counts)


def test_true_and_false_are_no_counts():
    with pytest.raises(InputError, match="'b' holds text"):
        check_counts(pd.DataFrame({"a": [1, 2], "b": [True, False]}, index=["x", "y"]))


@pytest.mark.parametrize("name", ["", "  ", None])
def test_a_gene_without_a_name_is_refused(name):
    with pytest.raises(InputError, match="a gene has no name"):
        check_counts(pd.DataFrame({"a": [1, 2], "b": [1, 2]}, index=["x", name]))


def test_the_number_of_repeated_genes_is_told():
    with pytest.raises(InputError, match=r"2 gene name\(s\) occur more than once, e.g. 'x'"):
        check_counts(pd.DataFrame({"a": range(5)}, index=["x", "x", "y", "y", "z"]))


def test_a_gene_without_reads_is_fine_but_not_a_sample():
    assert check_counts(pd.DataFrame({"a": [0, 2]}, index=["x", "y"])).iloc[0, 0] == 0
    with pytest.raises(InputError, match="sample 'b' has no reads"):
        check_counts(pd.DataFrame({"a": [1, 2], "b": [0, 0]}, index=["x", "y"]))


def test_groups_come_in_the_order_of_the_samples_and_spelled_one_way():
    groups = pd.Series(
        [" Tumor", "NORMAL", "tumor", "normal", "normal"],
        index=["s4", "s1", "s3", "s2", "elsewhere"],
    )
    checked = check_groups(groups, pd.Index(["s1", "s2", "s3", "s4"]))
    assert checked.to_dict() == {"s1": "normal", "s2": "normal", "s3": "tumor", "s4": "tumor"}
    assert list(checked.index) == ["s1", "s2", "s3", "s4"]


def test_groups_by_number_match_samples_by_text():
    assert (
        check_groups(
            pd.Series(["normal", "normal", "tumor", "tumor"], index=[1, 2, 3, 4]),
            pd.Index(list("1234")),
        ).iloc[3]
        == "tumor"
    )


def test_two_samples_per_group_are_enough_and_one_is_not():
    groups = pd.Series(["normal"] * 2 + ["tumor"] * 2, index=list("abcd"))
    assert len(check_groups(groups, pd.Index(list("abcd")))) == 4
    with pytest.raises(InputError, match=r"'tumor' has 1 sample"):
        check_groups(groups, pd.Index(list("abc")))


def test_barcodes_tell_the_group_and_other_tissues_are_left_out():
    names = pd.Index(
        [
            "TCGA-AB-0001-01A-11R",
            "TCGA-AB-0001-11A",
            "tcga-ab-0002-01",
            "TCGA-AB-0003-06A",
            "TCGA-AB-0004-10A",
        ]
    )
    groups = groups_from_barcodes(names)
    assert groups.tolist() == ["tumor", "normal", "tumor"] and list(groups.index) == list(names[:3])
    with pytest.raises(InputError, match="'mine' is no TCGA barcode"):
        groups_from_barcodes(pd.Index(["TCGA-AB-0001-01A", "mine"]))
    assert (
        looks_like_barcode("TCGA-AB-0001-01A")
        and not looks_like_barcode("TCGA-AB")
        and not looks_like_barcode(5)
    )


def test_a_transposed_table_is_recognised_by_groups_or_by_barcodes(cohort):
    check_orientation(cohort.counts, cohort.groups)
    with pytest.raises(InputError, match="transpose it"):
        check_orientation(cohort.counts.T, cohort.groups)
    barcodes = [f"TCGA-AB-{i:04d}-01A" for i in range(15)]
    check_orientation(cohort.counts.set_axis(barcodes, axis=1))
    with pytest.raises(InputError, match="transpose it"):
        check_orientation(cohort.counts.set_axis(barcodes, axis=1).T)


def test_a_table_without_rows_is_left_to_the_check_for_empty_ones(cohort):
    check_orientation(cohort.counts.iloc[:0], cohort.groups)
    check_orientation(cohort.counts.iloc[:0])
