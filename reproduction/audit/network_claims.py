"""The audit's claims about the network: the released weights, and small experiments.

Every function returns a small table; percentages are 0 to 100.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import nn

from degnext.cohorts.cohort import UNTRAINED
from degnext.cohorts.paper import paper_value
from degnext.evaluation.metrics import batch_averaged, confusion_counts, metrics_of
from degnext.learning.classifier import DEGnextClassifier
from degnext.learning.images import grid_shape, row_values
from degnext.learning.network import DEGnextCNN
from degnext.learning.training import Training, fit, predict
from reproduction.audit.files import cohort, present, weights_path
from reproduction.sources import COMPLETE

SEEDS, EPOCHS, HEAD_GENES = 4, 50, 1024


def tested() -> list[str]:
    """Return the untrained cohorts whose whole Q is at hand."""
    return [c for c in present() if c in UNTRAINED and {"F1", "T3"} <= set(cohort(c).parts)]


def released_image(values: np.ndarray) -> np.ndarray:
    """Shape rows (genes × samples) as the released code does: (genes, 1, larger, smaller divisor).

    The weights know this orientation; turned by 90 degrees the same gene is another image.
    """
    low, high = sorted(grid_shape(values.shape[1]))
    padding = ((0, 0), (0, low * high - values.shape[1]))
    padded = np.pad(np.asarray(values, dtype=np.float32), padding)
    return padded.reshape(len(padded), 1, high, low)


@cache
def released() -> nn.Module:
    """Return the released network, loaded once."""
    return DEGnextClassifier.from_pretrained(weights_path(), device="cpu").network_


def outputs(values: np.ndarray, network: nn.Module | None = None) -> np.ndarray:
    """Return the released network's raw output (genes,) for rows of raw counts."""
    return predict(network or released(), released_image(values), batch_size=32, device="cpu")[:, 0]


@cache
def on_q(cancer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, raw outputs and whether a gene is in T3, for Q in file order (F1, T3)."""
    c = cohort(cancer)
    rows = c.rows("Q")
    in_t3 = (c.genes["part"] == "T3").to_numpy()[rows]
    return c.codes[rows], outputs(row_values(c, "none")[rows]), in_t3


def scores(y: np.ndarray, called: np.ndarray) -> dict[str, float]:
    """Return accuracy in percent and MCC over all genes."""
    m = metrics_of(confusion_counts(y, called, 2))
    return {"accuracy": 100 * float(m["accuracy"]), "mcc": float(m["mcc"])}


def batch_scores(y: np.ndarray, called: np.ndarray) -> dict[str, float]:
    """Return the same as means over batches of 64, which is how the paper reports them."""
    m = batch_averaged(y, called)
    return {"batch_accuracy": 100 * m["accuracy"], "batch_mcc": m["mcc"]}


def accuracy(y: np.ndarray, raw: np.ndarray, cut: float = 0.5) -> float:
    """Return the accuracy in percent of calling UR from ``cut`` on; 0.5 is the released code's."""
    return scores(y, (raw >= cut).astype(int))["accuracy"]


def released_weights() -> pd.DataFrame:
    """Claims 1, 2 and 6: Q over all genes, averaged over batches of 64, and cut at p = 0.5."""
    rows = []
    for name in tested():
        y, raw, _ = on_q(name)
        called = (raw >= 0.5).astype(int)
        row = {"cancer": name, "genes": len(y)} | scores(y, called) | batch_scores(y, called)
        for score in ("accuracy", "mcc"):
            row[f"paper_{score}"] = paper_value(name, "transfer", score)
        even = (raw > 0).astype(int)  # a raw output of 0 is a probability of one half
        rows.append(row | {"accuracy_cut_at_half": scores(y, even)["accuracy"]})
    return pd.DataFrame(rows).round(3)


def batch_of_one() -> pd.DataFrame:
    """Claim 2, by construction: 193 genes make three batches of 64 and one of a single gene."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [97, 96])[rng.permutation(193)]
    called, wrong = (
        y.copy(),
        rng.permutation(192)[:18],
    )  # 175 of 193 right, as in ESCA, the last too
    called[wrong] = 1 - called[wrong]
    answers = {"a perfect classifier": y, "175 of 193 right": called}
    rows = [{"classifier": k} | scores(y, v) | batch_scores(y, v) for k, v in answers.items()]
    return pd.DataFrame(rows).round(2)


def carried_over() -> pd.DataFrame:
    """Claim 7: a network that never saw a cohort on its T3, beside Table 2's that did."""
    rows = []
    for name in tested():
        y, raw, t3 = on_q(name)
        row = {"cancer": name, "t3_genes": int(t3.sum())}
        row["never_saw_the_cohort"] = accuracy(y[t3], raw[t3])
        rows.append(row | {"table_2": paper_value(name, "general", "accuracy")})
    return pd.DataFrame(rows).round(2)


def noise_accuracy() -> pd.DataFrame:
    """Claim 8: Q with Gaussian noise, in counts (the code) or in each gene's own SDs (the text)."""
    rows = []
    for name in COMPLETE:
        c, (y, raw, _) = cohort(name), on_q(name)
        x = row_values(c, "none")[c.rows("Q")].astype(float)
        sd = x.std(axis=1, ddof=1, keepdims=True)
        for unit, level, width in (
            ("counts", 100, 100.0),
            ("counts", 1500, 1500.0),
            ("own SD", 5, 5 * sd),
        ):
            noisy = x + np.random.default_rng(0).normal(size=x.shape) * width
            row = {
                "cancer": name,
                "unit": unit,
                "level": level,
                "median_count": float(np.median(x)),
            }
            row |= {"without_noise": accuracy(y, raw), "with_noise": accuracy(y, outputs(noisy))}
            rows.append(row)
    return pd.DataFrame(rows).round(2)


def architecture() -> pd.DataFrame:
    """Claim 9: the weights behind one ReLU per pair of convolutions (code) or each (text)."""
    each = DEGnextCNN(1, relu="conv")
    each.load_state_dict(released().state_dict())
    rows = []
    for name in ("CHOL", "KICH"):
        c, (y, raw, _) = cohort(name), on_q(name)
        misread = outputs(row_values(c, "none")[c.rows("Q")], each)
        row = {"cancer": name, "relu_per_pair": accuracy(y, raw)}
        rows.append(row | {"relu_per_convolution": accuracy(y, misread)})
    return pd.DataFrame(rows).round(2)


def output_layer() -> pd.DataFrame:
    """Claim 6: the five linear layers, trained on three classes behind the released convolutions.

    1,024 T1 genes train, 256 others test; Adam 1e-4, 50 epochs, batches of 256 (Table 7).
    """
    rows = []
    for name in ("CHOL", "KICH"):
        c = cohort(name)
        t1 = c.rows("T1")
        x, y = c.counts.to_numpy(dtype=np.float32)[t1], c.codes[t1]
        chosen = np.random.default_rng(0).permutation(len(x))[: HEAD_GENES * 5 // 4]
        features, labels = _features(x[chosen]), y[chosen]
        for squash in (True, False):
            runs = [_train_head(features, labels, squash, seed) for seed in range(SEEDS)]
            classes, dead, mcc = (np.array(v) for v in zip(*runs))
            output = "ReLU, softmax, cross-entropy" if squash else "logits, cross-entropy"
            row = {"cancer": name, "output": output, "runs": SEEDS}
            row["runs_with_3_classes"] = int((classes == 3).sum())
            row["runs_with_1_class"] = int((classes == 1).sum())
            row["runs_with_dead_output"] = int((dead > 0).sum())
            rows.append(row | {"mean_mcc": mcc.mean(), "best_mcc": mcc.max()})
    return pd.DataFrame(rows).round(2)


def _features(x: np.ndarray) -> np.ndarray:
    # a network of its own: one that was asked before has its weights laid out anew: other last bits
    network = DEGnextClassifier.from_pretrained(weights_path(), device="cpu").network_
    with torch.inference_mode():
        h = torch.as_tensor(released_image(x)).contiguous(memory_format=torch.channels_last)
        for i in range(1, 5):
            h = network.get_submodule(f"ConvLayer{i}")(h)
        return torch.amax(h, dim=(2, 3)).numpy()  # (genes, 256)


def _train_head(
    features: np.ndarray, labels: np.ndarray, squash: bool, seed: int
) -> tuple[int, int, float]:
    """Return how many classes are ever called, how many outputs are never above 0, the test MCC."""
    widths = (256, 120, 64, 32, 8)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [m for a, b in zip(widths, widths[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
        head = nn.Sequential(*layers, nn.Linear(8, 3))
        order = torch.Generator().set_state(torch.get_rng_state())

    def squashed(z: torch.Tensor) -> torch.Tensor:
        return torch.softmax(torch.relu(z), dim=1) if squash else z

    def loss(z: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(squashed(z), label)

    learned = (features[:HEAD_GENES], labels[:HEAD_GENES])
    settings = Training(EPOCHS, batch_size=256, lr=1e-4, fused=True, device="cpu")
    fit(head, learned, settings, loss=loss, generator=order)
    z = torch.as_tensor(predict(head, features, len(features), device="cpu"))
    called = squashed(z).argmax(dim=1).numpy()
    table = confusion_counts(labels[HEAD_GENES:], called[HEAD_GENES:], 3)
    return len(np.unique(called)), int((z <= 0).all(dim=0).sum()), float(metrics_of(table)["mcc"])
