"""Compare methods over cohorts: average ranks, the Friedman test, Nemenyi's test (Demšar 2006)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.evaluation.experiments import method_names


class Ranking(NamedTuple):
    """Average ranks, best first; Friedman's p; Nemenyi's p by pair and critical difference."""

    ranks: pd.Series
    friedman_p: float
    pairwise_p: pd.DataFrame
    critical_difference: float
    n_cohorts: int


def critical_difference(n_methods: int, n_cohorts: int, alpha: float = 0.05) -> float:
    """Return the difference of average ranks above which two methods differ: q √(k (k+1) / 6 N).

    q is the upper quantile of the studentized range for k methods and infinite degrees of freedom,
    over √2. Source: Demšar 2006, JMLR 7.
    """
    from scipy.stats import studentized_range

    if n_methods < 2 or n_cohorts < 1:
        few = f"ranks of {n_methods} method(s) over {n_cohorts} cohort(s) cannot be compared"
        raise InputError(f"{few}: give at least two methods and one cohort")
    # SciPy's integral over infinite degrees of freedom is slow; at 100,000 the quantile is the same
    q = studentized_range.ppf(1 - alpha, n_methods, 1e5) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_cohorts)))


def rank_methods(scores: pd.DataFrame, alpha: float = 0.05) -> Ranking:
    """Rank methods (columns) on every cohort (rows), high scores first; ties share their mean rank.

    Raises InputError where a score is missing.
    """
    from scikit_posthocs import posthoc_nemenyi_friedman
    from scipy.stats import friedmanchisquare

    if scores.isna().any().any():
        cohort, method = scores.stack(future_stack=True)[lambda s: s.isna()].index[0]
        cure = "drop that method or that cohort before ranking"
        raise InputError(f"no score of {method} on {cohort}: {cure}")
    ranks = scores.rank(axis=1, ascending=False).mean().sort_values()
    even = (scores.nunique(axis=1) == 1).all()  # nothing to rank: SciPy would divide by zero
    testable = not even and scores.shape[1] > 2 and len(scores) > 1
    p = float(friedmanchisquare(*scores.to_numpy().T).pvalue) if testable else 1.0
    difference = critical_difference(scores.shape[1], len(scores), alpha)
    return Ranking(ranks, p, posthoc_nemenyi_friedman(scores), difference, len(scores))


def score_table(results: pd.DataFrame, part: str, value: str = "mcc") -> pd.DataFrame:
    """Return cohorts × methods of one part.

    results: columns as ``metrics.RESULT_COLUMNS``. Methods run on fewer than half of the cohorts
    are left out, then cohorts that any method lacks.
    """
    rows = results[results["part"] == part]
    rows = rows.assign(method=method_names(rows))
    table = rows.pivot_table(index="cancer", columns="method", values=value)
    return table.loc[:, table.notna().mean() >= 0.5].dropna()


def rank_table(results: pd.DataFrame, parts: tuple[str, ...] = ("T2", "Q")) -> pd.DataFrame:
    """Return average ranks by MCC of every method, best first, for each part.

    Columns part, method, rank, p_first (Nemenyi's, against the first), critical_difference,
    friedman_p, n_cohorts.
    """
    tables = []
    for part in parts:
        found = rank_methods(score_table(results, part))
        table = found.ranks.rename_axis("method").rename("rank").reset_index()
        table["p_first"] = found.pairwise_p.loc[table["method"], table["method"][0]].to_numpy()
        facts = {"critical_difference": found.critical_difference, "friedman_p": found.friedman_p}
        tables.append(table.assign(part=part, n_cohorts=found.n_cohorts, **facts))
    return pd.concat(tables, ignore_index=True)
