"""What one job of the paper's network does: train, test, return rows of ``network.csv``."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from degnext._common.errors import InputError
from degnext._common.paths import results_dir
from degnext.cohorts.cohort import TRAINING, UNTRAINED, Cohort
from degnext.cohorts.load import load_cohort
from degnext.cohorts.perturb import fewer_samples
from degnext.cohorts.published import load_published, published_parts
from degnext.evaluation.metrics import RESULT_COLUMNS, result_row, scores_both_ways
from degnext.labeling.calls import published_folds
from degnext.learning import transfer
from degnext.learning.classifier import PROTOCOLS, Protocol
from degnext.learning.transfer import TransferSettings
from reproduction import paper_network
from reproduction.experiments.network_jobs import Job

# what a run was given; ``variant`` is main where nothing but the paper's settings is at stake
SETTINGS = (
    "epochs",
    "fine_tune_epochs",
    "draws",
    "max_samples",
    "max_genes",
    "relu",
    "dtype",
    "align",
    "mirror",
    "variant",
)
COLUMNS = (*(c for c in RESULT_COLUMNS if c != "note"), *SETTINGS, "note")


def checkpoint(job: Job) -> Path:
    """Return the folder in which a killed job leaves its last epoch."""
    return results_dir() / "network" / job.name


def load(cancer: str) -> Cohort:
    """Return the cohort with every part at hand."""
    parts = published_parts(cancer)
    if "F1" not in parts:
        return load_published(cancer, train_part=None)
    return load_cohort(cancer, "published", train_part="T1" if "T1" in parts else "T2")


def variant(job: Job, target_cut: int = 0) -> str:
    """Name what sets a run apart from the main ones: one word for the column ``variant``."""
    reasons = {
        "target cut": target_cut,
        "left out": job.left_out,
        "few genes": job.max_genes,
        "relu": job.relu != "pair",
        "precision": job.precision,
        "released": job.experiment == "released",
    }
    return next((name for name, holds in reasons.items() if holds), "main")


def labels_of(cohort: Cohort) -> np.ndarray:
    """Return each gene's label, spelled."""
    return cohort.genes["label"].to_numpy()


def row(job: Job, labels: np.ndarray, answer: tuple, note: str, **more: object) -> dict:
    """Return one row of the table: scores over all genes and over batches, and what was given."""
    given = {"draws": job.draws, "max_samples": job.max_samples, "max_genes": job.max_genes}
    given |= {"relu": job.relu, "dtype": job.precision or "float32", "variant": variant(job)}
    given |= {k: more.pop(k) for k in SETTINGS if k in more}
    scores = scores_both_ways(labels, *answer)
    facts = {"source": "published", "protocol": job.protocol, "seed": job.seed, "fold": job.fold}
    found = result_row(model="DEGnext", scores=scores, note=note, **facts, **more)
    return dict.fromkeys(COLUMNS) | found | given


def general(job: Job, device: str) -> list[dict]:
    """Train on one cohort; return the scores on T2 (where it was not trained on) and T3."""
    cohort = published_folds(load(job.cancer))
    train_part = "T1" if "T1" in cohort.parts else "T2"
    cohort = cohort.with_fold(job.fold) if train_part == "T1" else cohort
    if job.draws > 1:
        return general_drawn(job, cohort, device)
    if job.max_samples:
        cohort = fewer_samples(cohort, job.max_samples, np.random.default_rng(job.seed))
    settings = {"relu": job.relu, "random_state": job.seed, "device": device}
    settings |= {"epochs": job.epochs or None, "fine_tune_epochs": job.fine_tune_epochs or None}
    settings |= {"protocol": protocol(job), "checkpoint": checkpoint(job)}
    done = paper_network.general(cohort, train_part, **settings)
    facts = {"cancer": job.cancer, "note": f"trained on {train_part}"}
    facts |= {"train_seconds": round(done["seconds"], 1), "epochs": len(done["history"])}
    facts |= {"fine_tune_epochs": len(done["fine_tune_history"])}
    labels, rows = labels_of(cohort), done["rows"]
    return [
        row(job, labels[rows[part]], done[part], part=part, experiment=experiment, **facts)
        for part, experiment in (("T2", "three-class"), ("T3", "general"))
        if part != train_part
    ]


def protocol(job: Job) -> str:
    """Name the job's protocol; one in bfloat16 is made known where the job asks for it."""
    if job.precision != "bfloat16":
        return job.protocol
    rules, name = PROTOCOLS[job.protocol], f"{job.protocol}, bfloat16"
    half = {k: replace(getattr(rules, k), bfloat16=True) for k in ("fit", "fine_tune")}
    PROTOCOLS[name] = replace(rules, **half)
    return name


def epochs_of(job: Job, rules: Protocol) -> dict[str, int]:
    """Return the epochs of both stages, as :func:`degnext.learning.transfer.train` counts them."""
    first = job.epochs or rules.fit.epochs
    most = min(first, rules.fine_tune.epochs)
    return {"epochs": first, "fine_tune_epochs": job.fine_tune_epochs or most}


def transfer_settings(job: Job, fine_tune_part: str = "F1") -> TransferSettings:
    """Return what :func:`degnext.learning.transfer.train` is to do."""
    same = ("protocol", "max_genes", "max_samples", "draws", "seed")
    given = {name: getattr(job, name) for name in same} | {"fine_tune_part": fine_tune_part}
    given |= {"epochs": job.epochs or None, "fine_tune_epochs": job.fine_tune_epochs or None}
    return TransferSettings(**given)


def general_drawn(job: Job, cohort: Cohort, device: str) -> list[dict]:
    """Train on one cohort with several draws of samples per gene; return the scores on T3.

    The alignment is estimated on all of Q, where F1 is at hand.
    """
    start, tuned = time.perf_counter(), "F1" if "F1" in cohort.parts else "T2"
    settings = transfer_settings(job, tuned)
    model = transfer.train([cohort], settings, device=device, checkpoint=checkpoint(job))
    seconds = round(time.perf_counter() - start, 1)
    q = cohort.rows("Q" if tuned == "F1" else "T3")
    t3 = np.isin(q, cohort.rows("T3"))
    found = transfer.answer(model, cohort, q, settings, seed=job.seed)
    answer = tuple(values[t3] for values in found)
    facts = {"cancer": job.cancer, "experiment": "general", "part": "T3", "train_seconds": seconds}
    note = "trained on T2, F1" if tuned == "F1" else "trained on T2, without F1"
    facts |= epochs_of(job, model.rules) | {"note": note}
    return [row(job, labels_of(cohort)[q[t3]], answer, **facts)]


def between_cohorts(job: Job, device: str) -> list[dict]:
    """Train on the training cohorts; return the scores on Q of all others, or of those left out."""
    tested = job.left_out.split("+") if job.left_out else UNTRAINED
    used = [c for c in TRAINING if c not in tested and {"T2", "F1"} & set(published_parts(c))]
    start = time.perf_counter()
    settings, cohorts = transfer_settings(job), [load(c) for c in used]
    model = transfer.train(cohorts, settings, device=device, checkpoint=checkpoint(job))
    facts = {"train_seconds": round(time.perf_counter() - start, 1), "experiment": "transfer"}
    facts |= {"part": "Q"} | epochs_of(job, model.rules)
    rows = []
    for whole in (load(c) for c in tested if {"F1", "T3"} <= set(published_parts(c))):
        q = whole.rows("Q")
        for way, n in ways_to_answer(job):
            target = fewer_samples(whole, n, np.random.default_rng(job.seed))
            answer = transfer.answer(model, target, q, settings, seed=job.seed, **way)
            note = "trained on T2, F1 at hand" + (f"; target cut to {n} samples" if n else "")
            how = way | {"cancer": whole.name, "variant": variant(job, n), "note": note}
            rows.append(row(job, labels_of(whole)[q], answer, **how, **facts))
    return rows


def ways_to_answer(job: Job) -> list[tuple[dict[str, bool], int]]:
    """Return the ways in which a job's network is asked: options, number of target samples."""
    if job.left_out and job.draws > 1:
        return [({"align": a, "mirror": m}, 0) for a in (False, True) for m in (False, True)]
    cut = job.protocol == "paper" and job.max_samples  # images as small as those trained on
    return [({}, 0), ({}, job.max_samples)] if cut else [({}, 0)]


def released(job: Job, device: str) -> list[dict]:
    """Return the scores of the authors' weights on Q of every untrained cohort at hand."""
    model, rows = transfer.released_network(), []
    if model is None:
        raise InputError(
            "the authors' weights are not at hand: put DEGnextModel.pth into released_weights/ of "
            "DEGNEXT_DATA"
        )
    for target in (load(c) for c in UNTRAINED if {"F1", "T3"} <= set(published_parts(c))):
        q = target.rows("Q")
        facts = {"cancer": target.name, "experiment": "transfer", "part": "Q"}
        facts["note"] = "the authors' released weights"
        rows.append(row(job, labels_of(target)[q], transfer.answer(model, target, q), **facts))
    return rows


RUN = {"general": general, "transfer": between_cohorts, "released": released}
