"""Many notebooks on many cohorts, by Snakemake: what runs, how long it takes, how it went."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from degnext._common.errors import InputError, check_choice
from degnext._common.files import read_record, write_atomic
from degnext._common.paths import results_dir
from degnext.running.dependencies import notebook_code, notebook_needs

ACROSS = "10_across_cancers"  # reads what the others left: once, under the first cohort
PATIENCE = 20  # seconds that an interrupted workflow gets to put things away
_PACKAGE = Path(__file__).resolve().parents[1]
Jobs = dict[str, list[str]]  # the chapters to run, by cohort


def workflow_dir() -> Path:
    """Return the folder of the Snakefile: of a checkout, else of the wheel."""
    checkout, wheel = _PACKAGE.parent / "workflow", _PACKAGE / "_workflow"
    return checkout if (checkout / "Snakefile").exists() else wheel


@lru_cache
def settings() -> dict[str, Any]:
    """Return ``workflow/config.yaml``: parameters by source, and what a chapter takes."""
    import yaml

    return yaml.safe_load((workflow_dir() / "config.yaml").read_text(encoding="utf-8"))


def choose_cancers(cancers: str, source: str) -> list[str]:
    """Return the cohorts of "all", of "KICH,READ" or of one name, in the order given."""
    from degnext.cohorts.cohort import CANCERS
    from degnext.cohorts.demo import DEMO_CANCERS

    valid = DEMO_CANCERS if source == "demo" else CANCERS
    if cancers == "all":
        return list(valid)
    return [check_choice("cancer", name.strip(), valid) for name in cancers.split(",")]


def companions(cancer: str, source: str) -> Jobs:
    """Return what runs beside a book on ``cancer``: notebook 4 trains on the labels of others."""
    beside = settings()["sources"].get(source) or {}
    named = [c for c in beside.get("companions", []) if c != cancer]
    return {c: beside.get("companion_steps", []) for c in named}


def train_part(cancer: str, data_dir: str | None = None) -> str:
    """Return the published part to train on beside F1: T1 as in the paper, else what is at hand."""
    from degnext.cohorts.published import published_parts

    parts = published_parts(cancer, data_dir)
    usable = [p for p in ("T1", "T2") if {p, "F1"} <= {*parts}]
    return (usable or ["none"])[0] if parts else "T1"


def demanded(
    cancers: list[str], source: str, names: list[str], given: Mapping[str, Any]
) -> tuple[Jobs, dict[str, str]]:
    """Return the chapters that can run on each cohort, and a sentence where something is missing.

    given: the user's parameters, of which ``data_dir`` and ``train_part`` count. A chapter that
    trains on its own cohort is left out where no part to train on is at hand, one that asks for
    names of genes where none is known.
    """
    from degnext.cohorts.published import has_symbols

    jobs, why, folder = {}, {}, given.get("data_dir") or None
    for cancer in cancers:
        names = [n for n in names if n != ACROSS or cancer == cancers[0]]
        part, missing = given.get("train_part"), {}
        if source == "published":
            part = part or train_part(cancer, folder)
            if part == "none":
                missing["no two parts to train on are at hand"] = "train_part"
            if not has_symbols(cancer, folder):
                missing["no gene has a name that is known to be its own"] = "gene_symbols"
        out = {cause: [n for n in names if _uses(n, word)] for cause, word in missing.items()}
        jobs[cancer] = [name for name in names if name not in sum(out.values(), [])]
        said = ["T1 is not at hand, so networks learn from T2"] if part == "T2" else []
        said += [
            f"{cause}, so without chapter {', '.join(n[:2].lstrip('0') for n in found)}"
            for cause, found in out.items()
            if found
        ]
        if said:
            why[cancer] = "; ".join(said)
    return jobs, why


def _uses(name: str, word: str) -> bool:
    """Say whether a chapter's code has this word, other than as the name of a parameter."""
    return re.search(rf"\b{word}\b(?!: str)", notebook_code(name)) is not None


def estimate(jobs: Jobs, source: str, results: Path) -> float:
    """Return the seconds that ``jobs`` take one after the other.

    A chapter takes as long as the last time on this cohort, else as ``config.yaml`` says.
    """
    usual, root = settings()["seconds"], results / source
    each = [(root / cancer / name, usual.get(name, 20)) for cancer in jobs for name in jobs[cancer]]
    return sum(read_record(at / "run.json").get("wall_seconds", known) for at, known in each)


def plan(jobs: Jobs, why: dict[str, str], source: str, results: Path, cores: int) -> list[str]:
    """Return what is to run, a line a cohort, and an estimate of the time it takes."""
    lines = [
        f"{cancer}: chapters {', '.join(n[:2].lstrip('0') for n in names)}"
        + (f" ({why[cancer]})" if cancer in why else "")
        for cancer, names in jobs.items()
    ]
    total, minutes = sum(map(len, jobs.values())), estimate(jobs, source, results) / cores / 60
    last = f"{total} notebooks, at most about {minutes:.0f} minutes on {cores} cores"
    return [*lines, f"{last}; those that are up to date are kept"]


def run_many(
    cancers: str,
    source: str,
    names: list[str],
    given: Mapping[str, Mapping[str, Any]],
    out: Path | None = None,
    cores: int = 1,
    profile: str = "",
) -> int:
    """Run the chapters ``names`` on several cohorts; say the plan, progress and how it went.

    cancers: "all" or names separated by commas. given: parameters by chapter. out: the folder for
    results. Returns 0, or 1 if something failed.
    """
    began, results = time.time(), results_dir(out)
    shared = {k: v for found in given.values() for k, v in found.items()}
    jobs, missing = demanded(choose_cancers(cancers, source), source, names, shared)
    print(*plan(jobs, missing, source, results, cores), sep="\n", flush=True)
    request = {"source": source, "jobs": jobs, "user": {"parameters": given}}
    status = run_workflow(request, results, cores, profile)
    print(*outcome(jobs, source, results, began), sep="\n")
    return 1 if status else 0


def run_workflow(request: Mapping[str, Any], results: Path, cores: int, profile: str = "") -> int:
    """Run Snakemake on ``request``; return its exit status. Who interrupts this interrupts it.

    request: ``source``; ``jobs``; ``pages``, the cohort that the book's pages are about, or ""; and
    ``user``: ``parameters`` by chapter, ``checksums`` of the files they name.
    profile: a Snakemake profile, for a cluster.
    """
    if importlib.util.find_spec("snakemake") is None:
        cure = 'pip install "degnext[cluster]", or run one cohort after the other'
        raise InputError(f"several cohorts at once need Snakemake, which is not installed: {cure}")
    first = request.get("pages") or "-".join(request["jobs"])[:60]
    asked = results / f".workflow-{request['source']}-{first}.json"
    write_atomic(asked, dict(request))
    folder = workflow_dir()
    command = [sys.executable, folder / "locked_snakemake.py", results, asked]
    command += ["--snakefile", folder / "Snakefile", "--directory", results]
    command += ["--configfile", folder / "config.yaml", asked, "--keep-going"]
    command += ["--rerun-triggers", "mtime", "params", "input", "--logger", "degnext"]
    command += ["--profile", profile] if profile else ["--cores", str(cores), "--force-use-threads"]
    environment = os.environ | {"WORKFLOW_OWNER": str(os.getpid())}
    # nothing is ever written to stdin: that it ends tells a notebook that this process is gone
    streams = {"stdin": subprocess.PIPE, "start_new_session": True}
    return wait_for(subprocess.Popen(command, env=environment, **streams))


def wait_for(child: subprocess.Popen) -> int:
    """Wait for a process group; hand an interrupt on to all of it and wait until it has ended."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), interrupt)
    try:
        return child.wait()
    except KeyboardInterrupt:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)  # once is enough: it ends in PATIENCE seconds
        print("\nstopping", file=sys.stderr, flush=True)
        os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):  # all is well: none is left
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise


def outcome(jobs: Jobs, source: str, results: Path, since: float) -> list[str]:
    """Return what ran, how long, what failed and where, a line for each failure and in all."""
    lines, ran, kept, seconds = [], 0, 0, 0.0
    for cancer, names in jobs.items():
        for name in names:
            folder = results / source / cancer / name
            done = folder / f"{name}.ipynb"
            if not done.exists():
                lines.append(f"  {cancer} {name}: {_fault(cancer, name, names, folder, since)}")
            elif done.stat().st_mtime < since:
                kept += 1
            else:
                ran += 1
                seconds += read_record(folder / "run.json").get("wall_seconds", 0.0)
    if lines:
        lines.insert(0, f"{len(lines)} did not finish:")
    took = f"{time.time() - since:.0f} s ({seconds:.0f} s of notebooks)"
    return [*lines, f"{ran} notebooks ran in {took}; {kept} were up to date"]


def _fault(cancer: str, name: str, names: list[str], folder: Path, since: float) -> str:
    log = folder / f"{name}.log"
    if log.exists() and log.stat().st_mtime >= since:
        said = [x for x in log.read_text(errors="replace").splitlines() if x.strip()]
        if said:
            return re.sub(rf"^{name} on {cancer} \(\w+\): ", "", said[-1])
    before = ", ".join(n[:2] for n in notebook_needs(name) if n in names)
    return f"not started, because it takes up {before}" if before else "not started"
