"""Checks on a counts table and its groups, made before any work starts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from degnext._common.errors import InputError

_BARCODE = re.compile(r"^TCGA-\w{2}-\w{4}-(\d{2})", re.IGNORECASE)
_SAMPLE_TYPES = {
    "01": "tumor",
    "11": "normal",
}  # GDC sample type codes: primary solid tumor, solid tissue normal


def looks_like_barcode(name: object) -> bool:
    """Tell whether ``name`` starts like a TCGA sample barcode."""
    return bool(_BARCODE.match(str(name)))


def groups_from_barcodes(samples: pd.Index) -> pd.Series:
    """Derive ``normal``/``tumor`` from the sample-type digits of TCGA barcodes (11 and 01).

    Samples of another type (metastasis, recurrence, blood) are absent from the result; the caller says so.
    """
    matched = [_BARCODE.match(str(s)) for s in samples]
    if not all(matched):
        odd = next(s for s, m in zip(samples, matched) if not m)
        raise InputError(
            f"sample {odd!r} is no TCGA barcode, so its group is unknown: pass a groups table with columns sample,group"
        )
    types = pd.Series(
        [_SAMPLE_TYPES.get(m.group(1)) for m in matched], index=samples, name="group", dtype=object
    )
    return types.dropna()


def check_orientation(counts: pd.DataFrame, groups: pd.Series | None = None) -> None:
    """Raise if the table is samples × genes: sample names, or barcodes, found in the rows."""
    if len(counts) == 0:
        return  # nothing to tell from; check_counts names the empty table
    if groups is not None:
        in_rows, in_columns = (
            counts.index.isin(groups.index).mean(),
            counts.columns.isin(groups.index).mean(),
        )
        transposed = in_rows > 0.5 and in_columns < 0.5
    else:
        transposed = np.mean([looks_like_barcode(r) for r in counts.index]) > 0.5
    if transposed:
        raise InputError(
            "the counts table has samples in its rows (samples × genes): transpose it to genes × samples, e.g. counts.T"
        )


def check_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return ``counts`` as int64 (genes × samples), or raise :class:`InputError` for what makes them unusable."""
    if counts.shape[0] == 0 or counts.shape[1] == 0:
        raise InputError(
            "the counts table is empty: it needs one row per gene and one column per sample"
        )
    for axis, names in (("gene", counts.index), ("sample", counts.columns)):
        if names.isna().any() or (names.astype(str).str.strip() == "").any():
            raise InputError(
                f"a {axis} has no name: give every {axis} a name, or drop that {'row' if axis == 'gene' else 'column'}"
            )
        if names.duplicated().any():
            dup = names[names.duplicated()]
            cure = (
                "sum or drop the repeated rows first"
                if axis == "gene"
                else "rename or drop the repeated columns"
            )
            raise InputError(
                f"{dup.nunique()} {axis} name(s) occur more than once, e.g. {str(dup[0])!r}: {cure}"
            )
    text = [
        c
        for c, t in counts.dtypes.items()
        if not pd.api.types.is_numeric_dtype(t) or pd.api.types.is_bool_dtype(t)
    ]
    if text:
        raise InputError(
            f"column {str(text[0])!r} holds text, not counts: keep one gene column and numeric sample columns only"
        )
    values = counts.to_numpy(dtype=float, na_value=np.nan)
    _reject(
        counts,
        np.isnan(values),
        "are missing (NaN)",
        "fill them from the source or drop these genes",
    )
    _reject(counts, np.isinf(values), "are infinite", "pass raw counts, not ratios or logs")
    _reject(counts, values < 0, "are negative", "pass raw counts, not log values or centred ones")
    fractional = values != np.floor(values)
    _reject(
        counts,
        fractional,
        "are fractional",
        "pass the unnormalised table, or round it first (round_counts=True)",
    )
    _reject(counts, values >= 2**53, "are too large to be counts", "pass raw read counts")
    empty = counts.columns[values.sum(axis=0) == 0]
    if len(empty):
        raise InputError(
            f"sample {str(empty[0])!r} has no reads at all: drop it ({len(empty)} such sample(s))"
        )
    return pd.DataFrame(
        values.astype(np.int64),
        index=counts.index.astype(str).rename("gene"),
        columns=counts.columns.astype(str).rename(None),
    )


def _reject(counts: pd.DataFrame, bad: np.ndarray, what: str, cure: str) -> None:
    if bad.any():
        column = int(np.argmax(bad.any(axis=0)))
        n = int(bad[:, column].sum())
        raise InputError(
            f"counts must be raw integers; {n} value(s) in sample {str(counts.columns[column])!r} {what}: {cure}"
        )


def check_groups(groups: pd.Series, samples: pd.Index) -> pd.Series:
    """Return ``groups`` in the order of ``samples`` with values ``normal``/``tumor``; both need at least two samples."""
    groups = groups.astype(str).str.strip().str.lower()
    groups.index = groups.index.astype(str)
    if groups.index.duplicated().any():
        raise InputError(
            f"the groups table names sample {groups.index[groups.index.duplicated()][0]!r} more than once: keep one row each"
        )
    unknown = sorted(set(groups) - {"normal", "tumor"})
    if unknown:
        raise InputError(
            f"unknown group {unknown[0]!r}: name every sample's group 'normal' or 'tumor'"
        )
    missing = [s for s in samples if s not in groups.index]
    if missing:
        raise InputError(
            f"{len(missing)} sample(s) of the counts have no group, e.g. {missing[0]!r}: add them to the groups table"
        )
    groups = groups.loc[list(samples)].rename("group")
    for name in ("normal", "tumor"):
        n = int((groups == name).sum())
        if n < 2:
            raise InputError(
                f"the group {name!r} has {n} sample(s): differential expression needs at least two of each"
            )
    return groups
