"""Write three lines of scores into README.md, between its markers, and book/images/transfer.png.

    python -m reproduction.readme_tables

The scores are those of reproduction.experiments.network and reproduction.experiments.baselines.
"""

from __future__ import annotations

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from degnext._common.files import write_atomic
from degnext.cohorts.paper import paper_table
from degnext.figures import cohort as plot
from reproduction.command import call, parser
from reproduction.scores import MAIN, PAPER, RELEASED, committed_scores, mean_scores
from reproduction.store import ROOT

START, END = "<!-- results -->", "<!-- end of results -->"


def text(table: pd.DataFrame) -> str:
    """Return the README's three lines; ``table`` is that of :func:`committed_scores`."""
    paper, corrected, profile, rule = MAIN[2:]
    q = means(table, "Q", (RELEASED, corrected, profile, rule))  # by the paper's protocol: six only
    t2 = means(table, "T2", MAIN[2:])
    printed = paper_table(3).loc[q.cohorts, "accuracy"].mean()
    return "\n".join(
        [
            f"- **It can be reproduced.** On the bio genes of all {len(q.cohorts)} cohorts never "
            f"trained on ({', '.join(q.cohorts)}) the paper reports a mean accuracy of "
            f"{printed:.1f} %; its released weights give {q.accuracy[RELEASED]:.1f} %.",
            f"- **One line of arithmetic does as well.** The sign of the log fold change reaches "
            f"{q.accuracy[rule]:.1f} % there, the paper's network with its faults put right "
            f"{q.accuracy[corrected]:.1f} %, our small ProfileCNN {q.accuracy[profile]:.1f} %.",
            f"- **Up, down or unchanged is the harder question.** On unseen genes (T2) of "
            f"{' and '.join(t2.cohorts)} the mean MCC is {t2.mcc[paper]:.2f} by the paper's "
            f"protocol, {t2.mcc[corrected]:.2f} corrected, {t2.mcc[rule]:.2f} for the rule and "
            f"{t2.mcc[profile]:.2f} for ProfileCNN (whose inputs were chosen with a look at these "
            "labels, see its card).",
        ]
    )


class Means(NamedTuple):
    """Mean scores by method over the cohorts that every method has."""

    cohorts: list[str]
    accuracy: pd.Series  # percent
    mcc: pd.Series


def means(table: pd.DataFrame, part: str, methods: tuple[str, ...]) -> Means:
    """Return mean accuracy and MCC of methods on a part, over the same cohorts for all."""
    wide = mean_scores(table, part)[["accuracy", "mcc"]].unstack("method")
    wide = wide.loc[:, (slice(None), list(methods))].dropna()
    return Means(sorted(wide.index), 100 * wide["accuracy"].mean(), wide["mcc"].mean())


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
