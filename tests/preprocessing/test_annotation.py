"""Gene tables and identifiers: found, downloaded once, mapped with a report."""

from __future__ import annotations

import gzip
import http.server
import subprocess
import sys
import threading
import urllib.parse

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.preprocessing import symbols as annotation

GENES = """id,eff_length,gc,entrez,symbol,chr,start,end,strand,biotype
ENSG00000141510,5676,0.489077,7157,TP53,17,1,2,-1,protein_coding
ENSG00000146648,10000,0.45,1956,EGFR,7,1,2,1,protein_coding
ENSG00000133703,7000,0.39,3845,KRAS,12,1,2,-1,protein_coding
ENSG00000229807,,,7503,XIST,X,1,2,-1,lincRNA
ENSG00000002586,4000,0.4,4267,CD99,X,1,2,1,protein_coding
ENSG00000999999,1500,0.5,7157,TP53,17,1,2,-1,pseudogene
"""
SYMBOLS = """"symbol","gene_length","gc_content"
"100130426",NA,NA
"TP53","2586","0.53"
"AAA1",7248,0.38
"NANOGNB",1000,0.5
"""


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("DEGNEXT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DEGNEXT_DATA", raising=False)
    annotation.known_symbols.cache_clear()
    annotation._read.cache_clear()
    yield
    annotation.known_symbols.cache_clear()
    annotation._read.cache_clear()


@pytest.fixture
def tables(monkeypatch, tmp_path):
    folder = tmp_path / "data" / "annotation"
    folder.mkdir(parents=True)
    for name, text in zip(annotation.FILES.values(), (GENES, SYMBOLS)):
        (folder / name).write_bytes(gzip.compress(text.encode()))
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path / "data"))


def counts(ids, rows=None) -> pd.DataFrame:
    rows = rows if rows is not None else [[10 * (i + 1), i] for i in range(len(ids))]
    return pd.DataFrame(rows, index=ids, columns=["N1", "T1"])


def test_gene_info_is_found_by_symbol_and_by_id(tables):
    info = annotation.gene_info()
    assert list(info.index) == ["TP53", "AAA1", "NANOGNB"] and list(info.columns) == [
        "gene_length",
        "gc_content",
    ]
    assert info.loc["TP53", "gene_length"] == 2586 and info.dtypes.eq(float).any()


def test_ensembl_ids_with_and_without_version_become_symbols(tables):
    ids = [
        "ENSG00000146648.18",
        "N_unmapped",
        "ENSG00000133703",
        "ENSG00000123456.1",
        "ENSG00000002586.20",
        "ENSG00000002586.20_PAR_Y",
    ]
    mapped, report = annotation.map_symbols(counts(ids))
    assert list(mapped.index) == ["EGFR", "KRAS", "CD99"] and list(mapped["N1"]) == [10, 30, 50]
    assert list(report.reason) == [
        "kept",
        "summary row",
        "kept",
        "no symbol known",
        "kept",
        "pseudoautosomal copy on Y",
    ]
    assert list(report.index) == ids and list(report.kept) == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_symbols_old_symbols_and_entrez_suffixes_are_known(tables):
    mapped, report = annotation.map_symbols(
        counts(["TP53|7157", "AAA1", "?|100130426", "KRAS", "LOC1"])
    )
    assert list(mapped.index) == ["TP53", "AAA1", "KRAS"]
    assert list(report.reason) == ["kept", "kept", "no symbol known", "kept", "no symbol known"]


def test_the_highest_of_duplicates_stays(tables):
    ids = ["ENSG00000146648", "ENSG00000141510", "ENSG00000999999"]
    mapped, report = annotation.map_symbols(counts(ids, [[1, 1], [20, 0], [700, 3]]))
    assert list(mapped.index) == ["EGFR", "TP53"] and mapped.loc["TP53", "N1"] == 700
    assert report.kept.sum() == 2
    lost = report[~report.kept]
    assert lost.symbol.tolist() == ["TP53"] and lost.reason.tolist() == ["lower duplicate"]


def test_equal_duplicates_keep_the_first(tables):
    table = counts(
        ["ENSG00000999999", "ENSG00000141510", "ENSG00000146648"], [[5, 6], [6, 5], [1, 1]]
    )
    mapped, _ = annotation.map_symbols(table)
    assert mapped.loc["TP53"].tolist() == [5, 6]


def test_other_organisms_and_unknown_names_are_explained(tables):
    with pytest.raises(InputError, match="mouse"):
        annotation.map_symbols(counts(["ENSMUSG00000059552.8", "ENSMUSG00000020122"]))
    with pytest.raises(InputError, match="spelled like mouse"):
        annotation.map_symbols(counts(["Trp53", "Egfr", "Kras", "TP53"]))
    with pytest.raises(InputError, match="only 0 of 3 row names.*'7157'"):
        annotation.map_symbols(counts(["7157", "1956", "3845"]))


class _BioMart(http.server.BaseHTTPRequestHandler):
    body = ""
    queries: list[str] = []

    def do_GET(self):
        type(self).queries.append(urllib.parse.unquote(urllib.parse.urlsplit(self.path).query))
        body = self.body.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def biomart(monkeypatch):
    _BioMart.queries = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _BioMart) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(
            "DEGNEXT_ENSEMBL_URL", f"http://127.0.0.1:{server.server_port}/biomart/martservice"
        )
        yield _BioMart
        server.shutdown()
        thread.join()


def test_table_is_downloaded_once_longest_transcript_wins(biomart):
    biomart.body = (
        "ENSG00000141510\tTP53\tprotein_coding\t48.85\t1018\nENSG00000141510\tTP53\tprotein_coding\t48.85\t2591\n"
        "ENSG00000229425\t\tlncRNA\t40.1\t300\n[success]\n"
    )
    info = annotation.gene_info()
    assert info.loc["TP53"].tolist() == pytest.approx([2591, 0.4885]) and len(info) == 1
    assert len(annotation.gene_table()) == 2
    assert len(biomart.queries) == 1 and 'name="percentage_gene_gc_content"' in biomart.queries[0]
    mapped, _ = annotation.map_symbols(counts(["ENSG00000141510.11"]))
    assert list(mapped.index) == ["TP53"] and len(biomart.queries) == 1


def test_six_at_once_with_a_cold_cache_fetch_one_table(biomart, tmp_path):
    """Six predictions with Ensembl ids side by side; each is a process of its own."""
    biomart.body = "ENSG00000141510\tTP53\tprotein_coding\t48.85\t1018\n[success]\n"
    code = "from degnext.preprocessing.symbols import gene_table; print(len(gene_table()))"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1) for _ in range(6)
    ]
    answers = [child.communicate(timeout=60) for child in children]
    assert [out for out, _ in answers] == [b"1\n"] * 6, answers
    assert len(biomart.queries) == 1
    left = sorted(p.name for p in (tmp_path / "cache" / "annotation").iterdir())
    assert left == [".lock", "ensembl_genes.csv.gz"]


def test_a_broken_off_answer_is_not_cached(biomart, tmp_path):
    biomart.body = "ENSG00000141510\tTP53\tprotein_coding\t48.85\t1018\nENSG0000014"
    with pytest.raises(InputError, match="whole gene table"):
        annotation.gene_info()
    assert not list((tmp_path / "cache").rglob("*.csv.gz"))
    biomart.body = "ENSG00000141510\tTP53\tprotein_coding\t48.85\t1018\n[success]\n"
    assert np.isfinite(annotation.gene_info().loc["TP53", "gene_length"])


def test_an_unreachable_server_is_explained(biomart, monkeypatch):
    monkeypatch.setattr(biomart, "do_GET", lambda self: self.send_error(404))
    with pytest.raises(InputError, match="put the table into DEGNEXT_DATA/annotation"):
        annotation.gene_table()


def test_real_tables_map_star_ids_and_symbols(real_data, monkeypatch):
    monkeypatch.setenv("DEGNEXT_DATA", str(real_data))
    assert len(annotation.gene_info()) > 20_000
    assert annotation.gene_table()["gc_content"].dropna().between(0, 1).all()
    mapped, _ = annotation.map_symbols(
        counts(["ENSG00000141510.18", "ENSG00000146648.19", "ENSG00000227232.5"])
    )
    assert list(mapped.index) == ["TP53", "EGFR", "WASH7P"]
