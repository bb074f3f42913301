"""Perturb counts: the paper's Gaussian noise under both of its readings, and what happens in practice."""

from __future__ import annotations

import numpy as np

from .errors import InputError

LEVELS = (1, 10, 50, 100, 500, 1000, 1500)  # the paper's, "percent" in the text, counts in its code


def add_noise(counts: np.ndarray, level: float, reading: str, rng: np.random.Generator, is_tumor: np.ndarray | None = None) -> np.ndarray:
    """Return ``counts`` (genes × samples) with Gaussian noise, clipped at 0 and rounded to whole counts.

    ``absolute`` adds N(0, level) in counts, as the released code does; ``relative`` adds N(0, level % of the gene's own
    standard deviation), as the paper's "% standard deviation" reads. With ``is_tumor`` that deviation is taken within
    groups, so that a changed gene does not drown in noise of its own effect.
    """
    counts = np.asarray(counts, dtype=float)
    if level < 0:
        raise InputError(f"the noise level must not be negative, not {level}")
    if reading == "absolute":
        sd = level
    elif reading == "relative":
        sd = level / 100 * within_group_sd(counts, is_tumor)[:, None]
    else:
        raise InputError(f"unknown reading {reading!r}: choose 'absolute' (counts) or 'relative' (percent of each gene's SD)")
    return np.rint(np.maximum(counts + rng.normal(size=counts.shape) * sd, 0)).astype(np.int64)


def random_level(rng: np.random.Generator) -> float:
    """Draw a level of relative noise for training: 50 to 1,000 %, even on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(50), np.log(1000))))


def within_group_sd(counts: np.ndarray, is_tumor: np.ndarray | None = None) -> np.ndarray:
    """Return each gene's standard deviation: pooled within groups, or over all samples without ``is_tumor``."""
    if is_tumor is None:
        return counts.std(axis=1, ddof=1)
    tumor = np.asarray(is_tumor, dtype=bool)
    squares = sum(((g - g.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for g in (counts[:, tumor], counts[:, ~tumor]))
    return np.sqrt(squares / (counts.shape[1] - 2))


def thin(counts: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return counts as a shallower sequencing run would give them: each read is kept with probability ``fraction``."""
    if not 0 < fraction <= 1:
        raise InputError(f"the fraction of reads to keep must lie in (0, 1], not {fraction}")
    return rng.binomial(np.asarray(counts, dtype=np.int64), fraction)


def scale_group(counts: np.ndarray, is_tumor: np.ndarray, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Make tumor libraries ``ratio`` times as deep as normal ones, by thinning the deeper group: counts stay counts."""
    if ratio <= 0:
        raise InputError(f"the ratio of library sizes must be positive, not {ratio}")
    out, tumor = np.array(counts, dtype=np.int64), np.asarray(is_tumor, dtype=bool)
    columns = tumor if ratio < 1 else ~tumor
    out[:, columns] = thin(out[:, columns], min(ratio, 1 / ratio), rng)
    return out


def swap_groups(is_tumor: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return sample groups with ``fraction`` of the samples of each group labelled as the other, as a mix-up would."""
    if not 0 <= fraction <= 0.5:
        raise InputError(f"the fraction of swapped samples must lie in [0, 0.5], not {fraction}")
    out = np.array(is_tumor, dtype=bool)
    for group in (True, False):
        members = np.flatnonzero(np.asarray(is_tumor) == group)
        flipped = rng.choice(members, round(fraction * len(members)), replace=False)
        out[flipped] = not group
    return out


def drop_samples(is_tumor: np.ndarray, keep: float, rng: np.random.Generator) -> np.ndarray:
    """Return the columns (sorted) that are left when a share ``keep`` of each group's samples is kept, at least two of each."""
    if not 0 < keep <= 1:
        raise InputError(f"the share of samples to keep must lie in (0, 1], not {keep}")
    members = [np.flatnonzero(np.asarray(is_tumor) == group) for group in (False, True)]
    return np.sort(np.concatenate([rng.choice(m, min(len(m), max(2, round(keep * len(m)))), replace=False) for m in members]))
