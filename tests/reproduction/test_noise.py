"""The noise experiment: training cohorts with noise, class shares found without labels."""

from __future__ import annotations

import numpy as np

from reproduction.experiments.noise import adapt_shares, with_noise


def test_noisy_copies_are_noisy(make_labeled):
    labeled = make_labeled(n_genes=160, n_normal=8, n_tumor=12)
    copy = with_noise(labeled, np.random.default_rng(0))
    assert (copy.counts.to_numpy() != labeled.counts.to_numpy()).mean() > 0.5
    assert copy.genes is labeled.genes


def test_class_shares_are_found_without_labels_and_raise_accuracy():
    """Planted: 90 % of one class, Gaussian evidence; answers are brought near the Bayes rule's."""
    rng = np.random.default_rng(0)
    labels = (rng.random(4000) < 0.9).astype(int)
    z = rng.normal(np.where(labels, 0.7, -0.7))
    up = 1 / (1 + np.exp(-2 * 0.7 * z))  # right where both classes are equally frequent
    proba = np.stack([1 - up, up], 1)
    adapted = adapt_shares(proba)
    np.testing.assert_allclose(adapted.sum(1), 1)
    assert abs(adapted[:, 1].mean() - 0.9) < 0.03
    bayes = np.mean((2 * 0.7 * z + np.log(9) > 0) == labels)
    assert (
        np.mean(adapted.argmax(1) == labels)
        > bayes - 0.005
        > np.mean(proba.argmax(1) == labels) + 0.1
    )
    np.testing.assert_allclose(adapt_shares(proba[:, ::-1])[:, ::-1], adapted, atol=1e-9)
    sure = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(adapt_shares(sure), sure)
