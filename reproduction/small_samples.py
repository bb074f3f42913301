"""A handful of samples per group: the network and the usual tests, scored by full cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from degnext._common.arithmetic import benjamini_hochberg
from degnext.cohorts.cohort import label_codes, label_names
from degnext.cohorts.perturb import draw_samples
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes

SIZES = (2, 3, 5, 10)  # samples per group
CUTS = (0.01, 0.05)  # false discovery rates at which the tests call genes
NETWORK, QL, VOOM, DESEQ2 = "ProfileCNN", "edgeR QL", "limma-voom", "DESeq2"
PEERS = (QL, VOOM, DESEQ2)
FULL_NAMES = (NETWORK, QL, VOOM, DESEQ2, f"{QL}, column sums", f"{VOOM}, column sums")
COLUMNS = (
    *("cancer", "k", "draw", "n_normal", "n_tumor", "method", "scaling", "cut"),
    *("mcc", "average_precision", "direction", "n_called", "n_de", "n_genes"),
)


class Answer(NamedTuple):
    """A score per gene (higher: more surely DE), a direction (> 0: up) and labels by cut-off."""

    score: np.ndarray
    direction: np.ndarray
    calls: dict[str, np.ndarray]


def take(genes: Genes, columns: np.ndarray) -> Genes:
    """Return the same genes with some samples; size factors come along."""
    factors = None if genes.factors is None else genes.factors[columns]
    tumor = np.asarray(genes.is_tumor, bool)[columns]
    return genes._replace(counts=genes.counts[:, columns], is_tumor=tumor, factors=factors)


def ask_network(genes: Genes, model: ProfileClassifier | None = None) -> Answer:
    """Return the answer of the small-sample network (default: that of the package)."""
    model = model or ProfileClassifier.from_pretrained("few_samples")
    proba = model.predict_proba(genes._replace(labels=None))
    calls = {"most probable": label_names(proba.argmax(1))}
    return Answer(1 - proba[:, 2], proba[:, 1] - proba[:, 0], calls)


def ask_tests(genes: Genes, scaling: str = "TMM") -> dict[str, Answer]:
    """Return the answers of edgeR's quasi-likelihood F test and of limma-voom, both equal to R's.

    scaling: "TMM", as both are mostly used, or "column sums", as the published labels were made.
    """
    from degnext.labeling.differential_expression import differential_expression

    counts = pd.DataFrame(genes.counts)
    groups = pd.Series(np.where(genes.is_tumor, "tumor", "normal"))
    size, out = "tmm" if scaling == "TMM" else "total", {}
    for name, method in ((QL, "ql"), (VOOM, "voom")):
        table = differential_expression(counts, groups, method=method, library_size=size)
        out[name] = answer_of_test(table["log_fc"].to_numpy(), table["p_value"].to_numpy())
    return out


def answer_of_test(
    log_fc: np.ndarray, p_value: np.ndarray, fdr: dict[float, np.ndarray] | None = None
) -> Answer:
    """Turn log fold changes and p-values into an answer; a missing one (NaN, as DESeq2 gives) is 1.

    fdr: false discovery rates by cut-off; by default Benjamini-Hochberg over all genes.
    """
    p_value, log_fc = np.nan_to_num(np.asarray(p_value, float), nan=1.0), np.nan_to_num(log_fc)
    rates = dict.fromkeys(CUTS, benjamini_hochberg(p_value)) if fdr is None else fdr
    direction = np.where(log_fc > 0, "UR", "DR").astype(object)
    called = {cut: np.nan_to_num(rate, nan=1.0) < cut for cut, rate in rates.items()}
    calls = {f"FDR {cut}": np.where(sure, direction, "neutral") for cut, sure in called.items()}
    return Answer(-p_value, log_fc, calls)


def score(labels: Sequence[str], answer: Answer) -> list[dict[str, float]]:
    """Hold an answer against the full cohort's labels: one row per cut-off.

    mcc: three classes. average_precision: DE against neutral, by score. direction: share of the
    truly DE genes, called or not, whose direction is right.
    """
    from sklearn.metrics import average_precision_score, matthews_corrcoef

    labels, rows = np.asarray(labels, dtype=object), []
    de, up = labels != "neutral", labels == "UR"
    same = {"average_precision": float(average_precision_score(de, answer.score))}
    same |= {"direction": float(np.mean((answer.direction > 0)[de] == up[de]))}
    same |= {"n_de": int(de.sum()), "n_genes": len(labels)}
    for cut, called in answer.calls.items():
        mcc = float(matthews_corrcoef(label_codes(labels), label_codes(called)))
        rows.append({"cut": cut, "mcc": mcc, "n_called": int((called != "neutral").sum()), **same})
    return rows


def compare(
    genes: Genes, k: int, draw: int, model: ProfileClassifier | None = None
) -> pd.DataFrame:
    """Draw k + k samples, ask every method and return a row per method, scaling and cut-off.

    Columns as in ``COLUMNS``, without the cancer.
    """
    few = take(genes, draw_samples(genes.is_tumor, k, draw))
    answers = {(NETWORK, "column sums"): ask_network(few, model)}
    for scaling in ("TMM", "column sums"):
        answers |= {(name, scaling): a for name, a in ask_tests(few, scaling).items()}
    n_tumor, rows = int(few.is_tumor.sum()), []
    about = {"k": k, "draw": draw, "n_normal": few.counts.shape[1] - n_tumor, "n_tumor": n_tumor}
    for (method, scaling), answer in answers.items():
        given = about | {"method": method, "scaling": scaling}
        rows += [given | row for row in score(genes.labels, answer)]
    return pd.DataFrame(rows)


def summarize(
    table: pd.DataFrame,
    value: str,
    by: Sequence[str] = ("method", "scaling", "cut", "k"),
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean of ``value`` over cohorts (means of their draws) and a 95 % interval.

    Draws are resampled: the interval says how much the choice of samples matters, with the cohorts
    as they are.
    """
    rng, rows = np.random.default_rng(seed), []
    for key, part in table.groupby(list(by), sort=False):
        draws = [group[value].to_numpy() for _, group in part.groupby("cancer")]
        resampled = np.mean([rng.choice(v, (n_boot, len(v))).mean(1) for v in draws], axis=0)
        low, high = np.quantile(resampled, [0.025, 0.975])
        row = dict(zip(by, key)) | {value: float(np.mean([v.mean() for v in draws]))}
        row |= {f"{value}_low": low, f"{value}_high": high}
        rows.append(row | {"n_cohorts": len(draws), "n_draws": min(len(v) for v in draws)})
    return pd.DataFrame(rows)


def best_cut(table: pd.DataFrame) -> pd.DataFrame:
    """Keep each test's cut-off of highest mean MCC, by scaling and size: kindest to the tests."""
    key = ["method", "scaling", "k"]
    mean = summarize(table, "mcc", n_boot=2)
    best = mean.loc[mean.groupby(key)["mcc"].idxmax(), [*key, "cut"]]
    return table.merge(best, on=[*key, "cut"])
