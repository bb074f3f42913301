"""Time and weigh all preprocessing on drawn matrices up to the size of TCGA-BRCA's STAR counts.

usage: python benchmarks/bench_preprocess_scale.py

Every size, up to 60,483 genes × 1,215 samples, runs in a process of its own, so that its peak
memory is its own. Writes benchmarks/results/preprocess_scale.csv: one row per size with seconds
per step, the total, peak memory and seconds per million counts, which stays level when time grows
linearly in genes × samples. Nothing is read from DEGNEXT_DATA; ids and the gene table are drawn
too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from degnext.cohorts.library_size import scale, size_factors

N_GENES, N_SAMPLES = 60_483, 1_215
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)  # of the samples


def one_size(n_genes: int, n_samples: int) -> dict[str, float]:
    """Draw a matrix, take it through every step; return seconds per step and peak memory in GB."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    mean = 2 ** rng.normal(4, 4, n_genes)
    mean[rng.random(n_genes) < 0.35] = 0.0  # never expressed
    counts = np.empty((n_genes, n_samples), dtype=np.int64)
    for j in range(n_samples):
        counts[:, j] = rng.poisson(rng.gamma(4.0, 0.25, n_genes) * mean * rng.uniform(0.5, 2.0))
    ids = [f"ENSG{i:011d}" for i in range(n_genes)]
    genes = pd.DataFrame(
        {
            "id": ids,
            "symbol": [f"SYMBOL{i}" for i in range(n_genes)],
            "eff_length": rng.integers(300, 20_000, n_genes),
            "gc": rng.uniform(0.3, 0.7, n_genes),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "annotation").mkdir()
        with gzip.open(
            Path(folder) / "annotation" / "grch38_genes.csv.gz", "wt", compresslevel=1
        ) as handle:
            genes.to_csv(handle, index=False)
        os.environ["DEGNEXT_DATA"] = folder
        from degnext.preprocessing import filters, symbols, tcgabiolinks

        samples = [f"S{j}" for j in range(n_samples)]
        counts = pd.DataFrame(
            counts, index=[f"{i}.{k % 20}" for k, i in enumerate(ids)], columns=samples, copy=False
        )
        groups = pd.Series(
            ["normal" if j % 10 == 0 else "tumor" for j in range(n_samples)], index=samples
        )
        info = genes.set_index("symbol").rename(
            columns={"eff_length": "gene_length", "gc": "gc_content"}
        )
        seconds: dict[str, float] = {}
        cpu = time.process_time()

        def timed(step: str, work: Callable[[], Any]) -> Any:
            start = time.perf_counter()
            value = work()
            seconds[step] = time.perf_counter() - start
            return value

        counts, groups = timed("drop_outliers", lambda: filters.drop_outliers(counts, groups))
        counts = timed("map_symbols", lambda: symbols.map_symbols(counts)[0])
        timed("tcgabiolinks_gcContent", lambda: tcgabiolinks.tcgabiolinks_normalize(counts, info))
        for method in ("total", "upper_quartile", "tmm"):
            timed(f"size_factors_{method}", partial(size_factors, counts, method))
        timed("scale", lambda: scale(counts))
        counts = timed("quantile_filter", lambda: filters.quantile_filter(counts))
    seconds["total"] = sum(seconds.values())
    # of all threads: what other users of the machine do not change
    seconds["cpu_seconds"] = time.process_time() - cpu
    return {
        "genes": n_genes,
        "samples": n_samples,
        **seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "preprocess_scale.csv"
    )
    parser.add_argument(
        "--one",
        nargs=2,
        type=int,
        metavar=("GENES", "SAMPLES"),
        help="run a single size and print it as JSON",
    )
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one_size(*args.one)))
        return
    import pandas as pd

    rows = []
    sizes = [(N_GENES, round(N_SAMPLES * share)) for share in SHARES] + [(N_GENES // 4, N_SAMPLES)]
    for n_genes, n_samples in sizes:
        command = [sys.executable, __file__, "--one", str(n_genes), str(n_samples)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        row["seconds_per_million"] = row["total"] / (n_genes * n_samples / 1e6)
        rows.append(row)
        print(
            f"{n_genes} × {n_samples}: {row['total']:.1f} s ({row['cpu_seconds']:.1f} s of CPU), "
            f"peak {row['peak_gb']:.2f} GB, {row['seconds_per_million']:.3f} s per million counts",
            flush=True,
        )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).round(3).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
