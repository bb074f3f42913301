"""NotebookRun: parameters are checked by name, type and value; a run leaves a whole record."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from degnext import NotebookRun
from degnext._common.errors import InputError
from degnext.cohorts.load import load_cohort
from degnext.running.parameters import check_parameters, notebook_names, read_parameters

TYPES = {"cancer": "str", "source": "str", "seed": "int", "fdr": "float", "round_counts": "bool"}
VALUES = {"cancer": "KICH", "source": "demo", "seed": 0, "fdr": 0.01, "round_counts": False}
STEP = "01_preprocessing"


@pytest.fixture
def notebook(monkeypatch):
    """Put this test inside a notebook, after its parameters cell and papermill's have run."""

    def run(injected: str = "", types=TYPES, **values):
        cells = ["", "cancer: str = 'KICH'", injected]
        space = {"__annotations__": types, "In": cells, "other": object()} | VALUES | values
        monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=space))

    return run


def check(**changes):
    return check_parameters(TYPES, VALUES | changes)


def test_good_parameters_come_back_and_nothing_else(notebook):
    notebook(seed=7, fdr=1)
    assert read_parameters("x", {}) == VALUES | {"seed": 7, "fdr": 1} == check(seed=7, fdr=1)
    notebook(seed=7, types={k: {"int": int}.get(t, t) for k, t in TYPES.items()})
    assert read_parameters("x", {})["seed"] == 7  # annotations may be types or text


def test_outside_a_notebook_its_defaults_hold_for_what_is_not_given():
    parameters = read_parameters(STEP, {"seed": 3})
    assert parameters["seed"] == 3 and parameters["cancer"] == "KICH"
    assert parameters["outlier_cut"] == 0.6 and parameters["round_counts"] is False
    with pytest.raises(InputError, match="unknown parameter 'sed': did you mean 'seed'"):
        NotebookRun(STEP, sed=3)


def test_there_is_one_list_of_notebooks(is_helpful):
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    assert notebook_names() == sorted(p.stem for p in folder.glob("[0-9]*.ipynb"))
    with pytest.raises(InputError, match="did you mean '01_preprocessing'") as caught:
        NotebookRun("1_preprocessing", seed=1)
    assert is_helpful(str(caught.value))


@pytest.mark.parametrize(("name", "meant"), [("cancre", "cancer"), ("sed", "seed")])
def test_a_name_the_notebook_does_not_have_is_answered_with_the_nearest(
    notebook, name, meant, is_helpful
):
    notebook(f'# Parameters\nseed = 1\n{name} = "READ"\n', **{name: "READ"})
    said = f"unknown parameter '{name}': did you mean .*'{meant}'"
    with pytest.raises(InputError, match=said) as caught:
        NotebookRun("x")
    assert is_helpful(str(caught.value))


def test_only_papermills_cell_is_looked_at(notebook):
    notebook("cancre = 1\n# Parameters\n")
    assert read_parameters("x", {}) == VALUES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "1"),
        ("seed", 1.0),
        ("seed", True),
        ("seed", None),
        ("fdr", "0.1"),
        ("fdr", True),
        ("round_counts", 1),
        ("round_counts", "True"),
        ("cancer", 5),
    ],
)
def test_a_value_of_another_type_is_refused(name, value, is_helpful):
    with pytest.raises(InputError, match=f"{name} must be of type {TYPES[name]}") as caught:
        check(**{name: value})
    assert is_helpful(str(caught.value))


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("fdr", -0.5), ("fdr", float("nan"))])
def test_a_negative_number_is_refused_and_zero_is_a_seed(name, value):
    with pytest.raises(InputError, match=f"parameter {name} is .*: give 0 or more"):
        check(**{name: value})
    assert check(seed=0, fdr=0.0)["seed"] == 0


@pytest.mark.parametrize("name", ["draws", "small_draws", "image_draws", "n_folds"])
def test_a_number_of_times_is_one_or_more(name):
    with pytest.raises(InputError, match=f"parameter {name} is 0: give 1 or more"):
        check_parameters(TYPES | {name: "int"}, VALUES | {name: 0})


@pytest.mark.parametrize(
    ("name", "wrong", "meant"),
    [
        ("source", "demoo", "demo"),
        ("protocol", "papper", "paper"),
        ("train_part", "T3", "T1"),
        ("de_method", "exakt", "exact"),
        ("relu", "cnv", "conv"),
        ("device", "gpu", "auto, cpu, cuda"),
        ("network", "profil", "profile"),
    ],
)
def test_a_choice_outside_the_list_is_answered_with_the_nearest(name, wrong, meant):
    with pytest.raises(InputError, match=f"unknown {name} '{wrong}': .*{meant}"):
        check_parameters(TYPES | {name: "str"}, VALUES | {name: wrong})


def test_an_unknown_cancer_is_refused_unless_the_data_are_ones_own():
    with pytest.raises(InputError, match="did you mean 'READ'"):
        check(cancer="REED")
    assert check(cancer="MyCohort", source="file")["cancer"] == "MyCohort"
    for name in ("my cohort", "../../x", "`touch x`", "-o", ""):
        with pytest.raises(InputError, match="cannot name a folder"):
            check(cancer=name, source="file")


def test_a_run_writes_into_a_folder_of_its_own(tmp_path, monkeypatch):
    run = NotebookRun(STEP, results_dir=str(tmp_path / "r"))
    assert run.folder == tmp_path / "r" / "demo" / "KICH" / STEP and not run.folder.exists()
    monkeypatch.setenv("DEGNEXT_RESULTS", str(tmp_path / "env"))
    assert NotebookRun(STEP, seed=1).folder == tmp_path / "env" / "demo" / "KICH" / STEP
    monkeypatch.delenv("DEGNEXT_RESULTS")
    monkeypatch.chdir(tmp_path)
    root = Path(__file__).resolve().parents[2]
    assert NotebookRun(STEP, seed=1).folder == root / "results" / "demo" / "KICH" / STEP


def test_a_run_loads_with_its_parameters(tmp_path):
    loaded = NotebookRun(STEP, cancer="CHOL", seed=3).cohort("raw")
    assert loaded.counts.equals(load_cohort("CHOL", "demo", seed=3).counts)
    cohort = load_cohort("CHOL", "demo")
    cohort.counts.iloc[:50].to_csv(tmp_path / "c.csv")
    cohort.groups.to_csv(tmp_path / "g.csv")
    own = {"counts_path": str(tmp_path / "c.csv"), "groups_path": str(tmp_path / "g.csv")}
    run = NotebookRun(STEP, source="file", cancer="MINE", **own)
    assert run.cohort().counts.shape == (50, 40)
    with pytest.raises(InputError, match="unknown state 'label': did you mean 'labeled'"):
        run.cohort("label")


def test_the_record_says_what_ran_on_what(tmp_path):
    with NotebookRun(STEP, cancer="CHOL", results_dir=str(tmp_path), seed=4) as run:
        cohort = run.cohort("raw")
        run.note(best=pd.Series([1, 2]).max(), share=0.5)
    assert [p.name for p in run.folder.iterdir()] == ["run.json"]
    record = json.loads((run.folder / "run.json").read_text())
    assert record["step"] == STEP and record["parameters"]["seed"] == 4
    assert (record["best"], record["share"]) == (2, 0.5)
    about = record["cohort"]
    assert about["genes"] == len(cohort.counts) and about["n_normal"] == 9
    assert about["notes"] == list(cohort.notes)
    assert 50 < record["peak_memory_mb"] < 50_000  # Windows has no such record
    assert record["wall_seconds"] > 0 and {"python", "numpy", "torch"} <= set(record["versions"])


def test_durations_are_in_the_record_and_never_in_a_table(tmp_path):
    table = pd.DataFrame({"mcc": [0.5], "train_seconds": [1.25]})
    with NotebookRun(STEP, results_dir=str(tmp_path)) as run:
        assert run.save(table, "scores").read_text() == "mcc\n0.5\n"
    assert json.loads((run.folder / "run.json").read_text())["train_seconds"] == [1.25]


def test_a_run_that_broke_off_leaves_no_record(tmp_path):
    with pytest.raises(ZeroDivisionError), NotebookRun(STEP, results_dir=str(tmp_path)) as run:
        raise ZeroDivisionError
    assert not (run.folder / "run.json").exists()


def test_the_checksum_follows_the_counts(tmp_path):
    def digest(seed):
        run = NotebookRun(STEP, cancer="CHOL", results_dir=str(tmp_path), seed=seed)
        run.cohort("raw")
        return json.loads(run.finish().read_text())["cohort"]["sha256"]

    assert digest(0) == digest(0) != digest(1)


def test_tables_are_written_whole(tmp_path, monkeypatch):
    run = NotebookRun(STEP, results_dir=str(tmp_path))
    table = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="gene"))
    path = run.save(table, "t")
    pd.testing.assert_frame_equal(pd.read_csv(path, index_col="gene"), table)
    for rows in (table.reset_index(drop=True), table.set_axis([5, 3])):
        assert run.save(rows, "u").read_text() == "a\n1\n2\n"  # row numbers mean nothing

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("degnext._common.files.os.replace", broken)
    with pytest.raises(KeyboardInterrupt):
        run.save(table * 9, "t")
    assert sorted(p.name for p in run.folder.iterdir()) == ["t.csv", "u.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(path, index_col="gene"), table)


def test_tables_of_all_cohorts_are_those_of_todays_code(tmp_path, capsys, is_helpful):
    run = NotebookRun("10_across_cancers", results_dir=str(tmp_path))
    assert run.across("02_labeling", "genes").empty
    with pytest.raises(InputError, match="degnext run --cancers all") as caught:
        run.across("02_labeling", "genes", at_least=1)
    assert is_helpful(str(caught.value))
    for cancer in ("CHOL", "READ"):
        chapter = NotebookRun("02_labeling", cancer=cancer, results_dir=str(tmp_path))
        chapter.save(pd.DataFrame({"gene": [cancer + "1"], "label": ["UR"]}), "genes")
        chapter.finish()
    record = tmp_path / "demo" / "READ" / "02_labeling" / "run.json"
    assert list(run.across("02_labeling", "genes", at_least=2)["cancer"]) == ["CHOL", "READ"]
    record.write_text(json.dumps(json.loads(record.read_text()) | {"code": "of old"}))
    assert list(run.across("02_labeling", "genes")["cancer"]) == ["CHOL"]
    assert "02_labeling of READ was run by other code" in capsys.readouterr().out
