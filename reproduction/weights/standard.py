"""Train the network that stands in for the test: the standard rule's calls, on anyone's counts.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.standard              # the weights
    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.standard --leave-out  # the choice

The nine training cancers (published rows at hand, and LUSC whole, as the GDC served it) are drawn
in many sizes from 3 + 3 samples up, with fewer genes and fewer reads, and every draw is labelled by
the standard rule at its own size. ``--leave-out`` writes data/results/standard_choice.csv: channels
compared by leaving out one training cancer at a time, beside their test without a network.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef

from degnext.cohorts.cohort import CLASS_NAMES, TRAINING, label_names
from degnext.learning.profile.classifier import TRAINING as DEFAULTS
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.encoding import TEST_CHANNELS
from degnext.learning.profile.image import GENERAL_CHANNELS
from degnext.learning.profile.negbin import negative_binomial_test
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights import card
from reproduction.weights.standard_data import (
    FDR,
    LOG_FC,
    RULE,
    Draw,
    call_codes,
    edger_table,
    genes_of_draw,
    published,
    random_draw,
    whole_lusc,
)

VARIANTS = {
    "test channels": TEST_CHANNELS,
    "profile channels": GENERAL_CHANNELS,
    "both": GENERAL_CHANNELS + TEST_CHANNELS,
}
CHOSEN = "test channels"
N_DRAWS = {"published": 12, "whole": 24}
SHOWN = 1500  # genes of a draw that are trained on
SHOWN_LEFT_OUT = 500  # the same where many networks are compared
LARGEST_WHOLE = 60  # samples per group drawn of the whole cohort
FEWEST = 20  # called genes of a draw, for an MCC that means something
HOW = replace(DEFAULTS, epochs=3, batch_size=256, lr=3e-3)


def training_draws(seed: int = 0) -> Iterator[Draw]:
    """Yield every published training cohort whole and in draws, then draws of LUSC whole."""
    rng = np.random.default_rng(seed)
    for cancer in TRAINING:
        cohort = published(cancer)
        yield cohort
        for _ in range(N_DRAWS["published"]):
            yield random_draw(cohort, rng)
    cohort = whole_lusc()
    for _ in range(N_DRAWS["whole"]):
        yield random_draw(cohort, rng, LARGEST_WHOLE)


def test_calls(draw: Draw) -> np.ndarray:
    """Return the codes that the channels' test gives at the rule's cut-offs, without a network."""
    test = negative_binomial_test(draw.counts, draw.is_tumor, draw.factors)
    fdr = 10 ** -np.abs(test.log_fdr)
    return call_codes(pd.DataFrame({"log_fc": test.log_fc, "fdr": fdr}), LOG_FC, FDR)


def network(variant: str, seed: int = 0) -> ProfileClassifier:
    """Return a network to train; what is painted across the row needs no width."""
    channels = VARIANTS[variant]
    width = 16 if "shape" in channels else 4
    look = {"channels": channels, "width": width, "n_filters": 16, "align": False}
    return ProfileClassifier(CLASS_NAMES, **look, training=HOW, random_state=seed)


def examples(variants: list[str], n_genes: int, seed: int = 0) -> list[dict]:
    """Return images per variant, codes and the test's own calls of up to ``n_genes`` a draw."""
    rng, out = np.random.default_rng(seed), []
    for draw in training_draws(seed):
        if len(draw.counts) < 100:
            continue
        keep = np.sort(rng.permutation(len(draw.counts))[:n_genes])
        codes = call_codes(edger_table(draw), LOG_FC, FDR)[keep]
        genes = genes_of_draw(draw)
        images = {v: network(v).encode(genes)[keep].astype(np.float16) for v in variants}
        shown = {"name": draw.name, "codes": codes, "test": test_calls(draw)[keep]}
        out.append(shown | {"images": images})
    return out


def trained(shown: list[dict], variant: str, seed: int = 0) -> ProfileClassifier:
    """Train one variant on what was drawn."""
    images = np.concatenate([s["images"][variant] for s in shown]).astype(np.float32)
    codes = np.concatenate([s["codes"] for s in shown])
    return network(variant, seed).fit(images, label_names(codes))


def leave_out(shown: list[dict], seed: int) -> Iterator[dict]:
    """Yield the agreement with edgeR on every draw of a left-out cancer, per variant."""
    for left in TRAINING:
        rest = [s for s in shown if not s["name"].startswith(left)]
        test = [s for s in shown if s["name"].startswith(left)]
        for variant in ("no network", *VARIANTS):
            start = time.perf_counter()
            model = None if variant == "no network" else trained(rest, variant, seed)
            for number, draw in enumerate(test):
                called = draw["test"]
                if model is not None:
                    images = draw["images"][variant].astype(np.float32)
                    called = model.predict_proba(images).argmax(1)
                if (draw["codes"] < 2).sum() >= FEWEST:
                    score = matthews_corrcoef(draw["codes"], called)
                    facts = {"left_out": left, "draw": number, "cohort": draw["name"]}
                    n_called = int((draw["codes"] < 2).sum())
                    yield facts | {"variant": variant, "called": n_called, "mcc": round(score, 4)}
            print(left, variant, round(time.perf_counter() - start, 1), "s", flush=True)


def save(model: ProfileClassifier, file: str) -> None:
    """Write weights and their entry in the model card."""
    facts = card.read(WEIGHTS)
    facts["files"][file] = card.entry(model, WEIGHTS / file)
    card.write(facts, WEIGHTS)


def main() -> None:
    """Train and save the weights, or compare channels on left-out training cancers."""
    arguments = parser(__doc__)
    arguments.add_argument("--leave-out", action="store_true")
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    start = time.perf_counter()
    if args.leave_out:
        shown = examples(list(VARIANTS), SHOWN_LEFT_OUT, args.seed)
    else:
        shown = examples([CHOSEN], SHOWN, args.seed)
    seconds = {"draws and labels": round(time.perf_counter() - start, 1)}
    print(len(shown), "draws", sum(len(s["codes"]) for s in shown), "genes", seconds, flush=True)
    start = time.perf_counter()
    if args.leave_out:
        table = pd.DataFrame(leave_out(shown, args.seed))
        seconds["training and tests"] = round(time.perf_counter() - start, 1)
        settings = {"labels": RULE, "seed": args.seed}
        write_results("standard_choice", table, __spec__.name, settings, seconds)
        print(table.groupby("variant")["mcc"].agg(["mean", "min"]).round(4))
        return
    save(trained(shown, CHOSEN, args.seed), "profile_standard.safetensors")
    print(f"trained in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    call(main)
