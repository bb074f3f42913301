"""``DEGnextClassifier``: the paper's network with scikit-learn's conventions, by two protocols."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_array, check_X_y
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import nn

from degnext._common.errors import InputError, check_choice
from degnext.learning.images import Standardizer, grid_image, normal_first
from degnext.learning.network import DEGnextCNN
from degnext.learning.training import Training, fit, predict, two_class_loss
from degnext.learning.weights_file import NOT_FITTED, read_weights, write_weights

Groups = Sequence[str] | None
File = str | Path | None


@dataclass(frozen=True)
class Protocol:
    """How the network is trained: ``paper`` as released, ``corrected`` as AUDIT 3, 6 and 7 ask."""

    scaling: str  # of the rows, see images.row_values
    squash: bool  # ReLU and softmax before the cross-entropy
    standardize: bool  # see images.Standardizer
    threshold: float  # above which the logit of two classes is UR
    validation: float  # share of the training genes held out to choose the epoch
    fit: Training
    fine_tune: Training


PROTOCOLS = {
    "paper": Protocol(
        "none", True, False, 0.5, 0.0, Training(50, 256, 1e-4), Training(31, 64, 1e-4)
    ),
    "corrected": Protocol(
        "log_cpm", False, True, 0.0, 0.15, Training(12, 32, 1e-3), Training(10, 32, 1e-3)
    ),
}


class DEGnextClassifier(ClassifierMixin, BaseEstimator):
    """Tell UR, DR and neutral genes by their rows of values, with the paper's network.

    X is genes × samples, as :func:`degnext.learning.images.row_values` gives it for
    ``rules.scaling``, y one label per gene; ``groups`` says normal or tumor of each column, without
    it normal samples come first. Their number may differ between calls: the network pools.

    protocol : ``corrected``, ``paper``, or another one that you put into ``PROTOCOLS``
    relu     : ``pair`` as in the released code, ``conv`` as in the paper's text
    epochs, batch_size, lr : None takes the protocol's number
    device   : ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``

    After ``fit``: ``classes_`` (sorted: DR, UR, neutral), ``history_`` (a record per epoch).
    """

    def __init__(
        self,
        protocol: str = "corrected",
        *,
        relu: str = "pair",
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.protocol, self.relu, self.device = protocol, relu, device
        self.epochs, self.batch_size, self.lr = epochs, batch_size, lr
        self.random_state = random_state

    @property
    def rules(self) -> Protocol:
        """The protocol's settings; ``rules.scaling`` says which row values X must hold."""
        return PROTOCOLS[check_choice("protocol", self.protocol, PROTOCOLS)]

    def fit(
        self, X, y, *, groups: Groups = None, checkpoint: File = None, progress: bool = False
    ) -> DEGnextClassifier:
        """Train from fresh weights; a killed run goes on from the file ``checkpoint``."""
        X, y = _checked(X, groups, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y holds 1 class, {str(y[0])!r}: give genes of two or three")
        self.network_ = self._fresh_network()
        self.standardizer_ = Standardizer().fit(X) if self.rules.standardize else None
        training = self._training(self.rules.fit, self.epochs, "fit" if progress else "")
        return self._learn(X, codes, training, checkpoint)

    def fine_tune(
        self,
        X,
        y,
        *,
        groups: Groups = None,
        epochs: int | None = None,
        checkpoint: File = None,
        progress: bool = False,
    ) -> DEGnextClassifier:
        """Return a new estimator that goes on from these weights with DR and UR genes only."""
        check_is_fitted(self, "network_", msg=NOT_FITTED)
        X, y = _checked(X, groups, y)
        tuned = clone(self)
        tuned.classes_, tuned.standardizer_ = self.classes_[:2], self.standardizer_
        if not np.isin(y, tuned.classes_).all():
            names = " and ".join(map(str, tuned.classes_))
            raise InputError(f"fine-tuning takes {names} genes only: drop the others")
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state + 1)
            tuned.network_ = deepcopy(self.network_).to_two_class()
        training = self._training(self.rules.fine_tune, epochs, "fine_tune" if progress else "")
        return tuned._learn(X, np.searchsorted(tuned.classes_, y), training, checkpoint)

    def _fresh_network(self) -> DEGnextCNN:
        n_outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            return DEGnextCNN(n_outputs, self.relu, self.rules.squash and n_outputs > 1)

    def _training(self, rules: Training, epochs: int | None, progress: str) -> Training:
        given = {"epochs": epochs, "batch_size": self.batch_size, "lr": self.lr}
        given = {name: value for name, value in given.items() if value is not None}
        given |= {"seed": self.random_state, "device": self.device, "progress": progress}
        return replace(rules, **given)

    def _learn(self, X, codes, training: Training, checkpoint: File) -> DEGnextClassifier:
        validation, images, self.n_features_in_ = None, self._images(X), X.shape[1]
        if self.rules.validation:
            held = _held_out(codes, self.rules.validation, self.random_state)
            validation = (images[held], codes[held])
            images, codes = images[~held], codes[~held]
        loss = two_class_loss if len(self.classes_) == 2 else nn.functional.cross_entropy
        options = {"loss": loss, "validation": validation, "checkpoint": checkpoint}
        self.history_ = fit(self.network_, (images, codes), training, **options)
        return self

    def _images(self, X: np.ndarray) -> np.ndarray:
        return grid_image(self.standardizer_.transform(X) if self.standardizer_ else X)

    def decision_function(self, X, *, groups: Groups = None) -> np.ndarray:
        """Return the raw outputs: a logit (N,) of UR for two classes, (N, n_classes) for more."""
        check_is_fitted(self, "network_", msg=NOT_FITTED)
        (X,) = _checked(X, groups)
        out = predict(self.network_, self._images(X), device=self.device)
        return out[:, 0] if len(self.classes_) == 2 else out

    def predict_proba(self, X, *, groups: Groups = None) -> np.ndarray:
        """Return class probabilities (N, n_classes), columns as in ``classes_``."""
        raw = self.decision_function(X, groups=groups).astype(float)
        if len(self.classes_) == 2:
            up = expit(raw)
            return np.column_stack([1 - up, up])
        return raw if self.rules.squash else softmax(raw, axis=1)

    def predict(self, X, *, groups: Groups = None) -> np.ndarray:
        """Return one label per gene."""
        return self.called(self.predict_proba(X, groups=groups))

    def called(self, proba: np.ndarray) -> np.ndarray:
        """Return the labels that belong to probabilities (N, n_classes), as ``predict`` does.

        Source: the paper's threshold is one of the logit (AUDIT 6).
        """
        cut, two = expit(self.rules.threshold), len(self.classes_) == 2
        return self.classes_[(proba[:, 1] > cut).astype(int) if two else proba.argmax(axis=1)]

    def save(self, path: str | Path) -> None:
        """Write weights and settings to one safetensors file."""
        check_is_fitted(self, "network_", msg=NOT_FITTED)
        facts = {"params": self.get_params(), "classes": self.classes_.tolist()}
        facts["standardizer"] = self.standardizer_ and vars(self.standardizer_)
        write_weights(path, self.network_.state_dict(), "DEGnextClassifier", facts)

    @classmethod
    def from_pretrained(cls, path: str | Path, device: str = "auto") -> DEGnextClassifier:
        """Read a file of :meth:`save`, or the authors' ``DEGnextModel.pth`` (no pickle is run)."""
        if Path(path).suffix == ".pth":
            weights = torch.load(path, map_location="cpu", weights_only=True)
            return cls("paper", device=device).restored(weights, ["DR", "UR"], None)
        weights, facts = read_weights(path, "DEGnextClassifier")
        params, scale = facts["params"] | {"device": device}, facts["standardizer"]
        scale = Standardizer(**scale) if scale else None
        return cls(**params).restored(weights, facts["classes"], scale)

    def restored(
        self, weights: dict, classes: Sequence, standardizer: Standardizer | None, history=()
    ) -> DEGnextClassifier:
        """Take weights that were trained elsewhere, with what belongs to them; return self."""
        self.classes_, self.standardizer_ = np.array(classes, dtype=object), standardizer
        self.network_, self.history_ = self._fresh_network(), list(history)
        self.network_.load_state_dict(weights)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # a row of two samples makes no image to speak of
        return tags


def _checked(X, groups: Groups, *y) -> tuple[np.ndarray, ...]:
    """Return X as float32, normal samples first, and y; raise InputError for what is neither."""
    X, rules = normal_first(X, groups), {"dtype": np.float32, "ensure_min_features": 2}
    try:
        if not y:
            return (check_array(X, **rules),)
        X, labels = check_X_y(X, *y, **rules)
        check_classification_targets(labels)
        return X, labels
    except ValueError as error:
        reason = " ".join(str(error).split()).replace(". ", "; ")
        raise InputError(
            "X must be genes × samples without missing or infinite values, y one label per gene: "
            f"check them ({reason})"
        ) from error


def _held_out(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Mark a share of each class, at least one gene where it has more, for choosing the epoch."""
    rng, held = np.random.default_rng(seed), np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        held[rows[: max(1, round(fraction * len(rows)))]] = len(rows) > 1
    return held
