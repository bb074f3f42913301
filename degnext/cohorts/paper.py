"""The numbers that the paper printed: Tables 1-7, and single values of Tables 2 and 3."""

from __future__ import annotations

from functools import cache

import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import data_dir

# Table 2 tests each cohort on its own T3; Table 3 tests the transferred network on all of Q.
EXPERIMENTS = {"general": 2, "transfer": 3}
METRICS = ("accuracy", "recall", "precision", "f_measure", "mcc")
_INDEX = {1: "cancer", 2: "cancer", 3: "cancer", 6: "cancer", 7: "hyperparameter"}


@cache
def _read(n: int) -> pd.DataFrame:
    # keep_default_na: a pathway may list no gene, and that is an empty text, not a missing number
    path = data_dir() / "paper" / f"table{n}.csv"
    return pd.read_csv(path, index_col=_INDEX.get(n), keep_default_na=False)


def paper_table(n: int) -> pd.DataFrame:
    """Return Table ``n`` (1-7) of the paper, cleaned as data/paper/README.md says.

    Tables 1, 2, 3 and 6 are indexed by cancer, Table 7 by hyperparameter (its values stay text);
    Tables 4 and 5 have one row per GO term and per pathway. Accuracy, recall and precision are in
    percent, F-measure and MCC are not. Raises InputError for any other number. Source: Kakati et
    al. 2022, doi:10.1186/s12859-021-04527-4.
    """
    if n not in range(1, 8):
        raise InputError(f"the paper has no Table {n!r}: ask for a whole number from 1 to 7")
    return _read(int(n)).copy()


def paper_value(cancer: str, experiment: str, metric: str) -> float:
    """Return the paper's value of ``metric``: "general" is Table 2, "transfer" Table 3.

    Percent for accuracy, recall and precision; a number up to 1 for f_measure and mcc. Raises
    InputError with the nearest valid name; Table 3 has the eight untrained cohorts only.
    """
    check_choice("experiment", experiment, EXPERIMENTS)
    check_choice("metric", metric, METRICS)
    check_choice("cancer", cancer, _read(1).index)
    table = _read(EXPERIMENTS[experiment])
    if cancer not in table.index:
        fault = f"the paper trained on {cancer} for its transfer and reports no test of it"
        raise InputError(f"{fault}: choose one of {', '.join(table.index)}")
    return float(table.at[cancer, metric])
