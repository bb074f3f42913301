"""Recover the genes of the published rows from RNAseqDB's counts of the same samples.

    DEGNEXT_DATA=/path/to/data python -m reproduction.recovered_symbols.run

DEGNEXT_DATA names the folder that holds published/, rnaseqdb/ and annotation/. Writes
data/recovered_symbols/<cancer>.csv.gz and <cancer>_samples.csv for CHOL, KICH and READ, the three
cohorts that are in RNAseqDB and have all parts at hand. Published symbols are copied into the
tables afterwards; nothing is matched by them. Then dictionary.csv.gz: published symbol → true
symbol, found row by row or by the rule that the three cohorts show.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from degnext._common.paths import data_dir, shared_data
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.published import load_published
from reproduction.command import call, parser
from reproduction.recovered_symbols.dictionary import extend_dictionary
from reproduction.recovered_symbols.pairing import Recovery, recover_symbols
from reproduction.sources import COMPLETE, folder, rnaseqdb


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV, gzipped by its name, the same bytes for the same table, whole or not at all."""
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    gzip = {"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None
    table.to_csv(temporary, index=False, compression=gzip)
    temporary.replace(path)


def recover(cohort: Cohort) -> tuple[pd.DataFrame, Recovery]:
    """Return one line per published row, with its part, row, published and true symbol."""
    reference = rnaseqdb(cohort.name)
    found = recover_symbols(cohort.counts, cohort.is_tumor, reference.counts, reference.is_tumor)
    genes = cohort.genes
    table = pd.DataFrame({"part": genes["part"]})
    table["row"] = genes.groupby("part", sort=False).cumcount()
    table["published_symbol"] = genes["published_symbol"]
    table["symbol"] = found.rows["symbol"]
    for column in ("correlation", "runner_up"):
        table[column] = found.rows[column].round(4)
    return table, found


def report(cancer: str, table: pd.DataFrame, n_pairs: int, bio: pd.Series) -> None:
    """Print what was found for one cohort."""
    sure = table["symbol"] != ""
    as_published = (table["symbol"] == table["published_symbol"])[sure & bio].sum()
    print(
        f"{cancer}: {n_pairs} samples paired; {sure.sum():,} of {len(table):,} rows named, "
        f"median correlation {table['correlation'][sure].median():.3f}; Q rows named "
        f"{(sure & bio).sum()} of {bio.sum()}, {as_published} of them as published",
        flush=True,
    )


def main() -> None:
    """Recover three cohorts, then extend what they share to a dictionary."""
    parser(__doc__).parse_args()
    target, direct = data_dir() / "recovered_symbols", pd.Series(dtype=object)
    target.mkdir(parents=True, exist_ok=True)
    for cancer in COMPLETE:
        cohort = load_published(cancer, fetch=False)
        table, found = recover(cohort)
        write_table(table, target / f"{cancer}.csv.gz")
        write_table(found.samples.round(4), target / f"{cancer}_samples.csv")
        bio = cohort.genes["bio"]
        report(cancer, table, len(found.samples), bio)
        named = table[(table["symbol"] != "") & bio].set_index("published_symbol")["symbol"]
        common = direct.index.intersection(named.index)
        same = (direct[common] == named[common]).sum()
        print(f"  symbols shared with the cohorts before: {len(common)}, same gene: {same}")
        direct = pd.concat([direct, named[~named.index.isin(direct.index)]])

    lines = (p.read_text().splitlines() for p in sorted(folder("published").glob("*_genes.csv")))
    published = {line.strip().strip('"') for text in lines for line in text if line.strip()}
    table = shared_data() / "annotation" / "grch38_genes.csv.gz"
    genes = pd.read_csv(table, dtype=str, keep_default_na=False, na_values=["", "NA"])
    genes = genes.rename(columns={"id": "ensembl_id"})
    genes = genes.dropna(subset=["symbol"]).drop_duplicates("ensembl_id")
    order = genes.sort_values("ensembl_id")["symbol"].tolist()
    dictionary, (right, decided) = extend_dictionary(direct, published, order)
    write_table(dictionary, target / "dictionary.csv.gz")
    print(
        f"dictionary: {len(dictionary):,} of {len(published):,} published symbols, "
        f"{(dictionary['how'] == 'by rule').sum():,} of them by the rule, which gets {right} of "
        f"{decided} pairs right when each is left out"
    )


if __name__ == "__main__":
    call(main)
