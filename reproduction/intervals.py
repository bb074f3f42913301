"""Give committed scores the intervals of degnext.evaluation.metrics without training again.

    DEGNEXT_DATA=/path/to/data python -m reproduction.intervals

The interval of accuracy follows from the genes right. That of the MCC changes only where every gene
is right: there the classes of the part, read from the authors' labels, are all that is needed.
Rewrites data/results/network.csv and baselines.csv; a run of today's code gives the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from degnext.evaluation.metrics import accuracy_interval, mcc_interval
from reproduction.command import call, parser
from reproduction.sources import published

TABLES = ("network", "baselines")
_N_BOOT = 2000


@cache
def class_shares(cancer: str, part: str) -> tuple[float, ...]:
    """Return the shares of DR, UR and, where there are any, neutral genes of a part."""
    cohort = published(cancer)
    counts = np.bincount(cohort.codes[cohort.rows(part)], minlength=2)
    return tuple(counts / counts.sum())


def renewed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with today's intervals; a fold's classes are in its part's shares."""
    table = table.copy()
    right = (table["accuracy"] * table["n"]).round().astype(int)
    ends = [accuracy_interval(k, n) for k, n in zip(right, table["n"])]
    table[["accuracy_low", "accuracy_high"]] = np.round(ends, 5)
    for i in table.index[right == table["n"]]:
        cancer, part, n = table.loc[i, ["cancer", "part", "n"]]
        shares = np.array(class_shares(cancer, part))
        classes = np.round(n * np.cumsum([0, *shares])).astype(int)
        found = mcc_interval(np.diag(np.diff(classes)), _N_BOOT)
        table.loc[i, ["mcc_low", "mcc_high"]] = np.round(found, 5)
    return table


def main() -> None:
    """Rewrite both tables."""
    parser(__doc__).parse_args()
    for name in TABLES:
        path = data_dir() / "results" / f"{name}.csv"
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        new = renewed(pd.read_csv(path))
        ends = [f"{score}_{end}" for score in ("accuracy", "mcc") for end in ("low", "high")]
        table[ends] = new[ends].astype(str)  # other cells stay as they were written
        write_atomic(path, table.to_csv(index=False))
        print(f"data/results/{name}.csv: intervals of {len(table)} rows")


if __name__ == "__main__":
    call(main)
