"""Compare methods over cohorts: average ranks, the Friedman test, Nemenyi's critical difference (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from degnext._common.errors import InputError


class Ranking(NamedTuple):
    """Average rank per method (1 is best), sorted; Friedman's p; Nemenyi's critical difference; how many cohorts."""

    ranks: pd.Series
    friedman_p: float
    critical_difference: float
    n_cohorts: int


def critical_difference(n_methods: int, n_cohorts: int, alpha: float = 0.05) -> float:
    """Return the difference of average ranks above which two methods differ (Nemenyi): q √(k (k+1) / 6 N).

    q is the upper quantile of the studentized range for k methods and infinite degrees of freedom, over √2. Source: Demšar 2006, JMLR 7.
    """
    from scipy.stats import studentized_range

    if n_methods < 2 or n_cohorts < 1:
        raise InputError(
            f"ranks of {n_methods} method(s) over {n_cohorts} cohort(s) cannot be compared: give at least two methods and one cohort"
        )
    # SciPy's integral over infinite degrees of freedom is slow; at 100,000 the quantile is the same to four digits
    q = studentized_range.ppf(1 - alpha, n_methods, 1e5) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_cohorts)))


def rank_methods(scores: pd.DataFrame, alpha: float = 0.05) -> Ranking:
    """Rank methods (columns) on every cohort (rows) by score, high is good; ties share the mean of their ranks.

    Raises InputError where a score is missing: every method must have been run on every cohort.
    """
    from scipy.stats import friedmanchisquare

    if scores.isna().any().any():
        cohort, method = scores.stack(future_stack=True)[lambda s: s.isna()].index[0]
        raise InputError(
            f"no score of {method} on {cohort}: drop that method or that cohort before ranking"
        )
    ranks = scores.rank(axis=1, ascending=False).mean().sort_values()
    even = (scores.nunique(axis=1) == 1).all()  # nothing to rank: SciPy would divide by zero
    p = (
        1.0
        if even or scores.shape[1] < 3 or len(scores) < 2
        else float(friedmanchisquare(*scores.to_numpy().T).pvalue)
    )
    return Ranking(ranks, p, critical_difference(scores.shape[1], len(scores), alpha), len(scores))


def score_table(
    results: pd.DataFrame, part: str, value: str = "mcc", protocols: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return cohorts × "model, protocol" of one part, cohorts and methods that miss a score left out (methods with few cohorts first).

    results: columns as evaluate.RESULT_COLUMNS. A method run on fewer than half of the cohorts is dropped; then cohorts that any method lacks.
    """
    rows = results[results["part"] == part]
    if protocols is not None:
        rows = rows[rows["protocol"].isin(protocols)]
    table = rows.assign(method=method_names(rows)).pivot_table(
        index="cancer", columns="method", values=value
    )
    return table.loc[:, table.notna().mean() >= 0.5].dropna()


def method_names(rows: pd.DataFrame) -> pd.Series:
    """Return "model, what it was given" for each result row; a method with one kind of input keeps its bare name."""
    kinds = rows.groupby("model")["protocol"].transform(lambda p: p.nunique(dropna=False))
    return rows["model"].where(
        kinds == 1, rows["model"] + ", " + rows["protocol"].fillna("").astype(str)
    )


def with_network(results: pd.DataFrame, network: pd.DataFrame | None) -> pd.DataFrame:
    """Return the results with the paper's network from ``network.csv`` (None: not made yet) on the same cohorts and parts.

    Of several folds or seeds the mean of the scores is taken; rows of models that ``results`` has already, of variants and of
    the authors' released weights are left out (column ``variant``).
    """
    if network is None:
        return results
    rows = network[
        (network["model"] == "DEGnext")
        & (network["variant"] == "main")
        & network["part"].isin(results["part"].unique())
        & network["cancer"].isin(results["cancer"].unique())
    ]
    if not len(rows):
        return results
    numbers = [c for c in rows.select_dtypes("number").columns if c not in ("fold", "seed")]
    key = ["cancer", "source", "experiment", "protocol", "model", "part"]
    mean = rows.groupby(key, as_index=False, dropna=False)[numbers].mean()
    return pd.DataFrame(
        results.to_dict("records") + mean.to_dict("records"), columns=results.columns
    )


class Versus(NamedTuple):
    """How one method does against another over cohorts: accuracies by cohort, and the count of cohorts it is ahead, level or behind."""

    table: pd.DataFrame
    ahead: int
    level: int
    behind: int

    @property
    def points(self) -> pd.Series:
        """Difference of accuracy in percentage points, by cohort."""
        return 100 * (self.table["first"] - self.table["second"])

    @property
    def genes(self) -> pd.Series:
        """The same difference in genes."""
        return ((self.table["first"] - self.table["second"]) * self.table["n"]).round().astype(int)

    def sentence(self, first: str, second: str) -> str:
        """Say it in words."""
        d, g = self.points, self.genes
        if not len(d):
            return f"{first} and {second} were not run on the same cohorts."
        spread = f"from {d.min():+.1f} ({d.idxmin()}) to {d.max():+.1f} ({d.idxmax()})"
        return (
            f"{first} is ahead of {second} in {self.ahead} of {len(d)} cohorts, level in {self.level}, behind in {self.behind}: on average {d.mean():+.1f} points of accuracy, "
            f"{spread}; that is {g[g > 0].sum()} genes more right where it is ahead and {-g[g < 0].sum()} fewer where it is behind, of {int(self.table['n'].sum()):,}."
        )


def versus(
    results: pd.DataFrame, part: str, first: tuple[str, str], second: tuple[str, str]
) -> Versus:
    """Compare two methods, each given as (model, protocol), on the cohorts where both were run."""
    rows = results[results["part"] == part].set_index("cancer")
    a, b = (rows[(rows["model"] == m) & (rows["protocol"] == p)] for m, p in (first, second))
    table = pd.DataFrame({"first": a["accuracy"], "second": b["accuracy"], "n": a["n"]}).dropna()
    genes = ((table["first"] - table["second"]) * table["n"]).round()
    return Versus(table, int((genes > 0).sum()), int((genes == 0).sum()), int((genes < 0).sum()))
