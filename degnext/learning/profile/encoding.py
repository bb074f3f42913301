"""The channels that a network asks for, of the profile image and of the test, and no others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logit

from degnext.cohorts.library_size import size_factors
from degnext.learning.profile.image import CHANNELS, profile_image
from degnext.learning.profile.negbin import NegativeBinomialTest, negative_binomial_test
from degnext.learning.profile.shrinkage import large_effects

TEST_CHANNELS = (
    "nb_root",  # signed root of the likelihood ratio
    "nb_fdr",  # signed -log10 FDR over all genes of the cohort
    "nb_log_fc",  # log2 fold change, as edgeR estimates it
    "nb_fdr_cut",  # a ramp from FDR 10^-1.5 to 10^-2.5
    "nb_fc_cut",  # a ramp around 1.5-fold
)
EFFECT_CHANNELS = (
    "nb_effect",  # log odds that the gene changes more than 1.5-fold towards the row's group
    "nb_share",  # log odds of the share of all genes that do
    "nb_error",  # log of the standard error of the log2 fold change
)
NB_CHANNELS = TEST_CHANNELS + EFFECT_CHANNELS
LARGE = float(np.log2(1.5))


def default_factors(counts: np.ndarray, channels: Sequence[str]) -> np.ndarray:
    """Return library sizes in millions: by TMM for a network that reads the test, else plain."""
    return size_factors(counts, "tmm" if set(channels) & set(NB_CHANNELS) else "total")


def encoded(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    factors: np.ndarray,
    channels: Sequence[str],
    width: int,
) -> np.ndarray:
    """Return the images, float32 (genes × ``channels`` × 2 × width); no other channel is computed.

    Channels of the test take the false discovery rate over all rows: give a whole cohort.
    """
    every: dict[str, np.ndarray] = {}
    if drawn := [c for c in channels if c in CHANNELS]:
        image = profile_image(counts, is_tumor, width=width, factors=factors, channels=drawn)
        every |= dict(zip(drawn, np.moveaxis(image, 1, 0)))
    if set(channels) & set(NB_CHANNELS):
        test = negative_binomial_test(counts, is_tumor, factors)
        rows = _test_rows(test)
        if set(channels) & set(EFFECT_CHANNELS):
            rows |= _effect_rows(test)
        every |= {name: np.repeat(row[..., None], width, axis=2) for name, row in rows.items()}
    return np.stack([every[c] for c in channels], 1).astype(np.float32, copy=False)


def _test_rows(test: NegativeBinomialTest) -> dict[str, np.ndarray]:
    """Return values of order one, genes × 2 (normal, tumor)."""
    direction = np.sign(test.log_fc)
    values = [
        np.sign(test.root) * np.log1p(np.abs(test.root)),
        np.clip(test.log_fdr, -6, 6) / 3,
        np.clip(test.log_fc, -4, 4) / 2,
        direction * np.clip(np.abs(test.log_fdr) - 1.5, 0, 1),
        direction * np.clip(2 * np.abs(test.log_fc) - 0.67, 0, 1),
    ]
    return {name: np.stack([-v, v], 1) for name, v in zip(TEST_CHANNELS, values)}


def _effect_rows(test: NegativeBinomialTest) -> dict[str, np.ndarray]:
    """Return values of order one, genes × 2 (normal, tumor)."""
    chance = large_effects(test.log_fc, test.error, LARGE)
    share = logit(np.clip(chance.sum(axis=1).mean(), 1e-4, 1 - 1e-4)) / 2
    error = np.log(test.error)[:, None] / 2
    values = [logit((chance + 1e-4) / (1 + 2e-4)) / 4, share, error]
    return {n: np.broadcast_to(v, chance.shape) for n, v in zip(EFFECT_CHANNELS, values)}
