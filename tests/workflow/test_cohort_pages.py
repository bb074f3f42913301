"""Pages of further cohorts in the book: what they hold, what links to them, and that they build."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

import cohort_pages


def write(path: Path, *cells: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [nbformat.v4.new_markdown_cell(text) for text in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def test_a_cohort_gets_pages_of_its_own_and_links_that_lead_somewhere(tmp_path):
    book, runs = tmp_path / "book", tmp_path / "runs"
    write(book / "notebooks" / "10_across_cancers.ipynb", "# 10. Across", "text")
    (book / "_toc.yml").write_text("root: a\nparts:\n- caption: b\n  chapters: []\n")
    text = "(here)=\n# 2. Labels\n\n[one](01_preprocessing.ipynb), [three](03_general.ipynb)"
    write(runs / "READ" / "02_labeling" / "02_labeling.ipynb", text)
    write(runs / "READ" / "02_labeling" / "02_labeling.failed.ipynb", "no page")
    write(runs / "READ" / "01_preprocessing" / "01_preprocessing.ipynb", "# 1. First")
    cohort_pages.add_cohorts(book, runs, ["READ"], {"READ": "T1 is not at hand"})

    folder = book / "cohort_READ"
    names = ["01_preprocessing.ipynb", "02_labeling.ipynb", "cohort.md"]
    assert sorted(p.name for p in folder.iterdir()) == names
    page = nbformat.read(folder / "02_labeling.ipynb", 4).cells[0].source
    assert page.startswith("# READ: 2. Labels")
    assert "](01_preprocessing.ipynb)" in page and "](../notebooks/03_general.ipynb)" in page
    assert "**Mind:** T1 is not at hand." in (folder / "cohort.md").read_text()
    part = yaml.safe_load((book / "_toc.yml").read_text())["parts"][-1]["chapters"][0]
    files = [part["file"], *(s["file"] for s in part["sections"])]
    assert all(list(book.glob(f"{file}.*")) for file in files) and len(files) == 3
    across = nbformat.read(book / "notebooks" / "10_across_cancers.ipynb", 4)
    assert "[READ](../cohort_READ/cohort.md)" in across.cells[1].source


def test_a_chapter_that_cannot_run_says_why(tmp_path):
    write(tmp_path / "03_general.ipynb", "# 3. General\n\nLong text", "more")
    page = json.loads(cohort_pages.left_out(tmp_path / "03_general.ipynb", "BRCA", "no T1"))
    assert [c["source"] for c in page["cells"]] == [
        "# 3. General\n\nThis chapter did not run on BRCA: no T1."
    ]


@pytest.mark.slow
def test_a_book_of_two_cohorts_builds_without_a_warning(tmp_path, monkeypatch):
    """Notebooks that never ran stand in for executed ones: links and labels are the same."""
    import make_book

    for name in ("book", "notebooks", "_config.yml", "_toc.yml", "constraints.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.ipynb")]:
        for cancer in ("KICH", "READ")[: 2 if path.parent.name == "notebooks" else 1]:
            folder = tmp_path / "results" / "demo" / cancer / path.stem
            folder.mkdir(parents=True)
            shutil.copy(path, folder)
    monkeypatch.setattr(make_book, "ROOT", tmp_path)
    request = {"source": "demo", "pages": "KICH", "further": ["READ"], "missing": {}}
    index = make_book.build(request, tmp_path / "results")
    assert index, (tmp_path / "_build" / "build.log").read_text()[-3000:]
    html = index.parent
    assert "../cohort_READ/cohort.html" in (html / "notebooks/10_across_cancers.html").read_text()
    assert "01_preprocessing.html" in (html / "cohort_READ" / "cohort.html").read_text()
