#!/usr/bin/env python
"""Write data/disease_genes/demo.csv: CancerMine's genes for the three demo cohorts.

Run with DEGNEXT_DATA set to the folder that holds cancer_genes/cancermine_collated.v47.tsv.gz:

    DEGNEXT_DATA=... python scripts/make_demo_disease_genes.py

Which CancerMine terms stand for a cohort is in data/disease_genes/cancer_terms.csv.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir, shared_data
from degnext.labeling.disease_genes import cancer_terms, read_cancermine

DEMO_COHORTS = ("CHOL", "KICH", "READ")


def make_demo(cancermine: Path) -> pd.DataFrame:
    """Return columns gene, cancer, source, n_citations: every CancerMine gene of the demo cohorts, most cited first."""
    parts = []
    for cancer in DEMO_COHORTS:
        counts = read_cancermine(cancermine, cancer_terms(cancer, "cancermine"))
        parts.append(
            pd.DataFrame(
                {
                    "gene": counts.index,
                    "cancer": cancer,
                    "source": "CancerMine v47",
                    "n_citations": counts.to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Write the table; the old one stays until the new one is whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=data_dir() / "disease_genes" / "demo.csv")
    args = parser.parse_args()
    root = shared_data()
    if root is None:
        raise SystemExit("set DEGNEXT_DATA to the folder that holds cancer_genes/")
    table = make_demo(root / "cancer_genes" / "cancermine_collated.v47.tsv.gz")
    temporary = args.out.with_suffix(".tmp")
    table.to_csv(temporary, index=False)
    os.replace(temporary, args.out)
    print(
        f"{args.out.name}: "
        + ", ".join(f"{c} {n}" for c, n in table["cancer"].value_counts().items())
        + " genes"
    )


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(str(error)) from None
