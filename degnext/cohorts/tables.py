"""A table from the bytes of a file: text of any common encoding, packing and dialect; Parquet."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import os
import re
import warnings
import zlib
from pathlib import Path

import pandas as pd
import pyarrow as pa

from degnext._common.errors import InputError
from degnext.cohorts.vocabulary import WORDS

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_NO_HEADER = re.compile(r"ENS[A-Z]*[GT]\d|N_\w+$|__\w+$")
_UNPACK = {  # by the first bytes, whatever the file is called
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
    b"\x28\xb5\x2f\xfd": lambda raw: pa.CompressedInputStream(io.BytesIO(raw), "zstd").read(),
    b"PK\x03\x04": lambda raw: _first_sheet(raw),
}
UNREADABLE = (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, csv.Error)


def existing_file(path: str | Path) -> Path:
    """Return the path of a file that is there; raise InputError for anything else."""
    text = str(path)
    try:
        found = Path(text).expanduser() if text.startswith("~/") else Path(text)
        there = found.is_file()
    except (OSError, ValueError):  # a name that is too long, a null byte
        there = False
    if not there:
        raise InputError(f"no file {text!r}: check the path")
    if not os.access(found, os.R_OK):
        raise InputError(f"the file {text!r} may not be read: check its permission, or copy it")
    return found


def sample_sheets(paths: list[Path]) -> list[Path]:
    """Return the GDC's sample sheets that lie beside or above several files of counts."""
    folders = paths[0].parents[:2] if len(paths) > 1 else []
    return sorted(p for folder in folders for p in folder.glob("*sample_sheet*"))


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table; its first column becomes the index, as text (001 is not 1, NA is a name).

    Text may be UTF-8, UTF-16 or Latin-1, packed by gz, bz2, xz or zstd, separated by tabs, commas,
    semicolons or blanks, with decimal commas, with a ``sep=`` line, and with R's header, which
    lacks its first name. Of a workbook (.xlsx) the first sheet that is shown is read. Lines before
    the header that start with # are kept in ``attrs["comments"]``. A table without header has
    numbered columns. Raises InputError.
    """
    path = existing_file(path)
    try:
        raw = path.read_bytes()
        if not raw:
            cure = "it needs a header line with sample names and one line per gene"
            raise InputError(f"{path.name} is empty: {cure}")
        raw = next((f for start, f in _UNPACK.items() if raw.startswith(start)), bytes)(raw)
        table = _from_parquet(raw) if raw[:4] == b"PAR1" else _from_text(_decode(raw))
    except InputError:
        raise
    except UNREADABLE as error:  # pandas' own errors and Arrow's are ValueErrors
        # pandas says it in two sentences and a newline
        why = re.sub(r"[.:]\s+", "; ", " ".join(str(error).split())).rstrip(".")
        fault = f"{path.name} cannot be read as a table ({why[:160]})"
        raise InputError(f"{fault}: save it as CSV, TSV or Parquet") from error
    names = table.columns
    if names.duplicated().any():  # pandas would rename the second one to NAME.1 and read on
        fault = f"column {str(names[names.duplicated()][0])!r} occurs more than once"
        raise InputError(f"{path.name}: {fault}: rename or drop the repeated columns")
    if table.shape[1] == 0:
        raise InputError(f"{path.name} has only one column: separate them by tabs or commas")
    return table


def _first_sheet(raw: bytes) -> bytes:
    """Return a workbook's first sheet that is shown, as text, from the first row of two cells on.

    A gene that Excel made a date is 2022-09-02 00:00:00 there: gene_names knows it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl's, of styles and charts
        try:
            with pd.ExcelFile(io.BytesIO(raw), engine="openpyxl") as book:
                shown = next(s.title for s in book.book.worksheets if s.sheet_state == "visible")
                sheet = book.parse(shown, header=None, dtype=object, na_filter=False)
        except Exception as error:  # anything at all, from a damaged one
            raise ValueError("it is an archive, and no workbook that can be read") from error
    sheet = sheet.map(lambda cell: " ".join(cell.split()) if isinstance(cell, str) else cell)
    table = ((sheet != "").sum(axis=1) > 1).cummax()
    above = "".join(f"#{cell}\n" for cell in sheet.loc[~table].to_numpy().ravel() if cell != "")
    text = sheet[table].to_csv(sep="\t", header=False, index=False)
    return f"sep=\t\n{above}{text}".encode()


def _decode(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = raw.decode("utf-16")
    elif raw[1:4096:2].count(0) > len(raw[:4096]) / 4:
        text = raw.decode("utf-16-le")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text[:65536]) or "\x00" in text:
        raise ValueError("it is no text; perhaps an old workbook")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _head(stream: io.StringIO) -> list[tuple[int, str]]:
    """Return the first lines that are not blank, each with the position of its start."""
    found: list[tuple[int, str]] = []
    while len(found) < 60 and (line := stream.readline()):
        if line.strip(' \t,;"\n'):
            found.append((stream.tell() - len(line), line.rstrip("\n")))
    return found


def _fields(line: str, separator: str) -> list[str]:
    fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    return [field.strip() for field in fields]


def _from_text(text: str) -> pd.DataFrame:
    head = _head(stream := io.StringIO(text))
    comments, separator = [], None
    for i, (_, line) in enumerate(head):
        if told := re.fullmatch(r'"?sep=(.)"?;*', line.strip(" "), re.IGNORECASE):
            separator = told[1]
        elif not line.startswith("#") or _same_width(head[i : i + 2]):
            break
        else:
            comments.append(line)
    else:
        raise ValueError("it has no header line")
    start, line = head[i]
    bare = re.sub(r'"[^"]*"', "", line)
    likely = max("\t,;", key=bare.count)
    separator = separator or (likely if likely in bare else " ")
    header, body = _fields(line, separator), start + len(line) + 1
    first = _fields(head[i + 1][1], separator) if i + 1 < len(head) else header
    numeric = len(header) > 1 and all(_NUMBER.fullmatch(x) for x in header[1:])
    plain = len(header) == 2 and header[0].lower() not in WORDS["first column"]
    headless = numeric and (plain or bool(_NO_HEADER.match(header[0])))
    if headless:
        body, first = start, header
    elif len(first) == len(header) + 1:
        header = [*header, ""] if first[-1] == "" else ["", *header]
    elif len(first) > len(header):
        raise ValueError(f"the header has {len(header)} fields, the line after it {len(first)}")
    n = len(header)
    stream.seek(body)
    options = {"header": None, "names": range(n), "dtype": {0: str}, "low_memory": False}
    options |= {"keep_default_na": False, "na_values": dict.fromkeys(range(1, n), WORDS["missing"])}
    table = pd.read_csv(stream, sep=separator, skipinitialspace=True, **options)
    table = _whole_numbers_of_comma(table)
    empty = [k for k in range(1, n) if header[k] == "" and table[k].isna().all()]
    names = table.pop(0).fillna("")
    names = names.str.strip() if " " in text or separator != "\t" else names  # which takes long
    index = pd.Index(names, dtype=object, name=header[0] or None)
    table = table.drop(columns=empty).set_axis(index)
    if not headless:
        table.columns = pd.Index([header[k] for k in table.columns], dtype=object)
    if (index == "").any():  # Excel leaves lines of separators at the end
        table = table[(index != "") | table.notna().any(axis=1).to_numpy()]
    table.attrs["comments"] = comments
    return table


def _same_width(lines: list[tuple[int, str]]) -> bool:
    widths = [max(line.count(s) for s in "\t,;") for _, line in lines]
    return len(widths) == 2 and widths[0] > 0 and widths[0] in (widths[1], widths[1] - 1)


def _whole_numbers_of_comma(table: pd.DataFrame) -> pd.DataFrame:
    """Turn text columns of decimal commas into numbers; 1,234 alone may be a thousand and stays."""
    texts = {}
    for name in table.columns[1:]:
        if table[name].dtype == object:
            column = table[name].dropna().astype(str).str.strip()
            if len(column) and column.str.fullmatch(r"[-+]?\d+(,\d+)?([eE][-+]?\d+)?").all():
                texts[name] = column.str.replace(",", ".")
    if any(c.str.contains(r"\.(?!\d{3}$)").any() for c in texts.values()):
        for name, column in texts.items():
            table[name] = pd.to_numeric(column).reindex(table.index)
    return table


def _from_parquet(raw: bytes) -> pd.DataFrame:
    table = pd.read_parquet(io.BytesIO(raw))
    if table.index.nlevels > 1 or table.columns.nlevels > 1:
        raise InputError("the Parquet table has an index of several levels: keep one, of genes")
    if isinstance(table.index, pd.RangeIndex):
        text = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
        table = table.set_index(text[0]) if text else table
    table.attrs = {"comments": []}
    # in place, since set_axis copies the counts
    table.index, table.columns = (a.astype(str).str.strip().rename(a.name) for a in table.axes)
    return table
