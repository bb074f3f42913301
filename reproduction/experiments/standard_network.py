"""The network that stands in for the test, on cohorts that nobody trained on or chose by.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.standard_network --work FOLDER

Writes data/results/standard_network.csv. The eight untrained cancers: rows at hand of the published
counts, labels by the port of edgeR. Whole cohorts of other laboratories and RNAseqDB's CHOL, KICH
and READ: labels by R's own edgeR (standard_network.R; its tables are kept in FOLDER and made where
they are missing), once on the genes of filterByExpr and once on all with a count. Network and edgeR
see the same rows. Beside it: the channels' test without a network, the port against R, and the
network of the paper's rule (columns ``_paper_rule``), asked as ``degnext predict`` asks it.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef

from degnext.cohorts.cohort import UNTRAINED
from degnext.learning.profile.classifier import ProfileClassifier
from reproduction import sources
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights.standard import test_calls
from reproduction.weights.standard_data import (
    FDR,
    LOG_FC,
    RULE,
    Draw,
    call_codes,
    draw_of,
    edger_table,
    expressed,
    genes_of_draw,
    published,
)


def whole_cohorts() -> dict[str, tuple[pd.DataFrame, pd.Series]]:
    """Return counts (numbered genes × samples, whole numbers) and groups of every whole cohort."""
    out = {}
    for path in sorted(sources.folder("independent").glob("*_counts.tsv.gz")):
        name = path.name.removesuffix("_counts.tsv.gz")
        counts = pd.read_csv(path, sep="\t", index_col=0)
        groups = pd.read_csv(path.with_name(f"{name}_groups.csv"), index_col="sample")["group"]
        counts = counts[[c for c in counts if c in groups.index]]
        out[name] = counts, groups[counts.columns]
    for cancer in ("CHOL", "KICH", "READ"):
        cohort = sources.rnaseqdb(cancer)
        out[f"RNAseqDB {cancer}"] = cohort.counts, cohort.groups[cohort.counts.columns]
    return {
        name: (counts.round().astype(int).set_axis([f"g{i}" for i in range(len(counts))]), groups)
        for name, (counts, groups) in out.items()
    }


def r_table(name: str, counts: pd.DataFrame, groups: pd.Series, rows: str, work: Path):
    """Return R's table as columns log_fc and fdr, computed unless ``work`` holds it."""
    stem = work / name.replace(" ", "_")
    out = stem.with_name(f"{stem.name}.{rows}.tsv")
    if not out.exists():
        counts.to_csv(f"{stem}.counts.tsv", sep="\t")
        groups.rename_axis("sample").rename("group").to_csv(f"{stem}.groups.csv")
        script = Path(__file__).with_suffix(".R")
        files = [f"{stem}.counts.tsv", f"{stem}.groups.csv"]
        subprocess.run(["Rscript", script, *files, rows, out], check=True)
    table = pd.read_csv(out, sep="\t", index_col="gene")
    return table.rename(columns={"logFC": "log_fc", "FDR": "fdr"})


def by_the_paper(draw: Draw) -> np.ndarray:
    """Return the codes that the networks of the paper's rule give, with column sums."""
    few = max(draw.is_tumor.sum(), (~draw.is_tumor).sum()) <= 10
    model = ProfileClassifier.from_pretrained("few_samples" if few else "three_class")
    sums = draw.counts.sum(axis=0) / 1e6
    return model.predict_proba(genes_of_draw(draw)._replace(factors=sums)).argmax(1)


def scores(draw: Draw, table: pd.DataFrame, model: ProfileClassifier) -> dict:
    """Return sizes, numbers of calls and agreement with edgeR of one cohort."""
    truth = call_codes(table, LOG_FC, FDR)
    start = time.perf_counter()
    proba = model.predict_proba(genes_of_draw(draw))
    seconds, called = time.perf_counter() - start, proba.argmax(1)
    paper = by_the_paper(draw)
    ratio = [(c == 1).sum() / max((c == 0).sum(), 1) for c in (called, truth)]
    return {
        "n_normal": int((~draw.is_tumor).sum()),
        "n_tumor": int(draw.is_tumor.sum()),
        "n_genes": len(truth),
        "ur_edger": int((truth == 1).sum()),
        "dr_edger": int((truth == 0).sum()),
        "ur": int((called == 1).sum()),
        "dr": int((called == 0).sum()),
        "ratio_off": round(ratio[0] / ratio[1] - 1, 4) if ratio[1] else np.nan,
        "mcc": round(matthews_corrcoef(truth, called), 4),
        "mcc_no_network": round(matthews_corrcoef(truth, test_calls(draw)), 4),
        "ur_paper_rule": int((paper == 1).sum()),
        "dr_paper_rule": int((paper == 0).sum()),
        "mcc_paper_rule": round(matthews_corrcoef(truth, paper), 4),
        "seconds": round(seconds, 2),
    }


def main() -> None:
    """Write the table and print it."""
    arguments = parser(__doc__)
    arguments.add_argument("--work", type=Path, required=True)
    args = arguments.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    model, rows, start = ProfileClassifier.from_pretrained("standard"), [], time.perf_counter()
    for cancer in UNTRAINED:
        draw = published(cancer)
        facts = {"cohort": cancer, "rows": "published, at hand", "labels_by": "port"}
        rows.append(facts | scores(draw, edger_table(draw), model))
    for name, (counts, groups) in whole_cohorts().items():
        is_tumor = (groups == "tumor").to_numpy()
        for which in ("expressed", "any"):
            table = r_table(name, counts, groups, which, args.work)
            values = counts.to_numpy()
            keep = expressed(values, is_tumor) if which == "expressed" else values.any(axis=1)
            draw = draw_of(name, values[keep], is_tumor)
            found = scores(draw, table.loc[counts.index[keep]], model)
            port = call_codes(edger_table(draw), LOG_FC, FDR)
            found["mcc_port"] = round(matthews_corrcoef(call_codes(table, LOG_FC, FDR), port), 4)
            rows.append({"cohort": name, "rows": which, "labels_by": "R"} | found)
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    seconds = {"all": round(time.perf_counter() - start, 1)}
    write_results("standard_network", table, __spec__.name, {"labels": RULE}, seconds)
    print(table.to_string())


if __name__ == "__main__":
    call(main)
