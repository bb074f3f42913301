"""TODO."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import pandas as pd

from degnext.cohorts.cohort import Cohort

_VERSIONS = ("degnext", "numpy", "pandas", "scipy", "scikit-learn", "torch", "xgboost", "gseapy")


def _describe(cohort: Cohort) -> dict[str, Any]:
    import hashlib

    digest = hashlib.sha256(
        pd.util.hash_pandas_object(cohort.counts).to_numpy().tobytes()
    ).hexdigest()
    return {
        "genes": len(cohort.counts),
        "n_normal": cohort.n_normal,
        "n_tumor": cohort.n_tumor,
        "sha256": digest,
        "notes": list(cohort.notes),
    }


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
