"""Every command of reproduction/ starts by ``python -m`` and explains itself without any data."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest

import reproduction

ROOT = Path(reproduction.__file__).parent
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    for path in ROOT.rglob("*.py")
    if "__main__" in path.read_text() and path.name != "command.py"
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_explains_itself(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [command, "--help"])
    monkeypatch.delitem(sys.modules, command, raising=False)
    with pytest.raises(SystemExit) as end:
        runpy.run_module(command, run_name="__main__")
    said = capsys.readouterr().out
    assert end.value.code == 0 and f"python -m {command.removesuffix('.__main__')}" in said


def test_there_is_a_command_for_every_kind_of_committed_file():
    names = {"experiments.network", "experiments.noise", "audit.run", "weights.train", "tables"}
    names |= {"demo_data.cohorts", "recovered_symbols.run", "readme_tables", "store"}
    assert {f"reproduction.{name}" for name in names} <= set(COMMANDS)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: p.stem)
def test_modules_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert "TODO" not in ast.get_docstring(tree) and len(text.splitlines()) <= 250
    for f in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        given = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
        assert f.end_lineno - f.lineno < 60 and len(given) <= 8, f.name
