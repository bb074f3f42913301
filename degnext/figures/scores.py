"""Figures that compare methods by size, noise and rank; and how sure a network is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.figures.cohort import CYCLE, MARKS, interval


def noise_curves(
    table: pd.DataFrame, ax: Axes, names: Mapping[tuple[str, str], str], limits: Sequence[str] = ()
) -> Axes:
    """Draw mean accuracy and spread of draws by level of noise, and the ceilings.

    table: columns model, protocol, level, accuracy, accuracy_sd. names: (model, protocol) -> label.
    limits: the models that are ceilings, of any rule and of even-handed rules.
    """
    protocol = table["protocol"].fillna("")
    for i, ((model, given), label) in enumerate(names.items()):
        rows = table[(table["model"] == model) & (protocol == given)]
        mean = rows.groupby("level")[["accuracy", "accuracy_sd"]].mean()
        style = {"marker": MARKS[i % 7], "color": CYCLE[i % 7], "ms": 4, "capsize": 2, "lw": 1.2}
        ax.errorbar(mean.index, mean["accuracy"], mean["accuracy_sd"], label=label, **style)
    for model, line, label in zip(limits, "-:", ("ceiling", "ceiling of even-handed rules")):
        mean = table[table["model"] == model].groupby("level")["accuracy"].mean()
        ax.plot(mean.index, mean, color="grey", lw=3, ls=line, alpha=0.5, label=label)
    ax.set(xscale="log", ylim=(0.35, 1.02))
    return ax


def reliability_curve(bins: pd.DataFrame, ax: Axes) -> Axes:
    """Draw accuracy against confidence by bins; larger points stand for more genes."""
    x, y = bins["confidence"], bins["accuracy"]
    ax.plot([0.5, 1], [0.5, 1], color="black", lw=1, ls=":", label="as sure as right")
    ax.errorbar(x, y, yerr=interval(bins, "accuracy"), fmt="none", color=CYCLE[0], capsize=3)
    ax.scatter(x, y, s=20 + 40 * np.log10(bins["n"]), color=CYCLE[0], zorder=3)
    beside = {"xytext": (7, -11), "textcoords": "offset points", "fontsize": 8}
    for n, place in zip(bins["n"], zip(x, y)):
        ax.annotate(f"{n:,}", place, **beside)
    ax.set(xlabel="confidence (largest probability)", ylabel="share right")
    ax.set(xlim=(0.48, 1.05), ylim=(-0.06, 1.06))
    ax.legend(loc="lower right")
    return ax


def coverage_curve(curve: pd.DataFrame, ax: Axes, rule_accuracy: float | None = None) -> Axes:
    """Draw the error among the surest genes by the share answered; the rule answers all."""
    right = curve.loc[curve["wrong"] == 0, "coverage"]
    silent = 1 - right.max() if len(right) else 1.0
    left = 100 * max(0.0, 1 - max(0.05, 3 * silent))  # where something happens
    x, y = 100 * curve["coverage"], 100 * (1 - curve["accuracy"])
    line = {"where": "post", "color": CYCLE[0], "lw": 2}
    ax.step(x, y, label="network, surest genes first", **line)
    if rule_accuracy is not None:
        dot = {"marker": "D", "color": CYCLE[1], "zorder": 3, "clip_on": False}
        wrong = 100 * (1 - rule_accuracy)
        ax.scatter([100], [wrong], label="log-fold-change rule, all genes", **dot)
    ax.set(xlabel="genes answered (%)", ylabel="wrong among them (%)")
    ax.set(xlim=(left, 100), ylim=(0, None))
    ax.legend(loc="upper left")
    return ax


def lead_table(lead: pd.DataFrame, value: str, ax: Axes) -> Axes:
    """Draw differences to the best test as coloured cells, cohorts × samples per group.

    lead: columns cancer ("mean" for the mean over cohorts), k and ``value``.
    """
    table = lead.pivot(index="cancer", columns="k", values=value)
    table = table.loc[[c for c in table.index if c != "mean"] + ["mean"]]
    top = np.nanmax(np.abs(table.to_numpy()))
    ax.imshow(table, cmap="PuOr_r", vmin=-top, vmax=top, aspect="auto")
    _write_cells(table, ax, "{:+.3f}".format, lambda v: abs(v) > 0.6 * top, fontsize=9)
    ax.set(xlabel="samples per group")
    ax.axhline(len(table) - 1.5, color="black", lw=1)
    return ax


def rank_plot(
    ranks: pd.Series, critical_difference: float, ax: Axes, highlight: Sequence[str] = ()
) -> Axes:
    """Draw average ranks with bars of one critical difference: apart, methods differ.

    ranks: by method, best first. highlight: beginnings of names to colour.
    """
    y, half = np.arange(len(ranks))[::-1], critical_difference / 2
    colors = [CYCLE[int(name.startswith(tuple(highlight)))] for name in ranks.index]
    ax.hlines(y, ranks - half, ranks + half, color=colors, lw=3, alpha=0.35)
    ax.scatter(ranks, y, color=colors, zorder=3)
    worse = ranks.iloc[0] + critical_difference
    ax.axvline(worse, color="black", lw=1, ls=":")
    beside = {"xytext": (4, 0), "textcoords": "offset points", "fontsize": 9, "va": "top"}
    ax.annotate("worse than\nthe first →", (worse, y[0] + 0.4), **beside)
    ax.set(xlim=(0, None), ylim=(-0.7, len(y) - 0.3), xlabel="average rank (1 is best)")
    ax.set_yticks(y, ranks.index)
    return ax


def heat_map(table: pd.DataFrame, ax: Axes, low: float = 0.5, label: str = "AUC") -> Axes:
    """Draw methods × cohorts with the score in each cell, as the paper's Figures 3 and 4."""
    image = ax.imshow(table, cmap="viridis", vmin=low, vmax=1, aspect="auto")

    def text(v: float) -> str:
        return "1" if v >= 0.9995 else f"{v:.3f}".lstrip("0")

    _write_cells(table, ax, text, lambda v: v <= low + 0.65 * (1 - low), fontsize=8)
    if table.shape[1] > 8:
        ax.set_xticks(range(table.shape[1]), table.columns, rotation=60, ha="right")
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.7)
    return ax


def _write_cells(table: pd.DataFrame, ax: Axes, text, is_dark, fontsize: int) -> None:
    """Write each number into its cell, white on dark ones, and name rows and columns."""
    for (i, j), v in np.ndenumerate(table.to_numpy(float)):
        if np.isfinite(v):
            color = "white" if is_dark(v) else "black"
            ax.text(j, i, text(v), ha="center", va="center", color=color, fontsize=fontsize)
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.set_yticks(range(table.shape[0]), table.index)
    ax.grid(False)
