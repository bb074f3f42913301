"""From raw counts to counts fit for labelling: ``preprocess`` and its two filters.

Symbols live in :mod:`degnext.preprocessing.symbols`, the normalisations of EDASeq and TCGAbiolinks
in :mod:`degnext.preprocessing.tcgabiolinks`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext._common.matrix import as_matrix, average_ranks, column_blocks, column_quantiles
from degnext._common.parallel import for_each
from degnext.cohorts.cohort import Cohort
from degnext.preprocessing.symbols import to_symbols


def preprocess(
    cohort: Cohort, *, outlier_cut: float = 0.6, quantile_cut: float = 0.25, symbols: str = "auto"
) -> Cohort:
    """Name genes by symbol, drop outlier samples and lowly expressed genes; notes say how many.

    outlier_cut: smallest mean Spearman correlation of a sample with all, see ``drop_outliers``.
    quantile_cut: share of genes, of lowest mean count, to drop, see ``quantile_filter``.
    symbols: "auto", "map" or "keep", see ``to_symbols``.
    Raises InputError where nothing is left. Source: the paper, Methods 2, 3 and 5.
    """
    named, _ = to_symbols(cohort, symbols)
    kept, _ = drop_outliers(named.counts, named.groups, outlier_cut)
    lost = cohort.counts.shape[1] - kept.shape[1]
    notes = [f"{lost} outlier sample(s) left out."] if lost else []
    return named.with_counts(quantile_filter(kept, quantile_cut), *notes)


def sample_correlation(counts: pd.DataFrame) -> pd.Series:
    """Return each sample's mean Spearman correlation with all samples, itself (1) included.

    counts: genes × samples. Time grows linearly in both: the mean of a row of the correlation
    matrix is the product of one sample's standardised ranks with the mean of everybody's. Raises
    InputError where a sample is constant. Source: TCGAbiolinks' TCGAanalyze_Preprocessing,
    ``rowMeans(cor(x, method = "spearman"))``.
    """
    values = as_matrix(counts)
    ranks = np.empty(values.shape[::-1], dtype=np.float32)  # samples × genes, less their mean
    norm = np.empty(len(ranks))

    def work(cols: slice) -> None:
        for j, column in zip(range(cols.start, cols.stop), np.ascontiguousarray(values[:, cols].T)):
            ranks[j] = average_ranks(column) - np.float32((len(values) + 1) / 2)
            # no BLAS here: its own threads would get in the way of these
            norm[j] = np.sqrt(np.square(ranks[j], dtype=float).sum())

    for_each(work, column_blocks(len(ranks)))
    if not (norm > 0).all():
        sample = counts.columns[int(norm.argmin())]
        raise InputError(f"sample {sample!r} has the same count for every gene: leave it out")
    total = np.zeros(len(counts))
    for row, length in zip(ranks, norm):
        total += row / length
    mean = np.array([(row * total).sum() for row in ranks]) / norm / len(norm)
    return pd.Series(mean, index=counts.columns, name="mean_correlation")


def drop_outliers(
    counts: pd.DataFrame, groups: pd.Series, cut: float = 0.6
) -> tuple[pd.DataFrame, pd.Series]:
    """Keep the samples whose mean correlation is above ``cut``; return their counts and groups.

    Every sample is judged by its own correlation. TCGAanalyze_Preprocessing (source read at commit
    082c9d9) computes the correlations in an order sorted by tissue and barcode and applies them by
    position to the columns as they came, so that on an unsorted table it can drop other samples
    than the outliers. Raises InputError when no sample, or no sample of a group, is left.
    """
    kept = (sample_correlation(counts) > cut).to_numpy()
    groups = groups.loc[counts.columns]
    lost = sorted(set(groups) - set(groups[kept]))
    if lost:
        raise InputError(f"cut={cut} drops every {lost[0]} sample: choose a lower cut")
    return (counts, groups) if kept.all() else (counts.loc[:, kept], groups[kept])


def quantile_filter(counts: pd.DataFrame, cut: float = 0.25) -> pd.DataFrame:
    """Keep the genes whose mean count is above the ``cut`` quantile of all genes' means.

    Source: TCGAbiolinks' TCGAanalyze_Filtering, "quantile" (R's quantile type 7, strictly above).
    """
    if not 0 <= cut < 1:
        raise InputError(f"cut must be at least 0 and below 1, not {cut}")
    values = as_matrix(counts)
    mean = values.sum(axis=1) / values.shape[1]
    return counts[mean > column_quantiles(mean[None, :], cut)[0]]
