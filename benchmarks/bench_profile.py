"""Time the profile network beside the paper's: training for transfer, general learning, genes shown per second.

usage: DEGNEXT_DATA=/path/to/data python benchmarks/bench_profile.py [--batches 4]
Writes benchmarks/results/profile.csv, a row per task. "transfer" trains two classes from scratch on the nine training cancers'
parts at hand. "general" is notebook 3's: three classes on T1, then two on F1, for CHOL (45 samples), KICH (89), READ (176).
Encoding is counted in both. Beside general learning stands degnext.DEGnextClassifier under protocol="paper" on the same genes in the
same process: a few batches of each of its stages are timed, and its whole training is that rate times its genes and epochs. It is
timed twice: as it is here, with the gradient of the last maximum gathered (degnext/sparse_max.py), and "layer by layer", as
torch's own layers would train it.
Ratios are of CPU seconds, which other users of the machine disturb least; each network has one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
COHORTS = ("CHOL", "KICH", "READ")


def clock() -> tuple[float, float]:
    """Return wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


@contextmanager
def layer_by_layer():
    """Let the paper's network be trained by torch's own layers."""
    from degnext.learning.network import ConvPair

    ConvPair.gather = False
    try:
        yield
    finally:
        ConvPair.gather = True


def paper_seconds(cohort, n_batches: int) -> dict[str, float]:
    """Time a few batches of the paper's network; return its whole training's seconds and how many genes it is shown in all."""
    from degnext.learning.classifier import PROTOCOLS, DEGnextClassifier
    from degnext.learning.images import row_values

    rules, labels = PROTOCOLS["paper"], cohort.genes["label"].to_numpy()
    values = row_values(cohort, rules.scaling)
    model = DEGnextClassifier("paper", epochs=1)
    out = {"wall": 0.0, "cpu": 0.0, "shown": 0}
    tune = partial(model.fine_tune, epochs=1)
    for part, given, train in (("T1", rules.fit, model.fit), ("F1", rules.fine_tune, tune)):
        rows = cohort.rows(part)
        some = rows[: given.batch_size * n_batches]
        wall, cpu = clock()
        train(values[some], labels[some])
        after = clock()
        shown = len(rows) * given.epochs
        out = {
            "wall": out["wall"] + (after[0] - wall) * shown / len(some),
            "cpu": out["cpu"] + (after[1] - cpu) * shown / len(some),
            "shown": out["shown"] + shown,
        }
    return out


def general_row(cancer: str, n_batches: int) -> dict:
    """Time general learning on one cohort by both networks."""
    from degnext.cohorts.published import load_published
    from degnext.evaluation import profile_network as profile_steps

    cohort = load_published(cancer, fetch=False)
    paper = paper_seconds(cohort, n_batches)
    with layer_by_layer():
        slower = paper_seconds(cohort, n_batches)
    three, two = profile_steps.GENERAL.epochs, profile_steps.FINE_TUNE["epochs"]
    shown = (
        int(0.9 * len(cohort.rows("T1"))) * three + len(cohort.rows("F1")) * two
    )  # a tenth is held back for the temperature
    wall, cpu = clock()
    profile_steps.general(cohort)
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
    from degnext._common.paths import shared_data
    from degnext.learning.profile.classifier import ProfileClassifier
    from reproduction.weights.train import TRAINING, Published, transfer_training_genes

    cohorts = [Published(c, shared_data() / "published") for c in TRAINING]
    wall, cpu = clock()
    ProfileClassifier((0, 1), random_state=0).fit([transfer_training_genes(c) for c in cohorts])
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
