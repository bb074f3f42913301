"""A user's cohort: counts and groups in any common format, with what was understood of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.checks import check_counts, check_groups, is_transposed, looks_transformed
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.formats import Files, read_counts
from degnext.cohorts.gene_names import KINDS, is_date, kind_of_names, symbols_of
from degnext.cohorts.groups import find_groups
from degnext.cohorts.tables import read_table


def load_file(
    counts: Files | None,
    groups: str | Path | None = None,
    name: str = "MINE",
    round_counts: bool = False,
    *,
    normal: str | None = None,
    tumor: str | None = None,
    transcripts: str | Path | None = None,
    fewest: int = 2,
) -> Cohort:
    """Load a user's cohort; see ``load_cohort``. Its first three notes say what was understood.

    fewest: samples that either group must have.
    """
    check_cohort_name(name)
    if not counts or not str(counts).strip():
        raise InputError("source 'file' needs counts: the path of a genes × samples table")
    told = read_table(groups) if groups else None
    found = read_counts(counts, told, transcripts)
    about = told if told is not None else found.about
    table, notes = found.table, list(found.notes)
    if is_transposed(table, about):
        table = table.T.infer_objects()
        notes.append("The table held samples in its rows and was transposed.")
    table = _whole(_without_totals(table, notes), round_counts, notes)
    dates = table.index.duplicated(keep=False) & table.index.map(is_date)
    if dates.any():
        what = f"{dates.sum()} rows that Excel gave the same date, e.g. {table.index[dates][0]!r}"
        table, notes = table[~dates], [*notes, f"{what}, are left out."]
    samples = table.columns.astype(str)
    who = find_groups(samples, about, normal, tumor) if len(samples) else None
    table = check_counts(table.set_axis(samples, axis=1))
    n, m = table.shape
    read = f"Read: {found.kind}, {n:,} genes × {m} samples."
    table = table if table.columns.equals(who.groups.index) else table[who.groups.index]
    groups = check_groups(who.groups, table.columns, fewest)
    notes = (read, who.sentence, _about_names(table.index), *who.notes, *notes)
    return Cohort(table, groups, name=name, pairs=who.pairs, notes=notes)


def check_cohort_name(name: str) -> str:
    """Return the name of a user's cohort; it becomes a folder's name, so it is one plain word."""
    if not re.fullmatch(r"\w[\w.-]*", str(name)) or len(str(name)) > 100:
        cure = "call your cohort by one word of letters, digits, - and _"
        raise InputError(f"cancer {str(name)[:60]!r} cannot name a folder: {cure}")
    return str(name)


def _without_totals(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the table without a row that is the sum of the others, as spreadsheets have it."""
    last = np.flatnonzero(table.index.str.fullmatch(r"(?i)|total|sum|totals"))
    numeric = all(_plain(t).kind in "iuf" for t in table.dtypes)
    if len(last) == 1 and len(table) > 2 and numeric:
        one, all_ = table.iloc[last[0]].to_numpy(float), table.to_numpy(float).sum(axis=0)
        if np.allclose(2 * one, all_, rtol=1e-6):
            notes.append("A row of column totals is left out.")
            return table.drop(index=table.index[last[0]])
    return table


def _whole(table: pd.DataFrame, round_counts: bool, notes: list[str]) -> pd.DataFrame:
    """Return rounded counts where that was asked for and the values may be counts at all."""
    if not (round_counts and table.size and all(_plain(t).kind in "iuf" for t in table.dtypes)):
        return table  # check_counts says what is wrong
    values = table.to_numpy(float, na_value=np.nan)
    n = int((values != np.floor(values)).sum())
    if not n or not np.isfinite(values).all():
        return table
    if what := looks_transformed(values):
        raise InputError(f"the values look like {what}: rounding makes no counts of them, pass raw")
    notes.append(f"{n:,} fractional values ({n / table.size:.1%}) rounded to whole counts.")
    return table.round()


def _plain(dtype: object) -> np.dtype:
    return np.dtype(getattr(dtype, "numpy_dtype", dtype if isinstance(dtype, np.dtype) else object))


def _about_names(names: pd.Index) -> str:
    kind = kind_of_names(names)
    if not kind:
        unknown = f"Genes: names such as {str(names[0])!r} are no human symbols, Ensembl or Entrez"
        return f"{unknown} ids; predictions do not need them, lists and sets of genes do."
    found, replaced = symbols_of(names, kind)
    said = f"Genes: {KINDS[kind]} of human genes, {found.notna().mean():.0%} with a known symbol"
    old = " and ".join(f"{n:,} {what}" for what, n in replaced.items())
    return f"{said}; {old} read as today's." if old else f"{said}."
