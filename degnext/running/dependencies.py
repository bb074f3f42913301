"""What a step or a notebook depends on, read from its code and never listed by hand."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import grimp

import degnext
from degnext.running.parameters import notebook_names, notebook_path

_MAKERS = {"filtered": ["01_preprocessing"]}  # of the states of a cohort
_MAKERS |= {state: ["01_preprocessing", "02_labeling"] for state in ("labeled", "target")}
_TAKES_UP = ("run.cohort", "run.earlier", "run.across")
_PACKAGE = Path(degnext.__file__).parent


@lru_cache
def _graph(*others: str) -> grimp.ImportGraph:
    packages = ("degnext", *others)
    return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)


def closure(modules: Iterable[str]) -> list[Path]:
    """Return the files of ``modules`` and of everything of ours that they import, however far.

    Modules may be of another package beside this one, such as ``reproduction``.
    """
    modules = list(modules)
    graph = _graph(*sorted({m.split(".")[0] for m in modules} - {"degnext"}))
    found = set(modules).union(*(graph.find_upstream_modules(m) for m in modules))
    paths = [_PACKAGE.parent.joinpath(*name.split(".")) for name in found]
    return sorted(p / "__init__.py" if p.is_dir() else p.with_suffix(".py") for p in paths)


def code_digest(*modules: str, cells: Iterable[str] = ()) -> str:
    """Return the sha256 (hex) of ``modules``, of all they import, and of the code of ``cells``."""
    digest = hashlib.sha256()
    for path in closure(modules):
        digest.update(f"\0{path.relative_to(_PACKAGE.parent).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    for cell in cells:
        digest.update(f"\0{cell}".encode())
    return digest.hexdigest()


def notebook_digest(name: str) -> str:
    """Return the sha256 (hex) of a notebook's code and of all the code it depends on."""
    cells = _cells(name)
    return code_digest(*_modules("\n".join(cells)), cells=cells)


def notebook_files(name: str) -> list[Path]:
    """Return the notebook's file and those of the modules it depends on."""
    return [notebook_path(name), *closure(_modules(notebook_code(name)))]


def notebook_needs(name: str) -> list[str]:
    """Return the chapters that a notebook takes up, by ``run.cohort`` and ``run.earlier``."""
    words: set[str] = set()
    for node in ast.walk(ast.parse(notebook_code(name))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _TAKES_UP:
            words |= {c.value for c in ast.walk(node) if isinstance(c, ast.Constant)}
    found = {chapter for word in words for chapter in _MAKERS.get(word, [word])}
    return [chapter for chapter in notebook_names() if chapter in found and chapter < name]


def notebook_code(name: str) -> str:
    """Return the code of all cells of a notebook."""
    return "\n".join(_cells(name))


def _cells(name: str) -> list[str]:
    cells = json.loads(notebook_path(name).read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


def _modules(code: str) -> list[str]:
    """Return the modules that ``code`` imports; a public name stands for the one it lives in."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))
    known, public, modules = _graph().modules, public_names(), set()
    for parts in (n.split(".") for n in names if n.split(".")[0] == "degnext"):
        name = ".".join(parts)
        if len(parts) > 1 and parts[1] in public:
            name = f"degnext.{public[parts[1]]}"
        while name not in known:
            name = name.rpartition(".")[0]  # a function of a module, say
        modules.add(name)
    return sorted(modules)


@lru_cache
def public_names() -> dict[str, str]:
    """Return the module, below the package, in which each public name of ``degnext`` lives."""
    stub = ast.parse((_PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    found = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module for node in found for alias in node.names}
