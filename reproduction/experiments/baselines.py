"""Every baseline on every published cohort at hand, in both experiments.

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python -m reproduction.experiments.baselines
    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.baselines KICH READ   # print only
    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.baselines COAD ESCA --update

Writes data/results/baselines.csv (columns as evaluation.metrics.RESULT_COLUMNS; ``protocol`` holds
what the method was given) and baseline_rows.csv (how rows of different sample numbers are made
comparable: tested on the nine training cancers only). A killed run goes on at the cohort it was at:
finished cohorts lie in results/batch/baselines/.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from degnext._common.paths import data_dir
from degnext.cohorts.cohort import TRAINING, UNTRAINED, Cohort
from degnext.cohorts.published import published_parts
from degnext.evaluation import experiments
from degnext.evaluation.metrics import RESULT_COLUMNS
from degnext.evaluation.record import saved_results
from reproduction.command import call, parser
from reproduction.experiments import transfer_methods
from reproduction.sources import folder, published
from reproduction.store import code_digest, keep, write_results


def training(at_hand: list[str]) -> list[Cohort]:
    """Return the training cohorts at hand."""
    return [published(c) for c in TRAINING if c in at_hand]


def transfer(wanted: list[str], at_hand: list[str], seed: int) -> pd.DataFrame:
    """Train every method on the training cohorts and test it on Q of the others."""
    models = transfer_methods.train_transfer(training(at_hand), seed)
    tested = [c for c in UNTRAINED if c in wanted and {"F1", "T3"} <= set(published_parts(c))]
    return pd.concat([transfer_methods.transfer(models, published(c), seed) for c in tested])


def run(wanted: list[str], at_hand: list[str], settings: dict) -> tuple[pd.DataFrame, dict]:
    """Return the scores of both experiments and the seconds of each piece."""
    seed, tables, seconds = settings["seed"], [], {}
    pieces = {f"general {c}": lambda c=c: experiments.general(published(c), seed) for c in wanted}
    if set(wanted) & set(UNTRAINED):
        pieces = {"transfer": lambda: transfer(wanted, at_hand, seed)} | pieces
    for name, compute in pieces.items():
        key = name.replace(" ", "_")
        if name == "transfer" and wanted != at_hand:
            key += "_".join(wanted)
        table, seconds[name] = keep("baselines", key, settings, compute)
        tables.append(table)
    return pd.concat(tables, ignore_index=True), seconds


def write(table: pd.DataFrame, settings: dict, seconds: dict) -> None:
    """Write the scores in their order."""
    table = table.reindex(columns=list(RESULT_COLUMNS))
    numbers = table.select_dtypes(np.floating).columns
    table[numbers] = table[numbers].round(5)
    by = ["experiment", "cancer", "part", "model", "protocol"]
    table = table.sort_values(by, ignore_index=True)
    write_results("baselines", table, __spec__.name, settings, seconds)
    print(f"{len(table)} rows, {sum(seconds.values()) / 60:.1f} minutes")


def main() -> None:
    """Run what is not done yet and write the tables."""
    arguments = parser(__doc__)
    arguments.add_argument("cancers", nargs="*", help="only these; printed, not written")
    arguments.add_argument("--update", action="store_true", help="write them, beside the others")
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    at = folder("published")
    at_hand = [c for c in (*UNTRAINED, *TRAINING) if published_parts(c, at)]
    settings = {"seed": args.seed, "code": code_digest(__spec__.name)}
    if args.cancers:
        table, seconds = run([c for c in at_hand if c in args.cancers], at_hand, settings)
        by = {"index": ["model", "protocol"], "columns": ["cancer", "part"]}
        print(table.pivot_table(values="accuracy", **by).round(3).to_string())
        if args.update:
            others = saved_results("baselines").query("cancer not in @args.cancers")
            record = json.loads((data_dir() / "results" / "baselines.run.json").read_text())
            every = pd.concat([others, table], ignore_index=True)
            write(every, settings, record["seconds"] | seconds)
        return

    def rows() -> pd.DataFrame:
        return transfer_methods.compare_row_ways(training(at_hand), args.seed)

    ways, spent = keep("baselines", "rows", settings, rows)
    write_results("baseline_rows", ways, __spec__.name, settings, {"rows": spent})
    table, seconds = run(at_hand, at_hand, settings)
    write(table, settings, seconds)


if __name__ == "__main__":
    call(main)
