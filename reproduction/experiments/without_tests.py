"""Chapter 5 without test statistics: general learning from features that contain none.

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python -m reproduction.experiments.without_tests

The profile features hold a likelihood ratio close to the one that made the labels. Here the same
methods get quantiles, fold change, level and spread of each group, and nothing else, on the cohorts
whose four parts are all at hand (CHOL, KICH, READ). Writes data/results/without_tests.csv, rows as
those of baselines.csv. A killed run goes on at the cohort it was at.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.evaluation import experiments
from reproduction.command import call, parser
from reproduction.sources import COMPLETE, published
from reproduction.store import code_digest, keep, write_results

GIVEN = (experiments.PLAIN, experiments.PLAIN_IMAGE)


def main() -> None:
    """Run every cohort that is not done yet; write the table."""
    parser(__doc__).parse_args()
    seed = 0
    settings, tables, seconds = {"seed": seed, "code": code_digest(__spec__.name)}, [], {}
    for cancer in COMPLETE:

        def compute(cancer: str = cancer) -> pd.DataFrame:
            return experiments.general(published(cancer), seed, given=GIVEN)

        table, seconds[cancer] = keep("without_tests", cancer, settings, compute)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    numbers = table.select_dtypes(np.floating).columns
    table[numbers] = table[numbers].round(5)
    by = ["experiment", "cancer", "part", "model", "protocol"]
    table = table.sort_values(by, ignore_index=True)
    write_results("without_tests", table, __spec__.name, settings, seconds)
    print(f"{len(table)} rows, {sum(seconds.values()) / 60:.1f} minutes")


if __name__ == "__main__":
    call(main)
