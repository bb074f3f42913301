"""What a record says of a run: the cohort and its checksum, versions, the files written."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from typing import Any

import numpy as np

from degnext.cohorts.cohort import Cohort

_VERSIONS = ("degnext", "numpy", "pandas", "scipy", "scikit-learn", "torch", "xgboost", "gseapy")


def checksum(cohort: Cohort) -> str:
    """Return the sha256 (hex) of names, groups and values of a cohort, and of its labels and parts where it has any."""
    digest = hashlib.sha256()
    groups = cohort.groups.loc[cohort.counts.columns]
    tables = [cohort.counts.index, cohort.counts.columns, groups]
    if cohort.genes is not None:
        tables += [cohort.genes[c] for c in ("label", "bio", "part", "fold")]
    for table in tables:
        digest.update(json.dumps([str(v) for v in table]).encode())
    digest.update(np.ascontiguousarray(cohort.counts.to_numpy(dtype=np.int64)))
    return digest.hexdigest()


def describe(cohort: Cohort) -> dict[str, Any]:
    """Return what a record keeps of a cohort."""
    return {
        "genes": len(cohort.counts),
        "n_normal": cohort.n_normal,
        "n_tumor": cohort.n_tumor,
        "sha256": checksum(cohort),
        "notes": list(cohort.notes),
    }


def key(facts: Any) -> str:
    """Return the sha256 (hex) of plain facts; the same facts have the same key in whatever order they come."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=plain).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide about numbers."""
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's number and anything else as text, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
