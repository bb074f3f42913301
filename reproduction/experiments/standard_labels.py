"""The published cohorts labelled anew from their counts, by both rules; and TMM on few rows.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.standard_labels   # 2 minutes

Writes data/results/standard_labels.csv: per published cohort and rule, how many rows at hand are
UR, DR and neutral, and how far that agrees with the labels that the authors published. And
data/results/tmm_on_cut_rows.csv: CHOL, KICH and READ whole (RNAseqDB, all genes with ten reads) set
against the rows that the published tables have of them: all four parts, or T2, F1 and T3 only, as
in the cohorts whose T1 is not at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef

from degnext.cohorts.cohort import CANCERS, Cohort
from degnext.cohorts.library_size import size_factors
from degnext.labeling.calls import RULES, agreement, call_by_rule
from reproduction import sources
from reproduction.command import call, parser
from reproduction.store import code_digest, keep, write_results

CUTS = {"all published rows": ("T1", "T2", "F1", "T3"), "without T1": ("T2", "F1", "T3")}


def composition(counts: pd.DataFrame, is_tumor: np.ndarray) -> float:
    """Return the mean TMM factor of tumor samples over that of normal ones."""
    factor = (size_factors(counts, "tmm") / size_factors(counts)).to_numpy()
    return float(factor[is_tumor].mean() / factor[~is_tumor].mean())


def labels_anew(cohort: Cohort) -> pd.DataFrame:
    """Return one row per rule."""
    published, rows = cohort.genes["label"], []
    for rule in RULES:
        ours = call_by_rule(cohort.counts, cohort.groups, rule)["label"]
        table = agreement(ours, published)
        changed = table.loc[["DR", "UR"]]
        same, turned = (
            changed.to_numpy()[:, :2].trace(),
            table.loc["DR", "UR"] + table.loc["UR", "DR"],
        )
        row = {"cancer": cohort.name, "parts": " ".join(cohort.parts), "rule": rule}
        row |= {"genes": len(ours), "n_normal": cohort.n_normal, "n_tumor": cohort.n_tumor}
        row |= {name: int((ours == name).sum()) for name in ("UR", "DR", "neutral")}
        row |= {f"{name}_published": int((published == name).sum()) for name in ("UR", "DR")}
        row["mcc_published"] = round(matthews_corrcoef(published, ours), 4)
        row["published_found"] = round(same / changed.to_numpy().sum(), 4)
        row["turned_round"] = int(turned)
        row["composition"] = round(composition(cohort.counts, cohort.is_tumor), 4)
        rows.append(row)
    return pd.DataFrame(rows)


def whole_and_cut(cancer: str) -> pd.DataFrame:
    """Return one row per cut of RNAseqDB's cohort to rows that the published tables have."""
    whole = sources.rnaseqdb(cancer)
    counts = whole.counts[whole.counts.sum(axis=1) >= 10]
    full = call_by_rule(counts, whole.groups, "standard")
    paper = call_by_rule(counts, whole.groups, "paper")["label"]
    genes, rows = sources.published(cancer).genes, []
    for name, parts in CUTS.items():
        listed = genes.loc[genes["part"].isin(parts), "symbol"]
        cut = counts[counts.index.isin(listed[listed != ""])]
        found = call_by_rule(cut, whole.groups, "standard")
        sizes = [np.log2(size_factors(table, "tmm")) for table in (counts, cut)]
        apart = (sizes[1] - sizes[0]).to_numpy()
        shift = apart[whole.is_tumor].mean() - apart[~whole.is_tumor].mean()
        row = {"cancer": cancer, "rows": name, "genes": len(cut), "genes_whole": len(counts)}
        row["composition_whole"] = round(composition(counts, whole.is_tumor), 4)
        row["composition_cut"] = round(composition(cut, whole.is_tumor), 4)
        row["log2_size_sd"] = round(float(apart.std()), 4)  # of cut over whole, over samples
        row["log2_size_shift"] = round(float(shift), 4)  # the same, tumor less normal
        there = full.loc[cut.index, "label"]
        row["mcc_calls"] = round(matthews_corrcoef(there, found["label"]), 4)
        row["same_call"] = round(float((there == found["label"]).mean()), 4)
        row["mcc_paper_rule"] = round(matthews_corrcoef(there, paper[cut.index]), 4)
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Write both tables and print them."""
    parser(__doc__).parse_args()
    settings = {"code": code_digest(__spec__.name), "rules": RULES}
    runs: dict[str, tuple[tuple[str, ...], Callable[[str], pd.DataFrame]]] = {
        "tmm_on_cut_rows": (sources.COMPLETE, whole_and_cut),
        "standard_labels": (CANCERS, lambda cancer: labels_anew(sources.published(cancer))),
    }
    for name, (cancers, compute) in runs.items():
        tables, seconds = [], {}
        for cancer in cancers:
            table, seconds[cancer] = keep(name, cancer, settings, partial(compute, cancer))
            tables.append(table)
        table = pd.concat(tables, ignore_index=True)
        write_results(name, table, __spec__.name, {"rules": RULES}, seconds)
        print(table.to_string())


if __name__ == "__main__":
    call(main)
