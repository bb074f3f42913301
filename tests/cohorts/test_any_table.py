"""Whatever bytes a file holds, a reader reads or refuses them; how a table lies changes nothing."""

from __future__ import annotations

import gzip
import random
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import degnext
from degnext._common.errors import InputError
from degnext.cohorts.gdc import read_star_counts
from degnext.cohorts.load import load_cohort
from degnext.cohorts.xena import read_xena
from degnext.enrichment.gene_sets import read_gmt
from degnext.labeling.disease_genes import read_gene_file

CORPUS = Path(__file__).parents[1] / "data" / "formats"
GROUPS = CORPUS / "groups" / "groups.csv"
sys.path.insert(0, str(CORPUS))
import make

TRUTH = make.truth()
QUICK = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def load(counts, groups=GROUPS, **options):
    return load_cohort("MINE", "file", counts=counts, groups=groups, **options)


def damaged(path: Path) -> st.SearchStrategy[bytes]:
    """Bytes of a good file, cut off somewhere and with some of them replaced."""
    raw = path.read_bytes()
    spoil = st.dictionaries(st.integers(0, len(raw) - 1), st.integers(0, 255), max_size=9)

    def apply(changes: dict[int, int], end: int) -> bytes:
        out = bytearray(raw)
        for at, byte in changes.items():
            out[at] = byte
        return bytes(out[:end])

    return st.builds(apply, spoil, st.sampled_from([len(raw), len(raw) // 2, len(raw) - 9]))


ANY = st.binary(max_size=300) | st.text('ab1,;\t\n" #.-N', max_size=200).map(str.encode)
STAR = CORPUS / "gdc" / "00000000-aaaa" / "0abc.rna_seq.augmented_star_gene_counts.tsv"
READERS = {  # name of the file, a good one, and how it is read
    "counts": ("c.csv", CORPUS / "plain.csv", lambda p: load(p)),
    "packed counts": ("c.csv.gz", CORPUS / "gz.csv", lambda p: load(p)),
    "parquet": ("c.parquet", CORPUS / "plain.parquet", lambda p: load(p)),
    "a workbook": ("c.xlsx", CORPUS / "workbook.xlsx", lambda p: load(p)),
    "groups": ("g.csv", GROUPS, lambda p: load(CORPUS / "plain.csv", p)),
    "map of transcripts": (
        "map.csv",
        CORPUS / "tx2gene.csv",
        lambda p: load(CORPUS / "salmon", transcripts=p),
    ),
    "a GDC folder": ("a/x.gene_counts.tsv", STAR, lambda p: load(p.parents[1], None)),
    "a GDC sample sheet": (
        "gdc_sample_sheet.tsv",
        CORPUS / "gdc" / "gdc_sample_sheet.tsv",
        lambda p: load(CORPUS / "gdc", p),
    ),
    "a GDC file": ("x.tsv", STAR, read_star_counts),
    "a packed GDC file": ("x.tsv.gz", CORPUS / "gz.csv", read_star_counts),
    "gene sets": ("s.gmt", CORPUS / "plain.tab", read_gmt),
    "genes of a disease": ("g.txt", CORPUS / "plain.tab", lambda p: read_gene_file(p, "MINE")),
    "a Xena matrix": ("x.tsv.gz", CORPUS / "gz.csv", read_xena),
}


@pytest.mark.parametrize("kind", READERS)
def test_no_bytes_give_a_traceback(kind, tmp_path_factory):
    name, good, read = READERS[kind]
    path = tmp_path_factory.mktemp("any") / name
    path.parent.mkdir(exist_ok=True)

    @settings(QUICK, max_examples=12)
    @given(ANY | damaged(good))
    def attempt(raw: bytes) -> None:
        path.write_bytes(raw)
        try:
            read(path)
        except InputError as error:
            assert str(error)

    attempt()


def test_no_bytes_give_a_traceback_as_anndata(tmp_path):
    data = pytest.importorskip("anndata").AnnData(TRUTH.T.to_numpy())
    data.obs["group"] = ["normal"] * 3 + ["tumor"] * 3
    data.write_h5ad(tmp_path / "good.h5ad")

    @settings(QUICK, max_examples=10)
    @given(ANY | damaged(tmp_path / "good.h5ad"))
    def attempt(raw: bytes) -> None:
        (tmp_path / "c.h5ad").write_bytes(raw)
        try:
            load(tmp_path / "c.h5ad", None)
        except InputError as error:
            assert str(error)

    attempt()


def written(table: pd.DataFrame, folder: Path, how: str, cut: int) -> list[Path]:
    """Write a table in one of many ways; returns the files to give."""
    first, second = folder / "a.csv", folder / "b.parquet"
    if how == "transposed":
        table.T.to_csv(first, sep="\t")
    elif how == "two files":
        table.iloc[:, :cut].to_csv(first)
        table.iloc[::-1, cut:].to_parquet(second)
        return [first, second]
    elif how == "a file per sample":
        for name in table:
            table[name].to_csv(folder / f"{name}.counts", sep="\t", header=False)
        return sorted(folder.glob("*.counts"))
    elif how == "UTF-16, decimal commas":
        first.write_bytes(table.to_csv(sep=";").encode("utf-16"))
    elif how == "packed":
        first.write_bytes(gzip.compress(table.to_csv(quoting=2).encode()))
    else:
        table.to_parquet(second)
        return [second]
    return [first]


WAYS = ("transposed", "two files", "a file per sample", "UTF-16, decimal commas", "packed", "as is")


@settings(QUICK, max_examples=20)
@given(st.randoms(use_true_random=False), st.sampled_from(WAYS), st.integers(1, 5))
def test_the_way_a_table_lies_changes_no_count(tmp_path_factory, chance, how, cut):
    rows, columns = (chance.sample(range(n), n) for n in TRUTH.shape)
    paths = written(TRUTH.iloc[rows, columns], tmp_path_factory.mktemp("way"), how, cut)
    found = load(paths).counts
    assert np.array_equal(found.loc[TRUTH.index, TRUTH.columns], TRUTH)


@pytest.fixture(scope="module")
def small() -> degnext.Cohort:
    """Fifty genes with Ensembl ids, six samples."""
    values = np.random.default_rng(1).negative_binomial(3, 0.01, (50, 6))
    values[:12, 3:] *= 6
    table = pd.DataFrame(values, TRUTH.index, TRUTH.columns)
    return degnext.Cohort(table, load(CORPUS / "plain.csv").groups)


@pytest.fixture(scope="module")
def expected(small) -> pd.DataFrame:
    return degnext.predict(small).set_index("gene")


@pytest.mark.parametrize("how", WAYS)
def test_the_way_a_table_lies_changes_no_prediction(how, small, expected, tmp_path):
    chance = random.Random(how)
    rows, columns = (chance.sample(range(n), n) for n in small.counts.shape)
    paths = written(small.counts.iloc[rows, columns], tmp_path, how, 2)
    found = degnext.predict(load(paths)).set_index("gene").loc[expected.index]
    shares = [name for name in expected if name.startswith("p_")]  # sums of 32 bits, by order
    assert np.allclose(found[shares], expected[shares], rtol=0, atol=1e-6, equal_nan=True)
    pd.testing.assert_frame_equal(found.drop(columns=shares), expected.drop(columns=shares))


@pytest.mark.parametrize("axis", ["genes", "samples"])
def test_the_order_of_a_whole_table_changes_no_prediction(axis):
    demo, chance = degnext.load_cohort("CHOL"), np.random.default_rng(0)
    rows, columns = map(np.arange, demo.counts.shape)
    chance.shuffle(rows if axis == "genes" else columns)
    one, other = (
        degnext.predict(counts, demo.groups, fdr=0.1).set_index("gene")
        for counts in (demo.counts, demo.counts.iloc[rows, columns])
    )
    other = other.loc[one.index]
    words = ["class", "call", "rule"]
    pd.testing.assert_frame_equal(other[words], one[words])
    numbers = one.select_dtypes("number").columns  # of 32 bits, some of them
    assert np.allclose(other[numbers], one[numbers], rtol=1e-6, atol=1e-5, equal_nan=True)
