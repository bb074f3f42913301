"""Genes of one cohort as the profile network is shown them, and once more in noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import size_factors
from degnext.cohorts.perturb import add_noise, random_level
from degnext.cohorts.published import part_weights


class Genes(NamedTuple):
    """Counts (genes × samples), is_tumor (bool per sample), spelled labels of the genes or None.

    factors: size factors estimated from every gene at hand; None takes them from these counts.
    """

    counts: np.ndarray
    is_tumor: np.ndarray
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None


def noisy_copy(genes: Genes, rng: np.random.Generator) -> list[Genes]:
    """Return the genes once more, with noise of 50 to 1,000 % of each one's SD within groups."""
    counts = add_noise(genes.counts, random_level(rng), "relative", rng, genes.is_tumor)
    factors = genes.factors
    if factors is not None:
        factors = factors * counts.sum(0) / genes.counts.sum(0)
    return [genes._replace(counts=counts, factors=factors)]


def no_copies(genes: Genes, rng: np.random.Generator) -> list[Genes]:
    """Return nothing."""
    return []


def genes_of(cohort: Cohort, rows: np.ndarray | None = None) -> Genes:
    """Return the genes at ``rows``; size factors come from every gene of the cohort."""
    counts = cohort.counts.to_numpy()
    rows = np.arange(len(counts)) if rows is None else rows
    weights = labels = None
    if cohort.is_labeled:
        labels = cohort.genes["label"].to_numpy(object)[rows]
        # a lone part is no fair sample of the genes
        if set(cohort.parts) != {"T1", "T2", "F1", "T3"}:
            weights = part_weights(cohort.genes["part"].to_numpy())
    factors = size_factors(counts, gene_weight=weights)
    return Genes(counts[rows], cohort.is_tumor, labels, factors)


def genes_among(cohort: Cohort, classes: Sequence[str]) -> Genes:
    """Return the genes whose label is one of ``classes``; without labels, all of them."""
    genes = cohort.genes
    rows = None if genes is None else np.flatnonzero(genes["label"].isin(classes))
    return genes_of(cohort, rows)
