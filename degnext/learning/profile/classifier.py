"""Train, calibrate, save and apply the profile network, with scikit-learn's conventions."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from degnext._common.errors import InputError
from degnext.cohorts.library_size import size_factors
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.genes import Genes, add_random_noise, subsample
from degnext.learning.profile.image import (
    CHANNELS,
    DIRECTION_CHANNELS,
    GENERAL_CHANNELS,
    WIDTH,
    profile_image,
)

WEIGHTS = Path(__file__).resolve().parent / "weights"


def _one_thread(method):
    """Run a method with one torch thread: the network is so small that a second one mostly waits (and the sums change)."""

    @functools.wraps(method)
    def alone(*args, **kwargs):
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return method(*args, **kwargs)
        finally:
            torch.set_num_threads(before)

    return alone


class ProfileClassifier:
    """Classify genes by direction (2 classes: DR, UR) or direction and significance (3 classes, neutral added).

    With two classes every gene is taken to be differentially expressed, and ``align=True`` lets predict estimate the
    log2 ratio at which they turn from down to up (:func:`degnext.learning.profile.alignment.direction_offset`), without labels.
    subsamples: per cohort, how many further images are drawn from random subsets of its samples. noisy: how many are drawn
    with random noise (:func:`degnext.learning.profile.genes.add_random_noise`); None: 1 with two classes, else 0. Equal ``random_state`` gives equal
    weights on one machine with one number of threads.
    """

    def __init__(
        self,
        n_classes: int = 2,
        *,
        channels: Sequence[str] | None = None,
        width: int = WIDTH,
        align: bool | None = None,
        epochs: int = 5,
        learning_rate: float = 2e-3,
        batch_size: int = 128,
        subsamples: int = 0,
        noisy: int | None = None,
        n_filters: int = 32,
        random_state: int = 0,
    ):
        if n_classes not in (2, 3):
            raise InputError(f"n_classes is {n_classes}: use 2 (DR, UR) or 3 (DR, UR, neutral)")
        self.n_classes, self.width, self.random_state = n_classes, width, random_state
        self.channels = tuple(
            channels or (DIRECTION_CHANNELS if n_classes == 2 else GENERAL_CHANNELS)
        )
        self.align = n_classes == 2 if align is None else align
        self.epochs, self.learning_rate, self.batch_size = epochs, learning_rate, batch_size
        self.subsamples, self.n_filters = subsamples, n_filters
        self.noisy = int(n_classes == 2) if noisy is None else noisy
        self.temperature_ = 1.0

    # -- encoding ------------------------------------------------------------------------------------------------
    def encode(self, genes: Genes | np.ndarray) -> np.ndarray:
        """Return the images (float32, genes × channels × 2 × width) of a cohort; an array is taken to be images."""
        if isinstance(genes, np.ndarray):
            return genes
        counts, tumor = np.asarray(genes.counts), np.asarray(genes.is_tumor, bool)
        factors = size_factors(counts) if genes.factors is None else genes.factors
        if self.align:
            factors = shift_groups(factors, tumor, direction_offset(counts, tumor, factors))
        image = profile_image(counts, tumor, width=self.width, factors=factors)
        return image[:, [CHANNELS.index(c) for c in self.channels]]

    def _training_set(self, cohorts: Genes | Sequence[Genes]) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.random_state)
        images, labels = [], []
        for genes in [cohorts] if isinstance(cohorts, Genes) else cohorts:
            if genes.labels is None or not np.isin(genes.labels, range(self.n_classes)).all():
                raise InputError(
                    f"labels must be 0…{self.n_classes - 1} for every gene: drop or relabel the others"
                )
            shown = [
                genes,
                *(subsample(genes, rng) for _ in range(self.subsamples)),
                *(add_random_noise(genes, rng) for _ in range(self.noisy)),
            ]
            images += [self.encode(g) for g in shown]
            labels += [np.asarray(genes.labels)] * len(shown)
        return np.concatenate(images), np.concatenate(labels)

    # -- training ------------------------------------------------------------------------------------------------
    def fit(
        self, cohorts: Genes | Sequence[Genes] | np.ndarray, y: np.ndarray | None = None
    ) -> ProfileClassifier:
        """Train from scratch on one or more labelled cohorts, or on images and their labels ``y``.

        A tenth of the images is held back to fit the temperature (Guo et al. 2017). With ``subsamples`` or ``noisy`` most of
        their genes are trained on in other copies: call :meth:`calibrate` with genes that are not. Returns self.
        """
        import torch

        from degnext.learning.profile.network import ProfileCNN

        torch.manual_seed(self.random_state)
        self.model_ = ProfileCNN(len(self.channels), self.n_classes, self.n_filters)
        x, y = (
            (cohorts, np.asarray(y))
            if isinstance(cohorts, np.ndarray)
            else self._training_set(cohorts)
        )
        held = np.random.default_rng(self.random_state).permutation(len(y)) < len(y) // 10
        self._loop(x[~held], y[~held], self.epochs, self.learning_rate)
        return self.calibrate(x[held], y[held]) if held.any() else self

    def fine_tune(
        self,
        cohorts: Genes | Sequence[Genes] | np.ndarray,
        y: np.ndarray | None = None,
        *,
        epochs: int = 5,
        learning_rate: float = 5e-4,
        n_classes: int | None = None,
    ) -> ProfileClassifier:
        """Go on training with new genes; ``n_classes=2`` replaces a three-class head by a two-class one. Returns self."""
        import torch

        if n_classes == 2 and self.n_classes == 3:
            last = self.model_.head[-1]
            head = torch.nn.Linear(last.in_features, 2)
            with torch.no_grad():  # DR and UR keep what they learned
                head.weight.copy_(last.weight[:2]), head.bias.copy_(last.bias[:2])
            self.model_.head[-1], self.model_.n_classes, self.n_classes = head, 2, 2
        x, y = (
            (cohorts, np.asarray(y))
            if isinstance(cohorts, np.ndarray)
            else self._training_set(cohorts)
        )
        self._loop(x, y, epochs, learning_rate)
        return self

    @_one_thread
    def _loop(self, x: np.ndarray, y: np.ndarray, epochs: int, learning_rate: float) -> None:
        import torch
        from torch.nn import functional as F

        generator = torch.Generator().manual_seed(self.random_state)
        torch.manual_seed(self.random_state)
        x, y = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y.astype(np.int64))
        x, self.model_ = (z.to(memory_format=torch.channels_last) for z in (x, self.model_))
        mirrored = torch.tensor([1, 0, 2])  # the label of a flipped image
        optimizer = torch.optim.AdamW(
            self.model_.parameters(), lr=learning_rate, weight_decay=0.01, fused=True
        )
        steps = max(1, epochs * -(-len(y) // self.batch_size))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, total_steps=steps + 1, pct_start=0.2
        )
        self.model_.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(y), generator=generator).split(self.batch_size):
                image, label = x[rows], y[rows]
                flip = torch.rand(len(rows), generator=generator) < 0.5
                image = torch.where(flip[:, None, None, None], image.flip(2), image)
                loss = F.cross_entropy(
                    self.model_.half(image), torch.where(flip, mirrored[label], label)
                )
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model_.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        self.model_.to(memory_format=torch.contiguous_format).eval()

    def calibrate(
        self, genes: Genes | np.ndarray, y: np.ndarray | None = None
    ) -> ProfileClassifier:
        """Fit one temperature that divides all logits, on genes not trained on. Returns self."""
        from scipy.optimize import minimize_scalar
        from scipy.special import logsumexp

        y = np.asarray(genes.labels if y is None else y)
        z = self._logits(self.encode(genes))

        def nll(log_t: float) -> float:
            scaled = z / np.exp(log_t)
            # one imagined miss in 500 keeps a perfect validation set from claiming certainty
            return float(
                np.mean(
                    logsumexp(scaled, 1)
                    - 0.998 * scaled[np.arange(len(y)), y]
                    - 0.002 * scaled.mean(1)
                )
            )

        self.temperature_ = float(np.exp(minimize_scalar(nll, bounds=(-3, 3), method="bounded").x))
        return self

    # -- prediction ----------------------------------------------------------------------------------------------
    @_one_thread
    def _logits(self, images: np.ndarray) -> np.ndarray:
        import torch

        self.model_.eval()
        with torch.inference_mode():
            parts = torch.from_numpy(np.ascontiguousarray(images)).split(512)
            return torch.cat([self.model_(part) for part in parts]).double().numpy()

    def predict_proba(self, genes: Genes | np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, genes × classes (DR, UR[, neutral])."""
        from scipy.special import softmax

        return softmax(self._logits(self.encode(genes)) / self.temperature_, axis=1)

    def predict(self, genes: Genes | np.ndarray) -> np.ndarray:
        """Return the most probable class of each gene: 0 = DR, 1 = UR, 2 = neutral."""
        return self.predict_proba(genes).argmax(1)

    # -- files ---------------------------------------------------------------------------------------------------
    def save(self, path: str | Path) -> str:
        """Write weights and settings to a safetensors file; return its SHA-256."""
        from safetensors.torch import save

        settings = {
            k: getattr(self, k)
            for k in ("n_classes", "channels", "width", "align", "n_filters", "temperature_")
        }
        data = save(self.model_.state_dict(), metadata={"profile": json.dumps(settings)})
        path = Path(path)
        partial = path.with_name(path.name + ".part")
        partial.write_bytes(data)
        os.replace(partial, path)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, path: str | Path) -> ProfileClassifier:
        """Read what :meth:`save` wrote. Raises InputError if the file is no profile network."""
        from safetensors import safe_open
        from safetensors.torch import load_file

        from degnext.learning.profile.network import ProfileCNN

        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get("profile")
            if text is None:
                raise InputError(
                    f"{path} holds no profile network: pass a file written by ProfileClassifier.save"
                )
        settings = json.loads(text)
        temperature = settings.pop("temperature_")
        self = cls(**settings)
        self.temperature_ = temperature
        self.model_ = ProfileCNN(len(self.channels), self.n_classes, self.n_filters)
        self.model_.load_state_dict(load_file(str(path)))
        self.model_.eval()
        return self

    @classmethod
    def pretrained(cls, n_classes: int = 2, few_samples: bool = False) -> ProfileClassifier:
        """Load the package's weights (see ``weights/model_card.json``); ``few_samples``: three classes, 2 to 10 samples a group."""
        name = "few_samples" if few_samples else "two_class" if n_classes == 2 else "three_class"
        return cls.load(WEIGHTS / f"profile_{name}.safetensors")
