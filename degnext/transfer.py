"""Transfer learning with the paper's network: train on some cohorts, test on one that none of them is."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from .cohorts import TRAINING, LabeledCohort, check_cancer
from .encode import Standardizer, grid_image, row_values
from .errors import InputError
from .estimator import DEGnext
from .files import write_atomic
from .model import DEGnextCNN
from .paths import shared_data
from .train import fit, two_class_loss

if TYPE_CHECKING:
    from .run import Step


def training_names(cancer: str, source: str, train_cancers: str = "") -> list[str]:
    """Return the cohorts to train on: those named, else the paper's nine, else the other demo cohorts; never ``cancer``."""
    if train_cancers.strip():
        names = [check_cancer(c.strip()) for c in train_cancers.split(",")]
        if cancer in names:
            raise InputError(f"{cancer} is the cohort to test on: take it out of train_cancers")
        return names
    if source == "published":
        return [c for c in TRAINING if c != cancer]
    from .simulate import DEMO_CANCERS

    return [c for c in DEMO_CANCERS if c != cancer]


def training_cohorts(step: Step) -> list[LabeledCohort]:
    """Load the training cohorts of a transfer step; a source without cohorts of its own takes the demo's."""
    from .pipeline import labeled_named

    p = step.parameters
    source = step.source if step.source in ("demo", "published") else "demo"
    if source != step.source:
        print(f"NOTE: source {step.source!r} has no training cohorts of its own, so the networks below are trained on SYNTHETIC demo cohorts.")
        step.note(trained_on="synthetic demo cohorts")
    cohorts = []
    for name in training_names(step.cancer, source, p.get("train_cancers", "")):
        cohort = labeled_named(name, source, step)
        if set(cohort.parts) == {"T3"}:  # BRCA as it is at hand: nothing to train on
            continue
        cohorts.append(cohort)
    if not cohorts:
        raise InputError("no training cohort has a part to train on: name cohorts that are at hand in train_cancers")
    return cohorts


def fewer_samples(cohort: LabeledCohort, n: int, rng: np.random.Generator) -> LabeledCohort:
    """Return the cohort with at most ``n`` samples in the cohort's own proportion of groups, at least five of each.

    The proportion stays because it is where the image changes from normal to tumor: a network trained on balanced
    images looks for that border in the wrong place.
    """
    total = cohort.counts.shape[1]
    if total <= n:
        return cohort
    chosen = []
    for members in (np.flatnonzero(~cohort.is_tumor), np.flatnonzero(cohort.is_tumor)):
        wanted = max(5, round(n * len(members) / total))
        chosen.append(rng.choice(members, min(len(members), wanted), replace=False))
    return replace(cohort, counts=cohort.counts.iloc[:, np.concatenate(chosen)])


def train(
    cohorts: list[LabeledCohort], protocol: str = "corrected", epochs: int | None = None, max_genes: int = 0, seed: int = 0,
    device: str = "auto", progress: bool = False,
) -> DEGnext:
    """Train both stages on all ``cohorts``, without their T3, and return the two-class estimator.

    ``paper`` trains on the cohorts one after another, ``corrected`` on shuffled batches of all of them. Library sizes
    come from all genes of a cohort, the standardisation from training genes. ``max_genes`` cuts each cohort and stage.
    """
    model = DEGnext(protocol, random_state=seed, device=device)
    rules, rng = model.rules, np.random.default_rng(seed)
    values = [row_values(c, rules.scaling) for c in cohorts]
    stages = {"three classes": [], "two classes": []}
    for cohort, v in zip(cohorts, values):
        for stage, parts in (("three classes", ("T1", "T2")), ("two classes", ("F1",))):
            rows = np.flatnonzero(cohort.genes["part"].isin(parts))
            rows = rng.choice(rows, max_genes, replace=False) if 0 < max_genes < len(rows) else rows
            if len(rows):
                stages[stage].append((v[rows], cohort.genes["label"].to_numpy()[rows]))
    model.standardizer_ = Standardizer().fit_many([v for v, _ in stages["three classes"]]) if rules.standardize else None
    n_epochs = {"three classes": epochs or rules.epochs, "two classes": min(epochs or rules.fine_tune_epochs, rules.fine_tune_epochs)}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.network_ = DEGnextCNN(3, "pair", rules.squash)
        model.history_ = []
        for stage, loss in (("three classes", nn.functional.cross_entropy), ("two classes", two_class_loss)):
            if stage == "two classes":
                model.network_.to_two_class()
            data = [(grid_image(model.standardizer_.transform(v) if model.standardizer_ else v), y) for v, y in stages[stage]]
            for group in [[d] for d in data] if protocol == "paper" else [data]:
                options = dict(epochs=n_epochs[stage], batch_size=rules.batch_size, lr=rules.lr, seed=seed, device=device, progress=progress, name=stage)
                model.history_ += fit(model.network_, [d[0] for d in group], [d[1] for d in group], loss=loss, **options)
    model.stage_, model.classes_ = "two-class", np.arange(2)
    return model


def train_once(step: Step, cohorts: list[LabeledCohort], max_samples: int = 0, **settings: Any) -> tuple[DEGnext, float]:
    """Return :func:`train`'s estimator and its training seconds; the same cohorts and settings are trained once for all targets.

    ``max_samples`` cuts each cohort to a random choice of samples, in its own proportion of groups. Weights lie in ``<results>/<source>/transfer/`` under a name made from the settings and the counts that were trained on.
    """
    if max_samples:
        cohorts = [fewer_samples(c, max_samples, np.random.default_rng([step.seed, *c.cancer.encode()])) for c in cohorts]
    facts = {k: v for k, v in settings.items() if k not in ("device", "progress")}
    facts |= {"cohorts": [[c.cancer, *c.counts.shape, int(c.counts.to_numpy().sum())] for c in cohorts], "version": 3}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    path = step.folder.parents[1] / "transfer" / f"{key}.safetensors"
    log = path.with_suffix(".json")
    if path.exists() and log.exists():
        print("These cohorts were trained on before with the same settings: taking those weights.")
        return DEGnext.load(path, settings.get("device", "auto")), json.loads(log.read_text())["seconds"]
    start = time.perf_counter()
    model = train(cohorts, **settings)
    seconds = time.perf_counter() - start
    model.save(path)
    write_atomic(log, facts | {"seconds": round(seconds, 1)})
    return model, seconds


def released_network() -> DEGnext | None:
    """Return the authors' fine-tuned network from ``DEGNEXT_DATA/released_weights``, or None where it is not at hand."""
    shared = shared_data()
    path = shared / "released_weights" / "DEGnextModel.pth" if shared else None
    return DEGnext.load_released(path) if path is not None and path.exists() else None
