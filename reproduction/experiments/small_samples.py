"""Draw k normal and k tumor samples of cohorts never trained on and score the network and three tests against the full cohort's labels.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.small_samples FOLDER

FOLDER takes the drawn counts and every answer, so that an interrupted run goes on where it stopped. DESeq2 runs in R (Debian:
apt-get install r-bioc-deseq2). Writes data/results/small_samples.csv (a row per cohort, size, draw, method, scaling and cut-off)
and small_samples.run.json.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from degnext.cohorts.cohort import label_names
from degnext.cohorts.perturb import draw_samples
from degnext.evaluation.small_samples import (
    COLUMNS,
    CUTS,
    DESEQ2,
    SIZES,
    answer_of_test,
    compare,
    score,
)
from degnext.learning.profile.classifier import WEIGHTS, ProfileClassifier
from degnext.learning.profile.genes import Genes, genes_of
from reproduction.command import call, parser
from reproduction.sources import published

CANCERS = (
    "BLCA",
    "CHOL",
    "HNSC",
    "KICH",
    "READ",
    "STAD",
)  # never trained on, of the paper's eight those at hand


def write_counts(path: Path, genes: Genes, columns: np.ndarray) -> None:
    """Write the drawn counts for R, columns named N… and T…."""
    names = [f"{'T' if genes.is_tumor[c] else 'N'}{j}" for j, c in enumerate(columns)]
    write_atomic(path, pd.DataFrame(genes.counts[:, columns], columns=names).to_csv(index=False))


def deseq2_rows(path: Path, labels: np.ndarray) -> list[dict]:
    """Score what R left for one draw."""
    t = pd.read_csv(path)
    rates = dict(zip(CUTS, (t["fdr_01"].to_numpy(), t["fdr_05"].to_numpy())))
    return [
        {"method": DESEQ2, "scaling": "median of ratios"} | row
        for row in score(label_names(labels), answer_of_test(t["log_fc"], t["p_value"], rates))
    ]


def main() -> None:
    """Draw, ask, score, write."""
    arguments = parser(__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--draws", type=int, default=10)
    arguments.add_argument(
        "--no-r",
        action="store_true",
        help="do not start R; take the DESeq2 answers that are in FOLDER",
    )
    args = arguments.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model = ProfileClassifier.from_pretrained("few_samples")
    cohorts = {cancer: published(cancer) for cancer in CANCERS}
    genes = {cancer: genes_of(cohort) for cancer, cohort in cohorts.items()}
    names = {
        (c, k, d): f"{d:02d}_{k:02d}_{c}" for k in SIZES for d in range(args.draws) for c in CANCERS
    }
    for (cancer, k, d), name in names.items():
        if not (args.folder / f"{name}.csv").exists():
            write_counts(
                args.folder / f"{name}.csv",
                genes[cancer],
                draw_samples(genes[cancer].is_tumor, k, d),
            )
    if not args.no_r:
        subprocess.run(
            ["Rscript", str(Path(__file__).with_suffix(".R")), str(args.folder)], check=True
        )
    parts, missing = [], 0
    for (cancer, k, d), name in names.items():
        path = args.folder / f"{name}.scores"
        if not path.exists():
            write_atomic(path, compare(genes[cancer], k, d, model).to_csv(index=False))
            print(name, flush=True)
        rows = pd.read_csv(path)
        answer = args.folder / f"{name}.deseq2"
        if answer.exists():
            same = rows.iloc[0][["k", "draw", "n_normal", "n_tumor"]].to_dict()
            rows = pd.concat(
                [
                    rows,
                    pd.DataFrame([same | row for row in deseq2_rows(answer, genes[cancer].labels)]),
                ]
            )
        missing += not answer.exists()
        parts.append(rows.assign(cancer=cancer))
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    target = data_dir() / "results"
    write_atomic(target / "small_samples.csv", table.round(5).to_csv(index=False))
    versions = args.folder / "versions.json"
    weights = WEIGHTS / "profile_few_samples.safetensors"
    write_atomic(
        target / "small_samples.run.json",
        {
            "command": "python -m reproduction.experiments.small_samples FOLDER",
            "draws": args.draws,
            "sizes": list(SIZES),
            "cuts": list(CUTS),
            "cohorts": {
                c: {
                    "parts": list(cohort.parts),
                    "genes": len(cohort.counts),
                    "n_normal": cohort.n_normal,
                    "n_tumor": cohort.n_tumor,
                    "neutral": int((genes[c].labels == 2).sum()),
                }
                for c, cohort in cohorts.items()
            },
            "draws_without_deseq2": int(missing),
            "r": json.loads(versions.read_text()) if versions.exists() else {},
            "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
            "versions": {"python": platform.python_version()}
            | {p: version(p) for p in ("numpy", "scipy", "pandas", "scikit-learn", "torch")},
        },
    )
    print(f"{len(table):,} rows; {missing} draws without DESeq2")


if __name__ == "__main__":
    call(main)
