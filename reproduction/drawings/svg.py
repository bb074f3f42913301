"""A small pen: boxes, words, arrows and cells in an SVG that suits light and dark pages.

Ink is ``currentColor``: the book puts a drawing into the page, so it takes the colour of the
page's text. As a file of its own (JupyterLab) it follows the system's light or dark setting.
Drawings are 400 units wide, so that words of 13 units can be read on a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from degnext.figures.cohort import COLORS

WIDTH = 400
NORMAL, TUMOR, UR, DR, NEUTRAL = (COLORS[n] for n in ("normal", "tumor", "UR", "DR", "neutral"))
BLUE, GREEN, PINK, AMBER = "#0173b2", "#029e73", "#cc78bc", "#de8f05"  # seaborn's "colorblind"


class Drawing:
    """Collect shapes; ``str`` of it is the SVG. Coordinates in units, y downwards."""

    def __init__(self, name: str, height: float, title: str, text: str) -> None:
        self.name, self.height, self.title, self.text = name, height, title, text
        self.shapes: list[str] = []

    def put(self, tag: str, content: str = "", **attributes: object) -> None:
        """Add an element; ``stroke_width=2`` becomes ``stroke-width="2"``."""
        pairs = (f'{k.replace("_", "-")}="{escape(_plain(v))}"' for k, v in attributes.items())
        self.shapes.append(f"<{tag} {' '.join(pairs)}>{content}</{tag}>")

    def words(self, x: float, y: float, text: str, size: float = 13, **more: object) -> None:
        """Write lines (split at newlines), the first with its baseline at y, centred on x."""
        for i, line in enumerate(text.split("\n")):
            style: dict[str, object] = {"text_anchor": "middle", "fill": "currentColor"} | more
            at = {"x": x, "y": y + i * size * 1.25, "font_size": size}
            self.put("text", escape(line), **at, **style)

    def box(self, x: float, y: float, w: float, h: float, text: str, color: str = "") -> None:
        """Draw a rounded box with words in its middle; a colour tints it."""
        frame = {"x": x, "y": y, "width": w, "height": h, "rx": 6}
        tint = {"fill": color or "currentColor", "fill_opacity": 0.22 if color else 0.05}
        self.put("rect", **frame, **tint, stroke=color or "currentColor", stroke_width=1.5)
        lines = text.split("\n")
        top = y + h / 2 - (len(lines) - 1) * 13 * 1.25 / 2 + 4.5
        self.words(x + w / 2, top, text)

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """Draw a line through points that ends in a head."""
        path = "M" + " L".join(f"{_plain(x)} {_plain(y)}" for x, y in points)
        line = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5}
        self.put("path", d=path, **line, **({"stroke_dasharray": "4 3"} if dashed else {}))
        (x0, y0), (x, y) = points[-2:]
        n = max(((x - x0) ** 2 + (y - y0) ** 2) ** 0.5, 1e-9)
        u, v = (x - x0) / n, (y - y0) / n
        corners = (
            (x, y),
            (x - 8 * u - 4 * v, y - 8 * v + 4 * u),
            (x - 8 * u + 4 * v, y - 8 * v - 4 * u),
        )
        head = " ".join(f"{_plain(a)},{_plain(b)}" for a, b in corners)
        self.put("polygon", points=head, fill="currentColor")

    def line(self, x0: float, y0: float, x1: float, y1: float, **more: object) -> None:
        """Draw a straight line."""
        style: dict[str, object] = {"stroke": "currentColor", "stroke_width": 1.5} | more
        self.put("line", x1=x0, y1=y0, x2=x1, y2=y1, **style)

    def cells(
        self, x: float, y: float, rows: Sequence[Sequence[tuple[str, float]]], w: float, h: float
    ) -> None:
        """Draw a table of cells, each a colour and how strong it is (0 to 1)."""
        for i, row in enumerate(rows):
            for j, (color, strength) in enumerate(row):
                at = {"x": x + j * w, "y": y + i * h, "width": w, "height": h}
                fill = {"fill": color, "fill_opacity": 0.12 + 0.88 * strength}
                self.put("rect", **at, **fill, stroke="currentColor", stroke_width=0.6)

    def __str__(self) -> str:
        about = f"<title>{escape(self.title)}</title><desc>{escape(self.text)}</desc>"
        style = (
            f"<style>svg.drawing-{self.name}{{color:#1f2328}}"
            f"@media(prefers-color-scheme:dark){{svg.drawing-{self.name}{{color:#e6e6e6}}}}</style>"
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing drawing-{self.name}" '
            f'viewBox="0 0 {WIDTH} {_plain(self.height)}" width="{WIDTH}" '
            f'height="{_plain(self.height)}" '
            'role="img" font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">'
        )
        return "\n".join([head, about, style, *self.shapes, "</svg>\n"])


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
