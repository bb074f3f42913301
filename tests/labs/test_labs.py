"""The labs: solutions pass their checks, stubs fail, tempting errors get their hint, sizes hold.

Cells and checks run in this process, without a kernel; ``make labs`` runs the whole notebooks.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import matplotlib
import nbformat
import pytest

pytest.importorskip("otter", reason="the extra labs is not installed")
matplotlib.use("agg")

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks" / "labs").glob("*.ipynb"))


def module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


labs = module(ROOT / "workflow" / "make_labs.py")
WRONG = module(Path(__file__).with_name("wrong_answers.py")).WRONG
each_lab = pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
pytestmark = pytest.mark.filterwarnings("ignore")  # otter-grader's, of what it imports


@pytest.fixture(scope="module")
def versions() -> dict[str, tuple]:
    """The student's version and the solution of every lab."""
    return {path.stem: labs.assign(path) for path in SOURCES}


@pytest.fixture(scope="module")
def solved(versions, tmp_path_factory) -> dict[str, dict]:
    """The names that each solution leaves behind."""
    os.chdir(tmp_path_factory.mktemp("labs"))  # otter-grader writes its log where it runs
    made = {}
    for name, (_, solution) in versions.items():
        labs.write(solution, Path(f"{name}.ipynb"))
        made[name] = labs.run_cells(solution)
    return made


@pytest.fixture(autouse=True, scope="module")
def home():
    before = os.getcwd()
    yield
    os.chdir(before)


def check(notebook: nbformat.NotebookNode, task: str, env: dict):
    """Return the results of a task's check, as ``grader.check`` makes and shows them."""
    from otter.test_files.exception_test import ExceptionTestFile

    made = ExceptionTestFile.from_string(notebook.metadata["otter"]["tests"][task])
    made.run(env)
    return made


def hints(result) -> list[str]:
    """The hints that a student sees."""
    return [r.test_case.failure_message for r in result.test_case_results if not r.passed]


def test_there_are_labs_and_each_has_its_wrong_answers():
    assert [p.stem[:2] for p in SOURCES] == list(WRONG)
    for path in SOURCES:
        named = [task["name"] for task in labs.tasks(path)]
        assert list(WRONG[path.stem[:2]]) == named and 4 <= len(named) <= 6
        assert all(len(answers) >= 2 for answers in WRONG[path.stem[:2]].values())


@each_lab
def test_the_solution_passes_every_check(path, versions, solved):
    for version in versions[path.stem]:
        for task in labs.tasks(path):
            assert hints(check(version, task["name"], solved[path.stem])) == []


@each_lab
def test_a_stub_fails_every_check_with_the_last_hint_only(path, versions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    student = versions[path.stem][0]
    labs.write(student, Path(path.name))
    env = labs.run_cells(student, strict=False)
    for task in labs.tasks(path):
        assert hints(check(student, task["name"], env)) == task["hints"][-1:], task["name"]


@each_lab
def test_tempting_answers_get_their_hint_and_not_the_answer(path, versions, solved):
    student = versions[path.stem][0]
    for task in labs.tasks(path):
        for code, words in WRONG[path.stem[:2]][task["name"]]:
            env = dict(solved[path.stem])
            exec(code, env)
            shown = hints(check(student, task["name"], env))
            assert any(words in hint for hint in shown[:-1]), (task["name"], code, shown)
            assert shown[-1] == task["hints"][-1], "a wrong answer passes"
            assert len(shown) == 2, (task["name"], code, shown)


@each_lab
def test_expected_numbers_are_those_of_the_solution(path, solved):
    rows = labs.numbers(path, solved[path.stem])
    assert rows and all("**Expected:**" in task["text"] for task in labs.tasks(path))
    for _, task, name, expected, _ in rows:
        decimals = len(expected.partition(".")[2])
        value = round(float(solved[path.stem][name]), decimals)
        assert value == float(expected.replace(",", "")), (task, name)


def test_the_guide_shows_these_numbers(solved):
    with open(ROOT / "book" / "lab_numbers.csv", encoding="utf-8") as file:
        shown = [tuple(row) for row in csv.reader(file)][1:]
    found = [row for path in SOURCES for row in labs.numbers(path, solved[path.stem])]
    assert [row[:4] for row in shown] == [row[:4] for row in found]
    differences = [abs(float(a[4]) - float(b[4])) for a, b in zip(shown, found)]
    assert max(differences) < 0.006


def given_cells(path: Path) -> list[str]:
    """What a student is given: every cell of a source that is no solution and no test."""
    given, inside = [], None
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "raw":
            inside = re.search(r"# BEGIN (SOLUTION|TESTS)", cell.source)
        elif inside is None and "instructor" not in cell.metadata.get("tags", ()):
            given.append(cell.source)
    return given


@each_lab
def test_no_solution_is_in_a_student_version(path, versions):
    text, given = json.dumps(versions[path.stem][0]), json.dumps(given_cells(path))
    assert "SOLUTION" not in text and "instructor" not in text
    for task in labs.tasks(path):
        inside, lines = False, []
        for line in task["solution"].splitlines():
            if "# END SOLUTION" in line:
                inside = False
            if inside or re.search("# SOLUTION( NO PROMPT)?$", line):
                lines.append(line.partition("# SOLUTION")[0].strip())
            inside |= "# BEGIN SOLUTION" in line
        answers = [re.sub(r"^[\w, ]+ \+?= ", "", x) for x in lines]
        answers = [a for a in answers if len(a) > 4]  # brackets and numbers tell nothing
        assert answers, task["name"]
        written = [json.dumps(a)[1:-1] for a in answers]
        told = [a for a in written if text.count(a) > given.count(a)]
        assert told == [], (task["name"], told)


@each_lab
def test_a_lab_is_short(path):
    notebook, inside, given = nbformat.read(path, 4), None, []
    for cell in notebook.cells:
        if cell.cell_type == "raw":
            inside = re.search(r"# BEGIN (SOLUTION|TESTS)", cell.source)
        elif cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert max(map(len, lines)) <= 88, cell.source
            if inside is None:
                given.append(cell.source)
            if inside is None or inside[1] == "SOLUTION":
                ideas = [x for x in lines if x and not x.startswith(("import ", "from "))]
                assert len(ideas) <= 12, cell.source
            assert not cell.outputs and cell.execution_count is None
    assert len(given) <= 8
    assert {t["points"] > 0 for t in labs.tasks(path)} == {True}
    text = " ".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    for part in (
        "**Question.**",
        "50 minutes",
        "## Why it matters",
        "## Summary",
        "## What to read",
    ):
        assert part in text


@each_lab
def test_a_lab_needs_nothing_but_public_names_and_demo_cohorts(path):
    cells = [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    text = "\n".join(cells)
    assert not re.search(r"degnext\._|reproduction|http|requests|\.to_csv|open\(", text)
    cohorts = re.findall(r"load_cohort\(([^)]*)\)", text)
    assert not [c for c in cohorts if "," in c], "the demo cohorts only"


@each_lab
def test_the_notes_hold_every_solution_and_hint(path):
    notes = re.sub(r"\s+", " ", labs.instructor_notes(path))
    assert "**Common mistakes.**" in notes and "SOLUTION" not in notes
    for task in labs.tasks(path):
        assert task["name"] in notes
        assert all(hint.strip() in notes for hint in task["hints"])


@each_lab
def test_a_lab_has_ten_slides(path):
    kinds = [c.metadata["slideshow"]["slide_type"] for c in nbformat.read(path, 4).cells]
    assert kinds.count("slide") == 10


@each_lab
def test_no_cell_is_long(path):
    cells = [c.source.splitlines() for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    assert [lines[0] for lines in cells if len(lines) > 16] == []


def test_the_page_of_the_labs_links_them_where_they_were_made(tmp_path, monkeypatch):
    made, book = tmp_path / "made", tmp_path / "book"
    (made / "student").mkdir(parents=True)
    book.mkdir()
    page = (ROOT / "book" / "labs.md").read_text(encoding="utf-8")
    (book / "labs.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(ROOT / "workflow"), *sys.path])
    make_book = module(ROOT / "workflow" / "make_book.py")
    make_book.link_labs(book, made)
    assert (book / "labs.md").read_text(encoding="utf-8") == page
    for name in ("degnext_labs.zip", "student/L1_x.ipynb"):
        (made / name).write_text("made")
    make_book.link_labs(book, made)
    text = (book / "labs.md").read_text(encoding="utf-8")
    assert "% labs" not in text
    for name in ("degnext_labs.zip", "L1_x.ipynb"):
        assert f"{{download}}`{name} <labs/{name}>`" in text and (book / "labs" / name).exists()


def test_slides_need_nothing_from_another_host(versions, tmp_path, monkeypatch):
    monkeypatch.setattr(labs, "OUT", tmp_path)
    path = tmp_path / SOURCES[0].name
    labs.write(versions[SOURCES[0].stem][1], path)
    labs.write_slides(path)
    html = (tmp_path / "slides" / f"{path.stem}.html").read_text(encoding="utf-8")
    linked = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', html)
    assert linked and all((tmp_path / "slides" / x).is_file() for x in linked), linked
    theme = (tmp_path / "slides" / "reveal" / "dist" / "theme" / "white.css").read_text()
    assert "http" not in re.sub(r"/\*.*?\*/", "", theme, flags=re.DOTALL)
    assert len(re.findall(r"<section><section>", html)) == 10
