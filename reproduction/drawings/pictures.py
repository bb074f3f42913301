"""The five drawings, one function each; what is a number in them is computed or read from code."""

from __future__ import annotations

import numpy as np

from degnext.learning.images import grid_shape
from degnext.learning.network import CHANNELS
from reproduction.drawings.svg import (
    AMBER,
    BLUE,
    DR,
    GREEN,
    NEUTRAL,
    NORMAL,
    PINK,
    TUMOR,
    UR,
    Drawing,
)


def pipeline() -> Drawing:
    """Draw the way from counts to calls, with the chapters along it."""
    text = (
        "Raw counts go through preprocessing (chapter 1) and labeling (2). Labelled genes train "
        "one network per cohort (3) and a network for unseen cohorts (4). Both are compared with "
        "simpler methods (5), disturbed (6) and given few samples (8). Called genes are searched "
        "for common functions (7), and the trained network reads your own counts (9)."
    )
    d = Drawing("pipeline", 500, "From counts to calls, chapter by chapter", text)
    d.box(70, 8, 260, 44, "raw counts\ngenes × samples, normal and tumor")
    d.arrow((200, 52), (200, 76))
    d.box(60, 78, 280, 44, "1 · Preprocessing\nwhich samples and genes can be used?", BLUE)
    d.arrow((200, 122), (200, 146))
    d.box(60, 148, 280, 44, "2 · Labeling\na test calls each gene UR, DR or neutral", BLUE)
    d.arrow((150, 192), (100, 222))
    d.arrow((250, 192), (300, 222))
    general = "3 · General learning\none network per cohort,\ntested on other genes"
    transfer = "4 · Transfer learning\ntrained on many cohorts,\ntested on unseen ones"
    d.box(8, 224, 186, 62, general, GREEN)
    d.box(206, 224, 186, 62, transfer, GREEN)
    d.arrow((100, 286), (150, 314))
    d.arrow((300, 286), (250, 314))
    asks = "5 · Baselines\u20036 · Noise\u20038 · Small samples\nhow good is it, and is it needed?"
    d.box(40, 316, 320, 44, asks, AMBER)
    d.arrow((150, 360), (100, 388))
    d.arrow((250, 360), (300, 388))
    d.box(8, 390, 186, 62, "7 · Enrichment\nwhat do called genes\nhave in common?", PINK)
    d.box(206, 390, 186, 62, "9 · Your own counts\na ready-made network\nranks your genes", PINK)
    d.words(200, 482, "UR: up in tumor\u2003DR: down in tumor", 13)
    return d


def split() -> Drawing:
    """Draw how a cohort's genes become P and Q, and these T1, T2, F1 and T3, with five folds."""
    text = (
        "The genes of a cohort are labelled UR, DR or neutral. UR and DR genes known in the "
        "disease are the bio genes Q; all others, and every neutral gene, are P. P is split 80 to "
        "20 into T1 (trains three classes) and T2 (tests them), Q into F1 (fine-tunes UR against "
        "DR) and T3 (tests that). The paper cuts T1 into five folds, each left out once."
    )
    d = Drawing("split", 432, "How the genes of a cohort are divided", text)
    d.words(200, 18, "all genes of a cohort, labelled in chapter 2", 13, font_weight="bold")
    for x, w, name, color in (
        (8, 90, "UR", UR),
        (98, 72, "DR", DR),
        (170, 222, "neutral", NEUTRAL),
    ):
        d.put("rect", x=x, y=28, width=w, height=30, fill=color, fill_opacity=0.3, stroke=color)
        d.words(x + w / 2, 48, name)
    d.arrow((90, 58), (70, 92))
    d.arrow((250, 58), (264, 92))
    d.box(8, 94, 132, 62, "Q · bio genes\nUR or DR, known\nin the disease", PINK)
    d.box(154, 94, 238, 62, "P · all other genes\nsome UR and DR,\nand every neutral gene", BLUE)
    halves = ((8, 80, "F1", "80 %"), (96, 44, "T3", "20 %"))
    halves += ((154, 172, "T1", "80 %"), (334, 58, "T2", "20 %"))
    for x, w, name, share in halves:
        d.arrow((x + w / 2, 156), (x + w / 2, 186))
        d.box(x, 188, w, 42, f"{name}\n{share}", PINK if x < 150 else BLUE)
    d.words(48, 248, "fine-tunes\nUR or DR", 12)
    d.words(118, 248, "tests\nthat", 12)
    d.words(240, 248, "trains\nUR, DR or neutral", 12)
    d.words(363, 248, "tests\nthat", 12)
    d.line(154, 280, 326, 280, stroke_dasharray="3 3")
    d.words(200, 302, "In the paper: five folds of T1, each left out once", 13, font_weight="bold")
    for i in range(5):
        for j in range(5):
            left_out = i == j
            at = {"x": 60 + j * 40, "y": 312 + i * 19, "width": 38, "height": 15, "rx": 2}
            fill = {"fill": AMBER if left_out else BLUE, "fill_opacity": 0.95 if left_out else 0.3}
            d.put("rect", **at, **fill)
        d.words(272, 324 + i * 19, f"network {i + 1}", 12, text_anchor="start")
    d.cells(60, 412, [[(BLUE, 0.2)]], 14, 12)
    d.words(80, 423, "learns", 12, text_anchor="start")
    d.cells(140, 412, [[(AMBER, 0.95)]], 14, 12)
    d.words(160, 423, "validates: when to stop", 12, text_anchor="start")
    return d


def gene_to_image() -> Drawing:
    """Draw one gene's row folded into the paper's grid, and drawn as a profile."""
    n_normal, n_tumor = 8, 16
    rng = np.random.default_rng(3)
    value = np.concatenate([rng.uniform(0.05, 0.4, n_normal), rng.uniform(0.4, 1.0, n_tumor)])
    cells = [(NORMAL if i < n_normal else TUMOR, float(v)) for i, v in enumerate(value)]
    height, width = grid_shape(len(cells))
    text = (
        f"A gene's row of {len(cells)} counts, {n_normal} normal and {n_tumor} tumor samples, is "
        f"folded row by row into a grid of {height} × {width} pixels; a line marks where normal "
        "samples end. The profile image sorts each group instead and draws its quantiles, normal "
        "above, tumor below, so neither number nor order of samples matters."
    )
    d = Drawing("gene_to_image", 470, "One gene: row, grid image, profile image", text)
    d.words(200, 18, "one gene's row: a count per sample", 13, font_weight="bold")
    d.cells(8, 30, [cells], 16, 26)
    d.line(8 + 16 * n_normal, 24, 8 + 16 * n_normal, 62, stroke_width=3)
    d.words(8 + 8 * n_normal, 78, f"{n_normal} normal", 13)
    d.words(8 + 16 * n_normal + 8 * n_tumor, 78, f"{n_tumor} tumor", 13)
    d.arrow((120, 90), (100, 116))
    d.arrow((270, 90), (292, 116))
    d.words(100, 134, "the paper's grid image", 13, font_weight="bold")
    d.words(100, 151, f"folded into {height} × {width} pixels", 12)
    x, side = 100 - width * 14, 28
    d.cells(x, 164, [cells[i : i + width] for i in range(0, len(cells), width)], side, side)
    d.line(
        x,
        164 + n_normal / width * side,
        x + width * side,
        164 + n_normal / width * side,
        stroke_width=3,
    )
    low = 164 + height * side
    d.words(
        100,
        low + 20,
        "the line between the groups\nlies elsewhere in each cohort;\norder of samples matters",
        12,
    )
    d.words(292, 134, "the profile image", 13, font_weight="bold")
    d.words(292, 151, "each group sorted, as quantiles", 12)
    points = np.linspace(0.06, 0.94, 8)
    rows = [(NORMAL, value[:n_normal]), (TUMOR, value[n_normal:])]
    quantiles = [[(c, float(q)) for q in np.quantile(v, points)] for c, v in rows]
    d.cells(208, 192, quantiles, 21, 34)
    d.words(292, 184, "normal", 12)
    d.words(292, 276, "tumor", 12)
    d.words(212, 296, "low", 12, text_anchor="start")
    d.words(372, 296, "high", 12, text_anchor="end")
    d.arrow((240, 292), (340, 292))
    d.words(
        292, low + 20, "two rows for every cohort;\nnumber and order of samples\ndo not matter", 12
    )
    d.words(200, 432, "faint: few counts\u2003strong: many counts", 12)
    d.cells(120, 442, [[(NORMAL, s) for s in (0.0, 0.5, 1.0)]], 26, 14)
    d.cells(206, 442, [[(TUMOR, s) for s in (0.0, 0.5, 1.0)]], 26, 14)
    return d


def networks() -> Drawing:
    """Draw the layers of the paper's network and of the profile network side by side."""
    pairs = [f"{n_in} → {mid} → {out}" for n_in, mid, out in CHANNELS]
    text = (
        "Left, the paper's network: a gene's image, four pairs of 3 × 3 convolutions with "
        f"{', '.join(pairs)} channels, a global maximum that keeps {CHANNELS[-1][-1]} numbers, "
        "five linear layers down to the classes. Right, ProfileCNN: convolutions along each "
        "group's quantiles, one across the two, mean and maximum, two linear layers."
    )
    d = Drawing("networks", 560, "The paper's network and the profile network", text)
    left, right = ["grid image\n1 × height × width"], ["profile image\nchannels × 2 × width"]
    left += [f"2 convolutions 3 × 3\n{pair} maps" for pair in pairs]
    left += [
        f"global maximum\n{CHANNELS[-1][-1]} numbers",
        "5 linear layers\n120, 64, 32, 8, classes",
    ]
    right += ["2 convolutions 1 × 3\nin each group: 32 maps", "average of neighbours\nwidth / 2"]
    right += ["convolution 2 × 3\nnormal against tumor: 64", "convolution 1 × 3\n64 maps"]
    right += ["mean and maximum\n128 numbers", "2 linear layers\n64, classes"]
    d.words(100, 18, "the paper's network", 13, font_weight="bold")
    d.words(300, 18, "ProfileCNN", 13, font_weight="bold")
    for x, layers in ((8, left), (206, right)):
        for i, layer in enumerate(layers):
            y = 30 + i * 68
            color = "" if i == 0 else AMBER if "maximum" in layer else GREEN
            color = PINK if "linear" in layer else color
            d.box(x, y, 186, 44, layer, color)
            d.arrow((x + 93, y + 44), (x + 93, y + 66))
    d.box(8, 506, 186, 46, "DR, UR, neutral\n(fine-tuned: UR or DR)")
    d.box(206, 506, 186, 46, "DR, UR, neutral\n(swap groups: DR ↔ UR)")
    return d


def composition() -> Drawing:
    """Draw why shares mislead: one gene falls, and all others take larger shares unchanged."""
    molecules = np.array([[60.0, 10, 10, 10, 10], [20.0, 10, 10, 10, 10]])
    share = 100 * molecules / molecules.sum(1, keepdims=True)
    seeming = share[1, 1] / share[0, 1]
    text = (
        "By construction: four genes make 10 molecules each in normal and tumor, one huge gene "
        f"makes 60 and 20. Of 100 reads the four get 10 each in normal and {share[1, 1]:.1f} each "
        f"in tumor, so they seem {seeming:.2f}-fold up although nothing happened to them. TMM "
        "leaves the extreme gene out when it sets the scale: the four come out unchanged."
    )
    d = Drawing("composition", 470, "Composition: one gene falls, all others seem to rise", text)
    d.words(200, 18, "what the cells make (molecules)", 13, font_weight="bold")
    _bars(d, 28, molecules, 2.6, "{:.0f}")
    d.words(200, 152, "what the sequencer gives: 100 reads each", 13, font_weight="bold")
    _bars(d, 162, share, 2.6, "{:.0f}")
    d.arrow((200, 274), (200, 296))
    d.box(
        8,
        300,
        186,
        84,
        f"scaled by column sums\nhuge gene: down\nfour genes: {seeming:.2f}-fold UP",
        UR,
    )
    d.box(206, 300, 186, 84, "scaled by TMM\nhuge gene: down\nfour genes: unchanged", GREEN)
    d.words(
        200,
        408,
        "The sum of a column is set by its largest genes.\n"
        "TMM sets the scale by the many genes that agree.",
        13,
    )
    d.cells(96, 442, [[(BLUE, 0.7)]], 14, 14)
    d.words(116, 454, "huge gene", 12, text_anchor="start")
    d.cells(206, 442, [[(AMBER, 0.5)]], 14, 14)
    d.words(226, 454, "four other genes", 12, text_anchor="start")
    return d


def _bars(d: Drawing, y: float, values: np.ndarray, unit: float, form: str) -> None:
    """Draw one stacked bar for normal and one for tumor; values: 2 × genes."""
    for i, (name, row) in enumerate(zip(("normal", "tumor"), values)):
        x, top = 62.0, y + i * 50
        d.words(52, top + 26, name, 13, text_anchor="end")
        for j, value in enumerate(row.tolist()):
            color, strength = (BLUE, 0.7) if j == 0 else (AMBER, 0.5)
            d.cells(x, top, [[(color, strength)]], value * unit, 40)
            d.words(x + value * unit / 2, top + 25, form.format(value), 13)
            x += value * unit
        d.words(x + 6, top + 25, f"= {row.sum():.0f}", 13, text_anchor="start")


PICTURES = (pipeline, split, gene_to_image, networks, composition)
