"""Run a notebook headlessly with papermill, so that its outputs land whole or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from degnext._common.errors import InputError, nearest
from degnext._common.files import folder_lock
from degnext._common.paths import results_dir
from degnext.running.parameters import (
    check_parameters,
    from_text,
    notebook_parameters,
    notebook_path,
)

_LOCK = ".running"
_ELSEWHERE = ("cancer", "source", "results_dir")


def share_parameters(given: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, Any]]:
    """Give each notebook of ``names`` the parameters that it has, checked and in their types.

    Raises InputError for one that no notebook has, or that names the cohort or the results folder.
    """
    known = {name: notebook_parameters(name) for name in names}
    kinds = {k: kind for found in known.values() for k, (kind, _) in found.items()}
    values = {k: from_text(k, kinds.get(k, "str"), v) for k, v in given.items()}
    for name in values:
        if name not in kinds:
            raise InputError(f"unknown parameter {name!r}: {nearest(name, sorted(kinds))}")
        if name in _ELSEWHERE:
            raise InputError(f"{name} has a place of its own: take it out of the parameters")
    check_parameters(kinds, values)
    return {name: {k: v for k, v in values.items() if k in known[name]} for name in names}


def run_notebook(
    name: str,
    cancer: str,
    source: str,
    parameters: Mapping[str, Any] | None = None,
    results: Path | None = None,
) -> Path:
    """Execute a notebook for one cohort; return its copy in ``<results>/<source>/<cancer>/<name>``.

    Values of ``parameters`` may be text, as from a command line. A notebook that crashes leaves
    ``<name>.failed.ipynb``; one that bad input stops leaves nothing of its own, and its InputError
    is raised here.
    """
    root = results_dir(results)
    folder = root / source / cancer / name
    failed, done = folder / f"{name}.failed.ipynb", folder / f"{name}.ipynb"
    kinds = {k: kind for k, (kind, _) in notebook_parameters(name).items()}
    given = {k: v for k, v in {"cancer": cancer, "source": source}.items() if k in kinds}
    given |= {k: from_text(k, kinds.get(k, "str"), v) for k, v in (parameters or {}).items()}
    with folder_lock(folder, _LOCK, told=True):
        try:
            _execute(notebook_path(name), failed, given, root)
        except (InputError, OSError):  # a full disk is one
            failed.unlink(missing_ok=True)
            _remove_empty(folder, folder.parent, folder.parent.parent, root)
            raise
        os.replace(failed, done)
    return done


def _execute(notebook: Path, copy: Path, given: Mapping[str, Any], root: Path) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    settings = {"kernel_name": "python3", "progress_bar": False, "cwd": str(copy.parent)}
    settings["extra_arguments"] = ["--log-level=ERROR"]  # each kernel tells of TCP otherwise
    logging.getLogger("papermill").addFilter(_worth_saying)
    # no parameter: a page should not show a path of the machine that made it
    try:
        with mock.patch.dict(os.environ, DEGNEXT_RESULTS=str(root)):
            papermill.execute_notebook(str(notebook), str(copy), given, **settings)
    except PapermillExecutionError as error:
        if error.ename != "InputError":
            raise
        raise InputError(error.evalue) from error


def _worth_saying(record: logging.LogRecord) -> bool:
    # papermill takes a parameter of the folded cell for unknown; NotebookRun checks all names
    return not record.getMessage().startswith("Passed unknown parameter")


def _remove_empty(*folders: Path) -> None:
    with contextlib.suppress(OSError):  # a folder that holds more, or on Windows a lock in use
        if {p.name.removesuffix(".holder") for p in folders[0].iterdir()} == {_LOCK}:
            for path in folders[0].iterdir():
                path.unlink()
        for folder in folders:
            folder.rmdir()
