"""reproduction.store: a killed run goes on, changed settings do not take old tables, records name no folder."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.evaluation.record import saved_results
from reproduction import store as batch


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
        "table", pd.DataFrame({"x": [1.5]}), {"seed": 0}, {"KICH": 2.0, "READ": 3.5}, tmp_path
    )
    record = json.loads((tmp_path / "table.run.json").read_text())
    assert (
        path.read_text() == "x\n1.5\n" and record["rows"] == 1 and record["seconds_together"] == 5.5
    )
    assert (
        len(record["data"]["commit"]) == 40
        and record["versions"]["numpy"]
        and record["command"].startswith("python scripts/")
    )
    assert str(tmp_path) not in json.dumps(record)


def test_code_that_changed_is_other_code():
    assert batch.code_digest(["noise"]) != batch.code_digest(["rows"]) and batch.code_digest(
        ["noise", "rows"]
    ) == batch.code_digest(["rows", "noise"])


def test_missing_data_are_one_sentence(is_helpful):
    with pytest.raises(InputError, match="set DEGNEXT_DATA") as caught:
        batch.need_published()
    assert is_helpful(str(caught.value))
    assert saved_results("no such table") is None
