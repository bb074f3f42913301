"""Time the profile network beside the paper's: training for transfer, and general learning.

usage: DEGNEXT_DATA=/path/to/data python -m benchmarks.bench_profile [--batches 4]

Writes benchmarks/results/profile.csv, a row per task. "transfer" trains two classes from scratch
on the nine training cancers' parts at hand. "general" is notebook 3's: three classes on T1, then
two on F1, for CHOL (45 samples), KICH (89) and READ (176). Encoding is counted in both. Beside
general learning stands degnext.DEGnextClassifier under protocol="paper" on the same genes in the
same process: a few batches of each of its stages are timed, and its whole training is that rate
times its genes and epochs. It is timed twice: as it is here, with the gradient of the last maximum
gathered (degnext/learning/sparse_max.py), and "layer by layer", as torch's own layers would train
it. Ratios are of CPU seconds, which other users of the machine disturb least; each network has one
thread.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
from degnext.cohorts.cohort import TRAINING, Cohort, label_names

COHORTS = ("CHOL", "KICH", "READ")


def clock() -> tuple[float, float]:
    """Return wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


@contextmanager
def layer_by_layer() -> Iterator[None]:
    """Let the paper's network be trained by torch's own layers."""
    from degnext.learning.network import ConvPair

    ConvPair.gather = False
    try:
        yield
    finally:
        ConvPair.gather = True


def paper_seconds(cohort: Cohort, n_batches: int) -> dict[str, float]:
    """Time a few batches of the paper's network.

    Returns the seconds of its whole training, and how many genes it is shown in all.
    """
    from degnext.learning.classifier import PROTOCOLS, DEGnextClassifier
    from degnext.learning.images import row_values

    rules, labels = PROTOCOLS["paper"], label_names(cohort.codes)
    values = row_values(cohort, rules.scaling)
    model = DEGnextClassifier("paper", epochs=1)
    out = {"wall": 0.0, "cpu": 0.0, "shown": 0.0}
    tune = partial(model.fine_tune, epochs=1)
    for part, given, train in (("T1", rules.fit, model.fit), ("F1", rules.fine_tune, tune)):
        rows = cohort.rows(part)
        some, shown = rows[: given.batch_size * n_batches], len(rows) * given.epochs
        wall, cpu = clock()
        train(values[some], labels[some])
        after = clock()
        out["wall"] += (after[0] - wall) * shown / len(some)
        out["cpu"] += (after[1] - cpu) * shown / len(some)
        out["shown"] += shown
    return out


def general_row(cancer: str, n_batches: int) -> dict:
    """Time general learning on one cohort by both networks."""
    from degnext.cohorts.published import load_published
    from degnext.evaluation.profile_network import FINE_TUNE, GENERAL, general

    cohort = load_published(cancer, fetch=False)
    paper = paper_seconds(cohort, n_batches)
    with layer_by_layer():
        slower = paper_seconds(cohort, n_batches)
    first, second = len(cohort.rows("T1")), len(cohort.rows("F1"))
    # a tenth of the first is held back for the temperature
    shown = int(0.9 * first) * GENERAL.epochs + second * int(FINE_TUNE["epochs"])
    wall, cpu = clock()
    general(cohort)
    after = clock()
    seconds, cpu_seconds = after[0] - wall, after[1] - cpu
    return {
        "task": f"general {cancer}",
        "samples": cohort.counts.shape[1],
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "genes_epochs_per_cpu_s": shown / cpu_seconds,
        "paper_cpu_seconds": paper["cpu"],
        "paper_genes_epochs_per_cpu_s": paper["shown"] / paper["cpu"],
        "layer_by_layer_cpu_seconds": slower["cpu"],
        "ratio_whole_training": paper["cpu"] / cpu_seconds,
        "ratio_layer_by_layer": slower["cpu"] / cpu_seconds,
        "ratio_genes_epochs_per_s": (shown / cpu_seconds) / (paper["shown"] / paper["cpu"]),
    }


def transfer_row() -> dict:
    """Time the training of the two-class network from scratch."""
    from degnext.learning.profile.classifier import ProfileClassifier
    from reproduction.sources import published
    from reproduction.weights.cohorts import transfer_genes

    cohorts = [transfer_genes(published(cancer)) for cancer in TRAINING]
    wall, cpu = clock()
    ProfileClassifier(random_state=0).fit(cohorts)
    after = clock()
    return {
        "task": "transfer from scratch",
        "samples": sum(len(c.is_tumor) for c in cohorts),
        "seconds": after[0] - wall,
        "cpu_seconds": after[1] - cpu,
    }


def main() -> None:
    """Time and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "profile.csv"
    )
    args = parser.parse_args()
    import pandas as pd
    import torch

    torch.set_num_threads(1)
    rows = [transfer_row()]
    for cancer in COHORTS:
        rows.append(general_row(cancer, args.batches))
        print(
            {k: round(v, 1) if isinstance(v, float) else v for k, v in rows[-1].items()}, flush=True
        )
    table = pd.DataFrame(rows)
    table["threads"], table["load_average"] = 1, round(os.getloadavg()[0], 1)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(2).to_csv(args.out, index=False)
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
