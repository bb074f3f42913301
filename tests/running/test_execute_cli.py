"""degnext.cli and degnext.running.execution: what they write when all is well, and when not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from degnext import __version__
from degnext._common.errors import InputError
from degnext.cohorts.demo import load_parameters
from degnext.running import execution as execute
from degnext.running import parameters
from degnext.running.execution import run_notebook
from degnext.running.parameters import from_text, notebook_path


@pytest.fixture
def files(cohort, tmp_path):
    cohort.counts.to_csv(tmp_path / "counts.csv")
    cohort.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    return "--counts", tmp_path / "counts.csv", "--groups", tmp_path / "groups.csv"


def test_info_shows_every_cancer_and_where_data_lie(run_cli, tmp_path):
    done = run_cli("info")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    assert sum(line[:4] in ("KICH", "READ", "BRCA") for line in lines) == 3 and len(lines) >= 18
    assert (
        "not set" in done.out
        and str(tmp_path / "default-cache") in done.out
        and str(tmp_path / "default-results") in done.out
    )
    assert not (tmp_path / "default-results").exists()


def test_info_names_published_parts_at_hand(run_cli, monkeypatch, tmp_path):
    (tmp_path / "published").mkdir()
    for end in (".csv", "_label.txt"):
        (tmp_path / "published" / f"TCGA-BRCA_bio_test{end}").write_text("1\n")
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path))
    line = next(line for line in run_cli("info").out.splitlines() if line.startswith("BRCA"))
    assert line.split()[-1] == "T3"


def test_no_command_prints_help_and_version_prints_itself(run_cli):
    assert run_cli().code == 0 and "simulate" in run_cli().out
    assert run_cli("--version").out.strip() == f"degnext {__version__}"
    wrong = run_cli("runn", "KICH")
    assert wrong.code == 2 and "did you mean" in wrong.err and len(wrong.err.splitlines()) == 1


def test_the_command_line_knows_every_source():
    from degnext.cli import main as cli
    from degnext.cohorts.load import SOURCES

    assert sorted(cli.SOURCES) == sorted(SOURCES)


def test_simulate_writes_a_twin_that_loads_again(run_cli, files, cohort, tmp_path):
    out = tmp_path / "twin"
    done = run_cli("simulate", "MINE", *files, "--out", out, "--seed", 5)
    assert done.code == 0 and done.err == "" and "80 genes × 6 normal + 9 tumor" in done.out
    assert sorted(p.name for p in out.iterdir()) == [
        "MINE.csv.gz",
        "MINE.json",
        "counts.csv.gz",
        "groups.csv",
    ]
    from degnext.cohorts.user_tables import load_file

    twin = load_file(out / "counts.csv.gz", out / "groups.csv")
    assert twin.counts.index.tolist() == cohort.counts.index.tolist() and not set(
        twin.counts.columns
    ) & set(cohort.counts.columns)
    assert (
        np.corrcoef(np.log1p(twin.counts.sum(axis=1)), np.log1p(cohort.counts.sum(axis=1)))[0, 1]
        > 0.8
    )
    assert load_parameters("MINE", out)[1]["tumor"]["n"] == 9
    again = tmp_path / "again"
    run_cli("simulate", "MINE", *files, "--out", again, "--seed", 5)
    assert pd.read_csv(again / "counts.csv.gz").equals(pd.read_csv(out / "counts.csv.gz"))


def test_simulate_overwrites_nothing(run_cli, files, tmp_path, is_helpful):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for name in ("old", "file"):
        done = run_cli("simulate", "MINE", *files, "--out", tmp_path / name)
        assert done.code == 2 and is_helpful(done.err)
    assert [p.name for p in (tmp_path / "old").iterdir()] == ["mine.txt"] and (
        tmp_path / "file"
    ).read_text() == "keep"


def test_fetch_passes_the_cache_folder_on(run_cli, monkeypatch, tmp_path):
    from degnext.cohorts import gdc, published, xena

    asked = []
    counts = pd.DataFrame({"a": [1]})

    def remote(*arguments):
        asked.append(arguments)
        return counts, None, {"n_normal": 3, "n_tumor": 4, "notes": ["careful"]}

    monkeypatch.setattr(
        published,
        "fetch_published",
        lambda cancer, cache_dir=None: asked.append((cancer, cache_dir)) or tmp_path,
    )
    monkeypatch.setattr(gdc, "load_gdc", remote)
    monkeypatch.setattr(xena, "load_xena", remote)
    assert str(tmp_path) in run_cli("fetch", "KICH", "--cache-dir", tmp_path / "c").out
    got = run_cli("fetch", "READ", "--source", "gdc")
    assert got.code == 0 and "1 genes, 3 normal and 4 tumor" in got.out and "- careful" in got.out
    run_cli("fetch", "READ", "--source", "xena", "--workflow", "htseq")
    assert asked == [("KICH", tmp_path / "c"), ("READ", None), ("READ", "htseq", None)]


def test_run_takes_steps_parameters_and_folder(run_cli, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(execute, "run_notebook", lambda *a: asked.append(a) or Path("done.ipynb"))
    done = run_cli(
        "run", "KICH", "--steps", "3, 1", "-p", "seed", 4, "-p", "epochs", 5, "--out", tmp_path
    )
    assert done.code == 0 and "03_general_learning on KICH (demo)" in done.out
    given = {"03_general_learning": {"seed": 4, "epochs": 5}, "01_preprocessing": {"seed": 4}}
    assert asked == [
        (name, "KICH", "demo", own, tmp_path) for name, own in given.items()
    ]  # each gets what it has
    asked.clear()
    for name, value in (("fdr", 0.05), ("cancer", "READ"), ("source", "gdc"), ("seed", "one")):
        assert run_cli("run", "KICH", "--steps", "1", "-p", name, value).code == 2 and not asked
    asked.clear()
    run_cli("run", "KICH")
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    assert [a[0] for a in asked] == sorted(
        p.stem for p in folder.glob("[0-9]*.ipynb")
    )  # every one, in order


@pytest.mark.parametrize(
    "line, said",
    [
        ("--cancers KICH --cores 0", "--cores is 0"),
        ("KICH --profile slurm", "belongs to --cancers"),
        ("MINE --source file", "add -p counts_path"),
        ("MINE --source file --steps 1 -p groups_path groups.csv", "add -p counts_path"),
    ],
)
def test_slips_of_run_are_named_before_a_notebook_starts(
    line, said, run_cli, monkeypatch, tmp_path, is_helpful
):
    monkeypatch.chdir(tmp_path)
    Path("groups.csv").write_text("sample,group\n")
    monkeypatch.setattr(execute, "run_notebook", lambda *_: pytest.fail("it started"))
    done = run_cli("run", *line.split())
    assert done.code == 2 and said in done.err and is_helpful(done.err)


def test_an_interrupt_ends_with_130_and_no_traceback(run_cli, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "run_notebook", stop)
    done = run_cli("run", "KICH", "--steps", "1")
    assert (
        done.code == 130 and "what is complete is kept" in done.err and "Traceback" not in done.err
    )


def test_a_bug_is_not_passed_off_as_bad_input(run_cli, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(execute, "run_notebook", bug)
    with pytest.raises(ZeroDivisionError):
        run_cli("run", "KICH", "--steps", "1")


def test_the_package_imports_without_its_heavy_parts():
    heavy = ("torch", "sklearn", "pandas", "matplotlib", "gseapy")
    code = f"import sys, degnext, degnext.cli.main; print([m for m in {heavy} if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_notebooks_are_found_by_name_and_others_are_not(is_helpful):
    assert notebook_path("01_preprocessing").name == "01_preprocessing.ipynb"
    with pytest.raises(InputError, match="no notebook '99_none'") as caught:
        notebook_path("99_none")
    assert is_helpful(str(caught.value))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "3", 3),
        ("float", "0.5", 0.5),
        ("float", "1", 1.0),
        ("bool", "True", True),
        ("bool", "false", False),
        ("str", "READ", "READ"),
        ("str", "1", "1"),
        ("int", 7, 7),
        ("str", "", ""),
        ("int", "1.5", "1.5"),  # left for the check of types
        ("bool", "yes", "yes"),
    ],
)
def test_values_from_a_command_line_get_their_type(kind, text, value):
    got = from_text("x", kind, text)
    assert got == value and type(got) is type(value)


def test_names_of_files_become_absolute(tmp_path, monkeypatch):
    """A notebook works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", "genes.txt", "map.tsv"):
        (tmp_path / name).touch()
    both = f"{tmp_path / 'a.csv'},{tmp_path / 'b.csv'}"
    assert from_text("counts_path", "str", "a.csv, b.csv") == both
    assert from_text("bio_source", "str", "genes.txt") == str(tmp_path / "genes.txt")
    assert from_text("bio_source", "str", "cancermine") == "cancermine"
    assert from_text("data_dir", "str", ".") == str(tmp_path)
    assert from_text("transcripts", "str", "map.tsv") == str(tmp_path / "map.tsv")
    for name, value in (("groups_path", "g.csv"), ("gene_sets", "none.gmt")):
        with pytest.raises(InputError, match=f"no file '{value}'"):
            from_text(name, "str", value)


CODE = """
import pathlib
from degnext._common.paths import results_dir as where
from degnext.running.parameters import read_parameters
read_parameters("tiny", {})
if seed == 2:
    1 / 0
pathlib.Path("seen.txt").write_text(f"{cancer} {source} {seed} {where()}")
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A notebook that checks its parameters, crashes for seed 2 and else writes them."""
    cells = [
        nbformat.v4.new_code_cell(
            'cancer: str = "A"\nsource: str = "b"\nseed: int = 0\nresults_dir: str = ""',
            metadata={"tags": ["parameters"]},
        )
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[*cells, nbformat.v4.new_code_cell(CODE)],
        metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
    )
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    for module in (execute, parameters):
        monkeypatch.setattr(module, "notebook_path", lambda name: tmp_path / "tiny.ipynb")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    return tmp_path


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_notebook_lands_whole_or_says_why_not(tiny, run_cli, is_helpful):
    results = tiny / "out"
    refused = run_cli("run", "KICH", "--steps", "1", "-p", "sed", "1", "--out", results)
    assert (
        refused.code == 2
        and is_helpful(refused.err)
        and refused.err.startswith("degnext: unknown parameter 'sed': did you mean 'seed'")
    )
    assert not results.exists()
    done = run_notebook("tiny", "KICH", "demo", {"seed": "0"}, results)
    assert done == results / "demo" / "KICH" / "tiny" / "tiny.ipynb"
    assert (done.parent / "seen.txt").read_text() == f"KICH demo 0 {results}"
    assert os.environ["DEGNEXT_RESULTS"] == str(tiny / "default-results")
    before = done.read_bytes()
    assert sorted(p.name for p in done.parent.glob("[!.]*")) == ["seen.txt", "tiny.ipynb"]
    with pytest.raises(Exception, match="ZeroDivisionError"):
        run_notebook("tiny", "KICH", "demo", {"seed": "2"}, results)
    assert (
        sorted(p.name for p in done.parent.glob("[!.]*"))
        == ["seen.txt", "tiny.failed.ipynb", "tiny.ipynb"]
        and done.read_bytes() == before
    )
    assert json.loads(before)["cells"][1]["metadata"]["tags"] == ["injected-parameters"]
