"""The committed results: finished tables that the chapters show, written by ``reproduction``."""

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir


def saved_results(name: str) -> pd.DataFrame:
    """Return ``data/results/<name>.csv``; raise InputError where it is missing."""
    path = data_dir() / "results" / f"{name}.csv"
    if not path.exists():
        cure = "make it with python -m reproduction.tables, or check the repository out again"
        raise InputError(f"data/results/{name}.csv is missing: {cure}")
    return pd.read_csv(path)
