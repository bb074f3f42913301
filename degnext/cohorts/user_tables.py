"""Read a user's counts table and groups table."""

from __future__ import annotations

import csv
import gzip
import os
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.checks import check_counts, check_groups, check_orientation
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.tcga import groups_from_barcodes, looks_like_barcode

_ANNOTATION = ("entrez_gene_id", "entrez", "gene_name", "gene_type", "gene_id", "ensembl_id")
_ANNOTATION += ("description", "length", "hugo_symbol", "symbol")
_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")


def load_file(
    counts: str | Path | None,
    groups: str | Path | None = None,
    name: str = "MINE",
    round_counts: bool = False,
    fewest: int = 2,
) -> Cohort:
    """Load a user's cohort from its tables; without ``groups`` they come from TCGA barcodes.

    fewest: samples that either group must have.
    """
    check_cohort_name(name)
    if not str(counts or "").strip():
        raise InputError("source 'file' needs counts: the path of a genes × samples table")
    table, notes = read_counts(counts, round_counts)
    told = read_groups(groups) if groups else None
    check_orientation(table, told)
    if told is None:
        if table.shape[1] and not any(looks_like_barcode(c) for c in table.columns):
            fault = "the sample names are no TCGA barcodes, so the groups are unknown"
            raise InputError(f"{fault}: pass groups, a table with columns sample,group")
        told = groups_from_barcodes(table.columns)
        lost, table = table.shape[1] - len(told), table[told.index]
        if lost:
            tissues = "neither primary tumor nor solid normal tissue"
            notes.append(f"{lost} sample(s) are {tissues} and are left out.")
    table = check_counts(table)
    return Cohort(table, check_groups(told, table.columns, fewest), name=name, notes=tuple(notes))


def check_cohort_name(name: str) -> str:
    """Return the name of a user's cohort; it becomes a folder's name, so it is one plain word."""
    if not re.fullmatch(r"\w[\w.-]*", str(name)):
        cure = "call your cohort by one word of letters, digits, - and _"
        raise InputError(f"cancer {name!r} cannot name a folder: {cure}")
    return str(name)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read CSV, TSV, either gzipped, or Parquet; the first column of a text becomes the index.

    The separator is the one that the header line holds more of. Raises InputError for a missing,
    empty, unknown or unreadable file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}: check the path")
    if not path.name.lower().endswith(_SUFFIXES):
        raise InputError(f"{path.name}: unknown kind of table; use one of {', '.join(_SUFFIXES)}")
    if path.stat().st_size == 0:
        cure = "it needs a header line with sample names and one line per gene"
        raise InputError(f"{path.name} is empty: {cure}")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as lines:
            first = next((line.rstrip("\n") for line in lines if line.strip()), "")
        separator = "\t" if first.count("\t") >= first.count(",") else ","
        names = pd.Index(next(csv.reader([first], delimiter=separator)))
        # names of genes and samples stay text: 001 is not 1
        table = pd.read_csv(path, sep=separator, index_col=0, dtype={0: str})
    except (
        ValueError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:  # pandas' own errors are ValueErrors
        # pandas says it in two sentences and a newline
        why = re.sub(r"\.\s+", "; ", " ".join(str(error).split()))
        fault = f"{path.name} cannot be read as a table ({why})"
        raise InputError(f"{fault}: save it as CSV, TSV or Parquet") from error
    if names.duplicated().any():  # pandas would rename the second one to NAME.1 and read on
        fault = f"column {names[names.duplicated()][0]!r} occurs more than once"
        raise InputError(f"{path.name}: {fault}: rename or drop the repeated columns")
    if table.shape[1] == 0:
        raise InputError(f"{path.name} has only one column: separate the columns by commas or tabs")
    return table


def read_counts(paths: str | Path, round_counts: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Read one counts table, or several separated by commas (same genes, other samples).

    Annotation columns (Entrez id, gene type, …) are dropped, fractional counts are rounded only on
    request. Returns the table and notes of what was done.
    """
    tables, notes = [], []
    for path in [paths] if os.path.isfile(paths) else str(paths).split(","):
        table = read_table(str(path).strip())
        extra = [c for c in table.columns if str(c).strip().lower() in _ANNOTATION]
        if extra:
            columns = ", ".join(map(str, extra))
            notes.append(
                f"{Path(str(path).strip()).name}: annotation column(s) {columns} left out."
            )
        tables.append(table.drop(columns=extra))
    counts = tables[0]
    for other in tables[1:]:
        if not counts.index.equals(other.index):
            common = _common_genes(counts.index, other.index)
            notes.append(f"{len(common):,} genes are in every table; the others are left out.")
            counts, other = counts.loc[common], other.loc[common]
        counts = pd.concat([counts, other], axis=1)
    if round_counts and all(pd.api.types.is_numeric_dtype(t) for t in counts.dtypes):
        n = int((counts.to_numpy() != np.floor(counts.to_numpy())).sum())
        if n:
            share = f"{n / counts.size:.1%}"
            notes.append(f"{n:,} fractional values ({share}) rounded to whole counts.")
            counts = counts.round()
    return counts, notes


def _common_genes(one: pd.Index, other: pd.Index) -> pd.Index:
    if one.has_duplicates or other.has_duplicates:
        fault = "two counts tables with repeated gene names cannot be joined"
        raise InputError(f"{fault}: give each gene one row first")
    common = one.intersection(other)
    if len(common) < 0.5 * len(one):
        fault = "the counts tables share fewer than half of their genes"
        raise InputError(f"{fault}: use the same annotation for all")
    return common


def read_groups(path: str | Path) -> pd.Series:
    """Read the groups of samples: the column ``group``, or the only one beside their names."""
    table = read_table(path)
    if "group" in table.columns:
        return table["group"]
    if table.shape[1] > 1:
        cure = "name the column with normal/tumor 'group'"
        raise InputError(f"{Path(path).name} has no column 'group': {cure}")
    return table.iloc[:, 0]
