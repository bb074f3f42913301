"""The records of data/results: who made a table, with which code; and how they move on."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec

import pandas as pd
import pytest

from degnext._common.paths import data_dir
from reproduction import store

FOLDER = data_dir() / "results"
RECORDS = sorted(FOLDER.glob("*.run.json"))
DIGEST = re.compile(r"[0-9a-f]{16}")


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def single_records() -> list[tuple[str, dict]]:
    """Every record with a settings block of its own, and every job of the paper's network."""
    found = []
    for path in RECORDS:
        record = read(path)
        one = "command" in record
        found += (
            [(path.name, record)] if one else [(f"{path.name} {k}", v) for k, v in record.items()]
        )
    return found


@pytest.mark.parametrize("path", [p for p in RECORDS if "command" in read(p)], ids=lambda p: p.stem)
def test_a_record_names_a_command_that_there_is(path):
    record = read(path)
    assert find_spec(record["module"]), record["module"]
    assert record["command"].startswith(f"python -m {record['module']}")
    assert record["versions"]["numpy"] and "scripts/" not in json.dumps(record)
    if "rows" in record:
        assert record["rows"] == len(pd.read_csv(FOLDER / path.name.replace(".run.json", ".csv")))


@pytest.mark.parametrize("name, record", single_records())
def test_a_digest_says_where_it_comes_from(name, record):
    code = record.get("settings", record).get("code")
    assert code is None or DIGEST.fullmatch(code), name
    if "migrated" in record:
        assert DIGEST.fullmatch(record["migrated"]["from"]) and record["migrated"]["why"]


def test_a_moved_table_gets_todays_digest_and_keeps_the_one_that_ran(tmp_path):
    module = "reproduction.experiments.noise"
    old = {"command": f"python -m {module}", "module": module, "settings": {"code": "0" * 16}}
    job = {"general-paper": {"protocol": "paper", "code": "1" * 16}, "without": {"commit": "abc"}}
    (tmp_path / "noise.run.json").write_text(json.dumps(old))
    (tmp_path / "network.run.json").write_text(json.dumps(job))
    assert store.migrate(tmp_path) == ["network.run.json", "noise.run.json"]
    new, jobs = read(tmp_path / "noise.run.json"), read(tmp_path / "network.run.json")
    assert new["settings"]["code"] == store.code_digest(module)
    assert new["migrated"]["from"] == "0" * 16 and jobs["without"] == job["without"]
    assert jobs["general-paper"]["migrated"]["from"] == "1" * 16
    assert store.migrate(tmp_path) == []  # nothing moved since
    new["settings"]["code"] = "2" * 16  # and moved again
    (tmp_path / "noise.run.json").write_text(json.dumps(new))
    store.migrate(tmp_path)
    assert read(tmp_path / "noise.run.json")["migrated"]["from"] == "0" * 16
