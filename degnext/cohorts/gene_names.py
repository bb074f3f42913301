"""Names of genes: Ensembl and Entrez ids and old symbols brought to the symbols of today.

The table comes with the package (sources in the book's data card); no server is asked.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.vocabulary import WORDS

KINDS = {"ensembl": "Ensembl ids", "entrez": "Entrez ids", "symbol": "symbols"}
SUMMARY_ROW = (
    r"(?i)^(?:__|N_|_+)?(?:no_?feature|ambiguous|unmapped|multimapping|noFeature|too_low_aQual|"
    r"not_aligned|alignment_not_unique)$"
)
ENSEMBL = r"^ENSG(\d{11})(?:\.\d+)?(_PAR_Y)?$"
_HUMAN = "this project reads human genes, so bring them to their human orthologues first"
_DATE = re.compile(WORDS["date"])


@lru_cache(maxsize=1)
def gene_names() -> pd.DataFrame:
    """Return the table: ensembl (its number as text), entrez, symbol, previous, length, GC."""
    text = dict.fromkeys(("ensembl", "entrez", "symbol", "previous"), str)
    path, numbers = data_dir() / "gene_names.csv.xz", {"gene_length": "", "gc_content": ""}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=numbers)


@lru_cache(maxsize=1)
def _old_symbols() -> pd.Series:
    """Return today's symbol of every name that a gene had before."""
    table = gene_names()[["symbol", "previous"]]
    table = table[table["previous"] != ""].set_index("symbol")["previous"].str.split("|").explode()
    return pd.Series(table.index, table.to_numpy())


@lru_cache(maxsize=1)
def known_symbols() -> frozenset[str]:
    """Return every symbol of today's tables and those of the hg19 time that have no successor."""
    return frozenset(gene_names()["symbol"])


def kind_of_names(names: pd.Index) -> str:
    """Tell how genes are named: ``ensembl``, ``entrez``, ``symbol``, or "" where nothing is known.

    Raises InputError for another organism, and for what are no genes, by name.
    """
    ids = names.astype(str)
    ids = ids[~ids.str.match(SUMMARY_ROW)]
    if not len(ids):
        return ""
    if ids.str.match(ENSEMBL).mean() > 0.5:
        return "ensembl"
    for pattern, what in WORDS["foreign"].items():
        if (found := ids.str.fullmatch(rf"(?:{pattern})(?:\.\d+)?")).mean() > 0.5:
            fault = f"the row names, such as {ids[found][0]!r}, are"
            fault += f" {what}" if ":" in what else f" of {what}: {_HUMAN}"
            raise InputError(fault)
    if ids.str.fullmatch(r"\d{1,9}").mean() > 0.5:
        return "entrez" if ids.isin(gene_names()["entrez"]).mean() > 0.2 else ""
    plain = ids.str.split("|").str[0]
    known = plain.isin(known_symbols()) | plain.isin(_old_symbols().index)
    if known.mean() < 0.5 and plain.str.fullmatch(r"[A-Z][a-z]+\d*[a-z]*\d*").mean() > 0.3:
        upper = plain.str.upper()
        if upper.isin(known_symbols()).mean() > 0.3:
            example = next(name for name in plain if name.upper() != name)
            fault = f"the gene names, such as {example!r}, are spelled like mouse or rat genes"
            raise InputError(f"{fault}: {_HUMAN}")
    return "symbol" if known.mean() > 0.2 else ""


def symbols_of(names: pd.Index, kind: str) -> tuple[pd.Series, dict[str, int]]:
    """Return today's symbol of each name (None where unknown), and how many names were replaced.

    names: row names; kind: from :func:`kind_of_names`. "TP53|7157" is TP53. Old symbols and dates
    that Excel made of symbols (1-Sep is SEPTIN1) are looked up; 1-Mar and 2-Mar may be either
    of two genes and stay unknown. The numbers are by reason: ``old symbols``, ``Excel's dates``.
    """
    table, ids = gene_names(), names.astype(str).to_series().reset_index(drop=True)
    if kind in ("ensembl", "entrez"):
        table = table[table[kind] != ""].drop_duplicates(kind).set_index(kind)["symbol"]
        if kind == "ensembl":
            ids = ids.str.extract(ENSEMBL)[0].str.lstrip("0")
        found = ids.map(table)
        return found.where(found.notna(), None).astype(object), {}
    plain = ids.str.split("|").str[0]
    known, renamed = known_symbols(), _old_symbols()
    unknown = plain[~plain.isin(known)]
    dates = {name: symbol for name in unknown if (symbol := _undo_date(name))}
    back = plain.map(dates).fillna(plain)
    found = back.where(back.isin(known), back.map(renamed)).astype(object)
    dated = plain.isin(list(dates))
    old = found.notna() & (found != plain) & ~dated
    replaced = {"dates made by Excel": int(dated.sum()), "old symbols": int(old.sum())}
    return found.where(found.notna(), None), {k: n for k, n in replaced.items() if n}


def is_date(name: str) -> bool:
    """Tell whether Excel may have made this date of a gene's symbol."""
    return bool(_DATE.fullmatch(str(name).strip()))


def _undo_date(name: str) -> str:
    """Return the symbol, of its time, that Excel turned into this date, or ""."""
    match = _DATE.fullmatch(name.strip())
    if not match:
        return ""
    day, month = ((match[f"{part}"] or match[f"{part}2"] or match[f"{part}3"]) for part in "dm")
    family = WORDS["months"].get(month.lower().lstrip("0"), "")
    symbol = f"{family}{int(day)}" if family else ""
    return "" if symbol in ("MARCH1", "MARCH2") else symbol  # or MARC1, MARC2: nobody can tell
