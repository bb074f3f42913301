"""Time our training loop against a plain one, with the paper's network, in the same run.

    python benchmarks/bench_network.py [--genes 512] [--repeats 3]

The plain loop is written as the paper's scripts are: a Dataset that turns one gene at a time into
an image, a DataLoader, float32 in the default memory layout, torch's own layers, and
scikit-learn's accuracy, precision, recall, F1 and MCC after every batch. Both train the same
fresh network on the same synthetic genes of a 45-, a 176- and a 433-sample cohort, alternating,
an epoch at a time after one to warm up. Also measured: the rate of a square matrix product on the
same threads, and which part of it our loop reaches, counting only the operations that it does: on
a CPU the way back through the last convolution is gathered from the patches that won
(degnext/learning/sparse_max.py). operations is the share of the plain loop's operations that are
left, and ratio_at_matrix_rate the ratio that a loop would have that did these as fast as that
product and all else in no time. Writes benchmarks/results/network.csv.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn import metrics
from torch import nn
from torch.utils.data import DataLoader, Dataset

from degnext.learning.images import grid_image, grid_shape
from degnext.learning.network import CHANNELS, DEGnextCNN
from degnext.learning.training import Training, fit, pick_device

SAMPLES, BATCH = (45, 176, 433), 256


class GeneImages(Dataset):
    """One gene at a time, shaped and converted when it is asked for."""

    def __init__(self, rows: np.ndarray, labels: np.ndarray) -> None:
        self.rows, self.labels = rows, labels

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        h, w = grid_shape(self.rows.shape[1])
        row = np.append(self.rows[i], np.zeros(h * w - self.rows.shape[1]))
        return torch.tensor(row.reshape(1, h, w), dtype=torch.float32), int(self.labels[i])


def plain_epoch(model: nn.Module, data: GeneImages, device: torch.device) -> float:
    """Train one epoch as the paper's scripts do; return seconds."""
    loader, optimizer = (
        DataLoader(data, batch_size=BATCH, shuffle=True),
        torch.optim.Adam(model.parameters(), lr=1e-4),
    )
    start = time.perf_counter()
    model.train()
    for images, labels in loader:
        out = model(images.to(device))
        loss = nn.functional.cross_entropy(out, labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        said, true = out.argmax(1).cpu().numpy(), labels.numpy()
        loss.item(), metrics.accuracy_score(true, said), metrics.matthews_corrcoef(true, said)
        for score in (metrics.precision_score, metrics.recall_score, metrics.f1_score):
            score(true, said, average="weighted", zero_division=0)
    return time.perf_counter() - start


def our_epoch(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, device: torch.device, bfloat16: bool
) -> float:
    """Train one epoch with degnext.learning.training.fit; return seconds."""
    start = time.perf_counter()
    settings = Training(1, BATCH, 1e-4, device=str(device), bfloat16=bfloat16)
    fit(model, (images, labels), settings)
    return time.perf_counter() - start


def matrix_rate(device: torch.device, n: int = 2048) -> float:
    """Return the rate of an n × n matrix product in float32, in GFLOP/s (best of five)."""
    a, best = torch.randn(n, n, device=device), 0.0
    for _ in range(6):
        start = time.perf_counter()
        (a @ a)[0, 0].item()
        best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return best


def flop_per_gene(n_samples: int, gathered: bool = False) -> float:
    """Return the operations per gene of a training step: forward, and about twice that backward.

    gathered: backward through the last convolution costs one patch per output channel, not the
    whole image.
    """
    (h, w), (_, n_mid, n_out) = grid_shape(n_samples), CHANNELS[-1]
    last = 9 * n_mid * n_out
    before = sum(9 * (a * b + b * c) for a, b, c in CHANNELS) - last
    backward = 2 * (before * h * w + last) if gathered else 2 * (before + last) * h * w
    return 2 * ((before + last) * h * w + backward)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--bfloat16", action="store_true", help="let our loop use it (slow where it is emulated)"
    )
    args = parser.parse_args()
    device, rows = pick_device(args.device), []
    for n_samples in SAMPLES:
        rng = np.random.default_rng(n_samples)
        values, labels = (
            rng.normal(size=(args.genes, n_samples)).astype(np.float32),
            rng.integers(0, 3, args.genes),
        )
        images = grid_image(values)
        seconds: dict[str, list[float]] = {"plain": [], "ours": []}
        nets = {name: DEGnextCNN().to(device) for name in seconds}
        nets["plain"].ConvLayer4.gather = False  # torch's own layers
        for repeat in range(args.repeats + 1):
            took = {
                "plain": plain_epoch(nets["plain"], GeneImages(values, labels), device),
                "ours": our_epoch(nets["ours"], images, labels, device, args.bfloat16),
            }
            for name in took if repeat else ():
                seconds[name].append(took[name])
        plain, ours, rate = (
            np.median(seconds["plain"]),
            np.median(seconds["ours"]),
            matrix_rate(device),
        )
        done = flop_per_gene(n_samples, gathered=device.type == "cpu" and not args.bfloat16)
        reached = done * args.genes / ours / 1e9
        rows.append(
            dict(
                samples=n_samples,
                genes=args.genes,
                plain_genes_per_second=args.genes / plain,
                our_genes_per_second=args.genes / ours,
                ratio=plain / ours,
                ratio_at_matrix_rate=rate / (reached * ours / plain),
                operations=done / flop_per_gene(n_samples),
                our_gflops=reached,
                matrix_gflops=rate,
                fraction_of_matrix_rate=reached / rate,
                device=device.type,
                threads=torch.get_num_threads(),
            )
        )
        print(
            {k: round(v, 2) if isinstance(v, float) else v for k, v in rows[-1].items()}, flush=True
        )
    out = Path(__file__).parent / "results" / "network.csv"
    pd.DataFrame(rows).round(3).to_csv(out, index=False)


if __name__ == "__main__":
    main()
