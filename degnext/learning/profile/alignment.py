"""The log2 ratio at which changed genes turn from down to up, found without labels."""

from __future__ import annotations

import numpy as np

from degnext.cohorts.library_size import log_fold_change


def direction_offset(
    counts: np.ndarray,
    is_tumor: np.ndarray,
    factors: np.ndarray,
    prior_sd: float = 0.25,
    bandwidth: float = 0.05,
    errors: float = 1.0,
    valley: float = 0.7,
) -> float:
    """Estimate, without labels, the log2 ratio at which genes that are all DE turn from down to up.

    counts: genes × samples of *differentially expressed* genes only. Returns log2 units.

    Library sizes are known up to an error that moves all log ratios together (few huge genes carry
    the total; parts of the table may be missing). Genes called DE leave a gap around the true zero:
    the offset is where a kernel (``bandwidth`` times the gene's relative coefficient of variation,
    and its ratio's standard error times ``errors``, together) holds the fewest genes, held near 0
    by a normal prior. Where noise or swapped samples have filled the gap (no valley ``valley``
    times as high as the lower of the crowds beside it) nothing is known and 0 is returned.
    ``errors`` and ``valley`` were chosen on left-out training cancers, whole and cut to 121 genes
    and 10 normal samples, with noise of 0 to 500 % (data/results/alignment_search.csv).
    """
    tumor = np.asarray(is_tumor, bool)
    groups = [counts[:, m] / factors[m] for m in (~tumor, tumor)]
    ratio = log_fold_change(counts, tumor, factors)
    cv2 = [g.var(1) / (g.mean(1) + 0.01) ** 2 for g in groups]
    cv = np.sqrt((cv2[0] + cv2[1]) / 2) + 1e-3
    near = np.abs(ratio) < 2
    if not near.any():
        return 0.0
    grid = np.linspace(-2, 2, 801)
    variance = sum(c / distinct_samples(g) for c, g in zip(cv2, groups))
    error = np.sqrt(variance) / np.log(2)  # of the log2 ratio
    width = np.hypot(bandwidth * cv / np.median(cv), errors * error)[near]
    crowd = np.array([np.exp(-0.5 * ((ratio[near] - at) / width) ** 2).sum() for at in grid])
    best = int(np.argmin(np.where(np.abs(grid) <= 1, crowd + 0.5 * (grid / prior_sd) ** 2, np.inf)))
    lower_crowd = min(crowd[: best + 1].max(), crowd[best:].max())
    has_valley = crowd[best] <= valley * lower_crowd  # two crowds without one tell nothing
    return float(grid[best]) if has_valley else 0.0


def shift_groups(factors: np.ndarray, is_tumor: np.ndarray, offset: float) -> np.ndarray:
    """Return factors that lower every log2 fold change by ``offset``, half from each group."""
    return factors * np.exp2(np.where(is_tumor, offset / 2, -offset / 2))


def distinct_samples(scaled: np.ndarray) -> int:
    """Count samples that are not copies of another: a sample given twice is no further evidence."""
    mark = np.cos(np.arange(len(scaled)) * 1.7) @ scaled
    return len(np.unique(np.round(mark / (np.abs(mark).max() + 1e-12), 9)))
