"""degnext.evaluation.ceiling: against planted truth and simulation; no rule may beat it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from degnext.cohorts.perturb import add_noise, noise_sd, within_group_sd
from degnext.evaluation.ceiling import (
    best_accuracy,
    ceiling,
    label_border,
    sign_accuracy,
    standard_distance,
)

IS_TUMOR = np.repeat([False, True], [8, 20])


def ceiling_at(level: float, counts: np.ndarray, labels: np.ndarray, factors: np.ndarray) -> dict:
    border = label_border(counts, IS_TUMOR, labels, factors)
    sd = noise_sd(counts, level, "relative", IS_TUMOR)
    return ceiling(standard_distance(counts, IS_TUMOR, labels, sd, factors, border))


@pytest.fixture
def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """400 genes in libraries of even depth: counts, the sign of their difference, factors."""
    rng = np.random.default_rng(0)
    up = rng.random(400) < 0.7
    change = np.where(up, 1, -1) * rng.uniform(300, 3000, 400)
    mean = 20_000 + np.where(IS_TUMOR, change[:, None], 0)
    counts = np.rint(mean + rng.normal(0, 800, (400, 28)))
    labels = (counts[:, IS_TUMOR].mean(1) > counts[:, ~IS_TUMOR].mean(1)).astype(int)
    return counts, labels, np.ones(28)


def test_two_equal_classes_at_one_distance_give_the_textbook_value():
    z = np.repeat([1.5, -1.5], 50)
    assert best_accuracy(z) == pytest.approx(norm.cdf(1.5), abs=1e-4) == sign_accuracy(z)


def test_a_known_majority_can_be_guessed_but_not_when_classes_weigh_the_same():
    z = np.repeat([0.01, -0.01], [90, 10])
    assert best_accuracy(z) == pytest.approx(0.9, abs=1e-3) and sign_accuracy(z) == pytest.approx(
        0.504, abs=1e-3
    )
    assert (
        best_accuracy(z, balanced=True)
        == pytest.approx(0.504, abs=1e-3)
        == sign_accuracy(z, balanced=True)
    )
    assert best_accuracy(np.full(5, 2.0)) == pytest.approx(1, abs=1e-6)  # one class alone


def test_far_genes_are_always_right_and_order_does_not_matter():
    z = np.array([30.0, -40, np.inf, -np.inf, 1, -1])
    assert best_accuracy(z[:4]) == 1 and best_accuracy(z) == pytest.approx(
        (4 + 2 * norm.cdf(1)) / 6, abs=1e-3
    )
    assert best_accuracy(z[::-1]) == pytest.approx(best_accuracy(z))


@pytest.mark.parametrize("level", [100, 500, 1500])
def test_the_sign_of_the_noisy_difference_scores_what_the_formula_says(planted, level):
    counts, labels, factors = planted
    expected = ceiling_at(level, *planted)
    right = []
    for draw in range(30):
        noisy = add_noise(
            counts, level, "relative", np.random.default_rng(draw), IS_TUMOR
        )  # counts are far from 0: nothing is clipped
        right.append(((noisy[:, IS_TUMOR].mean(1) > noisy[:, ~IS_TUMOR].mean(1)) == labels).mean())
    assert np.mean(right) == pytest.approx(expected["sign"][0], abs=0.012)
    assert expected["ceiling"][0] > expected["sign"][0] - 1e-9


def test_a_rule_that_knows_the_share_of_up_genes_reaches_the_ceiling_and_none_passes_it(planted):
    counts, labels, factors = planted
    best, even = (ceiling_at(1000, *planted)[k][0] for k in ("ceiling", "sign"))
    found = []
    for draw in range(30):
        noisy = add_noise(counts, 1000, "relative", np.random.default_rng(draw), IS_TUMOR)
        z = (noisy[:, IS_TUMOR].mean(1) - noisy[:, ~IS_TUMOR].mean(1)) / (
            noise_sd(counts, 1000, "relative", IS_TUMOR) * np.sqrt(1 / 8 + 1 / 20)
        )
        found.append([((z > cut) == labels).mean() for cut in np.linspace(-2, 1, 31)])
    reached = np.mean(found, axis=0).max()
    assert reached == pytest.approx(best, abs=0.012) and reached > even + 0.02


def test_the_standard_error_is_that_of_two_means_when_libraries_are_even(planted):
    counts, labels, factors = planted
    sd = noise_sd(counts, 300, "relative", IS_TUMOR)
    assert (
        np.allclose(sd, 3 * within_group_sd(counts, IS_TUMOR))
        and (noise_sd(counts, 7, "absolute", IS_TUMOR) == 7).all()
    )
    difference = counts[:, IS_TUMOR].mean(1) - counts[:, ~IS_TUMOR].mean(1)
    z = standard_distance(counts, IS_TUMOR, labels, sd, factors)
    np.testing.assert_allclose(z, difference / (sd * np.sqrt(1 / 8 + 1 / 20)), rtol=1e-9)


def test_depth_alone_changes_nothing_and_noise_in_shallow_libraries_hurts_more(planted):
    counts, labels, factors = planted
    sd = np.full(400, 2000.0)
    even = standard_distance(counts, IS_TUMOR, labels, sd, factors)
    depth = np.where(np.arange(28) % 2, 4.0, 1.0)
    np.testing.assert_allclose(
        standard_distance(counts * 4, IS_TUMOR, labels, sd * 4, factors * 4), even
    )
    mixed = np.abs(standard_distance(counts * depth, IS_TUMOR, labels, sd, factors * depth))
    assert (mixed > np.abs(even)).all() and (mixed < 4 * np.abs(even)).all()


def test_the_border_is_found_where_labels_turn(planted):
    counts, _, factors = planted
    ratio = np.log2(counts[:, IS_TUMOR].mean(1) / counts[:, ~IS_TUMOR].mean(1))
    labels = (ratio > 0.05).astype(int)
    assert label_border(counts, IS_TUMOR, labels, factors) == pytest.approx(0.05, abs=0.02)
    assert label_border(counts, IS_TUMOR, (ratio > 0).astype(int), factors) == 0
    assert label_border(
        np.vstack([counts, counts]), IS_TUMOR, np.r_[labels, np.full(400, 2)], factors
    ) == label_border(counts, IS_TUMOR, labels, factors)


def test_more_noise_never_helps(planted):
    counts, labels, factors = planted
    values = [ceiling_at(level, *planted) for level in (1, 50, 500, 5000, 50_000)]
    for key in ("ceiling", "sign"):
        assert all(np.diff([v[key][i] for v in values]).max() < 1e-9 for i in (0, 1))
    assert values[0]["ceiling"][0] == pytest.approx(1, abs=1e-3)
    assert values[-1]["ceiling"][0] == pytest.approx(
        max(labels.mean(), 1 - labels.mean()), abs=0.01
    )
