"""Finished tables and sentences from the committed scores, for the results page and the README.

    python -m reproduction.tables

Reads data/results/network.csv and baselines.csv (reproduction.experiments) and the paper's tables.
Writes data/results/summary_transfer.csv, summary_general.csv and summary_three_classes.csv (methods
beside the paper), summary_network.csv (the paper's network as rows beside baselines.csv),
summary_training.csv (what our own training lacks), summary_text.csv, and those of chapters 5, 6 and 8
(reproduction.summaries).
"""

from __future__ import annotations

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from reproduction.command import call, parser
from reproduction.scores import (
    beside_paper,
    committed_scores,
    network_means,
    read_scores,
    three_classes,
    what_training_lacks,
)
from reproduction.sentences import sentences
from reproduction.summaries import chapter_tables


def summaries() -> dict[str, pd.DataFrame]:
    """Return every finished table by the name of its file."""
    table, network = committed_scores(), read_scores("network")
    return {
        "summary_transfer": beside_paper(table, "transfer", "Q").reset_index(),
        "summary_general": beside_paper(table, "general", "T3").reset_index(),
        "summary_three_classes": three_classes(table).reset_index(),
        "summary_network": network_means(table),
        "summary_training": what_training_lacks(network).round(5).reset_index(),
        "summary_text": sentences(table, network),
    } | chapter_tables()


def main() -> None:
    """Write every finished table."""
    parser(__doc__).parse_args()
    for name, table in summaries().items():
        write_atomic(data_dir() / "results" / f"{name}.csv", table.to_csv(index=False))
        print(f"data/results/{name}.csv: {len(table)} rows")


if __name__ == "__main__":
    call(main)
