"""Run a notebook headlessly with papermill, so that its outputs land whole or not at all."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from typing import Any

from degnext._common.errors import InputError, nearest
from degnext._common.paths import results_dir

_ROOT = Path(__file__).resolve().parents[2]


def notebook_path(name: str) -> Path:
    """Return the path of a notebook of the checkout, by its stem; chapters of ``book/`` count too."""
    for folder in ("notebooks", "book"):
        path = _ROOT / folder / f"{name}.ipynb"
        if path.exists():
            return path
    raise InputError(
        f"no notebook {name!r} here: notebooks come with the repository, not with the installed package; clone it"
    )


def notebook_parameters(name: str) -> set[str]:
    """Return the names in a notebook's parameters cell."""
    cells = json.loads(notebook_path(name).read_text(encoding="utf-8"))["cells"]
    source = next(
        "".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])
    )
    return {node.target.id for node in ast.parse(source).body if isinstance(node, ast.AnnAssign)}


def share_parameters(given: dict[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    """Give each notebook of ``names`` the parameters that it has; raise :class:`InputError` for one that none of them has."""
    known = {name: notebook_parameters(name) for name in names}
    everywhere = sorted(set().union(*known.values()))
    for parameter in given:
        if parameter not in everywhere:
            raise InputError(f"unknown parameter {parameter!r}: {nearest(parameter, everywhere)}")
    return {name: {k: v for k, v in given.items() if k in known[name]} for name in names}


def run_notebook(
    name: str,
    cancer: str,
    source: str,
    parameters: dict[str, Any] | None = None,
    results: Path | None = None,
) -> Path:
    """Execute a notebook for one cohort and return the path of the executed copy, ``<results>/<source>/<cancer>/<name>/<name>.ipynb``.

    Values of ``parameters`` may be text, as from a command line. A notebook that crashes leaves ``<name>.failed.ipynb``; one
    that is stopped by bad input leaves nothing of its own, and its :class:`InputError` is raised here as its sentence.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source_path = notebook_path(name)
    root = results_dir(results)
    folder = root / source / cancer / name
    folder.mkdir(parents=True, exist_ok=True)
    here = {
        k: v
        for k, v in {"cancer": cancer, "source": source}.items()
        if k in notebook_parameters(name)
    }
    given = here | {k: _literal(v) for k, v in (parameters or {}).items()}
    failed, done = folder / f"{name}.failed.ipynb", folder / f"{name}.ipynb"
    before = os.environ.get("DEGNEXT_RESULTS")
    os.environ["DEGNEXT_RESULTS"] = str(
        root
    )  # not a parameter: a page should not show a path of the machine that made it
    try:
        papermill.execute_notebook(
            str(source_path),
            str(failed),
            given,
            kernel_name="python3",
            progress_bar=False,
            cwd=str(folder),
        )
    except PapermillExecutionError as error:
        if error.ename == "InputError":
            failed.unlink(missing_ok=True)
            for empty in (folder, folder.parent, folder.parent.parent, root):
                if any(empty.iterdir()):
                    break
                empty.rmdir()
            raise InputError(error.evalue) from error
        raise
    finally:
        if before is None:
            del os.environ["DEGNEXT_RESULTS"]
        else:
            os.environ["DEGNEXT_RESULTS"] = before
    os.replace(failed, done)
    return done


def _literal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return found if isinstance(found, (int, float, bool)) else value
