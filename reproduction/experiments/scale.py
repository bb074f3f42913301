"""Time and memory of labels and predictions against genes and samples, on drawn counts.

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

GENES, SAMPLES = (2_000, 6_000, 20_000, 60_000), (10, 100, 1_000, 5_000, 10_000)
WITH_SAMPLES, WITH_GENES, SEED = 50, 2_000, 0  # samples of the first row, genes of the second
SIZES = [(n, WITH_SAMPLES) for n in GENES] + [(WITH_GENES, n) for n in SAMPLES]


def draw(n_genes: int, n_samples: int) -> Cohort:
    """Draw negative binomial counts, half of the samples tumor, a fifth of the genes changed."""
    rng = np.random.default_rng(SEED)
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


def measure(n_genes: int, n_samples: int) -> list[dict]:
    """Return processor seconds and the peak so far, in MB, of each step; in this process."""
    from degnext.labeling.calls import label
    from degnext.prediction.predict import predict
    from degnext.preprocessing.filters import preprocess

    cohort, rows = draw(n_genes, n_samples), []
    steps = {
        "preprocessing and labels": lambda: label(preprocess(cohort, symbols="keep"), ""),
        "prediction": lambda: predict(cohort, rule="standard"),
    }
    for name, step in steps.items():
        begun = time.process_time()
        step()
        seconds = time.process_time() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        row = {"step": name, "genes": n_genes, "samples": n_samples}
        rows.append(row | {"cpu_seconds": round(seconds, 2), "peak_mb": round(peak)})
    return rows


def elsewhere(n_genes: int, n_samples: int) -> pd.DataFrame:
    """Return :func:`measure` of a new process."""
    command = [sys.executable, "-m", __spec__.name, "--one", str(n_genes), str(n_samples)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "DEGNEXT_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure every size, or one."""
    arguments = parser(__doc__)
    arguments.add_argument("--one", type=int, nargs=2, metavar=("GENES", "SAMPLES"))
    if one := arguments.parse_args().one:
        print(json.dumps(measure(*one)))
        return
    settings, tables, seconds = {"seed": SEED}, [], {}
    for size in SIZES:
        key = "{}x{}".format(*size)
        table, seconds[key] = keep("scale", key, settings, lambda size=size: elsewhere(*size))
        tables.append(table)
    write_results("scale", pd.concat(tables), __spec__.name, settings, seconds)


if __name__ == "__main__":
    call(main)
