"""Genes of one cohort as the profile network is given them, and how training shows them again: fewer samples, added noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import size_factors
from degnext.cohorts.perturb import add_noise, draw_columns, random_level
from degnext.cohorts.published import part_weights


class Genes(NamedTuple):
    """Genes of one cohort: counts (genes × samples), is_tumor (bool per sample), labels (0 DR, 1 UR, 2 neutral) or None.

    factors: size factors estimated from every gene at hand; None takes them from these counts.
    """

    counts: np.ndarray
    is_tumor: np.ndarray
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None


def add_random_noise(genes: Genes, rng: np.random.Generator) -> Genes:
    """Return the genes with Gaussian noise of 50 to 1,000 % of each gene's own SD within groups, one level drawn at random."""
    counts = add_noise(genes.counts, random_level(rng), "relative", rng, genes.is_tumor)
    factors = None if genes.factors is None else genes.factors * counts.sum(0) / genes.counts.sum(0)
    return genes._replace(counts=counts, factors=factors)


def subsample(genes: Genes, rng: np.random.Generator, k: int | None = None) -> Genes:
    """Draw k normal and k tumor samples (default: random sizes, two to all, small ones more often)."""
    tumor = np.asarray(genes.is_tumor, bool)
    have = (int((~tumor).sum()), int(tumor.sum()))
    sizes = (k or int(np.exp(rng.uniform(np.log(2), np.log(n)))) for n in have)
    keep = draw_columns(tumor, sizes, rng)
    return genes._replace(
        counts=genes.counts[:, keep],
        is_tumor=tumor[keep],
        factors=None if genes.factors is None else genes.factors[keep],
    )


def genes_of(cohort: Cohort, rows: np.ndarray | None = None) -> Genes:
    """Return the genes at ``rows`` for the profile network; size factors come from every gene of the cohort, without labels."""
    counts = cohort.counts.to_numpy()
    whole = set(cohort.parts) == {"T1", "T2", "F1", "T3"}
    weights = (
        None if whole else part_weights(cohort.genes["part"].to_numpy())
    )  # a lone part is no fair sample of the genes
    factors = size_factors(counts, gene_weight=weights)
    rows = np.arange(len(counts)) if rows is None else rows
    return Genes(
        counts[rows], cohort.is_tumor, cohort.codes[rows].astype(int), factors
    )
