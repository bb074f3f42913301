"""Genes known to matter in a cancer: the open stand-ins for the Ingenuity lists that the paper used (Methods, step 8)."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from degnext._common.errors import InputError, check_choice, nearest
from degnext._common.paths import data_dir, shared_data

SOURCES = ("cancermine", "intogen", "demo")
_FILES = {"cancermine": "cancermine_collated.v47.tsv.gz", "intogen": "Compendium_Cancer_Genes.tsv"}


def cancer_terms(cancer: str, source: str) -> list[str]:
    """Return the names under which ``source`` files ``cancer`` (data/disease_genes/cancer_terms.csv)."""
    table = pd.read_csv(data_dir() / "disease_genes" / "cancer_terms.csv")
    check_choice("cancer", cancer, sorted(table["cancer"].unique()))
    return table.loc[(table["cancer"] == cancer) & (table["source"] == source), "term"].tolist()


def read_cancermine(path: str | Path, terms: list[str]) -> pd.Series:
    """Return citations per gene symbol for ``terms`` from a collated CancerMine table, most cited first.

    Citations are summed over terms and roles (driver, oncogene, tumor suppressor), so an article may count twice.
    """
    table = pd.read_csv(
        path, sep="\t", usecols=["cancer_normalized", "gene_normalized", "citation_count"]
    )
    table = table[table["cancer_normalized"].isin(terms)]
    counted = (
        table.groupby("gene_normalized")["citation_count"].sum().rename_axis("gene").reset_index()
    )
    # ties by symbol, so that the order never depends on the file's
    counted = counted.sort_values(["citation_count", "gene"], ascending=[False, True])
    return counted.set_index("gene")["citation_count"]


def read_intogen(path: str | Path, terms: list[str]) -> list[str]:
    """Return the sorted driver genes that IntOGen's compendium lists for ``terms``."""
    table = pd.read_csv(path, sep="\t", usecols=["SYMBOL", "CANCER_TYPE"])
    return sorted(table.loc[table["CANCER_TYPE"].isin(terms), "SYMBOL"].unique())


def read_gene_file(path: str | Path, cancer: str) -> list[str]:
    """Return the symbols of a GMT file (the set named after ``cancer``, or its only set) or of a plain list.

    A plain list separates symbols by line ends, spaces, commas or semicolons; what follows ``#`` is skipped.
    Raises InputError for a missing or empty file and for a GMT whose sets do not say which one is meant.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(
            f"gene list {str(path)!r} is no file: give a GMT or text file, or one of {', '.join(SOURCES)}"
        )
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError(
            f"gene list {path.name!r} is no text: save it as plain UTF-8 text or GMT"
        ) from None
    if path.suffix.lower() == ".gmt":
        rows = [line.split("\t") for line in lines]
        sets = {row[0]: [gene.strip() for gene in row[2:] if gene.strip()] for row in rows}
        named = [name for name in sets if name.upper() in (cancer, f"TCGA-{cancer}")]
        if not named and len(sets) > 1:
            raise InputError(
                f"{path.name!r} has {len(sets)} gene sets and none is named {cancer}: rename the one you mean to {cancer}"
            )
        genes = sets[named[0]] if named else [gene for found in sets.values() for gene in found]
    else:
        genes = [
            gene for line in lines for gene in re.split(r"[\s,;]+", line.split("#")[0]) if gene
        ]
    genes = list(dict.fromkeys(gene.strip("\"'") for gene in genes))
    if not genes:
        raise InputError(f"gene list {path.name!r} holds no gene: put one symbol per line")
    return genes


def _shared_file(source: str) -> Path:
    root, name = shared_data(), _FILES[source]
    if root is None:
        raise InputError(
            f"source {source!r} needs {name}, which the project does not carry: set DEGNEXT_DATA to the folder that "
            f"holds cancer_genes/{name}, or use source 'demo' (CHOL, KICH, READ) or a gene list of your own"
        )
    path = root / "cancer_genes" / name
    if not path.exists():
        raise InputError(
            f"cancer_genes/{name} is not in the folder DEGNEXT_DATA names: put the table there or use another source"
        )
    return path


def bio_genes(cancer: str, source: str = "cancermine", min_citations: int = 1) -> list[str]:
    """Return the disease genes of ``cancer``: symbols without duplicates.

    source : "cancermine" (text-mined, most cited first), "intogen" (mutational drivers, sorted), "demo" (the committed
        CancerMine extract for CHOL, KICH, READ), or the path of a GMT or text file
    min_citations : keep genes with at least so many CancerMine citations; the other sources count none

    Raises InputError for an unknown cancer or source, a table that is not at hand, or a list that comes out empty.
    Source: stands in for the paper's Ingenuity lists (Methods, step 8), which are not public; expect other genes.
    """
    known = cancer_terms(cancer, source)
    counts_citations = source in ("cancermine", "demo")
    if min_citations < 1:
        raise InputError(f"min_citations is {min_citations}: give a whole number from 1 up")
    if min_citations > 1 and not counts_citations:
        raise InputError(
            f"source {source!r} counts no citations: leave min_citations at 1 or use 'cancermine'"
        )
    if source == "demo":
        table = pd.read_csv(data_dir() / "disease_genes" / "demo.csv")
        here = sorted(table["cancer"].unique())
        if cancer not in here:
            raise InputError(
                f"the demo gene lists cover {', '.join(here)} only, not {cancer}: use source 'cancermine' with DEGNEXT_DATA set, or a file"
            )
        counts = table[table["cancer"] == cancer].set_index("gene")["n_citations"]
        genes = counts[counts >= min_citations].index.tolist()
    elif source == "cancermine":
        counts = read_cancermine(_shared_file(source), known)
        genes = counts[counts >= min_citations].index.tolist()
    elif source == "intogen":
        genes = read_intogen(_shared_file(source), known)
    elif Path(source).suffix or "/" in str(source) or Path(source).exists():
        genes = read_gene_file(source, cancer)
    else:
        raise InputError(
            f"unknown gene source {source!r}: {nearest(source, SOURCES)}, or give the path of a GMT or text file"
        )
    if not genes:
        raise InputError(
            f"no gene of {cancer} has {min_citations} citations or more in {source}: lower min_citations"
        )
    return genes
