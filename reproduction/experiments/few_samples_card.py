"""Write what data/results/few_samples.csv shows into data/standard_rule.md, between its markers.

python -m reproduction.experiments.few_samples_card
"""

from __future__ import annotations

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from degnext.evaluation.record import saved_results
from reproduction.command import call, parser
from reproduction.experiments.few_samples_methods import NETWORK

START, END = "<!-- few_samples.csv, by few_samples_card -->\n", "<!-- end -->\n"
SHOWN = {NETWORK: "network and test", "edgeR LRT": "edgeR LRT"}
SHOWN |= {n: n for n in ("shrinkage alone", "edgeR LRT, 1.5-fold first", "edgeR QL")}
SHOWN |= {n: n for n in ("edgeR exact", "limma-voom", "fold change")}
SAME = {"mcc_same": "MCC at the network's number of calls (fdr=0.1)"}
SAME |= {"recall_at_10": "recall with a tenth wrong"}
LEVELS = (0.05, 0.1, 0.2)


def _line(name: str, values: pd.Series, digits: int = 3) -> str:
    cells = [f"{v:.{digits}f}" for v in values]
    return f"| {name} | {' | '.join(c.removeprefix('0') if digits == 3 else c for c in cells)} |"


def text(table: pd.DataFrame) -> str:
    """Return the table and the two sentences below it, from rows of cancer, size and method."""
    mean = table.groupby(["method", "samples"]).mean(numeric_only=True)
    tests = [name for name in table["method"].unique() if name.startswith(("edgeR", "limma"))]
    of = table[table["method"] == NETWORK].set_index(["cancer", "samples"])
    lines = ["| samples per group | 2 | 3 | 5 | 10 |", "|---|---|---|---|---|"]
    lines += [_line(f"average precision: {said}", mean.loc[n, "ap"]) for n, said in SHOWN.items()]
    for column, said in SAME.items():
        lines.append(_line(f"{said}: network", mean.loc[NETWORK, column]))
        best = mean.loc[tests, column].unstack().max()
        lines.append(_line("the same, best test on average", best))
    for q in LEVELS:
        said = f"realised error of the list, nominal {100 * q:.0f} %, in %"
        lines.append(_line(said, 100 * mean.loc[NETWORK, f"wrong_{q}"], 1))
    lines.append(_line("recall of the list at nominal 10 %", mean.loc[NETWORK, "recall_0.1"]))
    own = 100 * mean.loc["edgeR LRT", "wrong_0.05"]
    lines.append(_line("realised error of edgeR's LRT at FDR 5 %, in %", own, 1))
    return "\n".join([*lines, "", *_sentences(of)])


def _sentences(of: pd.DataFrame) -> list[str]:
    """Say how far realised and nominal errors of the network's list are apart, in points."""
    off = pd.DataFrame({q: 100 * (of[f"wrong_{q}"] - q) for q in LEVELS})
    means = ", ".join(f"{v:+.1f}" for v in off.mean())
    whole = of["whole_normal"].groupby("cancer").first().sort_values()
    points = off.groupby("cancer").mean().map("{:+.1f}".format).agg("/".join, axis=1)
    each = "; ".join(f"{c} ({n:.0f}) {points[c]}" for c, n in whole.items())
    far = "; ".join(f"{c} at {k}" for c, k in off[(off > 10).any(axis=1)].index)
    return [
        f"Realised less nominal error, mean over cancers and sizes: {means} points at 5, 10, 20 %.",
        f"By cancer (normal samples of the whole cohort): {each}.",
        f"More than 10 points above nominal at a single size: {far or 'none'}.\n",
    ]


def main() -> None:
    parser(__doc__).parse_args()
    path, table = data_dir() / "standard_rule.md", saved_results("few_samples")
    before, rest = path.read_text(encoding="utf-8").split(START)
    write_atomic(path, before + START + text(table) + END + rest.split(END)[1])


if __name__ == "__main__":
    call(main)
