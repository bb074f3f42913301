"""The committed results: finished tables that the chapters show, written by ``reproduction``."""

from __future__ import annotations

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir


def saved_results(name: str) -> pd.DataFrame:
    """Return ``data/results/<name>.csv``; raise InputError where it is not there."""
    path = data_dir() / "results" / f"{name}.csv"
    if not path.exists():
        raise InputError(
            f"data/results/{name}.csv is missing: check the repository out again, or make it by the "
            "command that reproduction/__init__.py names"
        )
    return pd.read_csv(path)
