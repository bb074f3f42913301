"""The questions of the chapters: whole, answerable, and shown without the internet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import degnext

ROOT = Path(__file__).resolve().parents[2]
QUIZZES = sorted((ROOT / "data" / "quizzes").glob("*.json"))
NOTEBOOKS = [*(ROOT / "notebooks").rglob("*.ipynb"), *(ROOT / "book").rglob("*.ipynb")]


@pytest.mark.parametrize("path", QUIZZES, ids=lambda p: p.stem)
def test_a_quiz_has_three_or_four_questions_with_feedback_on_every_answer(path):
    questions = json.loads(path.read_text(encoding="utf-8"))
    assert 3 <= len(questions) <= 4
    for question in questions:
        right = [answer["correct"] for answer in question["answers"]]
        kind = "multiple_choice" if sum(right) == 1 else "many_choice"
        assert question["type"] == kind and 1 <= sum(right) < len(right), question["question"]
        for answer in question["answers"]:
            assert set(answer) == {"answer", "correct", "feedback"}
            assert len(answer["feedback"]) > 20, answer["answer"]
        texts = [answer["answer"] for answer in question["answers"]]
        assert len(set(texts)) == len(texts) >= 2


@pytest.mark.parametrize("path", QUIZZES, ids=lambda p: p.stem)
def test_a_quiz_is_shown_by_the_notebook_of_its_name(path):
    (notebook,) = [p for p in NOTEBOOKS if p.stem == path.stem]
    assert f'show_quiz(\\"{path.stem}\\")' in notebook.read_text(encoding="utf-8")


@pytest.fixture
def shown(monkeypatch):
    """Whatever is displayed in the test."""
    found = []
    monkeypatch.setattr("jupyterquiz.dynamic.display.display", lambda x: found.append(x.data))
    return found


def test_a_quiz_carries_its_questions_and_asks_no_server(shown):
    degnext.show_quiz("audit")
    page = "".join(shown)
    assert "Right. One gene has one class" in page and "Not quite. " in page
    assert "fetch(" not in page


def test_a_slip_in_the_name_is_answered_with_the_nearest(shown):
    with pytest.raises(degnext.InputError, match="no quiz 'adit': did you mean 'audit'"):
        degnext.show_quiz("adit")
