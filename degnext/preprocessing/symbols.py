"""Gene tables: symbol, length and GC content by Ensembl id or symbol; and identifiers brought to HGNC symbols."""

from __future__ import annotations

import io
import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import cache_dir, shared_data
from degnext.cohorts.cohort import Cohort

FILES = {
    "genes": (
        "grch38_genes.csv.gz",
        {"id": "ensembl_id", "eff_length": "gene_length", "gc": "gc_content"},
    ),
    "ensembl": ("gene_info_ensembl_grch38.csv.gz", {}),
    "symbol": ("gene_info_symbols_hg19.csv.gz", {}),
}
_ATTRIBUTES = {
    "ensembl_gene_id": "ensembl_id",
    "external_gene_name": "symbol",
    "gene_biotype": "biotype",
    "percentage_gene_gc_content": "gc_content",
    "transcript_length": "gene_length",
}
_QUERY = (
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE Query><Query virtualSchemaName="default" formatter="TSV" header="0" '
    'uniqueRows="1" completionStamp="1"><Dataset name="hsapiens_gene_ensembl" interface="default">'
    + "".join(f'<Attribute name="{name}"/>' for name in _ATTRIBUTES)
    + "</Dataset></Query>"
)
ENSEMBL_URL = "https://www.ensembl.org/biomart/martservice"
_ENSEMBL = re.compile(r"^(ENS[A-Z]*G\d{11})(?:\.\d+)?(_PAR_Y)?$")
_SUMMARY = re.compile(
    r"^(?:__|N_)(?:no_?[Ff]eature|ambiguous|unmapped|multimapping|too_low_aQual|not_aligned|alignment_not_unique)$"
)
DUPLICATE_RULES = ("highest", "sum", "first")


def gene_info(by: str = "symbol") -> pd.DataFrame:
    """Return gene_length (bases of exons) and gc_content (0 to 1) of human genes, indexed by "symbol" or "ensembl" id.

    The table is found under ``DEGNEXT_DATA/annotation`` (TCGAbiolinks' hg19 symbols, GRCh38 Ensembl ids), else in the
    cache, else downloaded from Ensembl BioMart once; there the length is that of the longest transcript and the GC
    content that of the whole gene. Of genes with one symbol, the first with a known length stands. Genes of unknown
    length are left out.
    """
    check_choice("by", by, ("symbol", "ensembl"))
    folder = _shared_folder(by)
    table = _read(folder / FILES[by][0], by) if folder else gene_table()
    index = "symbol" if by == "symbol" else "ensembl_id"
    table = table.dropna(subset=[index, "gene_length", "gc_content"]).drop_duplicates(index)
    return table.set_index(index)[["gene_length", "gc_content"]]


def at_hand() -> bool:
    """Tell whether gene length and GC content can be had without a download."""
    return (
        _shared_folder("symbol") is not None
        or (cache_dir() / "annotation" / "ensembl_genes.csv.gz").exists()
    )


def gene_table() -> pd.DataFrame:
    """Return one row per Ensembl gene: ensembl_id, symbol, biotype, gene_length, gc_content (found or downloaded)."""
    folder = _shared_folder("genes")
    if folder:
        return _read(folder / FILES["genes"][0], "genes")
    path = cache_dir() / "annotation" / "ensembl_genes.csv.gz"
    if not path.exists():
        _download(path)
    return _read(path, "downloaded")


def map_symbols(
    counts: pd.DataFrame, duplicates: str = "highest"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts by HGNC symbol and a report of what became of every row.

    counts: index Ensembl gene ids (version or not), symbols, or "symbol|entrez". Rows that share a symbol are resolved
    by ``duplicates``: "highest" keeps the row with the highest total count (the first of equals), "sum" adds them up,
    "first" keeps the first as TCGAbiolinks does. Summary rows (N_unmapped, __no_feature) are dropped.
    The report is indexed like ``counts``: symbol, kept (bool) and reason ("kept", "summary row", "no symbol known",
    "pseudoautosomal copy on Y", "lower duplicate", "added to duplicate"). Row order is kept.
    Raises InputError for genes of another organism or when fewer than half of the rows have a known symbol.
    """
    check_choice("duplicates", duplicates, DUPLICATE_RULES)
    ids = counts.index.astype(str)
    report = pd.DataFrame(
        {"symbol": None, "kept": False, "reason": "no symbol known"},
        index=counts.index,
        dtype=object,
    )
    summary = ids.str.match(_SUMMARY)
    parts = ids.str.extract(_ENSEMBL)
    ensembl, on_y = parts[0].to_numpy(), parts[1].notna().to_numpy()
    if pd.notna(ensembl).sum() > len(ids) / 2:
        _check_human(ensembl)
        table = (
            gene_table()
            .dropna(subset=["symbol"])
            .drop_duplicates("ensembl_id")
            .set_index("ensembl_id")["symbol"]
        )
        symbol = pd.Series(table.reindex(ensembl).to_numpy(), dtype=object)
    else:
        name = pd.Series(ids.str.split("|").str[0].to_numpy(), dtype=object)
        symbol = name.where(name.isin(known_symbols()))
    known = symbol.notna().to_numpy() & ~summary
    if known.sum() < max(1, (len(ids) - summary.sum()) / 2):
        _complain(ids[~summary & ~known], known.sum(), int((~summary).sum()))
    report["symbol"] = symbol.to_numpy()
    report.loc[summary, "reason"] = "summary row"
    use = known & ~on_y
    report.loc[known & on_y, "reason"] = "pseudoautosomal copy on Y"
    position = pd.Series(range(len(ids)))[use]
    name = symbol[use]
    if duplicates == "highest":
        total = pd.Series(counts.to_numpy().sum(axis=1))[use]
        winner = position.loc[total.sort_values(ascending=False, kind="stable").index]
        winner = winner[~name.loc[winner.index].duplicated()].sort_values()
    else:
        winner = position[~name.duplicated()]
    report.loc[use, "reason"] = "added to duplicate" if duplicates == "sum" else "lower duplicate"
    chosen = report.index.to_series().reset_index(drop=True).index.isin(winner)
    report.loc[chosen, ["kept", "reason"]] = [True, "kept"]
    report["kept"] = report["kept"].astype(bool)
    mapped = counts.iloc[winner.to_numpy()]
    if duplicates == "sum" and name.duplicated().any():
        mapped = counts.iloc[position.to_numpy()].groupby(name.to_numpy(), sort=False).sum()
    return mapped.set_axis(pd.Index(name.loc[winner].to_numpy(), name="gene")), report


@lru_cache(maxsize=1)
def known_symbols() -> frozenset[str]:
    """Return every human gene symbol in the tables at hand, today's and those of the hg19 time."""
    names = set(gene_table()["symbol"].dropna())
    if _shared_folder("symbol"):
        names |= set(
            _read(_shared_folder("symbol") / FILES["symbol"][0], "symbol")["symbol"].dropna()
        )
    return frozenset(name for name in names if not name.isdigit() and name != "?")


def _shared_folder(kind: str) -> Path | None:
    root = shared_data()
    folder = root / "annotation" if root else None
    return folder if folder and (folder / FILES[kind][0]).exists() else None


@lru_cache(maxsize=4)
def _read(path: Path, kind: str) -> pd.DataFrame:
    columns = FILES[kind][1] if kind in FILES else {}
    table = pd.read_csv(
        path,
        dtype={"symbol": str, "ensembl_id": str, "id": str},
        keep_default_na=False,
        na_values=["", "NA"],
    )
    return table.rename(columns=columns)


def _check_human(ensembl: pd.Series) -> None:
    species = pd.Series(ensembl).dropna().str.extract(r"^(ENS[A-Z]*)G\d")[0].value_counts()
    if species.index[0] != "ENS":
        other = {"ENSMUS": "mouse", "ENSRNO": "rat", "ENSDAR": "zebrafish"}.get(
            species.index[0], "another organism"
        )
        raise InputError(
            f"the gene ids start with {species.index[0]}G, which is {other}: this project reads human genes"
        )


def _complain(unknown: pd.Index, n_known: int, n_total: int) -> None:
    examples = ", ".join(repr(name) for name in unknown[:3])
    titled = sum(bool(re.match(r"^[A-Z][a-z]+\d*[a-z]*\d*$", name)) for name in unknown)
    mouse = (
        "; they are spelled like mouse or rat genes, and this project reads human ones"
        if titled > len(unknown) / 2
        else ""
    )
    raise InputError(
        f"only {n_known} of {n_total} row names are human gene symbols or Ensembl ids (not known: {examples}){mouse}: "
        "give the table HGNC symbols or ENSG ids as its first column"
    )


def _download(path: Path) -> None:
    """Fetch the gene table from Ensembl BioMart into ``path``, one row per gene."""
    from degnext._common.download import DownloadError, download
    from degnext._common.files import write_atomic

    raw = path.with_name("biomart.tsv")
    address = os.environ.get("DEGNEXT_ENSEMBL_URL") or ENSEMBL_URL
    try:
        download(f"{address}?query={quote(_QUERY)}", raw)
    except DownloadError as error:
        raise DownloadError(
            f"cannot fetch the gene table from {address}: check the network and run again, or put the table into "
            "DEGNEXT_DATA/annotation",
            error.status,
        ) from error
    text = raw.read_text()
    raw.unlink()
    body, _, stamp = text.rstrip().rpartition("\n")
    if stamp != "[success]":
        raise InputError(
            f"Ensembl BioMart did not send the whole gene table (its answer ends in {text.strip()[-80:]!r}): try again "
            "later, or put the table into DEGNEXT_DATA/annotation"
        )
    table = pd.read_csv(
        io.StringIO(body),
        sep="\t",
        names=list(_ATTRIBUTES.values()),
        keep_default_na=False,
        na_values=[""],
    )
    table["gc_content"] /= 100
    table = table.sort_values("gene_length", ascending=False, kind="stable").drop_duplicates(
        "ensembl_id"
    )
    buffer = io.BytesIO()
    table.sort_values("ensembl_id").to_csv(buffer, index=False, compression="gzip")
    write_atomic(path, buffer.getvalue())


def to_symbols(cohort: Cohort, symbols: str = "auto") -> tuple[Cohort, pd.DataFrame | None]:
    """Return the cohort with HGNC symbols as gene names, and the report of what became of each row (None when kept).

    ``auto`` maps Ensembl ids and leaves symbols as they are; ``map`` also drops symbols that no table knows; ``keep`` does nothing.
    """
    from degnext.preprocessing.symbols import map_symbols

    check_choice("symbols", symbols, ("auto", "map", "keep"))
    ensembl = cohort.counts.index.str.match(r"^ENS[A-Z]*G\d{11}").mean() > 0.5
    if (
        cohort.source in ("demo", "published")
        or symbols == "keep"
        or (symbols == "auto" and not ensembl)
    ):
        return cohort, None
    counts, report = map_symbols(cohort.counts)
    return cohort.with_counts(
        counts, f"{len(counts):,} of {len(report):,} rows have a gene symbol and stay."
    ), report
