"""Write the book's drawings to book/images: ``python -m reproduction.drawings``."""

from __future__ import annotations

from pathlib import Path

from degnext._common.files import write_atomic
from reproduction.drawings.pictures import PICTURES

IMAGES = Path(__file__).resolve().parents[2] / "book" / "images"

if __name__ == "__main__":
    for picture in PICTURES:
        drawing = picture()
        write_atomic(IMAGES / f"{drawing.name}.svg", str(drawing))
        print(f"book/images/{drawing.name}.svg: {drawing.title}")
