"""Train, calibrate, save and apply the profile network, with scikit-learn's conventions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

from degnext._common.errors import InputError
from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.encoding import default_factors, encoded
from degnext.learning.profile.genes import Copies, Genes, genes_of, shown_again
from degnext.learning.profile.image import DIRECTION_CHANNELS, GENERAL_CHANNELS, WIDTH
from degnext.learning.profile.network import ProfileCNN
from degnext.learning.training import Training, fit
from degnext.learning.weights_file import read_weights, write_weights

WEIGHTS = Path(__file__).resolve().parent / "weights"
PRETRAINED = ("two_class", "three_class", "few_samples", "standard", "standard_few")
TRAINING = Training(
    epochs=5,
    batch_size=128,
    lr=2e-3,
    weight_decay=0.01,
    clip=1.0,
    one_cycle=True,
    fused=True,
    device="cpu",
)
Given = Genes | Cohort | Sequence[Genes | Cohort] | np.ndarray


class ProfileClassifier(ClassifierMixin, BaseEstimator):
    """Classify genes by direction (two classes: DR, UR) or direction and significance (neutral added).

    Genes come as cohorts, as :class:`degnext.learning.profile.genes.Genes`, or as images that :meth:`encode` made.

    classes   : names of down, up and, if there is a third, neutral genes
    channels, width : of the image; None takes the channels that suit the number of classes
    n_filters : of the network's first layers
    align     : let predict estimate the log2 ratio at which genes turn from down to up, without labels; for genes that
                are all differentially expressed, so None says yes for two classes only
    copies    : further images of each gene to train on; None is a noisy one for two classes
    training  : how the network is trained

    Equal ``random_state`` gives equal weights on one machine.
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
        self.classes, self.channels, self.width, self.n_filters = (
            classes,
            channels,
            width,
            n_filters,
        )
        self.align, self.copies, self.training, self.random_state = (
            align,
            copies,
            training,
            random_state,
        )

    @property
    def n_classes(self) -> int:
        """Two or three."""
        if len(self.classes) not in (2, 3):
            raise InputError(
                f"classes are {tuple(self.classes)}: name two (down, up) or three (and neutral)"
            )
        return len(self.classes)

    @property
    def resolved(self) -> dict:
        """The parameters that may be None, with what None stands for."""
        two = self.n_classes == 2
        return {
            "channels": tuple(self.channels or (DIRECTION_CHANNELS if two else GENERAL_CHANNELS)),
            "align": two if self.align is None else self.align,
            "copies": Copies(noisy=int(two)) if self.copies is None else self.copies,
            "training": self.training or TRAINING,
        }

    def encode(self, genes: Genes | Cohort | np.ndarray) -> np.ndarray:
        """Return the images, float32 (genes × channels × 2 × width); an array is taken to be images."""
        if isinstance(genes, np.ndarray):
            return genes
        genes = genes_of(genes) if isinstance(genes, Cohort) else genes
        counts, tumor = np.asarray(genes.counts), np.asarray(genes.is_tumor, bool)
        factors = genes.factors
        if factors is None:
            factors = default_factors(counts, self.resolved["channels"])
        if self.resolved["align"]:
            factors = shift_groups(factors, tumor, direction_offset(counts, tumor, factors))
        return encoded(counts, tumor, factors, self.resolved["channels"], self.width)

    def training_images(self, cohorts: Given) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of all genes and of their copies."""
        rng, images, labels = np.random.default_rng(self.random_state), [], []
        for given in [cohorts] if isinstance(cohorts, (Genes, Cohort)) else cohorts:
            genes = genes_of(given) if isinstance(given, Cohort) else given
            self._codes(genes.labels)
            shown = shown_again(genes, self.resolved["copies"], rng)
            images += [self.encode(g) for g in shown]
            labels += [np.asarray(genes.labels)] * len(shown)
        return np.concatenate(images), np.concatenate(labels)

    def fit(self, cohorts: Given, y: Sequence[str] | None = None) -> ProfileClassifier:
        """Train from scratch on one or more labelled cohorts, or on images and their labels ``y``.

        A tenth of the images is held back to fit the temperature (Guo et al. 2017). With ``copies`` most of their genes
        are trained on in other copies: call :meth:`calibrate` with genes that are not. Returns self.
        """
        self.model_ = self._fresh_network()
        self.classes_, self.temperature_ = pd.Index(self.classes).to_numpy(), 1.0
        x, y = self._images_and_labels(cohorts, y)
        held = np.random.default_rng(self.random_state).permutation(len(y)) < len(y) // 10
        self._learn(x[~held], y[~held], self.resolved["training"])
        return self.calibrate(x[held], y[held]) if held.any() else self

    def fine_tune(
        self,
        cohorts: Given,
        y: Sequence[str] | None = None,
        *,
        n_classes: int = 0,
        **training: object,
    ) -> ProfileClassifier:
        """Return a new estimator that goes on training from these weights, with new genes.

        n_classes: 2 drops the neutral output. training: what differs from the parameter ``training``; by default
        5 epochs at a learning rate of 5e-4.
        """
        check_is_fitted(self, "model_", msg=_NOT_FITTED)
        tuned = clone(self)
        tuned.model_, tuned.temperature_ = deepcopy(self.model_), self.temperature_
        if n_classes == 2 < self.n_classes:
            tuned.set_params(classes=tuple(self.classes[:2]), **self.resolved)
            tuned.model_.to_two_class()
        tuned.classes_ = self.classes_[: tuned.n_classes]
        x, y = tuned._images_and_labels(cohorts, y)
        tuned._learn(
            x, y, replace(tuned.resolved["training"], **{"epochs": 5, "lr": 5e-4} | training)
        )
        return tuned

    def _images_and_labels(
        self, cohorts: Given, y: Sequence[str] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(cohorts, np.ndarray):
            return self.training_images(cohorts)
        self._codes(y)
        return cohorts, np.asarray(y)

    def _codes(self, labels: Sequence[str] | None) -> np.ndarray:
        codes = np.array([-1]) if labels is None else pd.Index(self.classes).get_indexer(labels)
        if (codes < 0).any():
            names = ", ".join(map(repr, self.classes))
            raise InputError(
                f"labels must be among {names} for every gene: drop or relabel the others"
            )
        return codes

    def _fresh_network(self) -> ProfileCNN:
        with torch.random.fork_rng([]):
            torch.manual_seed(self.random_state)
            return ProfileCNN(len(self.resolved["channels"]), self.n_classes, self.n_filters)

    def _learn(self, images: np.ndarray, labels: np.ndarray, training: Training) -> None:
        order = torch.Generator().manual_seed(self.random_state)
        training = replace(training, seed=self.random_state)
        with _one_thread():
            data = (images, self._codes(labels))
            self.history_ = fit(self.model_, data, training, augment=_mirrored, generator=order)
        self.model_.to(memory_format=torch.contiguous_format).eval()

    def calibrate(
        self, genes: Genes | np.ndarray, y: Sequence[str] | None = None
    ) -> ProfileClassifier:
        """Fit one temperature that divides all logits, on genes not trained on. Returns self."""
        y = self._codes(genes.labels if y is None else y)
        z = self._logits(self.encode(genes))

        def nll(log_t: float) -> float:
            scaled = z / np.exp(log_t)
            right = scaled[np.arange(len(y)), y]
            # one imagined miss in 500 keeps a perfect validation set from claiming certainty
            return float(np.mean(logsumexp(scaled, 1) - 0.998 * right - 0.002 * scaled.mean(1)))

        self.temperature_ = float(np.exp(minimize_scalar(nll, bounds=(-3, 3), method="bounded").x))
        return self

    def _logits(self, images: np.ndarray) -> np.ndarray:
        check_is_fitted(self, "model_", msg=_NOT_FITTED)
        with _one_thread(), torch.inference_mode():
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
        facts = {"n_classes": self.n_classes, "channels": self.resolved["channels"]}
        facts |= {"width": self.width, "align": self.resolved["align"], "n_filters": self.n_filters}
        facts["temperature_"] = self.temperature_
        return write_weights(path, self.model_.state_dict(), "profile", facts)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> ProfileClassifier:
        """Return one of the package's networks (``PRETRAINED``), or what :meth:`save` wrote.

        ``few_samples`` has three classes, for 2 to 10 samples a group; ``standard`` gives the calls
        of edgeR with TMM on a whole table, ``standard_few`` what a larger cohort would show; see
        ``weights/model_card.json`` and data/standard_rule.md.
        """
        path = WEIGHTS / f"profile_{name}.safetensors" if name in PRETRAINED else Path(name)
        weights, facts = read_weights(path, "profile")
        classes, temperature = CLASS_NAMES[: facts.pop("n_classes")], facts.pop("temperature_")
        self = cls(classes, **facts)
        self.classes_, self.temperature_ = pd.Index(classes).to_numpy(), temperature
        self.model_ = self._fresh_network().eval()
        self.model_.load_state_dict(weights)
        return self


_NOT_FITTED = "%(name)s has no weights yet: call fit, or from_pretrained, first"


def _mirrored(
    images: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flip half of the images, at random: with the groups exchanged, UR is DR."""
    flip = torch.rand(len(labels), generator=generator) < 0.5
    other = torch.tensor([1, 0, 2])[labels]
    return torch.where(flip[:, None, None, None], images.flip(2), images), torch.where(
        flip, other, labels
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Give torch one thread: the network is so small that a second one mostly waits (and the sums change)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
