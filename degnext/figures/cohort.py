"""Figures: each function takes an axis, draws on it, returns it, and neither shows nor saves."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.cohorts.cohort import CLASS_NAMES

# Okabe and Ito's palette: apart for every common kind of colour vision, and in grey
COLORS = {
    "DR": "#0072B2",
    "UR": "#D55E00",
    "neutral": "#8C8C8C",
    "normal": "#009E73",
    "tumor": "#CC79A7",
}
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def use_style() -> None:
    """Set fonts, grid and colours for every figure of the book; figures have a white ground in dark mode too."""
    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 4.2),
            "figure.dpi": 110,
            "savefig.facecolor": "white",
            "figure.facecolor": "white",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "axes.axisbelow": True,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 11,
            "legend.frameon": False,
            "axes.prop_cycle": plt.cycler(color=CYCLE),
            "figure.constrained_layout.use": True,
        }
    )


def library_sizes(counts: pd.DataFrame, is_tumor: np.ndarray, ax: Axes) -> Axes:
    """Draw each sample's library size in millions, sorted within its group."""
    start = 0
    for name, member in (("normal", ~is_tumor), ("tumor", is_tumor)):
        sizes = np.sort(counts.loc[:, member].sum().to_numpy() / 1e6)
        ax.bar(
            np.arange(start, start + len(sizes)),
            sizes,
            width=1.0,
            color=COLORS[name],
            label=f"{name} (n={len(sizes)})",
        )
        start += len(sizes) + 2
    ax.set(
        xlabel="sample, sorted within its group", ylabel="library size (million counts)", xticks=[]
    )
    ax.legend()
    return ax


def sample_correlation(correlation: pd.Series, groups: pd.Series, cut: float, ax: Axes) -> Axes:
    """Draw each sample's mean Spearman correlation with the others, and the cut below which it is an outlier."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(("normal", "tumor")):
        values = correlation[groups.loc[correlation.index] == name]
        ax.scatter(
            values, i + rng.uniform(-0.2, 0.2, len(values)), s=16, alpha=0.7, color=COLORS[name]
        )
    ax.axvline(cut, color="black", ls="--", lw=1)
    ax.annotate(f"cut {cut:g}", (cut, 1.35), xytext=(4, 0), textcoords="offset points", va="top")
    ax.set(
        yticks=[0, 1],
        yticklabels=["normal", "tumor"],
        ylim=(-0.5, 1.5),
        xlabel="mean Spearman correlation with the other samples",
    )
    return ax


def relative_log_expression(
    counts: pd.DataFrame, is_tumor: np.ndarray, ax: Axes, ylabel: str = "relative log2 expression"
) -> Axes:
    """Draw the median and the middle half of each sample's log2 ratio to the gene's median: level when scaled well."""
    logs = np.log2(counts.to_numpy(dtype=float) + 1)
    relative = logs - np.median(logs, axis=1, keepdims=True)
    low, mid, high = np.quantile(relative, [0.25, 0.5, 0.75], axis=0)
    order = np.argsort(is_tumor, kind="stable")
    colors = np.where(is_tumor[order], COLORS["tumor"], COLORS["normal"])
    x = np.arange(len(order))
    ax.vlines(x, low[order], high[order], color=colors, alpha=0.6)
    ax.scatter(x, mid[order], s=9, color="black", zorder=3)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(xlabel="sample (normal, then tumor)", ylabel=ylabel, xticks=[])
    return ax


def volcano(table: pd.DataFrame, label: pd.Series, ax: Axes, cap: float = 60.0) -> Axes:
    """Draw −log10 FDR against log2 fold change, coloured by call; points beyond ``cap`` sit on its line."""
    height = np.minimum(-np.log10(np.maximum(table["fdr"], 1e-300)), cap)
    for code in (2, 0, 1):
        rows = (label == code).to_numpy()
        name = CLASS_NAMES[code]
        ax.scatter(
            table["log_fc"][rows],
            height[rows],
            s=6,
            alpha=0.5,
            color=COLORS[name],
            label=f"{name} ({rows.sum():,})",
            rasterized=True,
        )
    ax.set(
        xlabel="log2 fold change, tumor over normal",
        ylabel="−log10 FDR" + (f" (capped at {cap:g})" if (height >= cap).any() else ""),
    )
    ax.legend(markerscale=2.5)
    return ax


def part_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw the classes of each part as stacked bars; ``table`` is :meth:`degnext.Cohort.part_table`."""
    left = np.zeros(len(table), dtype=int)
    for name in CLASS_NAMES:
        ax.barh(table.index, table[name], left=left, color=COLORS[name], label=name)
        left += table[name].to_numpy()
    ax.bar_label(ax.containers[-1], labels=[f"{n:,}" for n in left.tolist()], padding=3)
    ax.invert_yaxis()
    ax.set(xlabel="genes", ylabel="part", xlim=(0, left.max() * 1.12))
    ax.legend(ncols=3, loc="lower right")
    return ax


def confusion(
    table: np.ndarray,
    names: Sequence[str],
    ax: Axes,
    ylabel: str = "label",
    xlabel: str = "predicted",
) -> Axes:
    """Draw a confusion table with counts and row percentages."""
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*table.shape):
        ax.text(
            j,
            i,
            f"{table[i, j]:,}\n{share[i, j]:.0%}",
            ha="center",
            va="center",
            color="white" if share[i, j] > 0.55 else "black",
        )
    ticks = range(len(names))
    ax.set(
        xticks=ticks,
        xticklabels=names,
        yticks=ticks,
        yticklabels=names,
        xlabel=xlabel,
        ylabel=ylabel,
    )
    ax.grid(False)
    return ax


def learning_curve(history: list[dict], ax: Axes) -> Axes:
    """Draw training and validation loss by epoch and mark the epoch whose weights were kept."""
    table = pd.DataFrame(history)
    ax.plot(table["epoch"], table["train_loss"], marker="o", ms=3, label="training genes")
    if "validation_loss" in table:
        ax.plot(
            table["epoch"], table["validation_loss"], marker="s", ms=3, label="validation genes"
        )
        best = table.loc[table["validation_loss"].idxmin()]
        ax.axvline(
            best["epoch"], color="black", lw=1, ls=":", label=f"kept: epoch {int(best['epoch'])}"
        )
    ax.set(xlabel="epoch", ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    ax.legend()
    return ax


def dot_intervals(
    table: pd.DataFrame,
    ax: Axes,
    value: str = "mcc",
    reference: str | None = None,
    labels: str = "model",
) -> Axes:
    """Draw one row per model: its value, its 95 % interval, and a hollow mark for the paper's value where there is one."""
    table = table.iloc[::-1].reset_index(drop=True)
    y = np.arange(len(table))
    error = np.abs(table[[f"{value}_low", f"{value}_high"]].to_numpy().T - table[value].to_numpy())
    ax.errorbar(
        table[value],
        y,
        xerr=error,
        fmt="o",
        color=CYCLE[0],
        capsize=3,
        label="over all genes, 95 % interval",
    )
    if reference and table[reference].notna().any():
        ax.scatter(
            table[reference],
            y,
            marker="D",
            s=40,
            facecolor="none",
            edgecolor=CYCLE[1],
            zorder=3,
            label="the paper",
        )
    ax.set(yticks=y, yticklabels=table[labels], ylim=(-0.6, len(table) - 0.4))
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1
    ) if reference else None
    return ax


def enrichment_dots(table: pd.DataFrame, ax: Axes, n_terms: int = 12) -> Axes:
    """Draw the top terms: share of the set that was hit, sized by overlap, coloured by −log10 q."""
    top = table.head(n_terms).iloc[::-1]
    names = [t if len(t) <= 52 else t[:50].rstrip() + "…" for t in top["term"]]
    points = ax.scatter(
        top["overlap"] / top["size"],
        range(len(top)),
        s=18 + 6 * top["overlap"],
        c=-np.log10(top["q_value"].clip(lower=1e-30)),
        cmap="viridis",
        vmin=0,
    )
    ax.set(
        yticks=range(len(top)), yticklabels=names, xlabel="share of the set's genes that are called"
    )
    ax.figure.colorbar(points, ax=ax, label="−log10 q", shrink=0.8)
    return ax
