"""The committed scores of all methods, laid beside the paper's Tables 2 and 3."""

from __future__ import annotations

import json

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.paper import EXPERIMENTS, paper_table
from degnext.evaluation.metrics import RESULT_COLUMNS
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.sources import COMPLETE

PAPER, RELEASED = "the paper", "the authors' weights"
OURS = {"paper": "paper's network, paper's protocol", "corrected": "paper's network, corrected"}
MAIN = (PAPER, RELEASED, OURS["paper"], OURS["corrected"], "ProfileCNN", "log-fold-change rule")
SCORES = ("accuracy", "accuracy_low", "accuracy_high", "mcc", "mcc_low", "mcc_high", "auc")
# what a run of the paper's network was given, and where that is all there is
GIVEN = {"max_samples": "all", "max_genes": "all at hand", "target_samples": "whole"}
INDEX = ["samples per cohort", "genes per part", "epochs", "samples of the target", "seed"]


def read_scores(name: str) -> pd.DataFrame:
    """Return ``data/results/<name>.csv``; raises InputError where it is missing."""
    path = data_dir() / "results" / f"{name}.csv"
    if not path.exists():
        raise InputError(
            f"data/results/{name}.csv is missing: run python -m reproduction.experiments.{name}, "
            "or check it out again"
        )
    return pd.read_csv(path)


def committed_scores() -> pd.DataFrame:
    """Return the main runs of every method as one table with a column ``method`` for readers.

    Runs that compare variants (column ``variant``) are not in it; of several main runs of one thing
    those with most draws of samples are, and of these those with most epochs. Raises InputError
    where a table is missing.
    """
    tables = [read_scores(name) for name in ("network", "baselines")]
    table = pd.concat(tables, ignore_index=True).fillna({"variant": "main"})
    table = table[table["variant"].isin(("main", "released"))]
    by = ["experiment", "protocol", "model", "part", "cancer", "variant"]
    for column in ("draws", "epochs"):  # baselines have neither
        most = table.groupby(by)[column].transform("max")
        table = table[(table[column] == most) | most.isna()]
    return table.assign(method=method_names(table))


def method_names(table: pd.DataFrame) -> pd.Series:
    """Return each row's method as a reader knows it."""
    network, given = table["model"] == "DEGnext", table["protocol"]
    named = table["model"].where(~network, given.map(OURS))
    named = named.where(table["variant"] != "released", RELEASED)
    plain = given.isin(["raw row", "profile features"])
    return named.where(~plain, table["model"] + ", " + given)


def what_training_lacks(table: pd.DataFrame, score: str = "accuracy") -> pd.DataFrame:
    """Return ``score`` per cohort (columns) and run of transfer under the paper's protocol.

    table: ``data/results/network.csv``. The index says what a run was given; the last rows are the
    authors' weights and the paper's own figures (where ``score`` has them).
    """
    transfer = table[(table["experiment"] == "transfer") & (table["protocol"] == "paper")]
    released = transfer["variant"] == "released"
    mine = transfer[~released]
    cut = mine["max_samples"].where(mine["variant"] == "target cut", 0)
    mine = mine.assign(target_samples=cut)
    keys = [mine[k].astype(int).astype(str).where(mine[k] > 0, word) for k, word in GIVEN.items()]
    stages = (mine[c].astype(int).astype(str) for c in ("epochs", "fine_tune_epochs"))
    keys = [*keys[:2], next(stages) + " + " + next(stages), keys[2], mine["seed"]]
    named = [key.rename(name) for key, name in zip(keys, INDEX)]
    by = mine.pivot_table(score, named, "cancer")
    ends = {("authors' weights", "", "", "", ""): transfer[released].set_index("cancer")[score]}
    if score == "accuracy":
        ends[PAPER, "", "", "", ""] = paper_table(3)["accuracy"].reindex(by.columns) / 100
    return pd.concat([by, pd.DataFrame(ends).T.rename_axis(index=by.index.names)[by.columns]])


def network_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's network as rows beside baselines.csv: the mean over folds and seeds.

    table: from :func:`committed_scores`; the authors' weights are left out.
    """
    runs = table[(table["model"] == "DEGnext") & (table["variant"] == "main")]
    key = ["cancer", "source", "experiment", "protocol", "model", "part"]
    numbers = [c for c in RESULT_COLUMNS if c not in (*key, "fold", "seed", "note")]
    mean = runs.groupby(key)[numbers].mean().reset_index()
    mean["note"] = "mean of " + runs.groupby(key).size().astype(str).to_numpy() + " runs"
    return mean.reindex(columns=list(RESULT_COLUMNS)).round(5)


def scaling_of_the_rule() -> str:
    """Return a sentence on the rule with plain column sums of the genes at hand (model card)."""
    card = json.loads((WEIGHTS / "model_card.json").read_text(encoding="utf-8"))["transfer"]
    plain = ", ".join(f"{c} {100 * r['rule_accuracy']:.1f} %" for c, r in card.items())
    return (
        "The rule uses the same library sizes as the networks, in which a part that is missing is "
        f"stood in for. With plain column sums of the genes at hand it has: {plain}."
    )


def mean_scores(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the mean over folds and seeds of every score on ``part``; index (cancer, method)."""
    by = table[table["part"] == part].groupby(["cancer", "method"])
    numbers = ["n", *SCORES, "batch_accuracy", "batch_mcc", "train_seconds"]
    return by[numbers].mean().assign(runs=by.size())


def beside_paper(
    table: pd.DataFrame, experiment: str, part: str, methods: tuple[str, ...] = MAIN
) -> pd.DataFrame:
    """Return accuracy and MCC over all genes, cohorts × methods, the paper's own figures first.

    ``experiment`` names the paper's table (``general`` 2, ``transfer`` 3), or is empty where it has
    none. A dash marks what was not run.
    """
    scores = mean_scores(table, part)
    cells = scores.apply(lambda r: f"{100 * r['accuracy']:.1f} %, {r['mcc']:.2f}", axis=1)
    shown = cells.unstack("method")
    if experiment:
        printed = paper_table(EXPERIMENTS[experiment]).reindex(shown.index)
        said = printed.apply(lambda r: f"{r['accuracy']:.1f} %, {r['mcc']:.2f}", axis=1)
        shown[PAPER] = said.where(printed["accuracy"].notna())
    genes = scores["n"].groupby("cancer").mean().map("{:,.0f}".format)
    columns = [m for m in methods if m in shown]
    shown = shown[columns].fillna("–").rename_axis(index="cohort", columns=None)
    shown.insert(0, "genes", genes)
    return shown


def three_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same for T2 of the cohorts whose T1 is at hand; the paper gives no number."""
    return beside_paper(table[table["cancer"].isin(COMPLETE)], "", "T2")
