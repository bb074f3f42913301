"""The paper's two experiments with its own network, both protocols, on the authors' data.

    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.network --plan cpu
    DEGNEXT_DATA=/path/to/data python -m reproduction.experiments.network --plan full

The first takes two cores several hours, the second (all folds, seeds, samples and epochs) wants a
GPU. Each job adds its scores to data/results/network.csv and its record to network.run.json when it
is done; a job recorded there is not run again, and a killed one goes on from its last epoch. --only
takes a regular expression of job names.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

import degnext
from degnext._common.files import write_atomic
from degnext._common.paths import data_dir, results_dir
from degnext.learning.training import pick_device
from reproduction.command import call, parser
from reproduction.experiments.network_jobs import Job, plan
from reproduction.experiments.network_runs import COLUMNS, RUN, SETTINGS, checkpoint
from reproduction.store import PUBLISHED, ROOT, code_digest

KEY = ["experiment", "protocol", "cancer", "part", "fold", "seed", *SETTINGS]
WHOLE_NUMBERS = [c for c in SETTINGS if c.endswith("epochs") or c in ("draws", "max_samples")]


def run(job: Job, device: str, facts: dict) -> None:
    """Run one job and leave its table and its record; ``facts`` say at which code it stood."""
    folder, resumed = results_dir() / "network", checkpoint(job).exists()
    print(f"{time.strftime('%H:%M')} {job.name}", flush=True)
    start = time.perf_counter()
    table = pd.DataFrame(RUN[job.experiment](job, device), columns=list(COLUMNS))
    if resumed:  # the seconds of this call alone would be no training time
        table["train_seconds"] = float("nan")
    seconds = None if resumed else round(time.perf_counter() - start, 1)
    record = asdict(job) | {"device": str(pick_device(device)), "threads": torch.get_num_threads()}
    record |= {"processor": platform.machine(), "torch": torch.__version__}
    record |= {"degnext": degnext.__version__, "python": platform.python_version()}
    record |= {"date": time.strftime("%Y-%m-%d")} | facts | {"data": PUBLISHED, "seconds": seconds}
    write_atomic(folder / f"{job.name}.json", record)
    write_atomic(folder / f"{job.name}.csv", table.to_csv(index=False))
    shutil.rmtree(checkpoint(job), ignore_errors=True)
    shown = table[["cancer", "part", "accuracy", "mcc", "train_seconds"]]
    print(shown.to_string(index=False, header=False), flush=True)
    collect(folder)


def commit() -> str:
    """Return the commit that the code stands at, "+" where files have been changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout

    changed = git("status", "--porcelain", "--", "degnext", "reproduction").strip()
    return git("rev-parse", "--short", "HEAD").strip() + ("+" if changed else "")


def collect(folder: Path) -> None:
    """Write data/results/network.csv and network.run.json from every finished job."""
    target = data_dir() / "results"
    paths = [target / "network.csv", *sorted(folder.glob("*.csv"))]
    table = pd.concat([pd.read_csv(p) for p in paths if p.exists()], ignore_index=True)
    write_atomic(target / "network.csv", tidy(table).to_csv(index=False))
    found = {p.stem: json.loads(p.read_text()) for p in folder.glob("*.json")}
    write_atomic(target / "network.run.json", dict(sorted((recorded() | found).items())))


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in their order, the newer of two runs of one thing, whole numbers whole."""
    table = table.round(5).astype(dict.fromkeys(WHOLE_NUMBERS + ["max_genes"], "Int64"))
    return table.drop_duplicates(KEY, keep="last").sort_values(KEY, ignore_index=True)


def recorded() -> dict:
    """Return the records of the runs whose scores are in data/results/network.csv."""
    path = data_dir() / "results" / "network.run.json"
    return json.loads(path.read_text()) if path.exists() else {}


def main() -> None:
    """Run what is asked for and not done yet."""
    arguments = parser(__doc__)
    arguments.add_argument("--plan", choices=("cpu", "full"), default="cpu")
    arguments.add_argument("--only", default="", help="regular expression of job names")
    arguments.add_argument("--device", default="auto")
    arguments.add_argument("--again", action="store_true", help="run recorded jobs, too")
    arguments.add_argument("--list", action="store_true", help="show the jobs, and which are done")
    args = arguments.parse_args()
    facts = {"commit": commit(), "code": code_digest(__spec__.name)}  # as the run starts
    for job in (j for j in plan(args.plan) if re.search(args.only, j.name)):
        done = job.name in recorded()
        if args.list:
            print("done" if done else "    ", job.name)
        elif args.again or not done:
            run(job, args.device, facts)


if __name__ == "__main__":
    call(main)
