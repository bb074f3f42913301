"""Train the network for few samples under the standard rule, with a list whose errors are foretold.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.standard_few    # about ten minutes

The truth is what a cohort shows under the standard rule, and how much that is depends on its size:
each training cancer is its own truth, whole and cut to the sizes of others of the paper's 17
cohorts (9 to 113 normal samples). The input is a draw of 2 to 25 samples a group. First one
training cancer at a time is left out: these networks' probabilities give the correction that turns
a probability into the expected share of wrong calls (data/results/standard_few_choice.csv). Then
the weights are trained on all. reproduction.experiments.few_samples tests them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import CLASS_NAMES, TRAINING, label_names
from degnext.learning.profile.called_list import BLEND, CARD, expected_errors, log_odds, share_wrong
from degnext.learning.profile.classifier import TRAINING as DEFAULTS
from degnext.learning.profile.classifier import ProfileClassifier
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights.standard import save
from reproduction.weights.standard_data import RULE
from reproduction.weights.standard_few_data import CHANNELS, LOOK, Examples, examples

NOMINAL = (0.05, 0.1, 0.2)
MARGINS = tuple(np.arange(0, 1.05, 0.05).round(2))  # on the log odds of an error
SMALL = 11  # normal samples of a small cohort
HOW = replace(DEFAULTS, epochs=4, batch_size=512, lr=3e-3)


def network(seed: int) -> ProfileClassifier:
    """Return a network to train."""
    return ProfileClassifier(CLASS_NAMES, **LOOK, training=HOW, random_state=seed)


def painted(images: np.ndarray) -> np.ndarray:
    """Return the images as the network reads them."""
    return np.repeat(images[..., None].astype(np.float32), LOOK["width"], axis=3)


def trained(some: list[Examples], seed: int) -> ProfileClassifier:
    """Train on the examples of some cancers."""
    images = np.concatenate([e.shown_images for e in some])
    codes = np.concatenate([e.shown_codes for e in some])
    return network(seed).fit(painted(images), label_names(codes))


def answers(model: ProfileClassifier, cancer: str, left: Examples) -> Iterator[dict]:
    """Yield what a network that did not see a cancer says of its draws."""
    ends = np.cumsum(left.draws[:, 3])[:-1]
    parts = zip(left.draws.tolist(), np.split(left.images, ends), np.split(left.codes, ends))
    for (n_normal, n_tumor, size, _), images, codes in parts:
        facts = {"left_out": cancer, "n_normal": n_normal, "n_tumor": n_tumor, "samples": size}
        chance = model.predict_proba(painted(images))[:, :2]
        root = np.abs(images[:, CHANNELS.index("nb_root"), 1].astype(float))
        yield {"facts": facts, "chance": chance, "root": root, "codes": codes}


def correction(kept: list[dict]) -> list[float]:
    """Return how a probability becomes an expected error: intercept, slope, both by 1 / samples.

    A logistic fit on genes that are likelier right than wrong, every draw with the same weight.
    """
    features, wrong, weight = [], [], []
    for a in kept:
        z = log_odds(a["chance"], a["root"])
        sure, few = z < 0, 1 / a["facts"]["samples"]
        features.append(np.stack([z, np.full_like(z, few), z * few], 1)[sure])
        wrong.append((a["chance"].argmax(axis=1) != a["codes"])[sure])
        weight.append(np.full(sure.sum(), 1 / max(sure.sum(), 1)))
    weight = np.concatenate(weight)
    model = LogisticRegression(C=1e6, max_iter=500)
    model.fit(np.concatenate(features), np.concatenate(wrong), weight * len(weight) / weight.sum())
    return [float(model.intercept_[0]), *map(float, model.coef_[0])]


def scores(answer: dict, fitted: list[float]) -> dict:
    """Return average precision (test, network, both) and the lists' lengths and realised errors."""
    chance, root, codes = (answer[name] for name in ("chance", "root", "codes"))
    error = expected_errors(chance, root, answer["facts"]["samples"], fitted)
    wrong, changed = chance.argmax(axis=1) != codes, codes < 2
    out = {"changed": changed.mean(), "ap_test": average_precision_score(changed, root)}
    out["ap_network"] = average_precision_score(changed, chance.max(axis=1))
    out["ap"] = average_precision_score(changed, -error)
    for nominal in NOMINAL:
        chosen = share_wrong(error) <= nominal
        out[f"n_{nominal}"] = int(chosen.sum())
        out[f"wrong_{nominal}"] = wrong[chosen].mean() if chosen.any() else np.nan
    return answer["facts"] | out


def table_of(kept: list[dict], margin: float) -> pd.DataFrame:
    """Return scores of every draw, its errors corrected by what the other cancers asked for."""
    rows = []
    for cancer in TRAINING:
        fitted = correction([a for a in kept if a["facts"]["left_out"] != cancer])
        fitted[0] += margin
        rows += [scores(a, fitted) for a in kept if a["facts"]["left_out"] == cancer]
    return pd.DataFrame(rows)


def excess(table: pd.DataFrame) -> float:
    """Return realised less nominal error at 10 %, small and larger cohorts weighing the same."""
    small = table["n_normal"] <= SMALL
    return float(table.groupby(small)["wrong_0.1"].mean().mean() - 0.1)


def main() -> None:
    """Leave out, calibrate, train; write the weights, their correction and a table."""
    arguments = parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--draw", choices=TRAINING, help="only draw this cancer's examples")
    args = arguments.parse_args()
    start = time.perf_counter()
    if args.draw:
        examples(args.draw, args.seed)
        return
    data = {cancer: examples(cancer, args.seed) for cancer in TRAINING}
    seconds, kept = {"draws and labels": round(time.perf_counter() - start, 1)}, []
    for left in TRAINING:
        model = trained([data[c] for c in TRAINING if c != left], args.seed)
        kept += answers(model, left, data[left])
        print("left out", left, flush=True)
    margin = next(m for m in MARGINS if m == MARGINS[-1] or excess(table_of(kept, m)) <= 0)
    table, fitted = table_of(kept, margin).round(4), correction(kept)
    fitted[0] += margin
    model = trained(list(data.values()), args.seed)
    save(model, "profile_standard_few.safetensors")
    write_atomic(CARD, json.dumps({"correction": fitted, "margin": margin}) + "\n")
    settings = {"labels": RULE + ", of the cohort drawn from", "correction": fitted}
    settings |= {"margin": margin, "blend": BLEND, "seed": args.seed}
    seconds["training"] = round(time.perf_counter() - start - seconds["draws and labels"], 1)
    write_results("standard_few_choice", table, __spec__.name, settings, seconds)
    print(table.groupby("samples").mean(numeric_only=True).round(3).to_string())


if __name__ == "__main__":
    call(main)
