"""Recover the genes of the published rows: python scripts/recover_symbols.py, with DEGNEXT_DATA holding published/ and rnaseqdb/.

Writes data/recovered_symbols/<cancer>.csv.gz and <cancer>_samples.csv for CHOL, KICH and READ, the three cohorts that are
in RNAseqDB and have all parts at hand. Published symbols are copied into the tables afterwards; nothing is matched by them.
Then dictionary.csv.gz: published symbol → true symbol, found row by row or by the rule that the three cohorts show; it needs annotation/ too.
"""

import os
from pathlib import Path

import pandas as pd

from degnext.cohorts.published import load_published
from degnext.cohorts.user_tables import load_file
from degnext.preprocessing.symbols import gene_table
from reproduction.recovered_symbols.pairing import extend_dictionary, recover_symbols

raw = Path(os.environ["DEGNEXT_DATA"]) / "rnaseqdb"
target = Path(__file__).resolve().parents[2] / "data" / "recovered_symbols"


def write_table(table: pd.DataFrame, name: str) -> None:
    """Write a CSV, gzipped by its name, the same bytes for the same table, whole or not at all."""
    target.mkdir(parents=True, exist_ok=True)
    temporary = target / f".{os.getpid()}.{name}"
    gzip = {"method": "gzip", "mtime": 0} if name.endswith(".gz") else None
    table.to_csv(temporary, index=False, compression=gzip)
    temporary.replace(target / name)


direct = pd.Series(dtype=object)
for cancer in ("CHOL", "KICH", "READ"):
    cohort = load_published(cancer, fetch=False)
    paths = ",".join(
        str(raw / f"{cancer.lower()}-rsem-count-tcga{end}.txt.gz") for end in ("", "-t")
    )
    reference = load_file(paths, cancer=cancer, round_counts=True)
    found = recover_symbols(cohort.counts, cohort.is_tumor, reference.counts, reference.is_tumor)
    genes = cohort.genes
    table = pd.DataFrame(
        {
            "part": genes["part"],
            "row": genes.groupby("part", sort=False).cumcount(),
            "published_symbol": genes["published_symbol"],
            "symbol": found.rows["symbol"],
            "correlation": found.rows["correlation"].round(4),
            "runner_up": found.rows["runner_up"].round(4),
        }
    )
    write_table(table, f"{cancer}.csv.gz")
    write_table(found.samples.round(4), f"{cancer}_samples.csv")
    sure, bio = table["symbol"] != "", genes["bio"]
    print(
        f"{cancer}: {len(found.samples)} samples paired; {sure.sum():,} of {len(table):,} rows named, median correlation "
        f"{table['correlation'][sure].median():.3f}; Q rows named {(sure & bio).sum()} of {bio.sum()}, "
        f"{(table['symbol'] == table['published_symbol'])[sure & bio].sum()} of them as published",
        flush=True,
    )
    named = table[sure & bio].set_index("published_symbol")["symbol"]
    common = direct.index.intersection(named.index)
    print(
        f"  symbols shared with the cohorts before: {len(common)}, same gene: {(direct[common] == named[common]).sum()}"
    )
    direct = pd.concat([direct, named[~named.index.isin(direct.index)]])

lists = sorted((raw.parent / "published").glob("*_genes.csv"))
published = {
    line.strip().strip('"') for p in lists for line in p.read_text().splitlines() if line.strip()
}
genes = (
    gene_table().dropna(subset=["symbol"]).drop_duplicates("ensembl_id").sort_values("ensembl_id")
)
dictionary, (right, decided) = extend_dictionary(direct, published, genes["symbol"].tolist())
write_table(dictionary, "dictionary.csv.gz")
print(
    f"dictionary: {len(dictionary):,} of {len(published):,} published symbols, {(dictionary['how'] == 'by rule').sum():,} of them by the rule, "
    f"which gets {right} of {decided} pairs right when each is left out"
)
