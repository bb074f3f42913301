"""Write the committed scores into README.md, between its markers, and book/images/transfer.png.

    python -m reproduction.readme_tables

The scores are those of reproduction.experiments.network and reproduction.experiments.baselines.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from degnext._common.files import write_atomic
from degnext.cohorts.paper import paper_table
from degnext.figures import cohort as plot
from reproduction import tables as results
from reproduction.command import call, parser

ROOT = Path(__file__).resolve().parent.parent


def markdown(table: pd.DataFrame) -> list[str]:
    """Write a table as Markdown."""
    head = [table.index.name, *table.columns]
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *(
            "| " + " | ".join([name, *row]) + " |"
            for name, row in zip(table.index, table.to_numpy())
        ),
    ]


def text(table: pd.DataFrame) -> str:
    """Return the README's tables."""
    lines = [
        "**Never trained on** (transfer, all bio genes)",
        "",
        *markdown(results.beside_paper(table, "transfer", "Q")),
        "",
        results.scaling_of_the_rule(),
        "",
        "**Up, down or unchanged** (three classes, T2; the paper gives no number)",
        "",
        *markdown(
            results.beside_paper(table[table["cancer"].isin(["CHOL", "KICH", "READ"])], "", "T2")
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Write both."""
    parser(__doc__).parse_args()
    table = results.committed_scores()
    readme = (ROOT / "README.md").read_text()
    before, rest = readme.split("<!-- results -->")[0], readme.split("<!-- end of results -->")[1]
    write_atomic(
        ROOT / "README.md",
        before + "<!-- results -->\n" + text(table) + "\n<!-- end of results -->" + rest,
    )

    plot.use_style()
    scores, printed = results.mean_scores(table, "Q"), paper_table(3)
    cohorts = sorted(scores.index.unique("cancer"))
    fig, ax = plt.subplots(figsize=(8.4, 4))
    shown = [m for m in results.MAIN[1:] if m in scores.index.unique("method")]
    for i, name in enumerate(shown):
        part = scores.xs(name, level="method").reindex(cohorts)
        at = np.arange(len(cohorts)) + (i - (len(shown) - 1) / 2) * 0.14
        ax.errorbar(
            at,
            part["accuracy"],
            [part["accuracy"] - part["accuracy_low"], part["accuracy_high"] - part["accuracy"]],
            fmt="osD^v"[i],
            ms=6,
            label=name,
            color=plot.CYCLE[i],
        )
    ax.scatter(
        range(len(cohorts)),
        printed.reindex(cohorts)["accuracy"] / 100,
        marker="_",
        s=700,
        color="black",
        label=results.PAPER,
        zorder=0,
    )
    lowest = scores.xs("ProfileCNN", level="method")["accuracy"].min()
    ax.set(
        xticks=range(len(cohorts)),
        xticklabels=cohorts,
        ylabel="accuracy on all bio genes",
        title=f"Never trained on: ProfileCNN is right for at least {lowest:.1%} of genes",
    )
    ax.legend(fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.1))
    fig.savefig(ROOT / "book" / "images" / "transfer.png", dpi=120)


if __name__ == "__main__":
    call(main)
