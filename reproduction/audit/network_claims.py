"""The audit's claims about the network: the released weights on the published genes, and small experiments with it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from torch import nn

from degnext.cohorts.cohort import UNTRAINED
from degnext.cohorts.paper import paper_value
from degnext.evaluation.metrics import batch_averaged, confusion, metrics_of
from degnext.learning.classifier import DEGnext
from degnext.learning.images import grid_shape, row_values
from degnext.learning.training import predict
from reproduction.audit.claims import cohort, present, weights_path

SEEDS, EPOCHS, HEAD_GENES = 4, 50, 1024


def tested() -> list[str]:
    """Name the untrained cohorts whose whole Q is at hand."""
    return [c for c in present() if c in UNTRAINED and {"F1", "T3"} <= set(cohort(c).parts)]


def released_image(values: np.ndarray) -> np.ndarray:
    """Shape rows as the released code does: as many rows of pixels as the larger divisor, as many columns as the smaller.

    The weights know this orientation; turned by 90 degrees the same gene is another image.
    """
    low, high = sorted(grid_shape(values.shape[1]))
    padded = np.pad(
        np.asarray(values, dtype=np.float32), ((0, 0), (0, low * high - values.shape[1]))
    )
    return padded.reshape(len(padded), 1, high, low)


@lru_cache(maxsize=1)
def released() -> nn.Module:
    """Load the released network once."""
    return DEGnext.load_released(weights_path(), device="cpu").network_


def outputs(values: np.ndarray, network: nn.Module | None = None) -> np.ndarray:
    """Return the released network's raw output (genes,) for rows of raw counts."""
    return predict(network or released(), released_image(values), batch_size=32, device="cpu")[:, 0]


@lru_cache(maxsize=None)
def _on_q(cancer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, raw outputs and whether the gene is in T3, for all of Q in file order (F1, then T3)."""
    c = cohort(cancer)
    rows = c.rows("Q")
    return (
        c.codes[rows],
        outputs(row_values(c, "none")[rows]),
        (c.genes["part"] == "T3").to_numpy()[rows],
    )


def _scores(y: np.ndarray, called: np.ndarray) -> tuple[float, float]:
    m = metrics_of(confusion(y, called, 2))
    return 100 * float(m["accuracy"]), float(m["mcc"])


def released_weights() -> pd.DataFrame:
    """Claims 1, 2 and 6: released weights on all of Q: over all genes, averaged over batches of 64, and with a cut at p = 0.5."""
    rows = []
    for name in tested():
        y, z, _ = _on_q(name)
        called = (z >= 0.5).astype(int)  # the released code's cut, on the raw output
        batches = batch_averaged(y, called)
        even = _scores(y, (z > 0).astype(int))[0]  # a raw output of 0 is a probability of one half
        rows.append(
            (
                name,
                len(y),
                *_scores(y, called),
                100 * batches["accuracy"],
                batches["mcc"],
                paper_value(name, "transfer", "accuracy"),
                paper_value(name, "transfer", "mcc"),
                even,
            )
        )
    columns = [
        "cancer",
        "genes",
        "accuracy",
        "mcc",
        "batch_accuracy",
        "batch_mcc",
        "paper_accuracy",
        "paper_mcc",
        "accuracy_cut_at_half",
    ]
    return pd.DataFrame(rows, columns=columns).round(3)


def batch_of_one() -> pd.DataFrame:
    """Claim 2, by construction: 193 genes make three batches of 64 and one of a single gene."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [97, 96])[rng.permutation(193)]
    wrong = rng.permutation(192)[
        :18
    ]  # 175 of 193 right, as in ESCA; the last gene among the right ones
    called = y.copy()
    called[wrong] = 1 - called[wrong]
    rows = []
    for who, said in (("a perfect classifier", y), ("175 of 193 right", called)):
        batches = batch_averaged(y, said)
        rows.append((who, *_scores(y, said), 100 * batches["accuracy"], batches["mcc"]))
    return pd.DataFrame(
        rows, columns=["classifier", "accuracy", "mcc", "batch_accuracy", "batch_mcc"]
    ).round(2)


def carried_over() -> pd.DataFrame:
    """Claim 7: a network that never saw a cohort, on that cohort's T3, beside Table 2's network that was trained on it."""
    rows = []
    for name in tested():
        y, z, in_t3 = _on_q(name)
        rows.append(
            (
                name,
                int(in_t3.sum()),
                _scores(y[in_t3], (z[in_t3] >= 0.5).astype(int))[0],
                paper_value(name, "general", "accuracy"),
            )
        )
    return pd.DataFrame(
        rows, columns=["cancer", "t3_genes", "never_saw_the_cohort", "table_2"]
    ).round(2)


def noise_accuracy() -> pd.DataFrame:
    """Claim 8: released weights on Q with Gaussian noise, in counts (the code) or in each gene's own SDs (the text)."""
    rows = []
    for name in ("CHOL", "KICH", "READ"):
        c = cohort(name)
        x = row_values(c, "none")[c.rows("Q")].astype(float)
        y, z, _ = _on_q(name)
        clean, sd = _scores(y, (z >= 0.5).astype(int))[0], x.std(axis=1, ddof=1, keepdims=True)
        for reading, level, width in (
            ("counts", 100, 100.0),
            ("counts", 1500, 1500.0),
            ("own SD", 5, 5 * sd),
        ):
            noisy = x + np.random.default_rng(0).normal(size=x.shape) * width
            rows.append(
                (
                    name,
                    reading,
                    level,
                    float(np.median(x)),
                    clean,
                    _scores(y, (outputs(noisy) >= 0.5).astype(int))[0],
                )
            )
    return pd.DataFrame(
        rows, columns=["cancer", "unit", "level", "median_count", "without_noise", "with_noise"]
    ).round(2)


def architecture() -> pd.DataFrame:
    """Claim 9: released weights in a network with one ReLU per pair of convolutions (code) or one after each (text)."""
    each = (
        DEGnext("paper", relu="conv", device="cpu")
        ._restore(released().state_dict(), "two-class", None)
        .network_
    )
    rows = []
    for name in ("CHOL", "KICH"):
        y, z, _ = _on_q(name)
        c = cohort(name)
        other = outputs(row_values(c, "none")[c.rows("Q")], each)
        rows.append((name, *(_scores(y, (v >= 0.5).astype(int))[0] for v in (z, other))))
    return pd.DataFrame(rows, columns=["cancer", "relu_per_pair", "relu_per_convolution"]).round(2)


def output_layer() -> pd.DataFrame:
    """Claim 6: the five linear layers, trained on three classes behind the released convolutions, with either output.

    1,024 T1 genes of a cohort train, 256 others test; Adam 1e-4, 50 epochs, batches of 256, as in Table 7.
    """
    rows = []
    for name in ("CHOL", "KICH"):
        c = cohort(name)
        x, y = c.xy("T1")
        chosen = np.random.default_rng(0).permutation(len(x))[: HEAD_GENES * 5 // 4]
        features, labels = _features(x[chosen]), torch.as_tensor(y[chosen].astype(np.int64))
        for squash in (True, False):
            runs = [_train_head(features, labels, squash, seed) for seed in range(SEEDS)]
            classes, dead, mcc = (np.array(v) for v in zip(*runs))
            output = "ReLU, softmax, cross-entropy" if squash else "logits, cross-entropy"
            rows.append(
                (
                    name,
                    output,
                    SEEDS,
                    int((classes == 3).sum()),
                    int((classes == 1).sum()),
                    int((dead > 0).sum()),
                    mcc.mean(),
                    mcc.max(),
                )
            )
    columns = [
        "cancer",
        "output",
        "runs",
        "runs_with_3_classes",
        "runs_with_1_class",
        "runs_with_dead_output",
        "mean_mcc",
        "best_mcc",
    ]
    return pd.DataFrame(rows, columns=columns).round(2)


def _features(x: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        h = torch.as_tensor(released_image(x)).contiguous(memory_format=torch.channels_last)
        for i in range(1, 5):
            h = released().get_submodule(f"ConvLayer{i}")(h)
        return torch.amax(h, dim=(2, 3)).clone()  # (genes, 256)


def _train_head(
    features: torch.Tensor, labels: torch.Tensor, squash: bool, seed: int
) -> tuple[int, int, float]:
    """Return how many classes the trained head ever calls, how many outputs are ≤ 0 for every gene, and the test MCC."""
    widths = (256, 120, 64, 32, 8)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [m for a, b in zip(widths, widths[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
        head = nn.Sequential(*layers, nn.Linear(8, 3))
        order = [torch.randperm(HEAD_GENES) for _ in range(EPOCHS)]
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-4, fused=True)

    def squashed(z: torch.Tensor) -> torch.Tensor:
        return torch.softmax(torch.relu(z), dim=1) if squash else z

    for epoch in order:
        for rows in epoch.split(256):
            loss = nn.functional.cross_entropy(squashed(head(features[rows])), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        z = head(features)
    called = squashed(z).argmax(dim=1).numpy()
    table = confusion(labels.numpy()[HEAD_GENES:], called[HEAD_GENES:], 3)
    return len(np.unique(called)), int((z <= 0).all(dim=0).sum()), float(metrics_of(table)["mcc"])
