"""Training for transfer, as chapter 4 asks for it: on which cohorts, once for all targets."""

from __future__ import annotations

import time
from dataclasses import asdict

from degnext._common.errors import InputError
from degnext._common.files import read_record, write_atomic
from degnext.cohorts.cohort import TRAINING, Cohort, check_cancer
from degnext.cohorts.demo import DEMO_CANCERS
from degnext.learning.classifier import DEGnextClassifier
from degnext.learning.transfer import TransferSettings, train
from degnext.running.dependencies import code_digest
from degnext.running.notebook_run import NotebookRun
from degnext.running.provenance import checksum, key


def training_names(cancer: str, source: str, train_cancers: str = "") -> list[str]:
    """Return the cohorts to train on, never ``cancer``: those named, the paper's or the demo's."""
    if train_cancers.strip():
        names = [check_cancer(c.strip()) for c in train_cancers.split(",")]
        if cancer in names:
            raise InputError(f"{cancer} is the cohort to test on: take it out of train_cancers")
        return names
    return [c for c in (TRAINING if source == "published" else DEMO_CANCERS) if c != cancer]


def training_cohorts(run: NotebookRun) -> list[Cohort]:
    """Load the training cohorts of a run; a source that has none takes the demo's, and says so."""
    source = run.source if run.source in ("demo", "published") else "demo"
    if source != run.source:
        print(f"NOTE: source {run.source!r} has no training cohorts of its own, so the networks")
        print("below are trained on SYNTHETIC demo cohorts.")
        run.note(trained_on="synthetic demo cohorts")
    names = training_names(run.cancer, source, run.parameters.get("train_cancers", ""))
    cohorts = [run.cohort("labeled", other=name, source=source) for name in names]
    cohorts = [c for c in cohorts if set(c.parts) != {"T3"}]  # BRCA as it is at hand
    if not cohorts:
        cure = "name cohorts that are at hand in train_cancers"
        raise InputError(f"no training cohort has a part to train on: {cure}")
    return cohorts


def train_once(
    run: NotebookRun,
    cohorts: list[Cohort],
    settings: TransferSettings,
    device: str = "auto",
    progress: bool = False,
) -> tuple[DEGnextClassifier, float]:
    """Return ``train``'s estimator and its seconds; the same training is done once for all targets.

    Weights lie in ``<results>/<source>/transfer/`` under a name made of settings, cohorts and code.
    """
    facts = asdict(settings) | {"cohorts": {c.name: checksum(c) for c in cohorts}}
    facts |= {"code": code_digest("degnext.learning.transfer")}
    path = run.folder.parents[1] / "transfer" / f"{key(facts)[:16]}.safetensors"
    log = path.with_suffix(".json")  # written last: where it is, the weights are whole
    if path.exists() and (known := read_record(log)):
        print("These cohorts were trained on before with the same settings: taking those weights.")
        return DEGnextClassifier.from_pretrained(path, device), known["seconds"]
    start = time.perf_counter()
    model = train(cohorts, settings, device=device, progress=progress)
    seconds = time.perf_counter() - start
    model.save(path)
    write_atomic(log, facts | {"seconds": round(seconds, 1)})
    return model, seconds
