"""Time and weigh `degnext predict` on drawn counts, beside edgeR's LRT on the same counts.

usage: python benchmarks/bench_predict.py [--genes 20000] [--samples 500] [--repeats 3]

Every measurement runs in a process of its own, so that its peak memory is its own. Writes
benchmarks/results/predict.csv: one row per task with seconds, CPU seconds (of all threads: what
other users of the machine hardly change), peak memory and the ratio to edgeR's likelihood-ratio
test (degnext.differential_expression, this package's own), the named baseline. "predict" is
predict_cohort after torch, weights and counts are loaded; "read" is the counts table from a CSV
file with its checks; "predict" and "edgeR LRT" see identical counts. Nothing is read from
DEGNEXT_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def draw(n_genes: int, n_samples: int) -> tuple[Any, Any]:
    """Draw a negative-binomial cohort, one sample in five normal; return it and each gene's change.

    A fifth of the genes is up two- to eightfold, a fifth down.
    """
    import numpy as np
    import pandas as pd

    from degnext.cohorts.cohort import Cohort

    rng = np.random.default_rng(0)
    mean = 2 ** rng.normal(7, 2.5, n_genes)
    change = np.exp2(rng.choice([1, -1, 0, 0, 0], n_genes) * rng.uniform(1, 3, n_genes))
    is_tumor = np.arange(n_samples) >= n_samples // 5
    counts = np.empty((n_genes, n_samples), dtype=np.int64)
    for j in range(n_samples):
        counts[:, j] = rng.poisson(
            rng.gamma(4.0, 0.25, n_genes)
            * mean
            * (change if is_tumor[j] else 1)
            * rng.uniform(0.5, 2)
        )
    samples = [f"S{j}" for j in range(n_samples)]
    groups = pd.Series(["tumor" if t else "normal" for t in is_tumor], index=samples, name="group")
    table = pd.DataFrame(
        counts,
        index=pd.Index([f"GENE{i}" for i in range(n_genes)], name="gene"),
        columns=samples,
        copy=False,
    )
    return Cohort(table, groups), change


def one_task(task: str, n_genes: int, n_samples: int) -> dict[str, float]:
    """Return seconds, peak memory in GB and, of calls, the share in the right direction."""
    import numpy as np

    from degnext.cohorts.user_tables import load_file
    from degnext.labeling.differential_expression import differential_expression
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.prediction.predict import predict_cohort

    ProfileClassifier.from_pretrained("three_class")  # loads torch
    cohort, change = draw(n_genes, n_samples)
    with tempfile.TemporaryDirectory() as folder:
        path, groups = Path(folder) / "counts.csv", Path(folder) / "groups.csv"
        if task == "read":
            cohort.counts.to_csv(path)
            cohort.groups.rename_axis("sample").to_csv(groups)
        before, cpu, start = (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
            time.process_time(),
            time.perf_counter(),
        )
        if task == "predict":
            table = predict_cohort(cohort)
        elif task == "read":
            load_file(path, groups)
        else:
            table = differential_expression(cohort.counts, cohort.groups)
        out = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    out |= {
        "gb_before": before,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    if task != "read":
        up = (table["class"] == "UR") if task == "predict" else table["log_fc"] > 0
        called = (table["class"] != "neutral") if task == "predict" else table["fdr"] < 0.01
        changed = called.to_numpy() & (change != 1)
        out |= {"right_direction": float(np.mean(up.to_numpy()[changed] == (change[changed] > 1)))}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "predict.csv"
    )
    parser.add_argument("--one", help="run a single task and print it as JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one_task(args.one, args.genes, args.samples)))
        return
    import pandas as pd

    rows = []
    for task, name, repeats in (
        ("predict", "predict", args.repeats),
        ("edger", "edgeR LRT (degnext.labeling.differential_expression)", args.repeats),
        ("read", "read counts from CSV", 1),
    ):
        command = [
            sys.executable,
            __file__,
            "--one",
            task,
            "--genes",
            str(args.genes),
            "--samples",
            str(args.samples),
        ]
        runs = pd.DataFrame(
            [
                json.loads(
                    subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                )
                for _ in range(repeats)
            ]
        )
        rows.append(
            {"task": name, "genes": args.genes, "samples": args.samples, "runs": repeats}
            | runs.median().to_dict()
        )
        took = "{seconds:.2f} s, {cpu_seconds:.2f} s of CPU, peak {peak_gb:.2f} GB"
        print(f"{name}: {took.format(**rows[-1])}", flush=True)
    table = pd.DataFrame(rows)
    table["edger_seconds_ratio"] = table.loc[1, "seconds"] / table["seconds"]
    table["edger_cpu_ratio"] = table.loc[1, "cpu_seconds"] / table["cpu_seconds"]
    table["threads"], table["load_average"] = (
        os.environ.get("OMP_NUM_THREADS", "default"),
        round(os.getloadavg()[0], 1),
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(3).to_csv(args.out, index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
