"""What notebooks took is written where the plan reads it, and only between the markers."""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from degnext._common.errors import InputError
from reproduction import measured


def test_seconds_are_means_over_cohorts_and_the_rest_of_the_file_stays(tmp_path, monkeypatch):
    for cancer, seconds in (("KICH", 4.0), ("READ", 8.0)):
        folder = tmp_path / "demo" / cancer / "01_preprocessing"
        folder.mkdir(parents=True)
        record = {"step": folder.name, "cpu_seconds": seconds, "peak_memory_mb": 300}
        (folder / "run.json").write_text(json.dumps(record))
    config = tmp_path / "config.yaml"
    config.write_text(f"a: 1\n{measured.START} old\nseconds: {{}}\n{measured.END}\nb: 2\n")
    monkeypatch.setattr(measured, "CONFIG", config)
    monkeypatch.setattr(sys, "argv", ["measured", str(tmp_path), "--source", "demo"])
    measured.main()
    measured.main()
    assert yaml.safe_load(config.read_text()) == {
        "a": 1,
        "seconds": {"01_preprocessing": 6},
        "b": 2,
    }
    assert "cohorts: 2, most 8 s, 300 MB" in config.read_text()
    with pytest.raises(InputError, match="run the notebooks first"):
        measured.measured(tmp_path / "gdc")
