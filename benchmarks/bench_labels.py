"""Time raw KICH counts to labels in degnext and in R, in the same run, and compare the results.

usage: DEGNEXT_DATA=/path/to/data python benchmarks/bench_labels.py [--repeats 3]

Writes benchmarks/results/labels.csv: one row per step with seconds in R, seconds in degnext and
their ratio. Reading files and loading packages is not counted on either side; degnext's time is
the median of the repeats, R runs once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from degnext._common.paths import shared_data
from degnext.labeling.differential_expression import differential_expression
from degnext.preprocessing import filters, tcgabiolinks
from degnext.preprocessing.symbols import gene_info

STEPS = {
    "outliers": "outliers",
    "normalise": "normalise_geneLength",
    "quantile_filter": "quantile_filter",
    "lrt": "glmLRT",
    "exact": "exactTest",
    "ql": "glmQLFTest",
}
DEFAULT_PATH = ("outliers", "normalise", "quantile_filter", "lrt")


def raw_kich() -> tuple[pd.DataFrame, pd.Series]:
    """Return the rounded RSEM counts of KICH, normal samples first, and their groups."""
    folder = shared_data()
    if folder is None:
        sys.exit("set DEGNEXT_DATA to the folder that holds rnaseqdb/ and annotation/")
    parts = [
        pd.read_csv(folder / f"rnaseqdb/kich-rsem-count-tcga{end}.txt.gz", sep="\t", index_col=0)
        for end in ("", "-t")
    ]
    counts = (
        pd.concat([part.drop(columns="Entrez_Gene_Id") for part in parts], axis=1)
        .round()
        .astype(np.int64)
    )
    groups = np.repeat(["normal", "tumor"], [part.shape[1] - 1 for part in parts])
    return counts, pd.Series(groups, index=counts.columns, name="group")


def run_degnext(
    counts: pd.DataFrame, groups: pd.Series, info: pd.DataFrame
) -> tuple[dict[str, float], dict]:
    """Return seconds per step and the three tables; the same work as reference_labels.R."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = work()
        seconds[step] = time.perf_counter() - start
        return value

    # R computes its normalised values before it throws them away; degnext returns the same counts
    # without that work
    normalise = partial(tcgabiolinks.tcgabiolinks_normalize, gene_info=info, method="geneLength")
    counts, groups = timed("outliers", lambda: filters.drop_outliers(counts, groups))
    kept = timed("normalise", lambda: normalise(counts))
    kept = timed("quantile_filter", lambda: filters.quantile_filter(kept))
    tables = {
        m: timed(m, partial(differential_expression, kept, groups, method=m))
        for m in ("lrt", "exact", "ql")
    }
    return seconds, tables


def run_r(
    counts: pd.DataFrame, groups: pd.Series, info: pd.DataFrame, rscript: str
) -> tuple[dict[str, float], dict, str]:
    """Return R's seconds per step, its tables and its versions."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{name}.csv" for name in ("counts", "groups", "info")]
        for table, name in zip((counts, groups, info), names):
            table.to_csv(name)
        script = Path(__file__).with_name("reference_labels.R")
        done = subprocess.run(
            [rscript, str(script), *names, folder], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"R failed:\n{done.stderr}")
        lines = [line.split(",") for line in done.stdout.split()]
        tables = {
            name: pd.read_csv(f"{folder}/{name}.csv", index_col=0)
            for name in ("lrt", "exact", "ql")
        }
    versions = next(
        "R {}.{}, edgeR {}, EDASeq {}".format(*line[1:]) for line in lines if line[0] == "versions"
    )
    return {line[0]: float(line[1]) for line in lines if len(line) == 2}, tables, versions


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """Return one sentence on how far the two tables agree."""
    if list(ours.index) != list(theirs.index):
        return "different genes"
    call = [
        np.where(fdr < 0.01, np.sign(fc), 0)
        for fdr, fc in ((ours.fdr, ours.log_fc), (theirs.FDR, theirs.logFC))
    ]
    gap = np.abs(ours.log_fc.to_numpy() - theirs.logFC.to_numpy()).max()
    differ = (call[0] != call[1]).sum()
    return f"{differ} of {len(ours)} calls differ at FDR 0.01, largest log_fc gap {gap:.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rscript", default="Rscript")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "labels.csv"
    )
    args = parser.parse_args()
    counts, groups = raw_kich()
    info = gene_info()
    r_seconds, r_tables, versions = run_r(counts, groups, info, args.rscript)
    runs = [run_degnext(counts, groups, info) for _ in range(args.repeats)]
    rows = []
    for step, r_step in STEPS.items():
        rows.append(
            (step, r_seconds[r_step], float(np.median([seconds[step] for seconds, _ in runs])))
        )
    r_total = sum(seconds for step, seconds, _ in rows if step in DEFAULT_PATH)
    total = sum(seconds for step, _, seconds in rows if step in DEFAULT_PATH)
    rows.append(("raw counts to LRT labels", r_total, total))
    table = pd.DataFrame(rows, columns=["step", "r_seconds", "degnext_seconds"]).set_index("step")
    table["times_faster"] = table.r_seconds / table.degnext_seconds
    genes, samples = counts.shape
    print(f"KICH, {genes} genes × {samples} samples; {versions}; ours: median of {args.repeats}")
    print(table.round(3).to_string())
    for method, theirs in r_tables.items():
        print(f"{method}: {compare(runs[0][1][method], theirs)}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(args.out)


if __name__ == "__main__":
    main()
