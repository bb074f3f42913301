"""Training killed at any moment loses the running epoch at most and ends at the same weights."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from degnext.learning.training import Training, fit

EPOCHS, BATCHES, KILLS = 40, 5, 10


def train(path: str, batches_done) -> None:
    """Train a small network on planted genes, counting batches where the parent sees it."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    y = np.arange(8 * BATCHES) % 3
    x = rng.normal(size=(len(y), 1, 3, 4)).astype(np.float32)
    x[np.arange(len(y)), 0, y] += 2

    class Counted(nn.Sequential):
        def forward(self, image):
            batches_done.value += 1
            time.sleep(0.003)  # so that a kill falls into every part of an epoch
            return super().forward(image)

    torch.manual_seed(0)
    fit(
        Counted(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)),
        (x, y),
        Training(EPOCHS, batch_size=8, lr=1e-3, device="cpu"),
        checkpoint=path,
    )


def epochs_saved(path: Path) -> int:
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        return len(json.loads(file.metadata()["checkpoint"])["history"])


def test_ten_kills_lose_at_most_the_running_epoch_each_and_change_no_weight(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["degnext.learning.training", "safetensors.torch", "torch._dynamo"]
    )
    undisturbed, killed = tmp_path / "undisturbed.safetensors", tmp_path / "killed.safetensors"

    def start(path: Path):
        done = context.Value("q", 0, lock=False)
        child = context.Process(target=train, args=(str(path), done))
        child.start()
        return child, done

    child, _ = start(undisturbed)
    child.join(120)
    assert child.exitcode == 0 and epochs_saved(undisturbed) == EPOCHS

    rng, goes_on_from = np.random.default_rng(1), 0
    for _ in range(KILLS):
        child, done = start(killed)
        moment = int(
            rng.integers(2, 3 * BATCHES)
        )  # in batches after the start, so within its first three epochs
        limit = time.monotonic() + 120
        while done.value < moment and child.is_alive() and time.monotonic() < limit:
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.01))
        child.kill()
        child.join(60)
        assert child.exitcode == -9, "the run ended before it was killed"
        saved = epochs_saved(killed)  # the checkpoint is always whole
        assert 0 <= done.value - (saved - goes_on_from) * BATCHES <= BATCHES, (
            "more than the running epoch is lost"
        )
        goes_on_from = saved
    assert 0 < goes_on_from < EPOCHS

    child, done = start(killed)
    child.join(120)
    assert child.exitcode == 0 and done.value == (EPOCHS - goes_on_from) * BATCHES
    a, b = load_file(undisturbed), load_file(killed)
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
