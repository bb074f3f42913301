"""Transfer learning with the paper's network: train on some cohorts, test on one that none of them is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import nn

from degnext._common.paths import shared_data
from degnext.cohorts.cohort import NEUTRAL, Cohort
from degnext.cohorts.perturb import fewer_samples
from degnext.learning.classifier import DEGnext
from degnext.learning.images import Standardizer, grid_image, row_values
from degnext.learning.network import DEGnextCNN
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.genes import genes_of
from degnext.learning.training import fit, two_class_loss

if TYPE_CHECKING:
    pass

ANSWER_DRAWS = 9  # images per gene of a target cohort


def scale_factors(cohort: Cohort, changed: np.ndarray | None = None) -> pd.Series:
    """Return millions of counts per sample, estimated from every gene at hand.

    Where a part of the table is missing the parts at hand count for it (:func:`degnext.cohorts.published.part_weights`). ``changed`` are
    rows of differentially expressed genes, of whichever direction: the log2 ratio at which they turn from down to up is then
    brought to 0 without any label (:func:`degnext.learning.profile.alignment.direction_offset`), as for the profile network.
    """
    genes = genes_of(cohort, changed)
    factors = genes.factors
    if changed is not None:
        factors = shift_groups(
            factors, cohort.is_tumor, direction_offset(genes.counts, cohort.is_tumor, factors)
        )
    return pd.Series(factors, index=cohort.counts.columns)


def train(
    cohorts: list[Cohort],
    protocol: str = "corrected",
    epochs: int | None = None,
    max_genes: int = 0,
    seed: int = 0,
    device: str = "auto",
    progress: bool = False,
    *,
    max_samples: int = 0,
    draws: int = 1,
    fine_tune_part: str = "F1",
    fine_tune_epochs: int | None = None,
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
    drawn = is_drawn(protocol, max_samples, draws)
    groups, draws = ("random", draws) if drawn else ("proportional", 1)
    for cohort, factors in (
        (c, f) for c in cohorts for f in [scale_factors(c)] for _ in range(draws)
    ):
        shown = fewer_samples(cohort, max_samples, rng, groups)
        v = row_values(shown, rules.scaling, factors[shown.counts.columns])
        for stage, parts in (("three classes", ("T1", "T2")), ("two classes", (fine_tune_part,))):
            rows = np.flatnonzero(
                cohort.genes["part"].isin(parts)
                & ((cohort.codes != NEUTRAL) | (stage == "three classes"))
            )
            rows = rng.choice(rows, max_genes, replace=False) if 0 < max_genes < len(rows) else rows
            if len(rows):
                stages[stage].append((v[rows], cohort.codes[rows]))
    model.standardizer_ = (
        Standardizer().fit_many([v for v, _ in stages["three classes"]])
        if rules.standardize
        else None
    )
    n_epochs = {
        "three classes": epochs or rules.epochs,
        "two classes": fine_tune_epochs
        or min(epochs or rules.fine_tune_epochs, rules.fine_tune_epochs),
    }
    batch_size = {"three classes": rules.batch_size, "two classes": rules.fine_tune_batch_size}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.network_ = DEGnextCNN(3, "pair", rules.squash)
        model.history_ = []
        for stage, loss in (
            ("three classes", nn.functional.cross_entropy),
            ("two classes", two_class_loss),
        ):
            if stage == "two classes":
                model.network_.to_two_class()
            data = [
                (grid_image(model.standardizer_.transform(v) if model.standardizer_ else v), y)
                for v, y in stages[stage]
            ]
            for k, group in enumerate([[d] for d in data] if protocol == "paper" else [data]):
                options = dict(
                    epochs=n_epochs[stage],
                    batch_size=batch_size[stage],
                    lr=rules.lr,
                    seed=seed,
                    device=device,
                    progress=progress,
                    name=stage,
                )
                options |= (
                    {"checkpoint": checkpoint / f"{stage.split()[0]}-{k}.safetensors"}
                    if checkpoint
                    else {}
                )
                model.history_ += fit(
                    model.network_,
                    [d[0] for d in group],
                    [d[1] for d in group],
                    loss=loss,
                    **options,
                )
    model.stage_, model.classes_ = "two-class", np.arange(2)
    return model


def is_drawn(protocol: str, max_samples: int, draws: int) -> bool:
    """Tell whether images are made of random draws of samples."""
    return protocol != "paper" and max_samples > 0 and draws > 1


def answer(
    model: DEGnext,
    target: Cohort,
    rows: np.ndarray,
    max_samples: int = 0,
    draws: int = 1,
    seed: int = 0,
    align: bool = True,
    mirror: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities (N, 2) of the target's genes at ``rows``, all taken to be differentially expressed.

    A network trained on several draws of ``max_samples`` samples is shown ``ANSWER_DRAWS`` balanced draws of the target's, and the
    logits are averaged. Each draw is also shown with the groups exchanged, as which it is the image of a gene changed the other
    way: half the difference of the two logits is free of any leaning to one class (``mirror``). Else all samples make one image.
    """
    drawn = is_drawn(model.protocol, max_samples, draws)
    rng, logit, factors = (
        np.random.default_rng(seed),
        np.zeros(len(rows)),
        scale_factors(target, rows if align else None),
    )
    asked = replace(target, counts=target.counts.iloc[rows])
    for _ in range(ANSWER_DRAWS if drawn else 1):
        shown = fewer_samples(asked, max_samples, rng, "equal") if drawn else asked
        values = row_values(shown, model.rules.scaling, factors[shown.counts.columns])
        here = model.decision_function(values)
        if drawn and mirror:
            here = (here - model.decision_function(np.roll(values, shown.n_tumor, axis=1))) / 2
        logit += here / (ANSWER_DRAWS if drawn else 1)
    up = 1 / (1 + np.exp(-np.clip(logit, -700, 700)))
    return (logit > model.rules.threshold_on_logit).astype(int), np.column_stack([1 - up, up])


def released_network() -> DEGnext | None:
    """Return the authors' fine-tuned network from ``DEGNEXT_DATA/released_weights``, or None where it is not at hand."""
    shared = shared_data()
    path = shared / "released_weights" / "DEGnextModel.pth" if shared else None
    return DEGnext.load_released(path) if path is not None and path.exists() else None
