"""Questions at the end of a chapter, answered by a click, without a server or the internet."""

from __future__ import annotations

import json

from degnext._common.errors import InputError, nearest
from degnext._common.paths import data_dir

_COLORS = {"--jq-multiple-choice-bg": "#22506b", "--jq-many-choice-bg": "#6b3f22"}
_COLORS |= {"--jq-correct-color": "#00690f", "--jq-incorrect-color": "#a80000"}


def show_quiz(name: str) -> None:
    """Show the questions of a chapter below a notebook's cell, with feedback on each answer.

    name: a file in ``data/quizzes`` without its ending, the name of the notebook. The file is a
    list of questions as jupyterquiz reads them; "Right" or "Not quite" is put before the feedback.
    Raises InputError with the nearest name if there is no such file.
    """
    from jupyterquiz import display_quiz

    folder = data_dir() / "quizzes"
    path = folder / f"{name}.json"
    if not path.is_file():
        names = sorted(p.stem for p in folder.glob("*.json"))
        raise InputError(f"no quiz {name!r}: {nearest(name, names)}")
    questions = json.loads(path.read_text(encoding="utf-8"))
    for answer in (a for q in questions for a in q["answers"]):
        verdict = "Right. " if answer["correct"] else "Not quite. "
        answer["feedback"] = verdict + answer["feedback"]
    display_quiz(questions, shuffle_answers=False, max_width=680, colors=_COLORS)
