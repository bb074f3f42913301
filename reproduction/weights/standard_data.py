"""Cohorts for the standard rule: what is at hand of the training cancers, draws, edgeR's calls.

The standard rule: edgeR's likelihood-ratio test with TMM library sizes and the dispersions of
``estimateDisp``, FDR below 0.01 in the cohort that was tested, and a smallest fold change of 1.5 on
the estimate (chosen by how stable calls are: data/results/standard_rule_stability.csv).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from degnext._common.paths import shared_data
from degnext.cohorts.library_size import tmm_factors
from degnext.labeling.edger.negbin import TwoGroups
from degnext.labeling.edger.ratio_test import ratio_table
from degnext.learning.profile.genes import Genes
from reproduction import sources

FDR = 0.01
FOLD_CHANGES = {"none": 0.0, "1.2": float(np.log2(1.2)), "1.5": float(np.log2(1.5))}
LOG_FC = FOLD_CHANGES["1.5"]  # the most stable
RULE = "edgeR LRT, estimateDisp, TMM, FDR < 0.01, 1.5-fold on the estimate"


class Draw(NamedTuple):
    """Counts (genes × samples), is_tumor (bool per sample) and TMM library sizes in millions."""

    name: str
    counts: np.ndarray
    is_tumor: np.ndarray
    factors: np.ndarray


def draw_of(name: str, counts: np.ndarray, is_tumor: np.ndarray) -> Draw:
    """Return a draw without genes that no sample has, with TMM factors of its own rows."""
    counts = counts[counts.any(axis=1)]
    factors = counts.sum(axis=0) * tmm_factors(counts) / 1e6
    return Draw(name, counts, np.asarray(is_tumor, bool), factors)


def published(cancer: str) -> Draw:
    """Return every part of a published cohort that is at hand."""
    cohort = sources.published(cancer)
    return draw_of(cancer, cohort.counts.to_numpy(), cohort.is_tumor)


def whole_lusc() -> Draw:
    """Return TCGA-LUSC as the GDC served it: every Ensembl gene that any sample has."""
    table = pd.read_parquet(shared_data() / "gdc_lusc" / "TCGA-LUSC_htseq_counts.parquet")
    table = table[~table.index.str.startswith("__")]
    is_tumor = table.columns.str.slice(13, 15).astype(int) < 10
    return draw_of("LUSC whole", table.to_numpy(np.int32), np.asarray(is_tumor))


def edger_table(draw: Draw) -> pd.DataFrame:
    """Test every gene; columns log_fc (log2, tumor over normal), stat (LR) and fdr."""
    order = np.argsort(draw.is_tumor, kind="stable")
    y = np.ascontiguousarray(draw.counts[:, order], dtype=float)
    data = TwoGroups(y, draw.factors[order] * 1e6, int((~draw.is_tumor).sum()))
    table = ratio_table(data, "empirical")
    table["fdr"] = false_discovery_control(table["p_value"])
    return pd.DataFrame(table)[["log_fc", "stat", "fdr"]]


def call_codes(table: pd.DataFrame, log_fc: float = 0.0, fdr: float = FDR) -> np.ndarray:
    """Return 0 (DR), 1 (UR) or 2 (neutral) per gene."""
    called = (table["fdr"] < fdr) & (table["log_fc"].abs() > log_fc)
    return np.where(called, (table["log_fc"] > 0).astype(int), 2)


def genes_of_draw(draw: Draw) -> Genes:
    """Return a draw's genes, with its library sizes, as the profile network is given them."""
    return Genes(draw.counts, draw.is_tumor, None, draw.factors)


def expressed(counts: np.ndarray, is_tumor: np.ndarray) -> np.ndarray:
    """Return which genes have counts enough to be tested (bool per gene): edgeR's filterByExpr."""
    smallest = min(is_tumor.sum(), (~is_tumor).sum())
    if smallest > 10:
        smallest = 10 + 0.7 * (smallest - 10)
    lib = counts.sum(axis=0)
    often = (counts / lib >= 10 / np.median(lib)).sum(axis=1) >= smallest - 1e-14
    return often & (counts.sum(axis=1) >= 15 - 1e-14)


def random_draw(cohort: Draw, rng: np.random.Generator, largest: int | None = None) -> Draw:
    """Draw samples, genes and reads: 3 samples a group and more, a third of the genes and more.

    Sizes are log-uniform up to ``largest`` (None: all); half of the draws have their reads thinned
    to a share of 5 to 100 %, half of them keep the genes of filterByExpr only.
    """
    columns = []
    for group in (~cohort.is_tumor, cohort.is_tumor):
        have = np.flatnonzero(group)
        most = min(len(have), largest or len(have))
        size = round(float(np.exp(rng.uniform(np.log(3), np.log(most)))))
        columns.append(rng.choice(have, size, replace=False))
    keep = np.concatenate(columns)
    counts, is_tumor = cohort.counts[:, keep], cohort.is_tumor[keep]
    counts = counts[rng.random(len(counts)) < rng.uniform(1 / 3, 1)]
    if rng.random() < 0.5:
        counts = rng.binomial(counts, np.exp(rng.uniform(np.log(0.05), 0)))
    if rng.random() < 0.5:
        counts = counts[expressed(counts, is_tumor)]
    return draw_of(cohort.name, counts, is_tumor)
