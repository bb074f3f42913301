"""Genes known to matter in a cancer: open stand-ins for the paper's Ingenuity lists (step 8)."""

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
    """Return the disease genes to divide ``labels`` by and, for a stand-in, a note that says so.

    wanted: symbols, the name of a source or the path of a file (:func:`bio_genes`), or None or ""
    for the default, CancerMine's list of the cohort's cancer. Counts of one's own (source "file")
    get the carried lists of all cancers where that is not at hand or knows too few of the genes,
    and a random fifth of the genes called where these do so too.
    """
    if isinstance(wanted, str | Path) and wanted != "":
        return (bio_genes(cohort.name, wanted),)
    if wanted is not None and not isinstance(wanted, str):
        return (list(wanted),)
    carried = _carried()
    own = cohort.source == "demo" or cohort.name in set(carried["cancer"])
    try:
        lists = [(bio_genes(cohort.name, "demo" if own else "cancermine"),)]
    except InputError:
        if cohort.source != "file":
            raise
        lists = []
    if cohort.source != "file":
        return lists[0]
    cancers = ", ".join(sorted(carried["cancer"].unique()))
    note = f"No disease genes were given: CancerMine's genes of {cancers} stand in for them."
    for found in [*lists, (carried["gene"].unique().tolist(), note)]:
        known = labels[labels.index.isin(found[0])]
        if all((known == name).sum() >= N_FOLDS for name in ("DR", "UR")):
            return found
    rng, chosen = np.random.default_rng(seed), []
    for name in ("DR", "UR"):
        genes = labels.index[labels == name].to_numpy(dtype=object)
        n = min(len(genes), max(N_FOLDS, len(genes) // 5))
        chosen += rng.choice(genes, n, replace=False).tolist()
    return chosen, (
        "No disease genes were given and the carried lists know too few of these genes: a random "
        "fifth of the called genes stands in for them, so F1 and T3 say nothing about disease."
    )


def bio_genes(cancer: str, source: str | Path = "cancermine") -> list[str]:
    """Return the disease genes of ``cancer``: symbols without duplicates.

    source: "cancermine" (text-mined, most cited first), "intogen" (mutational drivers, sorted),
        "demo" (the carried CancerMine extract for CHOL, KICH, READ), or the path of a GMT or text
        file, for any cancer

    Raises InputError for an unknown cancer or source, a table not at hand, or an empty list. These
    are not the genes of the paper's lists (Methods, step 8), which are not public.
    """
    if source not in SOURCES:
        return read_gene_file(source, cancer)
    terms = cancer_terms(cancer, source)
    if source == "demo":
        return _carried_genes(cancer)
    path = _shared_file(source)
    if source == "intogen":
        genes = read_intogen(path, terms)
    else:
        genes = read_cancermine(path, terms).index.tolist()
    if not genes:
        raise InputError(f"no gene of {cancer} is in {path.name}: check the file")
    return genes


def cancer_terms(cancer: str, source: str) -> list[str]:
    """Return the names under which ``source`` files ``cancer`` (cancer_terms.csv)."""
    table = pd.read_csv(data_dir() / "disease_genes" / "cancer_terms.csv")
    check_choice("cancer", cancer, sorted(table["cancer"].unique()))
    return table.loc[(table["cancer"] == cancer) & (table["source"] == source), "term"].tolist()


def _carried() -> pd.DataFrame:
    return pd.read_csv(data_dir() / "disease_genes" / "demo.csv")


def _carried_genes(cancer: str) -> list[str]:
    table = _carried()
    cancers = sorted(table["cancer"].unique())
    if cancer not in cancers:
        raise InputError(
            f"the demo gene lists cover {', '.join(cancers)} only, not {cancer}: "
            "use source 'cancermine' with DEGNEXT_DATA set, or a file"
        )
    return table["gene"][table["cancer"] == cancer].tolist()


def read_cancermine(path: str | Path, terms: list[str]) -> pd.Series:
    """Return citations per gene symbol for ``terms`` from CancerMine's table, most cited first.

    Citations are summed over terms and roles (driver, oncogene, tumor suppressor), so an article
    may count twice.
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
    """Return the symbols of a plain list or a GMT file (its only set, or the one named ``cancer``).

    A plain list separates symbols by line ends, spaces, commas or semicolons; what follows ``#`` is
    skipped. Raises InputError for a missing or empty file, or a GMT that does not say which set.
    """
    text, path = str(path), Path(os.path.expanduser(path))
    if not os.path.isfile(path):
        typo = "" if path.suffix or "/" in text else f"{nearest(text, SOURCES)}, or "
        raise InputError(f"{text!r} is no gene list: {typo}give the path of a GMT or text file")
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name!r} is no text: save it as plain UTF-8 or GMT") from error
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
        many = f"{file!r} has {len(sets)} gene sets and none is named {cancer}"
        raise InputError(f"{many}: rename the one you mean")
    return sets[named[0]] if named else [gene for found in sets.values() for gene in found]


def _shared_file(source: str) -> Path:
    root, name = shared_data(), _FILES[source]
    if root is None:
        raise InputError(
            f"source {source!r} needs {name}, which is not carried: set DEGNEXT_DATA to the folder "
            "that has it in cancer_genes/, or use a list of your own (CHOL, KICH, READ: 'demo')"
        )
    path = root / "cancer_genes" / name
    if not path.exists():
        gone = f"cancer_genes/{name} is not in the folder DEGNEXT_DATA names"
        raise InputError(f"{gone}: put it there or use another source")
    return path
