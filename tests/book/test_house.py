"""The house rules that no linter holds: sizes, what may be imported where, and the public names."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

import degnext
from degnext.running.dependencies import public_names

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "degnext").rglob("*.py"))
EDGER = ROOT / "degnext" / "labeling" / "edger"
NOTEBOOKS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.ipynb")])
CODE_LINES = 6553  # of code: without blank lines, comments and docstrings
MODULE_LINES, FUNCTION_LINES, PARAMETERS, CELL_LINES = 250, 60, 8, 12
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def n_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def n_code_lines(path: Path) -> int:
    """Count the lines that are neither blank nor comment nor part of a docstring."""
    source = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, *FUNCTIONS)
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            prose.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(map(str.strip, source.splitlines()), start=1)
    return sum(bool(line) and line[0] != "#" and n not in prose for n, line in lines)


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    a = function.args
    named = [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x]
    return [name for name in named if name not in ("self", "cls")]


def code_cells(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def test_the_module_is_thin():
    total = sum(n_code_lines(p) for p in MODULES if EDGER not in p.parents)
    assert total <= CODE_LINES, f"degnext/ without the edgeR port has {total:,} lines of code"


def test_no_module_is_long():
    sizes = {str(p.relative_to(ROOT)): n_lines(p) for p in MODULES}
    assert {name: n for name, n in sizes.items() if n > MODULE_LINES} == {}


def test_no_function_is_long_or_takes_many_parameters():
    long, many = [], []
    for path in MODULES:
        for f in functions(path):
            where = f"{path.relative_to(ROOT)}:{f.lineno} {f.name}"
            if f.end_lineno - f.lineno + 1 > FUNCTION_LINES:
                long.append(f"{where}: {f.end_lineno - f.lineno + 1} lines")
            if len(parameters(f)) > PARAMETERS:
                many.append(f"{where}: {len(parameters(f))} parameters")
    assert long + many == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_cells_show_ideas_and_no_more(path):
    cells = [c.splitlines() for c in code_cells(path)[1:]]  # the first holds the parameters
    ideas = [[x for x in c if not x.startswith(("import ", "from "))] for c in cells]
    assert [c[0] for c, i in zip(cells, ideas) if len(i) > CELL_LINES or len(c) > 16] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_run_from_an_installed_wheel(path):
    names = set().union(*map(imported, code_cells(path)))
    assert not {n for n in names if n.split(".")[0] in ("reproduction", "tests", "workflow")}
    assert not {n for n in names if n.startswith("degnext._")}, "_common is nobody's business"


def test_a_room_says_what_lives_in_it():
    for path in MODULES:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text and "TODO" not in text, path.relative_to(ROOT)
        if path.name == "__init__.py" and path.parent.name != "degnext":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, f"{path.relative_to(ROOT)} holds more than its docstring"


def test_imports_are_absolute():
    relative = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_public_names_are_the_ones_that_type_checkers_see():
    assert sorted(public_names()) == sorted(degnext.__all__)
    assert set(degnext.__all__) <= set(dir(degnext))
    with pytest.raises(AttributeError, match="attribute nonesuch"):
        _ = degnext.nonesuch


@pytest.mark.parametrize("name", degnext.__all__)
def test_a_public_name_is_documented_and_typed(name):
    thing = getattr(degnext, name)
    if not callable(thing):
        return
    assert inspect.getdoc(thing), f"{name} has no docstring"
    if isinstance(thing, type) and issubclass(thing, Exception):
        return
    signature = inspect.signature(thing)
    bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
    assert not bare, f"{name}: no type for {bare}"
    assert isinstance(thing, type) or signature.return_annotation is not signature.empty
