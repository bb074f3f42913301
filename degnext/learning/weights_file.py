"""Weights on the disk: safetensors, written whole or not at all, read without running a pickle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from degnext._common.errors import InputError
from degnext._common.files import write_atomic

NOT_FITTED = "%(name)s has no weights yet: call fit, or from_pretrained, first"


def write_weights(path: str | Path, tensors: dict[str, Tensor], kind: str, facts: dict) -> str:
    """Write tensors, and under the name ``kind`` what else is known of them; return the SHA-256."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(tensors, metadata={kind: json.dumps(facts)})
    write_atomic(path, data)
    return hashlib.sha256(data).hexdigest()


def read_weights(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict]:
    """Return tensors and facts of a file that :func:`write_weights` wrote; refuse any other."""
    name = Path(path).name
    if not Path(path).is_file():
        raise InputError(f"no weights file {str(path)!r}: train and save first, or check the path")
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get(kind, "null"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{name} is no whole safetensors file: train and save again") from error
    if facts is None:
        raise InputError(f"{name} holds no {kind}: pass a file that save() of the same class wrote")
    return tensors, facts
