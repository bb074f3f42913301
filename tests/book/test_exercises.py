"""Every chapter has exercises whose solutions run, folded away; slow: on all three demo cohorts."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from degnext.running.execution import run_notebook
from degnext.running.parameters import notebook_parameters, notebook_path
from degnext.running.workflow import settings

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(p.stem for p in (ROOT / "notebooks").glob("*.ipynb"))
PRIMER = "neural_network_primer"
DEMO = ("KICH", "READ", "CHOL")
FOLDED = {"solution", "hide-cell"}
# exercises that ask to run the chapter again: what they say, and the parameters that this gives
RUN_AGAIN = {
    '`protocol="paper"` and `epochs=4`': (
        "03_general_learning",
        {"protocol": "paper", "epochs": 4},
    ),
    "`train_cancers` a single code": ("04_transfer_learning", {"train_cancers": "another"}),
    '`protocol="paper"` and `epochs=2`': (
        "04_transfer_learning",
        {"protocol": "paper", "epochs": 2},
    ),
}


def cells(name: str) -> list[nbformat.NotebookNode]:
    return nbformat.read(notebook_path(name), 4).cells


def exercises(name: str) -> str:
    """Return what the exercises of a chapter say."""
    text = [c.source for c in cells(name) if c.cell_type == "markdown"]
    return "\n".join(t for t in text if re.search(r"^(## |:::\{admonition\} )Exercise", t, re.M))


def is_solution(cell: nbformat.NotebookNode) -> bool:
    return "solution" in cell.metadata.get("tags", [])


def test_the_chapters_are_eleven():
    assert len(CHAPTERS) == 10 and notebook_path(PRIMER).is_file()


@pytest.mark.parametrize("name", [PRIMER, *CHAPTERS])
def test_a_chapter_has_exercises_with_solutions_folded_away(name):
    asked, found = exercises(name), cells(name)
    solutions = [i for i, cell in enumerate(found) if is_solution(cell)]
    assert asked and solutions
    for i in solutions:
        assert found[i].cell_type == "code" and set(found[i].metadata.tags) >= FOLDED
        before = [c.source for c in found[:i] if c.cell_type == "markdown"]
        assert "Exercise" in before[-1], "a solution far from its exercise"


def test_exercises_still_ask_for_these_parameters():
    for said, (name, given) in RUN_AGAIN.items():
        assert said in exercises(name) and set(given) <= set(notebook_parameters(name))


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("exercises")


def as_in_the_book(name: str) -> dict:
    """Return the parameters that ``make book`` gives a chapter on a demo cohort."""
    return settings()["sources"]["demo"].get(name, {})


def answers(path: Path) -> list[str]:
    """Return what each exercise's solutions print and show, in a run notebook."""
    return [str(c.outputs) for c in nbformat.read(path, 4).cells if is_solution(c)]


@pytest.mark.slow
@pytest.mark.parametrize("cancer", DEMO)
@pytest.mark.parametrize("name", [PRIMER, *CHAPTERS])
def test_exercises_run_as_written(name, cancer, results):
    """Take three minutes of a core a cohort; in order, since later chapters use earlier ones."""
    if "cancer" not in notebook_parameters(name) and cancer != DEMO[0]:
        pytest.skip("this page knows one cohort only")
    shown = answers(run_notebook(name, cancer, "demo", as_in_the_book(name), results))
    assert shown[-1] != "[]", "the last solution says nothing"


@pytest.mark.slow
@pytest.mark.parametrize("cancer", DEMO)
@pytest.mark.parametrize("said", RUN_AGAIN)
def test_exercises_that_ask_to_run_the_chapter_again_do_so(said, cancer, results):
    name, given = RUN_AGAIN[said]
    teacher = next(c for c in DEMO if c != cancer)
    given = {k: teacher if v == "another" else v for k, v in given.items()}
    path = run_notebook(name, cancer, "demo", as_in_the_book(name) | given, results)
    assert answers(path)[-1] != "[]"
