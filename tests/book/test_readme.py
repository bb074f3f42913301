"""README, CONTRIBUTING and the pages of the book: their commands and examples work as written."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

import degnext
from degnext.cli import main as cli
from degnext.running.parameters import notebook_parameters

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "book").glob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def commands(program: str) -> list[list[str]]:
    """Every command of ``program`` in any page, in a block or in a line of text, as its words."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        text = text.replace(".venv/bin/", "")
        lines = "\n".join(blocks(text, "bash")).replace("\\\n", " ").splitlines()
        lines += re.findall(
            rf"`({program}[^`]*)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        )
        found += [shlex.split(line, comments=True) for line in lines if line.startswith(program)]
    return [words for words in found if words and words[0] == program]


@pytest.mark.parametrize("words", commands("degnext"), ids=" ".join)
def test_a_command_of_the_module_is_understood(words):
    if len(words) > 2:  # `degnext predict` alone is a name, not an example
        assert cli._parser().parse_args(words[1:]).do


@pytest.mark.parametrize("words", [w for w in commands("papermill") if w[1:]], ids=" ".join)
def test_a_papermill_command_names_a_notebook_and_its_parameters(words):
    if len(words) == 1:  # the program's name, not an example
        return
    assert (ROOT / words[1]).is_file()
    names = [words[i + 1] for i, word in enumerate(words) if word == "-p"]
    assert names and set(names) <= set(notebook_parameters(Path(words[1]).stem))


def test_the_readme_names_the_repository_once_and_programs_where_they_lie():
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    (address,) = re.findall(r"^  url: (\S+)$", config, flags=re.M)
    lines = list(filter(None, "\n".join(blocks(README, "bash")).splitlines()))
    assert [line.split()[2] for line in lines if line.startswith("git clone")] == [address]
    assert set(re.findall(r"https://github\.com/[\w/-]+", README)) == {address}
    assert {line.split()[0] for line in lines} <= {"git", "make", ".venv/bin/degnext"} | {
        ".venv/bin/papermill"
    }


def test_commands_that_make_records_again_exist():
    named = {words[2] for words in commands("python") if words[1] == "-m"}
    named |= {f"reproduction.{n}" for n in re.findall(r"`reproduction\.([\w.]+)`", README)}
    assert named and all(importlib.util.find_spec(name) for name in named)


def test_targets_of_make_exist():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert {words[1] for words in commands("make")} <= set(targets)


@pytest.mark.parametrize("words", [w for w in commands("make") if len(w) > 2], ids=" ".join)
def test_a_book_is_ordered_as_written(words, make_cohort, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.path", [str(ROOT / "workflow"), *sys.path])
    spec = importlib.util.spec_from_file_location("make_book", ROOT / "workflow" / "make_book.py")
    make_book = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_book)
    monkeypatch.chdir(tmp_path)
    write_tables(make_cohort())
    Path("genes.txt").write_text("G001\nG002\n")
    for name, value in (word.split("=", 1) for word in words[2:]):
        monkeypatch.setenv(f"BOOK_{name}", value)
    monkeypatch.setattr("sys.argv", ["make_book.py"])
    assert make_book.check_request(make_book.read_request())["jobs"]


def write_tables(cohort: degnext.Cohort) -> None:
    cohort.counts.to_csv("counts.csv")
    cohort.groups.rename_axis("sample").to_csv("groups.csv")


OWN = {tuple(w) for w in commands("degnext") if w[1:3] == ["predict", "counts.csv"]}


@pytest.mark.parametrize("words", sorted(OWN), ids=" ".join)
def test_a_prediction_runs_as_written(words, run_cli, make_cohort, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("degnext.prediction.report.write_report", lambda t, c, p, g: p.touch())
    write_tables(make_cohort())
    before = {p.name for p in tmp_path.iterdir()}
    assert run_cli(*words[1:]).code == 0
    made = {p.name for p in tmp_path.iterdir()} - before
    assert made == {w for w in words if Path(w).suffix} - before


def test_the_python_example_uses_public_names_and_runs(capsys):
    (source,) = blocks(README, "python")
    tree = ast.parse(source)
    modules = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(n) for n in modules] == ["import degnext"]
    used = set(re.findall(r"degnext\.(\w+)", source))
    assert {"load_cohort", "predict"} <= used <= set(degnext.__all__)
    exec(compile(source, "README.md", "exec"), {})
    assert "accuracy" in capsys.readouterr().out


def test_contributing_draws_the_rooms_as_the_linter_holds_them():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    (drawn,) = blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "text")
    assert drawn.split("\n")[:-1] == [layer for layer in layers if layer != "__main__"]
