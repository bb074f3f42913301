"""Figures of the profile network: scores by number of samples, reliability, accuracy against coverage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.evaluation.ranks import Ranking
from degnext.figures.cohort import CYCLE

MARKS = ("o", "s", "^", "D", "v", "P", "X")


def by_size(
    summary: pd.DataFrame, value: str, ax: Axes, methods: tuple[str, ...], names: str = "method"
) -> Axes:
    """Draw mean scores by samples per group, one line per method (column ``names``), with 95 % intervals; from small_samples.summarize."""
    sizes = sorted(summary["k"].unique())
    for i, method in enumerate(methods):
        rows = summary[summary[names] == method].sort_values("k")
        x = np.array([sizes.index(k) for k in rows["k"]]) + 0.07 * (i - (len(methods) - 1) / 2)
        error = np.abs(
            rows[[f"{value}_low", f"{value}_high"]].to_numpy().T - rows[value].to_numpy()
        )
        ax.errorbar(
            x,
            rows[value],
            yerr=error,
            marker=MARKS[i],
            color=CYCLE[i],
            capsize=3,
            lw=2.2 if i == 0 else 1.2,
            ls="-" if i == 0 else "--",
            label=method,
        )
    ax.set(xticks=range(len(sizes)), xticklabels=sizes, xlabel="samples per group")
    return ax


def reliability_curve(bins: pd.DataFrame, ax: Axes) -> Axes:
    """Draw accuracy against confidence by bins; the size of a point tells how many genes it stands for."""
    error = np.abs(
        bins[["accuracy_low", "accuracy_high"]].to_numpy().T - bins["accuracy"].to_numpy()
    )
    ax.plot([0.5, 1], [0.5, 1], color="black", lw=1, ls=":", label="as sure as right")
    ax.errorbar(
        bins["confidence"], bins["accuracy"], yerr=error, fmt="none", color=CYCLE[0], capsize=3
    )
    ax.scatter(
        bins["confidence"],
        bins["accuracy"],
        s=20 + 40 * np.log10(bins["n"]),
        color=CYCLE[0],
        zorder=3,
    )
    for row in bins.itertuples():
        ax.annotate(
            f"{row.n:,}",
            (row.confidence, row.accuracy),
            xytext=(7, -11),
            textcoords="offset points",
            fontsize=8,
        )
    ax.set(
        xlabel="confidence (largest probability)",
        ylabel="share right",
        xlim=(0.48, 1.05),
        ylim=(-0.06, 1.06),
    )
    ax.legend(loc="lower right")
    return ax


def coverage_curve(curve: pd.DataFrame, ax: Axes, rule_accuracy: float | None = None) -> Axes:
    """Draw the error among the surest genes against the share answered; ``rule_accuracy`` adds the rule's, which answers all."""
    silent = (
        1 - curve.loc[curve["wrong"] == 0, "coverage"].max() if (curve["wrong"] == 0).any() else 1.0
    )
    left = 100 * max(
        0.0, 1 - max(0.05, 3 * silent)
    )  # the part of the curve where something happens
    ax.step(
        100 * curve["coverage"],
        100 * (1 - curve["accuracy"]),
        where="post",
        color=CYCLE[0],
        lw=2,
        label="network, surest genes first",
    )
    if rule_accuracy is not None:
        ax.scatter(
            [100],
            [100 * (1 - rule_accuracy)],
            marker="D",
            color=CYCLE[1],
            zorder=3,
            clip_on=False,
            label="log-fold-change rule, all genes",
        )
    ax.set(
        xlabel="genes answered (%)", ylabel="wrong among them (%)", xlim=(left, 100), ylim=(0, None)
    )
    ax.legend(loc="upper left")
    return ax


def lead_table(lead: pd.DataFrame, value: str, ax: Axes) -> Axes:
    """Draw differences to the best test as coloured cells, cohorts × samples per group; from small_samples.lead_over_peers."""
    table = lead.pivot(index="cancer", columns="k", values=value)
    table = table.loc[[c for c in table.index if c != "mean"] + ["mean"]]
    top = np.nanmax(np.abs(table.to_numpy()))
    ax.imshow(table, cmap="PuOr_r", vmin=-top, vmax=top, aspect="auto")
    for i, j in np.ndindex(*table.shape):
        if np.isfinite(shown := table.iloc[i, j]):
            ax.text(
                j,
                i,
                f"{shown:+.3f}",
                ha="center",
                va="center",
                color="white" if abs(shown) > 0.6 * top else "black",
                fontsize=9,
            )
    ax.set(
        xticks=range(table.shape[1]),
        xticklabels=table.columns,
        yticks=range(len(table)),
        yticklabels=table.index,
        xlabel="samples per group",
    )
    ax.axhline(len(table) - 1.5, color="black", lw=1)
    ax.grid(False)
    return ax


def rank_plot(ranking: Ranking, ax: Axes, highlight: Sequence[str] = ()) -> Axes:
    """Draw average ranks with a bar of one critical difference around each: methods whose bars do not overlap differ."""
    from degnext.figures.cohort import CYCLE

    y = np.arange(len(ranking.ranks))[::-1]
    colors = [
        CYCLE[1] if any(name.startswith(h) for h in highlight) else CYCLE[0]
        for name in ranking.ranks.index
    ]
    ax.hlines(
        y,
        ranking.ranks - ranking.critical_difference / 2,
        ranking.ranks + ranking.critical_difference / 2,
        color=colors,
        lw=3,
        alpha=0.35,
    )
    ax.scatter(ranking.ranks, y, color=colors, zorder=3)
    best = ranking.ranks.iloc[0] + ranking.critical_difference
    ax.axvline(best, color="black", lw=1, ls=":")
    ax.annotate(
        "worse than\nthe first →",
        (best, y[0] + 0.4),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=9,
        va="top",
    )
    ax.set(
        xlim=(0, None),
        yticks=y,
        yticklabels=ranking.ranks.index,
        ylim=(-0.7, len(y) - 0.3),
        xlabel=f"average rank over {ranking.n_cohorts} cohorts (1 is best)",
    )
    return ax


def heat_map(table: pd.DataFrame, ax: Axes, low: float = 0.5, label: str = "AUC") -> Axes:
    """Draw methods (rows) × cohorts with the score in each cell, as the paper's Figures 3 and 4 compare ROC scores."""
    image = ax.imshow(table, cmap="viridis", vmin=low, vmax=1, aspect="auto")
    for i, j in np.ndindex(*table.shape):
        v = table.iat[i, j]
        if v == v:
            text = "1" if v >= 0.9995 else f"{v:.3f}".lstrip("0")
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=8,
                color="black" if v > low + 0.65 * (1 - low) else "white",
            )
    ax.set(xticks=range(table.shape[1]), yticks=range(table.shape[0]), yticklabels=table.index)
    ax.set_xticklabels(
        table.columns,
        rotation=60 if table.shape[1] > 8 else 0,
        ha="right" if table.shape[1] > 8 else "center",
    )
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.7)
    return ax
