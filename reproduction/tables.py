"""The committed scores of all methods on the authors' data, laid beside the paper's Tables 2 and 3."""

from __future__ import annotations

import json

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.paper import EXPERIMENTS, paper_table
from degnext.learning.profile.classifier import WEIGHTS

PAPER, RELEASED = "the paper", "the authors' weights"
OURS = {"paper": "paper's network, paper's protocol", "corrected": "paper's network, corrected"}
MAIN = (PAPER, RELEASED, OURS["paper"], OURS["corrected"], "ProfileCNN", "log-fold-change rule")
SCORES = ("accuracy", "accuracy_low", "accuracy_high", "mcc", "mcc_low", "mcc_high", "auc")


def committed_scores() -> pd.DataFrame:
    """Return ``data/results/network.csv`` and ``baselines.csv`` as one table with a column ``method`` for readers.

    Runs that compare variants (a layer option, the precision, training cohorts left out, the target cut to fewer samples, a cut cohort's samples drawn once where there is a run with
    several draws, fewer epochs than were run with several draws or in transfer under the paper's protocol) are not in it. Raises InputError where a table is missing.
    """
    tables = []
    for name in ("network", "baselines"):
        path = data_dir() / "results" / f"{name}.csv"
        if not path.exists():
            raise InputError(
                f"data/results/{name}.csv is missing: run python -m reproduction.experiments.{name}, or check it out again"
            )
        tables.append(pd.read_csv(path))
    table = pd.concat(tables, ignore_index=True)
    note = table["note"].fillna("")
    cut = (table["experiment"] == "general") & note.str.contains("cohorts cut")
    drawn = note.str.contains("draws of samples")
    variant = cut & ~drawn & table["cancer"].isin(table.loc[cut & drawn, "cancer"])
    epochs = note.str.extract(r"(\d+)(?: \+ \d+)? epochs")[0].astype(float)
    variant |= (
        cut & drawn & (epochs < epochs.where(cut & drawn).groupby(table["cancer"]).transform("max"))
    )
    own, few_genes = own_training(table), note.str.contains("at most")
    variant |= own & ((epochs < epochs[own & ~few_genes].max()) | few_genes)
    table = table[~variant & ~note.str.contains("left out|relu=|target cut|compared once")].copy()
    table["method"] = table["model"]
    network = table["model"] == "DEGnext"
    table.loc[network, "method"] = table.loc[network, "protocol"].map(OURS)
    table.loc[table["note"].fillna("").str.contains("released weights"), "method"] = RELEASED
    baseline = table["protocol"].isin(["raw row", "profile features"])
    table.loc[baseline, "method"] += ", " + table.loc[baseline, "protocol"]
    return table


def own_training(table: pd.DataFrame) -> pd.Series:
    """Tell which rows are transfer with the paper's network and protocol, trained by us."""
    return (
        (table["experiment"] == "transfer")
        & (table["protocol"] == "paper")
        & (table["model"] == "DEGnext")
        & ~table["note"].fillna("").str.contains("released")
    )


def what_training_lacks(table: pd.DataFrame, score: str = "accuracy") -> pd.DataFrame:
    """Return ``score`` per cohort (columns) and run of transfer under the paper's protocol, indexed by what the run was given.

    table: ``data/results/network.csv``. The last rows are the authors' weights and the paper's own figures (where ``score`` has them).
    """
    mine = table[own_training(table)].assign(
        target=lambda t: t["note"].str.extract(r"target cut to (\d+)")[0].fillna("whole")
    )
    said = mine["note"].str.extract(
        r"(?P<epochs>\d+(?: \+ \d+)?) epochs(?:; cohorts cut to (?P<samples>\d+) samples)?(?:; at most (?P<genes>\d+) genes)?"
    )
    keys = [
        said["samples"].fillna("all"),
        said["genes"].fillna("all at hand"),
        said["epochs"],
        mine["target"],
        mine["seed"],
    ]
    by = mine.pivot_table(
        score,
        [
            k.rename(n)
            for k, n in zip(
                keys,
                ("samples per cohort", "genes per part", "epochs", "samples of the target", "seed"),
            )
        ],
        "cancer",
    )
    ends = {
        ("authors' weights", "", "", "", ""): table[
            table["note"].fillna("").str.contains("released weights")
        ].set_index("cancer")[score]
    }
    if score == "accuracy":
        ends["the paper", "", "", "", ""] = paper_table(3)["accuracy"].reindex(by.columns) / 100
    return pd.concat([by, pd.DataFrame(ends).T.rename_axis(index=by.index.names)[by.columns]])


def scaling_of_the_rule() -> str:
    """Return a sentence on the rule's score where the library sizes are plain column sums of the genes at hand (from the model card)."""
    card = json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))["transfer"]
    plain = ", ".join(f"{c} {100 * r['rule_accuracy']:.1f} %" for c, r in card.items())
    return f"The rule uses the same library sizes as the networks, in which a part that is missing is stood in for. With plain column sums of the genes at hand it has: {plain}."


def mean_scores(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the mean over folds and seeds of every score on ``part``, with the number of runs; index (cancer, method)."""
    chosen = table[table["part"] == part]
    by = chosen.groupby(["cancer", "method"])
    return (
        by[["n", *SCORES, "batch_accuracy", "batch_mcc", "train_seconds"]]
        .mean()
        .assign(runs=by.size(), note=by["note"].first())
    )


def beside_paper(
    table: pd.DataFrame, experiment: str, part: str, methods: tuple[str, ...] = MAIN
) -> pd.DataFrame:
    """Return one row per cohort and one column per method: accuracy and MCC over all genes, the paper's own figures first.

    ``experiment`` names the paper's table (``general`` 2, ``transfer`` 3), or is empty where it has none. A dash marks what was not run.
    """
    scores = mean_scores(table, part)
    printed = paper_table(EXPERIMENTS[experiment]) if experiment else None
    rows = {}
    for cancer in sorted(scores.index.unique("cancer")):
        mine = scores.loc[cancer]
        row = {"genes": f"{mine['n'].mean():,.0f}"}
        for method in methods:
            if method == PAPER and printed is not None:
                row[method] = (
                    f"{printed.at[cancer, 'accuracy']:.1f} %, {printed.at[cancer, 'mcc']:.2f}"
                    if cancer in printed.index
                    else "–"
                )
            elif method != PAPER and method in scores.index.unique("method"):
                row[method] = (
                    f"{100 * mine.at[method, 'accuracy']:.1f} %, {mine.at[method, 'mcc']:.2f}"
                    if method in mine.index
                    else "–"
                )
        rows[cancer] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cohort")
