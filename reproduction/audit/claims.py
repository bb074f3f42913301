"""The audit's claims by name: measure one on the published files, or read the committed table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from degnext._common.errors import check_choice
from degnext.evaluation.record import saved_results
from reproduction.audit import composition_claims, count_claims, network_claims, symbol_claims
from reproduction.audit.files import weights_path

_MEASURED: tuple[Callable[[], pd.DataFrame], ...] = (
    network_claims.released_weights,
    network_claims.batch_of_one,
    count_claims.normalisation,
    count_claims.library_sizes,
    count_claims.sign_agreement,
    count_claims.fold_change_auc,
    network_claims.output_layer,
    network_claims.carried_over,
    count_claims.median_counts,
    network_claims.noise_accuracy,
    network_claims.architecture,
    count_claims.sample_numbers,
    count_claims.labels_again,
    composition_claims.composition,
    composition_claims.tmm_labels,
    symbol_claims.recovered_rows,
    symbol_claims.symbol_positions,
    symbol_claims.symbol_levels,
    symbol_claims.symbol_labels,
)
CLAIMS = {f.__name__: f for f in _MEASURED}


def measure(name: str) -> pd.DataFrame:
    """Measure one claim now; raises InputError without the published files."""
    check_choice("claim", name, CLAIMS)
    weights_path()
    return CLAIMS[name]()


def committed(name: str) -> pd.DataFrame:
    """Return the claim's committed table (``data/results/audit_<name>.csv``)."""
    return saved_results(f"audit_{check_choice('claim', name, CLAIMS)}")


def as_committed(name: str, table: pd.DataFrame, tolerance: float = 0.02) -> bool:
    """Tell whether a table just measured says what the committed one says.

    Numbers may differ by ``tolerance`` of their size, text not at all. Cohorts that the committed
    run did not have are left aside.
    """
    old = committed(name)
    if "cancer" in old:
        table = table[table["cancer"].isin(old["cancer"])]
    if list(old.columns) != list(table.columns) or len(old) != len(table):
        return False

    def same(a: pd.Series, b: pd.Series) -> bool:
        if not pd.api.types.is_numeric_dtype(b):
            return a.astype(str).equals(b.astype(str))
        a, b = a.astype(float), b.astype(float)
        return np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)

    return all(same(old[c], table[c].reset_index(drop=True)) for c in table.columns)
