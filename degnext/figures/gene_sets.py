"""Figures of enrichment: over-represented sets, and both ends of a ranking of sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.figures.cohort import COLORS, CYCLE


def enrichment_dots(table: pd.DataFrame, ax: Axes, n_terms: int = 12) -> Axes:
    """Draw the top terms: share of the set that was hit, sized by overlap, filled where q < 0.05.

    A tick marks the share that chance would give, table as of :func:`degnext.enrich`.
    """
    top = table.head(n_terms).iloc[::-1]
    y, fill = range(len(top)), np.where(top["q_value"] < 0.05, CYCLE[0], "white")
    style = {"marker": "|", "s": 120, "color": "black", "label": "expected by chance"}
    ax.scatter(top["expected"] / top["size"], y, **style)
    # the largest dot fills its line, and the line below the last is free for a legend
    dots = {"s": 18 + 6 * top["overlap"].clip(upper=80), "color": fill, "edgecolor": CYCLE[0]}
    ax.scatter(top["overlap"] / top["size"], y, zorder=3, clip_on=False, **dots)
    ax.set(xlabel="share of a set's genes called (filled: q < 0.05)", ylim=(-1.6, len(top) - 0.3))
    ax.set_yticks(y, _short(top["term"]))
    return ax


def gsea_dots(table: pd.DataFrame, ax: Axes, n_terms: int = 6) -> Axes:
    """Draw the ``n_terms`` sets at either end of a ranking by normalised enrichment score.

    Coloured by direction, filled where q < 0.05.
    """
    ends = pd.concat([table.head(n_terms), table.tail(n_terms)]).drop_duplicates("term")
    top = ends.sort_values("nes")
    color = np.where(top["nes"] > 0, COLORS["UR"], COLORS["DR"])
    fill, y = np.where(top["q_value"] < 0.05, color, "white"), range(len(top))
    ax.hlines(y, 0, top["nes"], color=color, lw=1, alpha=0.5)
    ax.scatter(top["nes"], y, s=60, edgecolor=color, color=fill, zorder=3)
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="normalised enrichment score (filled: q < 0.05)")
    ax.set_yticks(y, _short(top["term"]))
    return ax


def _short(terms: pd.Series) -> list[str]:
    return [t if len(t) <= 52 else t[:50].rstrip() + "…" for t in terms]
