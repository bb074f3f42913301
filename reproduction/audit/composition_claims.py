"""The audit's claims about composition: what column sums call regulated and TMM does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import tmm_factors
from degnext.labeling.calls import call_genes
from degnext.labeling.differential_expression import differential_expression
from degnext.preprocessing.filters import preprocess
from reproduction.audit.files import cohort, present
from reproduction.sources import COMPLETE, rnaseqdb

FDR = 0.01


def composition() -> pd.DataFrame:
    """Call whole cohorts twice, with column sums as library sizes and with these times TMM's.

    ``huge_normal`` and ``huge_tumor`` are the percent of all reads that the ten most active genes
    of normal tissue take in either group. ``neutral_after_all`` counts UR and DR genes of the
    column sums that are neutral with TMM, ``turned_round`` those of the other direction.
    """
    rows = []
    for name in COMPLETE:
        c = preprocess(rnaseqdb(name), outlier_cut=0.0, quantile_cut=0.25, symbols="keep")
        tumor, factors = c.is_tumor, tmm_factors(c.counts)
        share = c.counts.to_numpy(dtype=float) / c.counts.to_numpy().sum(0)
        most = np.argsort(-share[:, ~tumor].mean(1))[:10]
        sums, tmm = (_calls(c, size) for size in ("total", "tmm"))
        row = {"cancer": name, "genes": len(c.counts)}
        row |= {"huge_normal": 100 * share[most][:, ~tumor].sum(0).mean()}
        row |= {"huge_tumor": 100 * share[most][:, tumor].sum(0).mean()}
        row |= {"factor_normal": factors[~tumor].mean(), "factor_tumor": factors[tumor].mean()}
        row |= {f"{k.lower()}_sums": int((sums == k).sum()) for k in ("UR", "DR")}
        row |= {f"{k.lower()}_tmm": int((tmm == k).sum()) for k in ("UR", "DR")}
        called = sums != "neutral"
        row["neutral_after_all"] = int((called & (tmm == "neutral")).sum())
        row["turned_round"] = int((called & (tmm != "neutral") & (tmm != sums)).sum())
        rows.append(row)
    return pd.DataFrame(rows).round(2)


def tmm_labels() -> pd.DataFrame:
    """Hold the published labels against edgeR with TMM on the same published counts."""
    rows = []
    for name in present():
        c = cohort(name)
        theirs, tmm = c.genes["label"].to_numpy(), _calls(c, "tmm")
        factors, q = tmm_factors(c.counts), c.genes["bio"].to_numpy(dtype=bool)
        row = {"cancer": name, "parts": ", ".join(c.parts), "genes": len(theirs)}
        row |= {"factor_normal": factors[~c.is_tumor].mean()}
        row |= {"factor_tumor": factors[c.is_tumor].mean()}
        row["same_label"] = 100 * float((tmm == theirs).mean())
        row["bio_genes"] = int(q.sum())
        row["bio_neutral"] = 100 * float((tmm[q] == "neutral").mean())
        opposite = (tmm != "neutral") & (theirs != "neutral") & (tmm != theirs)
        row["bio_turned_round"] = int((opposite & q).sum())
        rows.append(row)
    return pd.DataFrame(rows).round(2)


def _calls(c: Cohort, library_size: str) -> np.ndarray:
    table = differential_expression(c.counts, c.groups, library_size=library_size)
    return call_genes(table, FDR, 0.0).to_numpy()
