"""A gene as a *profile image*: what normal and tumor samples look like, whatever their number and order.

Each gene becomes a picture of two rows (normal, tumor) and ``width`` columns. Column *j* of a row is the mean of the
*j*-th of ``width`` equal slices of that group's sorted values, so the picture has the same size for 4 samples and for
1,200. Further channels hold one number per row (log ratio, level, moderated t statistics, ...) painted across the row.
Every channel follows its row: swapping the groups flips the picture upside down and does nothing else.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, polygamma

from .errors import InputError

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
)
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
                     prior_sd: float = 0.25, bandwidth: float = 0.05) -> float:
    """Estimate, without labels, the log2 ratio at which genes that are all DE turn from down to up.

    counts: genes × samples of *differentially expressed* genes only. Library sizes are known up to an error that moves
    all log ratios together (few huge genes carry the total; parts of the table may be missing). Genes called DE
    leave a gap around the true zero: the offset is where a kernel, as wide as ``bandwidth`` times the gene's relative
    coefficient of variation, holds the fewest genes, held near 0 by a normal prior. Returns log2 units.
    """
    tumor = np.asarray(is_tumor, bool)
    scaled = counts / factors
    ratio = log_fold_change(counts, tumor, factors)
    cv2 = [(scaled[:, m].var(1) / (scaled[:, m].mean(1) + 0.01) ** 2) for m in (~tumor, tumor)]
    cv = np.sqrt((cv2[0] + cv2[1]) / 2) + 1e-3
    near = np.abs(ratio) < 2
    if not near.any():
        return 0.0
    grid = np.linspace(-1, 1, 401)
    width = bandwidth * cv[near] / np.median(cv)
    crowd = np.exp(-0.5 * ((ratio[near] - grid[:, None]) / width) ** 2).sum(1)
    return float(grid[np.argmin(crowd + 0.5 * (grid / prior_sd) ** 2)])


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
              _moderated_t(logs, n), _moderated_t([np.log2(v + np.float32(20)) for v in cpm], n, prior_df=20.0),
              _moderated_t([np.sqrt(v) for v in cpm], n, prior_df=5.0),
              _likelihood_ratio(cpm, logs, n)]
    ratio, *t = [np.stack([-v, v], 1) for v in signed]                                  # genes × 2 each
    t = [np.sign(v) * np.log1p(np.abs(v)) for v in t]                                   # 100 samples give t of 30
    size = np.broadcast_to(np.log2(n) / 4 - 1, ratio.shape)
    image = np.empty((len(counts), len(CHANNELS), 2, width), np.float32)
    image[:, 0] = np.clip(row / spread[:, None, None], -6, 6) / 2
    image[:, 1] = np.clip(row, -8, 8) / 2
    for k, value in enumerate([np.clip(ratio, -4, 4), (np.log2(group_mean) - 6) / 3, sd, *t, size], start=2):
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


def _moderated_t(groups: list[np.ndarray], n: list[int], prior_df: float | None = None) -> np.ndarray:
    """Return a t statistic per gene with the variance drawn towards what other genes show.

    groups: values of normal and tumor, genes × samples. prior_df None: variances follow a trend over the mean and
    the prior's strength is estimated (limma's squeezeVar with trend; Smyth 2004, Law et al. 2014); a number: strength
    given, prior variance the mean over genes.
    """
    mean = [v.mean(1, dtype=np.float64) for v in groups]
    df = max(n[0] + n[1] - 2, 0)
    if df == 0:                                          # one sample each: no variance to learn from
        return (mean[1] - mean[0]) / np.sqrt(2)
    pooled = sum(n[i] * groups[i].var(1, dtype=np.float64) for i in (0, 1)) / df + 1e-6
    if prior_df is None:
        level, log_var = (mean[0] + mean[1]) / 2, np.log(pooled) - digamma(df / 2) + np.log(df / 2)
        order = np.argsort(level, kind="stable")
        blocks = np.array_split(order, min(20, max(1, len(order) // 50)))
        trend = np.interp(level, [level[b].mean() for b in blocks], [log_var[b].mean() for b in blocks])
        extra = np.mean((log_var - trend) ** 2) - polygamma(1, df / 2)
        prior_df = 2 * _trigamma_inverse(extra) if extra > 1e-3 else 1000.0
        prior = np.exp(trend + digamma(prior_df / 2) - np.log(prior_df / 2))
    else:
        prior = pooled.mean()
    variance = (prior_df * prior + df * pooled) / (prior_df + df)
    return (mean[1] - mean[0]) / np.sqrt(variance * (1 / n[0] + 1 / n[1]))


def _likelihood_ratio(cpm: list[np.ndarray], logs: list[np.ndarray], n: list[int], prior_df: float = 10.0) -> np.ndarray:
    """Return the signed root of the likelihood ratio of two group means against one, per gene.

    At high counts the negative binomial is a gamma of shape 1/dispersion; its maximum-likelihood shape follows from
    log(mean) - mean(log) in closed form (Minka 2002), here shrunk across genes as edgeR's tagwise dispersion is.
    """
    mean = [v.mean(1, dtype=np.float64) + 0.5 for v in cpm]
    gap = [np.log(mean[i]) - logs[i].mean(1, dtype=np.float64) * np.log(2) for i in (0, 1)]
    df = max(n[0] + n[1] - 2, 1)
    s = (n[0] * gap[0] + n[1] * gap[1]) / df + 1e-4
    s = (prior_df * s.mean() + df * s) / (prior_df + df)
    shape = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    both = (n[0] * mean[0] + n[1] * mean[1]) / (n[0] + n[1])
    ratio = 2 * shape * sum(n[i] * np.log(both / mean[i]) for i in (0, 1))
    return np.sign(mean[1] - mean[0]) * np.sqrt(np.clip(ratio, 0, None))


def _trigamma_inverse(x: float) -> float:
    """Solve trigamma(y) = x for y by Newton steps on 1/trigamma, which is nearly straight."""
    y = 0.5 + 1 / x
    for _ in range(30):
        tri = polygamma(1, y)
        y += tri * (1 - tri / x) / polygamma(2, y)
    return float(y)
