"""What every notebook does first and last: check parameters, take up a cohort, leave a record."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.files import file_checksum, read_record, write_atomic
from degnext._common.paths import results_dir
from degnext.cohorts.cohort import Cohort
from degnext.running import steps
from degnext.running.dependencies import notebook_digest
from degnext.running.parameters import read_parameters
from degnext.running.provenance import describe, peak_memory, plain, versions

_NO_TABLES = (".ipynb", ".log", ".json")
_PLACES = {"data_dir", "results_dir", "counts_path", "groups_path", "transcripts", "device"}


class NotebookRun:
    """Run one notebook on one cohort: ``run = NotebookRun("02_labeling")``.

    notebook: its name. parameters: inside a notebook leave them out, its parameters cell is read;
    elsewhere those unlike its defaults, ``with NotebookRun("02_labeling", seed=1) as run``.

    Attributes: ``parameters`` (all of them, checked), ``cancer``, ``source``, ``seed``, and
    ``folder``, where results go: ``<results>/<source>/<cancer>/<notebook>``. Raises InputError with
    the nearest valid name for a parameter, cancer or choice that does not exist, before any work.
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

        state: "raw" as loaded, "filtered" as chapter 1 leaves it, "labeled" as chapter 2 does, or
            "target", labelled to be tested on: a published cohort may then lack its training parts.
        other: another cancer, labelled by the same rules, to train on; source: where, if elsewhere.
        """
        cohort = steps.cohort(self.parameters, self.folder.parents[2], state, other, source)
        if other is None:
            self._facts["cohort"] = describe(cohort)
        return cohort

    def earlier(self, notebook: str, file: str) -> Path | None:
        """Return a file that an earlier chapter left for this cohort, or None, and say why not.

        Used is only what is whole and was made from the same counts, labels and parts, with the
        same value of every parameter that both notebooks have, by the code as it is now.
        """
        if "cohort" not in self._facts:
            self.cohort("labeled")
        folder = self.folder.parent / notebook
        if not (record := read_record(folder / "run.json")):
            return None
        theirs, path = record["parameters"], folder / file
        shared = (theirs.keys() & self.parameters.keys()) - _PLACES
        unlike = [f"{k}={theirs[k]!r}" for k in sorted(shared) if theirs[k] != self.parameters[k]]
        if record.get("cohort", {}).get("sha256") != self._facts["cohort"]["sha256"]:
            unlike.append("other counts or labels")
        if record.get("code") != notebook_digest(notebook):
            unlike.append("other code")
        made = record.get("files", {}).get(file)
        if not path.exists() or made != file_checksum(path, "sha256"):
            unlike.append(f"another {file}")
        if unlike:
            print(f"Chapter {notebook} ran with {', '.join(unlike)}: not used, run it again.")
        return None if unlike else path

    def across(self, notebook: str, file: str, at_least: int = 0) -> pd.DataFrame:
        """Return a chapter's table of every cohort of this source, with a column ``cancer``.

        A table that other code made is left out, and a line says so. Fewer cohorts than
        ``at_least`` are an :class:`InputError`; by default no cohort gives an empty table.
        """
        found = sorted(self.folder.parents[1].glob(f"*/{notebook}/{file}.csv"))
        digests = {path: read_record(path.parent / "run.json").get("code") for path in found}
        mine = [path for path in found if digests[path] == notebook_digest(notebook)]
        old = [path.parents[1].name for path in found if path not in mine]
        read = partial(pd.read_csv, keep_default_na=False, na_values=[""])
        tables = [read(path).assign(cancer=path.parents[1].name) for path in mine]
        if old:
            print(f"{notebook} of {', '.join(old)} was run by other code: not used, run it again.")
        if len(tables) < at_least:
            raise InputError(f"no {file}.csv of {notebook}: first degnext run --cancers all")
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def save(self, table: pd.DataFrame, name: str) -> Path:
        """Write a table to the run's folder as CSV, whole or not at all; row numbers go.

        So do durations: they go to run.json, and the same seed gives the same bytes.
        """
        if "train_seconds" in table:
            self.note(train_seconds=table["train_seconds"].tolist())
            table = table.drop(columns="train_seconds")
        rows_have_names = table.index.name or not pd.api.types.is_integer_dtype(table.index)
        write_atomic(self.folder / f"{name}.csv", table.to_csv(index=bool(rows_have_names)))
        return self.folder / f"{name}.csv"

    def note(self, **facts: Any) -> None:
        """Keep facts (figures of the summary, checks passed) for ``run.json``."""
        self._facts |= facts

    def finish(self) -> Path:
        """Write ``run.json``: parameters, versions, cohort, facts, code, files, seconds, memory."""
        found = [p for p in self.folder.glob("[!.]*") if p.suffix not in _NO_TABLES]
        mine = [p for p in found if p.is_file() and p.stat().st_mtime >= self.started - 0.05]
        record = {"step": self.notebook, "parameters": self.parameters, "versions": versions()}
        record |= self._facts | {"code": notebook_digest(self.notebook)}
        record["files"] = {p.name: file_checksum(p, "sha256") for p in sorted(mine)}
        record["wall_seconds"] = round(time.time() - self.started, 2)
        record |= {"cpu_seconds": round(time.process_time(), 2)} | peak_memory()
        write_atomic(self.folder / "run.json", json.loads(json.dumps(record, default=plain)))
        return self.folder / "run.json"

    def __enter__(self) -> NotebookRun:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:
            self.finish()
