"""Time and memory of labels, predictions and training against genes, samples and cohorts, drawn.

    python -m reproduction.experiments.scale

Every size runs in a process of its own, so that its peak memory is its own. Seconds are of the
processor, so other work on the machine does not count. The last size, 10,000 samples, is far beyond
the others: the page compares it with what they foretell.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from reproduction.command import call, parser
from reproduction.store import keep, write_results

SIZES = {  # genes, samples, cohorts; one of them varies
    "genes": [(n, 50, 1) for n in (2_000, 6_000, 20_000, 60_000)],
    "samples": [(2_000, n, 1) for n in (10, 100, 1_000, 5_000, 10_000)],
    "cohorts": [(2_000, 50, n) for n in (1, 3, 9, 17)],
}


def draw(n_genes: int, n_samples: int, seed: int = 0) -> Cohort:
    """Draw negative binomial counts, half of the samples tumor, a fifth of the genes changed."""
    rng = np.random.default_rng(seed)
    mean, tumor = 2 ** rng.normal(6, 2.5, n_genes), np.arange(n_samples) % 2 == 1
    change = 2 ** (rng.normal(0, 2, n_genes) * (rng.random(n_genes) < 0.2))
    counts = np.empty((n_genes, n_samples), dtype=np.int64)
    for j in range(n_samples):  # one sample at a time: no second table of numbers
        level = mean * (change if tumor[j] else 1.0) * rng.uniform(0.7, 1.4)
        counts[:, j] = rng.poisson(level * rng.gamma(5.0, 0.2, n_genes))
    samples = [f"S{j}" for j in range(n_samples)]
    genes = pd.Index([f"G{i}" for i in range(n_genes)], name="gene")
    groups = pd.Series(np.where(tumor, "tumor", "normal"), samples, name="group")
    return Cohort(pd.DataFrame(counts, genes, samples), groups)


def measure(varied: str, n_genes: int, n_samples: int, n_cohorts: int) -> list[dict]:
    """Return processor seconds and the peak so far, in MB, of each step; in this process.

    Each step is first taken on a small cohort: imports, and what libraries do when first called,
    are not what is measured.
    """
    cohorts = {"small": [draw(500, 10)]}
    cohorts["all"] = [draw(n_genes, n_samples, k) for k in range(n_cohorts)]
    labeled, rows = {}, []

    def labels(which: str) -> None:
        from degnext.labeling.calls import label
        from degnext.preprocessing.filters import preprocess

        labeled[which] = [label(preprocess(c, symbols="keep"), "") for c in cohorts[which]]

    def prediction(which: str) -> None:
        from degnext.prediction.predict import predict

        predict(cohorts[which][0], rule="standard")

    def training(which: str) -> None:
        from degnext.evaluation.profile_network import called_genes
        from degnext.learning.profile.classifier import ProfileClassifier
        from degnext.learning.profile.genes import genes_of

        ProfileClassifier().fit([genes_of(c, called_genes(c)) for c in labeled[which]])

    steps = {"preprocessing and labels": labels, "prediction": prediction}
    if varied == "cohorts":
        steps = {"preprocessing and labels": labels, "training on all cohorts": training}
    sizes = {"varied": varied, "genes": n_genes, "samples": n_samples, "cohorts": n_cohorts}
    for name, step in steps.items():
        step("small")
        begun = time.process_time()
        step("all")
        seconds = round(time.process_time() - begun, 2)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"step": name, **sizes, "cpu_seconds": seconds, "peak_mb": round(peak)})
    return rows


def elsewhere(varied: str, size: tuple[int, ...]) -> pd.DataFrame:
    """Return :func:`measure` of a new process."""
    command = [sys.executable, "-m", __spec__.name, "--one", varied, *map(str, size)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "DEGNEXT_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure every size, or one."""
    arguments = parser(__doc__)
    arguments.add_argument("--one", nargs=4, metavar=("VARIED", "GENES", "SAMPLES", "COHORTS"))
    if one := arguments.parse_args().one:
        print(json.dumps(measure(one[0], *map(int, one[1:]))))
        return
    tables, seconds = [], {}
    for varied, sizes in SIZES.items():
        for size in sizes:
            key = "-".join([varied, *map(str, size)])
            made = keep("scale", key, {}, lambda v=varied, size=size: elsewhere(v, size))
            tables.append(made[0])
            seconds[key] = made[1]
    write_results("scale", pd.concat(tables), __spec__.name, {}, seconds)


if __name__ == "__main__":
    call(main)
