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

from degnext.cohorts.library_size import tmm_factors
from degnext.labeling.edger.negbin import TwoGroups
from degnext.labeling.edger.ratio_test import ratio_table
from reproduction import sources

FDR = 0.01
FOLD_CHANGES = {"none": 0.0, "1.2": float(np.log2(1.2)), "1.5": float(np.log2(1.5))}


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
