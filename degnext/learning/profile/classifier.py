"""Train, calibrate, save and apply the profile network, with scikit-learn's conventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor

from degnext._common.errors import InputError
from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.encoding import default_factors, encoded
from degnext.learning.profile.genes import Genes, genes_among, genes_of, no_copies, noisy_copy
from degnext.learning.profile.image import DIRECTION_CHANNELS, GENERAL_CHANNELS, WIDTH
from degnext.learning.profile.network import ProfileCNN
from degnext.learning.profile.pretrained import PRETRAINED, WEIGHTS
from degnext.learning.training import Training, fit, one_thread
from degnext.learning.weights_file import NOT_FITTED, read_weights, write_weights

ONE_CYCLE = {"weight_decay": 0.01, "clip": 1.0, "one_cycle": True, "fused": True}
TRAINING = Training(epochs=5, batch_size=128, lr=2e-3, device="cpu", **ONE_CYCLE)
Copies = Callable[[Genes, np.random.Generator], list[Genes]]
Given = Genes | Cohort | Sequence[Genes | Cohort] | np.ndarray  # an array holds images


class ProfileClassifier(ClassifierMixin, BaseEstimator):
    """Classify genes by direction (DR, UR), or by direction and significance (neutral added).

    Genes come as cohorts, as :class:`degnext.learning.profile.genes.Genes`, or as images that
    :meth:`encode` made.

    classes   : names of down, up and, if there is a third, neutral genes
    channels, width : of the image; None takes the channels that suit the number of classes
    n_filters : of the network's first layers
    align     : estimate the log2 ratio at which genes turn from down to up, without labels, which
                takes genes that are all differentially expressed: None does with two classes
    copies    : function of genes and a random generator that returns them once more, otherwise, to
                train on too; None is a noisy copy with two classes
    training  : how the network is trained, None is ``TRAINING``

    Equal ``random_state`` gives equal weights on one machine. After ``fit``: ``classes_``,
    ``history_`` (a record per epoch), ``temperature_``.
    """

    def __init__(
        self,
        classes: Sequence[str] = CLASS_NAMES[:2],
        *,
        channels: Sequence[str] | None = None,
        width: int = WIDTH,
        n_filters: int = 32,
        align: bool | None = None,
        copies: Copies | None = None,
        training: Training | None = None,
        random_state: int = 0,
    ) -> None:
        self.classes, self.channels = classes, channels
        self.width, self.n_filters = width, n_filters
        self.align, self.copies, self.training = align, copies, training
        self.random_state = random_state

    @property
    def n_classes(self) -> int:
        """Two or three."""
        if len(self.classes) not in (2, 3):
            names = tuple(self.classes)
            raise InputError(f"classes are {names}: name two (down, up) or three (and neutral)")
        return len(self.classes)

    @property
    def resolved(self) -> dict:
        """The parameters that may be None, with what None stands for."""
        two = self.n_classes == 2
        return {
            "channels": tuple(self.channels or (DIRECTION_CHANNELS if two else GENERAL_CHANNELS)),
            "align": two if self.align is None else self.align,
            "copies": self.copies or (noisy_copy if two else no_copies),
            "training": self.training or TRAINING,
        }

    def encode(self, genes: Genes | Cohort | np.ndarray) -> np.ndarray:
        """Return the images, float32 (genes × channels × 2 × width)."""
        if isinstance(genes, np.ndarray):
            return genes
        genes, given = genes_of(genes) if isinstance(genes, Cohort) else genes, self.resolved
        counts, tumor = np.asarray(genes.counts), np.asarray(genes.is_tumor, bool)
        factors = genes.factors
        if factors is None:
            factors = default_factors(counts, given["channels"])
        if given["align"]:
            factors = shift_groups(factors, tumor, direction_offset(counts, tumor, factors))
        return encoded(counts, tumor, factors, given["channels"], self.width)

    def training_images(self, cohorts: Given) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of all genes, of cohorts those of these classes, and copies."""
        rng, images, labels = np.random.default_rng(self.random_state), [], []
        for given in [cohorts] if isinstance(cohorts, (Genes, Cohort)) else cohorts:
            genes = genes_among(given, self.classes) if isinstance(given, Cohort) else given
            self._codes(genes.labels)
            shown = [genes, *self.resolved["copies"](genes, rng)]
            images += [self.encode(g) for g in shown]
            labels += [np.asarray(genes.labels)] * len(shown)
        return np.concatenate(images), np.concatenate(labels)

    def fit(self, cohorts: Given, y: Sequence[str] | None = None) -> ProfileClassifier:
        """Train from scratch on one or more labelled cohorts, or on images and their labels ``y``.

        A tenth of the images is held back to fit the temperature (Guo et al. 2017). With ``copies``
        most of their genes are trained on all the same: :meth:`calibrate` with others.
        """
        self.model_, self.temperature_ = self._fresh_network(), 1.0
        self.classes_ = pd.Index(self.classes).to_numpy()
        x, y = self._images_and_labels(cohorts, y)
        held = np.random.default_rng(self.random_state).permutation(len(y)) < len(y) // 10
        self._learn(x[~held], y[~held], self.resolved["training"])
        return self.calibrate(x[held], y[held]) if held.any() else self

    def fine_tune(
        self, cohorts: Given, y: Sequence[str] | None = None, *, n_classes: int = 0, **training
    ) -> ProfileClassifier:
        """Return a new estimator that goes on training from these weights, with new genes.

        n_classes: 2 drops the neutral output. training: what differs from the parameter of this
        name; by default 5 epochs at a learning rate of 5e-4.
        """
        check_is_fitted(self, "model_", msg=NOT_FITTED)
        tuned = clone(self)
        tuned.model_, tuned.temperature_ = deepcopy(self.model_), self.temperature_
        if n_classes == 2 < self.n_classes:
            tuned.set_params(classes=tuple(self.classes[:2]), **self.resolved)
            tuned.model_.to_two_class()
        tuned.classes_ = self.classes_[: tuned.n_classes]
        x, y = tuned._images_and_labels(cohorts, y)
        given = {"epochs": 5, "lr": 5e-4} | training
        return tuned._learn(x, y, replace(tuned.resolved["training"], **given))

    def _images_and_labels(self, cohorts: Given, y) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(cohorts, np.ndarray):
            return self.training_images(cohorts)
        self._codes(y)
        return cohorts, np.asarray(y)

    def _codes(self, labels: Sequence[str] | None) -> np.ndarray:
        codes = np.array([-1]) if labels is None else pd.Index(self.classes).get_indexer(labels)
        if (codes < 0).any():
            names = ", ".join(map(repr, self.classes))
            raise InputError(f"labels must be among {names} for every gene: drop or relabel others")
        return codes

    def _fresh_network(self) -> ProfileCNN:
        with torch.random.fork_rng([]):
            torch.manual_seed(self.random_state)
            return ProfileCNN(len(self.resolved["channels"]), self.n_classes, self.n_filters)

    def _learn(self, x: np.ndarray, y: np.ndarray, training: Training) -> ProfileClassifier:
        order, seeded = Generator().manual_seed(self.random_state), {"seed": self.random_state}
        given, data = replace(training, **seeded), (x, self._codes(y))
        self.history_ = fit(self.model_, data, given, augment=_mirrored, generator=order)
        self.model_.to(memory_format=torch.contiguous_format).eval()
        return self

    def calibrate(self, genes: Given, y: Sequence[str] | None = None) -> ProfileClassifier:
        """Fit one temperature that divides all logits, on genes not trained on. Returns self."""
        y, z = self._codes(genes.labels if y is None else y), self._logits(self.encode(genes))

        def nll(log_t: float) -> float:
            scaled = z / np.exp(log_t)
            right = scaled[np.arange(len(y)), y]
            # one imagined miss in 500 keeps a perfect validation set from claiming certainty
            return float(np.mean(logsumexp(scaled, 1) - 0.998 * right - 0.002 * scaled.mean(1)))

        self.temperature_ = float(np.exp(minimize_scalar(nll, bounds=(-3, 3), method="bounded").x))
        return self

    def _logits(self, images: np.ndarray) -> np.ndarray:
        check_is_fitted(self, "model_", msg=NOT_FITTED)
        with one_thread(), torch.inference_mode():
            parts = torch.from_numpy(np.ascontiguousarray(images)).split(512)
            return torch.cat([self.model_(part) for part in parts]).double().numpy()

    def predict_proba(self, genes: Genes | Cohort | np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, genes × classes (DR, UR[, neutral])."""
        return softmax(self._logits(self.encode(genes)) / self.temperature_, axis=1)

    def predict(self, genes: Genes | Cohort | np.ndarray) -> np.ndarray:
        """Return the most probable class of each gene."""
        called = self.predict_proba(genes).argmax(1)
        return self.classes_[called]

    def save(self, path: str | Path) -> str:
        """Write weights and settings to a safetensors file; return its SHA-256."""
        given = self.resolved
        facts = {"n_classes": self.n_classes, "channels": given["channels"], "width": self.width}
        facts |= {"align": given["align"], "n_filters": self.n_filters}
        facts["temperature_"] = self.temperature_
        return write_weights(path, self.model_.state_dict(), "profile", facts)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> ProfileClassifier:
        """Return one of the package's networks (``PRETRAINED``), or what :meth:`save` wrote.

        ``few_samples`` has three classes, for 2 to 10 samples a group; ``standard`` gives the calls
        of edgeR with TMM on a whole table, ``standard_few`` what a larger cohort would show of
        them; see ``weights/model_card.json`` and data/standard_rule.md.
        """
        path = WEIGHTS / f"profile_{name}.safetensors" if name in PRETRAINED else Path(name)
        weights, facts = read_weights(path, "profile")
        classes, temperature = CLASS_NAMES[: facts.pop("n_classes")], facts.pop("temperature_")
        self = cls(classes, **facts)
        self.classes_, self.temperature_ = pd.Index(classes).to_numpy(), temperature
        self.model_ = self._fresh_network().eval()
        self.model_.load_state_dict(weights)
        return self


def _mirrored(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flip half of the images, at random: with the groups exchanged, UR is DR."""
    flip, exchanged = torch.rand(len(labels), generator=generator) < 0.5, torch.tensor([1, 0, 2])
    images = torch.where(flip[:, None, None, None], images.flip(2), images)
    return images, torch.where(flip, exchanged[labels], labels)
