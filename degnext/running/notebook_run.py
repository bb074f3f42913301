"""What every notebook does first and last: check the parameters, know its folders, leave a ``run.json``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import results_dir
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.load import load_cohort
from degnext.running.parameters import check_parameters
from degnext.running.provenance import _describe, _plain, _versions

_LOADING = ("data_dir", "counts_path", "groups_path", "round_counts", "train_part")


class Step:
    """One notebook's run on one cohort: its parameters, its cohort, its output folder ``<results>/<source>/<cancer>/<name>``."""

    def __init__(self, name: str, namespace: dict[str, Any]) -> None:
        self.name, self.parameters, self.started = (
            name,
            check_parameters(namespace),
            time.perf_counter(),
        )
        p = self.parameters
        self.cancer, self.source, self.seed = p["cancer"], p["source"], p.get("seed", 0)
        self.folder = results_dir(p.get("results_dir")) / self.source / self.cancer / name
        self._facts: dict[str, Any] = {}

    def sibling(self, name: str) -> Path:
        """Return the output folder of another notebook for the same cohort."""
        return self.folder.parent / name

    def load(self) -> Cohort:
        """Load the cohort that the parameters name."""
        given = {
            k: self.parameters[k] for k in _LOADING if self.parameters.get(k) not in (None, "")
        }
        cohort = load_cohort(self.cancer, self.source, seed=self.seed, **given)
        self._facts["cohort"] = _describe(cohort)
        return cohort

    def load_filtered(self) -> Cohort:
        """Load the cohort as notebook 01 left it: outliers and quiet genes gone; made now if notebook 01 did not run."""
        from degnext.running.steps import filtered_cohort

        return filtered_cohort(self)

    def load_labeled(self) -> Cohort:
        """Load labelled genes: the authors' for ``published``, else what notebook 02 left, made now if it is not there."""
        from degnext.running.steps import labeled_cohort

        cohort = labeled_cohort(self)
        self._facts["cohort"] = _describe(cohort)
        return cohort

    def load_target(self) -> Cohort:
        """Load the labelled cohort to test on in transfer; a published one may lack its training parts."""
        from degnext.running.steps import target_cohort

        cohort = target_cohort(self)
        self._facts["cohort"] = _describe(cohort)
        return cohort

    def save_table(self, table: pd.DataFrame, name: str, index: bool = True) -> Path:
        """Write a table as CSV to the step's folder, whole or not at all; return its path."""
        path = self.folder / f"{name}.csv"
        write_atomic(path, table.to_csv(index=index))
        return path

    def note(self, **facts: Any) -> None:
        """Keep facts (figures of the summary, checks passed) for ``run.json``."""
        self._facts |= facts

    def finish(self) -> Path:
        """Write ``run.json``: parameters, versions, checksum of the cohort, facts and wall seconds."""
        record = {
            "step": self.name,
            "parameters": self.parameters,
            "versions": _versions(),
            **self._facts,
            "wall_seconds": round(time.perf_counter() - self.started, 2),
        }
        write_atomic(self.folder / "run.json", json.loads(json.dumps(record, default=_plain)))
        return self.folder / "run.json"
