"""Lists with a foretold share of wrong calls."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext.learning.profile.called_list import expected_errors, log_odds, longest_list


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
    chance, root = np.array([[0.05, 0.9, 0.05], [0.6, 0.1, 0.3]]), np.array([5.0, 1.0])
    two, ten = expected_errors(chance, root, 2), expected_errors(chance, root, 10)
    assert (two > ten).all() and ten[0] < ten[1]
    np.testing.assert_allclose(expected_errors(chance, root, 5, [0, 1, 0, 0]), [0.1, 0.4])


def test_the_test_decides_between_genes_that_the_network_ranks_alike():
    chance = np.stack([np.full(6, 0.05), [0.9, 0.9, 0.5, 0.4, 0.3, 0.2]], 1)
    first, second = log_odds(chance, np.array([1.0, 4, 0, 0, 0, 0]))[:2]
    assert second <= first  # as sure, and the test is surer of the second
    alone = log_odds(chance, np.zeros(6))
    assert (np.argsort(alone, kind="stable")[2:] == [2, 3, 4, 5]).all()
    assert sorted(alone) == sorted(log_odds(chance, np.arange(6.0)))  # sizes are the network's
