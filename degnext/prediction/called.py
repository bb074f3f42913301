"""A list of genes whose expected share of wrong calls is at most what was asked for, and how far
such a list, or a fold change from one sample, can be trusted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import log_fold_change, size_factors

LIST_COLUMNS = ("call", "expected_error", "expected_share_wrong")
ABSTAIN = "abstain"
_TYPICAL_BCV = 0.45  # median biological coefficient of variation of training cohorts: 0.38-0.48
_FEW = 12  # samples in the smaller group up to which samples are drawn again
_TRIALS = 25


def called_list(cohort: Cohort, fdr: float) -> pd.DataFrame:
    """Return ``LIST_COLUMNS``, a row per gene, by the ``standard_few`` network.

    call: UR or DR for the longest list whose expected share of wrong calls is at most ``fdr``, else
    abstain. expected_error: the chance that the gene, called in its likelier direction, is wrong.
    expected_share_wrong: the mean of these chances over this gene and all that are surer, so that
    rows up to another share are the list at that share. A call is wrong if a large cohort would not
    show it by the standard rule.
    """
    from degnext.learning.profile.called_list import answer, share_wrong
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes

    counts = cohort.counts.to_numpy(float)
    seen, error = counts.any(axis=1), np.ones(len(counts))
    up = np.zeros(len(counts), bool)
    if min(cohort.n_normal, cohort.n_tumor) > 1:
        network = ProfileClassifier.from_pretrained("standard_few")
        up[seen], error[seen] = answer(network, Genes(counts[seen], cohort.is_tumor))
    share = share_wrong(error)
    call = np.where(share <= fdr, np.where(up, "UR", "DR"), ABSTAIN)
    return pd.DataFrame(dict(zip(LIST_COLUMNS, (call, error, share))))


def list_advice(cohort: Cohort, table: pd.DataFrame, fdr: float) -> list[str]:
    """Return what to mind about a list of calls."""
    n_up, n_down, n_none = (int((table["call"] == call).sum()) for call in ("UR", "DR", ABSTAIN))
    share = table.loc[table["call"] != ABSTAIN, "expected_share_wrong"].max()
    said = (
        f"{n_up:,} UR and {n_down:,} DR, of which {share:.1%} are expected to be wrong; on "
        f"{n_none:,} genes it abstains, which is not to say that they do not change."
    )
    if n_none == len(table):
        none = f"no gene can be called with an expected share of wrong calls of at most {fdr:.0%}"
        said = f"{none}; that does not say that nothing changes."
    return [f"List at fdr={fdr:g}: {said}", *_reliability(cohort)]


def _reliability(cohort: Cohort) -> list[str]:
    """Return how well fold changes hold when samples are drawn again, for a small cohort.

    The median rank correlation of all genes' fold changes with those of ``_TRIALS`` bootstraps of
    the samples (Degen and Medo 2025, PLoS Comput Biol 21:e1011630).
    """
    groups = [np.flatnonzero(m) for m in (~cohort.is_tumor, cohort.is_tumor)]
    if not 1 < min(map(len, groups)) <= _FEW:
        return []
    rng, counts = np.random.default_rng(0), cohort.counts.to_numpy(float)
    counts = counts[counts.any(axis=1)]
    sizes = size_factors(counts, "tmm")
    rank = pd.Series(log_fold_change(counts, cohort.is_tumor, sizes, prior=1.0)).rank()
    found = []
    for _ in range(_TRIALS):
        columns = np.concatenate([rng.choice(g, len(g)) for g in groups])
        again = log_fold_change(counts[:, columns], cohort.is_tumor[columns], sizes[columns], 1.0)
        found.append(np.corrcoef(rank, pd.Series(again).rank())[0, 1])
    low, middle = np.quantile(found, [0.05, 0.5])
    return [
        f"Samples drawn again {_TRIALS} times (bootstrap): the genes' fold changes keep a rank "
        f"correlation of {middle:.2f} (lowest twentieth {low:.2f}) with those of all samples."
    ]


def lone_error(counts: np.ndarray, tumor: np.ndarray) -> np.ndarray:
    """Return a standard error (genes,) of log2 fold changes where a group has a single sample.

    The spread within groups is not seen: it is taken to be that typical of tumors.
    """
    parts = [(counts[:, m].mean(axis=1) + 0.5, m.sum()) for m in (~tumor, tumor)]
    variance = sum((1 / mean + _TYPICAL_BCV**2) / n for mean, n in parts)
    return np.sqrt(variance) / np.log(2)
