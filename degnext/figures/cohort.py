"""Figures of cohorts and of one model; every function draws on an axis and returns it."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from degnext.cohorts.cohort import CLASS_NAMES

# Okabe and Ito's palette: apart for every common kind of colour vision, and in grey
COLORS = {"DR": "#0072B2", "UR": "#D55E00", "neutral": "#8C8C8C", "abstain": "#8C8C8C"}
COLORS |= {"normal": "#009E73", "tumor": "#CC79A7"}
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "os^DvPX"


def use_style() -> None:
    """Set fonts, grid and colours of the book's figures; they are white in dark mode too."""
    figure = {"figsize": (7.2, 4.2), "dpi": 110, "facecolor": "white"}
    figure |= {"titlesize": 12, "titleweight": "bold"}
    axes = {"spines.top": False, "spines.right": False, "grid": True, "axisbelow": True}
    axes |= {"titlesize": 12, "titleweight": "bold", "titlelocation": "left", "labelsize": 11}
    plt.rc("figure", **figure)
    plt.rc("axes", prop_cycle=plt.cycler(color=CYCLE), **axes)
    plt.rcParams["figure.constrained_layout.use"] = True
    plt.rcParams["savefig.facecolor"] = "white"
    plt.rcParams["legend.frameon"] = False
    plt.rcParams["grid.alpha"] = 0.25


def library_sizes(counts: pd.DataFrame, is_tumor: np.ndarray, ax: Axes) -> Axes:
    """Draw each sample's library size in millions, sorted within its group."""
    start = 0
    for name, member in (("normal", ~is_tumor), ("tumor", is_tumor)):
        sizes = np.sort(counts.loc[:, member].sum().to_numpy() / 1e6)
        x, label = np.arange(start, start + len(sizes)), f"{name} (n={len(sizes)})"
        ax.bar(x, sizes, width=1.0, color=COLORS[name], label=label)
        start += len(sizes) + 2
    ax.set(xlabel="sample, sorted within its group", ylabel="library size (million counts)")
    ax.set_xticks([])
    ax.legend()
    return ax


def sample_correlation(correlation: pd.Series, groups: pd.Series, cut: float, ax: Axes) -> Axes:
    """Draw each sample's mean Spearman correlation with the others, and the cut for outliers."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(("normal", "tumor")):
        values = correlation[groups.loc[correlation.index] == name]
        height = i + rng.uniform(-0.2, 0.2, len(values))
        ax.scatter(values, height, s=16, alpha=0.7, color=COLORS[name])
    ax.axvline(cut, color="black", ls="--", lw=1)
    ax.annotate(f"cut {cut:g}", (cut, 1.35), xytext=(4, 0), textcoords="offset points", va="top")
    ax.set(xlabel="mean Spearman correlation with the other samples", ylim=(-0.5, 1.5))
    ax.set_yticks([0, 1], ["normal", "tumor"])
    return ax


def relative_log_expression(
    counts: pd.DataFrame, is_tumor: np.ndarray, ax: Axes, ylabel: str = "relative log2 expression"
) -> Axes:
    """Draw median and middle half of each sample's log2 ratios to the genes' medians."""
    logs = np.log2(counts.to_numpy(dtype=float) + 1)
    relative = logs - np.median(logs, axis=1, keepdims=True)
    order = np.argsort(is_tumor, kind="stable")
    low, mid, high = np.quantile(relative[:, order], [0.25, 0.5, 0.75], axis=0)
    colors = np.where(is_tumor[order], COLORS["tumor"], COLORS["normal"])
    x = np.arange(len(order))
    ax.vlines(x, low, high, color=colors, alpha=0.6)
    ax.scatter(x, mid, s=9, color="black", zorder=3)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(xlabel="sample (normal, then tumor)", ylabel=ylabel, xticks=[])
    return ax


def ma_plot(table: pd.DataFrame, labels: Sequence[str], ax: Axes) -> Axes:
    """Draw log2 fold change against mean log2 CPM, coloured by label, with the median gene's line.

    table: of differential_expression. labels: "DR", "UR" or "neutral" per gene.
    """
    middle = table["log_fc"].median()
    _genes(table["log_cpm"], table["log_fc"], labels, ax, s=5, alpha=0.4)
    ax.axhline(0, color="black", lw=1, ls="--")
    ax.axhline(middle, color="black", lw=1.5, label=f"median {middle:+.2f}")
    ax.set(xlabel="mean log2 counts per million", ylabel="log2 fold change, tumor over normal")
    ax.legend(markerscale=2.5, fontsize=8, loc="upper right", frameon=True, edgecolor="none")
    return ax


def volcano(table: pd.DataFrame, labels: Sequence[str], ax: Axes, cap: float = 60.0) -> Axes:
    """Draw −log10 FDR (at most ``cap``) against log2 fold change, coloured by label.

    table: of differential_expression. labels: "DR", "UR" or "neutral" per gene.
    """
    height = np.minimum(-np.log10(np.maximum(table["fdr"], 1e-300)), cap)
    _genes(table["log_fc"], height, labels, ax, s=6, alpha=0.5)
    capped = f" (capped at {cap:g})" if (height >= cap).any() else ""
    ax.set(xlabel="log2 fold change, tumor over normal", ylabel=f"−log10 FDR{capped}")
    ax.legend(markerscale=2.5)
    return ax


def _genes(x: pd.Series, y: pd.Series, labels: Sequence[str], ax: Axes, **dots: float) -> None:
    """Draw a dot per gene in the colour of its label, the neutral ones first."""
    for name in ("neutral", "DR", "UR"):
        rows = np.asarray(labels) == name
        about = {"color": COLORS[name], "label": f"{name} ({rows.sum():,})"}
        ax.scatter(x[rows], y[rows], rasterized=True, **about, **dots)


def part_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw the classes of each part as stacked bars; table: of ``Cohort.part_table``."""
    left = np.zeros(len(table), dtype=int)
    for name in CLASS_NAMES:
        ax.barh(table.index, table[name], left=left, color=COLORS[name], label=name)
        left += table[name].to_numpy()
    ax.bar_label(ax.containers[-1], labels=[f"{n:,}" for n in left.tolist()], padding=3)
    ax.invert_yaxis()
    ax.set(xlabel="genes", ylabel="part", xlim=(0, left.max() * 1.12))
    ax.legend(ncols=3, loc="lower right")
    return ax


def confusion(table: np.ndarray, names: Sequence[str], ax: Axes) -> Axes:
    """Draw a confusion table with counts and row percentages."""
    table = np.asarray(table)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), n in np.ndenumerate(table):
        color = "white" if share[i, j] > 0.55 else "black"
        ax.text(j, i, f"{n:,}\n{share[i, j]:.0%}", ha="center", va="center", color=color)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted", ylabel="label")
    ax.grid(False)
    return ax


def learning_curve(history: list[dict], ax: Axes) -> Axes:
    """Draw training and validation loss by epoch and mark the epoch whose weights were kept."""
    table = pd.DataFrame(history)
    ax.plot(table["epoch"], table["train_loss"], marker="o", ms=3, label="training genes")
    if "validation_loss" in table:
        loss = table["validation_loss"]
        ax.plot(table["epoch"], loss, marker="s", ms=3, label="validation genes")
        best = int(table.loc[loss.idxmin(), "epoch"])
        ax.axvline(best, color="black", lw=1, ls=":", label=f"kept: epoch {best}")
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
    """Draw one row per model: value, 95 % interval, the paper's value (``reference``)."""
    table = table.iloc[::-1].reset_index(drop=True)
    y = np.arange(len(table))
    dots = {"fmt": "o", "color": CYCLE[0], "capsize": 3}
    name = "over all genes, 95 % interval"
    ax.errorbar(table[value], y, xerr=interval(table, value), label=name, **dots)
    if reference and table[reference].notna().any():
        hollow = {"marker": "D", "s": 40, "facecolor": "none", "edgecolor": CYCLE[1], "zorder": 3}
        ax.scatter(table[reference], y, label="the paper", **hollow)
    ax.set(ylim=(-0.6, len(table) - 0.4))
    ax.set_yticks(y, table[labels])
    if reference:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)
    return ax


def interval(table: pd.DataFrame, value: str) -> np.ndarray:
    """Return the distances (2, rows) of ``value`` to its columns ``_low`` and ``_high``."""
    return np.abs(table[[f"{value}_low", f"{value}_high"]].to_numpy().T - table[value].to_numpy())
