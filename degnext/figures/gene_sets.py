"""Figures of enrichment: over-represented sets, and both ends of a ranking of sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.figures.cohort import COLORS


def enrichment_dots(table: pd.DataFrame, ax: Axes, n_terms: int = 12) -> Axes:
    """Draw the top terms: share of the set that was hit, sized by overlap, coloured by −log10 q."""
    top = table.head(n_terms).iloc[::-1]
    strength = -np.log10(top["q_value"].clip(lower=1e-30))
    dots = {"s": 18 + 6 * top["overlap"], "c": strength, "cmap": "viridis", "vmin": 0}
    points = ax.scatter(top["overlap"] / top["size"], range(len(top)), **dots)
    ax.set(xlabel="share of the set's genes that are called")
    ax.set_yticks(range(len(top)), _short(top["term"]))
    ax.figure.colorbar(points, ax=ax, label="−log10 q", shrink=0.8)
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
