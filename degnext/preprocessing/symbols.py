"""Gene names brought to HGNC symbols of today, and their length and GC content."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import shared_data
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.gene_names import ENSEMBL, SUMMARY_ROW, gene_names, kind_of_names, symbols_of

HG19 = "gene_info_symbols_hg19.csv.gz"  # TCGAbiolinks' own, under DEGNEXT_DATA/annotation


def to_symbols(cohort: Cohort, symbols: str = "auto") -> tuple[Cohort, pd.DataFrame | None]:
    """Return the cohort with HGNC symbols as gene names, and the report of ``map_symbols``.

    ``auto`` maps Ensembl and Entrez ids; of symbols it replaces the old ones and Excel's dates by
    today's, where no other row has that name. ``map`` also drops names that no table knows;
    ``keep`` does nothing. The report is None where no row was dropped. Raises InputError for genes
    of another organism.
    """
    check_choice("symbols", symbols, ("auto", "map", "keep"))
    if cohort.source in ("demo", "published") or symbols == "keep":
        return cohort, None
    names = cohort.counts.index
    kind = kind_of_names(names)
    if symbols == "auto" and kind in ("", "symbol"):
        found, replaced = symbols_of(names, "symbol") if kind else (names.to_series(), {})
        if not replaced:
            return cohort, None
        taken = found.isna() | found.isin(names) | found.duplicated(keep=False)
        named = pd.Series(names).where(taken, found)
        what = " and ".join(f"{n:,} {k}" for k, n in replaced.items())
        note = f"Of the gene names, {what} are read as today's symbols."
        index = pd.Index(named.to_numpy(object), name=names.name)
        genes = cohort.genes if cohort.genes is None else cohort.genes.set_axis(index)
        counts = cohort.counts.set_axis(index)
        return replace(cohort, counts=counts, genes=genes, notes=(*cohort.notes, note)), None
    counts, report = map_symbols(cohort.counts)
    note = f"{len(counts):,} of {len(report):,} rows have a gene symbol and stay."
    return cohort.with_counts(counts, note), report


def map_symbols(counts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts by HGNC symbol and a report of what became of every row.

    counts: index Ensembl gene ids (version or not), Entrez ids, symbols of any time, or
    "symbol|entrez". Of rows that share a symbol the one with the highest total count stays (the
    first of equals; TCGAbiolinks keeps the first of all). Summary rows (N_unmapped, __no_feature)
    are dropped; row order is kept. The report is indexed like ``counts``: symbol, kept (bool) and
    reason ("kept", "summary row", "no symbol known", "pseudoautosomal copy on Y", "lower
    duplicate"). Raises InputError for genes of another organism or when no row, or of symbols
    fewer than half, is known.
    """
    ids = counts.index.astype(str)
    summary = ids.str.match(SUMMARY_ROW)
    on_y = ids.str.extract(ENSEMBL)[1].notna().to_numpy()
    kind = kind_of_names(counts.index)
    name = symbols_of(ids, kind or "symbol")[0]
    known = name.notna().to_numpy() & ~summary
    if known.sum() < max(1, (~summary).sum() * (0.5 if kind in ("", "symbol") else 0)):
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

    TCGAbiolinks' own table of hg19 where ``DEGNEXT_DATA/annotation`` has it, else the package's,
    of GRCh38. Genes of unknown length are left out.
    """
    root = shared_data()
    path = root / "annotation" / HG19 if root else None
    table = _hg19(path) if path and path.exists() else gene_names()
    known = table.dropna(subset=["symbol", "gene_length", "gc_content"]).drop_duplicates("symbol")
    return known.set_index("symbol")[["gene_length", "gc_content"]]


@lru_cache(maxsize=1)
def _hg19(path: Path) -> pd.DataFrame:
    text = {"dtype": {"symbol": str}, "keep_default_na": False, "na_values": ["", "NA"]}
    try:
        return pd.read_csv(path, **text)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} is damaged: copy it again, or unset DEGNEXT_DATA") from error


def _complain(unknown: pd.Index, n_known: int, n_total: int) -> None:
    examples = ", ".join(repr(name) for name in unknown[:3])
    fault = f"only {n_known} of {n_total} row names are human gene symbols or ids"
    cure = "give the table HGNC symbols, Entrez ids or ENSG ids as its first column"
    raise InputError(f"{fault} (not known: {examples}): {cure}")
