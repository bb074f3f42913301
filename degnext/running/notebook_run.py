"""What every notebook does first and last: check its parameters, take up its cohort, leave a ``run.json``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.files import file_checksum, write_atomic
from degnext._common.paths import results_dir
from degnext.cohorts.cohort import Cohort
from degnext.running import steps
from degnext.running.dependencies import notebook_digest
from degnext.running.parameters import read_parameters
from degnext.running.provenance import describe, plain, versions

_PLACES = {"data_dir", "results_dir", "counts_path", "groups_path", "device"}  # decide no number


class NotebookRun:
    """One notebook's run on one cohort.

    notebook   : the notebook's name, such as ``02_labeling``
    parameters : inside a notebook leave them out: its parameters cell is read. Elsewhere those that differ from the
                 notebook's defaults: ``with NotebookRun("02_labeling", cancer="READ") as run: …``

    Attributes: ``parameters`` (all of them, checked), ``cancer``, ``source``, ``seed``, and ``folder``, where results
    go: ``<results>/<source>/<cancer>/<notebook>``. Raises :class:`~degnext.InputError` with the nearest valid name for
    a parameter, a cancer or a choice that does not exist, before any work is done.
    """

    def __init__(self, notebook: str, **parameters: Any) -> None:
        self.notebook, self.started = notebook, time.time()
        self.parameters = read_parameters(notebook, parameters)
        self.cancer, self.source = self.parameters["cancer"], self.parameters["source"]
        self.seed = self.parameters.get("seed", 0)
        results = results_dir(self.parameters.get("results_dir"))
        self.folder = results / self.source / self.cancer / notebook
        self._facts: dict[str, Any] = {}

    def cohort(self, state: str = "raw", other: str | None = None, source: str = "") -> Cohort:
        """Return the cohort that the parameters name.

        state : ``raw`` as loaded; ``filtered`` as chapter 1 leaves it; ``labeled`` as chapter 2 leaves it;
                ``target``, labelled to be tested on: a published cohort may then lack its training parts
        other : another cancer, with labels made by the same rules, to train on; ``source`` if it lies elsewhere
        """
        cohort = steps.cohort(self.parameters, self.folder.parents[2], state, other, source)
        if other is None:
            self._facts["cohort"] = describe(cohort)
        return cohort

    def earlier(self, notebook: str, file: str) -> Path | None:
        """Return a file that an earlier chapter left for this very cohort, or None, and print why not.

        Used is only what was made from the same counts, labels and parts, with the same value of every parameter that
        both notebooks have, by the code as it is now, and is whole.
        """
        folder = self.folder.parent / notebook
        try:
            record = json.loads((folder / "run.json").read_text())
        except (OSError, ValueError):
            return None
        theirs, files = record["parameters"], record.get("files", {})
        shared = (theirs.keys() & self.parameters.keys()) - _PLACES
        unlike = [f"{k}={theirs[k]!r}" for k in sorted(shared) if theirs[k] != self.parameters[k]]
        if record.get("cohort", {}).get("sha256") != self._facts["cohort"]["sha256"]:
            unlike.append("other counts or labels")
        if record.get("code") != notebook_digest(notebook):
            unlike.append("other code")
        path = folder / file
        if not path.exists() or files.get(file) != file_checksum(path, "sha256"):
            unlike.append(f"another {file}")
        if unlike:
            print(f"Chapter {notebook} ran with {', '.join(unlike)}: not used, run it again.")
        return None if unlike else path

    def save(self, table: pd.DataFrame, name: str) -> Path:
        """Write a table to the run's folder as CSV, whole or not at all; row numbers are not worth a column."""
        rows_have_names = table.index.name or not pd.api.types.is_integer_dtype(table.index)
        write_atomic(self.folder / f"{name}.csv", table.to_csv(index=bool(rows_have_names)))
        return self.folder / f"{name}.csv"

    def note(self, **facts: Any) -> None:
        """Keep facts (figures of the summary, checks passed) for ``run.json``."""
        self._facts |= facts

    def finish(self) -> Path:
        """Write ``run.json``: parameters, versions, the cohort with its checksum, facts and wall seconds."""
        record = {
            "step": self.notebook,
            "parameters": self.parameters,
            "versions": versions(),
            **self._facts,
            "code": notebook_digest(self.notebook),
            "files": {p.name: file_checksum(p, "sha256") for p in self._written()},
            "wall_seconds": round(time.time() - self.started, 2),
        }
        write_atomic(self.folder / "run.json", json.loads(json.dumps(record, default=plain)))
        return self.folder / "run.json"

    def _written(self) -> list[Path]:
        found = sorted(self.folder.glob("*"))
        mine = [p for p in found if p.is_file() and p.suffix not in (".ipynb", ".log", ".json")]
        return [p for p in mine if p.stat().st_mtime >= self.started - 0.05]

    def __enter__(self) -> NotebookRun:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:
            self.finish()
