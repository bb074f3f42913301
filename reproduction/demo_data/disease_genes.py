"""Write data/disease_genes/demo.csv: CancerMine's genes for the three demo cohorts.

    DEGNEXT_DATA=/path/to/data python -m reproduction.demo_data.disease_genes

DEGNEXT_DATA names the folder that holds cancer_genes/cancermine_collated.v47.tsv.gz. Which
CancerMine terms stand for a cohort is in data/disease_genes/cancer_terms.csv.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from degnext.cohorts.demo import DEMO_CANCERS
from degnext.labeling.disease_genes import cancer_terms, read_cancermine
from reproduction.command import call, parser
from reproduction.sources import folder


def make_demo(cancermine: Path) -> pd.DataFrame:
    """Return columns gene, cancer, source, n_citations: every CancerMine gene, most cited first."""
    parts = []
    for cancer in DEMO_CANCERS:
        counts = read_cancermine(cancermine, cancer_terms(cancer, "cancermine"))
        part = pd.DataFrame({"gene": counts.index, "cancer": cancer, "source": "CancerMine v47"})
        parts.append(part.assign(n_citations=counts.to_numpy()))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Write the table; the old one stays until the new one is whole."""
    arguments = parser(__doc__)
    target = data_dir() / "disease_genes" / "demo.csv"
    arguments.add_argument("--out", type=Path, default=target, help="default: data/disease_genes")
    out = arguments.parse_args().out
    table = make_demo(folder("cancer_genes") / "cancermine_collated.v47.tsv.gz")
    write_atomic(out, table.to_csv(index=False))
    counts = ", ".join(f"{c} {n}" for c, n in table["cancer"].value_counts().items())
    print(f"{out.name}: {counts} genes")


if __name__ == "__main__":
    call(main)
