"""degnext.running.notebook_run: parameters are checked by name, type and value, and a step leaves a whole record of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.load import load_cohort
from degnext.running.notebook_run import Step
from degnext.running.parameters import check_parameters

TYPES = {
    "cancer": str,
    "source": str,
    "seed": int,
    "fdr": float,
    "round_counts": bool,
    "results_dir": str,
}
VALUES = {
    "cancer": "KICH",
    "source": "demo",
    "seed": 0,
    "fdr": 0.01,
    "round_counts": False,
    "results_dir": "",
}


def notebook(injected: str = "", **changes) -> dict:
    """The globals of a notebook after its parameters cell and papermill's ran."""
    return (
        {
            "__annotations__": dict(TYPES),
            "In": ["", "cancer: str = 'KICH'", injected],
            "other": object(),
        }
        | VALUES
        | changes
    )


def test_good_parameters_come_back_and_nothing_else():
    assert check_parameters(notebook(seed=7, fdr=1)) == VALUES | {"seed": 7, "fdr": 1}


def test_annotations_may_be_text():
    with pytest.raises(InputError, match="parameter seed must be of type int"):
        check_parameters(
            notebook(seed="7") | {"__annotations__": {k: t.__name__ for k, t in TYPES.items()}}
        )


@pytest.mark.parametrize(
    ("name", "meant"), [("cancre", "cancer"), ("sed", "seed"), ("results", "results_dir")]
)
def test_a_name_the_notebook_does_not_have_is_answered_with_the_nearest(name, meant, is_helpful):
    with pytest.raises(
        InputError, match=f"unknown parameter '{name}': did you mean .*'{meant}'"
    ) as caught:
        check_parameters(notebook(f'# Parameters\nseed = 1\n{name} = "READ"\n', **{name: "READ"}))
    assert is_helpful(str(caught.value))


def test_only_papermills_cell_is_looked_at():
    assert check_parameters(notebook("cancre = 1\n# Parameters\n"))["cancer"] == "KICH"
    assert check_parameters(notebook("# Parameters\nseed = 0\n")) == VALUES


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
    with pytest.raises(
        InputError, match=f"parameter {name} must be of type {TYPES[name].__name__}"
    ) as caught:
        check_parameters(notebook(**{name: value}))
    assert is_helpful(str(caught.value))


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("fdr", -0.5)])
def test_a_negative_number_is_refused_and_zero_is_a_seed(name, value):
    with pytest.raises(InputError, match=f"parameter {name} must not be negative"):
        check_parameters(notebook(**{name: value}))
    assert check_parameters(notebook(seed=0, fdr=0.0))["seed"] == 0


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
    space = notebook(**{name: wrong})
    space["__annotations__"][name] = str
    with pytest.raises(InputError, match=f"unknown {name} '{wrong}': .*{meant}"):
        check_parameters(space)


def test_an_unknown_cancer_is_refused_unless_the_data_are_ones_own():
    with pytest.raises(InputError, match="did you mean 'READ'"):
        check_parameters(notebook(cancer="REED"))
    assert check_parameters(notebook(cancer="MyCohort", source="file"))["cancer"] == "MyCohort"


def test_a_step_writes_into_a_folder_of_its_own(tmp_path, monkeypatch):
    step = Step("02_labeling", notebook(results_dir=str(tmp_path / "r")))
    assert (
        step.folder == tmp_path / "r" / "demo" / "KICH" / "02_labeling" and not step.folder.exists()
    )
    assert step.sibling("01_preprocessing") == tmp_path / "r" / "demo" / "KICH" / "01_preprocessing"
    monkeypatch.setenv("DEGNEXT_RESULTS", str(tmp_path / "env"))
    assert Step("x", notebook()).folder == tmp_path / "env" / "demo" / "KICH" / "x"
    monkeypatch.delenv("DEGNEXT_RESULTS")
    monkeypatch.chdir(tmp_path)
    assert (
        Step("x", notebook()).folder
        == Path(__file__).resolve().parents[2] / "results" / "demo" / "KICH" / "x"
    )


def test_a_step_loads_with_its_parameters(tmp_path):
    assert (
        Step("x", notebook(cancer="CHOL", seed=3))
        .load()
        .counts.equals(load_cohort("CHOL", "demo", seed=3).counts)
    )
    cohort = load_cohort("CHOL", "demo")
    cohort.counts.iloc[:50].to_csv(tmp_path / "c.csv")
    cohort.groups.to_csv(tmp_path / "g.csv")
    space = notebook(
        source="file",
        cancer="MINE",
        counts_path=str(tmp_path / "c.csv"),
        groups_path=str(tmp_path / "g.csv"),
        data_dir="",
    )
    space["__annotations__"] |= {"counts_path": str, "groups_path": str, "data_dir": str}
    assert Step("x", space).load().counts.shape == (50, 40)


def test_filtered_counts_of_the_first_notebook_are_taken_up(tmp_path, capsys):
    step = Step("02_labeling", notebook(cancer="CHOL", results_dir=str(tmp_path)))
    made = step.load_filtered()
    assert (
        "making them with its default settings" in capsys.readouterr().out
        and 0 < len(made.counts) < 3000
    )
    folder = step.sibling("01_preprocessing")
    folder.mkdir(parents=True)
    made.counts.iloc[:77, 3:].to_parquet(folder / "counts.parquet")
    taken = step.load_filtered()
    pd.testing.assert_frame_equal(taken.counts, made.counts.iloc[:77, 3:])
    assert taken.n_normal == 6 and capsys.readouterr().out == ""


def test_labels_of_the_second_notebook_are_taken_up(tmp_path, make_labeled, capsys):
    from degnext.labeling.calls import save_labeled

    step = Step("03_general_learning", notebook(cancer="CHOL", results_dir=str(tmp_path)))
    labeled = make_labeled()
    save_labeled(labeled, step.sibling("02_labeling") / "labeled")
    pd.testing.assert_frame_equal(
        step.load_labeled().genes, labeled.genes, check_dtype=False, check_names=False
    )
    assert capsys.readouterr().out == ""


def test_the_record_says_what_ran_on_what(tmp_path):
    step = Step("x", notebook(cancer="CHOL", results_dir=str(tmp_path), seed=4))
    cohort = step.load()
    step.note(best=pd.Series([1, 2]).max(), share=0.5)
    path = step.finish()
    record = json.loads(path.read_text())
    assert path == step.folder / "run.json" and [p.name for p in step.folder.iterdir()] == [
        "run.json"
    ]
    assert (
        record["step"] == "x"
        and record["parameters"]["seed"] == 4
        and (record["best"], record["share"]) == (2, 0.5)
    )
    assert (
        record["cohort"]["genes"] == len(cohort.counts)
        and record["cohort"]["n_normal"] == 9
        and record["cohort"]["notes"] == list(cohort.notes)
    )
    assert record["wall_seconds"] > 0 and {"python", "numpy", "torch"} <= set(record["versions"])


def test_the_checksum_follows_the_counts(tmp_path):
    def digest(seed):
        step = Step("x", notebook(cancer="CHOL", results_dir=str(tmp_path), seed=seed))
        step.load()
        return json.loads(step.finish().read_text())["cohort"]["sha256"]

    assert digest(0) == digest(0) != digest(1)


def test_tables_are_written_whole(tmp_path, monkeypatch):
    step = Step("x", notebook(results_dir=str(tmp_path)))
    table = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="gene"))
    path = step.save_table(table, "t")
    pd.testing.assert_frame_equal(pd.read_csv(path, index_col="gene"), table)
    assert step.save_table(table, "u", index=False).read_text() == "a\n1\n2\n"

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("degnext._common.files.os.replace", broken)
    with pytest.raises(KeyboardInterrupt):
        step.save_table(table * 9, "t")
    assert sorted(p.name for p in step.folder.iterdir()) == ["t.csv", "u.csv"]
    pd.testing.assert_frame_equal(pd.read_csv(path, index_col="gene"), table)
