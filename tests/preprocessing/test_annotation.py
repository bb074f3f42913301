"""Names of genes: ids, old symbols and Excel's dates mapped with a report, other kinds named."""

from __future__ import annotations

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.gene_names import kind_of_names, symbols_of
from degnext.preprocessing import symbols as annotation


def counts(ids, rows=None) -> pd.DataFrame:
    rows = rows if rows is not None else [[10 * (i + 1), i] for i in range(len(ids))]
    return pd.DataFrame(rows, index=ids, columns=["N1", "T1"])


def test_gene_info_comes_with_the_package(monkeypatch):
    monkeypatch.delenv("DEGNEXT_DATA", raising=False)
    info = annotation.gene_info()
    assert list(info.columns) == ["gene_length", "gc_content"] and info.index.is_unique
    assert info["gc_content"].between(0, 1).all() and info.loc["TP53", "gene_length"] > 2000


def test_a_damaged_table_of_lengths_is_named(monkeypatch, tmp_path):
    (tmp_path / "annotation").mkdir()
    (tmp_path / "annotation" / annotation.HG19).write_bytes(b"\x1f\x8bbroken")
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path))
    with pytest.raises(InputError, match="is damaged: copy it again"):
        annotation.gene_info()


def test_ensembl_ids_with_and_without_version_become_symbols():
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


def test_symbols_old_symbols_and_entrez_suffixes_are_known():
    mapped, report = annotation.map_symbols(
        counts(["TP53|7157", "AAA1", "?|100130426", "KRAS", "LOC1"])
    )
    assert list(mapped.index) == ["TP53", "NPSR1-AS1", "KRAS"]
    assert list(report.reason) == ["kept", "kept", "no symbol known", "kept", "no symbol known"]


def test_the_highest_of_duplicates_stays():
    ids = ["EGFR", "MARCH5", "MARCHF5"]  # one gene under its old name and its new one
    mapped, report = annotation.map_symbols(counts(ids, [[1, 1], [20, 0], [700, 3]]))
    assert list(mapped.index) == ["EGFR", "MARCHF5"] and mapped.loc["MARCHF5", "N1"] == 700
    assert report.kept.sum() == 2
    lost = report[~report.kept]
    assert lost.symbol.tolist() == ["MARCHF5"] and lost.reason.tolist() == ["lower duplicate"]


def test_equal_duplicates_keep_the_first():
    table = counts(["MARCHF5", "MARCH5", "EGFR"], [[5, 6], [6, 5], [1, 1]])
    mapped, _ = annotation.map_symbols(table)
    assert mapped.loc["MARCHF5"].tolist() == [5, 6]


def test_entrez_ids_become_symbols():
    mapped, _ = annotation.map_symbols(counts(["7157", "1956", "3845", "999999999"]))
    assert list(mapped.index) == ["TP53", "EGFR", "KRAS"]


@pytest.mark.parametrize(
    ("dates", "symbol"),
    [
        (["3-Mar", "Mar-03", "3. Mrz", "2022-03-03", "2022-03-03 00:00:00"], "MARCHF3"),
        (["2-Sep", "Sep-02", "2-Sept", "02.Sep"], "SEPTIN2"),
        (["set/09", "9-Sep-22"], "SEPTIN9"),
        (["1-Dec", "Dec-01", "dic/01"], "DELEC1"),
        (["ago/02"], "AGO2"),
        (["1-Mar", "2-Mar", "40-Jan", "EGFR-AS1x"], None),  # MARCH1 or MARC1: nobody can tell
    ],
)
def test_dates_that_excel_made_of_symbols_are_undone(dates, symbol):
    found, _ = symbols_of(pd.Index(dates), "symbol")
    assert set(found) == {symbol}


def test_old_symbols_and_dates_are_replaced_and_said_where_no_other_row_has_the_name():
    names = ["TP53", "SEPT7", "2-Sep", "MARCH5", "MARCHF5", "MYOWN1"]
    table = counts(names).assign(N2=1, T2=2)
    groups = pd.Series(["normal", "tumor", "normal", "tumor"], table.columns)
    cohort, report = annotation.to_symbols(Cohort(table, groups))
    # MARCH5 keeps its name, for its gene has a row already
    assert cohort.counts.index.tolist() == ["TP53", "SEPTIN7", "SEPTIN2", *names[3:]]
    assert report is None and "2 old symbols" in cohort.notes[0] and "date" in cohort.notes[0]
    assert annotation.to_symbols(cohort, "keep")[0] is cohort


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["ENSMUSG00000059552.8", "ENSMUSG00000020122"], "of mouse: this project reads human"),
        (["Trp53", "Egfr", "Kras", "TP53"], "spelled like mouse"),
        (["ENSRNOG00000010756", "ENSRNOG00000012345"], "of rat"),
        (["ENSXETG00000010756", "ENSXETG00000012345"], "of another organism"),
        (["FBgn0000008", "FBgn0000014"], "fruit fly"),
        (["YAL001C", "YAL002W"], "yeast"),
        (["ENST00000456328.2", "ENST00000450305"], "transcripts: sum them to genes"),
        (["NM_000546.6", "NR_046018"], "transcripts"),
        (["1007_s_at", "1053_at"], "microarray"),
    ],
)
def test_other_organisms_and_what_are_no_genes_are_named(names, said):
    with pytest.raises(InputError, match=said):
        kind_of_names(pd.Index(names))


def test_unknown_names_are_listed_and_kinds_are_told():
    with pytest.raises(InputError, match="only 0 of 3 row names.*'g1'"):
        annotation.map_symbols(counts(["g1", "g2", "g3"]))
    kinds = [["TP53", "KRAS"], ["ENSG00000141510.18", "N_unmapped"], ["7157", "1956"], ["g1", "g2"]]
    assert [kind_of_names(pd.Index(k)) for k in kinds] == ["symbol", "ensembl", "entrez", ""]


def test_the_table_is_small_and_every_old_name_has_one_gene():
    assert (data_dir() / "gene_names.csv.xz").stat().st_size < 2_000_000
    names = annotation.gene_names()
    old = names["previous"][names["previous"] != ""].str.split("|").explode()
    assert old.is_unique and not old.isin(names["symbol"]).any() and len(names) > 60_000
    assert names["ensembl"][names["ensembl"] != ""].is_unique


def test_real_tables_map_star_ids_and_symbols(real_data, monkeypatch):
    monkeypatch.setenv("DEGNEXT_DATA", str(real_data))
    assert len(annotation.gene_info()) > 20_000
    mapped, _ = annotation.map_symbols(
        counts(["ENSG00000141510.18", "ENSG00000146648.19", "ENSG00000227232.5"])
    )
    assert list(mapped.index) == ["TP53", "EGFR", "WASH7P"]
