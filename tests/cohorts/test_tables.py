"""degnext.cohorts.user_tables: a user's counts and groups in every shape that is accepted."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.formats import read_counts
from degnext.cohorts.tables import read_table
from degnext.cohorts.user_tables import load_file


@pytest.fixture
def files(cohort, tmp_path):
    """Write counts and groups; returns both paths."""
    cohort.counts.to_csv(tmp_path / "counts.csv")
    cohort.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    return tmp_path / "counts.csv", tmp_path / "groups.csv"


@pytest.mark.parametrize(
    "name", ["c.csv", "c.tsv", "c.txt", "c.csv.gz", "c.TSV.GZ", "c.txt.gz", "c.parquet"]
)
def test_every_kind_of_table_gives_the_same_counts(cohort, tmp_path, files, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        cohort.counts.to_parquet(path)
    else:
        text = cohort.counts.to_csv(sep="\t" if "ts" in name.lower() or "txt" in name else ",")
        path.write_bytes(
            gzip.compress(text.encode()) if name.lower().endswith("gz") else text.encode()
        )
    loaded = load_file(path, files[1])
    pd.testing.assert_frame_equal(loaded.counts, cohort.counts, check_names=False)
    pd.testing.assert_series_equal(loaded.groups, cohort.groups, check_names=False)
    assert (loaded.name, loaded.source, len(loaded.notes)) == ("MINE", "file", 3)


def test_a_table_as_r_writes_it_lacks_the_first_name_of_the_header(tmp_path):
    (tmp_path / "r.txt").write_text("s1\ts2\ng1\t1\t2\ng2\t3\t4\n")
    table = read_table(tmp_path / "r.txt")
    assert (
        table.index.tolist() == ["g1", "g2"]
        and table.columns.tolist() == ["s1", "s2"]
        and table.loc["g2", "s1"] == 3
    )


def test_names_stay_text(tmp_path):
    (tmp_path / "c.csv").write_text("gene,01,02,03,04\n001,1,2,3,4\n1,5,6,7,8\n")
    (tmp_path / "g.csv").write_text("sample,group\n01,normal\n02,normal\n03,tumor\n04,tumor\n")
    loaded = load_file(tmp_path / "c.csv", tmp_path / "g.csv")
    assert loaded.counts.index.tolist() == ["001", "1"] and loaded.groups["01"] == "normal"


def test_quoted_names_may_hold_the_separator(tmp_path):
    (tmp_path / "c.csv").write_text('"gene, symbol","s1","s2"\n"A, B",1,2\n')
    assert read_table(tmp_path / "c.csv").loc["A, B"].tolist() == [1, 2]


def test_a_sample_name_given_twice_is_not_renamed_in_silence(tmp_path):
    (tmp_path / "c.csv").write_text("gene,s1,s2,s1\ng1,1,2,3\n")
    with pytest.raises(InputError, match="column 's1' occurs more than once"):
        read_table(tmp_path / "c.csv")


def test_annotation_columns_are_left_out_with_a_note(cohort, tmp_path, files):
    cohort.counts.assign(Entrez_Gene_Id=range(80), gene_type="protein_coding").to_csv(
        tmp_path / "annotated.csv"
    )
    loaded = load_file(tmp_path / "annotated.csv", files[1])
    assert list(loaded.counts.columns) == list(cohort.counts.columns)
    assert loaded.notes[3:] == (
        "annotated.csv: annotation column(s) Entrez_Gene_Id, gene_type left out.",
    )


def test_a_header_longer_than_any_csv_field_and_a_byte_order_mark_are_read(tmp_path):
    names = [f"/a/long/path/to/sample_{i:05d}/aligned.sorted.bam" for i in range(4000)]
    text = "gene\t" + "\t".join(names) + "\r\nA\t" + "\t".join(["1"] * 4000) + "\r\n"
    (tmp_path / "c.tsv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_table(tmp_path / "c.tsv").columns.tolist() == names


def test_a_comma_in_the_name_of_a_file_is_no_separator(cohort, tmp_path):
    cohort.counts.to_csv(tmp_path / "mine, new.csv")
    assert len(read_counts(tmp_path / "mine, new.csv").table) == 80


def test_two_tables_are_joined_on_their_genes(cohort, tmp_path, files):
    first, second = tmp_path / "n.csv", tmp_path / "t.csv"
    cohort.counts.iloc[:, :6].to_csv(first)
    cohort.counts.iloc[10:, 6:].sample(frac=1, random_state=0).to_csv(second)
    loaded = load_file(f"{first}, {second}", files[1])
    pd.testing.assert_frame_equal(loaded.counts, cohort.counts.iloc[10:], check_names=False)
    assert loaded.notes[3:] == ("70 genes are in every table; the others are left out.",)


def test_tables_with_other_genes_are_not_joined(cohort, tmp_path):
    cohort.counts.iloc[:50, :6].to_csv(tmp_path / "n.csv")
    cohort.counts.iloc[30:, 6:].to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match="fewer than half"):
        read_counts(f"{tmp_path / 'n.csv'},{tmp_path / 't.csv'}")


def test_repeated_genes_stop_a_join(cohort, tmp_path):
    pd.concat([cohort.counts.iloc[:, :6]] * 2).to_csv(tmp_path / "n.csv")
    cohort.counts.iloc[:, 6:].to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match="repeated gene names"):
        read_counts(f"{tmp_path / 'n.csv'},{tmp_path / 't.csv'}")


def test_fractions_are_rounded_on_request_only_and_with_a_note(cohort, tmp_path, files):
    expected = cohort.counts.astype(float)
    expected.iloc[0, :4] += [0.4, -0.4, 0.2, 0.3]
    expected.to_csv(tmp_path / "rsem.csv")
    with pytest.raises(InputError, match="fractional"):
        load_file(tmp_path / "rsem.csv", files[1])
    loaded = load_file(tmp_path / "rsem.csv", files[1], round_counts=True)
    assert (
        np.array_equal(loaded.counts, cohort.counts)
        and "4 fractional values (0.3%)" in loaded.notes[3]
    )


def test_barcodes_stand_in_for_groups_and_other_tissues_are_noted(cohort, tmp_path):
    kinds = ["11"] * 6 + ["01"] * 8 + ["06"]
    cohort.counts.set_axis([f"TCGA-AB-{i:04d}-{k}A" for i, k in enumerate(kinds)], axis=1).to_csv(
        tmp_path / "c.csv"
    )
    loaded = load_file(tmp_path / "c.csv")
    assert (loaded.n_normal, loaded.n_tumor) == (
        6,
        8,
    ) and "1 sample(s), e.g. TCGA-AB-0014-06A, are neither" in loaded.notes[3]


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "c.parquet").write_bytes(b"PAR1 is no parquet")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_table(tmp_path / "c.parquet")


@pytest.mark.parametrize("cut", [12, 40])
def test_a_gzip_file_that_broke_off_is_refused(cohort, tmp_path, cut):
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(cohort.counts.to_csv().encode())[:-cut])
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_table(tmp_path / "c.csv.gz")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".", "two words"])
def test_a_cohort_is_named_by_one_word_since_it_names_a_folder(files, name):
    with pytest.raises(InputError, match="cannot name a folder"):
        load_file(*files, name=name)
