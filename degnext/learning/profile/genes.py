"""Genes of one cohort as the profile network is shown them, whole, by fewer samples, in noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import size_factors
from degnext.cohorts.perturb import add_noise, draw_columns, random_level
from degnext.cohorts.published import part_weights


class Genes(NamedTuple):
    """Counts (genes × samples), is_tumor (bool per sample), spelled labels of the genes or None.

    factors: size factors estimated from every gene at hand; None takes them from these counts.
    """

    counts: np.ndarray
    is_tumor: np.ndarray
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None


class Copies(NamedTuple):
    """How many further images of each gene to train on: of random samples, of noisy counts."""

    subsamples: int = 0
    noisy: int = 0


def shown_again(genes: Genes, copies: Copies, rng: np.random.Generator) -> list[Genes]:
    """Return the genes as they are, then their copies."""
    return [
        genes,
        *(subsample(genes, rng) for _ in range(copies.subsamples)),
        *(add_random_noise(genes, rng) for _ in range(copies.noisy)),
    ]


def add_random_noise(genes: Genes, rng: np.random.Generator) -> Genes:
    """Return the genes with Gaussian noise, a random 50 to 1,000 % of each one's SD in a group."""
    counts = add_noise(genes.counts, random_level(rng), "relative", rng, genes.is_tumor)
    factors = None if genes.factors is None else genes.factors * counts.sum(0) / genes.counts.sum(0)
    return genes._replace(counts=counts, factors=factors)


def subsample(genes: Genes, rng: np.random.Generator, k: int | None = None) -> Genes:
    """Draw k normal and k tumor samples (default: two to all, small numbers more often)."""
    tumor = np.asarray(genes.is_tumor, bool)
    have = (int((~tumor).sum()), int(tumor.sum()))
    sizes = (k or int(np.exp(rng.uniform(np.log(2), np.log(n)))) for n in have)
    keep = draw_columns(tumor, sizes, rng)
    factors = None if genes.factors is None else genes.factors[keep]
    return genes._replace(counts=genes.counts[:, keep], is_tumor=tumor[keep], factors=factors)


def genes_of(cohort: Cohort, rows: np.ndarray | None = None) -> Genes:
    """Return the genes at ``rows``; size factors come from every gene of the cohort."""
    counts = cohort.counts.to_numpy()
    rows = np.arange(len(counts)) if rows is None else rows
    weights = labels = None
    if cohort.is_labeled:
        labels = cohort.genes["label"].to_numpy(object)[rows]
        if set(cohort.parts) != {
            "T1",
            "T2",
            "F1",
            "T3",
        }:  # a lone part is no fair sample of the genes
            weights = part_weights(cohort.genes["part"].to_numpy())
    factors = size_factors(counts, gene_weight=weights)
    return Genes(counts[rows], cohort.is_tumor, labels, factors)
