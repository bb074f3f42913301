"""Fit the demo twins, the parameters from which the demo cohorts are drawn.

    DEGNEXT_DATA=/path/to/data python -m reproduction.demo_data.cohorts

DEGNEXT_DATA names the folder that holds rnaseqdb/. Reads the raw RSEM counts of RNAseqDB (Wang et
al. 2018), rounds them, and writes data/demo/<cancer>.csv.gz and .json.
"""

from __future__ import annotations

from degnext._common.paths import data_dir
from degnext.cohorts.demo import DEMO_CANCERS
from degnext.labeling.twin import fit_parameters, save_parameters
from reproduction.command import call, parser
from reproduction.sources import rnaseqdb

MADE_FROM = "RNAseqDB RSEM expected counts, rounded (Wang et al. 2018, doi:10.1038/sdata.2018.61)"


def main() -> None:
    """Fit and write all three."""
    parser(__doc__).parse_args()
    for cancer in DEMO_CANCERS:
        genes, info = fit_parameters(rnaseqdb(cancer))
        info["made_from"] = MADE_FROM
        path = save_parameters(genes, info, data_dir() / "demo")
        print(f"{cancer}: {len(genes):,} genes, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    call(main)
