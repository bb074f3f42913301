"""Progress bars that stay silent in headless runs: in a rendered page a bar is a dead widget."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tqdm.auto import tqdm


def progress(items: Iterable, name: str = "", unit: str = "it", show: bool = True) -> tqdm:
    """Return ``items`` with a progress bar, none when ``show`` is false or the environment has ``TQDM_DISABLE``."""
    silent = not show or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    return tqdm(items, desc=name or None, unit=unit, disable=silent, leave=False)


import json
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from degnext._common.errors import InputError
from degnext.learning.training import progress as progress_bar

Loss = Callable[[Tensor, Tensor], Tensor]


def pick_device(device: str = "auto") -> torch.device:
    """Return the GPU when there is one and ``device`` is ``auto``, else what was asked for."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(
            "device 'cuda' was asked for but torch sees no GPU: use device='auto' or 'cpu'"
        )
    return torch.device(device)


def fast_bfloat16(device: torch.device) -> bool:
    """Tell whether bfloat16 is done in hardware; where it is emulated it is many times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    has_avx512 = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return bool(has_amx or has_avx512)


def two_class_loss(logit: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of a single logit (B, 1) against labels 0 (DR) and 1 (UR)."""
    return nn.functional.binary_cross_entropy_with_logits(logit[:, 0], label.to(logit.dtype))


def fit(
    model: nn.Module,
    x: np.ndarray | list[np.ndarray],
    y: np.ndarray | list[np.ndarray],
    *,
    loss: Loss = nn.functional.cross_entropy,
    epochs: int = 50,
    batch_size: int = 256,
    lr: float = 1e-4,
    seed: int = 0,
    device: str = "auto",
    autocast: bool | None = False,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = False,
    name: str = "training",
) -> list[dict]:
    """Train ``model`` in place on images x (N, C, H, W) and labels y (N,); return one record per epoch.

    x and y may be lists, one entry per cohort, since cohorts have images of different size: a batch then holds genes of
    one cohort, and the batches of all cohorts are shuffled together.

    The order of genes in epoch e depends on (seed, e) alone, so that a killed run that goes on from ``checkpoint``
    ends at the same weights, bit for bit, as one that was not killed. With ``validation`` the model ends with the
    weights of the epoch of lowest validation loss. ``autocast=None`` uses bfloat16 where the hardware has it.
    """
    dev = pick_device(device)
    autocast = fast_bfloat16(dev) if autocast is None else autocast
    model.to(dev, memory_format=torch.channels_last)
    pairs = list(zip(x, y)) if isinstance(x, list) else [(x, y)]
    data = [
        (to_tensor(images, dev), torch.as_tensor(np.asarray(labels, dtype=np.int64), device=dev))
        for images, labels in pairs
    ]
    n_genes = sum(len(labels) for _, labels in data)
    held_out = (
        None
        if validation is None
        else (
            to_tensor(validation[0], dev),
            torch.as_tensor(np.asarray(validation[1], dtype=np.int64), device=dev),
        )
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    state = _Run(model, optimizer, Path(checkpoint) if checkpoint else None)
    if checkpoint:
        state.belongs_to = _fingerprint(pairs, validation, seed, batch_size, lr)
    state.resume()
    bar = progress_bar(range(len(state.history), epochs), name, "epoch", show=progress)
    for epoch in bar:
        model.train()
        total = torch.zeros((), device=dev)
        for images, labels in _batches(
            data, batch_size, torch.Generator().manual_seed(1_000_003 * seed + epoch)
        ):
            with torch.autocast(dev.type, torch.bfloat16, enabled=autocast):
                out = model(images)
            value = loss(out.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            total += value.detach() * len(labels)
        record = {"epoch": epoch + 1, "train_loss": total.item() / n_genes}
        if held_out is not None:
            model.eval()
            with torch.inference_mode():
                record["validation_loss"] = loss(
                    _forward(model, held_out[0], 1024).float(), held_out[1]
                ).item()
        bar.set_postfix({k: f"{v:.3f}" for k, v in record.items() if k != "epoch"})
        state.finish_epoch(record)
    state.restore_best()
    return state.history


def _fingerprint(pairs: list, validation: tuple | None, *settings: float) -> str:
    """Return a checksum of data and settings; the number of epochs is left out, since a run may go on for longer."""
    found = zlib.crc32(repr(settings).encode())
    for images, labels in pairs + ([] if validation is None else [validation]):
        for array in (np.asarray(images, dtype=np.float32), np.asarray(labels, dtype=np.int64)):
            found = zlib.crc32(
                np.ascontiguousarray(array), zlib.crc32(repr(array.shape).encode(), found)
            )
    return f"{found:08x}"


def _batches(
    data: list[tuple[Tensor, Tensor]], batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield shuffled batches; with several cohorts their batches are shuffled together."""
    chunks = [
        (i, rows)
        for i, (images, _) in enumerate(data)
        for rows in torch.randperm(len(images), generator=generator).split(batch_size)
    ]
    if len(data) > 1:
        chunks = [chunks[k] for k in torch.randperm(len(chunks), generator=generator).tolist()]
    for i, rows in chunks:
        rows = rows.to(data[i][0].device)
        yield data[i][0][rows], data[i][1][rows]


def to_tensor(x: np.ndarray, device: torch.device) -> Tensor:
    """Return images as one float32 tensor on ``device``, channels last."""
    return torch.as_tensor(np.ascontiguousarray(x, dtype=np.float32)).to(
        device, memory_format=torch.channels_last
    )


def predict(
    model: nn.Module, x: np.ndarray, batch_size: int = 1024, device: str = "auto"
) -> np.ndarray:
    """Return the model's outputs, float32 (N, n_outputs), for images x (N, C, H, W)."""
    dev = pick_device(device)
    model.to(dev, memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        return _forward(model, to_tensor(x, dev), batch_size).float().cpu().numpy()


def _forward(model: nn.Module, data: Tensor, batch_size: int) -> Tensor:
    return torch.cat([model(part) for part in data.split(batch_size)])


class _Run:
    """The state of a run (weights, optimiser, history, best weights), written whole after each epoch."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, path: Path | None
    ) -> None:
        self.model, self.optimizer, self.path = model, optimizer, path
        self.belongs_to = ""  # checksum of the data and settings
        self.history: list[dict] = []
        self.best: dict[str, Tensor] | None = None

    def finish_epoch(self, record: dict) -> None:
        self.history.append(record)
        losses = [r.get("validation_loss") for r in self.history]
        if losses[-1] is not None and losses[-1] == min(losses):
            self.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        if self.path is not None:
            self.save()

    def save(self) -> None:
        from safetensors.torch import save_file

        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best/{k}": v for k, v in (self.best or {}).items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam/{index}/{k}": v for k, v in slots.items()}
        tensors = {k: v.detach().to("cpu").contiguous().clone() for k, v in tensors.items()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        save_file(
            tensors,
            temporary,
            metadata={"history": json.dumps(self.history), "belongs_to": self.belongs_to},
        )
        os.replace(temporary, self.path)

    def resume(self) -> None:
        if self.path is None or not self.path.exists():
            return
        from safetensors import safe_open

        with safe_open(self.path, framework="pt") as file:
            if file.metadata()["belongs_to"] != self.belongs_to:
                raise InputError(
                    f"the checkpoint {self.path.name} belongs to a run on other data or settings: delete it, or name another one"
                )
            self.history = json.loads(file.metadata()["history"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}
        model = {k.removeprefix("model/"): v for k, v in tensors.items() if k.startswith("model/")}
        self.model.load_state_dict(model)
        self.best = {
            k.removeprefix("best/"): v for k, v in tensors.items() if k.startswith("best/")
        } or None
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("adam/"):
                _, index, slot = key.split("/")
                slots.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict(
            {"state": slots, "param_groups": self.optimizer.state_dict()["param_groups"]}
        )

    def restore_best(self) -> None:
        if self.best is not None:
            self.model.load_state_dict(self.best)
