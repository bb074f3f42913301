"""Draw samples and disturb counts: the paper's noise, what happens in practice, small cohorts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort

LEVELS = (1, 10, 50, 100, 500, 1000, 1500)  # the paper's: "percent" in its text, counts in its code
PERTURBATIONS: dict[str, tuple[float, ...]] = {
    "tumors deeper (times)": (0.25, 0.5, 2, 4),
    "samples kept (share)": (0.75, 0.5, 0.25),
    "groups swapped (share)": (0.01, 0.02, 0.05, 0.1),
    "reads kept (share)": (0.5, 0.1, 0.01),
}


def draw_columns(is_tumor: np.ndarray, sizes: Iterable[int], rng: Generator) -> np.ndarray:
    """Return columns drawn without repetition, normal ones first.

    is_tumor: bool per sample. sizes: how many normal and how many tumor samples; a smaller group is
    taken whole. A generator is asked for a group's size right before that group is drawn.
    """
    tumor = np.asarray(is_tumor, bool)
    members = (np.flatnonzero(~tumor), np.flatnonzero(tumor))
    drawn = [rng.choice(m, min(size, len(m)), replace=False) for m, size in zip(members, sizes)]
    return np.concatenate(drawn)


def draw_samples(is_tumor: np.ndarray, k: int, draw: int) -> np.ndarray:
    """Return the columns of k normal and k tumor samples; the same ``draw`` gives the same ones."""
    return draw_columns(is_tumor, (k, k), np.random.default_rng([k, draw]))


def drop_samples(is_tumor: np.ndarray, keep: float, rng: Generator) -> np.ndarray:
    """Return the columns (sorted) of a share ``keep`` of each group, at least two of each."""
    if not 0 < keep <= 1:
        raise InputError(f"the share of samples to keep must lie in (0, 1], not {keep}")
    sizes = [max(2, round(keep * n)) for n in np.bincount(is_tumor, minlength=2).tolist()]
    return np.sort(draw_columns(is_tumor, sizes, rng))


def fewer_samples(cohort: Cohort, n: int, rng: Generator, groups: str = "proportional") -> Cohort:
    """Return the cohort with at most ``n`` of its samples (0: all), normal first.

    groups: "proportional" keeps the cohort's own proportion, with five of each group or more;
    "equal" draws as many of both; "random" draws a proportion too, with five normal samples or more
    and at least as many tumor ones, where there are so many. A network that has met one border of
    normal and tumor looks for it there only; one that has met many can be shown equal parts.
    """
    check_choice("groups", groups, ("proportional", "equal", "random"))
    n_normal, n_tumor = cohort.n_normal, cohort.n_tumor
    total = n_normal + n_tumor
    if n == 0 or (groups == "proportional" and total <= n):
        return cohort
    most = min(n // 2, n_normal)
    if groups == "proportional":
        sizes = [max(5, round(n * size / total)) for size in (n_normal, n_tumor)]
    elif groups == "equal":
        sizes = [min(most, n_tumor)] * 2
    else:
        first = int(rng.integers(min(5, most), most + 1))
        sizes = [first, int(rng.integers(first, n - first + 1))]
    return cohort.with_counts(cohort.counts.iloc[:, draw_columns(cohort.is_tumor, sizes, rng)])


def add_noise(
    counts: np.ndarray,
    level: float,
    reading: str,
    rng: Generator,
    is_tumor: np.ndarray | None = None,
) -> np.ndarray:
    """Return ``counts`` (genes × samples) with Gaussian noise, clipped at 0 and rounded.

    reading: "absolute" adds N(0, level) in counts, as the released code does; "relative" adds
    N(0, level % of the gene's own SD), as the paper reads. With ``is_tumor`` that is the SD within
    groups, so that a changed gene does not drown in noise of its own effect.
    """
    counts = np.asarray(counts, dtype=float)
    noise = rng.normal(size=counts.shape) * noise_sd(counts, level, reading, is_tumor)[:, None]
    return np.rint(np.maximum(counts + noise, 0)).astype(np.int64)


def noise_sd(
    counts: np.ndarray, level: float, reading: str, is_tumor: np.ndarray | None = None
) -> np.ndarray:
    """Return the standard deviation (genes,) of :func:`add_noise`, in counts."""
    check_choice("reading", reading, ("absolute", "relative"))
    if level < 0:
        raise InputError(f"the noise level must not be negative, not {level}")
    if reading == "absolute":
        return np.full(len(counts), float(level))
    return level / 100 * within_group_sd(np.asarray(counts, float), is_tumor)


def random_level(rng: Generator) -> float:
    """Draw a level of relative noise for training: 50 to 1,000 %, even on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(50), np.log(1000))))


def within_group_sd(counts: np.ndarray, is_tumor: np.ndarray | None = None) -> np.ndarray:
    """Return each gene's standard deviation (genes,), pooled within groups where they are given."""
    if is_tumor is None:
        return counts.std(axis=1, ddof=1)
    tumor = np.asarray(is_tumor, dtype=bool)
    groups = (counts[:, tumor], counts[:, ~tumor])
    squares = sum(((g - g.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for g in groups)
    return np.sqrt(squares / (counts.shape[1] - 2))


def thin(counts: np.ndarray, fraction: float, rng: Generator) -> np.ndarray:
    """Return a shallower sequencing run: each read is kept with probability ``fraction``."""
    if not 0 < fraction <= 1:
        raise InputError(f"the fraction of reads to keep must lie in (0, 1], not {fraction}")
    return rng.binomial(np.asarray(counts, dtype=np.int64), fraction)


def scale_group(
    counts: np.ndarray, is_tumor: np.ndarray, ratio: float, rng: Generator
) -> np.ndarray:
    """Make tumor libraries ``ratio`` times as deep as normal ones, by thinning the deeper group."""
    if ratio <= 0:
        raise InputError(f"the ratio of library sizes must be positive, not {ratio}")
    out, tumor = np.array(counts, dtype=np.int64), np.asarray(is_tumor, dtype=bool)
    columns = tumor if ratio < 1 else ~tumor
    out[:, columns] = thin(out[:, columns], min(ratio, 1 / ratio), rng)
    return out


def swap_groups(is_tumor: np.ndarray, fraction: float, rng: Generator) -> np.ndarray:
    """Return groups with ``fraction`` of each labelled as the other, as a mix-up would."""
    if not 0 <= fraction <= 0.5:
        raise InputError(f"the fraction of swapped samples must lie in [0, 0.5], not {fraction}")
    out = np.array(is_tumor, dtype=bool)
    for group in (True, False):
        members = np.flatnonzero(np.asarray(is_tumor) == group)
        out[rng.choice(members, round(fraction * len(members)), replace=False)] = not group
    return out


def disturbed(cohort: Cohort, counts: np.ndarray) -> Cohort:
    """Return the cohort with other counts of the same genes and samples."""
    table = pd.DataFrame(counts, index=cohort.counts.index, columns=cohort.counts.columns)
    return replace(cohort, counts=table)


def perturb(cohort: Cohort, name: str, value: float, rng: Generator) -> Cohort:
    """Return the cohort under one of ``PERTURBATIONS``."""
    check_choice("perturbation", name, PERTURBATIONS)
    counts, is_tumor = cohort.counts.to_numpy(), cohort.is_tumor
    if name.startswith("tumors"):
        return disturbed(cohort, scale_group(counts, is_tumor, value, rng))
    if name.startswith("samples"):
        return cohort.with_counts(cohort.counts.iloc[:, drop_samples(is_tumor, value, rng)])
    if name.startswith("groups"):
        told = np.where(swap_groups(is_tumor, value, rng), "tumor", "normal")
        return replace(cohort, groups=pd.Series(told, index=cohort.counts.columns))
    return disturbed(cohort, thin(counts, value, rng))
