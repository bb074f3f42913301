"""Lists with a foretold share of wrong calls."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext.learning.profile.called_list import expected_errors, longest_list


def test_the_longest_list_within_the_limit():
    error = np.array([0.5, 0.02, 0.1, 0.9, 0.04])
    found = longest_list(error, 0.06)
    assert found.chosen.tolist() == [False, True, True, False, True]
    assert found.expected == pytest.approx((0.02 + 0.04 + 0.1) / 3)
    longer = longest_list(error, 0.17)
    assert longer.chosen.sum() == 4 and longer.expected == pytest.approx(0.165)


def test_nothing_is_called_where_nothing_is_sure():
    found = longest_list(np.full(10, 0.6), 0.1)
    assert not found.chosen.any() and np.isnan(found.expected)
    with pytest.raises(InputError, match="between 0 and 1"):
        longest_list(np.full(10, 0.6), 10)


def test_fewer_samples_are_believed_less():
    chance = np.array([[0.05, 0.9, 0.05], [0.6, 0.1, 0.3]])
    two, ten = expected_errors(chance, 2), expected_errors(chance, 10)
    assert (two > ten).all() and ten[0] < ten[1]
    np.testing.assert_allclose(expected_errors(chance, 5, [0, 1, 0, 0]), [0.1, 0.4])
