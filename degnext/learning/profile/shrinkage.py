"""How sure a fold change is to be large, with a prior that the cohort at hand chooses for itself.

Source: Stephens (2017), Biostatistics 18:275 (adaptive shrinkage: a mixture of normals, by EM).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

_SCALES = np.concatenate([[0.0], 0.1 * 2 ** np.arange(0, 6.5, 0.75)])  # log2 units
_STEPS = 60


def large_effects(log_fc: np.ndarray, error: np.ndarray, least: float) -> np.ndarray:
    """Return the posterior probabilities that the true log2 fold change lies below -``least`` and
    above ``least``, genes × 2.

    log_fc, error: estimates and their standard errors (genes,). The prior is a mixture of normals
    around zero whose shares are fitted to these genes, with ten imagined genes without a change.
    """
    variance = error[:, None] ** 2 + _SCALES**2
    log_density = -0.5 * (np.log(variance) + log_fc[:, None] ** 2 / variance)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    share = np.full(_SCALES.size, 1.0 / _SCALES.size)
    imagined = np.where(_SCALES == 0, 10.0, 0.0)
    for _ in range(_STEPS):
        weight = density * share
        weight /= weight.sum(axis=1, keepdims=True)
        share = weight.sum(axis=0) + imagined
        share /= share.sum()
    weight = density * share
    weight /= weight.sum(axis=1, keepdims=True)
    keep = _SCALES**2 / variance
    mean, sd = keep * log_fc[:, None], np.sqrt(keep) * error[:, None]
    sd = np.maximum(sd, 1e-12)
    down, up = ndtr((-least - mean) / sd), ndtr((mean - least) / sd)
    return np.stack([(weight * down).sum(axis=1), (weight * up).sum(axis=1)], 1)
