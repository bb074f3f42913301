"""Train the network for few samples under the standard rule, with a list whose errors are foretold.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.standard_few

The truth is what a whole training cancer shows under the standard rule; the input is a draw of 2 to
12 samples a group. First one training cancer at a time is left out: these networks' probabilities
give the correction that turns a probability into the expected share of wrong calls
(data/results/standard_few_choice.csv). Then the weights are trained on all and, once, tested on the
eight untrained cancers (data/results/standard_few.csv), with edgeR's test and shrinkage beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import CLASS_NAMES, TRAINING, UNTRAINED, label_names
from degnext.learning.profile.called_list import CARD, expected_errors, longest_list
from degnext.learning.profile.classifier import TRAINING as DEFAULTS
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.negbin import negative_binomial_test
from degnext.learning.profile.shrinkage import large_effects
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights.standard import save
from reproduction.weights.standard_data import (
    FDR,
    LOG_FC,
    RULE,
    Draw,
    call_codes,
    draw_of,
    edger_table,
    genes_of_draw,
    published,
)

CHANNELS = ("nb_effect", "nb_share", "nb_error", "nb_root", "nb_log_fc")
CHANNELS += ("t_weighted", "t_shrunk", "t_log", "level", "group_size")
SIZES = (2, 3, 5, 10)
NOMINAL = (0.05, 0.1, 0.2)
LARGEST = 12
N_DRAWS = {"train": 24, "left out": 3, "test": 5}  # of a cancer; the last two at each size
SHOWN = 400
HOW = replace(DEFAULTS, epochs=4, batch_size=256, lr=3e-3)


def take(cohort: Draw, n: tuple[int, int], rng: np.random.Generator) -> tuple[Draw, np.ndarray]:
    """Draw samples of each group; return the draw and which genes it has."""
    groups = (~cohort.is_tumor, cohort.is_tumor)
    sizes = [min(k, g.sum()) for k, g in zip(n, groups)]
    columns = [rng.choice(np.flatnonzero(g), k, replace=False) for k, g in zip(sizes, groups)]
    columns = np.concatenate(columns)
    counts = cohort.counts[:, columns]
    return draw_of(cohort.name, counts, cohort.is_tumor[columns]), counts.any(axis=1)


def nothing(cohort: Draw, size: int, rng: np.random.Generator) -> Draw:
    """Return a draw of tumor samples only, half of them called normal: there is nothing to find."""
    columns = rng.choice(np.flatnonzero(cohort.is_tumor), 2 * size, replace=False)
    return draw_of(cohort.name, cohort.counts[:, columns], np.arange(2 * size) >= size)


def network(seed: int) -> ProfileClassifier:
    """Return a network to train."""
    look = {"channels": CHANNELS, "width": 4, "n_filters": 16, "align": False}
    return ProfileClassifier(CLASS_NAMES, **look, training=HOW, random_state=seed)


def training_examples(cohort: Draw, codes: np.ndarray, rng: np.random.Generator) -> list[tuple]:
    """Return images and codes of some genes of draws of random sizes."""
    out = []
    for _ in range(N_DRAWS["train"]):
        n = np.exp(rng.uniform(np.log(2), np.log(LARGEST), 2)).round().astype(int)
        n = (n[0], n[0]) if rng.random() < 0.6 else tuple(n)
        draw, seen = take(cohort, n, rng)
        keep = rng.permutation(len(draw.counts))[:SHOWN]
        out.append((network(0).encode(genes_of_draw(draw))[keep], codes[seen][keep]))
    return out


def trained(examples: list[tuple], seed: int) -> ProfileClassifier:
    """Train on examples."""
    images = np.concatenate([images for images, _ in examples])
    return network(seed).fit(images, label_names(np.concatenate([c for _, c in examples])))


def predictors(error: np.ndarray, smallest: int) -> np.ndarray:
    """Return what an expected error is corrected by: its log odds, and both by 1 / samples."""
    z = logit(np.clip(error, 1e-4, 1 - 1e-4))
    return np.stack([z, np.full_like(z, 1 / smallest), z / smallest], 1)


def list_scores(chance: np.ndarray, error: np.ndarray, codes: np.ndarray) -> dict:
    """Return average precision, and length and realised error of the list at each nominal error."""
    wrong = chance.argmax(axis=1) != codes
    out = {"ap": average_precision_score(codes < 2, -error)}
    for nominal in NOMINAL:
        chosen = longest_list(error, nominal).chosen
        out[f"n_{nominal}"] = int(chosen.sum())
        out[f"wrong_{nominal}"] = wrong[chosen].mean() if chosen.any() else np.nan
    return out


def leave_one_out(data: dict, seed: int) -> tuple[pd.DataFrame, list[float]]:
    """Return scores of left-out draws, and the correction that their wrong calls ask for."""
    rng, kept = np.random.default_rng(seed + 1), []
    for left, (cohort, codes, _) in data.items():
        model = trained([e for c, (_, _, some) in data.items() if c != left for e in some], seed)
        for size in SIZES:
            for _ in range(N_DRAWS["left out"]):
                draw, seen = take(cohort, (size, size), rng)
                chance = model.predict_proba(genes_of_draw(draw))[:, :2]
                kept.append((left, size, chance, codes[seen]))
        print("left out", left, flush=True)
    features = [predictors(1 - chance.max(axis=1), size) for _, size, chance, _ in kept]
    wrong = [chance.argmax(axis=1) != codes for _, _, chance, codes in kept]
    weight = np.concatenate([np.full(len(w), 1 / len(w)) for w in wrong])
    model = LogisticRegression(C=1e6, max_iter=500)
    model.fit(np.concatenate(features), np.concatenate(wrong), weight * len(weight) / weight.sum())
    correction = [float(model.intercept_[0]), *map(float, model.coef_[0])]
    rows = []
    for left, size, chance, codes in kept:
        plain = 1 - chance.max(axis=1)
        for how, error in (
            ("plain", plain),
            ("corrected", expected_errors(chance, size, correction)),
        ):
            facts = {"left_out": left, "samples": size, "probabilities": how}
            rows.append(facts | list_scores(chance, error, codes))
    return pd.DataFrame(rows).round(4), correction


def tested(model: ProfileClassifier, correction: list[float], seed: int) -> Iterator[dict]:
    """Yield scores on draws of the untrained cancers, and of draws where nothing differs."""
    rng = np.random.default_rng(seed + 2)
    for cancer in UNTRAINED:
        cohort = published(cancer)
        codes = call_codes(edger_table(cohort), LOG_FC, FDR)
        for size in SIZES:
            for number in range(N_DRAWS["test"]):
                draw, seen = take(cohort, (size, size), rng)
                facts = {"cancer": cancer, "samples": size, "draw": number, "genes": seen.sum()}
                for method, chance, error in methods(draw, model, correction):
                    yield facts | {"method": method} | list_scores(chance, error, codes[seen])
                chance = model.predict_proba(genes_of_draw(nothing(cohort, size, rng)))[:, :2]
                error = expected_errors(chance, size, correction)
                n = longest_list(error, 0.1).chosen.sum()
                yield facts | {"method": "network, tumor against tumor", "n_0.1": int(n)}
        print("tested", cancer, flush=True)


def methods(draw: Draw, model: ProfileClassifier, correction: list[float]) -> Iterator[tuple]:
    """Yield a method's name, its genes × (DR, UR), and the expected error of each gene."""
    size = min(draw.is_tumor.sum(), (~draw.is_tumor).sum())
    chance = model.predict_proba(genes_of_draw(draw))[:, :2]
    yield "network", chance, expected_errors(chance, size, correction)
    test = negative_binomial_test(draw.counts, draw.is_tumor, draw.factors)
    chance = large_effects(test.log_fc, test.error, LOG_FC)
    yield "shrinkage alone", chance, 1 - chance.max(axis=1)
    sign = np.stack([test.log_fc < 0, test.log_fc > 0], 1).astype(float)
    yield "edgeR's FDR", sign, 10 ** -np.abs(test.log_fdr) - 1e-9 * np.abs(test.root)
    large = np.abs(test.log_fc) > LOG_FC
    yield "edgeR's FDR, 1.5-fold first", sign, np.where(large, 0, 1) + 10 ** -np.abs(test.log_fdr)
    yield "fold change", sign, 1 / (1 + np.abs(test.log_fc))


def main() -> None:
    """Leave out, train, test once; write the weights, their correction and two tables."""
    arguments = parser(__doc__)
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    start, rng, data = time.perf_counter(), np.random.default_rng(args.seed), {}
    for cancer in TRAINING:
        cohort = published(cancer)
        codes = call_codes(edger_table(cohort), LOG_FC, FDR)
        data[cancer] = cohort, codes, training_examples(cohort, codes, rng)
        print("drawn", cancer, flush=True)
    seconds = {"draws and labels": round(time.perf_counter() - start, 1)}
    table, correction = leave_one_out(data, args.seed)
    settings = {"labels": RULE + ", of the whole cohort", "correction": correction}
    write_results("standard_few_choice", table, __spec__.name, settings, seconds)
    numbers = table.columns[3:]
    print(table.groupby(["probabilities", "samples"])[list(numbers)].mean().round(3).to_string())
    model = trained([e for _, _, some in data.values() for e in some], args.seed)
    save(model, "profile_standard_few.safetensors")
    write_atomic(CARD, json.dumps({"correction": correction}) + "\n")
    found = pd.DataFrame(tested(model, correction, args.seed)).round(4)
    seconds["all"] = round(time.perf_counter() - start, 1)
    write_results("standard_few", found, __spec__.name, settings, seconds)
    mean = found.groupby(["samples", "method"]).mean(numeric_only=True).drop(columns="draw")
    print(mean.round(3).to_string())


if __name__ == "__main__":
    call(main)
