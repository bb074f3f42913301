"""What methods say of a draw of a few samples, and how an answer is scored by the whole cohort."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, matthews_corrcoef

from degnext.cohorts.library_size import log_fold_change
from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.called_list import answer
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.negbin import negative_binomial_test
from degnext.learning.profile.shrinkage import large_effects
from reproduction.weights.standard_data import LOG_FC, Draw, genes_of_draw
from reproduction.weights.standard_few import NOMINAL

NETWORK, LARGE_FIRST = "network", ", 1.5-fold first"
TESTS = {"edgeR LRT": "lrt", "edgeR QL": "ql", "edgeR exact": "exact", "limma-voom": "voom"}
OWN = {"test": 0.05, "network": 0.1}  # cut-off at which a method calls by itself


class Said(NamedTuple):
    """A method's answer: a score per gene (higher: surer), whether up, an error rate to cut at."""

    score: np.ndarray
    up: np.ndarray
    rate: np.ndarray | None = None


def network_answer(draw: Draw, model: ProfileClassifier) -> Said:
    """Return the network's answer; its rate is the mean expected error of the list so far."""
    up, error = answer(model, genes_of_draw(draw))
    order, rate = np.argsort(error, kind="stable"), np.empty(len(error))
    rate[order] = np.cumsum(error[order]) / np.arange(1, len(error) + 1)
    return Said(-error, up, rate)


def test_answers(name: str, log_fc: np.ndarray, p: np.ndarray, fdr: np.ndarray) -> dict[str, Said]:
    """Return a test's answer twice: genes by p-value, and those beyond 1.5-fold before the rest."""
    p, fdr, log_fc = np.nan_to_num(p, nan=1.0), np.nan_to_num(fdr, nan=1.0), np.nan_to_num(log_fc)
    score, large = -np.log(np.maximum(p, 1e-300)), np.abs(log_fc) > LOG_FC
    first = Said(score + np.where(large, 1e3, 0.0), log_fc > 0, np.where(large, fdr, 1.0))
    return {name: Said(score, log_fc > 0, fdr), name + LARGE_FIRST: first}


def answers(draw: Draw, prior: np.ndarray, model: ProfileClassifier) -> dict[str, Said]:
    """Return every method's answer. prior: Crow's rank of each gene, 0 where it has none."""
    counts = pd.DataFrame(draw.counts)
    groups = pd.Series(np.where(draw.is_tumor, "tumor", "normal"))
    out = {NETWORK: network_answer(draw, model)}
    for name, method in TESTS.items():
        spread = {"dispersion": "empirical"} if method == "lrt" else {}
        table = differential_expression(
            counts, groups, method=method, library_size="tmm", **spread
        ).to_numpy()
        out |= test_answers(name, table[:, 0], table[:, 3], table[:, 4])
    test = negative_binomial_test(draw.counts, draw.is_tumor, draw.factors)
    chance = large_effects(test.log_fc, test.error, LOG_FC)
    out["shrinkage alone"] = Said(chance.max(axis=1), chance[:, 1] > chance[:, 0])
    change = log_fold_change(draw.counts, draw.is_tumor, draw.factors, prior=1.0)
    out["fold change"] = Said(np.abs(change), change > 0)
    out["Crow's prior"] = Said(prior, change > 0)
    return out


def scores(said: Said, codes: np.ndarray, named: np.ndarray, n_same: int, own: float) -> dict:
    """Return one method's scores on one draw.

    own: its cut-off. wrong: share of the called genes that are not so called in the whole cohort;
    recall: share of the truly changed genes that are called, in their direction. n_at_10, of the
    longest list of which at most a tenth is wrong.
    """
    called, de = said.up.astype(int), codes < 2
    right = called == codes
    order = np.argsort(-said.score, kind="stable")
    out = {"ap": average_precision_score(de, said.score)}
    if named.sum() > 50:
        out["ap_named"] = average_precision_score(de[named], said.score[named])
    hits = np.cumsum(right[order])
    share = 1 - hits / np.arange(1, len(order) + 1)
    within = np.flatnonzero(share <= 0.1)
    out["recall_at_10"] = hits[within[-1]] / de.sum() if len(within) else 0.0
    lists = {"same": order[:n_same]}
    if said.rate is not None:
        lists |= {f"{x:g}": np.flatnonzero(said.rate <= x) for x in NOMINAL}
        lists["own"] = np.flatnonzero(said.rate <= own)
    for name, rows in lists.items():
        out[f"n_{name}"] = len(rows)
        out[f"wrong_{name}"] = 1 - right[rows].mean() if len(rows) else np.nan
        out[f"recall_{name}"] = right[rows].sum() / de.sum()
        if name in ("same", "own"):
            given = np.full(len(codes), 2)
            given[rows] = called[rows]
            out[f"mcc_{name}"] = matthews_corrcoef(codes, given)
    return out


def bootstrap(draw: Draw, rng: np.random.Generator, trials: int = 25) -> float:
    """Return the median rank correlation of fold changes with those of samples drawn again."""
    groups, found = [np.flatnonzero(m) for m in (~draw.is_tumor, draw.is_tumor)], []
    rank = pd.Series(log_fold_change(draw.counts, draw.is_tumor, draw.factors, 1.0)).rank()
    for _ in range(trials):
        at = np.concatenate([rng.choice(g, len(g)) for g in groups])
        again = log_fold_change(draw.counts[:, at], draw.is_tumor[at], draw.factors[at], 1.0)
        found.append(np.corrcoef(rank, pd.Series(again).rank())[0, 1])
    return float(np.median(found))


def deseq2(folder: Path) -> Callable[[Draw, int, int], dict[str, Said]]:
    """Return a function that gives a draw's answers by DESeq2 in R and by PyDESeq2."""

    def ask(draw: Draw, k: int, number: int) -> dict[str, Said]:
        from pydeseq2.dds import DeseqDataSet
        from pydeseq2.ds import DeseqStats

        names = [f"{'T' if t else 'N'}{i}" for i, t in enumerate(draw.is_tumor)]
        genes = [f"g{i}" for i in range(len(draw.counts))]
        counts = pd.DataFrame(draw.counts, index=genes, columns=names)
        path = folder / f"{draw.name}_{k}_{number}.csv"
        out = path.with_suffix(".deseq2")
        if not out.exists():
            counts.to_csv(path, index=False)
            script = Path(__file__).with_name("small_samples.R")
            subprocess.run(["Rscript", str(script), str(folder)], check=True)
        r = pd.read_csv(out)
        about = pd.DataFrame({"group": np.where(draw.is_tumor, "tumor", "normal")}, names)
        fit = DeseqDataSet(counts=counts.T, metadata=about, design="~group", quiet=True)
        fit.deseq2()
        test = DeseqStats(fit, contrast=["group", "tumor", "normal"], quiet=True)
        test.summary()
        py = test.results_df.loc[genes]
        return test_answers(
            "DESeq2 (R)", *(r[c].to_numpy() for c in ("log_fc", "p_value", "fdr_05"))
        ) | test_answers(
            "PyDESeq2", *(py[c].to_numpy() for c in ("log2FoldChange", "pvalue", "padj"))
        )

    return ask
