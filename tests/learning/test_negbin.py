"""The fast negative binomial test against the exact port, and the network that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from degnext.cohorts.library_size import size_factors
from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.encoding import NB_CHANNELS, encoded
from degnext.learning.profile.image import CHANNELS, profile_image
from degnext.learning.profile.negbin import negative_binomial_test
from degnext.learning.profile.shrinkage import large_effects

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def toy() -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    genes = (REFERENCE / "r_toy/filter_quantile_025.txt").read_text().split()
    counts = pd.read_csv(REFERENCE / "r_toy/counts.csv", index_col=0).loc[genes]
    groups = pd.Series("tumor", counts.columns).mask(counts.columns.str.startswith("N"), "normal")
    return counts, groups, (groups == "tumor").to_numpy()


def fast(counts: pd.DataFrame, is_tumor: np.ndarray):
    return negative_binomial_test(
        counts.to_numpy(), is_tumor, size_factors(counts.to_numpy(), "tmm")
    )


def test_equals_edger_but_for_rounding(toy):
    counts, groups, is_tumor = toy
    exact = differential_expression(counts, groups, library_size="tmm", dispersion="empirical")
    ours = fast(counts, is_tumor)
    np.testing.assert_allclose(ours.log_fc, exact["log_fc"], atol=0.02)
    np.testing.assert_allclose(ours.root**2, exact["stat"], rtol=0.02, atol=0.02)
    np.testing.assert_allclose(np.abs(ours.log_fdr), -np.log10(exact["fdr"]), atol=0.02)
    assert np.abs(ours.log_fdr).max() > 0.5


def test_swapped_groups_mirror_and_order_does_not_matter(toy):
    counts, _, is_tumor = toy
    ours, swapped = fast(counts, is_tumor), fast(counts, ~is_tumor)
    np.testing.assert_allclose(swapped.root, -ours.root, rtol=1e-5, atol=1e-5)
    backwards = fast(counts.iloc[::-1, ::-1], is_tumor[::-1])
    np.testing.assert_allclose(backwards.root[::-1], ours.root, rtol=1e-5, atol=1e-5)


def test_no_dispersion_without_replicates(toy):
    counts, _, is_tumor = toy
    two = [0, int(np.flatnonzero(is_tumor)[0])]
    ours = fast(counts.iloc[:, two], is_tumor[two])
    assert not ours.root.any() and not ours.log_fdr.any() and np.isfinite(ours.log_fc).all()


def test_channels_are_those_asked_for(toy):
    counts, _, is_tumor = toy
    values = counts.to_numpy()
    factors = size_factors(values, "tmm")
    image = encoded(values, is_tumor, factors, ("level", "nb_fdr", "shape"), 16)
    whole = profile_image(values, is_tumor, factors=factors)
    np.testing.assert_array_equal(image[:, 0], whole[:, CHANNELS.index("level")])
    np.testing.assert_array_equal(image[:, 2], whole[:, CHANNELS.index("shape")])
    log_fdr = np.clip(fast(counts, is_tumor).log_fdr, -6, 6)[:, None] / 3
    np.testing.assert_allclose(image[:, 1, 1], np.repeat(log_fdr, 16, axis=1), rtol=1e-6)
    every = encoded(values, is_tumor, factors, NB_CHANNELS, 2)
    assert np.isfinite(every).all() and np.abs(every).max() < 10


def test_large_effects_are_calibrated():
    rng = np.random.default_rng(0)
    true = np.where(rng.random(4000) < 0.3, rng.normal(0, 1.5, 4000), 0.0)
    error = rng.uniform(0.2, 0.8, 4000)
    chance = large_effects(true + rng.normal(0, error), error, 0.585)
    assert abs(chance[:, 1].mean() - (true > 0.585).mean()) < 0.02
    sure = chance.max(axis=1) > 0.9
    right = np.where(chance[:, 1] > chance[:, 0], true > 0.585, true < -0.585)[sure]
    assert sure.sum() > 200 and abs(right.mean() - chance.max(axis=1)[sure].mean()) < 0.04
