"""Transfer learning with the paper's network: train on some cohorts, test on none of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import expit
from torch import nn

from degnext._common.paths import shared_data
from degnext.cohorts.cohort import CLASS_NAMES, NEUTRAL, Cohort
from degnext.cohorts.perturb import fewer_samples
from degnext.learning.classifier import DEGnextClassifier
from degnext.learning.images import Standardizer, grid_image, row_values
from degnext.learning.network import DEGnextCNN
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.genes import genes_of
from degnext.learning.training import Pair, fit, two_class_loss

ANSWER_DRAWS = 9  # images per gene of a target cohort


@dataclass(frozen=True)
class TransferSettings:
    """What a transfer network is trained on and how long.

    protocol : ``paper`` trains on one cohort after another, ``corrected`` on all, shuffled
    epochs, fine_tune_epochs : None takes the protocol's number, for the latter at most ``epochs``
    max_genes, max_samples   : at most so many per cohort (and stage), 0 for all
    draws    : images per gene, each of ``max_samples`` other samples (``corrected`` only)
    fine_tune_part : whose called genes the two-class stage learns
    """

    protocol: str = "corrected"
    epochs: int | None = None
    fine_tune_epochs: int | None = None
    max_genes: int = 0
    max_samples: int = 0
    draws: int = 1
    fine_tune_part: str = "F1"
    seed: int = 0

    @property
    def are_drawn(self) -> bool:
        """Whether images are made of random draws of samples."""
        return self.protocol != "paper" and self.max_samples > 0 and self.draws > 1


def scale_factors(cohort: Cohort, changed: np.ndarray | None = None) -> pd.Series:
    """Return millions of counts per sample, estimated from every gene at hand.

    ``changed`` are rows of differentially expressed genes, of whichever direction: the log2 ratio
    at which they turn from down to up is brought to 0 without labels, as for the profile network.
    """
    genes = genes_of(cohort, changed)
    factors = genes.factors
    if changed is not None:
        offset = direction_offset(genes.counts, cohort.is_tumor, factors)
        factors = shift_groups(factors, cohort.is_tumor, offset)
    return pd.Series(factors, index=cohort.counts.columns)


def train(
    cohorts: list[Cohort],
    settings: TransferSettings = TransferSettings(),
    *,
    device: str = "auto",
    progress: bool = False,
    checkpoint: Path | None = None,
) -> DEGnextClassifier:
    """Train both stages on all ``cohorts``, without their T3, and return the two-class estimator.

    The standardisation comes from training genes. No genes validate: the last epoch is taken. In
    the folder ``checkpoint`` a killed run goes on.
    """
    model = DEGnextClassifier(settings.protocol, random_state=settings.seed, device=device)
    rules = model.rules
    three, two = _training_genes(cohorts, settings, rules.scaling)
    scale = Standardizer().fit(*(values for values, _ in three)) if rules.standardize else None
    first, second, history = settings.epochs, settings.fine_tune_epochs, []
    first = rules.fit.epochs if first is None else first
    second = min(first, rules.fine_tune.epochs) if second is None else second
    stages = {
        "three": (three, replace(rules.fit, epochs=first), nn.functional.cross_entropy),
        "two": (two, replace(rules.fine_tune, epochs=second), two_class_loss),
    }
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = DEGnextCNN(3, "pair", rules.squash)
        for name, (data, training, loss) in stages.items():
            if name == "two":
                network.to_two_class()
            training = replace(training, seed=settings.seed, device=device)
            training = replace(training, progress=f"{name} classes" if progress else "")
            data = [(grid_image(scale.transform(v) if scale else v), codes) for v, codes in data]
            for k, group in enumerate([[d] for d in data] if model.protocol == "paper" else [data]):
                path = checkpoint / f"{name}-{k}.safetensors" if checkpoint else None
                history += fit(network, group, training, loss=loss, checkpoint=path)
    return model.restored(network.state_dict(), CLASS_NAMES[:2], scale, history)


def _training_genes(
    cohorts: list[Cohort], settings: TransferSettings, scaling: str
) -> tuple[list[Pair], list[Pair]]:
    """Return rows of values and codes of the genes of both stages, a pair per cohort and draw."""
    rng, stages = np.random.default_rng(settings.seed), ([], [])
    groups, draws = ("random", settings.draws) if settings.are_drawn else ("proportional", 1)
    for cohort in cohorts:
        factors, part, codes = scale_factors(cohort), cohort.genes["part"], cohort.codes
        wanted = part.isin(("T1", "T2")), (part == settings.fine_tune_part) & (codes != NEUTRAL)
        for _ in range(draws):
            shown = fewer_samples(cohort, settings.max_samples, rng, groups)
            values = row_values(shown, scaling, factors[shown.counts.columns])
            for stage, rows in zip(stages, map(np.flatnonzero, wanted)):
                if 0 < settings.max_genes < len(rows):
                    rows = rng.choice(rows, settings.max_genes, replace=False)
                if len(rows):
                    stage.append((values[rows], codes[rows]))
    return stages


def answer(
    model: DEGnextClassifier,
    target: Cohort,
    rows: np.ndarray,
    settings: TransferSettings = TransferSettings(),
    *,
    seed: int = 0,
    align: bool = True,
    mirror: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities (N, 2) of the target's genes at ``rows``, all taken to be DE.

    A network trained on draws of samples is shown ``ANSWER_DRAWS`` balanced draws of the target's,
    and the logits are averaged; any other one image of all. With ``mirror`` each draw is also shown
    with the groups exchanged, as which it is the image of a gene changed the other way: half the
    difference of the two logits is free of any leaning to one class.
    """
    rng, drawn = np.random.default_rng(seed), settings.are_drawn
    logit, n_draws = np.zeros(len(rows)), ANSWER_DRAWS if drawn else 1
    factors = scale_factors(target, rows if align else None)
    asked = replace(target, counts=target.counts.iloc[rows])
    for _ in range(n_draws):
        shown = fewer_samples(asked, settings.max_samples, rng, "equal") if drawn else asked
        values = row_values(shown, model.rules.scaling, factors[shown.counts.columns])
        here = model.decision_function(values)
        if drawn and mirror:
            here = (here - model.decision_function(np.roll(values, shown.n_tumor, axis=1))) / 2
        logit += here / n_draws
    up, called = expit(logit), (logit > model.rules.threshold).astype(int)
    return model.classes_[called], np.column_stack([1 - up, up])


def released_network() -> DEGnextClassifier | None:
    """Return the authors' fine-tuned network, or None where ``DEGNEXT_DATA`` does not hold it."""
    shared = shared_data()
    path = shared / "released_weights" / "DEGnextModel.pth" if shared else None
    return DEGnextClassifier.from_pretrained(path) if path and path.exists() else None
