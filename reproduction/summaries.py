"""What chapters 5, 6 and 8 show of the committed records: who is ahead of whom, noise, few samples.

``python -m reproduction.tables`` writes these tables to data/results with the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from degnext.evaluation.disturbances import CEILINGS
from degnext.evaluation.experiments import CNN, FEATURES, IMAGE, RULE, SCALED
from degnext.evaluation.record import saved_results
from reproduction.ranks import rank_table
from reproduction.small_samples import NETWORK, best_cut, summarize

SCORES = ("mcc", "average_precision", "direction")
PAIRS = (
    ((CNN, IMAGE), (RULE, SCALED)),
    ((CNN, IMAGE), ("Logistic regression", FEATURES)),
    (("DEGnext", "corrected"), (RULE, SCALED)),
)


# -- chapter 5: methods on the published cohorts ---------------------------------------------------


def versus(
    results: pd.DataFrame, part: str, first: tuple[str, str], second: tuple[str, str]
) -> dict[str, object]:
    """Compare two methods, each given as (model, protocol), on the cohorts where both were run.

    Returns in how many cohorts the first is ahead, level and behind (in genes), the difference of
    accuracy in points (mean, lowest, highest) and the genes more right where ahead and behind.
    """
    rows = results[results["part"] == part].set_index("cancer")
    a, b = (rows[(rows["model"] == m) & (rows["protocol"] == p)] for m, p in (first, second))
    both = pd.DataFrame({"first": a["accuracy"], "second": b["accuracy"], "n": a["n"]}).dropna()
    points = 100 * (both["first"] - both["second"])
    genes = (points / 100 * both["n"]).round().astype(int)
    out = {"part": part, "first": ", ".join(first), "second": ", ".join(second)}
    out |= {"cohorts": len(both), "ahead": (genes > 0).sum(), "level": (genes == 0).sum()}
    out |= {"behind": (genes < 0).sum(), "mean_points": points.mean()}
    for name, at in (("lowest", points.idxmin), ("highest", points.idxmax)):
        out |= {f"{name}_points": points[at()], f"{name}_in": at()} if len(both) else {}
    out |= {"genes": int(both["n"].sum()), "genes_more": genes[genes > 0].sum()}
    return out | {"genes_fewer": -genes[genes < 0].sum()}


# -- chapter 6: noise ------------------------------------------------------------------------------


def against_ceiling(
    table: pd.DataFrame, model: str = CNN, reading: str = "relative"
) -> pd.DataFrame:
    """Return, per cohort and level, a model's accuracy, both ceilings and the best other method.

    table: rows of ``noise.csv`` of one experiment and one ``noise_on``. Variants of the network
    ("not aligned", "class shares estimated") count as its own.
    """
    rows = table[table["reading"] == reading].reset_index(drop=True)
    rows = rows.assign(method=rows["model"] + ", " + rows["protocol"].fillna(""))
    own, key = rows["model"].str.startswith(CNN), ["cancer", "level"]
    others = rows[~own & ~rows["model"].isin(CEILINGS.values())]
    best = others.loc[others.groupby(key)["accuracy"].idxmax()].set_index(key)
    out = rows[rows["model"] == model].set_index(key)[["accuracy", "balanced", "accuracy_sd"]]
    for column, name in CEILINGS.items():
        out[column] = rows[rows["model"] == name].set_index(key)["accuracy"]
    out["best_other"], out["best_other_name"] = best["accuracy"], best["method"]
    out["best_other_balanced"] = others.groupby(key)["balanced"].max()
    return out.reset_index()


# -- chapter 8: few samples ------------------------------------------------------------------------


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a method at a size where it lacks draws that others have: means would not compare."""
    key = ["method", "scaling", "k"]
    draws = table.groupby([*key, "cancer"])["draw"].nunique().unstack("cancer", fill_value=0)
    whole = (draws == draws.groupby("k").transform("max")).all(axis=1)
    return table[pd.MultiIndex.from_frame(table[key]).map(whole).to_numpy(bool)]


def full_names(table: pd.DataFrame) -> pd.Series:
    """Name each row's method, with its scaling where that is not the method's usual one."""
    unusual = (table["scaling"] == "column sums") & (table["method"] != NETWORK)
    return table["method"].where(~unusual, table["method"] + ", column sums")


def lead_over_peers(table: pd.DataFrame, values: Sequence[str] = SCORES) -> pd.DataFrame:
    """Return the network's mean score less the best test's, per cohort and size, and over cohorts.

    The best test is found anew for every cohort, size and score; ``cancer`` is "mean" in the rows
    over cohorts. The tests that take part are those in ``table``, each with its cut-offs and
    scalings.
    """
    keys = ["method", "scaling", "cut"]
    mean = table.groupby(["cancer", "k", *keys])[list(values)].mean().reset_index()
    overall = mean.groupby(["k", *keys])[list(values)].mean().reset_index().assign(cancer="mean")
    both = pd.concat([mean, overall])
    network = both["method"] == NETWORK
    ours, tests = (
        both[m].groupby(["cancer", "k"])[list(values)].max() for m in (network, ~network)
    )
    return (ours - tests).reset_index()


def few_samples(record: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return means by method, size and cohort (``mean``: over cohorts), and the network's lead.

    Each test stands with the cut-off that suits it best. ``called``: genes called over genes truly
    DE. ``against``: all tests, the tests as people run them, or with the labels' column sums.
    """
    best = best_cut(complete(record))
    best = best.assign(method=full_names(best), called=best["n_called"] / best["n_de"])
    key = ["method", "cut", "k"]
    over = [summarize(best, value, key) for value in (*SCORES, "called")]
    over = [t if i == 0 else t.drop(columns=["n_cohorts", "n_draws"]) for i, t in enumerate(over)]
    means = over[0]
    for table in over[1:]:
        means = means.merge(table, on=key)
    single = best.groupby(["cancer", *key], as_index=False)[[*SCORES, "called"]].mean()
    best = best_cut(complete(record))
    sums, ours = best["scaling"] == "column sums", best["method"] == NETWORK
    fields = {"all tests": best, "tests as usual": best[ours | ~sums], "column sums": best[sums]}
    lead = [lead_over_peers(table).assign(against=name) for name, table in fields.items()]
    return pd.concat([means.assign(cancer="mean"), single]), pd.concat(lead)


def chapter_tables() -> dict[str, pd.DataFrame]:
    """Return every table by the name of its file."""
    scores = [saved_results("baselines"), saved_results("summary_network")]
    joined = pd.concat([table.dropna(axis=1, how="all") for table in scores])
    pairs = [versus(joined, part, *pair) for part in ("T2", "T3", "Q") for pair in PAIRS]
    noise = saved_results("noise").groupby(["experiment", "noise_on"], sort=False)
    noise = [against_ceiling(rows).assign(experiment=e, noise_on=on) for (e, on), rows in noise]
    means, lead = few_samples(saved_results("small_samples"))
    tables = {"versus": pd.DataFrame(pairs), "noise": pd.concat(noise)}
    tables |= {"small_samples": means, "small_samples_lead": lead}
    tables = {name: table.round(5) for name, table in tables.items()} | {
        "ranks": rank_table(joined)
    }
    return {f"summary_{name}": table for name, table in tables.items()}
