"""``DEGnext``: the paper's network with scikit-learn's conventions, under two protocols."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from degnext._common.errors import InputError, check_choice
from degnext.learning.images import Standardizer, grid_image
from degnext.learning.network import DEGnextCNN
from degnext.learning.training import fit, predict, two_class_loss


@dataclass(frozen=True)
class Protocol:
    """How the network is trained: ``paper`` as released, ``corrected`` with its faults put right (AUDIT 3, 6, 7)."""

    scaling: str  # of the rows, see encode.row_values
    squash: bool  # ReLU and softmax before the cross-entropy
    standardize: bool  # by mean and standard deviation of the training genes, after each row's own mean is taken off
    epochs: int
    fine_tune_epochs: int
    batch_size: int
    fine_tune_batch_size: int
    lr: float
    threshold_on_logit: float  # above which the two-class output is UR
    validation_fraction: float  # of the training genes, held out to choose the epoch


PROTOCOLS = {
    "paper": Protocol("none", True, False, 50, 31, 256, 64, 1e-4, 0.5, 0.0),
    "corrected": Protocol("log_cpm", False, True, 12, 10, 32, 32, 1e-3, 0.0, 0.15),
}


class DEGnext(ClassifierMixin, BaseEstimator):
    """Classify genes as DR (0), UR (1) or neutral (2) from their rows of values, with the paper's CNN.

    ``fit`` learns three classes; ``fine_tune`` goes on with a fresh one-logit output on genes of two classes; ``predict``
    and ``predict_proba`` answer for the stage reached. X is genes × samples, normal samples first, as
    :func:`degnext.learning.images.row_values` gives it for the protocol's scaling. The number of samples may differ between
    calls: the network pools over the image.

    Parameters that are None take the protocol's value. ``checkpoint`` is a folder in which a killed run resumes.
    """

    def __init__(
        self,
        protocol: str = "corrected",
        *,
        relu: str = "pair",
        epochs: int | None = None,
        fine_tune_epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        random_state: int = 0,
        device: str = "auto",
        autocast: bool | None = False,
        checkpoint: str | Path | None = None,
        progress: bool = False,
    ) -> None:
        self.protocol, self.relu, self.epochs, self.fine_tune_epochs = (
            protocol,
            relu,
            epochs,
            fine_tune_epochs,
        )
        self.batch_size, self.lr, self.random_state, self.device = (
            batch_size,
            lr,
            random_state,
            device,
        )
        self.autocast, self.checkpoint, self.progress = autocast, checkpoint, progress

    @property
    def rules(self) -> Protocol:
        """The protocol's settings; ``rules.scaling`` says which row values X must hold."""
        return PROTOCOLS[check_choice("protocol", self.protocol, PROTOCOLS)]

    def fit(self, X: np.ndarray, y: np.ndarray) -> DEGnext:
        """Train from fresh weights on X (genes × samples) and labels y in {0, 1, 2}."""
        X, y = _check(X, y, (0, 1, 2))
        rules = self.rules
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            self.network_ = DEGnextCNN(3, self.relu, rules.squash)
        self.standardizer_ = Standardizer().fit(X) if rules.standardize else None
        self.stage_, self.classes_ = "three-class", np.array([0, 1, 2])
        self.history_ = self._train(
            X,
            y,
            nn.functional.cross_entropy,
            self.epochs or rules.epochs,
            self.batch_size or rules.batch_size,
            "fit",
        )
        return self

    def fine_tune(self, X: np.ndarray, y: np.ndarray) -> DEGnext:
        """Go on from the three-class weights with a one-logit output, on genes labelled DR (0) or UR (1)."""
        self._require_fit()
        X, y = _check(X, y, (0, 1))
        rules = self.rules
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state + 1)
            self.network_.to_two_class()
        self.stage_, self.classes_ = "two-class", np.array([0, 1])
        epochs = self.fine_tune_epochs or rules.fine_tune_epochs
        self.fine_tune_history_ = self._train(
            X, y, two_class_loss, epochs, self.batch_size or rules.fine_tune_batch_size, "fine_tune"
        )
        return self

    def _train(self, X, y, loss, epochs, batch_size, name):
        rules, validation = self.rules, None
        images = self._images(X)
        if rules.validation_fraction:
            held = _held_out(y, rules.validation_fraction, self.random_state)
            validation = (images[held], y[held])
            images, y = images[~held], y[~held]
        checkpoint = Path(self.checkpoint) / f"{name}.safetensors" if self.checkpoint else None
        return fit(
            self.network_,
            images,
            y,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            lr=self.lr or rules.lr,
            seed=self.random_state,
            device=self.device,
            autocast=self.autocast,
            validation=validation,
            checkpoint=checkpoint,
            progress=self.progress,
            name=name,
        )

    def _images(self, X: np.ndarray) -> np.ndarray:
        return grid_image(self.standardizer_.transform(X) if self.standardizer_ else X)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the raw outputs: logits (N,) after fine-tuning, (N, 3) before."""
        self._require_fit()
        out = predict(self.network_, self._images(np.asarray(X)), device=self.device)
        return out[:, 0] if self.stage_ == "two-class" else out

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities, (N, 2) after fine-tuning and (N, 3) before, columns as in ``classes_``."""
        raw = self.decision_function(X).astype(float)
        if self.stage_ == "two-class":
            p = 1 / (1 + np.exp(-np.clip(raw, -700, 700)))
            return np.column_stack([1 - p, p])
        if self.rules.squash:
            return raw
        e = np.exp(raw - raw.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return one label per gene; the paper's two-class threshold is applied to the logit (AUDIT 6)."""
        raw = self.decision_function(X)
        return (
            (raw > self.rules.threshold_on_logit).astype(int)
            if self.stage_ == "two-class"
            else raw.argmax(axis=1)
        )

    def _require_fit(self) -> None:
        if not hasattr(self, "network_"):
            raise InputError("the network has no weights yet: call fit, or DEGnext.load, first")

    def save(self, path: str | Path) -> None:
        """Write weights and settings to one safetensors file."""
        from safetensors.torch import save_file

        self._require_fit()
        params = {
            k: v
            for k, v in self.get_params().items()
            if k not in ("checkpoint", "device", "progress")
        }
        s = self.standardizer_
        meta = {
            "degnext": json.dumps(
                {
                    "params": params,
                    "stage": self.stage_,
                    "standardizer": [s.mean, s.sd] if s else None,
                }
            )
        }
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        save_file(
            {k: v.detach().cpu().contiguous() for k, v in self.network_.state_dict().items()},
            temporary,
            metadata=meta,
        )
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> DEGnext:
        """Read a file that :meth:`save` wrote."""
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise InputError(f"no weights file {str(path)!r}: train with fit() and save() first")
        try:
            with safe_open(path, framework="pt") as file:
                meta = json.loads((file.metadata() or {}).get("degnext", "null"))
                weights = {k: file.get_tensor(k) for k in file.keys()}
        except SafetensorError as error:
            raise InputError(
                f"{Path(path).name} is no whole safetensors file: train and save again"
            ) from error
        if meta is None:
            raise InputError(
                f"{Path(path).name} was not written by DEGnext.save: retrain, or load the paper's weights with load_released"
            )
        self = cls(**meta["params"], device=device)
        return self._restore(weights, meta["stage"], meta["standardizer"])

    @classmethod
    def load_released(cls, path: str | Path, device: str = "auto") -> DEGnext:
        """Read the authors' fine-tuned transfer network (``DEGnextModel.pth``, a state dict; no pickle is run)."""
        weights = torch.load(path, map_location="cpu", weights_only=True)
        return cls("paper", device=device)._restore(weights, "two-class", None)

    def _restore(self, weights: dict, stage: str, standardizer: list[float] | None) -> DEGnext:
        two = stage == "two-class"
        self.network_ = DEGnextCNN(1 if two else 3, self.relu, self.rules.squash and not two)
        self.network_.load_state_dict(weights)
        self.stage_, self.classes_ = stage, np.arange(2 if two else 3)
        self.standardizer_ = None
        if standardizer is not None:
            self.standardizer_ = Standardizer()
            self.standardizer_.mean, self.standardizer_.sd = standardizer
        return self


def _check(X: np.ndarray, y: np.ndarray, allowed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    X, y = np.asarray(X, dtype=np.float32), np.asarray(y)
    if X.ndim != 2 or len(X) != len(y) or len(y) == 0:
        raise InputError(
            f"X must be genes × samples with one label per gene; got X {X.shape} and {len(y)} labels: pass a matrix and as many labels as it has rows"
        )
    if not np.isfinite(X).all():
        raise InputError("X holds missing or infinite values: check the counts first")
    if not np.isin(y, allowed).all():
        raise InputError(
            f"labels must be among {allowed}: fine-tuning takes DR (0) and UR (1) genes only, fit also neutral (2)"
        )
    return X, y.astype(np.int64)


def _held_out(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Mark a stratified fraction of the training genes, at least one of each class, for the choice of the epoch."""
    rng, held = np.random.default_rng(seed), np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        held[rows[: max(1, round(fraction * len(rows)))]] = len(rows) > 1
    return held
