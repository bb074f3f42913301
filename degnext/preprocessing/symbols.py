"""Gene tables (symbol, length, GC content) and identifiers brought to HGNC symbols."""

from __future__ import annotations

import io
import os
import re
import uuid
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from degnext._common.download import DownloadError, download
from degnext._common.errors import InputError, check_choice
from degnext._common.files import folder_lock, write_atomic
from degnext._common.paths import cache_dir, shared_data
from degnext.cohorts.cohort import Cohort

FILES = {  # under DEGNEXT_DATA/annotation
    "genes": "grch38_genes.csv.gz",  # one row per Ensembl gene of today
    "symbol": "gene_info_symbols_hg19.csv.gz",  # TCGAbiolinks' own
}
_COLUMNS = {"id": "ensembl_id", "eff_length": "gene_length", "gc": "gc_content"}
_ATTRIBUTES = {
    "ensembl_gene_id": "ensembl_id",
    "external_gene_name": "symbol",
    "gene_biotype": "biotype",
    "percentage_gene_gc_content": "gc_content",
    "transcript_length": "gene_length",
}
_QUERY = (
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE Query>'
    '<Query virtualSchemaName="default" formatter="TSV" header="0" uniqueRows="1" '
    'completionStamp="1"><Dataset name="hsapiens_gene_ensembl" interface="default">'
    + "".join(f'<Attribute name="{name}"/>' for name in _ATTRIBUTES)
    + "</Dataset></Query>"
)
ENSEMBL_URL = "https://www.ensembl.org/biomart/martservice"
_ENSEMBL = re.compile(r"^(ENS[A-Z]*G\d{11})(?:\.\d+)?(_PAR_Y)?$")
SUMMARY_ROW = re.compile(
    r"^(?:__|N_)(?:no_?[Ff]eature|ambiguous|unmapped|multimapping|too_low_aQual|not_aligned|"
    r"alignment_not_unique)$"
)
_OTHERS = {"ENSMUS": "mouse", "ENSRNO": "rat", "ENSDAR": "zebrafish"}


def to_symbols(cohort: Cohort, symbols: str = "auto") -> tuple[Cohort, pd.DataFrame | None]:
    """Return the cohort with HGNC symbols as gene names, and the report of ``map_symbols``.

    ``auto`` maps Ensembl ids and leaves symbols as they are; ``map`` also drops symbols that no
    table knows; ``keep`` does nothing. The report is None where nothing was mapped.
    """
    check_choice("symbols", symbols, ("auto", "map", "keep"))
    ensembl = cohort.counts.index.str.match(r"^ENS[A-Z]*G\d{11}").mean() > 0.5
    if cohort.source in ("demo", "published") or symbols == "keep":
        return cohort, None
    if symbols == "auto" and not ensembl:
        return cohort, None
    counts, report = map_symbols(cohort.counts)
    note = f"{len(counts):,} of {len(report):,} rows have a gene symbol and stay."
    return cohort.with_counts(counts, note), report


def map_symbols(counts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts by HGNC symbol and a report of what became of every row.

    counts: index Ensembl gene ids (version or not), symbols, or "symbol|entrez". Of rows that share
    a symbol the one with the highest total count stays (the first of equals; TCGAbiolinks keeps the
    first of all). Summary rows (N_unmapped, __no_feature) are dropped; row order is kept. The
    report is indexed like ``counts``: symbol, kept (bool) and reason ("kept", "summary row", "no
    symbol known", "pseudoautosomal copy on Y", "lower duplicate"). Raises InputError for genes of
    another organism or when fewer than half of the rows have a known symbol.
    """
    ids = counts.index.astype(str)
    summary = ids.str.match(SUMMARY_ROW)
    parts = ids.str.extract(_ENSEMBL)
    on_y = parts[1].notna().to_numpy()
    if parts[0].notna().sum() > len(ids) / 2:
        _check_human(parts[0])
        table = gene_table().dropna(subset=["symbol"]).drop_duplicates("ensembl_id")
        table = table.set_index("ensembl_id")["symbol"]
        name = pd.Series(table.reindex(parts[0]).to_numpy(), dtype=object)
    else:
        name = pd.Series(ids.str.split("|").str[0].to_numpy(), dtype=object)
        name = name.where(name.isin(known_symbols()))
    known = name.notna().to_numpy() & ~summary
    if known.sum() < max(1, (~summary).sum() / 2):
        _complain(ids[~summary & ~known], known.sum(), int((~summary).sum()))
    use = known & ~on_y
    total = pd.Series(counts.to_numpy().sum(axis=1))[use]
    named = name.loc[total.sort_values(ascending=False, kind="stable").index]
    winner = named[~named.duplicated()].sort_index()
    columns = {"symbol": name.to_numpy(), "kept": False, "reason": "no symbol known"}
    report = pd.DataFrame(columns, index=counts.index)
    report.loc[summary, "reason"] = "summary row"
    report.loc[known & on_y, "reason"] = "pseudoautosomal copy on Y"
    report.loc[use, "reason"] = "lower duplicate"
    chosen = name.index.isin(winner.index)
    report.loc[chosen, "reason"], report["kept"] = "kept", chosen
    mapped = counts.iloc[winner.index]
    return mapped.set_axis(pd.Index(winner.to_numpy(), name="gene")), report


def gene_info() -> pd.DataFrame:
    """Return gene_length (bases of exons) and gc_content (0 to 1) by symbol.

    The table is TCGAbiolinks' of hg19 under ``DEGNEXT_DATA/annotation``, else ``gene_table`` with
    the length of the longest transcript and the GC content of the whole gene. Genes of unknown
    length are left out.
    """
    table = _shared("symbol")
    table = gene_table() if table is None else table
    known = table.dropna(subset=["symbol", "gene_length", "gc_content"]).drop_duplicates("symbol")
    return known.set_index("symbol")[["gene_length", "gc_content"]]


def at_hand() -> bool:
    """Tell whether gene length and GC content can be had without a download."""
    return _shared("symbol") is not None or _cached().exists()


def gene_table() -> pd.DataFrame:
    """Return one row per Ensembl gene: ensembl_id, symbol, biotype, gene_length, gc_content.

    Found under ``DEGNEXT_DATA/annotation`` or in the cache, else fetched from Ensembl BioMart once.
    """
    table = _shared("genes")
    if table is not None:
        return table
    if not _cached().exists():
        with folder_lock(_cached().parent):
            if not _cached().exists():  # else another process was faster
                _download(_cached())
    return _read(_cached())


@lru_cache(maxsize=1)
def known_symbols() -> frozenset[str]:
    """Return every symbol that a table at hand knows, today's and those of the hg19 time."""
    names = set(gene_table()["symbol"].dropna())
    old = _shared("symbol")
    names |= set() if old is None else set(old["symbol"].dropna())
    return frozenset(name for name in names if not name.isdigit() and name != "?")


def _cached() -> Path:
    return cache_dir() / "annotation" / "ensembl_genes.csv.gz"


def _shared(kind: str) -> pd.DataFrame | None:
    root = shared_data()
    path = root / "annotation" / FILES[kind] if root else None
    return _read(path) if path and path.exists() else None


@lru_cache(maxsize=4)
def _read(path: Path) -> pd.DataFrame:
    text = {"symbol": str, "ensembl_id": str, "id": str}
    table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=["", "NA"])
    return table.rename(columns=_COLUMNS)


def _check_human(ensembl: pd.Series) -> None:
    species = ensembl.dropna().str.extract(r"^(ENS[A-Z]*)G\d")[0].value_counts().index[0]
    if species != "ENS":
        other = _OTHERS.get(species, "another organism")
        fault = f"the gene ids start with {species}G, which is {other}"
        raise InputError(f"{fault}: this project reads human genes")


def _complain(unknown: pd.Index, n_known: int, n_total: int) -> None:
    examples = ", ".join(repr(name) for name in unknown[:3])
    titled = sum(bool(re.match(r"^[A-Z][a-z]+\d*[a-z]*\d*$", name)) for name in unknown)
    fault = f"only {n_known} of {n_total} row names are human gene symbols or Ensembl ids"
    mouse = "; they are spelled like mouse or rat genes, and this project reads human ones"
    why = f"(not known: {examples}){mouse if titled > len(unknown) / 2 else ''}"
    cure = "give the table HGNC symbols or ENSG ids as its first column"
    raise InputError(f"{fault} {why}: {cure}")


def _download(path: Path) -> None:
    """Fetch the gene table from Ensembl BioMart into ``path``, one row per gene."""
    address = os.environ.get("DEGNEXT_ENSEMBL_URL") or ENSEMBL_URL
    raw = path.with_name(f"biomart.{uuid.uuid4().hex}.tsv")  # where locks fail, still one's own
    cure = "put the table into DEGNEXT_DATA/annotation"
    try:
        download(f"{address}?query={quote(_QUERY)}", raw)
        text = raw.read_text()
    except DownloadError as error:
        cure = f"check the network and run again, or {cure}"
        fault = f"cannot fetch the gene table from {address}"
        raise DownloadError(f"{fault}: {cure}", error.status) from error
    finally:
        for left in path.parent.glob(f"{raw.name}*"):
            left.unlink()
    body, _, stamp = text.rstrip().rpartition("\n")
    if stamp != "[success]":
        end = f"its answer ends in {text.strip()[-80:]!r}"
        fault = f"Ensembl BioMart did not send the whole gene table ({end})"
        raise InputError(f"{fault}: try again later, or {cure}")
    names = list(_ATTRIBUTES.values())
    options = {"sep": "\t", "names": names, "keep_default_na": False, "na_values": [""]}
    table = pd.read_csv(io.StringIO(body), **options)
    table["gc_content"] /= 100
    table = table.sort_values("gene_length", ascending=False, kind="stable")
    table = table.drop_duplicates("ensembl_id").sort_values("ensembl_id")
    buffer = io.BytesIO()
    table.to_csv(buffer, index=False, compression="gzip")
    write_atomic(path, buffer.getvalue())
