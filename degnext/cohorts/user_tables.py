"""Read a user's counts table and groups table."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.checks import (
    check_counts,
    check_groups,
    check_orientation,
    groups_from_barcodes,
    looks_like_barcode,
)
from degnext.cohorts.cohort import Cohort

_ANNOTATION = (
    "entrez_gene_id",
    "entrez",
    "gene_name",
    "gene_type",
    "gene_id",
    "ensembl_id",
    "description",
    "length",
    "hugo_symbol",
    "symbol",
)
_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read CSV, TSV, either gzipped, or Parquet; the first column of a text table becomes the index.

    The separator is the one that the header line holds more of. Raises :class:`InputError` for a missing, empty,
    unknown or unreadable file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}: check the path")
    if not path.name.lower().endswith(_SUFFIXES):
        raise InputError(f"{path.name}: unknown kind of table; use one of {', '.join(_SUFFIXES)}")
    if path.stat().st_size == 0:
        raise InputError(
            f"{path.name} is empty: it needs a header line with sample names and one line per gene"
        )
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        first = str(
            pd.read_csv(
                path, sep="\0", header=None, nrows=1, engine="python", dtype=str, quoting=3
            ).iloc[0, 0]
        )
        separator = "\t" if first.count("\t") >= first.count(",") else ","
        names = pd.Index(next(csv.reader([first], delimiter=separator)))
        # names of genes and samples stay text: 001 is not 1
        table = pd.read_csv(path, sep=separator, index_col=0, dtype={0: str})
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        why = re.sub(
            r"\.\s+", "; ", " ".join(str(error).split())
        )  # pandas says it in two sentences and a newline
        raise InputError(
            f"{path.name} cannot be read as a table ({why}): save it as CSV, TSV or Parquet"
        ) from error
    if names.duplicated().any():  # pandas would rename the second one to NAME.1 and read on
        raise InputError(
            f"{path.name}: column {str(names[names.duplicated()][0])!r} occurs more than once: rename or drop the repeated columns"
        )
    if table.shape[1] == 0:
        raise InputError(f"{path.name} has only one column: separate the columns by commas or tabs")
    return table


def read_counts(paths: str | Path, round_counts: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Read one counts table, or several separated by commas (same genes, other samples); return it with notes.

    Annotation columns (Entrez id, gene type, …) are dropped, fractional counts are rounded only on request.
    """
    tables, notes = [], []
    for path in str(paths).split(","):
        table = read_table(path.strip())
        extra = [c for c in table.columns if str(c).strip().lower() in _ANNOTATION]
        if extra:
            notes.append(
                f"{Path(path.strip()).name}: annotation column(s) {', '.join(map(str, extra))} left out."
            )
        tables.append(table.drop(columns=extra))
    counts = tables[0]
    for other in tables[1:]:
        if not counts.index.equals(other.index):
            if counts.index.duplicated().any() or other.index.duplicated().any():
                raise InputError(
                    "two counts tables with repeated gene names cannot be joined: give each gene one row first"
                )
            common = counts.index.intersection(other.index)
            if len(common) < 0.5 * len(counts):
                raise InputError(
                    "the counts tables share fewer than half of their genes: use the same annotation for all"
                )
            notes.append(f"{len(common):,} genes are in every table; the others are left out.")
            counts, other = counts.loc[common], other.loc[common]
        counts = pd.concat([counts, other], axis=1)
    if round_counts and all(pd.api.types.is_numeric_dtype(t) for t in counts.dtypes):
        n = int((counts.to_numpy() != np.floor(counts.to_numpy())).sum())
        if n:
            counts = counts.round()
            notes.append(
                f"{n:,} fractional values ({n / counts.size:.1%}) rounded to whole counts."
            )
    return counts, notes


def read_groups(path: str | Path) -> pd.Series:
    """Read a table whose first column names the sample and which has a column ``group`` (or one column only)."""
    table = read_table(path)
    column = (
        "group" if "group" in table.columns else table.columns[0] if table.shape[1] == 1 else None
    )
    if column is None:
        raise InputError(
            f"{Path(path).name} has no column 'group': name the column with normal/tumor 'group'"
        )
    return table[column]


def check_cohort_name(name: str) -> str:
    """Return the name of a user's cohort; it becomes a folder's name, so it is one plain word."""
    if not re.fullmatch(r"\w[\w.-]*", str(name)):
        raise InputError(
            f"cancer {name!r} cannot name a folder: call your cohort by one word of letters, digits, - and _"
        )
    return str(name)


def load_file(
    counts_path: str | Path,
    groups_path: str | Path | None = None,
    cancer: str = "MINE",
    round_counts: bool = False,
) -> Cohort:
    """Load a user's cohort; groups come from ``groups_path`` or, without one, from TCGA barcodes in the header."""
    check_cohort_name(cancer)
    if not str(counts_path or "").strip():
        raise InputError("source 'file' needs counts_path: the path of a genes × samples table")
    counts, notes = read_counts(counts_path, round_counts)
    groups = read_groups(groups_path) if groups_path else None
    check_orientation(counts, groups)
    if groups is None:
        if counts.shape[1] and not any(looks_like_barcode(c) for c in counts.columns):
            raise InputError(
                "the sample names are no TCGA barcodes, so the groups are unknown: pass groups_path, a table with columns sample,group"
            )
        groups = groups_from_barcodes(counts.columns)
        if len(groups) < counts.shape[1]:
            notes.append(
                f"{counts.shape[1] - len(groups)} sample(s) are neither primary tumor nor solid normal tissue and are left out."
            )
            counts = counts[groups.index]
    counts = check_counts(counts)
    return Cohort(counts, check_groups(groups, counts.columns), name=cancer, notes=tuple(notes))
