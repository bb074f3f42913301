"""Predictions as the kind of file that its name asks for: whole, and over nothing by mistake."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.files import whole_file, write_atomic
from degnext.cohorts.cohort import Cohort

TABLES = (".csv", ".tsv", ".xlsx", ".parquet", ".h5ad")
_NAME_BYTES = 200  # a file system takes 255, and a temporary name beside it must fit too


def check_output(
    path: Path, kinds: Sequence[str] = TABLES, force: bool = False, inputs: Sequence[str] = ()
) -> None:
    """Raise InputError if ``path`` cannot be written, or must not be, before any work starts.

    kinds: endings that are known. force: an existing file may be replaced, but never an input.
    """
    kind, real = path.suffix.lower(), os.path.realpath  # resolve() stumbles over a link to itself
    folder = next(p for p in Path(real(path)).parents if p.is_symlink() or p.exists())
    if kind not in kinds:
        slip = f"{path.name!r} has no ending that is known: use one of {', '.join(kinds)}"
    elif len(os.fsencode(path.name)) > _NAME_BYTES:
        slip = f"the name {path.name[:30]}… is too long: use at most {_NAME_BYTES} bytes"
    elif path.is_dir():
        slip = f"{path} is a folder: name a file in it, such as predictions{kind}"
    elif real(path) in map(real, inputs):
        slip = f"{path} is an input of this very command: name another file for the predictions"
    elif not folder.is_dir() or not os.access(folder, os.W_OK):
        slip = f"nothing can be written into {folder}: name a file in a folder of your own"
    elif path.exists() and not force:
        slip = f"{path} exists already: name another file, or add --force to replace it"
    elif kind == ".h5ad" and not importlib.util.find_spec("anndata"):
        slip = f"{path.name} needs anndata: run pip install anndata, or name a .parquet file"
    else:
        return
    raise InputError(slip)


def write_table(table: pd.DataFrame, cohort: Cohort, path: Path) -> None:
    """Write a table of predictions to ``path``, in the kind of ``TABLES`` that its ending names.

    Text has six digits, the others have all. ``.xlsx``: names of genes are text, so that a
    spreadsheet leaves SEPT1 alone; notes on a second sheet. ``.h5ad``: AnnData, samples × genes,
    the predictions in ``var``. Raises InputError on a full disk.
    """
    kind, buffer = path.suffix.lower(), io.BytesIO()
    if kind == ".h5ad":
        with whole_file(path) as temporary, tempfile.TemporaryDirectory() as own:
            data = cohort.with_counts(cohort.counts.loc[table["gene"]]).to_anndata()
            new = table.columns.difference(["gene", *data.var.columns], sort=False)
            data.var[list(new)] = table.set_index("gene")[list(new)]
            data.uns["degnext"]["notes"] = list(table.attrs["notes"])
            # elsewhere first: on a full disk HDF5 prints pages of faults
            data.write_h5ad(f"{own}/data.h5ad", compression="gzip")
            shutil.copyfile(f"{own}/data.h5ad", temporary)
        return
    if kind == ".xlsx":
        _write_sheets(table, buffer)
    elif kind == ".parquet":
        table.to_parquet(buffer)
    else:
        settings = {"sep": "\t" if kind == ".tsv" else ",", "index": False, "lineterminator": "\n"}
        buffer.write(table.to_csv(float_format="%.6g", **settings).encode())
    write_atomic(path, buffer.getvalue())


def _write_sheets(table: pd.DataFrame, buffer: io.BytesIO) -> None:
    """Write an Excel workbook: predictions, names as text and never a formula, and notes."""
    with pd.ExcelWriter(buffer, engine="openpyxl") as book:
        table.to_excel(book, sheet_name="predictions", index=False, freeze_panes=(1, 1))
        pd.DataFrame({"note": table.attrs["notes"]}).to_excel(book, sheet_name="notes", index=False)
        sheet = book.sheets["predictions"]
        for cell in (c for row in sheet.iter_rows(min_row=2, max_col=2) for c in row):
            cell.data_type, cell.number_format = "s", "@"
        sheet.auto_filter.ref = sheet.dimensions
