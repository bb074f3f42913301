"""Write the committed scores into README.md, between its markers, and book/images/transfer.png.

    python -m reproduction.readme_tables

The scores are those of reproduction.experiments.network and reproduction.experiments.baselines.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from degnext._common.files import write_atomic
from degnext.cohorts.paper import paper_table
from degnext.figures import cohort as plot
from reproduction.command import call, parser
from reproduction.scores import (
    MAIN,
    PAPER,
    beside_paper,
    committed_scores,
    mean_scores,
    scaling_of_the_rule,
    three_classes,
)
from reproduction.store import ROOT

START, END = "<!-- results -->", "<!-- end of results -->"


def markdown(table: pd.DataFrame) -> list[str]:
    """Return a table as lines of Markdown."""
    head = [str(table.index.name), *table.columns]
    rows = ([name, *row] for name, row in zip(table.index, table.to_numpy()))
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def text(table: pd.DataFrame) -> str:
    """Return the README's tables; ``table`` is that of :func:`committed_scores`."""
    lines = ["**Never trained on** (transfer, all bio genes)", ""]
    lines += [*markdown(beside_paper(table, "transfer", "Q")), "", scaling_of_the_rule(), ""]
    lines += ["**Up, down or unchanged** (three classes, T2; the paper gives no number)", ""]
    return "\n".join([*lines, *markdown(three_classes(table))])


def between_markers(readme: str) -> str:
    """Return what README.md shows now."""
    return readme.split(START + "\n")[1].split("\n" + END)[0]


def figure(table: pd.DataFrame) -> Figure:
    """Draw accuracy on the bio genes of unseen cohorts by method, the paper's values as dashes."""
    plot.use_style()
    scores, printed = mean_scores(table, "Q"), paper_table(3)["accuracy"] / 100
    cohorts = sorted(scores.index.unique("cancer"))
    shown = [m for m in MAIN[1:] if m in scores.index.unique("method")]
    fig, ax = plt.subplots(figsize=(8.4, 4))
    place = np.arange(len(cohorts))
    for i, name in enumerate(shown):
        part = scores.xs(name, level="method").reindex(cohorts)
        y, low, high = (part[f"accuracy{end}"] for end in ("", "_low", "_high"))
        at = place + (i - (len(shown) - 1) / 2) * 0.14
        style = {"fmt": "osD^v"[i], "ms": 6, "color": plot.CYCLE[i]}
        ax.errorbar(at, y, [y - low, high - y], label=name, **style)
    dash = {"marker": "_", "s": 700, "color": "black", "zorder": 0}
    ax.scatter(place, printed.reindex(cohorts), label=PAPER, **dash)
    lowest = scores.xs("ProfileCNN", level="method")["accuracy"].min()
    ax.set(xticks=place, xticklabels=cohorts, ylabel="accuracy on all bio genes")
    ax.set_title(f"Never trained on: ProfileCNN is right for at least {lowest:.1%} of genes")
    ax.legend(fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return fig


def main() -> None:
    """Write both."""
    parser(__doc__).parse_args()
    table, path = committed_scores(), ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    write_atomic(path, readme.replace(between_markers(readme), text(table)))
    figure(table).savefig(ROOT / "book" / "images" / "transfer.png", dpi=120)


if __name__ == "__main__":
    call(main)
