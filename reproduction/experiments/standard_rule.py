"""How stable are calls between random halves of a cohort, with and without a smallest fold change?

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.standard_rule   # 2 minutes

Writes data/results/standard_rule_stability.csv: for each of the nine training cancers (rows of the
published counts that are at hand) and each split into halves of normal and of tumor samples, both
halves are called for themselves.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef

from degnext.cohorts.cohort import TRAINING
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights.standard_data import (
    FDR,
    FOLD_CHANGES,
    Draw,
    call_codes,
    draw_of,
    edger_table,
    published,
)


def halves(draw: Draw, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the columns of two disjoint halves, each with half of either group."""
    parts: list[list[np.ndarray]] = [[], []]
    for group in (~draw.is_tumor, draw.is_tumor):
        mixed = rng.permutation(np.flatnonzero(group))
        for half, columns in zip(parts, np.array_split(mixed, 2)):
            half.append(columns)
    return [np.concatenate(half) for half in parts]


def stability(draw: Draw, n_splits: int, seed: int = 0) -> list[dict]:
    """Return one row per split and smallest fold change."""
    rng, rows = np.random.default_rng(seed), []
    whole = edger_table(draw)
    for split in range(n_splits):
        columns = halves(draw, rng)
        seen = np.all([draw.counts[:, c].any(axis=1) for c in columns], axis=0)
        tables = [
            edger_table(draw_of(draw.name, draw.counts[seen][:, c], draw.is_tumor[c]))
            for c in columns
        ]
        for name, cut in FOLD_CHANGES.items():
            a, b = (call_codes(table, cut) for table in tables)
            full = call_codes(whole[seen], cut)
            both, either = (a < 2) & (b < 2), (a < 2) | (b < 2)
            rows.append(
                {
                    "cancer": draw.name,
                    "split": split,
                    "smallest_fold_change": name,
                    "n_genes": len(a),
                    "called_whole": int((full < 2).sum()),
                    "called_half": round(float((a < 2).sum() + (b < 2).sum()) / 2, 1),
                    "mcc_halves": round(matthews_corrcoef(a, b), 4),
                    "jaccard_halves": round(float(both.sum() / max(either.sum(), 1)), 4),
                    "opposite": int((both & (a != b)).sum()),
                    "mcc_half_whole": round(
                        (matthews_corrcoef(full, a) + matthews_corrcoef(full, b)) / 2, 4
                    ),
                }
            )
    return rows


def main() -> None:
    """Write the table and print its means."""
    arguments = parser(__doc__)
    arguments.add_argument("--splits", type=int, default=5)
    args = arguments.parse_args()
    rows, seconds = [], {}
    for cancer in TRAINING:
        start = time.perf_counter()
        rows += stability(published(cancer), args.splits)
        seconds[cancer] = round(time.perf_counter() - start, 1)
        print(cancer, seconds[cancer], rows[-len(FOLD_CHANGES) :], flush=True)
    table = pd.DataFrame(rows)
    rule = f"edgeR LRT, estimateDisp, TMM, FDR < {FDR}, tested in each half for itself"
    settings = {"labels": rule, "splits": args.splits}
    write_results("standard_rule_stability", table, __spec__.name, settings, seconds)
    print(table.drop(columns=["cancer", "split"]).groupby("smallest_fold_change").mean().round(4))


if __name__ == "__main__":
    call(main)
