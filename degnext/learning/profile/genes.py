"""Genes of one cohort as the profile network is given them, and shown again: fewer samples, added noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import size_factors
from degnext.cohorts.perturb import add_noise, draw_columns, random_level
from degnext.cohorts.published import part_weights


class Genes(NamedTuple):
    """Genes of one cohort: counts (genes × samples), is_tumor (bool per sample), labels (DR, UR, neutral) or None.

    factors: size factors estimated from every gene at hand; None takes them from these counts.
    """

    counts: np.ndarray
    is_tumor: np.ndarray
    labels: np.ndarray | None = None
    factors: np.ndarray | None = None


class Copies(NamedTuple):
    """How many further images of each gene are trained on: of random samples, of counts with random noise."""

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
    """Return the genes with Gaussian noise of 50 to 1,000 % (one random level) of each one's SD within groups."""
    counts = add_noise(genes.counts, random_level(rng), "relative", rng, genes.is_tumor)
    factors = None if genes.factors is None else genes.factors * counts.sum(0) / genes.counts.sum(0)
    return genes._replace(counts=counts, factors=factors)


def subsample(genes: Genes, rng: np.random.Generator, k: int | None = None) -> Genes:
    """Draw k normal and k tumor samples (default: random sizes, two to all, small ones more often)."""
    tumor = np.asarray(genes.is_tumor, bool)
    have = (int((~tumor).sum()), int(tumor.sum()))
    sizes = (k or int(np.exp(rng.uniform(np.log(2), np.log(n)))) for n in have)
    keep = draw_columns(tumor, sizes, rng)
    factors = None if genes.factors is None else genes.factors[keep]
    return genes._replace(counts=genes.counts[:, keep], is_tumor=tumor[keep], factors=factors)


def genes_of(cohort: Cohort, rows: np.ndarray | None = None) -> Genes:
    """Return the genes at ``rows``; size factors come from every gene of the cohort, without labels."""
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
