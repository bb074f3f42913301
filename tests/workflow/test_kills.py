"""Twenty runs of the demo's chapters, killed at any moment: the next call finishes, byte for byte.

As a command it says how each went: python tests/workflow/test_kills.py FOLDER [KILLS]
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("snakemake")

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("1", "2", "8")
SMALL = {"small_draws": 1}
KILLS, SEED, PATIENCE = 20, 7, 600


def start(results: Path) -> subprocess.Popen:
    """Start the chapters, as ``make book`` does, in a process group of their own."""
    command = [sys.executable, "-m", "degnext", "run", "--cancers", "CHOL", "--cores", "2"]
    command += ["--steps", ",".join(STEPS), "--out", str(results)]
    for name, value in SMALL.items():
        command += ["-p", name, str(value)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    log = open(results.parent / f"{results.name}.log", "a")  # noqa: SIM115
    streams = {"stdout": log, "stderr": log, "start_new_session": True}
    with log:
        return subprocess.Popen(command, cwd=results.parent, env=environment, **streams)


def kill(child: subprocess.Popen, everything: bool) -> None:
    """Kill the process group; ``everything`` it has started, too, or leave orphans behind."""
    offspring = psutil.Process(child.pid).children(recursive=True) if everything else []
    os.killpg(child.pid, signal.SIGKILL)
    for process in offspring:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    child.wait()


def tables(results: Path) -> dict[str, str]:
    """Return the checksum of every table, whatever chapter wrote it."""
    found = [p for p in sorted(results.rglob("*.csv")) if ".snakemake" not in p.parts]
    found = [p for p in found if ".unfinished-" not in str(p)]
    return {str(p.relative_to(results)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def faults(results: Path, status: int, undisturbed: dict[str, str]) -> list[str]:
    """Return what is wrong with a run that was killed and called again; nothing if all is well."""
    found = [f"exit status {status}"] if status else []
    now = tables(results)
    unlike = [k for k in undisturbed.keys() | now.keys() if undisturbed.get(k) != now.get(k)]
    found += [f"another {name}" for name in sorted(unlike)]
    for path in results.rglob("run.json"):  # whole, and true of the files beside it
        for name, checksum in json.loads(path.read_text())["files"].items():
            digest = hashlib.sha256((path.parent / name).read_bytes()).hexdigest()
            if checksum != f"sha256:{digest}":
                found.append(f"{path.parent.name}: {name} is not the one in run.json")
    return found


def rounds(folder: Path, kills: int = KILLS):
    """Run once undisturbed, then kill as often as asked; yield (moment, how, faults)."""
    calm, began = folder / "calm", time.monotonic()
    calm.mkdir(parents=True)
    assert start(calm).wait(PATIENCE) == 0, (folder / "calm.log").read_text()[-2000:]
    lasted, undisturbed = time.monotonic() - began, tables(calm)
    assert len(undisturbed) > len(STEPS)
    shutil.rmtree(calm)
    chance = random.Random(SEED)
    for number in range(kills):
        results, moment = folder / f"kill{number:02d}", chance.uniform(0, lasted)
        everything = chance.random() < 0.5
        results.mkdir()
        child = start(results)
        try:
            child.wait(moment)
        except subprocess.TimeoutExpired:
            kill(child, everything)
        found = faults(results, start(results).wait(PATIENCE), undisturbed)
        yield moment, "whole tree" if everything else "process group", found
        if not found:
            shutil.rmtree(results)


@pytest.mark.slow
def test_killed_runs_are_finished_by_the_next_call_with_the_same_bytes(tmp_path):
    assert [found for *_, found in rounds(tmp_path) if found] == []


if __name__ == "__main__":
    survived = 0
    for moment, how, found in rounds(Path(sys.argv[1]), *map(int, sys.argv[2:])):
        survived += not found
        print(f"killed after {moment:5.1f} s ({how}): {found or 'survived'}", flush=True)
    print(f"{survived} survived")
