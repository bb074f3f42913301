"""degnext.figures: each function draws its data on the axis it is given and returns it."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from degnext.figures import cohort as plot
from degnext.figures import gene_sets, scores


@pytest.fixture
def ax(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a plot neither shows nor saves")

    monkeypatch.setattr(plt, "show", refuse)
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", refuse)
    fig, axis = plt.subplots()
    yield axis
    fig.canvas.draw()  # whatever was drawn can be drawn
    assert plt.get_fignums() == [fig.number], "a plot opened a figure of its own"
    plt.close(fig)


def legend(ax) -> list[str]:
    return [t.get_text() for t in ax.get_legend().get_texts()]


def test_the_backend_needs_no_screen():
    assert matplotlib.get_backend().lower() == "agg"


def test_the_style_is_set_and_its_colours_are_apart(monkeypatch):
    with matplotlib.rc_context():
        plot.use_style()
        assert plt.rcParams["savefig.facecolor"] == "white" and plt.rcParams[
            "axes.prop_cycle"
        ].by_key()["color"] == list(plot.CYCLE)
    assert len(set(plot.COLORS.values())) == 5 and len(set(plot.CYCLE)) == 7


def test_library_sizes_are_drawn_in_millions(cohort, ax):
    assert plot.library_sizes(cohort.counts, cohort.is_tumor, ax) is ax
    heights = sorted(p.get_height() for p in ax.patches)
    np.testing.assert_allclose(heights, sorted(cohort.counts.sum() / 1e6))
    assert (
        legend(ax) == ["normal (n=6)", "tumor (n=9)"]
        and "million" in ax.get_ylabel()
        and ax.get_xlabel()
    )


def test_correlations_stand_in_their_groups_row_with_the_cut(cohort, ax):
    correlation = pd.Series(np.linspace(0.5, 0.99, 15), index=cohort.counts.columns)
    assert plot.sample_correlation(correlation, cohort.groups, 0.6, ax) is ax
    normal, tumor = (c.get_offsets() for c in ax.collections)
    assert (
        normal[:, 0].tolist() == correlation[:6].tolist()
        and tumor[:, 0].tolist() == correlation[6:].tolist()
    )
    assert (normal[:, 1] < 0.5).all() and (tumor[:, 1] > 0.5).all()
    assert (
        ax.lines[0].get_xdata()[0] == 0.6
        and ax.texts[0].get_text() == "cut 0.6"
        and "Spearman" in ax.get_xlabel()
    )


def test_relative_expression_is_level_for_equal_samples(ax):
    gene = np.array([[5], [50], [500]])
    counts = pd.DataFrame(
        np.hstack([gene, gene, gene, 4 * gene + 3]), columns=list("abcd")
    )  # the last one: log2(x + 1) + 2
    assert (
        plot.relative_log_expression(counts, np.array([True, False, False, True]), ax, "ratio")
        is ax
    )
    medians = ax.collections[-1].get_offsets()
    np.testing.assert_allclose(medians[:, 1], [0, 0, 0, 2])
    assert ax.get_ylabel() == "ratio" and "sample" in ax.get_xlabel()


def test_an_ma_plot_has_every_gene_in_its_colour_and_a_line_at_the_median(ax):
    table = pd.DataFrame({"log_fc": [-2, 3, 0.5, 5], "log_cpm": [1, 2, 3, 4.0]})
    assert plot.ma_plot(table, ["DR", "UR", "neutral", "UR"], ax) is ax
    assert legend(ax) == ["neutral (1)", "DR (1)", "UR (2)", "median +1.75"]
    np.testing.assert_allclose(ax.collections[2].get_offsets(), [[2, 3], [4, 5]])
    assert [line.get_ydata()[0] for line in ax.lines] == [0, 1.75]


def test_a_volcano_has_every_gene_in_its_colour_and_caps_the_highest(ax):
    table = pd.DataFrame({"log_fc": [-2, 3, 0.1, 5], "fdr": [1e-5, 1e-8, 0.5, 0.0]})
    assert plot.volcano(table, ["DR", "UR", "neutral", "UR"], ax, cap=30) is ax
    assert (
        legend(ax) == ["neutral (1)", "DR (1)", "UR (2)"]
        and "capped at 30" in ax.get_ylabel()
        and "fold change" in ax.get_xlabel()
    )
    up = ax.collections[2].get_offsets()
    np.testing.assert_allclose(up, [[3, 8], [5, 30]])
    assert (
        matplotlib.colors.to_hex(ax.collections[2].get_facecolor()[0]) == plot.COLORS["UR"].lower()
    )


def test_part_bars_add_up(make_labeled, ax):
    table = make_labeled().part_table()
    assert plot.part_bars(table, ax) is ax
    widths = np.array([[b.get_width() for b in c] for c in ax.containers])
    assert np.array_equal(widths, table[["DR", "UR", "neutral"]].T) and legend(ax) == [
        "DR",
        "UR",
        "neutral",
    ]
    assert [t.get_text() for t in ax.texts] == [
        f"{n:,}" for n in table["total"]
    ] and ax.get_xlabel() == "genes"


def test_a_confusion_table_shows_counts_and_row_shares(ax):
    assert plot.confusion(np.array([[30, 10], [0, 1500]]), ["DR", "UR"], ax) is ax
    assert [t.get_text() for t in ax.texts] == ["30\n75%", "10\n25%", "0\n0%", "1,500\n100%"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "label") and [
        t.get_text() for t in ax.get_xticklabels()
    ] == ["DR", "UR"]
    assert (ax.texts[1].get_position(), ax.texts[2].get_position()) == ((1, 0), (0, 1))


def test_an_empty_class_does_not_divide_by_zero(ax):
    plot.confusion(np.array([[0, 0], [1, 1]]), ["DR", "UR"], ax)
    assert ax.texts[0].get_text() == "0\n0%"


def test_a_learning_curve_marks_the_epoch_that_was_kept(ax):
    history = [
        {"epoch": e, "train_loss": 1 / e, "validation_loss": abs(e - 3) + 1} for e in range(1, 6)
    ]
    assert plot.learning_curve(history, ax) is ax
    assert (
        legend(ax) == ["training genes", "validation genes", "kept: epoch 3"]
        and ax.lines[2].get_xdata()[0] == 3
    )
    assert ax.get_xlabel() == "epoch" and "loss" in ax.get_ylabel() and ax.get_ylim()[0] == 0


def test_a_learning_curve_without_validation_marks_none(ax):
    plot.learning_curve([{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.5}], ax)
    assert legend(ax) == ["training genes"] and len(ax.lines) == 1


def models() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": ["A", "B", "C"],
            "mcc": [0.9, 0.5, 0.7],
            "mcc_low": [0.8, 0.4, 0.65],
            "mcc_high": [0.95, 0.8, 0.72],
            "paper_mcc": [0.92, None, None],
        }
    )


def test_dots_have_their_intervals_first_model_on_top(ax):
    assert plot.dot_intervals(models(), ax, reference="paper_mcc") is ax
    assert [t.get_text() for t in ax.get_yticklabels()] == ["C", "B", "A"]
    points, _, bars = ax.containers[0]
    assert list(points.get_xdata()) == [0.7, 0.5, 0.9]
    spans = [tuple(s[:, 0]) for s in bars[0].get_segments()]
    np.testing.assert_allclose(spans, [(0.65, 0.72), (0.4, 0.8), (0.8, 0.95)])
    assert sorted(legend(ax)) == ["over all genes, 95 % interval", "the paper"]


def test_dots_without_a_reference_have_no_mark_of_the_paper(ax):
    plot.dot_intervals(models().assign(paper_mcc=None), ax, reference="paper_mcc")
    assert legend(ax) == ["over all genes, 95 % interval"]


def test_enrichment_dots_show_the_best_terms_on_top(ax):
    table = pd.DataFrame(
        {
            "term": [f"term {i}" for i in range(9)] + ["x" * 80],
            "overlap": range(10, 0, -1),
            "size": 20,
            "expected": 5,
            "q_value": [0.0, *np.linspace(0.1, 1, 9)],
        }
    )
    assert gene_sets.enrichment_dots(table, ax, n_terms=4) is ax
    assert [t.get_text() for t in ax.get_yticklabels()] == ["term 3", "term 2", "term 1", "term 0"]
    np.testing.assert_allclose(
        ax.collections[1].get_offsets()[:, 0], [7 / 20, 8 / 20, 9 / 20, 10 / 20]
    )
    filled = [matplotlib.colors.to_hex(c) for c in ax.collections[1].get_facecolor()]
    assert filled == ["#ffffff"] * 3 + [plot.CYCLE[0].lower()]  # only the first has q < 0.05
    np.testing.assert_allclose(ax.collections[0].get_offsets()[:, 0], 0.25)
    assert "share" in ax.get_xlabel() and "q < 0.05" in ax.get_xlabel()


def test_long_terms_are_cut(ax):
    gene_sets.enrichment_dots(
        pd.DataFrame(
            {"term": ["x" * 80], "overlap": [3], "size": [9], "q_value": [0.5], "expected": 1.0}
        ),
        ax,
    )
    name = ax.get_yticklabels()[0].get_text()
    assert name.endswith("…") and len(name) == 51


def test_gsea_shows_both_ends_in_the_colour_of_their_direction(ax):
    nes = [3.0, 2.0, 0.5, -0.1, -2.0]
    table = pd.DataFrame({"term": list("abcde"), "nes": nes, "q_value": [0.01, 0.2, 1, 1, 0.01]})
    assert gene_sets.gsea_dots(table, ax, n_terms=2) is ax
    assert [t.get_text() for t in ax.get_yticklabels()] == ["e", "d", "b", "a"]
    edges = [matplotlib.colors.to_hex(c).upper() for c in ax.collections[1].get_edgecolor()]
    assert edges == [plot.COLORS[k] for k in ("DR", "DR", "UR", "UR")]
    filled = [matplotlib.colors.to_hex(c).upper() for c in ax.collections[1].get_facecolor()]
    assert filled == [plot.COLORS["DR"], "#FFFFFF", "#FFFFFF", plot.COLORS["UR"]]


def test_noise_curves_have_a_line_per_method_and_per_ceiling(ax):
    rows = [("CNN", "image", 1, 0.9), ("CNN", "image", 10, 0.7), ("ceiling", None, 1, 0.95)]
    table = pd.DataFrame(rows, columns=["model", "protocol", "level", "accuracy"])
    names = {("CNN", "image"): "the network"}
    assert scores.noise_curves(table.assign(accuracy_sd=0.1), ax, names, ["ceiling"]) is ax
    assert legend_names(ax) == ["ceiling", "the network"]
    assert ax.containers[0][0].get_ydata().tolist() == [0.9, 0.7] and ax.get_xscale() == "log"


def legend_names(ax) -> list[str]:
    return sorted(ax.get_legend_handles_labels()[1])
