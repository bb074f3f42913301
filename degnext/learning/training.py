"""The training loop: any network, any number of cohorts; a killed run ends at the same weights."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from tqdm.auto import tqdm

from degnext._common.errors import InputError
from degnext.learning.weights_file import read_weights, write_weights

Pair = tuple[np.ndarray, np.ndarray]  # images (N, C, H, W) and their labels (N,)
Loss = Callable[[Tensor, Tensor], Tensor]
Augment = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Training:
    """How a network is trained: by Adam, with ``weight_decay`` by AdamW.

    lr is the learning rate, with ``one_cycle`` its peak after a fifth of the batches (Smith 2018);
    clip the largest norm of a gradient, 0 for no limit; fused the optimiser in one kernel, quicker
    with other last bits; bfloat16 half precision; progress the name of a bar, "" for none.
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
            if (n := getattr(self, name)) < 1:
                raise InputError(f"{name} is {n}: give 1 or more, or None for the default")


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread: others add in another order, and training makes another network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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


@one_thread()
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

    data: one pair per cohort, since cohorts have images of different size: a batch holds genes of
    one cohort, and the batches of all cohorts are shuffled together. With ``validation`` the model
    ends with the weights of the epoch of lowest validation loss. ``augment`` changes each batch.

    The order of genes in epoch e depends on (seed, e) alone, or comes from ``generator``, whose
    state is kept in the file ``checkpoint``: a run that goes on from there ends bit for bit as one
    that was never killed. Raises InputError for a checkpoint of other data or settings.
    """
    pairs, device = [data] if isinstance(data, tuple) else data, pick_device(settings.device)
    model.to(device, memory_format=torch.channels_last)
    held_out = None if validation is None else _tensors(validation, device)
    tensors = [_tensors(pair, device) for pair in pairs]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)  # for dropout
        run = _Run(model, tensors, settings, generator or Generator())
        if checkpoint:
            run.resume(Path(checkpoint), _fingerprint(pairs, validation, settings))
        silent = not settings.progress or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
        shown = {"desc": settings.progress, "unit": "epoch", "leave": False, "disable": silent}
        bar = tqdm(range(len(run.history), settings.epochs), **shown)
        for epoch in bar:
            if generator is None:
                run.order.manual_seed(1_000_003 * settings.seed + epoch)
            record = {"epoch": epoch + 1, "train_loss": run.epoch(loss, augment)}
            if held_out is not None:
                with torch.inference_mode():
                    out = _forward(model.eval(), held_out[0]).float()
                record["validation_loss"] = loss(out, held_out[1]).item()
            bar.set_postfix({k: f"{v:.3f}" for k, v in record.items() if k != "epoch"})
            run.finish_epoch(record)
    if run.best is not None:
        model.load_state_dict(run.best)
    return run.history


@one_thread()
def predict(
    model: nn.Module, x: np.ndarray, batch_size: int = 1024, device: str = "auto"
) -> np.ndarray:
    """Return the model's outputs, float32 (N, n_outputs), for images x (N, C, H, W)."""
    dev = pick_device(device)
    model.to(dev, memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        return _forward(model, _images(x, dev), batch_size).float().cpu().numpy()


def _forward(model: nn.Module, images: Tensor, batch_size: int = 1024) -> Tensor:
    return torch.cat([model(part) for part in images.split(batch_size)])


def _images(x: np.ndarray, device: torch.device) -> Tensor:
    x = torch.as_tensor(np.require(x, np.float32, ["C", "W"]))
    return x.to(device, memory_format=torch.channels_last if x.ndim == 4 else torch.preserve_format)


def _tensors(pair: Pair, device: torch.device) -> tuple[Tensor, Tensor]:
    return _images(pair[0], device), torch.as_tensor(np.array(pair[1], np.int64), device=device)


def _fingerprint(pairs: list[Pair], validation: Pair | None, settings: Training) -> str:
    """Return a checksum of data and settings, without epochs where a run may go on for longer."""
    free = {"device", "progress"} | (set() if settings.one_cycle else {"epochs"})
    found = zlib.crc32(repr({k: v for k, v in asdict(settings).items() if k not in free}).encode())
    for images, labels in [*pairs, *([] if validation is None else [validation])]:
        for array in (np.asarray(images, dtype=np.float32), np.asarray(labels, dtype=np.int64)):
            found = zlib.crc32(repr(array.shape).encode(), found)
            found = zlib.crc32(np.ascontiguousarray(array), found)
    return f"{found:08x}"


def _shuffled(
    data: list[tuple[Tensor, Tensor]], size: int, order: Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every gene once, in batches of one cohort; those of several are shuffled together."""
    batches = [
        (images, labels, rows.to(images.device))
        for images, labels in data
        for rows in torch.randperm(len(labels), generator=order).split(size)
    ]
    if len(data) > 1:
        batches = [batches[k] for k in torch.randperm(len(batches), generator=order).tolist()]
    yield from ((images[rows], labels[rows]) for images, labels, rows in batches)


class _Run:
    """A run's state: weights, optimiser, generators, history; written whole after each epoch."""

    def __init__(self, model: nn.Module, tensors: list, settings: Training, order: Generator):
        self.model, self.tensors, self.settings, self.order = model, tensors, settings, order
        given = {"weight_decay": settings.weight_decay, "fused": settings.fused or None}
        self.optimizer = torch.optim.AdamW(model.parameters(), settings.lr, **given)
        self.schedule = None
        if settings.one_cycle:
            n_batches = sum(-(-len(labels) // settings.batch_size) for _, labels in tensors)
            span = {"total_steps": settings.epochs * n_batches + 1, "pct_start": 0.2}
            self.schedule = OneCycleLR(self.optimizer, settings.lr, **span)
        self.history: list[dict] = []
        self.best: dict[str, Tensor] | None = None
        self.path: Path | None = None

    def epoch(self, loss: Loss, augment: Augment | None) -> float:
        """Show every gene once; return the mean loss."""
        self.model.train()
        total = 0.0
        for images, labels in _shuffled(self.tensors, self.settings.batch_size, self.order):
            if augment:
                images, labels = augment(images, labels, self.order)
            with torch.autocast(images.device.type, torch.bfloat16, self.settings.bfloat16):
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
        return total.item() / sum(len(labels) for _, labels in self.tensors)

    def finish_epoch(self, record: dict) -> None:
        """Keep the record, the weights if they are the best so far, and all of it on the disk."""
        self.history.append(record)
        losses = [r.get("validation_loss") for r in self.history]
        if losses[-1] is not None and losses[-1] == min(losses):
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        if self.path is None:
            return
        state = self.optimizer.state_dict()
        tensors = {"order": self.order.get_state(), "dropout": torch.get_rng_state()}
        tensors |= {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best/{k}": v for k, v in (self.best or {}).items()}
        tensors |= {f"adam/{i}/{k}": v for i, s in state["state"].items() for k, v in s.items()}
        facts = {"data": self.data, "history": self.history, "groups": state["param_groups"]}
        facts["schedule"] = self.schedule and self.schedule.state_dict()
        write_weights(self.path, tensors, "checkpoint", facts)

    def resume(self, path: Path, data: str) -> None:
        """Keep the run in ``path`` from now on, and go on from there; ``data`` is its checksum."""
        self.path, self.data = path, data
        if not path.exists():
            return
        tensors, facts = read_weights(path, "checkpoint")
        if facts["data"] != data:
            fault = f"the checkpoint {path.name} belongs to a run on other data or settings"
            raise InputError(f"{fault}: delete it, or name another one")

        def under(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

        self.model.load_state_dict(under("model/"))
        slots = {i: under(f"adam/{i}/") for i in facts["groups"][0]["params"]}
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["groups"]})
        if self.schedule:
            self.schedule.load_state_dict(facts["schedule"])
        self.order.set_state(tensors["order"])
        torch.set_rng_state(tensors["dropout"])
        self.history, self.best = facts["history"], under("best/") or None
