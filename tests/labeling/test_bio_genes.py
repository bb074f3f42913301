"""degnext.labeling.disease_genes: open lists, the user's own, what is said when there is none."""

from __future__ import annotations

import os
import re

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.cohort import CANCERS
from degnext.labeling.disease_genes import bio_genes, cancer_terms, read_cancermine, read_gene_file

needs_data = pytest.mark.skipif(
    not os.environ.get("DEGNEXT_DATA"),
    reason="DEGNEXT_DATA is unset: the full cancer-gene tables are not at hand",
)


@pytest.fixture
def tiny_cancermine(tmp_path, monkeypatch):
    folder = tmp_path / "cancer_genes"
    folder.mkdir()
    rows = [
        ("Driver", "cholangiocarcinoma", "IDH1", 3),
        ("Oncogene", "cholangiocarcinoma", "IDH1", 2),
        ("Oncogene", "bile duct cancer", "KRAS", 1),
        ("Oncogene", "bile duct cancer", "ARID1A", 1),
        ("Driver", "breast cancer", "ERBB2", 99),
    ]
    table = pd.DataFrame(
        rows, columns=["role", "cancer_normalized", "gene_normalized", "citation_count"]
    )
    table.to_csv(folder / "cancermine_collated.v47.tsv.gz", sep="\t", index=False)
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path))
    return tmp_path


def test_cancermine_sums_roles_and_terms_and_keeps_other_cancers_out(tiny_cancermine):
    assert bio_genes("CHOL") == ["IDH1", "ARID1A", "KRAS"]
    counts = read_cancermine(
        tiny_cancermine / "cancer_genes" / "cancermine_collated.v47.tsv.gz",
        cancer_terms("CHOL", "cancermine"),
    )
    assert counts["IDH1"] == 5


def test_a_table_without_the_cancer(tiny_cancermine):
    with pytest.raises(InputError, match="no gene of READ is in cancermine_collated"):
        bio_genes("READ")


def test_demo_lists():
    table = pd.read_csv(data_dir() / "disease_genes" / "demo.csv")
    assert list(table.columns) == ["gene", "cancer", "source", "n_citations"]
    assert table["cancer"].value_counts().to_dict() == {"CHOL": 1064, "READ": 943, "KICH": 340}
    assert not table.duplicated(["gene", "cancer"]).any()
    assert table["n_citations"].min() >= 1
    assert table["gene"].map(lambda gene: bool(re.fullmatch(r"[A-Z][A-Za-z0-9-]*", gene))).all()
    assert {"KRAS", "TP53"} <= set(bio_genes("CHOL", "demo"))
    assert "VHL" in bio_genes("KICH", "demo")
    assert "APC" in bio_genes("READ", "demo")


def test_every_cancer_has_terms_in_both_sources():
    for cancer in CANCERS:
        assert cancer_terms(cancer, "cancermine"), cancer
        assert len(cancer_terms(cancer, "intogen")) == 1, cancer


def test_gmt_and_text_files(tmp_path):
    gmt = tmp_path / "mine.gmt"
    gmt.write_text("CHOL\tx\tIDH1\tKRAS\tIDH1\nREAD\tx\tAPC\n")
    assert bio_genes("CHOL", str(gmt)) == ["IDH1", "KRAS"]
    assert bio_genes("READ", str(gmt)) == ["APC"]
    with pytest.raises(InputError, match="2 gene sets and none is named KICH"):
        bio_genes("KICH", str(gmt))
    gmt.write_text("mine\tx\tIDH1\nREAD\tx\tAPC\n")
    assert bio_genes("MINE", gmt) == ["IDH1"]
    text = tmp_path / "mine.txt"
    text.write_text("# my genes\nIDH1, KRAS;TP53\n\nBAP1 # a comment\n")
    assert read_gene_file(text, "KICH") == ["IDH1", "KRAS", "TP53", "BAP1"]
    # a cohort of one's own has no TCGA code, and needs none
    assert (
        bio_genes("MINE", str(text))
        == bio_genes("a cohort", text)
        == ["IDH1", "KRAS", "TP53", "BAP1"]
    )


def test_one_set_gmt_needs_no_name(tmp_path):
    gmt = tmp_path / "one.gmt"
    gmt.write_text("whatever\tx\tIDH1\t\n")
    assert bio_genes("UCEC", str(gmt)) == ["IDH1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("REED",), "did you mean 'READ'"),
        (("READ", "cancermin"), "did you mean 'cancermine'"),
        (("BRCA", "demo"), "demo gene lists cover CHOL, KICH, READ only, not BRCA"),
        (("READ", "nowhere/genes.gmt"), "is no gene list: give"),
        (("MINE", "x" * 300), "is no gene list: choose one of"),
        (("MINE", "~nobody/genes.txt"), "is no gene list"),
        (("READ", "cancermine"), "set DEGNEXT_DATA"),
        (("READ", "intogen"), "set DEGNEXT_DATA"),
    ],
)
def test_bad_arguments_say_the_cure(arguments, message, monkeypatch):
    monkeypatch.delenv("DEGNEXT_DATA", raising=False)
    with pytest.raises(InputError, match=message):
        bio_genes(*arguments)


def test_data_folder_without_the_table(tmp_path, monkeypatch):
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path))
    with pytest.raises(InputError, match="is not in the folder DEGNEXT_DATA names"):
        bio_genes("CHOL", "intogen")


def test_empty_and_binary_lists(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n")
    with pytest.raises(InputError, match="holds no gene"):
        bio_genes("CHOL", str(empty))
    binary = tmp_path / "genes.txt"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="is no text"):
        bio_genes("CHOL", str(binary))


@needs_data
def test_full_tables_hold_every_term_and_agree_with_the_demo():
    for cancer in CANCERS:
        assert len(bio_genes(cancer)) >= 90, cancer
        assert len(bio_genes(cancer, "intogen")) >= 8, cancer
    for cancer in ("CHOL", "KICH", "READ"):
        assert bio_genes(cancer) == bio_genes(cancer, "demo")


@needs_data
def test_demo_gene_sets_are_subsets_of_their_sources():
    source = {}
    folder = os.path.join(os.environ["DEGNEXT_DATA"], "gene_sets")
    for file in ("enrichr.GO_Biological_Process_2021.gmt", "ReactomePathways.gmt"):
        with open(os.path.join(folder, file), encoding="utf-8") as lines:
            for line in lines:
                name, description, *genes = line.rstrip("\n").split("\t")
                source[f"{name} ({description})" if description else name] = set(genes)
    for line in (data_dir() / "gene_sets" / "demo.gmt").read_text().splitlines():
        name, origin, *genes = line.split("\t")
        assert origin == "planted" or set(genes) <= source[name], name


def test_demo_gene_sets_have_the_stated_shape():
    path = data_dir() / "gene_sets" / "demo.gmt"
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert path.stat().st_size < 300_000
    assert len({row[0] for row in rows}) == len(rows) == 219
    assert [row[1] for row in rows].count("planted") == 9
    assert [row[1] for row in rows].count("Reactome") == 60
    sizes = {row[0]: len(row) - 2 for row in rows}
    assert [name for name, size in sizes.items() if size < 15] == [
        "positive regulation of plasminogen activation (GO:0010756)"
    ]
    assert max(sizes.values()) <= 250
    assert all(len(set(row[2:])) == len(row) - 2 for row in rows)
