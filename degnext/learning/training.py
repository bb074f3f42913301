"""The training loop: any network, any number of cohorts; a killed run goes on to the same weights, bit for bit."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from degnext._common.errors import InputError
from degnext.learning.weights_file import read_weights, write_weights

Pair = tuple[np.ndarray, np.ndarray]  # images (N, C, H, W) and their labels (N,)
Loss = Callable[[Tensor, Tensor], Tensor]
Augment = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Training:
    """How a network is trained: by Adam, or AdamW with ``weight_decay``.

    lr: the learning rate; with ``one_cycle`` its peak, reached after a fifth of the batches (Smith 2018).
    clip: the largest norm of a gradient, 0 for no limit. fused: the optimiser in one kernel, quicker, with other
    last bits. bfloat16: forward passes in half precision. progress: the name of a progress bar, "" for none.
    """

    epochs: int = 50
    batch_size: int = 256
    lr: float = 1e-4
    weight_decay: float = 0.0
    clip: float = 0.0
    one_cycle: bool = False
    fused: bool = False
    bfloat16: bool = False
    seed: int = 0
    device: str = "auto"
    progress: str = ""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"{name} is {getattr(self, name)}: give 1 or more, or None for the default"
                )


def pick_device(device: str = "auto") -> torch.device:
    """Return the GPU when there is one and ``device`` is ``auto``, else what was asked for."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("torch sees no GPU for device 'cuda': use device='auto' or 'cpu'")
    return torch.device(device)


def two_class_loss(logit: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of a single logit (B, 1) against labels 0 (DR) and 1 (UR)."""
    return nn.functional.binary_cross_entropy_with_logits(logit[:, 0], label.to(logit.dtype))


def fit(
    model: nn.Module,
    data: Pair | list[Pair],
    settings: Training,
    *,
    loss: Loss = nn.functional.cross_entropy,
    validation: Pair | None = None,
    checkpoint: str | Path | None = None,
    augment: Augment | None = None,
    generator: Generator | None = None,
) -> list[dict]:
    """Train ``model`` in place; return one record per epoch.

    data: images and labels, one pair per cohort, since cohorts have images of different size: a batch then holds
    genes of one cohort, and the batches of all cohorts are shuffled together. With ``validation`` the model ends
    with the weights of the epoch of lowest validation loss. ``augment`` changes a batch before it is shown.

    The order of genes in epoch e depends on (seed, e) alone, or comes from ``generator``, whose state is kept in
    the file ``checkpoint``: a killed run that goes on from there ends at the same weights, bit for bit.
    """
    pairs = [data] if isinstance(data, tuple) else data
    device = pick_device(settings.device)
    model.to(device, memory_format=torch.channels_last)
    held_out = None if validation is None else _on(device, *validation)
    shuffled = _Batches([_on(device, *pair) for pair in pairs], settings.batch_size)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)  # for dropout
        run = _Run(model, settings, len(shuffled), generator or Generator())
        if checkpoint:
            run.resume(Path(checkpoint), _fingerprint(pairs, validation, settings))
        bar = _progress(range(len(run.history), settings.epochs), settings.progress)
        for epoch in bar:
            if generator is None:
                run.order.manual_seed(1_000_003 * settings.seed + epoch)
            record = {"epoch": epoch + 1, "train_loss": run.epoch(shuffled, loss, augment)}
            if held_out is not None:
                record["validation_loss"] = _loss_on(model, loss, *held_out)
            bar.set_postfix({k: f"{v:.3f}" for k, v in record.items() if k != "epoch"})
            run.finish_epoch(record)
    if run.best is not None:
        model.load_state_dict(run.best)
    return run.history


def predict(
    model: nn.Module, x: np.ndarray, batch_size: int = 1024, device: str = "auto"
) -> np.ndarray:
    """Return the model's outputs, float32 (N, n_outputs), for images x (N, C, H, W)."""
    dev = pick_device(device)
    model.to(dev, memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        return _forward(model, to_tensor(x, dev), batch_size).float().cpu().numpy()


def to_tensor(x: np.ndarray, device: torch.device) -> Tensor:
    """Return images as one float32 tensor on ``device``, channels last."""
    x = torch.as_tensor(np.require(x, np.float32, ["C", "W"]))
    return x.to(device, memory_format=torch.channels_last if x.ndim == 4 else torch.preserve_format)


def _on(device: torch.device, images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    return to_tensor(images, device), torch.as_tensor(
        np.array(labels, dtype=np.int64), device=device
    )


def _forward(model: nn.Module, data: Tensor, batch_size: int = 1024) -> Tensor:
    return torch.cat([model(part) for part in data.split(batch_size)])


def _loss_on(model: nn.Module, loss: Loss, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with torch.inference_mode():
        return loss(_forward(model, images).float(), labels).item()


def _progress(epochs: range, name: str) -> tqdm:
    """Return ``epochs`` with a bar that stays silent in headless runs: in a rendered page it is a dead widget."""
    silent = not name or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    return tqdm(epochs, desc=name, unit="epoch", disable=silent, leave=False)


def _fingerprint(pairs: list[Pair], validation: Pair | None, settings: Training) -> str:
    """Return a checksum of data and settings, without the epochs where a run may go on for longer."""
    facts = asdict(settings)
    for name in ("device", "progress", *(() if settings.one_cycle else ("epochs",))):
        del facts[name]
    found = zlib.crc32(repr(facts).encode())
    for images, labels in pairs + ([] if validation is None else [validation]):
        for array in (np.asarray(images, dtype=np.float32), np.asarray(labels, dtype=np.int64)):
            found = zlib.crc32(repr(array.shape).encode(), found)
            found = zlib.crc32(np.ascontiguousarray(array), found)
    return f"{found:08x}"


class _Batches:
    """The genes of all cohorts in batches of one cohort each."""

    def __init__(self, data: list[tuple[Tensor, Tensor]], size: int) -> None:
        self.data, self.size = data, size
        self.n_genes = sum(len(labels) for _, labels in data)

    def __len__(self) -> int:
        return sum(-(-len(labels) // self.size) for _, labels in self.data)

    def shuffled(self, order: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield every gene once; with several cohorts their batches are shuffled together."""
        batches = [
            (images, labels, rows)
            for images, labels in self.data
            for rows in torch.randperm(len(labels), generator=order).split(self.size)
        ]
        if len(self.data) > 1:
            batches = [batches[k] for k in torch.randperm(len(batches), generator=order).tolist()]
        for images, labels, rows in batches:
            rows = rows.to(images.device)
            yield images[rows], labels[rows]


class _Run:
    """A run's state (weights, optimiser, generators, history, best weights), written whole after each epoch."""

    def __init__(
        self, model: nn.Module, settings: Training, n_batches: int, order: Generator
    ) -> None:
        self.model, self.settings, self.order = model, settings, order
        given = {"weight_decay": settings.weight_decay, "fused": settings.fused or None}
        self.optimizer = torch.optim.AdamW(model.parameters(), settings.lr, **given)
        self.schedule = None
        if settings.one_cycle:
            steps = settings.epochs * n_batches + 1
            self.schedule = torch.optim.lr_scheduler.OneCycleLR(
                self.optimizer, settings.lr, total_steps=steps, pct_start=0.2
            )
        self.history: list[dict] = []
        self.best: dict[str, Tensor] | None = None
        self.path: Path | None = None

    def epoch(self, batches: _Batches, loss: Loss, augment: Augment | None) -> float:
        """Show every gene once; return the mean loss."""
        self.model.train()
        total = 0.0
        for images, labels in batches.shuffled(self.order):
            if augment:
                images, labels = augment(images, labels, self.order)
            with torch.autocast(images.device.type, torch.bfloat16, enabled=self.settings.bfloat16):
                out = self.model(images)
            value = loss(out.float(), labels)
            self.optimizer.zero_grad(set_to_none=True)
            value.backward()
            if self.settings.clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
            self.optimizer.step()
            if self.schedule:
                self.schedule.step()
            total = total + value.detach() * len(labels)
        return total.item() / batches.n_genes

    def finish_epoch(self, record: dict) -> None:
        """Keep the record, the weights if they are the best so far, and all of it on the disk."""
        self.history.append(record)
        losses = [r.get("validation_loss") for r in self.history]
        if losses[-1] is not None and losses[-1] == min(losses):
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        if self.path is not None:
            self._save()

    def _save(self) -> None:
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best/{k}": v for k, v in (self.best or {}).items()}
        state = self.optimizer.state_dict()
        for index, slots in state["state"].items():
            tensors |= {f"adam/{index}/{k}": v for k, v in slots.items()}
        tensors |= {"random/order": self.order.get_state(), "random/torch": torch.get_rng_state()}
        facts = {"history": self.history, "groups": state["param_groups"], "data": self.data}
        facts["schedule"] = self.schedule.state_dict() if self.schedule else None
        write_weights(self.path, tensors, "checkpoint", facts)

    def resume(self, path: Path, data: str) -> None:
        """Write to ``path`` from now on, and go on from what it holds; ``data`` is the checksum of data and settings."""
        self.path, self.data = path, data
        if not path.exists():
            return
        tensors, facts = read_weights(path, "checkpoint")
        if facts["data"] != data:
            raise InputError(
                f"the checkpoint {path.name} belongs to a run on other data or settings: delete it, or name another"
            )
        parts: dict[str, dict[str, Tensor]] = {"best": {}}
        for key, tensor in tensors.items():
            part, name = key.split("/", 1)
            parts.setdefault(part, {})[name] = tensor
        slots: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts["adam"].items():
            index, slot = key.split("/")
            slots.setdefault(int(index), {})[slot] = tensor
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["groups"]})
        if self.schedule:
            self.schedule.load_state_dict(facts["schedule"])
        self.order.set_state(parts["random"]["order"])
        torch.set_rng_state(parts["random"]["torch"])
        self.history, self.best = facts["history"], parts["best"] or None
