"""Finished tables and sentences from the committed scores, for the results page and the README.

    python -m reproduction.tables

Reads data/results/network.csv and baselines.csv (reproduction.experiments) and the paper's tables.
Writes data/results/summary_*.csv: transfer, general and three_classes (methods beside the paper),
network (the paper's network as rows beside baselines.csv), training (what our own training lacks),
text (sentences), those of chapters 5, 6 and 8 (reproduction.summaries), and speed_* from
benchmarks/results.
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
from reproduction.store import ROOT
from reproduction.summaries import chapter_tables

SPEED = {
    "network": {
        "samples": "samples",
        "plain_genes_per_second": "plain loop, genes/s",
        "our_genes_per_second": "our loop, genes/s",
        "ratio": "ratio",
    },
    "profile": {
        "task": "task",
        "seconds": "ProfileCNN, s",
        "ratio_whole_training": "times the paper's network, our loop",
        "ratio_layer_by_layer": "times the same, layer by layer",
    },
}


def summaries() -> dict[str, pd.DataFrame]:
    """Return every finished table by the name of its file."""
    table, network = committed_scores(), read_scores("network")
    return (
        {
            "summary_transfer": beside_paper(table, "transfer", "Q").reset_index(),
            "summary_general": beside_paper(table, "general", "T3").reset_index(),
            "summary_three_classes": three_classes(table).reset_index(),
            "summary_network": network_means(table),
            "summary_training": what_training_lacks(network).round(5).reset_index(),
            "summary_text": sentences(table, network),
        }
        | chapter_tables()
        | speed()
    )


def speed() -> dict[str, pd.DataFrame]:
    """Return what benchmarks/ measured of both networks, with columns named for readers."""
    tables = {}
    for name, columns in SPEED.items():
        table = pd.read_csv(ROOT / "benchmarks" / "results" / f"{name}.csv")
        tables[f"summary_speed_{name}"] = table[list(columns)].rename(columns=columns)
    return tables


def main() -> None:
    """Write every finished table."""
    parser(__doc__).parse_args()
    for name, table in summaries().items():
        write_atomic(data_dir() / "results" / f"{name}.csv", table.to_csv(index=False))
        print(f"data/results/{name}.csv: {len(table)} rows")


if __name__ == "__main__":
    call(main)
