"""Many cohorts: what can run on which, what is planned, and how it is said."""

from __future__ import annotations

import json

import pytest

from degnext._common.errors import InputError
from degnext.running import workflow
from degnext.running.parameters import notebook_names

NAMES = notebook_names()


@pytest.fixture
def published(tmp_path):
    """A folder in which KICH has all parts, BLCA lacks T1, and BRCA has T3 only and no names."""
    (tmp_path / "TCGA-BLCA_biologically_validated_genes.csv").touch()
    parts = {"BRCA": ("bio_test",), "BLCA": ("non_bio_test", "bio_fine_tune")}
    parts |= {"KICH": ("non_bio_train", "non_bio_test", "bio_test", "bio_fine_tune")}
    for cancer, stems in parts.items():
        for stem in stems:
            for end in (".csv", "_label.txt"):
                (tmp_path / f"TCGA-{cancer}_{stem}{end}").touch()
    return str(tmp_path)


def test_cohorts_are_named_singly_together_or_all(published):
    assert workflow.choose_cancers("all", "demo") == ["CHOL", "KICH", "READ"]
    assert workflow.choose_cancers("READ, KICH", "published") == ["READ", "KICH"]
    assert len(workflow.choose_cancers("all", "published")) == 17
    with pytest.raises(InputError, match="did you mean 'READ'"):
        workflow.choose_cancers("REED,KICH", "published")


def test_a_published_cohort_runs_what_its_parts_allow(published):
    cancers = ["KICH", "BLCA", "BRCA"]
    jobs, why = workflow.demanded(cancers, "published", NAMES, {"data_dir": published})
    assert [workflow.train_part(c, published) for c in cancers] == ["T1", "T2", "none"]
    assert set(jobs["BLCA"]) == set(jobs["KICH"]) - {workflow.ACROSS}
    left_out = {name[:2] for name in set(jobs["BLCA"]) - set(jobs["BRCA"])}
    assert left_out == {"03", "06", "07"}
    assert set(why) == {"BLCA", "BRCA"} and "T2" in why["BLCA"]
    assert (
        "no two parts to train on are at hand, so without chapter 3, 6; no gene has" in why["BRCA"]
    )


def test_demo_cohorts_have_every_chapter():
    jobs, why = workflow.demanded(["KICH", "READ"], "demo", NAMES, {})
    assert why == {} and jobs["KICH"] == NAMES


def test_the_estimate_is_the_last_run_of_a_chapter_where_there_was_one(tmp_path):
    jobs, folder = {"KICH": ["01_preprocessing"]}, tmp_path / "demo" / "KICH" / "01_preprocessing"
    usual = workflow.estimate(jobs, "demo", tmp_path)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"wall_seconds": 77.5}))
    assert workflow.estimate(jobs, "demo", tmp_path) == 77.5 != usual
    lines = workflow.plan(jobs, {"KICH": "so"}, "demo", tmp_path, cores=1)
    assert (
        lines[0] == "KICH: chapters 1 (so)" and "1 notebooks, at most about 1 minutes" in lines[1]
    )


def test_what_did_not_start_says_what_it_waited_for(tmp_path):
    lines = workflow.outcome({"KICH": ["01_preprocessing", "02_labeling"]}, "demo", tmp_path, 0.0)
    assert lines[0] == "2 did not finish:"
    assert lines[2] == "  KICH 02_labeling: not started, because it takes up 01"
