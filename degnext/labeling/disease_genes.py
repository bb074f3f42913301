"""Genes known to matter in a cancer: open stand-ins for the Ingenuity lists of the paper (Methods, step 8)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice, nearest
from degnext._common.paths import data_dir, shared_data
from degnext.cohorts.cohort import Cohort

SOURCES = ("cancermine", "intogen", "demo")
N_FOLDS = 5  # the paper's 80 : 20; Q needs as many genes of either class
_FILES = {"cancermine": "cancermine_collated.v47.tsv.gz", "intogen": "Compendium_Cancer_Genes.tsv"}


def choose_disease_genes(
    cohort: Cohort, labels: pd.Series, wanted: Iterable[str] | str | Path | None, seed: int = 0
) -> tuple[list[str]] | tuple[list[str], str]:
    """Return the disease genes to divide ``labels`` by and, where they are a stand-in, a note that says so.

    wanted: symbols, the name of a source or the path of a file (:func:`bio_genes`), or None or "" for the default:
    CancerMine's list of the cohort's cancer. Counts of the user's own (source "file") that have none get the
    carried lists of all cancers, or, where these know too few of the genes, a random fifth of those called.
    """
    if isinstance(wanted, str | Path) and wanted != "":
        return (bio_genes(cohort.name, wanted),)
    if wanted is not None and not isinstance(wanted, str):
        return (list(wanted),)
    carried = _carried()
    try:
        own = cohort.source == "demo" or cohort.name in set(carried["cancer"])
        return (bio_genes(cohort.name, "demo" if own else "cancermine"),)
    except InputError:
        if cohort.source != "file":
            raise
    known = labels[labels.index.isin(carried["gene"])].value_counts()
    if min(known.get("UR", 0), known.get("DR", 0)) >= N_FOLDS:
        cancers = ", ".join(sorted(carried["cancer"].unique()))
        note = f"No disease genes were given: CancerMine's genes of {cancers} stand in for them."
        return carried["gene"].unique().tolist(), note
    rng = np.random.default_rng(seed)
    chosen: list[str] = []
    for name in ("DR", "UR"):
        genes = labels.index[labels == name]
        n = min(len(genes), max(N_FOLDS, len(genes) // 5))
        chosen += rng.choice(genes.to_numpy(dtype=object), n, replace=False).tolist()
    return chosen, (
        "No disease genes were given and the carried lists know too few of these genes: a random fifth "
        "of the called genes stands in for them, so F1 and T3 say nothing about disease."
    )


def bio_genes(cancer: str, source: str | Path = "cancermine", min_citations: int = 1) -> list[str]:
    """Return the disease genes of ``cancer``: symbols without duplicates.

    source: "cancermine" (text-mined, most cited first), "intogen" (mutational drivers, sorted), "demo" (the
        carried CancerMine extract for CHOL, KICH, READ), or the path of a GMT or text file, for any cancer
    min_citations: keep genes with at least so many CancerMine citations; the other sources count none

    Raises InputError for an unknown cancer or source, a table that is not at hand, or an empty list.
    Source: stands in for the paper's Ingenuity lists (Methods, step 8), which are not public; expect other genes.
    """
    if min_citations < 1:
        raise InputError(f"min_citations is {min_citations}: give a whole number from 1 up")
    if min_citations > 1 and source not in ("cancermine", "demo"):
        raise InputError(
            f"source {str(source)!r} counts no citations: leave min_citations at 1 or use 'cancermine'"
        )
    if source not in SOURCES:
        text = str(source)
        if not (Path(text).suffix or "/" in text or os.path.exists(text)):
            hint = nearest(text, SOURCES)
            raise InputError(
                f"unknown gene source {text!r}: {hint}, or give the path of a GMT or text file"
            )
        return read_gene_file(source, cancer)
    terms = cancer_terms(cancer, source)
    if source == "intogen":
        return read_intogen(_shared_file(source), terms)
    if source == "demo":
        citations = _carried_citations(cancer)
    else:
        citations = read_cancermine(_shared_file(source), terms)
    genes = citations.index[citations >= min_citations].tolist()
    if not genes:
        raise InputError(
            f"no gene of {cancer} has {min_citations} citations or more in {source}: lower min_citations"
        )
    return genes


def cancer_terms(cancer: str, source: str) -> list[str]:
    """Return the names under which ``source`` files ``cancer`` (data/disease_genes/cancer_terms.csv)."""
    table = pd.read_csv(data_dir() / "disease_genes" / "cancer_terms.csv")
    check_choice("cancer", cancer, sorted(table["cancer"].unique()))
    return table.loc[(table["cancer"] == cancer) & (table["source"] == source), "term"].tolist()


def _carried() -> pd.DataFrame:
    return pd.read_csv(data_dir() / "disease_genes" / "demo.csv")


def _carried_citations(cancer: str) -> pd.Series:
    table = _carried()
    cancers = sorted(table["cancer"].unique())
    if cancer not in cancers:
        raise InputError(
            f"the demo gene lists cover {', '.join(cancers)} only, not {cancer}: "
            "use source 'cancermine' with DEGNEXT_DATA set, or a file"
        )
    return table[table["cancer"] == cancer].set_index("gene")["n_citations"]


def read_cancermine(path: str | Path, terms: list[str]) -> pd.Series:
    """Return citations per gene symbol for ``terms`` from a collated CancerMine table, most cited first.

    Citations are summed over terms and roles (driver, oncogene, tumor suppressor), so an article may count twice.
    """
    columns = ["cancer_normalized", "gene_normalized", "citation_count"]
    table = pd.read_csv(path, sep="\t", usecols=columns).set_axis(["cancer", "gene", "n"], axis=1)
    counted = table[table["cancer"].isin(terms)].groupby("gene")["n"].sum().reset_index()
    # ties by symbol, so that the order never depends on the file's
    return counted.sort_values(["n", "gene"], ascending=[False, True]).set_index("gene")["n"]


def read_intogen(path: str | Path, terms: list[str]) -> list[str]:
    """Return the sorted driver genes that IntOGen's compendium lists for ``terms``."""
    table = pd.read_csv(path, sep="\t", usecols=["SYMBOL", "CANCER_TYPE"])
    return sorted(table.loc[table["CANCER_TYPE"].isin(terms), "SYMBOL"].unique())


def read_gene_file(path: str | Path, cancer: str) -> list[str]:
    """Return the symbols of a GMT file (the set named after ``cancer``, or its only set) or of a plain list.

    A plain list separates symbols by line ends, spaces, commas or semicolons; what follows ``#`` is skipped.
    Raises InputError for a missing or empty file and for a GMT whose sets do not say which one is meant.
    """
    path = Path(os.path.expanduser(path))
    if not os.path.isfile(path):
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
        genes = _named_set([line.split("\t") for line in lines], cancer, path.name)
    else:
        genes = [gene for line in lines for gene in re.split(r"[\s,;]+", line.split("#")[0])]
    genes = list(dict.fromkeys(gene.strip().strip("\"'") for gene in genes if gene.strip()))
    if not genes:
        raise InputError(f"gene list {path.name!r} holds no gene: put one symbol per line")
    return genes


def _named_set(rows: list[list[str]], cancer: str, file: str) -> list[str]:
    sets = {row[0]: row[2:] for row in rows}
    named = [name for name in sets if name.upper() in (cancer.upper(), f"TCGA-{cancer.upper()}")]
    if not named and len(sets) > 1:
        raise InputError(
            f"{file!r} has {len(sets)} gene sets and none is named {cancer}: "
            f"rename the one you mean to {cancer}"
        )
    return sets[named[0]] if named else [gene for found in sets.values() for gene in found]


def _shared_file(source: str) -> Path:
    root, name = shared_data(), _FILES[source]
    if root is None:
        raise InputError(
            f"source {source!r} needs {name}, which the project does not carry: set DEGNEXT_DATA to the "
            f"folder that holds cancer_genes/{name}, or use a gene list of your own or, for CHOL, KICH "
            "and READ, the source 'demo'"
        )
    path = root / "cancer_genes" / name
    if not path.exists():
        raise InputError(
            f"cancer_genes/{name} is not in the folder DEGNEXT_DATA names: put the table there or use "
            "another source"
        )
    return path
