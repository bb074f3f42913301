"""Write the labs: what students get, solutions that were run, notes for the instructor, a zip.

Each notebook of ``notebooks/labs`` is the one source of its lab, in the format of otter-grader's
``assign``. A cell tagged ``instructor`` is for the notes alone. ``--slides`` makes slides as well;
``--numbers`` only writes what the solutions find into the instructor's guide.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib.util
import re
import shutil
import sys
import tempfile
import textwrap
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import nbformat
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "notebooks" / "labs"
OUT = ROOT / "_build" / "labs"
FOR_STUDENTS = """DEGnext labs

Each notebook is one lab of 50 minutes. It needs the package degnext and otter-grader, which run the
checks; no internet. In the repository: make labs, then .venv/bin/jupyter lab _build/labs/student
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", action="store_true", help="make slides as well")
    parser.add_argument("--numbers", action="store_true", help="renew book/lab_numbers.csv only")
    started, asked = time.perf_counter(), parser.parse_args()
    if asked.numbers:
        return write_numbers()
    shutil.rmtree(OUT, ignore_errors=True)
    sources = sorted(SOURCES.glob("*.ipynb"))
    for path in sources:
        student, solution = assign(path)
        write(student, OUT / "student" / path.name)
        write(solution, OUT / "solutions" / path.name)
        notes = OUT / "instructor" / f"{path.stem}.md"
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(instructor_notes(path), encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:  # each runs a kernel of its own
        seconds = list(pool.map(execute, sorted((OUT / "solutions").glob("*.ipynb"))))
    with zipfile.ZipFile(OUT / "degnext_labs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", FOR_STUDENTS)
        for path in sorted((OUT / "student").glob("*.ipynb")):
            archive.write(path, path.name)
    for path, took in zip(sources, seconds):
        print(f"{path.stem}: all checks pass, {took:.0f} s")
        if asked.slides:
            write_slides(OUT / "solutions" / path.name)
    print(f"The labs are ready after {time.perf_counter() - started:.0f} s: {OUT}")
    return 0


def write(notebook: NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def without_notes(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without the cells that are for the instructor."""
    kept = [c for c in notebook.cells if "instructor" not in c.metadata.get("tags", ())]
    return NotebookNode(notebook | {"cells": kept})


def assign(path: Path) -> tuple[NotebookNode, NotebookNode]:
    """Return the student's version and the solution of a lab, as ``otter assign`` makes them."""
    stand_in_for_pkg_resources()
    from otter.assign import main as otter_assign

    with tempfile.TemporaryDirectory() as folder:
        master, made = Path(folder) / path.name, Path(folder) / "made"
        write(without_notes(nbformat.read(path, 4)), master)
        otter_assign(master, made, no_pdfs=True, no_run_tests=True)
        student = nbformat.read(made / "student" / path.name, 4)
        return student, nbformat.read(made / "autograder" / path.name, 4)


def stand_in_for_pkg_resources() -> None:
    """Give otter-grader 5.7 the one function that it uses of a module gone from setuptools 82.

    Releases from 6 on need none of it, but want wrapt below 2, and constraints.txt pins wrapt 2.
    """

    def resource_filename(package: str, name: str) -> str:
        spec = importlib.util.find_spec(package)
        return str(Path(spec.origin).parent / name)

    module = ModuleType("pkg_resources")
    module.resource_filename = resource_filename
    sys.modules.setdefault("pkg_resources", module)


def execute(path: Path) -> float:
    """Run a solution in place, with all its checks; raise RuntimeError if one does not pass."""
    from nbclient import NotebookClient

    started, notebook = time.perf_counter(), nbformat.read(path, 4)
    quiet = {"extra_arguments": ["--log-level=ERROR"]}  # each kernel tells of TCP otherwise
    where = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, timeout=120, resources=where, **quiet).execute()
    write(notebook, path)
    (path.parent / ".OTTER_LOG").unlink(missing_ok=True)
    for cell in notebook.cells:
        if cell.source.startswith("grader.check"):
            shown = str(cell.outputs)
            if "passed!" not in shown:
                raise RuntimeError(f"{path.name}: {cell.source} fails on the solution: {shown}")
    return time.perf_counter() - started


def tasks(path: Path) -> list[dict]:
    """Return the tasks of a source: name, points, text, solution, and its hints in order."""
    found, where = [], None
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "raw":
            where = cell.source.splitlines()[0].removeprefix("# ")
            if where == "BEGIN QUESTION":
                about = yaml.safe_load(cell.source)
                found.append(about | {"text": "", "solution": "", "hints": []})
        elif where == "BEGIN QUESTION":
            found[-1]["text"] += cell.source
        elif where == "BEGIN SOLUTION":
            found[-1]["solution"] += cell.source
        elif where == "BEGIN TESTS":
            config = re.match(r'"""\s*# BEGIN TEST CONFIG\n(.*?)"""', cell.source, re.DOTALL)
            found[-1]["hints"].append(yaml.safe_load(config[1])["failure_message"])
    return found


def run_cells(notebook: NotebookNode, strict: bool = True) -> dict:
    """Execute the code cells, except checks, in one fresh name space, without a kernel."""
    import matplotlib

    matplotlib.use("agg")
    env = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.source.startswith("grader.check"):
            try:
                exec(compile(cell.source, cell.get("id", "cell"), "exec"), env)
            except Exception:
                if strict:
                    raise
    matplotlib.pyplot.close("all")
    return env


def numbers(path: Path, env: dict) -> list[tuple]:
    """Return lab, task, name, expected and found value of the numbers that a solution left."""
    rows = []
    for task in tasks(path):
        for name, expected in re.findall(r"`(\w+)` = (-?[\d.,]*\d)", task["text"]):
            rows.append((path.stem[:2], task["name"][1:], name, expected, f"{env[name]:.4g}"))
    return rows


def write_numbers() -> int:
    """Run the solutions and write book/lab_numbers.csv."""
    rows = [("lab", "task", "answer", "expected", "found")]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for path in sorted(SOURCES.glob("*.ipynb")):
            solution = assign(path)[1]
            write(solution, Path(path.name))
            rows += numbers(path, run_cells(solution))
    with open(ROOT / "book" / "lab_numbers.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return 0


def instructor_notes(path: Path) -> str:
    """Return Markdown: the instructor's cells, then each task with its solution and its hints."""
    cells = nbformat.read(path, 4).cells
    title = next(c.source for c in cells if c.cell_type == "markdown").splitlines()[0]
    own = [c.source for c in cells if "instructor" in c.metadata.get("tags", ())]
    lines = [title, *own]
    for task in tasks(path):
        marks = re.compile(r" *# (?:BEGIN |END )?SOLUTION.*")
        code = "\n".join(x for x in marks.sub("", task["solution"]).splitlines())
        text = (
            task["text"].strip().replace("## ", f"## {task['name']}, {task['points']} points. ", 1)
        )
        lines += [text, f"```python\n{code.strip()}\n```", "What the check says to wrong answers:"]
        lines.append("\n".join(textwrap.fill(f"- {hint}", 100) for hint in task["hints"]))
    return "\n\n".join(lines) + "\n"


SLIDES = """{%- extends 'reveal/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_css %}<style>
.reveal h1, .reveal h2 { font-size: 44px; text-transform: none !important }
.reveal p, .reveal li, .reveal pre { font-size: 26px }
.reveal .jp-InputPrompt, .reveal .jp-OutputPrompt { display: none }
.reveal img { max-height: 44vh } .reveal pre { box-shadow: none }
.reveal .slides { text-align: left }
</style>{% endblock %}
{% block footer_js %}
<script src="reveal/dist/reveal.js"></script>
<script src="reveal/plugin/notes/notes.js"></script>
<script>
const size = {width: 1100, height: 720};
Reveal.initialize({hash: true, slideNumber: "c/t", plugins: [RevealNotes], ...size});
</script>
{% endblock %}"""


def write_slides(solution: Path) -> None:
    """Write the slides of a lab that was run: reveal.js beside them, nothing from another host."""
    from nbconvert import SlidesExporter

    reveal = (
        Path(importlib.util.find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
    )
    folder = OUT / "slides"
    no_maps = shutil.ignore_patterns("*.map", "*.esm.*")
    for part in ("dist", "plugin/notes"):
        there = folder / "reveal" / part
        shutil.copytree(reveal / part, there, ignore=no_maps, dirs_exist_ok=True)
    shutil.copy(reveal / "LICENSE", folder / "reveal")
    notebook = nbformat.read(solution, 4)
    notebook.metadata["title"] = solution.stem.replace("_", " ")
    for cell in notebook.cells:
        cell.metadata.setdefault("slideshow", {"slide_type": "skip"})
    exporter = SlidesExporter(raw_template=SLIDES, exclude_input=True, exclude_output_prompt=True)
    exporter.reveal_url_prefix, exporter.reveal_theme = "reveal", "white"  # its fonts are local
    html, _ = exporter.from_notebook_node(notebook)
    (folder / f"{solution.stem}.html").write_text(html, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
