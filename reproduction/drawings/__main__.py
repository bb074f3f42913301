"""Write the book's drawings to book/images: ``python -m reproduction.drawings``."""

from __future__ import annotations

from pathlib import Path

from degnext._common.files import write_atomic
from reproduction.command import call, parser
from reproduction.drawings.pictures import PICTURES

IMAGES = Path(__file__).resolve().parents[2] / "book" / "images"


def main() -> None:
    """Draw every picture, or say how."""
    parser(__doc__).parse_args()
    for picture in PICTURES:
        drawing = picture()
        write_atomic(IMAGES / f"{drawing.name}.svg", str(drawing))
        print(f"book/images/{drawing.name}.svg: {drawing.title}")


if __name__ == "__main__":
    call(main)
