"""A disk that is full or read-only, for real: one sentence, nothing lost, nothing half-written."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from degnext import NotebookRun
from degnext._common.errors import InputError
from degnext._common.files import folder_lock, write_atomic
from degnext.learning.weights_file import read_weights, write_weights


@pytest.fixture
def disk(tmp_path):
    """Mount a disk in memory of the size asked for; only root may."""
    mounted = []

    def mount(size: str) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a disk can be mounted by root only")
        mounted.append(folder)
        return folder

    yield mount
    gc.collect()  # files that an exception's traceback still holds open
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def tables(make_cohort, tmp_path):
    cohort = make_cohort(n_genes=3000)
    cohort.counts.to_csv(tmp_path / "counts.csv")
    cohort.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    return tmp_path / "counts.csv", "--groups", tmp_path / "groups.csv"


def files(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "h5ad"])
def test_predictions_on_a_full_disk(disk, tables, run_cli, is_helpful, kind):
    folder = disk("64k")
    (folder / f"p.{kind}").write_text("the old one")
    done = run_cli("predict", *tables, "--out", folder / f"p.{kind}", "--force")
    assert done.code == 2 and is_helpful(done.err) and f"holds {folder} is full: free" in done.err
    assert files(folder) == {f"p.{kind}": b"the old one"} and len(list(folder.iterdir())) == 1


def test_a_twin_on_a_full_disk(disk, tables, run_cli, is_helpful):
    folder = disk("64k")
    done = run_cli("simulate", "MINE", "--counts", *tables, "--out", folder / "twin")
    assert done.code == 2 and is_helpful(done.err) and "is full: free some space" in done.err
    assert list(folder.iterdir()) == []


def test_tables_steps_and_weights_on_a_full_disk(disk, make_cohort, tables, is_helpful):
    import torch

    folder = disk("160k")
    counts, _, groups = map(str, tables)
    given = {"counts_path": counts, "groups_path": groups, "results_dir": str(folder)}
    run = NotebookRun("02_labeling", source="file", cancer="MINE", **given)
    run.save(pd.DataFrame({"a": [1]}), "small")
    large = torch.zeros(100_000)
    for write in (
        lambda: run.save(pd.DataFrame({"a": range(60_000)}), "small"),
        lambda: run.cohort("filtered"),
        lambda: write_weights(folder / "w.safetensors", {"w": large}, "network", {}),
    ):
        with pytest.raises(InputError, match="is full: free some space") as caught:
            write()
        assert is_helpful(str(caught.value))
    assert files(folder) == {"file/MINE/02_labeling/small.csv": b"a\n1\n"}


def test_a_read_only_disk(disk, tables, run_cli, is_helpful):
    folder = disk("1m")
    (folder / "old.csv").write_text("old")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    for command in (
        ("predict", *tables, "--out", folder / "new.csv"),
        ("simulate", "MINE", "--counts", *tables, "--out", folder / "twin"),
        ("run", "KICH", "--steps", "1", "--out", folder / "results"),
    ):
        done = run_cli(*command)
        assert done.code == 2 and is_helpful(done.err), command
        assert str(folder) in done.err and files(folder) == {"old.csv": b"old"}


@pytest.mark.slow
def test_a_notebook_on_a_full_disk(disk, run_cli, is_helpful):
    folder = disk("40k")
    done = run_cli("run", "KICH", "--steps", "1", "--out", folder / "results")
    assert done.code == 2 and is_helpful(done.err) and "is full: free some space" in done.err
    assert files(folder) == {}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("command", [["info"], ["predict", "--card"]])
def test_what_is_printed_to_a_full_disk(command):
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "degnext", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "(No space left on device): check the path" in done.stderr


HOLD = """import sys, time
from degnext._common.files import folder_lock
with folder_lock(sys.argv[1], ".running", told=True):
    print("held", flush=True)
    time.sleep(1.5)
"""


def test_who_waits_for_a_folder_is_told_for_whom(tmp_path, capsys):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    streams = {"stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **streams) as other:
        assert other.stdout.readline() == "held\n"
        with folder_lock(tmp_path, ".running", told=True):
            said = capsys.readouterr().out
    assert said.startswith(f"Another run is at work in {tmp_path} (process {other.pid} on ")
    assert said.endswith("): waiting until it is done.\n") and said.count("\n") == 1


@pytest.mark.parametrize("spoil", ["cut", "header", "text", "empty"])
def test_damaged_weights_are_named(tmp_path, spoil, is_helpful):
    import torch

    path = tmp_path / "w.safetensors"
    write_weights(path, {"w": torch.zeros(50)}, "network", {"a": 1})
    whole = path.read_bytes()
    place = whole.index(b'{\\"a')
    broken = {
        "cut": whole[:-9],
        "header": whole[:place] + b"[" + whole[place + 1 :],
        "text": b"<html>",
        "empty": b"",
    }
    write_atomic(path, broken[spoil])
    with pytest.raises(InputError, match="w.safetensors is no whole safetensors file: train"):
        read_weights(path, "network")
