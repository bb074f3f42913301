"""Transfer learning with the paper's network: train on some cohorts, test on one that none of them is."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from .cohorts import NEUTRAL, TRAINING, LabeledCohort, check_cancer
from .encode import Standardizer, grid_image, row_values
from .errors import InputError
from .estimator import DEGnext
from .files import write_atomic
from .model import DEGnextCNN
from .paths import shared_data
from .profile import direction_offset, shift_groups
from .profile_steps import genes_of
from .train import fit, two_class_loss

if TYPE_CHECKING:
    from .run import Step

ANSWER_DRAWS = 9  # images per gene of a target cohort


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
    """Return the cohort with at most ``n`` samples (0: all) in the cohort's own proportion of groups, at least five of each."""
    normal, tumor = np.flatnonzero(~cohort.is_tumor), np.flatnonzero(cohort.is_tumor)
    total = len(normal) + len(tumor)
    if n == 0 or total <= n:
        return cohort
    chosen = [rng.choice(g, min(len(g), max(5, round(n * len(g) / total))), replace=False) for g in (normal, tumor)]
    return replace(cohort, counts=cohort.counts.iloc[:, np.concatenate(chosen)])


def drawn_samples(cohort: LabeledCohort, n: int, rng: np.random.Generator, balanced: bool = False) -> LabeledCohort:
    """Return the cohort with at most ``n`` of its samples (0: all of them), in a random proportion of groups or in equal parts.

    Where an image changes from normal to tumor depends on the proportion, and a network that has met one border only looks
    for it there. Shown many proportions in training, it can be shown equal parts of any cohort later. A random draw has
    five normal samples or more, and at least as many tumor ones, where there are so many.
    """
    if n == 0:
        return cohort
    normal, tumor = np.flatnonzero(~cohort.is_tumor), np.flatnonzero(cohort.is_tumor)
    most = min(n // 2, len(normal))
    n_normal = n_tumor = min(most, len(tumor))
    if not balanced:
        n_normal = int(rng.integers(min(5, most), most + 1))
        n_tumor = min(int(rng.integers(n_normal, n - n_normal + 1)), len(tumor))
    chosen = [rng.choice(normal, n_normal, replace=False), rng.choice(tumor, n_tumor, replace=False)]
    return replace(cohort, counts=cohort.counts.iloc[:, np.concatenate(chosen)])


def scale_factors(cohort: LabeledCohort, changed: np.ndarray | None = None) -> pd.Series:
    """Return millions of counts per sample, estimated from every gene at hand.

    Where a part of the table is missing the parts at hand count for it (:func:`degnext.profile.part_weights`). ``changed`` are
    rows of differentially expressed genes, of whichever direction: the log2 ratio at which they turn from down to up is then
    brought to 0 without any label (:func:`degnext.profile.direction_offset`), as for the profile network.
    """
    genes = genes_of(cohort, changed)
    factors = genes.factors
    if changed is not None:
        factors = shift_groups(factors, cohort.is_tumor, direction_offset(genes.counts, cohort.is_tumor, factors))
    return pd.Series(factors, index=cohort.counts.columns)


def train(
    cohorts: list[LabeledCohort], protocol: str = "corrected", epochs: int | None = None, max_genes: int = 0, seed: int = 0,
    device: str = "auto", progress: bool = False, *, max_samples: int = 0, draws: int = 1, fine_tune_part: str = "F1", fine_tune_epochs: int | None = None,
    checkpoint: Path | None = None,
) -> DEGnext:
    """Train both stages on all ``cohorts``, without their T3, and return the two-class estimator.

    ``paper`` trains on the cohorts one after another, ``corrected`` on shuffled batches of all of them. Library sizes
    come from all genes of a cohort (:func:`scale_factors`), the standardisation from training genes. ``max_genes`` cuts each cohort and stage,
    ``max_samples`` each cohort's samples: once and for all with ``draws=1`` or under ``paper``; else every gene is shown
    ``draws`` times, each time over other samples. The two-class stage learns the called genes of ``fine_tune_part``, for
    ``fine_tune_epochs`` or, without it, the protocol's number, but no more than ``epochs``. Neither stage has validation genes: the last epoch is taken.
    In the folder ``checkpoint`` a killed run goes on where it was.
    """
    model = DEGnext(protocol, random_state=seed, device=device)
    rules, rng = model.rules, np.random.default_rng(seed)
    stages = {"three classes": [], "two classes": []}
    cut, draws = (drawn_samples, draws) if is_drawn(protocol, max_samples, draws) else (fewer_samples, 1)
    for cohort, factors in ((c, f) for c in cohorts for f in [scale_factors(c)] for _ in range(draws)):
        shown = cut(cohort, max_samples, rng)
        v = row_values(shown, rules.scaling, factors[shown.counts.columns])
        for stage, parts in (("three classes", ("T1", "T2")), ("two classes", (fine_tune_part,))):
            rows = np.flatnonzero(cohort.genes["part"].isin(parts) & ((cohort.genes["label"] != NEUTRAL) | (stage == "three classes")))
            rows = rng.choice(rows, max_genes, replace=False) if 0 < max_genes < len(rows) else rows
            if len(rows):
                stages[stage].append((v[rows], cohort.genes["label"].to_numpy()[rows]))
    model.standardizer_ = Standardizer().fit_many([v for v, _ in stages["three classes"]]) if rules.standardize else None
    n_epochs = {"three classes": epochs or rules.epochs, "two classes": fine_tune_epochs or min(epochs or rules.fine_tune_epochs, rules.fine_tune_epochs)}
    batch_size = {"three classes": rules.batch_size, "two classes": rules.fine_tune_batch_size}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.network_ = DEGnextCNN(3, "pair", rules.squash)
        model.history_ = []
        for stage, loss in (("three classes", nn.functional.cross_entropy), ("two classes", two_class_loss)):
            if stage == "two classes":
                model.network_.to_two_class()
            data = [(grid_image(model.standardizer_.transform(v) if model.standardizer_ else v), y) for v, y in stages[stage]]
            for k, group in enumerate([[d] for d in data] if protocol == "paper" else [data]):
                options = dict(epochs=n_epochs[stage], batch_size=batch_size[stage], lr=rules.lr, seed=seed, device=device, progress=progress, name=stage)
                options |= {"checkpoint": checkpoint / f"{stage.split()[0]}-{k}.safetensors"} if checkpoint else {}
                model.history_ += fit(model.network_, [d[0] for d in group], [d[1] for d in group], loss=loss, **options)
    model.stage_, model.classes_ = "two-class", np.arange(2)
    return model


def is_drawn(protocol: str, max_samples: int, draws: int) -> bool:
    """Tell whether images are made of random draws of samples."""
    return protocol != "paper" and max_samples > 0 and draws > 1


def answer(model: DEGnext, target: LabeledCohort, rows: np.ndarray, max_samples: int = 0, draws: int = 1, seed: int = 0, align: bool = True, mirror: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities (N, 2) of the target's genes at ``rows``, all taken to be differentially expressed.

    A network trained on several draws of ``max_samples`` samples is shown ``ANSWER_DRAWS`` balanced draws of the target's, and the
    logits are averaged. Each draw is also shown with the groups exchanged, as which it is the image of a gene changed the other
    way: half the difference of the two logits is free of any leaning to one class (``mirror``). Else all samples make one image.
    """
    drawn = is_drawn(model.protocol, max_samples, draws)
    rng, logit, factors = np.random.default_rng(seed), np.zeros(len(rows)), scale_factors(target, rows if align else None)
    asked = replace(target, counts=target.counts.iloc[rows])
    for _ in range(ANSWER_DRAWS if drawn else 1):
        shown = drawn_samples(asked, max_samples, rng, balanced=True) if drawn else asked
        values = row_values(shown, model.rules.scaling, factors[shown.counts.columns])
        here = model.decision_function(values)
        if drawn and mirror:
            here = (here - model.decision_function(np.roll(values, shown.n_tumor, axis=1))) / 2
        logit += here / (ANSWER_DRAWS if drawn else 1)
    up = 1 / (1 + np.exp(-np.clip(logit, -700, 700)))
    return (logit > model.rules.threshold_on_logit).astype(int), np.column_stack([1 - up, up])


def train_once(step: Step, cohorts: list[LabeledCohort], **settings: Any) -> tuple[DEGnext, float]:
    """Return :func:`train`'s estimator and its training seconds; the same cohorts and settings are trained once for all targets.

    Weights lie in ``<results>/<source>/transfer/`` under a name made from the settings and the counts that were trained on.
    """
    facts = {k: v for k, v in settings.items() if k not in ("device", "progress")}
    facts |= {"cohorts": [[c.cancer, *c.counts.shape, int(c.counts.to_numpy().sum())] for c in cohorts], "version": 7}
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
