"""Run a notebook headlessly with papermill, so that its outputs land whole or not at all."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from degnext._common.errors import InputError, nearest
from degnext._common.paths import results_dir
from degnext.running.parameters import notebook_parameters, notebook_path


def share_parameters(given: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    """Give each notebook of ``names`` the parameters that it has; raise InputError for one that none has."""
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
    parameters: Mapping[str, Any] | None = None,
    results: Path | None = None,
) -> Path:
    """Execute a notebook for one cohort; return its copy, ``<results>/<source>/<cancer>/<name>/<name>.ipynb``.

    Values of ``parameters`` may be text, as from a command line. A notebook that crashes leaves
    ``<name>.failed.ipynb``; one that bad input stops leaves nothing of its own, and its InputError is raised here.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    root = results_dir(results)
    folder = root / source / cancer / name
    failed, done = folder / f"{name}.failed.ipynb", folder / f"{name}.ipynb"
    known = notebook_parameters(name)
    given = {k: v for k, v in {"cancer": cancer, "source": source}.items() if k in known}
    given |= {k: _literal(v) for k, v in (parameters or {}).items()}
    settings = {"kernel_name": "python3", "progress_bar": False, "cwd": str(folder)}
    before = os.environ.get("DEGNEXT_RESULTS")
    folder.mkdir(parents=True, exist_ok=True)
    # not a parameter: a page should not show a path of the machine that made it
    os.environ["DEGNEXT_RESULTS"] = str(root)
    try:
        papermill.execute_notebook(str(notebook_path(name)), str(failed), given, **settings)
    except PapermillExecutionError as error:
        if error.ename != "InputError":
            raise
        failed.unlink(missing_ok=True)
        _remove_empty(folder, folder.parent, folder.parent.parent, root)
        raise InputError(error.evalue) from error
    finally:
        if before is None:
            del os.environ["DEGNEXT_RESULTS"]
        else:
            os.environ["DEGNEXT_RESULTS"] = before
    os.replace(failed, done)
    return done


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        if any(folder.iterdir()):
            break
        folder.rmdir()


def _literal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return found if isinstance(found, (int, float, bool)) else value
