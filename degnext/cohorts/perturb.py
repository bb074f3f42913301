"""Perturb counts: the paper's Gaussian noise under both of its readings, and what happens in practice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import Cohort

LEVELS = (1, 10, 50, 100, 500, 1000, 1500)  # the paper's, "percent" in the text, counts in its code


def add_noise(
    counts: np.ndarray,
    level: float,
    reading: str,
    rng: np.random.Generator,
    is_tumor: np.ndarray | None = None,
) -> np.ndarray:
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
        raise InputError(
            f"unknown reading {reading!r}: choose 'absolute' (counts) or 'relative' (percent of each gene's SD)"
        )
    return np.rint(np.maximum(counts + rng.normal(size=counts.shape) * sd, 0)).astype(np.int64)


def random_level(rng: np.random.Generator) -> float:
    """Draw a level of relative noise for training: 50 to 1,000 %, even on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(50), np.log(1000))))


def within_group_sd(counts: np.ndarray, is_tumor: np.ndarray | None = None) -> np.ndarray:
    """Return each gene's standard deviation: pooled within groups, or over all samples without ``is_tumor``."""
    if is_tumor is None:
        return counts.std(axis=1, ddof=1)
    tumor = np.asarray(is_tumor, dtype=bool)
    squares = sum(
        ((g - g.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        for g in (counts[:, tumor], counts[:, ~tumor])
    )
    return np.sqrt(squares / (counts.shape[1] - 2))


def thin(counts: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return counts as a shallower sequencing run would give them: each read is kept with probability ``fraction``."""
    if not 0 < fraction <= 1:
        raise InputError(f"the fraction of reads to keep must lie in (0, 1], not {fraction}")
    return rng.binomial(np.asarray(counts, dtype=np.int64), fraction)


def scale_group(
    counts: np.ndarray, is_tumor: np.ndarray, ratio: float, rng: np.random.Generator
) -> np.ndarray:
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
    return np.sort(
        np.concatenate(
            [
                rng.choice(m, min(len(m), max(2, round(keep * len(m)))), replace=False)
                for m in members
            ]
        )
    )


def fewer_samples(cohort: Cohort, n: int, rng: np.random.Generator) -> Cohort:
    """Return the cohort with at most ``n`` samples (0: all) in the cohort's own proportion of groups, at least five of each."""
    normal, tumor = np.flatnonzero(~cohort.is_tumor), np.flatnonzero(cohort.is_tumor)
    total = len(normal) + len(tumor)
    if n == 0 or total <= n:
        return cohort
    chosen = [
        rng.choice(g, min(len(g), max(5, round(n * len(g) / total))), replace=False)
        for g in (normal, tumor)
    ]
    return replace(cohort, counts=cohort.counts.iloc[:, np.concatenate(chosen)])


def drawn_samples(
    cohort: Cohort, n: int, rng: np.random.Generator, balanced: bool = False
) -> Cohort:
    """Return the cohort with at most ``n`` of its samples (0: all of them), in a random proportion of groups or in equal parts.

    Where an image changes from normal to tumor depends on the proportion, and a network that has met one border only looks
    for it there. Shown many proportions in training, it can be shown equal parts of any cohort later. A random draw has
    five normal samples or more, and at least as many tumor ones, where there are so many.
    """
    if n == 0:
        return cohort
    normal, tumor = np.flatnonzero(~cohort.is_tumor), np.flatnonzero(cohort.is_tumor)
    most = min(n // 2, len(normal))
    n_normal = n_tumor = min(most, len(tumor))
    if not balanced:
        n_normal = int(rng.integers(min(5, most), most + 1))
        n_tumor = min(int(rng.integers(n_normal, n - n_normal + 1)), len(tumor))
    chosen = [
        rng.choice(normal, n_normal, replace=False),
        rng.choice(tumor, n_tumor, replace=False),
    ]
    return replace(cohort, counts=cohort.counts.iloc[:, np.concatenate(chosen)])


PERTURBATIONS: dict[str, tuple[float, ...]] = {
    "tumors deeper (times)": (0.25, 0.5, 2, 4),
    "samples kept (share)": (0.75, 0.5, 0.25),
    "groups swapped (share)": (0.01, 0.02, 0.05, 0.1),
    "reads kept (share)": (0.5, 0.1, 0.01),
}


def disturbed(
    cohort: Cohort,
    counts: np.ndarray | None = None,
    told: np.ndarray | None = None,
    columns: np.ndarray | None = None,
) -> Cohort:
    """Return the cohort with other counts, other sample groups than the true ones, or fewer samples."""
    table = (
        cohort.counts
        if counts is None
        else pd.DataFrame(counts, index=cohort.counts.index, columns=cohort.counts.columns)
    )
    groups = (
        cohort.groups
        if told is None
        else pd.Series(np.where(told, "tumor", "normal"), index=table.columns)
    )
    return replace(
        cohort, counts=table if columns is None else table.iloc[:, columns], groups=groups
    )


def perturb(cohort: Cohort, name: str, value: float, rng: np.random.Generator) -> Cohort:
    """Return the cohort under one of ``PERTURBATIONS``."""
    counts, is_tumor = cohort.counts.to_numpy(), cohort.is_tumor
    if name.startswith("tumors"):
        return disturbed(cohort, scale_group(counts, is_tumor, value, rng))
    if name.startswith("samples"):
        return disturbed(cohort, columns=drop_samples(is_tumor, value, rng))
    if name.startswith("groups"):
        return disturbed(cohort, told=swap_groups(is_tumor, value, rng))
    return disturbed(cohort, thin(counts, value, rng))


def draw_samples(is_tumor: np.ndarray, k: int, draw: int) -> np.ndarray:
    """Return the columns of k normal and k tumor samples, normal first; a group smaller than k is taken whole.

    ``draw`` numbers the draws: the same number gives the same samples.
    """
    rng = np.random.default_rng([k, draw])
    groups = [np.flatnonzero(np.asarray(is_tumor, bool) == tumor) for tumor in (False, True)]
    return np.concatenate(
        [rng.choice(group, min(k, len(group)), replace=False) for group in groups]
    )
