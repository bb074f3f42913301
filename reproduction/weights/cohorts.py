"""What the networks are trained and tested on: genes of the published parts, and their scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.cohorts.perturb import draw_columns
from degnext.evaluation.profile_network import called_genes
from degnext.learning.profile.genes import Genes, genes_of
from reproduction.weights.reliability import calibration_error, reliability


def genes_in(cohort: Cohort, *parts: str) -> Genes:
    """Return the genes of those parts that are at hand; size factors come from every gene."""
    return genes_of(cohort, np.flatnonzero(cohort.genes["part"].isin(parts)))


def transfer_genes(cohort: Cohort) -> Genes:
    """Return T2's UR and DR genes and F1; T3 only for BRCA, of which nothing else is at hand."""
    return genes_of(cohort, called_genes(cohort))


def subsample(genes: Genes, rng: np.random.Generator, k: int | None = None) -> Genes:
    """Draw k normal and k tumor samples (default: two to all, small numbers more often)."""
    tumor = np.asarray(genes.is_tumor, bool)
    have = (int((~tumor).sum()), int(tumor.sum()))
    sizes = (k or int(np.exp(rng.uniform(np.log(2), np.log(n)))) for n in have)
    keep = draw_columns(tumor, sizes, rng)
    factors = None if genes.factors is None else genes.factors[keep]
    return genes._replace(counts=genes.counts[:, keep], is_tumor=tumor[keep], factors=factors)


def subsampled(n: int) -> Callable[[Genes, np.random.Generator], list[Genes]]:
    """Return a way to show genes ``n`` times more, by fewer samples."""
    return lambda genes, rng: [subsample(genes, rng) for _ in range(n)]


def rule(cohort: Cohort, genes: Genes) -> np.ndarray:
    """Return the log-fold-change rule's calls, by plain column sums of the genes at hand."""
    factors = size_factors(cohort.counts.to_numpy())
    change = log_fold_change(genes.counts, genes.is_tumor, factors)
    return np.where(change > 0, "UR", "DR").astype(object)


def scores(labels: np.ndarray, proba: np.ndarray, by_rule: np.ndarray) -> dict[str, float]:
    """Return accuracy, MCC, AUC of UR, calibration error, and accuracy and MCC of the rule.

    labels, by_rule: spelled; proba: genes × classes, columns DR, UR[, neutral].
    """
    from sklearn.metrics import matthews_corrcoef, roc_auc_score

    called = np.array(["DR", "UR", "neutral"], dtype=object)[proba.argmax(1)]
    found = {"n_genes": len(labels), "accuracy": np.mean(called == labels)}
    found["mcc"] = matthews_corrcoef(labels, called)
    found["auc"] = roc_auc_score(labels == "UR", proba[:, 1])
    found["ece"] = calibration_error(reliability(labels, proba))
    found["rule_accuracy"] = np.mean(by_rule == labels)
    found["rule_mcc"] = matthews_corrcoef(labels, by_rule)
    return {name: round(float(value), 4) for name, value in found.items()}
