"""Fit the demo twins: python scripts/make_demo_cohorts.py, with DEGNEXT_DATA naming the folder that holds rnaseqdb/.

Reads the raw RSEM counts of RNAseqDB (Wang et al. 2018), rounds them, and writes data/demo/<cancer>.csv.gz and .json.
"""

import os
from pathlib import Path

from degnext.cohorts.demo import DEMO_CANCERS
from degnext.cohorts.user_tables import load_file
from degnext.labeling.twin import fit_parameters, save_parameters

raw = Path(os.environ["DEGNEXT_DATA"]) / "rnaseqdb"
target = Path(__file__).resolve().parents[2] / "data" / "demo"
for cancer in DEMO_CANCERS:
    paths = ",".join(
        str(raw / f"{cancer.lower()}-rsem-count-tcga{end}.txt.gz") for end in ("", "-t")
    )
    genes, info = fit_parameters(load_file(paths, cancer=cancer, round_counts=True))
    info["made_from"] = (
        "RNAseqDB RSEM expected counts, rounded (Wang et al. 2018, doi:10.1038/sdata.2018.61)"
    )
    path = save_parameters(genes, info, target)
    print(f"{cancer}: {len(genes):,} genes, {path.stat().st_size / 1e3:.0f} kB")
