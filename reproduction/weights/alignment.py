"""Compare ways to align and to train the two-class profile network, under noise.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.alignment    # a few minutes

Leaves out one training cancer at a time and writes data/results/alignment_search.csv.

Each network is trained on the other training cancers and tested on the bio genes (F1 and T3) of the one left out, twice: with all its samples,
and cut to the size of READ (121 genes, 10 normal and 160 tumor samples). No cohort outside the nine is read.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import TRAINING, Cohort
from degnext.cohorts.perturb import add_noise, disturbed
from degnext.cohorts.published import published_parts
from degnext.evaluation.experiments import called_genes
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Copies, genes_of
from reproduction.command import call, parser
from reproduction.sources import published
from reproduction.store import write_results

ALIGNMENTS = {
    "none": None,
    "kernel without errors, valley 0.5": partial(direction_offset, errors=0, valley=0.5),
}
ALIGNMENTS |= {
    f"errors × {e}, valley {v}": partial(direction_offset, errors=e, valley=v)
    for e, v in ((0.25, 0.5), (0.5, 0.5), (0.5, 0.7), (1, 0.6), (1, 0.7), (1, 0.8), (1.5, 0.8))
}
TRAINED = {"clean": 0, "one noisy copy": 1}
LEVELS = {
    "whole": (0, 50, 100, 500),
    "as small as READ": (0, 50, 100),
}  # noise in percent of each gene's SD
DRAWS = {"whole": 2, "as small as READ": 8}


def small(cohort: Cohort, rows: np.ndarray, rng: np.random.Generator) -> tuple[Cohort, np.ndarray]:
    """Return the cohort with 10 normal and 160 tumor samples, and 121 of its genes ``rows``."""
    columns = [
        rng.permutation(np.flatnonzero(cohort.is_tumor == t))[:n]
        for t, n in ((False, 10), (True, 160))
    ]
    return disturbed(cohort, columns=np.sort(np.concatenate(columns))), np.sort(
        rng.permutation(rows)[:121]
    )


def tested(cohort: Cohort, models: dict[str, ProfileClassifier]):
    """Yield the share of right answers of every model and alignment, per size, noise and draw."""
    labels = cohort.genes["label"].to_numpy()
    for size, levels in LEVELS.items():
        for level, draw in (
            (v, d) for v in levels for d in range(DRAWS[size] if v or size != "whole" else 1)
        ):
            rng = np.random.default_rng([7, level, draw])
            shown, rows = (
                (cohort, cohort.rows("Q"))
                if size == "whole"
                else small(cohort, cohort.rows("Q"), rng)
            )
            if level:
                shown = disturbed(
                    shown,
                    add_noise(shown.counts.to_numpy(), level, "relative", rng, shown.is_tumor),
                )
            genes = genes_of(shown, rows)._replace(labels=None)
            for alignment, estimate in ALIGNMENTS.items():
                offset = estimate(genes.counts, genes.is_tumor, genes.factors) if estimate else 0.0
                aligned = genes._replace(
                    factors=shift_groups(genes.factors, genes.is_tumor, offset)
                )
                images = next(iter(models.values())).encode(aligned)
                for trained, model in models.items():
                    yield dict(
                        size=size,
                        noise=level,
                        alignment=alignment,
                        trained=trained,
                        accuracy=np.mean(model.predict(images) == labels[rows]),
                        offset=offset,
                    )


def main() -> None:
    """Train, test and write the mean over draws."""
    parser(__doc__).parse_args()
    start = time.perf_counter()
    cohorts = {c: published(c) for c in TRAINING}
    genes, rows = {c: genes_of(v, called_genes(v)) for c, v in cohorts.items()}, []
    for left, cohort in cohorts.items():
        if not {"F1", "T3"} <= set(published_parts(left)):
            continue
        models = {
            name: ProfileClassifier(copies=Copies(noisy=n)).fit(
                [g for c, g in genes.items() if c != left]
            )
            for name, n in TRAINED.items()
        }
        for model in models.values():
            model.set_params(align=False)  # the alignment is what is compared
        rows += [r | {"left_out": left} for r in tested(cohort, models)]
        print(left, "done", flush=True)
    table = pd.DataFrame(rows).groupby(
        ["left_out", "size", "noise", "trained", "alignment"], sort=False
    )
    table = table.agg(
        accuracy=("accuracy", "mean"),
        offset=("offset", "mean"),
        offset_sd=("offset", "std"),
        draws=("offset", "size"),
    ).round(5)
    write_results(
        "alignment_search",
        table.reset_index(),
        __spec__.name,
        {},
        {"all": round(time.perf_counter() - start, 1)},
    )
    print(
        table.reset_index()
        .pivot_table("accuracy", ["trained", "alignment"], ["size", "noise"])
        .round(4)
        .to_string()
    )


if __name__ == "__main__":
    call(main)
