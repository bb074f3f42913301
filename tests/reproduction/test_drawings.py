"""The committed drawings are what the code draws, and their words stay inside."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from reproduction.drawings.pictures import PICTURES
from reproduction.drawings.svg import WIDTH, Drawing

IMAGES = Path(__file__).resolve().parents[2] / "book" / "images"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda f: f.__name__)
def test_the_committed_file_is_what_the_code_draws(picture):
    drawing = picture()
    assert drawing.name == picture.__name__
    committed = (IMAGES / f"{drawing.name}.svg").read_text(encoding="utf-8")
    assert committed == str(drawing), "run python -m reproduction.drawings"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda f: f.__name__)
def test_words_are_readable_on_a_phone_and_stay_within_the_drawing(picture):
    drawing = picture()
    root = ElementTree.fromstring(str(drawing))
    assert root.find(f"{SVG}title").text and len(root.find(f"{SVG}desc").text) > 100
    for word in root.iter(f"{SVG}text"):
        size, x = float(word.get("font-size")), float(word.get("x"))
        wide = 0.56 * size * len(word.text)
        start = {"middle": x - wide / 2, "start": x, "end": x - wide}[word.get("text-anchor")]
        assert size >= 12 and word.get("fill") == "currentColor", word.text
        assert start >= -4 and start + wide <= WIDTH + 4, word.text
        assert 0 < float(word.get("y")) < drawing.height


def test_text_cannot_break_a_drawing():
    drawing = Drawing("a", 20, "<title> & more", "x")
    drawing.words(1, 1, "p < 0.01 & q")
    root = ElementTree.fromstring(str(drawing))
    assert root.find(f"{SVG}title").text == "<title> & more"
    assert root.find(f"{SVG}text").text == "p < 0.01 & q"
