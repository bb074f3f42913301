"""What every notebook does first and last: check the parameters, know its folders, leave a ``run.json``."""

from __future__ import annotations

import ast
import json
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from .cohorts import CANCERS, Cohort, LabeledCohort
from .errors import InputError, check_choice, nearest
from .files import write_atomic
from .paths import results_dir
from .sources import SOURCES, load_cohort

_CHOICES = {
    "source": SOURCES,
    "protocol": ("paper", "corrected"),
    "network": ("paper", "profile"),
    "train_part": ("T1", "T2"),
    "de_method": ("lrt", "exact", "ql"),
    "relu": ("pair", "conv"),
    "symbols": ("auto", "map", "keep"),
    "device": ("auto", "cpu", "cuda"),
}
_TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool}
_VERSIONS = ("degnext", "numpy", "pandas", "scipy", "scikit-learn", "torch", "xgboost", "gseapy")
_LOADING = ("data_dir", "counts_path", "groups_path", "round_counts", "train_part")


def check_parameters(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook's parameters, or raise :class:`InputError` for a name or a value that it does not know.

    The parameters are the annotated names of the notebook's first cell. Papermill puts its own values into a cell
    that starts with ``# Parameters``; a name assigned there but not annotated is one that the notebook does not have,
    which plain papermill would only warn about.
    """
    annotated = dict(namespace.get("__annotations__", {}))
    for cell in namespace.get("In", []):
        if not cell.startswith("# Parameters"):
            continue
        given = [t.id for n in ast.parse(cell).body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
        for name in given:
            if name not in annotated:
                raise InputError(f"unknown parameter {name!r}: {nearest(name, annotated)}")
    parameters = {name: namespace[name] for name in annotated}
    for name, value in parameters.items():
        kind = annotated[name] if isinstance(annotated[name], str) else getattr(annotated[name], "__name__", "")
        expected = _TYPES.get(kind)
        if expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool")):
            raise InputError(f"parameter {name} must be of type {kind}, not {value!r}: pass it as -p {name} VALUE")
        if name in _CHOICES:
            check_choice(name, value, _CHOICES[name])
        if kind in ("int", "float") and value < 0:
            raise InputError(f"parameter {name} must not be negative, not {value!r}: give 0 or more")
    if parameters.get("source") != "file" and "cancer" in parameters:
        check_choice("cancer", parameters["cancer"], CANCERS)
    return parameters


class Step:
    """One notebook's run on one cohort: its parameters, its cohort, its output folder ``<results>/<source>/<cancer>/<name>``."""

    def __init__(self, name: str, namespace: dict[str, Any]) -> None:
        self.name, self.parameters, self.started = name, check_parameters(namespace), time.perf_counter()
        p = self.parameters
        self.cancer, self.source, self.seed = p["cancer"], p["source"], p.get("seed", 0)
        self.folder = results_dir(p.get("results_dir")) / self.source / self.cancer / name
        self._facts: dict[str, Any] = {}

    def sibling(self, name: str) -> Path:
        """Return the output folder of another notebook for the same cohort."""
        return self.folder.parent / name

    def load(self) -> Cohort:
        """Load the cohort that the parameters name."""
        given = {k: self.parameters[k] for k in _LOADING if self.parameters.get(k) not in (None, "")}
        cohort = load_cohort(self.cancer, self.source, seed=self.seed, **given)
        self._facts["cohort"] = _describe(cohort)
        return cohort

    def load_filtered(self) -> Cohort:
        """Load the cohort as notebook 01 left it: outliers and quiet genes gone; made now if notebook 01 did not run."""
        from .pipeline import filtered_cohort

        return filtered_cohort(self)

    def load_labeled(self) -> LabeledCohort:
        """Load labelled genes: the authors' for ``published``, else what notebook 02 left, made now if it is not there."""
        from .pipeline import labeled_cohort

        cohort = labeled_cohort(self)
        self._facts["cohort"] = _describe(cohort)
        return cohort

    def load_target(self) -> LabeledCohort:
        """Load the labelled cohort to test on in transfer; a published one may lack its training parts."""
        from .pipeline import target_cohort

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
            "step": self.name, "parameters": self.parameters, "versions": _versions(), **self._facts,
            "wall_seconds": round(time.perf_counter() - self.started, 2),
        }
        write_atomic(self.folder / "run.json", json.loads(json.dumps(record, default=_plain)))
        return self.folder / "run.json"


def _describe(cohort: Cohort) -> dict[str, Any]:
    import hashlib

    digest = hashlib.sha256(pd.util.hash_pandas_object(cohort.counts).to_numpy().tobytes()).hexdigest()
    return {"genes": len(cohort.counts), "n_normal": cohort.n_normal, "n_tumor": cohort.n_tumor, "sha256": digest, "notes": list(cohort.notes)}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
