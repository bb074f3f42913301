"""A gene as a *profile image*: what normal and tumor samples look like, whatever their number and order.

Each gene becomes a picture of two rows (normal, tumor) and ``width`` columns. Column *j* of a row is the mean of the
*j*-th of ``width`` equal slices of that group's sorted values, so the picture has the same size for 4 samples and for
1,200. Further channels hold one number per row (log ratio, level, moderated t statistics, ...) painted across the row.
Every channel follows its row: swapping the groups flips the picture upside down and does nothing else.
"""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .profile_tests import likelihood_ratio, moderated_t, weighted_t

WIDTH = 16
CHANNELS = (
    "shape",       # quantiles, centred on the gene, in units of its own spread
    "quantiles",   # the same, in log2 units
    "log_ratio",   # -log2 fold change in the normal row, +log2 fold change in the tumor row
    "level",       # log2 counts per million of the row's group
    "within_sd",   # spread of the row's group, log2 units
    "t_log",       # moderated t of log2(CPM + 0.5), variance prior following the level (as limma-trend)
    "t_shrunk",    # moderated t of log2(CPM + 20): low counts are believed less
    "t_root",      # moderated t of sqrt(CPM), the scale on which counts have even variance
    "lr_root",     # signed root of a likelihood ratio (gamma, the negative binomial at high counts), shrunk dispersion
    "group_size",  # log2 of the number of distinct samples in the row's group
    "t_weighted",  # moderated t of log2(CPM + 20), odd samples counting less (for few samples)
)
FEW_CHANNELS = ("t_weighted", "t_log", "t_root", "lr_root", "log_ratio", "group_size")  # for 2 to 10 samples per group
GENERAL_CHANNELS = CHANNELS[:-1]  # where one cohort has all its samples
DIRECTION_CHANNELS = ("shape", "quantiles", "log_ratio", "level", "within_sd")  # none knows how many samples there are


def size_factors(counts: np.ndarray, gene_weight: np.ndarray | None = None) -> np.ndarray:
    """Return one factor per sample: its (weighted) library size in millions.

    counts: genes × samples. gene_weight: per gene, how many genes of the full table it stands for (see
    :func:`part_weights`); None means that the table is complete. Multiplying a sample by any number multiplies its
    factor by the same, so scaled values are unchanged. Raises InputError for an empty sample. Source: edgeR's default
    library size; the weights are the Horvitz-Thompson estimate of the total of a table of which a sample is at hand.
    """
    counts = np.asarray(counts)
    total = counts.sum(0, dtype=np.float64) if gene_weight is None else np.asarray(gene_weight, float) @ counts
    if not np.all(total > 0):
        raise InputError(f"{int((total <= 0).sum())} sample(s) have no counts at all: remove them first")
    return total / 1e6


def part_weights(split: np.ndarray) -> np.ndarray:
    """Return how many genes each gene stands for, from the published parts at hand.

    split: per gene "T1", "T2", "F1" or "T3". T2 is a random fifth of the non-bio genes and T3 of the bio genes, so where
    T1 (or F1) is missing the fifth that is left counts five times. Source: the paper, section Methods (80:20 splits).
    """
    split = np.asarray(split).astype(str)
    weight = np.ones(len(split))
    for small, large in (("T2", "T1"), ("T3", "F1")):
        if not (split == large).any():
            weight[split == small] = 5.0
    return weight


def log_fold_change(counts: np.ndarray, is_tumor: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
    """Return log2 of tumor over normal mean counts per million, per gene (0.01 CPM added to both)."""
    factors = size_factors(counts) if factors is None else factors
    tumor = np.asarray(is_tumor, bool)
    mean = [(counts[:, m] @ (1 / factors[m])) / m.sum() + 0.01 for m in (~tumor, tumor)]
    return np.log2(mean[1] / mean[0])


def direction_offset(counts: np.ndarray, is_tumor: np.ndarray, factors: np.ndarray,
                     prior_sd: float = 0.25, bandwidth: float = 0.05, errors: float = 1.0, valley: float = 0.7) -> float:
    """Estimate, without labels, the log2 ratio at which genes that are all DE turn from down to up.

    counts: genes × samples of *differentially expressed* genes only. Library sizes are known up to an error that moves
    all log ratios together (few huge genes carry the total; parts of the table may be missing). Genes called DE
    leave a gap around the true zero: the offset is where a kernel (``bandwidth`` times the gene's relative coefficient of
    variation, and its ratio's standard error times ``errors``, together) holds the fewest genes, held near 0 by a normal prior.
    Where noise or swapped samples have filled the gap (no valley ``valley`` times as high as the lower of the crowds beside it)
    nothing is known and 0 is returned. Returns log2 units. ``errors`` and ``valley`` were chosen by leaving out training cancers,
    whole and cut to 121 genes and 10 normal samples, with noise of 0 to 500 % (data/results/alignment_search.csv).
    """
    tumor = np.asarray(is_tumor, bool)
    scaled = counts / factors
    ratio = log_fold_change(counts, tumor, factors)
    cv2 = [(scaled[:, m].var(1) / (scaled[:, m].mean(1) + 0.01) ** 2) for m in (~tumor, tumor)]
    cv = np.sqrt((cv2[0] + cv2[1]) / 2) + 1e-3
    near = np.abs(ratio) < 2
    if not near.any():
        return 0.0
    grid = np.linspace(-2, 2, 801)
    error = np.sqrt(sum(c / _distinct(scaled[:, m]) for c, m in zip(cv2, (~tumor, tumor)))) / np.log(2)  # of the log2 ratio
    width = np.hypot(bandwidth * cv / np.median(cv), errors * error)[near]
    crowd = np.exp(-0.5 * ((ratio[near] - grid[:, None]) / width) ** 2).sum(1)
    best = int(np.argmin(np.where(np.abs(grid) <= 1, crowd + 0.5 * (grid / prior_sd) ** 2, np.inf)))
    lower_crowd = min(crowd[: best + 1].max(), crowd[best:].max())
    return float(grid[best]) if crowd[best] <= valley * lower_crowd else 0.0  # no valley between two crowds tells nothing


def shift_groups(factors: np.ndarray, is_tumor: np.ndarray, offset: float) -> np.ndarray:
    """Return factors that lower every log2 fold change by ``offset``, half from each group (so that swapping mirrors)."""
    return factors * np.exp2(np.where(is_tumor, offset / 2, -offset / 2))


def profile_image(counts: np.ndarray, is_tumor: np.ndarray, *, width: int = WIDTH,
                  factors: np.ndarray | None = None) -> np.ndarray:
    """Turn each gene into its profile image.

    counts: genes × samples, raw non-negative counts. is_tumor: bool per sample. factors: from :func:`size_factors`
    (default: from these counts). Returns float32, genes × channels (``CHANNELS``) × 2 (normal, tumor) × width, all of
    order one. Raises InputError for a missing group, a wrong shape or values that are no counts.
    """
    counts, tumor = np.asarray(counts), np.asarray(is_tumor, bool)
    if counts.ndim != 2 or counts.shape[1] != len(tumor):
        raise InputError(f"counts {counts.shape} and groups ({len(tumor)}) do not match: give one group per column")
    if tumor.all() or not tumor.any():
        raise InputError("one group is empty: give at least one normal and one tumor sample")
    if not np.all(np.isfinite(counts)) or counts.min() < 0:
        raise InputError("counts must be finite and not negative: pass the raw table, not logarithms")
    factors = size_factors(counts) if factors is None else factors
    cpm, logs, quantiles, n = [], [], [], []
    for mask in (~tumor, tumor):
        values = np.sort((counts[:, mask] / factors[mask]).astype(np.float32), axis=1)  # sorted: order cannot matter
        cpm.append(values)
        logs.append(np.log2(values + np.float32(0.5)))
        quantiles.append(logs[-1] @ _slices(values.shape[1], width))                    # genes × width
        n.append(_distinct(counts[:, mask] / factors[mask]))
    mean = np.stack([v.mean(1) for v in logs], 1)                                       # genes × 2
    sd = np.stack([v.std(1) for v in logs], 1)
    row = np.stack(quantiles, 1) - mean.mean(1)[:, None, None]                          # genes × 2 × width
    spread = np.sqrt((sd**2).mean(1)) + 0.1
    group_mean = np.stack([v.mean(1) for v in cpm], 1) + 0.01
    signed = [np.log2(group_mean[:, 1] / group_mean[:, 0]) / 2,
              moderated_t(logs, n), moderated_t([np.log2(v + np.float32(20)) for v in cpm], n, prior_df=20.0),
              moderated_t([np.sqrt(v) for v in cpm], n, prior_df=5.0),
              likelihood_ratio(cpm, logs, n),
              weighted_t([np.log2(counts[:, m] / factors[m] + 20.0) for m in (~tumor, tumor)], n)]
    ratio, *t = [np.stack([-v, v], 1) for v in signed]                                  # genes × 2 each
    *t, weighted = [np.sign(v) * np.log1p(np.abs(v)) for v in t]                        # 100 samples give t of 30
    size = np.broadcast_to(np.log2(n) / 4 - 1, ratio.shape)
    image = np.empty((len(counts), len(CHANNELS), 2, width), np.float32)
    image[:, 0] = np.clip(row / spread[:, None, None], -6, 6) / 2
    image[:, 1] = np.clip(row, -8, 8) / 2
    for k, value in enumerate([np.clip(ratio, -4, 4), (np.log2(group_mean) - 6) / 3, sd, *t, size, weighted], start=2):
        image[:, k] = value[:, :, None]
    return image


def _slices(n: int, width: int) -> np.ndarray:
    """Return the n × width matrix that averages a sorted row of n over ``width`` equal slices (exact for copies)."""
    sample, cell = np.arange(n)[:, None] / n, np.arange(width)[None] / width
    overlap = np.minimum(sample + 1 / n, cell + 1 / width) - np.maximum(sample, cell)
    return (np.clip(overlap, 0, None) * width).astype(np.float32)


def _distinct(scaled: np.ndarray) -> int:
    """Count samples that are not copies of another: a sample given twice is no further evidence."""
    mark = np.cos(np.arange(len(scaled)) * 1.7) @ scaled
    return len(np.unique(np.round(mark / (np.abs(mark).max() + 1e-12), 9)))
