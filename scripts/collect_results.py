"""Gather scores of notebooks 3 and 4 on published data: python scripts/collect_results.py [RESULTS] → data/results/published.csv.

Make the runs first, for each cancer at hand:
  papermill notebooks/03_general_learning.ipynb out.ipynb -p cancer KICH -p source published
  papermill notebooks/04_transfer_learning.ipynb out.ipynb -p cancer KICH -p source published
"""

import json
import sys
from pathlib import Path

import pandas as pd

from degnext.files import write_atomic
from degnext.paths import data_dir, results_dir

folder = results_dir(sys.argv[1] if len(sys.argv) > 1 else None) / "published"
paths = sorted(folder.glob("*/0[34]_*/scores.csv"))
if not paths:
    sys.exit(f"no scores under {folder}: run notebooks 3 and 4 with source=published first")
table = pd.concat([pd.read_csv(p) for p in paths], ignore_index=True)
table = table.sort_values(["experiment", "cancer", "part", "model", "fold"], ignore_index=True)
target = data_dir() / "results"
write_atomic(target / "published.csv", table.round(5).to_csv(index=False))
runs = {f"{p.parent.parent.name}/{p.parent.name}": json.loads((p.parent / "run.json").read_text()) for p in paths}
for run in runs.values():  # no path of the machine that made them
    run["parameters"] = {k: v for k, v in run["parameters"].items() if k not in ("data_dir", "results_dir", "counts_path", "groups_path")}
write_atomic(target / "published.run.json", runs)
print(f"{len(table)} rows from {len(paths)} runs")
