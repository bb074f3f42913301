"""Nothing stale: what an earlier run left is used only if it is what is asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from degnext import NotebookRun
from degnext.running import steps
from degnext.running.parameters import notebook_names, notebook_parameters

ROOT = Path(__file__).resolve().parents[2]
EIGHT = "08_small_samples"


@pytest.fixture
def own(make_cohort, tmp_path):
    """Parameters that name a cohort in files, with a gene list; drawn from ``seed``."""

    def write(seed: int = 0) -> dict:
        cohort = make_cohort(n_genes=240, fold=3.0, seed=seed)
        cohort.counts.to_csv(tmp_path / "c.csv")
        cohort.groups.to_csv(tmp_path / "g.csv")
        (tmp_path / "genes.txt").write_text("\n".join(cohort.counts.index[::2]))
        files = {"counts_path": "c.csv", "groups_path": "g.csv", "bio_source": "genes.txt"}
        where = {k: str(tmp_path / v) for k, v in files.items()}
        place = {"source": "file", "cancer": "MINE", "results_dir": str(tmp_path / "r")}
        return where | place | {"outlier_cut": 0.0}

    return write


FORMATS = ROOT / "tests" / "data" / "formats"


def test_every_chapter_takes_files_as_load_cohort_does(tmp_path):
    ways = {"counts_path", "groups_path", "normal", "tumor", "transcripts", "round_counts"}
    for name in notebook_names()[:9]:
        assert ways <= set(notebook_parameters(name)), name
    place = {"source": "file", "cancer": "MINE", "results_dir": str(tmp_path)}
    salmon = {"counts_path": str(FORMATS / "salmon"), "normal": "N*"}
    run = NotebookRun(EIGHT, **place, **salmon, transcripts=str(FORMATS / "tx2gene.csv"))
    star = NotebookRun(EIGHT, **place, counts_path=str(FORMATS / "star"), tumor="T*")
    pd.testing.assert_frame_equal(run.cohort().counts, star.cohort().counts, check_names=False)
    assert star.cohort().n_tumor == 3


def labels(**parameters) -> pd.DataFrame:
    return NotebookRun(EIGHT, **parameters).cohort("labeled").genes


def test_a_step_is_taken_up_as_it_was_left(own, tmp_path, capsys, monkeypatch):
    made = NotebookRun("02_labeling", **own()).cohort("labeled")
    monkeypatch.setattr(steps, "label", None)  # nothing is made a second time
    taken = NotebookRun(EIGHT, **own()).cohort("labeled")
    pd.testing.assert_frame_equal(made.counts, taken.counts)
    pd.testing.assert_frame_equal(made.genes, taken.genes)
    pd.testing.assert_series_equal(made.groups, taken.groups)
    assert made.notes == taken.notes and capsys.readouterr().out == ""
    left = tmp_path / "r" / "file" / "MINE" / "steps"
    assert sorted(p.name.split("-")[0] for p in left.glob("[!.]*")) == [
        "filtered",
        "labeled",
        "read",
    ]
    record = json.loads(next(left.glob("labeled-*/step.json")).read_text())
    assert record["log_fc"] == 0.0 and record["seed"] == 0 and record["bio_source"] == "genes.txt"
    assert len(record["counts"]) == len(record["code"]) == 64


def test_genes_and_samples_that_are_numbers_come_back_as_they_were(make_labeled, tmp_path):
    labeled = make_labeled()  # as Entrez ids and numbered samples, some with leading zeros
    genes = labeled.genes.set_axis([f"{i:03d}" for i in range(80)])
    counts = labeled.counts.set_axis(genes.index).set_axis([f"{i:02d}" for i in range(15)], axis=1)
    groups = labeled.groups.set_axis(counts.columns)
    named = replace(labeled, counts=counts, groups=groups, genes=genes)
    steps._write(named, tmp_path / "labeled-1", {})
    back = steps._read(tmp_path / "labeled-1", named)
    pd.testing.assert_frame_equal(back.counts, counts, check_names=False)
    pd.testing.assert_series_equal(back.groups, groups, check_names=False)
    pd.testing.assert_frame_equal(back.genes, genes, check_names=False, check_dtype=False)
    assert back.notes == labeled.notes and list(back.rows("T3")) == list(labeled.rows("T3"))


def test_other_parameters_give_other_labels_and_say_so(own, capsys):
    strict = NotebookRun("02_labeling", **own(), log_fc=1.5).cohort("labeled").genes
    capsys.readouterr()
    default = labels(**own())  # chapter 8 was not asked for log_fc=1.5
    assert (default["label"] != strict["label"]).any()
    said = capsys.readouterr().out
    assert "were made with log_fc=1.5: made again with log_fc=0.0" in said and said.count("\n") == 1
    assert labels(**own(), log_fc=1.5).equals(strict) and capsys.readouterr().out == ""
    assert labels(**own(), seed=3)["fold"].ne(default["fold"]).any()
    assert "seed=0: made again with seed=3" in capsys.readouterr().out


def test_another_counts_table_under_a_used_name_gets_its_own_labels(own, capsys):
    first = labels(**own())
    capsys.readouterr()
    second = labels(**own(seed=5))
    assert not first.equals(second) and "with other counts" in capsys.readouterr().out
    assert labels(**own()).equals(first)


def test_another_list_under_the_same_file_name_is_another_list(own, tmp_path, capsys):
    first = labels(**own())
    parameters = own()
    genes = tmp_path / "genes.txt"
    genes.write_text("\n".join(genes.read_text().split()[6:]))
    assert labels(**parameters)["bio"].sum() < first["bio"].sum()
    assert "with other disease genes" in capsys.readouterr().out


def test_counts_of_ones_own_need_no_list_of_genes(own):
    parameters = own()
    del parameters["bio_source"]
    cohort = NotebookRun(EIGHT, **parameters).cohort("labeled")
    assert cohort.parts == ("T1", "T2", "F1", "T3") and "stands in" in cohort.notes[-1]


def test_files_are_read_once_and_again_when_one_of_them_changed(own, tmp_path, monkeypatch):
    first = NotebookRun(EIGHT, **own()).cohort("raw")
    with monkeypatch.context() as patch:
        patch.setattr(steps, "load_cohort", None)
        again = NotebookRun("02_labeling", **own()).cohort("raw")
    pd.testing.assert_frame_equal(first.counts, again.counts)
    pd.testing.assert_series_equal(first.groups, again.groups, check_names=False)
    assert first.notes == again.notes and again.name == "MINE" and again.source == "file"
    changed = own(seed=5)
    assert not NotebookRun(EIGHT, **changed).cohort("raw").counts.equals(first.counts)
    monkeypatch.setattr(steps, "load_cohort", None)
    with pytest.raises(TypeError):  # it reads anew
        NotebookRun(EIGHT, **changed, round_counts=True).cohort("raw")


def test_patients_come_back_with_a_step(make_cohort, tmp_path):
    cohort = make_cohort()
    pairs = pd.Series([f"{i // 2:02d}" for i in range(len(cohort.groups))], cohort.groups.index)
    steps._write(replace(cohort, pairs=pairs), tmp_path / "read-1", {})
    back = steps._read(tmp_path / "read-1", replace(cohort, pairs=None)).pairs
    assert back.to_dict() == pairs.to_dict()


@pytest.mark.parametrize("spoil", ["cut short", "gone", "record"])
def test_a_damaged_step_is_made_again(own, tmp_path, spoil, capsys):
    first = labels(**own())
    step = next((tmp_path / "r" / "file" / "MINE" / "steps").glob("labeled-*"))
    if spoil == "cut short":
        (step / "counts.parquet").write_bytes(b"PAR1")
    else:
        (step / {"gone": "genes.csv", "record": "step.json"}[spoil]).unlink()
    assert labels(**own()).equals(first)
    assert labels(**own()).equals(first) and capsys.readouterr().out.count("damage") <= 1


def test_a_run_cut_short_leaves_nothing_that_is_taken_up(own, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps.files, "write_atomic", stop)  # of step.json, which comes last
    with pytest.raises(KeyboardInterrupt):
        labels(**own())
    monkeypatch.undo()
    left = tmp_path / "r" / "file" / "MINE" / "steps"
    assert not left.exists() or not list(left.glob("[!.]*"))


def test_training_cohorts_are_labelled_by_the_same_rules(tmp_path):
    run = NotebookRun("04_transfer_learning", log_fc=1.0, results_dir=str(tmp_path))
    other = run.cohort("labeled", other="CHOL")
    own = NotebookRun(EIGHT, cancer="CHOL", log_fc=1.0, results_dir=str(tmp_path))
    assert own.cohort("labeled").genes.equals(other.genes)
    assert len(list((tmp_path / "demo" / "CHOL" / "steps").glob("labeled-*"))) == 1


@pytest.fixture
def chapter_3(own):
    def ran(**parameters) -> NotebookRun:
        with NotebookRun("03_general_learning", **own(), **parameters) as run:
            run.cohort("labeled")
            run.save(pd.DataFrame({"mcc": [0.5]}), "scores")
        return run

    return ran


def test_what_chapter_3_left_is_used_only_for_the_same_labels(own, chapter_3, capsys):
    def scores(**parameters):
        run = NotebookRun("05_baselines", **own(), **parameters)
        run.cohort("labeled")
        capsys.readouterr()
        return run.earlier("03_general_learning", "scores.csv")

    assert scores() is None
    run = chapter_3()
    assert scores() == run.folder / "scores.csv"
    assert scores(seed=1) is None and "seed=0" in capsys.readouterr().out
    assert scores(log_fc=1.5) is None and "log_fc=0.0" in capsys.readouterr().out
    (run.folder / "scores.csv").write_text("mcc\n0.9\n")  # a later run that never finished
    assert scores() is None and "another scores.csv" in capsys.readouterr().out
    record = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(record | {"code": "older"}))
    assert scores() is None and "other code" in capsys.readouterr().out


def test_a_file_of_an_earlier_run_is_not_in_the_record_of_this_one(chapter_3):
    folder = chapter_3().folder
    os.utime(folder / "scores.csv", (1, 1))
    (folder / "old.safetensors").write_bytes(b"")
    os.utime(folder / "old.safetensors", (1, 1))
    assert list(json.loads((chapter_3().folder / "run.json").read_text())["files"]) == [
        "scores.csv"
    ]


TOUCHED = """
import json
from degnext.running.dependencies import code_digest, notebook_digest, notebook_files
print(json.dumps({
    "labels": code_digest("degnext.preprocessing.filters", "degnext.labeling.calls"),
    "weights": code_digest("degnext.learning.transfer"),
    "chapter 1": notebook_digest("01_preprocessing"),
    "chapter 3": notebook_digest("03_general_learning"),
    "files of 3": [p.name for p in notebook_files("03_general_learning")],
}))
"""


def test_touched_code_is_other_code(tmp_path):
    """A copy of the package, as if installed; sparse_max changes what learns, not what labels."""
    shutil.copytree(ROOT / "degnext", tmp_path / "degnext")
    shutil.copytree(ROOT / "notebooks", tmp_path / "degnext" / "_notebooks")
    shutil.copytree(ROOT / "data", tmp_path / "degnext" / "_data")

    def digests() -> dict:
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", TOUCHED]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    before = digests()
    assert before == digests() and "sparse_max.py" in before["files of 3"]
    with open(tmp_path / "degnext" / "learning" / "sparse_max.py", "a") as handle:
        handle.write("# touched\n")
    after = digests()
    assert [k for k in before if before[k] != after[k]] == ["weights", "chapter 3"]
