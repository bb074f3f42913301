"""Gather scores of notebooks 3 and 4 on published data: python scripts/collect_results.py [RESULTS].

Writes data/results/published.csv, the table in README.md between its markers, and book/images/transfer.png. Make the runs first:
  make book CANCER=KICH SOURCE=published      (also CHOL and READ)
  papermill notebooks/04_transfer_learning.ipynb out.ipynb -p cancer BLCA -p source published -p epochs 3      (also HNSC and STAD)
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


def percent(rows: pd.DataFrame) -> str:
    """Write one score as accuracy and MCC."""
    return f"{100 * rows['accuracy'].iloc[0]:.1f} %, {rows['mcc'].iloc[0]:.2f}" if len(rows) else "–"


ROOT = Path(__file__).resolve().parent.parent
transfer = table[table["part"] == "Q"]
models = ["the authors' released weights", "DEGnext", "ProfileCNN", "log-fold-change rule"]
lines = ["| cohort (never trained on) | genes | the paper | " + " | ".join(m if m != "DEGnext" else "paper's network, `corrected`" for m in models) + " |", "|" + "---|" * (len(models) + 3)]
for cancer, rows in transfer.groupby("cancer"):
    first = rows[rows["model"] == "DEGnext"].iloc[0]
    paper = f"{100 * first['paper_accuracy']:.1f} %, {first['paper_mcc']:.2f}"
    lines.append(f"| {cancer} | {int(first['n'])} | {paper} | " + " | ".join(percent(rows[rows["model"] == m]) for m in models) + " |")
lines += ["", "| three classes (T2) | genes | paper's network, `corrected` | ProfileCNN | log-fold-change rule with learned threshold |", "|---|---|---|---|---|"]
for cancer, rows in table[table["part"] == "T2"].groupby("cancer"):
    lines.append(f"| {cancer} | {int(rows['n'].iloc[0])} | " + " | ".join(percent(rows[rows["model"] == m]) for m in models[1:]) + " |")
readme = (ROOT / "README.md").read_text()
before, rest = readme.split("<!-- results -->")[0], readme.split("<!-- end of results -->")[1]
write_atomic(ROOT / "README.md", before + "<!-- results -->\n" + "\n".join(lines) + "\n<!-- end of results -->" + rest)

import matplotlib.pyplot as plt  # noqa: E402

from degnext import plot  # noqa: E402

plot.use_style()
cohorts = sorted(transfer["cancer"].unique())
fig, ax = plt.subplots(figsize=(8, 3.8))
for i, name in enumerate(models):
    part = transfer[transfer["model"] == name].set_index("cancer").reindex(cohorts)
    at = [k + (i - 1.5) * 0.15 for k in range(len(cohorts))]
    error = [part["accuracy"] - part["accuracy_low"], part["accuracy_high"] - part["accuracy"]]
    ax.errorbar(at, part["accuracy"], error, fmt="osD^"[i], ms=6, label=name if name != "DEGnext" else "paper's network, corrected", color=plot.CYCLE[i])
paper = transfer.groupby("cancer")["paper_accuracy"].first().reindex(cohorts)
ax.scatter(range(len(cohorts)), paper, marker="_", s=500, color="black", label="the paper", zorder=0)
lowest = transfer[transfer["model"] == "ProfileCNN"]["accuracy"].min()
ax.set(xticks=range(len(cohorts)), xticklabels=cohorts, ylabel="accuracy on all bio genes", title=f"Never trained on: ProfileCNN is right for at least {lowest:.1%} of genes")
ax.legend(fontsize=9, ncols=2, loc="lower left")
(ROOT / "book" / "images").mkdir(exist_ok=True)
fig.savefig(ROOT / "book" / "images" / "transfer.png", dpi=120)
