"""Lists with a foretold share of wrong calls."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext.learning.profile.called_list import check_share, expected_errors, log_odds, share_wrong


def test_the_longest_list_within_the_limit():
    error = np.array([0.5, 0.02, 0.1, 0.9, 0.04])
    found = share_wrong(error) <= 0.06
    assert found.tolist() == [False, True, True, False, True]
    assert share_wrong(error)[2] == pytest.approx((0.02 + 0.04 + 0.1) / 3)
    assert (share_wrong(error) <= 0.166).sum() == 4


def test_nothing_is_called_where_nothing_is_sure():
    assert (share_wrong(np.full(10, 0.6)) > 0.1).all()
    with pytest.raises(InputError, match="between 0 and 1"):
        check_share(10)


def test_equals_are_listed_together_whatever_their_order():
    error = np.array([0.2, 0.0, 0.2, 0.1])
    np.testing.assert_allclose(share_wrong(error), [0.125, 0.0, 0.125, 0.05])
    assert (share_wrong(error) <= 0.11).sum() == 2  # one of the two at 0.2 would fit
    chance = np.stack([np.full(4, 0.05), [0.9, 0.6, 0.6, 0.7]], 1)
    root, back = np.array([1.0, 2, 2, 3]), slice(None, None, -1)
    found = log_odds(chance, root)
    np.testing.assert_array_equal(log_odds(chance[back], root[back])[back], found)
    assert found[1] == found[2]


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
