"""Checks on a counts table and its groups, made before any work starts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from degnext._common.errors import InputError
from degnext.cohorts.gene_names import kind_of_names
from degnext.cohorts.groups import group_of_word
from degnext.cohorts.tcga import looks_like_barcode

_A_WHOLE_TABLE = 500  # genes from which whole numbers may be told from rounded logs
_FAULTS = (  # what no count can be, how it is said, and the cure
    (np.isnan, "are missing (NaN)", "fill them from the source or drop these genes"),
    (np.isinf, "are infinite", "pass raw counts, not ratios or logs"),
    (lambda x: x < 0, "are negative", "pass raw counts, not log values or centred ones"),
    (
        lambda x: x != np.floor(x),
        "are fractional",
        "pass the unnormalised table, or round expected counts with --round (round_counts=True)",
    ),
    (lambda x: x >= 2**53, "are too large to be counts", "pass raw read counts"),
)


def check_orientation(counts: pd.DataFrame, groups: pd.Series | None = None) -> None:
    """Raise InputError if the table is samples × genes."""
    if is_transposed(counts, None if groups is None else groups.to_frame()):
        fault = "the counts table has samples in its rows (samples × genes)"
        raise InputError(f"{fault}: transpose it to genes × samples, e.g. counts.T")


def is_transposed(table: pd.DataFrame, about: pd.DataFrame | None) -> bool:
    """Tell whether samples are in the rows: by the groups table, by barcodes, by gene names."""
    if not table.size:
        return False  # check_counts names the empty table
    rows, columns = (axis.astype(str) for axis in table.axes)
    if about is not None:
        known = {str(v).strip() for c in about.reset_index().to_numpy(object).T for v in c}
        in_rows, in_columns = rows.isin(known).mean(), columns.isin(known).mean()
        if max(in_rows, in_columns) > 0.5:
            return in_rows > in_columns
    if np.mean([looks_like_barcode(row) for row in rows]) > 0.5:
        return True
    return len(columns) > len(rows) and kind_of_names(columns) in ("ensembl", "symbol")


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
    whole = all(dtype.kind in "iu" for dtype in counts.dtypes if isinstance(dtype, np.dtype))
    values = counts.to_numpy() if whole else None
    if values is None or values.dtype.kind not in "iu":
        values = counts.to_numpy(dtype=float, na_value=np.nan)
        _check_values(values, counts.columns)
    elif values.min() < 0 or values.max() >= 2**53:
        _check_values(values.astype(float), counts.columns)
    if len(counts) >= _A_WHOLE_TABLE and (what := looks_transformed(values)):
        raise InputError(f"the values look like {what}: pass the raw counts")
    empty = counts.columns[values.sum(axis=0) == 0]
    if len(empty):
        cure = f"drop it ({len(empty)} such sample(s))"
        raise InputError(f"sample {str(empty[0])!r} has no reads at all: {cure}")
    genes = counts.index.astype(str).str.strip().rename("gene")
    samples = counts.columns.astype(str).rename(None)
    return pd.DataFrame(values.astype(np.int64, copy=False), genes, samples)


def _check_values(values: np.ndarray, samples: pd.Index) -> None:
    for is_fault, what, cure in _FAULTS:
        n_bad = is_fault(values).sum(axis=0)
        if n_bad.any():
            first = int(np.argmax(n_bad > 0))
            where = f"{n_bad[first]} value(s) in sample {str(samples[first])!r}"
            like = looks_transformed(values) if what in ("are fractional", "are negative") else ""
            cure = f"the values look like {like}, so pass the raw counts" if like else cure
            raise InputError(f"counts must be raw integers; {where} {what}: {cure}")


def looks_transformed(values: np.ndarray) -> str:
    """Tell what values (genes × samples, finite) are that are no counts, or "" where they may be.

    Log values stay below 30. CPM, and counts over size factors, are multiples of one number in each
    sample; values per million have equal sums; FPKM and TPM are fractions that are small on
    average. Expected counts (RSEM, Salmon, tximport) pass.
    """
    highest, sums = values.max(), values.sum(axis=0, dtype=float)
    if highest < 30:
        return "log2 values (none reaches 30)"
    fractional = values.dtype.kind == "f" and (values != np.floor(values)).mean()
    even = len(sums) > 2 and sums.min() > 0 and np.ptp(sums) <= 0.01 * sums.mean()
    if even and abs(sums.mean() - 1e6) <= 1e4:
        return "TPM or CPM (each sample's sum is a million)"
    seen = max((values > 0).mean(), 1e-9)
    if not fractional or fractional < 0.2 * seen:
        return ""
    if even:
        return "normalised values (the samples have equal sums)"
    if all(_is_scaled(column[column > 0]) for column in values.T[:10]):
        return "counts over size factors (each sample's are multiples of one number)"
    if fractional > 0.9 * seen and sums.mean() < 60 * len(values):
        return "FPKM or TPM (small fractions throughout)"
    return ""


def _is_scaled(column: np.ndarray) -> bool:
    """Tell whether a sample's values are whole multiples of one number, if rounded to hundredths.

    That number is no 1, nor a 0.5 or 0.01, by which expected counts go up.
    """
    if column.size <= 20:
        return False
    unit = column.min()
    for reach in (8, 40, 200):  # from few values, which tell it roughly, to many
        few = column[column < reach * unit]
        times = np.rint(few / unit)
        unit = (few @ times) / (times @ times)
    whole = abs(np.rint(1 / unit) * unit - 1) < 1e-9
    return few.size > 20 and not whole and np.mean(abs(few / unit - times) < 0.02) > 0.99


def _check_names(what: str, line: str, names: pd.Index, cure: str) -> None:
    plain = names.astype(str).str.strip()  # "GENE " looks like GENE
    if names.isna().any() or (plain == "").any():
        raise InputError(f"a {what} has no name: give every {what} a name, or drop that {line}")
    repeated = plain[plain.duplicated()]
    if len(repeated):
        fault = f"{repeated.nunique()} {what} name(s) occur more than once"
        fault += f", e.g. {repeated[0]!r} (blanks around a name do not count)"
        raise InputError(f"{fault}: {cure}")


def check_groups(groups: pd.Series, samples: pd.Index, fewest: int = 2) -> pd.Series:
    """Return ``groups`` in the order of ``samples``, values normal/tumor, ``fewest`` of each."""
    words = groups.astype(str).str.strip()
    groups = words.map(lambda word: group_of_word(word) or word)
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
