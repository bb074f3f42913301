"""Checks on a counts table and its groups, made before any work starts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from degnext._common.errors import InputError
from degnext.cohorts.tcga import looks_like_barcode

_FAULTS = (  # what no count can be, how it is said, and the cure
    (np.isnan, "are missing (NaN)", "fill them from the source or drop these genes"),
    (np.isinf, "are infinite", "pass raw counts, not ratios or logs"),
    (lambda x: x < 0, "are negative", "pass raw counts, not log values or centred ones"),
    (
        lambda x: x != np.floor(x),
        "are fractional",
        "pass the unnormalised table, or round it first (round_counts=True)",
    ),
    (lambda x: x >= 2**53, "are too large to be counts", "pass raw read counts"),
)


def check_orientation(counts: pd.DataFrame, groups: pd.Series | None = None) -> None:
    """Raise if the table is samples × genes: sample names, or barcodes, found in the rows."""
    if len(counts) == 0:
        return  # nothing to tell from; check_counts names the empty table
    if groups is not None:
        known = [names.isin(groups.index).mean() for names in counts.axes]
        transposed = known[0] > 0.5 > known[1]
    else:
        transposed = np.mean([looks_like_barcode(r) for r in counts.index]) > 0.5
    if transposed:
        fault = "the counts table has samples in its rows (samples × genes)"
        raise InputError(f"{fault}: transpose it to genes × samples, e.g. counts.T")


def check_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return ``counts`` as int64, genes × samples; raise InputError where they are no counts."""
    if 0 in counts.shape:
        cure = "it needs one row per gene and one column per sample"
        raise InputError(f"the counts table is empty: {cure}")
    _check_names("gene", "row", counts.index, "sum or drop the repeated rows first")
    _check_names("sample", "column", counts.columns, "rename or drop the repeated columns")
    for name, dtype in counts.dtypes.items():
        if not is_numeric_dtype(dtype) or is_bool_dtype(dtype):
            cure = "keep one gene column and numeric sample columns only"
            raise InputError(f"column {str(name)!r} holds text, not counts: {cure}")
    values = counts.to_numpy(dtype=float, na_value=np.nan)
    for is_fault, what, cure in _FAULTS:
        n_bad = is_fault(values).sum(axis=0)
        if n_bad.any():
            first = int(np.argmax(n_bad > 0))
            where = f"{n_bad[first]} value(s) in sample {str(counts.columns[first])!r}"
            raise InputError(f"counts must be raw integers; {where} {what}: {cure}")
    empty = counts.columns[values.sum(axis=0) == 0]
    if len(empty):
        cure = f"drop it ({len(empty)} such sample(s))"
        raise InputError(f"sample {str(empty[0])!r} has no reads at all: {cure}")
    genes = counts.index.astype(str).rename("gene")
    samples = counts.columns.astype(str).rename(None)
    return pd.DataFrame(values.astype(np.int64), genes, samples)


def _check_names(what: str, line: str, names: pd.Index, cure: str) -> None:
    if names.isna().any() or (names.astype(str).str.strip() == "").any():
        raise InputError(f"a {what} has no name: give every {what} a name, or drop that {line}")
    repeated = names[names.duplicated()]
    if len(repeated):
        fault = f"{repeated.nunique()} {what} name(s) occur more than once"
        raise InputError(f"{fault}, e.g. {str(repeated[0])!r}: {cure}")


def check_groups(groups: pd.Series, samples: pd.Index, fewest: int = 2) -> pd.Series:
    """Return ``groups`` in the order of ``samples``, values normal/tumor, ``fewest`` of each."""
    groups = groups.astype(str).str.strip().str.lower()
    groups.index = groups.index.astype(str)
    repeated = groups.index[groups.index.duplicated()]
    if len(repeated):
        fault = f"the groups table names sample {repeated[0]!r} more than once"
        raise InputError(f"{fault}: keep one row each")
    unknown = sorted(set(groups) - {"normal", "tumor"})
    if unknown:
        cure = "name every sample's group 'normal' or 'tumor'"
        raise InputError(f"unknown group {unknown[0]!r}: {cure}")
    missing = samples[~samples.isin(groups.index)]
    if len(missing):
        fault = f"{len(missing)} sample(s) of the counts have no group, e.g. {missing[0]!r}"
        raise InputError(f"{fault}: add them to the groups table")
    groups = groups.loc[list(samples)].rename("group")
    for name in ("normal", "tumor"):
        n = int((groups == name).sum())
        if n < fewest:
            cure = "differential expression needs at least two of each"
            raise InputError(f"the group {name!r} has {n} sample(s): {cure}")
    return groups
