"""A few samples per group: the network and three tests against the full cohort's labels.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.small_samples FOLDER

Draws k normal and k tumor samples of cohorts never trained on; about an hour on one core, most of
it DESeq2's. FOLDER takes the drawn counts and every answer, so that a stopped run goes on from
there. DESeq2 runs in R (Debian: apt-get install r-bioc-deseq2). Writes
data/results/small_samples.csv (a row per cohort, size, draw, method, scaling and cut-off).
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.files import file_checksum, write_atomic
from degnext.cohorts.perturb import draw_samples
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes, genes_of
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.command import call, parser
from reproduction.small_samples import COLUMNS, CUTS, DESEQ2, SIZES, answer_of_test, compare, score
from reproduction.sources import SIX, published
from reproduction.store import write_results


def write_counts(path: Path, genes: Genes, columns: np.ndarray) -> None:
    """Write the drawn counts for R, columns named N… and T…."""
    names = [f"{'T' if genes.is_tumor[c] else 'N'}{j}" for j, c in enumerate(columns)]
    write_atomic(path, pd.DataFrame(genes.counts[:, columns], columns=names).to_csv(index=False))


def deseq2_rows(path: Path, labels: np.ndarray) -> pd.DataFrame:
    """Score what R left for one draw."""
    t = pd.read_csv(path)
    rates = dict(zip(CUTS, (t["fdr_01"].to_numpy(), t["fdr_05"].to_numpy())))
    rows = score(labels, answer_of_test(t["log_fc"], t["p_value"], rates))
    return pd.DataFrame(rows).assign(method=DESEQ2, scaling="median of ratios")


def draw_all(folder: Path, genes: dict[str, Genes], draws: int) -> dict[tuple[str, int, int], Path]:
    """Write the counts of every draw that is not there yet; return the stems of their files."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = [(c, k, d) for k in SIZES for d in range(draws) for c in genes]
    stems = {(c, k, d): folder / f"{d:02d}_{k:02d}_{c}" for c, k, d in keys}
    for (cancer, k, d), stem in stems.items():
        path = stem.with_suffix(".csv")
        if not path.exists():
            write_counts(path, genes[cancer], draw_samples(genes[cancer].is_tumor, k, d))
    return stems


def scores_of(
    stem: Path, genes: Genes, k: int, draw: int, model: ProfileClassifier
) -> pd.DataFrame:
    """Return the scores of one draw, made now or by an earlier run, DESeq2's where R left any."""
    path, answer = stem.with_suffix(".scores"), stem.with_suffix(".deseq2")
    if not path.exists():
        write_atomic(path, compare(genes, k, draw, model).to_csv(index=False))
        print(stem.name, flush=True)
    rows = pd.read_csv(path)
    if not answer.exists():
        return rows
    same = rows.iloc[0][["k", "draw", "n_normal", "n_tumor"]].to_dict()
    return pd.concat([rows, deseq2_rows(answer, genes.labels).assign(**same)])


def about(cohort, genes: Genes) -> dict[str, object]:
    """Return what the record says of a cohort."""
    sizes = {"n_normal": cohort.n_normal, "n_tumor": cohort.n_tumor}
    neutral = int((genes.labels == "neutral").sum())
    return {"parts": list(cohort.parts), "genes": len(genes.counts), **sizes, "neutral": neutral}


def main() -> None:
    """Draw, ask, score, write."""
    arguments = parser(__doc__)
    arguments.add_argument("folder", type=Path, metavar="FOLDER")
    arguments.add_argument("--draws", type=int, default=10)
    arguments.add_argument("--no-r", action="store_true", help="take the DESeq2 answers in FOLDER")
    args, start = arguments.parse_args(), time.perf_counter()
    model = ProfileClassifier.from_pretrained("few_samples")
    cohorts = {cancer: published(cancer) for cancer in SIX}
    genes = {cancer: genes_of(cohort) for cancer, cohort in cohorts.items()}
    stems = draw_all(args.folder, genes, args.draws)
    if not args.no_r:
        script = Path(__file__).with_suffix(".R")
        subprocess.run(["Rscript", str(script), str(args.folder)], check=True)
    parts = [
        scores_of(stem, genes[cancer], k, d, model).assign(cancer=cancer)
        for (cancer, k, d), stem in stems.items()
    ]
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)].round(5)
    missing = sum(not stem.with_suffix(".deseq2").exists() for stem in stems.values())
    versions = args.folder / "versions.json"
    settings = {"draws": args.draws, "sizes": list(SIZES), "cuts": list(CUTS)}
    settings["cohorts"] = {c: about(cohort, genes[c]) for c, cohort in cohorts.items()}
    settings["draws_without_deseq2"] = missing
    settings["r"] = json.loads(versions.read_text()) if versions.exists() else {}
    weights = file_checksum(WEIGHTS / "profile_few_samples.safetensors", "sha256")
    settings["weights_sha256"] = weights.removeprefix("sha256:")
    seconds = {"all": round(time.perf_counter() - start, 1)}
    write_results("small_samples", table, __spec__.name, settings, seconds)
    print(f"{len(table):,} rows; {missing} draws without DESeq2")


if __name__ == "__main__":
    call(main)
