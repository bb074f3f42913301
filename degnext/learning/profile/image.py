"""A gene as a *profile image*: what normal and tumor samples look like, in any number and order.

Each gene becomes a picture of two rows (normal, tumor) and ``width`` columns. Column *j* of a row
is the mean of the *j*-th of ``width`` equal slices of that group's sorted values, so the picture
has the same size for 4 samples and for 1,200. Further channels hold one number per row (log ratio,
level, moderated t statistics, ...) painted across the row. Every channel follows its row: swapping
the groups flips the picture upside down and does nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from degnext._common.errors import InputError
from degnext.cohorts.library_size import size_factors
from degnext.learning.profile.alignment import distinct_samples
from degnext.learning.profile.statistics import likelihood_ratio, moderated_t, weighted_t

WIDTH = 16
CHANNELS = (
    "shape",  # quantiles, centred on the gene, in units of its own spread
    "quantiles",  # the same, in log2 units
    "log_ratio",  # -log2 fold change in the normal row, +log2 fold change in the tumor row
    "level",  # log2 counts per million of the row's group
    "within_sd",  # spread of the row's group, log2 units
    "t_log",  # moderated t of log2(CPM + 0.5), variance prior following the level (as limma-trend)
    "t_shrunk",  # moderated t of log2(CPM + 20): low counts are believed less
    "t_root",  # moderated t of sqrt(CPM), the scale on which counts have even variance
    "lr_root",  # signed root of a likelihood ratio (gamma, the negative binomial at high counts)
    "group_size",  # log2 of the number of distinct samples in the row's group
    "t_weighted",  # moderated t of log2(CPM + 20), odd samples counting less (for few samples)
)
GENERAL_CHANNELS = CHANNELS[:-1]  # where one cohort has all its samples
DIRECTION_CHANNELS = CHANNELS[:5]  # none knows how many samples there are


def profile_image(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    *,
    width: int = WIDTH,
    factors: np.ndarray | None = None,
    channels: Sequence[str] = CHANNELS,
) -> np.ndarray:
    """Turn each gene into its profile image.

    counts: genes × samples, raw non-negative counts. is_tumor: bool per sample. factors: from
    :func:`degnext.cohorts.library_size.size_factors` (default: from these counts). Returns float32,
    genes × ``channels`` × 2 (normal, tumor) × width, all of order one; a channel not asked for is
    not computed. Raises InputError for a missing group, a wrong shape or values that are no counts.
    """
    counts, tumor = np.asarray(counts), np.asarray(is_tumor, bool)
    _check(counts, tumor)
    scaled = counts / (size_factors(counts) if factors is None else factors)
    groups = [scaled[:, mask] for mask in (~tumor, tumor)]
    n = [distinct_samples(g) for g in groups]
    cpm = [np.sort(g.astype(np.float32), axis=1) for g in groups]  # sorted: order cannot matter
    logs = [np.log2(v + np.float32(0.5)) for v in cpm]
    quantiles = [v @ _slices(v.shape[1], width) for v in logs]  # genes × width each
    mean = np.stack([v.mean(1) for v in logs], 1)  # genes × 2
    sd = np.stack([v.std(1) for v in logs], 1)
    row = np.stack(quantiles, 1) - mean.mean(1)[:, None, None]  # genes × 2 × width
    spread = np.sqrt((sd**2).mean(1)) + 0.1
    group_mean = np.stack([v.mean(1) for v in cpm], 1) + 0.01
    change = np.clip(np.log2(group_mean[:, 1] / group_mean[:, 0]) / 2, -4, 4)
    rows = {  # genes × 2 × width, or × 1 to be painted across
        "shape": np.clip(row / spread[:, None, None], -6, 6) / 2,
        "quantiles": np.clip(row, -8, 8) / 2,
        "log_ratio": np.stack([-change, change], 1)[..., None],
        "level": (np.log2(group_mean)[..., None] - 6) / 3,
        "within_sd": sd[..., None],
        "group_size": np.log2(n)[:, None] / 4 - 1,
    }
    tests = {  # a number per gene, positive where tumor is higher
        "t_log": lambda: moderated_t(logs, n),
        "t_shrunk": lambda: moderated_t([np.log2(v + np.float32(20)) for v in cpm], n, 20.0),
        "t_root": lambda: moderated_t([np.sqrt(v) for v in cpm], n, 5.0),
        "lr_root": lambda: likelihood_ratio(cpm, logs, n),
        "t_weighted": lambda: weighted_t([np.log2(g + 20.0) for g in groups], n),
    }
    image = np.empty((len(counts), len(channels), 2, width), np.float32)
    for k, name in enumerate(channels):
        if name in tests:
            t = tests[name]()
            t = np.sign(t) * np.log1p(np.abs(t))  # 100 samples give t of 30
            rows[name] = np.stack([-t, t], 1)[..., None]
        image[:, k] = rows[name]
    return image


def _check(counts: np.ndarray, tumor: np.ndarray) -> None:
    if counts.ndim != 2 or counts.shape[1] != len(tumor):
        fault = f"counts {counts.shape} and {len(tumor)} groups do not match"
        raise InputError(f"{fault}: give one group per column")
    if tumor.all() or not tumor.any():
        raise InputError("one group is empty: give at least one normal and one tumor sample")
    if not np.all(np.isfinite(counts)) or counts.min() < 0:
        raise InputError("counts must be finite and not negative: pass raw counts, no logarithms")


def _slices(n: int, width: int) -> np.ndarray:
    """Return the n × width matrix that averages a sorted row over ``width`` equal slices."""
    sample, cell = np.arange(n)[:, None] / n, np.arange(width)[None] / width
    overlap = np.minimum(sample + 1 / n, cell + 1 / width) - np.maximum(sample, cell)
    return (np.clip(overlap, 0, None) * width).astype(np.float32)
