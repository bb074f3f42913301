"""The channels that a network asks for, of the profile image and of the test, and no others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from degnext.cohorts.library_size import size_factors
from degnext.learning.profile.image import CHANNELS, profile_image
from degnext.learning.profile.negbin import NB_CHANNELS, nb_channels


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
    if set(channels) & set(CHANNELS):
        image = profile_image(counts, is_tumor, width=width, factors=factors)
        every |= dict(zip(CHANNELS, np.moveaxis(image, 1, 0)))
    if set(channels) & set(NB_CHANNELS):
        tested = nb_channels(counts, is_tumor, factors)
        painted = np.repeat(tested[..., None], width, axis=3)
        every |= dict(zip(NB_CHANNELS, np.moveaxis(painted, 1, 0)))
    return np.stack([every[c] for c in channels], 1)
