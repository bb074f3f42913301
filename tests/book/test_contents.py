"""The book's contents: every page is in the syllabus, the glossary is long enough to lean on."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")


def listed() -> list[str]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c["file"] for part in contents["parts"] for c in part["chapters"]]
    return [contents["root"], *chapters]


def test_every_page_stands_once_in_the_syllabus():
    notebooks = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.ipynb")]
    prose = [p for p in (ROOT / "book").glob("*.md") if not p.stem.isupper()]
    prose = [p for p in prose if not p.stem.startswith("LICENSE")]
    there = [str(p.relative_to(ROOT).with_suffix("")) for p in (*notebooks, *prose)]
    assert sorted(there) == sorted(listed())


def test_the_glossary_explains_45_terms_in_a_few_sentences():
    blocks = re.findall(r"^```\{glossary\}\n(.*?)^```", GLOSSARY, flags=re.M | re.S)
    entries = [e for b in blocks for e in b.strip().split("\n\n")]
    assert len(entries) >= 45
    for entry in entries:
        *terms, text = entry.split("\n")
        assert terms and text.startswith("  ") and not any(t.startswith(" ") for t in terms)
        assert 1 <= len(re.findall(r"[.:?](?:\s|$)", text)) <= 5, terms


def test_terms_in_the_pages_are_in_the_glossary():
    known = set(re.findall(r"^(\S.*)$", GLOSSARY, flags=re.M))
    for page in [*(ROOT / "book").glob("*.*"), *(ROOT / "notebooks").glob("*.ipynb")]:
        if page.suffix in (".md", ".ipynb"):
            text = page.read_text(encoding="utf-8")
            named = re.findall(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`", text)
            used = {(a or b).replace("\\n", " ").strip().lower() for a, b in named}
            assert used <= {k.lower() for k in known}, page.name
