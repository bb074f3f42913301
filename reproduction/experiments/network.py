"""Run the paper's two experiments with its own network, both protocols, on the authors' data.

    DEGNEXT_DATA=/path/to/data python scripts/run_network.py --plan cpu     # two cores, several hours
    DEGNEXT_DATA=/path/to/data python scripts/run_network.py --plan full    # for a GPU: all folds, seeds, samples and epochs

Each job adds its scores to data/results/network.csv and its record to network.run.json when it is done; a job recorded there
is not run again, and a killed one goes on from its last epoch. --only takes a regular expression of job names.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import degnext
from degnext._common.errors import InputError
from degnext._common.files import write_atomic
from degnext._common.paths import data_dir, results_dir
from degnext.cohorts.cohort import TRAINING, UNTRAINED, Cohort
from degnext.cohorts.load import load_cohort
from degnext.cohorts.perturb import fewer_samples
from degnext.cohorts.published import load_published, published_parts
from degnext.cohorts.published_files import PUBLISHED_COMMIT
from degnext.evaluation import paper_network as network_steps
from degnext.evaluation.metrics import result_row, result_table
from degnext.labeling.calls import published_folds
from degnext.learning import transfer
from degnext.learning.training import pick_device
from reproduction.store import code_digest

FOLDER = results_dir() / "network"
TABLE, RECORD = data_dir() / "results" / "network.csv", data_dir() / "results" / "network.run.json"


@dataclass(frozen=True)
class Job:
    """One training run; ``epochs`` 0 takes the protocol's number, ``max_samples`` 0 takes every sample."""

    experiment: (
        str  # general | transfer | released, the authors' own weights on every untrained cohort
    )
    protocol: str
    cancer: str = ""  # general only
    fold: int = 0
    seed: int = 0
    relu: str = "pair"
    epochs: int = 0
    fine_tune_epochs: int = 0
    max_samples: int = 0
    draws: int = (
        1  # images per training gene, each of other samples; in general learning, tested on T3 only
    )
    precision: str = ""  # general only: float32 or bfloat16, to compare them
    max_genes: int = 0  # transfer only: at most so many genes per training cohort and stage
    left_out: str = ""  # transfer only: training cohorts, joined by +, that are left out and tested instead of the untrained ones

    @property
    def name(self) -> str:
        """The job in one word, from every setting that differs from its default."""
        parts = [
            self.experiment,
            self.protocol,
            self.cancer,
            f"fold{self.fold}" if self.cancer else "",
            f"seed{self.seed}",
        ]
        parts += [
            f"{k}{v}"
            for k, v in asdict(self).items()
            if k
            in (
                "relu",
                "epochs",
                "fine_tune_epochs",
                "precision",
                "max_samples",
                "max_genes",
                "draws",
                "left_out",
            )
            and v not in (0, "pair", "")
            and (k, v) != ("draws", 1)
        ]
        return "-".join(p for p in parts if p)


def plan(which: str) -> list[Job]:
    """Return the jobs in the order in which they are worth running."""
    whole = [c for c in ("CHOL", "KICH", "READ")]
    others = [
        c
        for c in TRAINING + UNTRAINED
        if c not in whole and {"T2", "T3"} <= set(published_parts(c))
    ]
    if which == "full":
        jobs = [
            Job("released", "paper"),
            Job("transfer", "paper"),
            Job("general", "corrected", "CHOL", relu="conv"),
            Job("general", "paper", "CHOL", relu="conv"),
        ]
        jobs += [
            Job("transfer", "corrected", seed=s, epochs=4, draws=6, max_samples=90)
            for s in range(3)
        ]
        for protocol in ("corrected", "paper"):
            jobs += [
                Job("general", protocol, c, fold, seed)
                for c in whole
                for fold in range(5)
                for seed in range(3)
            ]
            jobs += [Job("general", protocol, c, seed=seed) for c in others for seed in range(3)]
        return jobs
    jobs = [
        Job("released", "paper"),
        Job("transfer", "corrected", epochs=2, draws=3, max_samples=90),
    ]
    jobs += [Job("general", "corrected", c) for c in whole] + [
        Job("general", "corrected", "CHOL", relu="conv")
    ]
    jobs += [Job("general", "corrected", c, max_samples=90, draws=3) for c in others]
    jobs += [Job("general", "paper", "CHOL")]
    jobs += [
        Job("transfer", "corrected", seed=s, epochs=2, draws=3, max_samples=90) for s in (1, 2)
    ]
    jobs += [Job("general", "corrected", c, fold) for c in whole for fold in range(1, 5)]
    jobs += [
        Job("general", "paper", "KICH"),
        Job("general", "paper", "READ"),
        *(Job("general", "corrected", c, seed=s) for c in whole for s in (1, 2)),
    ]
    jobs += [
        Job("general", "corrected", c, seed=s, max_samples=90, draws=3)
        for s in (1, 2)
        for c in others
    ]
    jobs += [
        Job("general", "corrected", "CHOL", epochs=4, fine_tune_epochs=4, precision=p)
        for p in ("float32", "bfloat16")
    ]
    jobs += [
        Job("general", "corrected", c, max_samples=90) for c in ("KIRC", "KIRP", "LIHC", "LUAD")
    ]  # what the draws are worth
    return jobs + why_not_the_paper() + leave_out()


def why_not_the_paper() -> list[Job]:
    """Return transfer under ``paper`` with other seeds, epochs, samples and genes: what our own training lacks to reach Table 3."""
    given = [
        (0, 50, 31, 45, 0),
        (0, 20, 31, 45, 0),
        (1, 20, 31, 45, 0),
        (2, 20, 31, 45, 0),
        (0, 92, 84, 45, 250),
        (0, 10, 10, 45, 0),
        (0, 10, 10, 0, 0),
    ]
    return [
        Job("transfer", "paper", seed=s, epochs=e, fine_tune_epochs=f, max_samples=n, max_genes=g)
        for s, e, f, n, g in given
    ]


def leave_out() -> list[Job]:
    """Return the jobs by which the way to show samples and to answer was chosen, on training cohorts only."""
    return [
        Job("transfer", "corrected", epochs=e, draws=d, max_samples=90, left_out=p)
        for p in ("KIRP+PRAD", "LUSC+UCEC")
        for e, d in ((1, 3), (3, 1))
    ]


def load(cancer: str) -> Cohort:
    """Return the cohort with every part at hand."""
    whole = "T1" in published_parts(cancer)
    if "F1" not in published_parts(cancer):
        return load_published(cancer, train_part=None)
    return load_cohort(cancer, "published", train_part="T1" if whole else "T2")


def run_general(job: Job, device: str) -> list[dict]:
    """Train on one cohort; return the scores on T2 (where it was not trained on) and T3."""
    cohort = published_folds(load(job.cancer))
    train_part = "T1" if "T1" in cohort.parts else "T2"
    cohort = cohort.with_fold(job.fold) if train_part == "T1" else cohort
    if job.draws > 1:
        return run_drawn(job, cohort, device)
    if job.max_samples:
        cohort = fewer_samples(cohort, job.max_samples, np.random.default_rng(job.seed))
    settings = dict(
        relu=job.relu,
        epochs=job.epochs or None,
        fine_tune_epochs=job.fine_tune_epochs or None,
        random_state=job.seed,
        device=device,
    )
    settings |= {"autocast": job.precision == "bfloat16"} if job.precision else {}
    done = network_steps.general(
        cohort, train_part, protocol=job.protocol, checkpoint=FOLDER / job.name, **settings
    )
    labels = cohort.codes
    rows = []
    for part, experiment in (("T2", "three-class"), ("T3", "general")):
        if part != train_part:
            scores = network_steps.scores_both_ways(labels[done["rows"][part]], *done[part])
            rows.append(
                result_row(
                    cancer=job.cancer,
                    model="DEGnext",
                    experiment=experiment,
                    part=part,
                    scores=scores,
                    fold=job.fold,
                    train_seconds=round(done["seconds"], 1),
                    note=note(
                        job, len(done["history"]), len(done["fine_tune_history"]), train_part
                    ),
                )
            )
    return rows


def run_drawn(job: Job, cohort: Cohort, device: str) -> list[dict]:
    """Train on one cohort with several draws of samples per gene, as transfer does; return the scores on T3 (Q gives the alignment)."""
    start = time.perf_counter()
    model = transfer.train(
        [cohort],
        job.protocol,
        job.epochs or None,
        seed=job.seed,
        device=device,
        max_samples=job.max_samples,
        draws=job.draws,
        fine_tune_part="F1" if "F1" in cohort.parts else "T2",
        checkpoint=FOLDER / job.name,
    )
    seconds, q = time.perf_counter() - start, cohort.rows("Q" if "F1" in cohort.parts else "T3")
    labels, proba = transfer.answer(model, cohort, q, job.max_samples, job.draws, job.seed)
    t3 = np.isin(q, cohort.rows("T3"))
    scores = network_steps.scores_both_ways(
        cohort.codes[q[t3]], labels[t3], proba[t3]
    )
    return [
        result_row(
            cancer=job.cancer,
            model="DEGnext",
            experiment="general",
            part="T3",
            scores=scores,
            fold=job.fold,
            train_seconds=round(seconds, 1),
            note=note(
                job,
                job.epochs or model.rules.epochs,
                0 if job.epochs else model.rules.fine_tune_epochs,
                "T2, F1" if "F1" in cohort.parts else "T2, without F1",
            ),
        )
    ]


def run_transfer(job: Job, device: str) -> list[dict]:
    """Train on the nine training cohorts; return the scores on Q of every untrained cohort at hand, or of those left out."""
    tested = job.left_out.split("+") if job.left_out else UNTRAINED
    cohorts = [
        load(c) for c in TRAINING if c not in tested and {"T2", "F1"} & set(published_parts(c))
    ]
    start = time.perf_counter()
    model = transfer.train(
        cohorts,
        job.protocol,
        job.epochs or None,
        job.max_genes,
        seed=job.seed,
        device=device,
        max_samples=job.max_samples,
        draws=job.draws,
        fine_tune_epochs=job.fine_tune_epochs or None,
        checkpoint=FOLDER / job.name,
    )
    seconds = time.perf_counter() - start
    ways = (
        [(dict(align=a, mirror=m), 0) for a in (False, True) for m in (False, True)]
        if job.left_out and job.draws > 1
        else [({}, 0)]
    )
    ways += (
        [({}, job.max_samples)] if job.protocol == "paper" and job.max_samples else []
    )  # images as small as those trained on
    rows = []
    for whole in (load(c) for c in tested if {"F1", "T3"} <= set(published_parts(c))):
        q = whole.rows("Q")
        for way, n in ways:
            target = fewer_samples(whole, n, np.random.default_rng(job.seed))
            answer = transfer.answer(model, target, q, job.max_samples, job.draws, job.seed, **way)
            said = "".join(f"; {k if v else 'not ' + k}ed" for k, v in way.items()) + (
                f"; target cut to {n} samples" if n else ""
            )
            rows.append(
                result_row(
                    cancer=whole.name,
                    model="DEGnext",
                    experiment="transfer",
                    part="Q",
                    scores=network_steps.scores_both_ways(
                        whole.codes[q], *answer
                    ),
                    fold=0,
                    train_seconds=round(seconds, 1),
                    note=note(
                        job,
                        job.epochs or model.rules.epochs,
                        job.fine_tune_epochs,
                        "T2, F1 at hand",
                    )
                    + said,
                )
            )
    return rows


def run_released(job: Job, device: str) -> list[dict]:
    """Return the scores of the authors' weights on Q of every untrained cohort at hand."""
    model, rows = transfer.released_network(), []
    if model is None:
        raise InputError(
            "the authors' weights are not at hand: put DEGnextModel.pth into DEGNEXT_DATA/released_weights"
        )
    for target in (load(c) for c in UNTRAINED if {"F1", "T3"} <= set(published_parts(c))):
        q = target.rows("Q")
        scores = network_steps.scores_both_ways(
            target.codes[q], *transfer.answer(model, target, q)
        )
        rows.append(
            result_row(
                cancer=target.name,
                model="DEGnext",
                experiment="transfer",
                part="Q",
                scores=scores,
                fold=0,
                note="the authors' released weights",
            )
        )
    return rows


RUN = {"general": run_general, "transfer": run_transfer, "released": run_released}


def note(job: Job, epochs: int, fine_tune_epochs: int, train_part: str) -> str:
    """Say in words what the run was given."""
    said = [
        f"trained on {train_part}",
        f"{epochs} + {fine_tune_epochs} epochs" if fine_tune_epochs else f"{epochs} epochs",
    ]
    said += [f"relu={job.relu}"] if job.relu != "pair" else []
    said += [f"in {job.precision}, compared once"] if job.precision else []
    said += [f"cohorts cut to {job.max_samples} samples"] if job.max_samples else []
    said += [f"at most {job.max_genes} genes a cohort and stage"] if job.max_genes else []
    said += [f"{job.draws} draws of samples"] if job.draws > 1 else []
    said += [f"{job.left_out.replace('+', ' and ')} left out"] if job.left_out else []
    return "; ".join(said)


def run(job: Job, device: str) -> None:
    """Run one job and leave its table and its record."""
    resumed = (FOLDER / job.name).exists()
    print(f"{time.strftime('%H:%M')} {job.name}", flush=True)
    start = time.perf_counter()
    rows = RUN[job.experiment](job, device)
    table = result_table(rows).assign(source="published", protocol=job.protocol, seed=job.seed)
    if resumed:  # the seconds of this call alone would be no training time
        table["train_seconds"] = float("nan")
    write_atomic(
        FOLDER / f"{job.name}.json",
        asdict(job)
        | {
            "device": str(pick_device(device)),
            "threads": torch.get_num_threads(),
            "processor": platform.machine(),
            "torch": torch.__version__,
            "degnext": degnext.__version__,
            "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%d"),
            "commit": COMMIT,
            "code": CODE,
            "data": {
                "source": "github.com/tulikakakati/DEGnext, datasets/",
                "commit": PUBLISHED_COMMIT,
            },
            "seconds": None if resumed else round(time.perf_counter() - start, 1),
        },
    )
    write_atomic(FOLDER / f"{job.name}.csv", table.to_csv(index=False))
    shutil.rmtree(FOLDER / job.name, ignore_errors=True)
    print(
        table[["cancer", "part", "accuracy", "mcc", "train_seconds"]].to_string(
            index=False, header=False
        ),
        flush=True,
    )
    collect()


def commit() -> str:
    """Return the commit that the code stands at, "+" where files have been changed since."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=Path(__file__).parents[2], capture_output=True, text=True
        ).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (
        "+" if git("status", "--porcelain", "--", "degnext", "scripts") else ""
    )


# as they are when the run starts
COMMIT, CODE = (
    commit(),
    code_digest(
        (
            "cohorts",
            "encode",
            "estimator",
            "labels",
            "model",
            "network_steps",
            "profile",
            "profile_steps",
            "sparse_max",
            "train",
            "transfer",
        )
    ),
)


def collect() -> None:
    """Write data/results/network.csv and network.run.json from every finished job."""
    key = ["experiment", "protocol", "cancer", "part", "fold", "seed", "note"]
    tables = [pd.read_csv(p) for p in [TABLE, *sorted(FOLDER.glob("*.csv"))] if p.exists()]
    table = (
        pd.concat(tables, ignore_index=True)
        .round(5)
        .drop_duplicates(key, keep="last")
        .sort_values(key, ignore_index=True)
    )
    write_atomic(TABLE, table.to_csv(index=False))
    write_atomic(
        RECORD,
        dict(
            sorted(
                (
                    recorded() | {p.stem: json.loads(p.read_text()) for p in FOLDER.glob("*.json")}
                ).items()
            )
        ),
    )


def recorded() -> dict:
    """Return the records of the runs whose scores are in data/results/network.csv."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


def main() -> int:
    """Run what is asked for and not done yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plan", choices=("cpu", "full"), default="cpu")
    parser.add_argument("--only", default="", help="regular expression of job names")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--again", action="store_true", help="run jobs that are recorded already, too"
    )
    parser.add_argument("--list", action="store_true", help="show the jobs and which are recorded")
    args = parser.parse_args()
    try:
        jobs = [j for j in plan(args.plan) if re.search(args.only, j.name)]
        for job in jobs:
            done = not args.again and job.name in recorded()
            if args.list:
                print("done" if job.name in recorded() else "    ", job.name)
            elif not done:
                run(job, args.device)
    except InputError as error:
        print(f"run_network: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
