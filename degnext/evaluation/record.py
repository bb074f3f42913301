"""TODO."""

from __future__ import annotations

import pandas as pd

from degnext._common.paths import data_dir


def saved_results(name: str) -> pd.DataFrame | None:
    """Return ``data/results/<name>.csv``, None where it has not been made."""
    path = data_dir() / "results" / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else None
