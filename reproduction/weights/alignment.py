"""Compare ways to align and to train the two-class profile network, under noise.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.alignment    # a few minutes

Leaves out one training cancer at a time and writes data/results/alignment_search.csv. Each network
is trained on the other training cancers and tested on the bio genes (F1 and T3) of the one left
out, twice: with all its samples, and cut to the size of READ (121 genes, 10 normal and 160 tumor
samples). No cohort outside the nine is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import TRAINING, Cohort
from degnext.cohorts.perturb import add_noise, disturbed
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes, genes_of, no_copies, noisy_copy
from reproduction.command import call, parser
from reproduction.sources import published
from reproduction.store import write_results
from reproduction.weights.cohorts import transfer_genes

ALIGNMENTS = {
    "none": None,
    "kernel without errors, valley 0.5": partial(direction_offset, errors=0, valley=0.5),
}
ALIGNMENTS |= {
    f"errors × {e}, valley {v}": partial(direction_offset, errors=e, valley=v)
    for e, v in ((0.25, 0.5), (0.5, 0.5), (0.5, 0.7), (1, 0.6), (1, 0.7), (1, 0.8), (1.5, 0.8))
}
TRAINED = {"clean": no_copies, "one noisy copy": noisy_copy}
WHOLE, SMALL = "whole", "as small as READ"
LEVELS = {WHOLE: (0, 50, 100, 500), SMALL: (0, 50, 100)}  # noise in percent of each gene's SD
DRAWS = {WHOLE: 2, SMALL: 8}
BY = ["left_out", "size", "noise", "trained", "alignment"]


def small(cohort: Cohort, rows: np.ndarray, rng: np.random.Generator) -> tuple[Cohort, np.ndarray]:
    """Return the cohort with 10 normal and 160 tumor samples, and 121 of its genes ``rows``."""
    groups = (np.flatnonzero(cohort.is_tumor == t) for t in (False, True))
    columns = [rng.permutation(group)[:n] for group, n in zip(groups, (10, 160))]
    cut = cohort.with_counts(cohort.counts.iloc[:, np.sort(np.concatenate(columns))])
    return cut, np.sort(rng.permutation(rows)[:121])


def shown(cohort: Cohort) -> Iterator[tuple[dict, np.ndarray, Genes]]:
    """Yield the left-out cohort's Q by size, noise and draw: what it is, its rows, its genes."""
    q = cohort.rows("Q")
    for size, levels in LEVELS.items():
        for level in levels:
            for draw in range(DRAWS[size] if level or size == SMALL else 1):
                rng = np.random.default_rng([7, level, draw])
                here, rows = small(cohort, q, rng) if size == SMALL else (cohort, q)
                if level:
                    counts = here.counts.to_numpy()
                    noisy = add_noise(counts, level, "relative", rng, here.is_tumor)
                    here = disturbed(here, noisy)
                yield {"size": size, "noise": level}, rows, genes_of(here, rows)


def tested(cohort: Cohort, models: dict[str, ProfileClassifier]) -> Iterator[dict]:
    """Yield the share of right answers of every model and alignment, per size, noise and draw."""
    labels, encoder = cohort.genes["label"].to_numpy(), next(iter(models.values()))
    for facts, rows, genes in shown(cohort):
        for alignment, estimate in ALIGNMENTS.items():
            given = genes.counts, genes.is_tumor, genes.factors
            offset = estimate(*given) if estimate else 0.0
            aligned = genes._replace(factors=shift_groups(genes.factors, genes.is_tumor, offset))
            images = encoder.encode(aligned)
            facts = facts | {"alignment": alignment, "offset": offset}
            for trained, model in models.items():
                right = np.mean(model.predict(images) == labels[rows])
                yield facts | {"trained": trained, "accuracy": right}


def train(genes: list[Genes]) -> dict[str, ProfileClassifier]:
    """Train with and without noisy copies; both leave the alignment to who asks them."""
    models = {name: ProfileClassifier(copies=c) for name, c in TRAINED.items()}
    return {name: model.fit(genes).set_params(align=False) for name, model in models.items()}


def main() -> None:
    """Train, test and write the mean over draws."""
    parser(__doc__).parse_args()
    start, rows = time.perf_counter(), []
    cohorts = {c: published(c) for c in TRAINING}
    genes = {name: transfer_genes(cohort) for name, cohort in cohorts.items()}
    for left, cohort in cohorts.items():
        if {"F1", "T3"} <= set(cohort.parts):
            models = train([g for name, g in genes.items() if name != left])
            rows += [row | {"left_out": left} for row in tested(cohort, models)]
            print(left, "done", flush=True)
    groups = pd.DataFrame(rows).groupby(BY, sort=False)
    stats = {"accuracy": ("accuracy", "mean"), "offset": ("offset", "mean")}
    stats |= {"offset_sd": ("offset", "std"), "draws": ("offset", "size")}
    table = groups.agg(**stats).round(5).reset_index()
    seconds = {"all": round(time.perf_counter() - start, 1)}
    write_results("alignment_search", table, __spec__.name, {}, seconds)
    print(table.pivot_table("accuracy", ["trained", "alignment"], ["size", "noise"]).round(4))


if __name__ == "__main__":
    call(main)
