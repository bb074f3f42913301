"""What a record says of a run: the cohort and its checksum, and versions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from importlib import metadata
from typing import Any

import numpy as np

from degnext.cohorts.cohort import Cohort

_VERSIONS = ("degnext", "numpy", "pandas", "scipy", "scikit-learn", "torch", "xgboost", "gseapy")


def checksum(cohort: Cohort) -> str:
    """Return the sha256 (hex) of names, groups, counts, and labels and parts if there are any."""
    counts, genes = cohort.counts, cohort.genes
    columns = [counts.index, counts.columns, cohort.groups.loc[counts.columns]]
    columns += [] if genes is None else [genes[c] for c in ("label", "bio", "part", "fold")]
    digest = hashlib.sha256(json.dumps([[str(v) for v in c] for c in columns]).encode())
    digest.update(np.ascontiguousarray(counts.to_numpy(dtype=np.int64)))
    return digest.hexdigest()


def describe(cohort: Cohort) -> dict[str, Any]:
    """Return what a record keeps of a cohort."""
    size = {"genes": len(cohort.counts), "n_normal": cohort.n_normal, "n_tumor": cohort.n_tumor}
    return size | {"sha256": checksum(cohort), "notes": list(cohort.notes)}


def key(facts: Any) -> str:
    """Return the sha256 (hex) of plain facts, in whatever order they come."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=plain).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide about numbers."""
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def peak_memory() -> dict[str, float]:
    """Return the most memory that this process has held, in MB; nothing on Windows."""
    with contextlib.suppress(ImportError):
        import resource

        unit = 2**20 if platform.system() == "Darwin" else 2**10  # bytes there, else kilobytes
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        return {"peak_memory_mb": round(used)}
    return {}


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's number and anything else as text, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
