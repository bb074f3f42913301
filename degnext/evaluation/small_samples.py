"""A handful of samples per group: draw them, ask the network and the usual tests, score both against the full cohort's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from degnext.cohorts.cohort import DR, NEUTRAL, UR
from degnext.cohorts.perturb import draw_samples
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes

SIZES = (2, 3, 5, 10)  # samples per group
CUTS = (0.01, 0.05)  # false discovery rates at which the tests call genes
NETWORK, QL, VOOM, DESEQ2 = "ProfileCNN", "edgeR QL", "limma-voom", "DESeq2"
PEERS = (QL, VOOM, DESEQ2)
FULL_NAMES = (NETWORK, QL, VOOM, DESEQ2, f"{QL}, column sums", f"{VOOM}, column sums")
COLUMNS = (
    "cancer",
    "k",
    "draw",
    "n_normal",
    "n_tumor",
    "method",
    "scaling",
    "cut",
    "mcc",
    "average_precision",
    "direction",
    "n_called",
    "n_de",
    "n_genes",
)


class Answer(NamedTuple):
    """What one method says: a score per gene (higher: more surely DE), a direction (> 0: up) and calls (0, 1, 2) per cut-off."""

    score: np.ndarray
    direction: np.ndarray
    calls: dict[str, np.ndarray]


def take(genes: Genes, columns: np.ndarray) -> Genes:
    """Return the same genes with some samples; size factors come along."""
    return genes._replace(
        counts=genes.counts[:, columns],
        is_tumor=np.asarray(genes.is_tumor, bool)[columns],
        factors=None if genes.factors is None else genes.factors[columns],
    )


def ask_network(genes: Genes, model: ProfileClassifier | None = None) -> Answer:
    """Return the answer of the small-sample network (default: the weights that come with the package)."""
    proba = (model or ProfileClassifier.pretrained(3, few_samples=True)).predict_proba(
        genes._replace(labels=None)
    )
    return Answer(
        1 - proba[:, NEUTRAL], proba[:, UR] - proba[:, DR], {"most probable": proba.argmax(1)}
    )


def ask_tests(genes: Genes, scaling: str = "TMM") -> dict[str, Answer]:
    """Return the answers of edgeR's quasi-likelihood F test and of limma-voom, both equal to R's.

    scaling: "TMM", as both are mostly used, or "column sums", which is how the published labels were made.
    """
    from degnext.cohorts.library_size import tmm_factors
    from degnext.labeling.edger.negbin import TwoGroups
    from degnext.labeling.edger.quasi import quasi_table
    from degnext.labeling.voom import voom_table

    order = np.argsort(np.asarray(genes.is_tumor, bool), kind="stable")
    y, n_normal = (
        np.asarray(genes.counts, float)[:, order],
        int((~np.asarray(genes.is_tumor, bool)).sum()),
    )
    lib = y.sum(0) * (tmm_factors(y) if scaling == "TMM" else 1.0)
    data = TwoGroups(y, lib, n_normal)
    tables = {QL: quasi_table(data), VOOM: voom_table(data)}
    return {name: answer_of_test(t["log_fc"], t["p_value"]) for name, t in tables.items()}


def answer_of_test(
    log_fc: np.ndarray, p_value: np.ndarray, fdr: dict[float, np.ndarray] | None = None
) -> Answer:
    """Turn a test's log fold changes and p-values into an answer; a missing p-value or FDR (NaN, as DESeq2 gives) is 1.

    fdr: false discovery rates per cut-off where the method has its own; default Benjamini-Hochberg over all genes.
    """
    p_value, log_fc = (
        np.nan_to_num(np.asarray(p_value, float), nan=1.0),
        np.nan_to_num(np.asarray(log_fc, float)),
    )
    rates = dict.fromkeys(CUTS, false_discovery_control(p_value)) if fdr is None else fdr
    calls = {
        f"FDR {cut}": np.where(
            np.nan_to_num(rate, nan=1.0) < cut, np.where(log_fc > 0, UR, DR), NEUTRAL
        )
        for cut, rate in rates.items()
    }
    return Answer(-p_value, log_fc, calls)


def score(labels: np.ndarray, answer: Answer) -> list[dict[str, float]]:
    """Hold an answer against the full cohort's labels: one row per cut-off.

    mcc: three classes. average_precision: DE against neutral, by score. direction: share of the truly DE genes, called or
    not, whose direction is right.
    """
    from sklearn.metrics import average_precision_score, matthews_corrcoef

    labels = np.asarray(labels)
    de = labels != NEUTRAL
    same = {
        "average_precision": float(average_precision_score(de, answer.score)),
        "direction": float(np.mean((answer.direction[de] > 0) == (labels[de] == UR))),
        "n_de": int(de.sum()),
        "n_genes": len(labels),
    }
    return [
        {
            "cut": cut,
            "mcc": float(matthews_corrcoef(labels, called)),
            "n_called": int((called != NEUTRAL).sum()),
        }
        | same
        for cut, called in answer.calls.items()
    ]


def compare(
    genes: Genes,
    k: int,
    draw: int,
    model: ProfileClassifier | None = None,
    extra: dict[tuple[str, str], Answer] | None = None,
) -> pd.DataFrame:
    """Draw k + k samples, ask every method, and return one row per method, scaling and cut-off (no cancer's name yet).

    extra: further answers to the same draw by (method, scaling), such as DESeq2's.
    """
    columns = draw_samples(genes.is_tumor, k, draw)
    few = take(genes, columns)
    answers = {(NETWORK, "column sums"): ask_network(few, model)}
    for scaling in ("TMM", "column sums"):
        answers |= {(name, scaling): a for name, a in ask_tests(few, scaling).items()}
    common = {
        "k": k,
        "draw": draw,
        "n_normal": int((~few.is_tumor).sum()),
        "n_tumor": int(few.is_tumor.sum()),
    }
    rows = [
        common | {"method": m, "scaling": s} | row
        for (m, s), a in (answers | (extra or {})).items()
        for row in score(genes.labels, a)
    ]
    return pd.DataFrame(rows)


def summarize(
    table: pd.DataFrame,
    value: str,
    by: Sequence[str] = ("method", "scaling", "cut", "k"),
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean of ``value`` over cohorts (each the mean of its draws) and a 95 % interval from resampling draws.

    The interval is that of the draws: it says how much the choice of samples matters, with the cohorts as they are.
    """
    rng, rows = np.random.default_rng(seed), []
    for key, part in table.groupby(list(by), sort=False):
        per_cohort = [group[value].to_numpy() for _, group in part.groupby("cancer")]
        drawn = np.mean([rng.choice(v, (n_boot, len(v))).mean(1) for v in per_cohort], axis=0)
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append(
            dict(zip(by, key))
            | {
                value: float(np.mean([v.mean() for v in per_cohort])),
                f"{value}_low": low,
                f"{value}_high": high,
                "n_cohorts": len(per_cohort),
                "n_draws": int(min(len(v) for v in per_cohort)),
            }
        )
    return pd.DataFrame(rows)


def best_cut(table: pd.DataFrame) -> pd.DataFrame:
    """Keep, of each method, scaling and size, the cut-off with the highest mean MCC over cohorts: the kindest reading for the tests."""
    mean = summarize(table, "mcc", n_boot=2)
    best = mean.loc[
        mean.groupby(["method", "scaling", "k"])["mcc"].idxmax(), ["method", "scaling", "k", "cut"]
    ]
    return table.merge(best, on=["method", "scaling", "k", "cut"])


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a method at a size (and scaling) where it lacks draws that others have: means would compare different samples."""
    draws = (
        table.groupby(["method", "scaling", "k", "cancer"])["draw"]
        .nunique()
        .unstack("cancer", fill_value=0)
    )
    most = draws.groupby("k").transform("max")
    whole = (draws == most).all(axis=1)
    return table[
        pd.MultiIndex.from_frame(table[["method", "scaling", "k"]]).map(whole).to_numpy(bool)
    ]


def full_names(table: pd.DataFrame) -> pd.Series:
    """Name each row's method, with its scaling where that is not the method's usual one (``FULL_NAMES``)."""
    unusual = (table["scaling"] == "column sums") & (table["method"] != NETWORK)
    return table["method"].where(~unusual, table["method"] + ", column sums")


def lead_over_peers(
    table: pd.DataFrame, values: Sequence[str] = ("mcc", "average_precision", "direction")
) -> pd.DataFrame:
    """Return the network's mean score less that of the best test, per cohort and size and for the mean over cohorts.

    The best test is found anew for every cohort, size and score; ``cancer`` is "mean" in the rows over cohorts. The tests
    that take part are those in ``table``, each with the cut-offs and scalings that are in it.
    """
    keys = ["method", "scaling", "cut"]
    mean = table.groupby(["cancer", "k", *keys])[list(values)].mean().reset_index()
    overall = mean.groupby(["k", *keys])[list(values)].mean().reset_index().assign(cancer="mean")
    both = pd.concat([mean, overall])
    ours = both[both["method"] == NETWORK].groupby(["cancer", "k"])[list(values)].max()
    tests = both[both["method"] != NETWORK].groupby(["cancer", "k"])[list(values)].max()
    return (ours - tests).reset_index()
