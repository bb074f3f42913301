"""Figures that answer the pointer: hovering names the gene (bokeh, drawn without a server)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from bokeh.embed import components
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from bokeh.resources import INLINE
from IPython.display import HTML

from degnext.figures.cohort import COLORS

_MARKERS = {"neutral": "circle", "DR": "inverted_triangle", "UR": "triangle"}
_CAP = 60.0  # of −log10 FDR: above it, how small a number is says nothing more


def blank(title: str, tips: list[tuple[str, str]], height: int = 340, **settings) -> figure:
    """Return an empty plot that is as wide as its place, with a hover of ``tips``."""
    place = {"sizing_mode": "stretch_width", "toolbar_location": "below"}
    place |= {"active_drag": None, "tools": "pan,box_zoom,reset,save"}  # a finger scrolls the page
    plot = figure(title=title, tooltips=tips, height=height, **place | settings)
    plot.toolbar.logo = None
    return plot


def volcano_and_ma(table: pd.DataFrame, log_cpm: np.ndarray) -> tuple[figure, figure]:
    """Return two linked plots of all genes; a selection in one is one in both, hovering names it.

    table: of ``predict``, by rule ``standard`` (or with columns ``edger_log2_fold_change`` and
    ``edger_fdr`` of another test). log_cpm: log2 counts per million of each gene, its mean.
    """
    change, fdr = table["edger_log2_fold_change"], table["edger_fdr"]
    height = np.minimum(-np.log10(fdr.clip(lower=1e-300)), _CAP)
    names = table["symbol"].where(table["symbol"] != "", table["gene"])
    columns = {"change": change, "height": height, "level": log_cpm}
    frame = pd.DataFrame(columns).astype(np.float32).assign(gene=names)
    tips = [("gene", "@gene"), ("log2 fold change", "@change{0.00}")]
    tips += [("−log10 FDR", "@height{0.0}"), ("mean log2 CPM", "@level{0.0}")]
    look = {"output_backend": "webgl", "tools": "pan,box_zoom,wheel_zoom,lasso_select,reset,save"}
    volcano = blank("Volcano plot", tips, 420, **look)
    ma = blank("MA plot", tips, 420, **look)
    lone = (table["class"] == "abstain").all()  # a group of one sample
    for name, marker in ({"abstain": "circle"} if lone else _MARKERS).items():
        rows = frame[(table["class"] == name).to_numpy() & change.notna().to_numpy()]
        source = ColumnDataSource(rows.set_index("gene"))
        dot = {"source": source, "marker": marker, "color": COLORS[name], "line_color": None}
        dot |= {"legend_label": f"{name} ({len(rows):,})", "alpha": 0.6, "nonselection_alpha": 0.08}
        volcano.scatter("change", "height", size=5, **dot)
        ma.scatter("level", "change", size=5, **dot)
    volcano.xaxis.axis_label = ma.yaxis.axis_label = "log2 fold change, tumor over normal"
    capped = f" (at most {_CAP:g})" if (height >= _CAP).any() else ""
    volcano.yaxis.axis_label = f"−log10 FDR{capped}"
    ma.xaxis.axis_label = "mean level, log2 counts per million"
    return volcano, ma


def page(*plots: figure) -> HTML:
    """Return plots as HTML that needs no other host: the library is written into it."""
    for plot in plots:
        legend_above(plot)
    script, places = components(plots)
    library = INLINE.clone(components=["bokeh", "bokeh-gl"]).js_raw
    return HTML("".join(f"<script>{code}</script>" for code in library) + "".join(places) + script)


def legend_above(plot: figure) -> None:
    """Put the legend, if there is one, above the plot, where it hides nothing; a click hides."""
    for legend in plot.legend:
        legend.orientation, legend.spacing, legend.click_policy = "horizontal", 8, "hide"
        legend.padding, legend.border_line_color = 0, None
        plot.add_layout(legend, "above")
