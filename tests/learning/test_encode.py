"""degnext.learning.images: row values, the paper's grid, and a standardisation blind for tests."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext.learning.images import Standardizer, grid_image, grid_shape, row_values


@pytest.mark.parametrize(
    ("n", "shape"),
    [
        (45, (9, 5)),
        (89, (10, 9)),
        (176, (16, 11)),
        (2, (2, 1)),
        (3, (3, 1)),
        (4, (2, 2)),
        (5, (3, 2)),
        (7, (4, 2)),
        (36, (6, 6)),
        (1215, (45, 27)),
        (1217, (42, 29)),
    ],
)
def test_the_grid_is_as_square_as_the_divisors_allow(n, shape):
    assert grid_shape(n) == shape


def test_a_grid_holds_every_sample_and_at_most_one_zero():
    for n in range(2, 300):
        h, w = grid_shape(n)
        assert n <= h * w <= n + 1 and h >= w, n
        assert (h * w == n) == (n < 4 or any(n % d == 0 for d in range(2, n))), n


def test_one_sample_makes_no_image():
    with pytest.raises(InputError, match="at least two samples, not 1"):
        grid_shape(1)


def test_pixels_keep_their_order_and_the_last_of_89_samples_is_followed_by_zero():
    values = np.arange(2 * 89, dtype=float).reshape(2, 89) + 1
    image = grid_image(values)
    assert image.shape == (2, 1, 10, 9) and image.dtype == np.float32
    assert image[1, 0].ravel()[:89].tolist() == values[1].tolist() and image[
        :, 0, 9, 8
    ].tolist() == [0, 0]
    assert image[0, 0, 1, 0] == values[0, 9]


def test_no_copy_is_made_where_none_is_needed():
    values = np.ones((3, 45), dtype=np.float32)
    assert np.shares_memory(grid_image(values), values)


def test_raw_rows_hold_counts_normal_samples_first(make_cohort):
    cohort = make_cohort()
    mixed = cohort.with_counts(cohort.counts[["T2", "N1", "T1", "N3"]])
    assert np.array_equal(
        row_values(mixed, "none"), cohort.counts[["N1", "N3", "T2", "T1"]].to_numpy(np.float32)
    )


def test_log_cpm_takes_the_library_of_all_genes(cohort):
    values = row_values(cohort, "log_cpm")
    library = cohort.counts.sum()
    expected = np.log2(cohort.counts / library * 1e6 + 1)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    assert values.dtype == np.float32


def test_log_cpm_does_not_see_depth(cohort):
    deeper = cohort.with_counts(cohort.counts * np.where(cohort.is_tumor, 7, 1))
    np.testing.assert_allclose(row_values(deeper), row_values(cohort), rtol=1e-5)
    assert not np.allclose(row_values(deeper, "none"), row_values(cohort, "none"))


def test_an_unknown_scaling_is_refused(cohort):
    with pytest.raises(InputError, match="unknown scaling 'cpm': did you mean 'log_cpm'"):
        row_values(cohort, "cpm")


def test_the_standardizer_learns_from_training_genes_only():
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 2, (50, 8)), rng.normal(-100, 30, (20, 8))
    centred = train - train.mean(axis=1, keepdims=True)
    standardizer = Standardizer().fit(train)
    assert standardizer.mean == pytest.approx(0, abs=1e-9) and standardizer.sd == pytest.approx(
        centred.std()
    )
    scaled = standardizer.transform(test)
    np.testing.assert_allclose(
        scaled, (test - test.mean(axis=1, keepdims=True)) / centred.std(), rtol=1e-4, atol=1e-4
    )
    assert standardizer.sd == pytest.approx(centred.std()) and scaled.dtype == np.float32


def test_the_standardizer_does_not_see_a_genes_level():
    rng = np.random.default_rng(1)
    rows = rng.normal(5, 2, (10, 6))
    standardizer = Standardizer().fit(rows)
    np.testing.assert_allclose(
        standardizer.transform(rows + 7), standardizer.transform(rows), atol=1e-5
    )


def test_the_standardizer_learns_from_cohorts_of_different_size():
    rng = np.random.default_rng(2)
    small, large = rng.normal(0, 1, (30, 4)), rng.normal(0, 3, (20, 9))
    centred = np.concatenate([(v - v.mean(axis=1, keepdims=True)).ravel() for v in (small, large)])
    assert Standardizer().fit(small, large).sd == pytest.approx(centred.std())


def test_constant_values_do_not_divide_by_zero():
    assert (Standardizer().fit(np.full((3, 4), 7.0)).transform(np.full((1, 4), 7.0)) == 0).all()
