"""Counts and groups in every common format read to the same cohort; nothing gives a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import degnext
from degnext._common.errors import InputError
from degnext.cohorts.gene_names import symbols_of
from degnext.cohorts.load import load_cohort
from degnext.cohorts.tables import read_table

CORPUS = Path(__file__).parents[1] / "data" / "formats"
GROUPS = CORPUS / "groups" / "groups.csv"
sys.path.insert(0, str(CORPUS))
import make

TRUTH = make.truth()
TABLES = sorted(p.name for p in CORPUS.iterdir() if p.is_file() and p.suffix not in (".py", ".md"))
FOLDERS = ("htseq", "star", "salmon", "kallisto", "rsem")


def load(counts, groups=GROUPS, **options):
    return load_cohort("MINE", "file", counts=counts, groups=groups, **options)


def the_same(cohort, names=None) -> bool:
    table = cohort.counts[TRUTH.columns] if names is None else cohort.counts[names]
    return np.array_equal(table.to_numpy(), TRUTH.to_numpy())


@pytest.mark.parametrize("name", [n for n in TABLES if n not in ("tx2gene.csv", "recount3.tsv")])
def test_every_table_reads_to_the_same_counts(name):
    cohort = load(CORPUS / name, round_counts=name == "decimal_comma.csv")
    assert the_same(cohort), cohort.notes
    assert cohort.notes[0].endswith("50 genes × 6 samples.")
    assert cohort.notes[1].startswith("Groups: 3 normal and 3 tumor samples, by column 'group'")
    assert "of human genes, 100% with a known symbol" in cohort.notes[2]


@pytest.mark.parametrize("name", FOLDERS)
def test_files_of_a_program_read_to_the_same_counts(name):
    maps = {"transcripts": CORPUS / "tx2gene.csv"} if name in ("salmon", "kallisto") else {}
    cohort = load(CORPUS / name, **maps)
    assert the_same(cohort), cohort.notes
    pattern = {"salmon": "*/quant.sf", "kallisto": "*/*.tsv"}.get(name, "*")
    assert load(str(CORPUS / name / pattern), **maps).counts.equals(cohort.counts)
    listed = sorted(p for p in (CORPUS / name).rglob("*") if p.is_file())
    assert load([str(p) for p in listed], **maps).counts.equals(cohort.counts)


def test_genes_that_a_workbook_holds_as_dates_are_genes_again(tmp_path):
    table = TRUTH.rename(index={TRUTH.index[0]: pd.Timestamp(2022, 9, 2)}).rename_axis(None)
    groups = pd.read_csv(GROUPS)
    with pd.ExcelWriter(tmp_path / "both.xlsx") as book:
        table.to_excel(book, sheet_name="counts")
        groups.to_excel(book, sheet_name="groups", index=False)
    groups.to_excel(tmp_path / "groups.xlsx", index=False)
    cohort = load(tmp_path / "both.xlsx", tmp_path / "groups.xlsx")
    assert the_same(cohort) and cohort.notes[1].startswith("Groups: 3 normal and 3 tumor samples")
    date = cohort.counts.index[0]
    assert symbols_of(cohort.counts.index[:1], "symbols")[0].tolist() == ["SEPTIN2"], date


def test_a_workbook_as_people_keep_it(tmp_path):
    """A hidden sheet before it, a title above the header, line breaks and commas in names."""
    names = ["Liver, normal, 1", "Liver,\nnormal, 2", *TRUTH.columns[2:]]
    with pd.ExcelWriter(tmp_path / "kept.xlsx") as book:
        (TRUTH * 2).to_excel(book, sheet_name="old")
        TRUTH.set_axis(names, axis=1).to_excel(book, sheet_name="new", startrow=2)
        book.sheets["old"].sheet_state = "hidden"
        book.sheets["new"]["A1"] = "Table S1: counts"
    table = read_table(tmp_path / "kept.xlsx")
    assert table.columns[1] == "Liver, normal, 2" and np.array_equal(table, TRUTH)
    assert table.index.equals(TRUTH.index) and table.attrs["comments"] == ["#Table S1: counts"]
    described = pd.DataFrame({"sample": TRUTH.columns, "group (normal, tumor)": ["a"] * 6})
    described.to_excel(tmp_path / "groups.xlsx", index=False)
    assert list(read_table(tmp_path / "groups.xlsx")) == ["group (normal, tumor)"]


def test_transcripts_without_a_map_are_named(is_helpful):
    with pytest.raises(InputError, match="transcripts: sum them to genes with --transcripts MAP"):
        load(CORPUS / "salmon")
    with pytest.raises(InputError, match="knows fewer than half of the transcripts"):
        load(CORPUS / "salmon", transcripts=CORPUS / "entrez.csv")


def test_the_strand_of_star_is_chosen_by_the_totals_and_said():
    notes = load(CORPUS / "star").notes
    assert any("so the libraries are stranded (reverse): column 4 is read" in n for n in notes)


def test_a_gdc_folder_brings_its_samples_groups_and_pairs():
    cohort = load(CORPUS / "gdc", groups=None)
    assert the_same(cohort, make.BARCODES) and cohort.n_tumor == 3
    assert cohort.pairs.nunique() == 3 and "3 of 3 of column 'Case ID'" in cohort.notes[1]
    one = sorted((CORPUS / "gdc").rglob("*counts.tsv"))[0]
    with pytest.raises(InputError, match="has [01] sample"):
        load([one], normal="*", tumor=None, groups=None)


def test_recount3_needs_read_lengths():
    assert the_same(load(CORPUS / "recount3.tsv", CORPUS / "groups" / "recount3.csv"))
    with pytest.raises(InputError, match="bases of coverage, not reads"):
        load(CORPUS / "recount3.tsv")


def test_anndata_is_read(tmp_path):
    anndata = pytest.importorskip("anndata")
    obs = pd.DataFrame({"Condition": ["healthy"] * 3 + ["tumour"] * 3}, index=TRUTH.columns)
    var = pd.DataFrame(index=TRUTH.index)
    data = anndata.AnnData(np.log1p(TRUTH.T.to_numpy(float)), obs=obs, var=var)
    data.layers["counts"] = TRUTH.T.to_numpy()
    data.write_h5ad(tmp_path / "c.h5ad")
    cohort = load(tmp_path / "c.h5ad", groups=None)
    assert the_same(cohort) and "AnnData (layer 'counts')" in cohort.notes[0]


@pytest.mark.parametrize("name", ["condition.csv", "tumour.csv", "gdc_words.tsv", "patients.csv"])
def test_groups_from_any_sensible_column_and_words(name):
    cohort = load(CORPUS / "plain.csv", CORPUS / "groups" / name)
    assert cohort.is_tumor.tolist() == [False] * 3 + [True] * 3
    assert (cohort.pairs is not None) == (name == "patients.csv")


def test_groups_by_patterns_of_names_or_of_a_column(tmp_path):
    for asked in ({"normal": "N*"}, {"tumor": "T*"}, {"normal": "N*", "tumor": "T1,T2,T3"}):
        assert load(CORPUS / "plain.csv", None, **asked).n_tumor == 3
    (tmp_path / "g.csv").write_text("s,code\nN1,0\nN2,0\nN3,0\nT1,1\nT2,1\nT3,2\n")
    cohort = load(CORPUS / "plain.csv", tmp_path / "g.csv", normal="0", tumor="1")
    assert cohort.n_tumor == 2 and "T3" in cohort.notes[3]
    for wrong, said in (
        ({"normal": "X*"}, "no sample fits"),
        ({"normal": "*", "tumor": "T*"}, "bo"),
    ):
        with pytest.raises(InputError, match=said):
            load(CORPUS / "plain.csv", None, **wrong)


def test_names_that_r_mangled_still_find_their_groups(tmp_path):
    names = ["1-a", "2-b", "3 c", "4-d", "5-e", "6-f"]
    mangled = [f"X{n.replace('-', '.').replace(' ', '.')}" for n in names]
    TRUTH.set_axis(mangled, axis=1).to_csv(tmp_path / "c.csv")
    rows = [f"{n},{'normal' if i < 3 else 'tumor'}" for i, n in enumerate(names)]
    (tmp_path / "g.csv").write_text("\n".join(["sample,group", *rows]))
    assert load(tmp_path / "c.csv", tmp_path / "g.csv").n_tumor == 3


def test_a_further_file_of_a_sample_is_found_by_its_suffix_and_said(tmp_path):
    names = [*make.BARCODES[:5], f"{make.BARCODES[4]}_5928"]
    TRUTH.set_axis(names, axis=1).to_csv(tmp_path / "c.csv")
    ids = [f"{i}aaa-4f" for i in range(5)] + ["5928c33a-57"]
    of = ["Solid Tissue Normal"] * 3 + ["Primary Tumor"] * 2 + ["Solid Tissue Normal"]
    rows = [f"{i},{s.split('_')[0]},{g}" for i, s, g in zip(ids, names, of)]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(["File.ID,Sample.ID,Sample.Type", *rows[:5], ""]))
    with pytest.raises(InputError, match="_5928"):
        load(tmp_path / "c.csv", sheet)
    sheet.write_text(
        "\n".join(["File.ID,Sample.ID,Sample.Type", *rows[:5], rows[5].replace(of[5], of[4])])
    )
    cohort = load(tmp_path / "c.csv", sheet)
    assert cohort.groups[names[5]] == "tumor" and f"e.g. {names[5]}, found by" in cohort.notes[1]


def test_barcodes_that_contradict_the_groups_are_said(tmp_path):
    TRUTH.set_axis(make.BARCODES, axis=1).to_csv(tmp_path / "c.csv")
    flipped = [f"{b},{'tumor' if i < 3 else 'normal'}" for i, b in enumerate(make.BARCODES)]
    (tmp_path / "g.csv").write_text("\n".join(["sample,group", *flipped]))
    notes = load(tmp_path / "c.csv", tmp_path / "g.csv").notes
    assert any("6 sample(s)" in n and "the groups given are believed" in n for n in notes)


RNG = np.random.default_rng(0)
BIG = RNG.negative_binomial(2, 0.01, (1500, 6)) * RNG.integers(1, 90, (1500, 1))
LOW = RNG.negative_binomial(0.4, 0.004, (1500, 6))  # with genes of a single read
SCALED = {
    "log2 values": np.log2(BIG + 1),
    "log2 values, rounded": np.round(np.log2(BIG + 1)),
    "TPM or CPM": BIG / BIG.sum(axis=0) * 1e6,
    "TPM or CPM, rounded": np.round(BIG / BIG.sum(axis=0) * 1e6),
    "counts over size factors": LOW / np.array([0.7, 0.8, 1.13, 1.2, 0.9, 1.31]),
    "counts over size factors, rounded": np.round(
        LOW / np.array([0.7, 0.8, 1.13, 1.2, 0.9, 1.31]), 2
    ),
    "FPKM or TPM": BIG / BIG.sum(axis=0) * 3e4 * RNG.uniform(0.2, 3, (1500, 1)),
}


@pytest.mark.parametrize("kind", SCALED)
@pytest.mark.parametrize("rounding", [False, True])
def test_what_is_no_count_is_named_and_refused_even_if_rounding_is_asked_for(
    kind, rounding, tmp_path, is_helpful
):
    values = SCALED[kind] * (RNG.uniform(0.8, 1.2, 6) if "FPKM" in kind else 1)
    genes = [f"g{i}" for i in range(len(values))]
    pd.DataFrame(values, genes, TRUTH.columns).to_csv(tmp_path / "c.csv")
    with pytest.raises(InputError, match=kind.split(",")[0]) as caught:
        load(tmp_path / "c.csv", round_counts=rounding)
    assert is_helpful(str(caught.value))


def test_expected_counts_are_rounded_on_request(tmp_path):
    values = BIG + RNG.choice([0, 0.25, -0.33], BIG.shape) * (BIG > 0)
    genes = [f"g{i}" for i in range(len(values))]
    pd.DataFrame(values, genes, TRUTH.columns).to_csv(tmp_path / "c.csv")
    assert np.array_equal(load(tmp_path / "c.csv", round_counts=True).counts, BIG)
    values = np.where(RNG.random(BIG.shape) < 0.2, RNG.exponential(0.5, BIG.shape), values)
    values = np.round(values, 2).clip(0.01)  # RSEM's have two digits: all multiples of 0.01
    pd.DataFrame(values, genes, TRUTH.columns).to_csv(tmp_path / "c.csv")
    assert np.array_equal(load(tmp_path / "c.csv", round_counts=True).counts, np.round(values))


def test_a_gene_beside_itself_and_a_blank_is_said_from_anywhere(tmp_path, is_helpful):
    table = TRUTH.set_axis([*TRUTH.index[:-1], f"{TRUTH.index[0]} "])
    table.to_csv(tmp_path / "c.csv")
    groups = load(CORPUS / "plain.csv").groups
    said = f"1 gene.*{TRUTH.index[0]}' .blanks around a name do not count"
    for ask in (lambda: load(tmp_path / "c.csv"), lambda: degnext.predict(table, groups)):
        with pytest.raises(InputError, match=said) as caught:
            ask()
        assert is_helpful(str(caught.value))
    alone = degnext.predict(table.iloc[1:], groups)
    assert alone["gene"].iloc[-1] == TRUTH.index[0] and alone["symbol"].iloc[-1] != ""


def test_a_group_left_empty_names_its_sample(tmp_path):
    (tmp_path / "g.csv").write_text(
        "sample,group\nN1,normal\nN2,normal\nN3,\nT1,tumor\nT2,tumor\nT3,tumor\n"
    )
    with pytest.raises(InputError, match="of sample 'N3'"):
        load(CORPUS / "plain.csv", tmp_path / "g.csv")


def test_odd_names_and_files(tmp_path):
    text = "gene,N1,NA,N3,T1,T2,T3,\n" + "".join(f" G{i} ,1,20,300,4,5,6,\n" for i in range(9))
    (tmp_path / " my, table.csv").write_text(text + "NA,7,7,7,7,7,7,\n,,,,,,,\n")
    cohort = load(tmp_path / " my, table.csv", None, tumor="T*")
    assert list(cohort.counts.columns) == ["N1", "NA", "N3", "T1", "T2", "T3"]
    assert cohort.counts.index[-1] == "NA" and cohort.counts.index[0] == "G0"
    (tmp_path / "twice.csv").write_text(text + "G0,1,1,1,1,1,1,\n")
    with pytest.raises(InputError, match="'G0' .blanks around a name do not count."):
        load(tmp_path / "twice.csv", None, tumor="T*")
    (tmp_path / "~name.csv").write_text(text)
    assert len(load(tmp_path / "~name.csv", None, tumor="T*").counts) == 9
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", "x" * 300, "a\0b", "~nobody/x.csv"):
        with pytest.raises(InputError, match="no file"):
            load(path)


def test_a_parquet_index_of_two_levels_is_named(tmp_path):
    index = pd.MultiIndex.from_product([["a", "b"], range(25)])
    TRUTH.set_axis(index).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match="several levels"):
        load(tmp_path / "c.parquet")


@pytest.mark.parametrize("name", ["GSE130688", "GSE136569", "GSE151347", "GSE196009", "GSE40419"])
def test_independent_cohorts_need_no_manual_step(real_data, name):
    folder = real_data / "independent"
    cohort = load(folder / f"{name}_counts.tsv.gz", folder / f"{name}_groups.csv")
    assert cohort.n_normal >= 5 and "known symbol" in cohort.notes[2]


def test_a_row_of_totals_and_italian_dates_in_a_real_table(real_data):
    folder = real_data / "independent"
    cohort = load(folder / "NSCLC_6_6_counts.tsv.gz", folder / "NSCLC_6_6_groups.csv")
    assert len(cohort.counts) == 15_208 and "4 dates made by Excel" in cohort.notes[2]
    tcga = load(folder / "TCGA_LUAD_16_16_counts.tsv.gz", None)
    assert (tcga.n_normal, tcga.n_tumor) == (16, 16)


def test_a_real_gdc_folder_is_read_by_its_name(real_data):
    cohort = load(real_data / "gdc_lusc" / "download", None)
    assert cohort.counts.shape == (60_483, 12) and cohort.n_normal == 5


def test_a_real_table_with_a_suffix_is_read_by_its_sample_sheet(real_data):
    folder = real_data / "gdc_lusc"
    cohort = load(folder / "TCGA-LUSC_htseq_counts.parquet", folder / "sample_sheet.tsv")
    assert (cohort.n_normal, cohort.n_tumor) == (49, 502)
    assert "TCGA-21-1076-01A_5928" in cohort.notes[1] and "49 of 501" in cohort.notes[1]


def test_a_table_of_one_blank_separated_line_is_read(tmp_path):
    (tmp_path / "c.txt").write_text("s1 s2\ng1 1 2\ng2 3 4\n")
    assert read_table(tmp_path / "c.txt").loc["g2"].tolist() == [3, 4]
