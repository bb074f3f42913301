"""reproduction.experiments.comparable_rows: rows of equal width whatever the sample numbers."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from reproduction.experiments.comparable_rows import WAYS, comparable_rows

IS_TUMOR = np.repeat([False, True], [5, 12])
VALUES = np.random.default_rng(0).normal(size=(7, 17)).astype(np.float32)


@pytest.mark.parametrize("how", WAYS)
def test_the_width_is_the_same_for_every_cohort_and_groups_stay_apart(how):
    rows = comparable_rows(VALUES, IS_TUMOR, how, 8, np.random.default_rng(0))
    assert rows.shape == (7, 16)
    flipped = comparable_rows(VALUES, ~IS_TUMOR, how, 8, np.random.default_rng(0))
    if how != "random":  # draws come in another order
        np.testing.assert_allclose(flipped, np.roll(rows, 8, axis=1), rtol=1e-6)
    constant = comparable_rows(
        np.where(IS_TUMOR, 3.0, 1.0)[None], IS_TUMOR, how, 4, np.random.default_rng(1)
    )
    np.testing.assert_allclose(constant, [[1] * 4 + [3] * 4], rtol=1e-6)


def test_quantiles_do_not_depend_on_the_order_of_samples_and_the_others_do():
    order = np.r_[
        np.random.default_rng(1).permutation(5), 5 + np.random.default_rng(2).permutation(12)
    ]
    assert np.array_equal(
        comparable_rows(VALUES[:, order], IS_TUMOR), comparable_rows(VALUES, IS_TUMOR)
    )
    assert not np.allclose(
        comparable_rows(VALUES[:, order], IS_TUMOR, "averages"),
        comparable_rows(VALUES, IS_TUMOR, "averages"),
    )


def test_quantiles_and_averages_by_hand():
    x = np.array([[4.0, 1, 3, 2, 10, 10]])
    tumor = np.array([0, 0, 0, 0, 1, 1], bool)
    np.testing.assert_allclose(
        comparable_rows(x, tumor, "quantiles", 4), [[1, 2, 3, 4, 10, 10, 10, 10]]
    )
    np.testing.assert_allclose(comparable_rows(x, tumor, "quantiles", 2), [[1.5, 3.5, 10, 10]])
    np.testing.assert_allclose(comparable_rows(x, tumor, "averages", 2), [[2.5, 2.5, 10, 10]])
    np.testing.assert_allclose(comparable_rows(x, tumor, "interpolate", 3), [[4, 2, 2, 10, 10, 10]])


def test_averages_keep_the_groups_mean():
    rows = comparable_rows(VALUES, IS_TUMOR, "averages", 6)
    np.testing.assert_allclose(
        rows[:, 6:].mean(1), VALUES[:, IS_TUMOR].mean(1), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: comparable_rows(VALUES, IS_TUMOR, "median"), "unknown how"),
        (lambda: comparable_rows(VALUES, IS_TUMOR, "random"), "need a generator"),
        (lambda: comparable_rows(VALUES, IS_TUMOR[:-1]), "do not fit"),
        (lambda: comparable_rows(VALUES, np.ones(17, bool)), "do not fit"),
    ],
)
def test_what_cannot_be_done_is_said(call, said, is_helpful):
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert is_helpful(str(caught.value))
