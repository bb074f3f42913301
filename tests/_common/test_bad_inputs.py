"""Bad input through the public doors: one sentence with the cure, a non-zero exit, no file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import degnext
from degnext._common.errors import InputError
from degnext.running.parameters import check_parameters

BARCODES = [f"TCGA-AB-{i:04d}-{'11' if i < 3 else '01'}A" for i in range(6)]
SAMPLES = ["n1", "n2", "n3", "t1", "t2", "t3"]


def table(names: list[str] = SAMPLES) -> pd.DataFrame:
    """A good table, 30 genes × 6 samples; each case spoils a copy."""
    values = np.random.default_rng(0).integers(1, 400, (30, 6))
    return pd.DataFrame(
        values, index=pd.Index([f"GENE{i}" for i in range(30)], name="gene"), columns=names
    )


def groups() -> pd.DataFrame:
    return pd.DataFrame(
        {"group": ["normal"] * 3 + ["tumor"] * 3}, index=pd.Index(SAMPLES, name="sample")
    )


def spoiled(value: object) -> pd.DataFrame:
    counts = table().astype(object)
    counts.iloc[4, 2] = value
    return counts


def doubled_header() -> str:
    return table().to_csv().replace("gene,n1,n2", "gene,n1,n1")


def of_group(*names: str) -> pd.DataFrame:
    return groups().assign(group=list(names))


# name: (counts as a table or as text, groups as a table or None, what is said)
FILES = {
    "negative": (spoiled(-3), groups(), "negative: pass raw counts"),
    "fractional": (
        spoiled(2.5),
        groups(),
        "fractional: pass the unnormalised table, or round expected",
    ),
    "a gap": (spoiled(None), groups(), "missing (NaN): fill them"),
    "infinite": (spoiled("inf"), groups(), "infinite: pass raw counts"),
    "text": (spoiled("many"), groups(), "'n3' holds text"),
    "duplicate genes": (
        pd.concat([table(), table().iloc[:2]]),
        groups(),
        "2 gene name(s) occur more than once, e.g. 'GENE0' (blanks",
    ),
    "duplicate samples": (doubled_header(), groups(), "'n1' occurs more than once: rename or drop"),
    "all-zero sample": (table().assign(t2=0), groups(), "sample 't2' has no reads at all: drop it"),
    "one normal sample": (table()[["n1", "t1", "t2", "t3"]], groups(), "'normal' has 1 sample(s)"),
    "no tumor sample": (table()[["n1", "n2", "n3"]], groups(), "'tumor' has 0 sample(s)"),
    "unknown group": (
        table(),
        of_group("normal", "normal", "normal", "tumor", "who knows", "tumor"),
        "unknown group 'who knows' of sample",
    ),
    "an empty group": (
        table(),
        of_group("normal", "normal", "normal", "tumor", "", "tumor"),
        "unknown group",
    ),
    "empty file": ("", groups(), "counts.csv is empty"),
    "header only": (table().iloc[:0], groups(), "the counts table is empty: it needs"),
    "blank lines only": ("\n\n\n", groups(), "counts.csv cannot be read"),
    "one column": (table().to_csv(sep="|"), groups(), "only one column: separate"),
    "unequal rows": (
        table().to_csv() + "GENE99,1,2,3,4,5,6,7,8\n",
        groups(),
        "counts.csv cannot be read as a table",
    ),
    "no text": (
        b"\x89PNG\r\n\x1a\n\x00\xff\xfe\xfd",
        groups(),
        "counts.csv cannot be read as a table",
    ),
    "sample without group": (
        table(),
        groups().drop(index="t2"),
        "1 sample(s) of the counts have no group, e.g. 't2': add",
    ),
    "sample grouped twice": (
        table(),
        pd.concat([groups(), groups().iloc[3:4].assign(group="normal")]),
        "names sample 't1' more than once: keep one",
    ),
    "no barcodes and no groups": (table(), None, "pass groups, a table"),
    "one name no barcode": (table([*BARCODES[:5], "mine"]), None, "'mine' is no TCGA barcode"),
    "groups without their column": (
        table(),
        groups().replace({"group": {"normal": "a", "tumor": "b"}}).assign(age=5, group=9),
        "unknown group '9' of sample 'n1': name every",
    ),
    "empty groups": (table(), "", "groups.csv is empty"),
    "a gene without a name": (
        table().rename(index={"GENE3": ""}),
        groups(),
        "a gene has no name: give",
    ),
    "barcodes of one tissue": (
        table([f"TCGA-AB-{i:04d}-01A" for i in range(6)]),
        None,
        "'normal' has 0 sample(s)",
    ),
}


def write(content: pd.DataFrame | str | bytes, path: Path) -> Path:
    if isinstance(content, pd.DataFrame):
        content = content.to_csv()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("case", FILES)
def test_a_table_that_cannot_be_used_stops_the_command(case, tmp_path, run_cli, is_helpful):
    content, told, said = FILES[case]
    arguments = ["--counts", write(content, tmp_path / "counts.csv")]
    if told is not None:
        arguments += ["--groups", write(told, tmp_path / "groups.csv")]
    done = run_cli("simulate", "MINE", *arguments, "--out", tmp_path / "out")
    assert done.code == 2 and done.out == "" and done.err.startswith("degnext: ")
    assert is_helpful(done.err) and said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", FILES)
def test_python_gets_the_same_sentence(case, tmp_path, is_helpful):
    content, told, said = FILES[case]
    counts = write(content, tmp_path / "counts.csv")
    paths = {"counts": counts} | (
        {} if told is None else {"groups": write(told, tmp_path / "groups.csv")}
    )
    with pytest.raises(InputError) as caught:
        degnext.load_cohort("MINE", "file", **paths)
    assert is_helpful(str(caught.value)) and said in str(caught.value)


def test_the_unspoiled_tables_pass(tmp_path, run_cli):
    paths = write(table(), tmp_path / "counts.csv"), write(groups(), tmp_path / "groups.csv")
    assert degnext.load_cohort("MINE", "file", counts=paths[0], groups=paths[1]).n_tumor == 3
    write(table(BARCODES), paths[0])
    assert run_cli("simulate", "MINE", "--counts", paths[0], "--out", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "counts.csv.gz").exists()


COMMANDS = {
    "missing counts": (
        ["simulate", "MINE", "--counts", "nowhere.csv", "--out", "out"],
        "no file 'nowhere.csv': check the path",
    ),
    "missing groups": (
        ["simulate", "MINE", "--counts", "good.csv", "--groups", "nowhere.csv", "--out", "out"],
        "no file 'nowhere.csv'",
    ),
    "a folder without tables": (
        ["simulate", "MINE", "--counts", "empty", "--out", "out"],
        "the folder 'empty' holds no tables of counts: name the files",
    ),
    "a pattern without files": (
        ["simulate", "MINE", "--counts", "*.sf", "--out", "out"],
        "no file fits the pattern '*.sf': check it",
    ),
    "no counts named": (["simulate", "MINE", "--out", "out"], "source 'file' needs counts"),
    "a workbook": (
        ["simulate", "MINE", "--counts", "good.xlsx", "--out", "out"],
        "it is an archive, and no workbook that can be read): save it as CSV",
    ),
    "counts beside the demo": (
        ["simulate", "KICH", "--source", "demo", "--counts", "good.csv", "--out", "out"],
        "belong to source 'file', not 'demo': set source='file'",
    ),
    "folder not empty": (
        ["simulate", "MINE", "--counts", "good.csv", "--groups", "g.csv", "--out", "full"],
        "is not empty: name a new one",
    ),
    "folder is a file": (
        ["simulate", "MINE", "--counts", "good.csv", "--groups", "g.csv", "--out", "good.csv"],
        "is a file: name a new folder",
    ),
    "name is a path": (
        ["simulate", "../MINE", "--counts", "good.csv", "--groups", "g.csv", "--out", "out"],
        "cannot name a folder",
    ),
    "negative seed": (
        ["simulate", "KICH", "--source", "demo", "--seed", "-1", "--out", "out"],
        "must not be negative",
    ),
    "no twin of it": (
        ["simulate", "BRCA", "--source", "demo", "--out", "out"],
        "no demo cohort for BRCA",
    ),
    "unknown cancer": (["run", "REED", "--out", "out"], "did you mean 'READ'"),
    "unknown cancer to fetch": (["fetch", "KITCH", "--cache-dir", "out"], "did you mean 'KICH'"),
    "unknown source": (
        ["run", "KICH", "--source", "demmo", "--out", "out"],
        "unknown value 'demmo': did you mean 'demo'",
    ),
    "source not to fetch": (
        ["fetch", "KICH", "--source", "demo", "--cache-dir", "out"],
        "choose one of: published, gdc, xena",
    ),
    "unknown step": (["run", "KICH", "--steps", "1,99", "--out", "out"], "unknown step '99'"),
    "empty step": (["run", "KICH", "--steps", "", "--out", "out"], "unknown step ''"),
    "counts that link to themselves": (
        ["predict", "loop.csv", "--tumor", "T*", "--out", "out.csv"],
        "no file 'loop.csv': check the path",
    ),
    "a table that links to itself": (
        ["predict", "good.csv", "--groups", "g.csv", "--out", "loop/out.csv"],
        "loop: name a file in a folder of your own",
    ),
    "a name too long": (
        ["predict", "good.csv", "--groups", "g.csv", "--out", f"{'x' * 250}.csv"],
        "is too long: use at most 200 bytes",
    ),
    "Parquet of two levels": (
        ["predict", "levels.parquet", "--groups", "g.csv", "--out", "out.csv"],
        "has an index of several levels: keep one, of genes",
    ),
    "run on a path": (
        ["run", "../../x", "--source", "file", "--out", "out"],
        "cannot name a folder",
    ),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_that_cannot_be_done_stops(case, tmp_path, monkeypatch, run_cli, is_helpful):
    monkeypatch.chdir(tmp_path)
    write(table(), tmp_path / "good.csv")
    write(b"PK\x03\x04\x14", tmp_path / "good.xlsx")
    for name in ("loop", "loop.csv"):
        (tmp_path / name).symlink_to(tmp_path / name)
    pd.concat({"a": table()}).to_parquet(tmp_path / "levels.parquet")
    (tmp_path / "empty").mkdir()
    write(groups(), tmp_path / "g.csv")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("kept")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    arguments, said = COMMANDS[case]
    done = run_cli(*arguments)
    assert done.code == 2 and done.out == "" and is_helpful(done.err) and said in done.err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert not (tmp_path / "out").exists()


PARAMETERS = {
    "unknown name": (dict(injected="cancre"), "unknown parameter 'cancre': did you mean 'cancer'"),
    "wrong type": (dict(seed="one"), "parameter seed must be of type int, not 'one': pass it as"),
    "truth for a number": (dict(seed=True), "must be of type int"),
    "fraction for a whole number": (dict(seed=0.5), "must be of type int"),
    "no word for true": (dict(round_counts="yes"), "not 'yes': give True or False"),
    "no draws": (dict(draws=0), "parameter draws is 0: give 1 or more"),
    "no small draws": (dict(small_draws=0), "small_draws is 0: give 1 or more"),
    "no folds": (dict(n_folds=0), "n_folds is 0: give 1 or more"),
    "more folds than there are": (dict(n_folds=99), "n_folds is 99: give 5 or less"),
    "negative": (dict(fdr=-0.1), "parameter fdr is -0.1: give 0 or more"),
    "unknown cancer": (dict(cancer="REED"), "did you mean 'READ'"),
    "unknown source": (dict(source="tcga"), "unknown source 'tcga': "),
    "unknown protocol": (dict(protocol="corect"), "did you mean 'corrected'"),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_parameter_that_makes_no_sense_stops_a_notebook(case, is_helpful):
    changes, said = PARAMETERS[case]
    values = {"cancer": "KICH", "source": "demo", "seed": 0, "fdr": 0.01, "protocol": "paper"}
    values |= {"round_counts": False, "draws": 3, "small_draws": 3, "n_folds": 5}
    given = {k: v for k, v in changes.items() if k != "injected"}
    if "injected" in changes:
        given[changes["injected"]] = 1
    with pytest.raises(InputError) as caught:
        check_parameters({k: type(v).__name__ for k, v in values.items()}, values | given)
    assert is_helpful(str(caught.value)) and said in str(caught.value)


def published(folder: Path, skip: str = "", text: str | None = None) -> Path:
    """A folder as the authors', CHOL's parts of three genes; one may be left out or spoiled."""
    for stem in ("non_bio_train", "non_bio_test", "bio_fine_tune", "bio_test"):
        if stem != skip or text is not None:
            row = ",".join(["7"] * 45) + "\n"
            (folder / f"TCGA-CHOL_{stem}.csv").write_text(text if stem == skip else row * 3)
            (folder / f"TCGA-CHOL_{stem}_label.txt").write_text("0\n1\n0\n")
    return folder


OTHERS = {
    "missing T1": (
        lambda d: degnext.load_cohort("CHOL", "published", data_dir=published(d, "non_bio_train")),
        "has no part T1",
        "train_part='T2' trains on T2",
    ),
    "corrupted part": (
        lambda d: degnext.load_cohort(
            "CHOL", "published", data_dir=published(d, "bio_test", "<html>")
        ),
        "TCGA-CHOL_bio_test.csv",
        "fetch both again",
    ),
    "part cut short": (
        lambda d: degnext.load_cohort(
            "CHOL", "published", data_dir=published(d, "bio_test", "1,2\n")
        ),
        "has 2 columns",
        "fetch both files again",
    ),
    "no such data folder": (
        lambda d: degnext.load_cohort("CHOL", "published", data_dir=d / "none"),
        "does not exist",
        "pass the folder",
    ),
    "cohort not in the folder": (
        lambda d: degnext.load_cohort("READ", "published", data_dir=published(d)),
        "READ has no part",
        "fetch it with",
    ),
    "a part nobody trains on": (
        lambda d: degnext.load_cohort("CHOL", "published", data_dir=published(d), train_part="T3"),
        "unknown train_part 'T3'",
        "T1",
    ),
    "counts beside the demo": (
        lambda d: degnext.load_cohort("KICH", "demo", counts="c.csv"),
        "not 'demo'",
        "set source='file'",
    ),
    "unknown source": (
        lambda d: degnext.load_cohort("KICH", "publised"),
        "unknown source",
        "did you mean 'published'",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_data_that_are_not_there_or_not_whole_are_named(case, tmp_path, is_helpful):
    call, fault, cure = OTHERS[case]
    with pytest.raises(InputError) as caught:
        call(tmp_path)
    message = str(caught.value)
    assert is_helpful(message) and fault in message and cure in message


def test_a_data_folder_that_is_none_is_named(run_cli, monkeypatch, tmp_path, is_helpful):
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path / "none"))
    done = run_cli("info")
    assert (
        done.code == 2
        and done.out == ""
        and is_helpful(done.err)
        and "point it at the data folder or unset it" in done.err
    )
