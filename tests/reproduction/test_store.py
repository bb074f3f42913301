"""The store: a killed run goes on, changed settings take no old tables, records name no folder."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.evaluation.record import saved_results
from reproduction import store as batch
from reproduction.sources import folder


def test_a_finished_cohort_is_not_computed_again_and_changed_settings_are():
    calls = []

    def compute():
        calls.append(1)
        return pd.DataFrame({"x": [len(calls)]})

    first, seconds = batch.keep("run", "KICH", {"seed": 0}, compute)
    again, same = batch.keep("run", "KICH", {"seed": 0}, compute)
    assert first.equals(again) and seconds == same and len(calls) == 1
    assert batch.keep("run", "KICH", {"seed": 1}, compute)[0]["x"].tolist() == [2]
    assert batch.keep("run", "READ", {"seed": 1}, compute)[0]["x"].tolist() == [3]


def test_a_run_that_dies_leaves_nothing_that_looks_finished():
    with pytest.raises(KeyboardInterrupt):
        batch.keep("run", "KICH", {}, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert batch.keep("run", "KICH", {}, lambda: pd.DataFrame({"x": [1]}))[0]["x"].tolist() == [1]


def test_the_record_says_how_and_from_what(tmp_path):
    path = batch.write_results(
        "table",
        pd.DataFrame({"x": [1.5]}),
        "reproduction.experiments.noise",
        {"seed": 0},
        {"KICH": 2.0, "READ": 3.5},
        tmp_path,
    )
    record = json.loads((tmp_path / "table.run.json").read_text())
    assert (
        path.read_text() == "x\n1.5\n" and record["rows"] == 1 and record["seconds_together"] == 5.5
    )
    assert (
        len(record["data"]["commit"]) == 40
        and record["versions"]["numpy"]
        and record["command"].startswith("python -m reproduction.experiments.noise")
    )
    assert str(tmp_path) not in json.dumps(record)


def test_code_that_changed_is_other_code(monkeypatch):
    noise, audit = "reproduction.experiments.noise", "reproduction.audit.run"
    before = batch.code_digest(noise), batch.code_digest(audit)
    assert before[0] != before[1]
    read = Path.read_bytes
    touched = lambda path: read(path) + b"#" * (path.name == "perturb.py")  # noqa: E731
    monkeypatch.setattr(Path, "read_bytes", touched)
    batch.code_digest.cache_clear()
    assert batch.code_digest(noise) != before[0], "noise imports perturb, if far down"
    batch.code_digest.cache_clear()


def test_missing_data_are_one_sentence(is_helpful):
    with pytest.raises(InputError, match="set DEGNEXT_DATA") as caught:
        folder("published")
    assert is_helpful(str(caught.value))
    with pytest.raises(InputError, match="no such table.csv is missing") as caught:
        saved_results("no such table")
    assert is_helpful(str(caught.value))
