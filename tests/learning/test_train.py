"""degnext.learning.training: a seed gives the same weights, killed on the way or not."""

from __future__ import annotations

import json
import os
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

import degnext
from degnext._common.errors import InputError
from degnext.learning.network import DEGnextCNN
from degnext.learning.training import Training, fit, pick_device, predict, two_class_loss

FEW = Training(epochs=4, batch_size=8, lr=1e-3, device="cpu")
ONE_CYCLE = replace(FEW, one_cycle=True, weight_decay=0.01, clip=1.0, fused=True)


def data(n: int = 30, h: int = 3, w: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose label is the brightest third of their rows."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 1, h, w)).astype(np.float32)
    x[np.arange(n), 0, y % h] += 2
    return x, y


def small(seed: int = 0, n_in: int = 12) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(n_in, 16), nn.ReLU(), nn.Linear(16, 3))


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return DEGnextCNN()


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(p, q)
        for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("make", [small, cnn])
def test_the_same_seed_is_bit_identical(make):
    x, y = data()
    first, again, other = make(), make(), make()
    history = fit(first, (x, y), replace(FEW, seed=0))
    assert fit(again, (x, y), replace(FEW, seed=0)) == history and same(first, again)
    fit(other, (x, y), replace(FEW, seed=1))
    assert not same(first, other)


def test_zero_is_a_seed_and_the_global_generator_is_left_alone():
    x, y = data()
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    a, b = small(), small()
    torch.random.set_rng_state(before)
    fit(a, (x, y), replace(FEW, seed=0))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(99)
    fit(b, (x, y), replace(FEW, seed=0))
    assert same(a, b)


@pytest.mark.parametrize("make", [small, cnn])
@pytest.mark.parametrize("validated", [False, True])
def test_a_run_cut_short_and_resumed_ends_bit_identical(tmp_path, make, validated):
    pair, settings = data(), replace(FEW, seed=3)
    more = {"validation": data(12, seed=5)} if validated else {}
    whole, cut, resumed = make(), make(), make()
    history = fit(whole, pair, settings, **more)
    more["checkpoint"] = tmp_path / "c.safetensors"
    fit(cut, pair, replace(settings, epochs=2), **more)
    with torch.no_grad():  # nothing of the fresh weights may survive
        for p in resumed.parameters():
            p.zero_()
    assert fit(resumed, pair, settings, **more) == history
    assert same(whole, resumed)


def test_a_schedule_dropout_and_a_generator_of_ones_own_are_resumed_too(tmp_path):
    """As the profile network is trained, killed in the middle of the third epoch."""

    def dropping() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 16), nn.Dropout(0.5), nn.Linear(16, 3))

    def shaken(images, labels, order):
        return images + torch.rand(images.shape, generator=order), labels

    def trained(model, killed_at=0, **more):
        batches = []

        def loss(out, label):
            batches.append(1)
            if len(batches) == killed_at:
                raise KeyboardInterrupt
            return nn.functional.cross_entropy(out, label)

        order = torch.Generator().manual_seed(5)
        return fit(model, data(), ONE_CYCLE, loss=loss, augment=shaken, generator=order, **more)

    whole, resumed, kept = dropping(), dropping(), {"checkpoint": tmp_path / "c.safetensors"}
    history = trained(whole)
    with pytest.raises(KeyboardInterrupt):
        trained(dropping(), killed_at=10, **kept)
    assert trained(resumed, **kept) == history and same(whole, resumed)
    with pytest.raises(InputError, match="other data or settings"):  # the schedule has an end
        fit(dropping(), data(), replace(ONE_CYCLE, epochs=5), **kept)


def test_a_run_killed_in_the_middle_of_an_epoch_ends_bit_identical(tmp_path):
    x, y = data()
    whole = small()
    history = fit(whole, (x, y), FEW)
    calls = []

    def killed(out, label):
        calls.append(1)
        if len(calls) == 10:  # four batches an epoch: the second batch of the third
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(out, label)

    with pytest.raises(KeyboardInterrupt):
        fit(small(), (x, y), FEW, loss=killed, checkpoint=tmp_path / "c.safetensors")
    with safe_open(tmp_path / "c.safetensors", framework="pt") as file:
        assert len(json.loads(file.metadata()["checkpoint"])["history"]) == 2
    resumed = small(seed=8)
    assert fit(resumed, (x, y), FEW, checkpoint=tmp_path / "c.safetensors") == history and same(
        whole, resumed
    )
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


def test_a_kill_while_the_checkpoint_is_written_leaves_the_old_one(tmp_path, monkeypatch):
    x, y = data()
    path = tmp_path / "c.safetensors"
    fit(small(), (x, y), replace(FEW, epochs=2), checkpoint=path)
    before = path.read_bytes()

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        fit(small(), (x, y), FEW, checkpoint=path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_finished_run_is_not_trained_again(tmp_path):
    x, y = data()
    done = small()
    history = fit(done, (x, y), FEW, checkpoint=tmp_path / "c.safetensors")
    again = small(seed=4)
    assert (
        fit(again, (x, y), FEW, loss=None, checkpoint=tmp_path / "c.safetensors") == history
    )  # no loss: no batch is run
    assert same(done, again)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"lr": 1e-2},
        {"batch_size": 16},
        {"clip": 1.0},
        {"y": 1},
        {"x": 1},
        {"validation": data(6)},
    ],
)
def test_a_checkpoint_of_another_run_is_not_gone_on_from(tmp_path, change, is_helpful):
    x, y = data()
    fit(small(), (x, y), replace(FEW, epochs=1), checkpoint=tmp_path / "c.safetensors")
    other = {"x": x + change["x"] if "x" in change else x, "y": (y + 1) % 3 if "y" in change else y}
    more = {"validation": change.pop("validation")} if "validation" in change else {}
    settings = replace(FEW, **{k: v for k, v in change.items() if k not in ("x", "y")})
    with pytest.raises(InputError, match="belongs to a run on other data or settings") as caught:
        fit(
            small(),
            (other["x"], other["y"]),
            settings,
            checkpoint=tmp_path / "c.safetensors",
            **more,
        )
    assert is_helpful(str(caught.value))


def test_validation_keeps_the_weights_of_the_best_epoch():
    x, y = data()
    held = (
        x[:9],
        (y[:9] + 1) % 3,
    )  # wrong on purpose: the better the fit, the worse the validation loss
    model = small()
    history = fit(model, (x[9:], y[9:]), replace(FEW, epochs=6, lr=1e-2), validation=held)
    losses = [h["validation_loss"] for h in history]
    best = int(np.argmin(losses))
    assert best < 5 and losses[-1] > losses[best]
    one = small()
    fit(one, (x[9:], y[9:]), replace(FEW, epochs=best + 1, lr=1e-2))
    assert same(model, one)
    with torch.inference_mode():
        assert nn.functional.cross_entropy(
            model(torch.as_tensor(held[0])), torch.as_tensor(held[1])
        ).item() == pytest.approx(losses[best], rel=1e-5)


def test_training_without_validation_keeps_the_last_epoch_and_lowers_the_loss():
    x, y = data(60)
    model = small()
    history = fit(model, (x, y), replace(FEW, epochs=25, lr=1e-2))
    assert [h["epoch"] for h in history] == list(range(1, 26)) and "validation_loss" not in history[
        0
    ]
    assert history[-1]["train_loss"] < 0.3 * history[0]["train_loss"]
    assert (predict(model, x, device="cpu").argmax(1) == y).mean() > 0.95


def test_the_recorded_loss_is_a_mean_over_genes_not_batches():
    x, y = data(10)
    still = small()
    with torch.inference_mode():
        expected = nn.functional.cross_entropy(still(torch.as_tensor(x)), torch.as_tensor(y)).item()
    assert fit(still, (x, y), replace(FEW, epochs=1, lr=0.0))[0]["train_loss"] == pytest.approx(
        expected, rel=1e-5
    )


def test_cohorts_of_different_image_sizes_are_trained_together():
    sizes = [data(20, 3, 4), data(15, 5, 9, seed=1), data(8, 1, 2, seed=2)]
    seen = []

    class Watched(DEGnextCNN):
        def forward(self, x):
            seen.append(tuple(x.shape))
            return super().forward(x)

    torch.manual_seed(0)
    model = Watched()
    before = weights(model)
    history = fit(model, sizes, replace(FEW, epochs=2))
    assert len(history) == 2 and any(
        not torch.equal(a, b) for a, b in zip(before, model.parameters())
    )
    epoch = seen[: len(seen) // 2]
    for (x, _), total in zip(sizes, (20, 15, 8)):
        assert sum(s[0] for s in epoch if s[2:] == x.shape[2:]) == total  # every gene once an epoch
    kinds = [s[2:] for s in epoch]
    assert kinds != sorted(kinds, key=kinds.index) or kinds != [
        s[2:] for s in seen[len(seen) // 2 :]
    ]


def test_batches_of_several_cohorts_are_shuffled_together():
    order = []

    class Sizes(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            order.append(x.shape[-1])
            return self.scale * x.mean(dim=(1, 2, 3))[:, None]

    fit(Sizes(), [data(80, 2, 4), data(80, 2, 6)], replace(FEW, epochs=1))
    assert order.count(4) == order.count(6) == 10
    assert sum(a != b for a, b in zip(order, order[1:])) > 2


def test_each_epoch_has_an_order_of_its_own_and_every_gene_once():
    seen = []

    class Ids(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(3))

        def forward(self, x):
            seen.extend(x[:, 0, 0, 0].tolist())
            return self.w * x[:, 0, 0]

    x = np.arange(30, dtype=np.float32)[:, None, None, None].repeat(3, axis=3)
    fit(Ids(), (x, np.arange(30) % 3), replace(FEW, epochs=2))
    assert sorted(seen[:30]) == sorted(seen[30:]) == list(range(30))
    assert seen[:30] != seen[30:] and seen[:30] != list(range(30))


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pickle was used")

    fit(small(), data(), FEW)  # torch imports what it needs for an optimiser, pickle among it
    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    x, y = data()
    for epochs in (1, 2):
        fit(small(), (x, y), replace(FEW, epochs=epochs), checkpoint=tmp_path / "c.safetensors")


def test_no_module_loads_a_pickle():
    for path in Path(degnext.__file__).parent.rglob("*.py"):
        text = path.read_text()
        pickles = re.search(r"import pickle|joblib\.(load|dump)|allow_pickle=True", text)
        assert not pickles, path.name
        assert text.count("torch.load(") == text.count("weights_only=True"), path.name


def test_predict_is_the_same_in_any_batch_size_and_in_eval_mode():
    x, _ = data(25)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(12, 3)).train()
    once = predict(model, x, device="cpu")
    assert once.shape == (25, 3) and once.dtype == np.float32
    np.testing.assert_allclose(once, predict(model, x, batch_size=4, device="cpu"), rtol=1e-5)


def test_the_two_class_loss_takes_one_logit():
    logit, label = torch.tensor([[2.0], [-1.0]]), torch.tensor([1, 0])
    expected = (
        -(
            torch.log(torch.sigmoid(torch.tensor(2.0)))
            + torch.log(1 - torch.sigmoid(torch.tensor(-1.0)))
        )
        / 2
    )
    assert two_class_loss(logit, label).item() == pytest.approx(expected.item())


def test_half_precision_trains_in_bfloat16_to_about_the_same_weights():
    x, y = data()
    full, half = small(), small()
    fit(full, (x, y), FEW)
    fit(half, (x, y), replace(FEW, bfloat16=True))
    assert not same(full, half)
    for p, q in zip(full.parameters(), half.parameters()):
        assert q.dtype == torch.float32
        torch.testing.assert_close(p, q, atol=0.02, rtol=0.05)


def test_a_gpu_that_is_not_there_is_an_error_only_when_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu" and pick_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="use device='auto' or 'cpu'"):
        pick_device("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_the_gpu_learns_the_same():
    x, y = data(60)
    model = cnn()
    fit(model, (x, y), replace(FEW, epochs=20, device="cuda"))
    assert next(model.parameters()).is_cuda and np.isfinite(predict(model, x, device="cuda")).all()
