"""The workflow on a real Slurm: two virtual nodes on this machine, and one that dies at work.

Run it as root where `apt-get install slurm-wlm munge` has been: pytest -m slurm tests/workflow
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
NODES = Path(__file__).with_name("slurm_nodes.sh")
CHAPTERS = ("01_preprocessing", "02_labeling")

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def slurm():
    if not all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch"))):
        pytest.skip("no Slurm here: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("the daemons of a Slurm of one's own want root")
    pytest.importorskip("snakemake_executor_plugin_slurm")
    started = subprocess.run([NODES, "start"], capture_output=True, text=True)
    if started.returncode == 3:
        pytest.skip(started.stderr)
    try:
        assert started.returncode == 0, started.stderr
        yield
    finally:
        subprocess.run([NODES, "stop"], check=True)


def start(out: Path, cancers: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "degnext", "run", "--cancers", cancers, "--steps", "1,2"]
    command += ["--out", out, "--profile", ROOT / "workflow" / "profiles" / "slurm"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **streams)


def jobs_on(node: str) -> list[str]:
    answer = subprocess.run(
        ["squeue", "-h", "-w", node, "-t", "R", "-o", "%i"], capture_output=True
    )
    return answer.stdout.decode().split()


def kill_node(node: str) -> list[str]:
    """Kill a node's daemon and every process of its jobs, as when its power fails."""
    jobs = jobs_on(node)
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        daemon = line.startswith("slurmd ") and line.endswith(f"-N {node}")
        if daemon or any(line.startswith(f"slurmstepd: [{job}.") for job in jobs):
            for each in [*process.children(recursive=True), process]:
                each.kill()
    return jobs


def finished(out: Path, cancer: str) -> list[bool]:
    return [(out / "demo" / cancer / name / f"{name}.ipynb").exists() for name in CHAPTERS]


def test_two_cohorts_run_on_two_nodes_and_outlive_the_death_of_one(slurm, tmp_path):
    """Node one is killed with its jobs; Slurm queues them again, and node two finishes them."""
    run = start(tmp_path, "CHOL,READ")
    until = time.monotonic() + 180
    while not jobs_on("one"):
        assert run.poll() is None and time.monotonic() < until
        time.sleep(1)
    time.sleep(5)
    assert kill_node("one")
    said, _ = run.communicate(timeout=900)
    assert run.returncode == 0, said
    assert finished(tmp_path, "CHOL") == finished(tmp_path, "READ") == [True, True]
    assert "4 notebooks ran in" in said
    again, _ = start(tmp_path, "CHOL,READ").communicate(timeout=900)
    assert "0 notebooks ran in" in again and "4 were up to date" in again
