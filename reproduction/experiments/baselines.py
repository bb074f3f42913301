"""Every baseline on every published cohort at hand, in both experiments: python scripts/run_baselines.py

    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python scripts/run_baselines.py              # all cohorts
    DEGNEXT_DATA=/path/to/data OMP_NUM_THREADS=1 python scripts/run_baselines.py KICH READ    # these cohorts only, printed and not written

Writes data/results/baselines.csv (columns as evaluate.RESULT_COLUMNS; `protocol` holds what the method was given) and baseline_rows.csv
(how rows of different sample numbers are made comparable: tested on the nine training cancers only). A killed run goes on at the cohort it
was at: finished cohorts lie in results/batch/baselines/.
"""

from __future__ import annotations

import argparse

import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.cohort import TRAINING, UNTRAINED
from degnext.cohorts.published import load_published, published_parts
from degnext.evaluation import experiments as benchmark
from degnext.evaluation.metrics import RESULT_COLUMNS
from reproduction import store as batch

MODULES = (
    "baselines",
    "benchmark",
    "rows",
    "encode",
    "evaluate",
    "profile",
    "profile_model",
    "profile_genes",
    "profile_train",
    "profile_steps",
)


def main() -> None:
    """Run what is not done yet and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "cancers", nargs="*", help="only these; the tables are then printed instead of written"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    folder = batch.need_published()
    at_hand = [c for c in (*UNTRAINED, *TRAINING) if published_parts(c, folder)]
    wanted = [c for c in at_hand if not args.cancers or c in args.cancers]
    settings = {"seed": args.seed, "code": batch.code_digest(MODULES)}
    tables, seconds = [], {}

    def load(cancer: str):
        return load_published(cancer, folder, train_part=None)

    if not args.cancers:
        rows, spent = batch.keep(
            "baselines",
            "rows",
            settings,
            lambda: benchmark.compare_row_ways(
                [load(c) for c in TRAINING if c in at_hand], args.seed
            ),
        )
        batch.write_results("baseline_rows", rows, settings, {"rows": spent})

    def transfer() -> pd.DataFrame:
        models = benchmark.train_transfer([load(c) for c in TRAINING if c in at_hand], args.seed)
        return pd.concat(
            [
                benchmark.transfer(models, load(c), args.seed)
                for c in UNTRAINED
                if c in wanted and {"F1", "T3"} <= set(published_parts(c, folder))
            ]
        )

    if any(c in UNTRAINED for c in wanted):
        table, seconds["transfer"] = batch.keep(
            "baselines", "transfer" + "_".join(args.cancers), settings, transfer
        )
        tables.append(table)
    for cancer in wanted:
        table, seconds[f"general {cancer}"] = batch.keep(
            "baselines",
            f"general_{cancer}",
            settings,
            lambda c=cancer: benchmark.general(load(c), args.seed),
        )
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    if args.cancers:
        print(
            table.pivot_table(
                index=["model", "protocol"], columns=["cancer", "part"], values="accuracy"
            )
            .round(3)
            .to_string()
        )
        return
    number = table.select_dtypes("float").columns
    table = table.reindex(columns=list(RESULT_COLUMNS))
    batch.write_results(
        "baselines",
        table.assign(**table[number].round(5)).sort_values(
            ["experiment", "cancer", "part", "model", "protocol"], ignore_index=True
        ),
        settings,
        seconds,
    )
    print(f"{len(table)} rows, {sum(seconds.values()) / 60:.1f} minutes")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None
