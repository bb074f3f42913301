"""Take the profile network apart, one piece per row: two classes, then three.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.ablation    # about half an hour

Leaves out one training cancer at a time and writes data/results/profile_ablation.csv. Each
two-class variant is trained on the other eight training cancers and tested on the bio genes (F1 and
T3) of the one left out; each three-class variant on T2 of the other seven that have T2, and tested
on T2 of the eighth (five epochs, no subsampled images). No cohort outside the nine is read. A
killed run goes on at the variant it was at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import expit

from degnext.cohorts.cohort import CLASS_NAMES, TRAINING, Cohort
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.learning.profile.alignment import direction_offset
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes, no_copies, noisy_copy
from degnext.learning.profile.image import DIRECTION_CHANNELS, GENERAL_CHANNELS
from reproduction.command import call, parser
from reproduction.sources import published
from reproduction.store import code_digest, keep, write_results
from reproduction.weights.cohorts import genes_in, rule, scores, subsampled, transfer_genes


def median_of_ratios(counts: np.ndarray) -> np.ndarray:
    """Return DESeq's size factors on the scale of millions of counts."""
    logs = np.log(counts[(counts > 0).all(1)])
    factors = np.exp(np.median(logs - logs.mean(1, keepdims=True), axis=0))
    return factors / factors.mean() * counts.sum(0).mean() / 1e6


def no_scaling(counts: np.ndarray) -> np.ndarray:
    """Return the same factor for every sample: raw counts."""
    return np.full(counts.shape[1], counts.sum(0).mean() / 1e6)


SCALINGS = {
    "plain total": size_factors,
    "median of ratios": median_of_ratios,
    "none (raw counts)": no_scaling,
}
RULE = "no network: the rule, aligned"
PAIRS = {
    "all": {},
    **{f"without {c}": {"without": c} for c in DIRECTION_CHANNELS},
    "log_ratio only": {"channels": ["log_ratio"]},
    **{f"width {w}": {"width": w} for w in (4, 8, 32)},
    **{f"scaling: {s}": {"scaling": s} for s in SCALINGS},
    "without noisy copies": {"copies": no_copies},
    "no alignment": {"align": False},
    "no alignment, plain total": {"align": False, "scaling": "plain total"},
    "2 subsampled images more per gene": {
        "copies": lambda *g: [*subsampled(2)(*g), *noisy_copy(*g)]
    },
}
TRIPLES = {
    "all": {},
    **{f"without {c}": {"without": c} for c in GENERAL_CHANNELS},
    **{f"{c} only": {"channels": [c]} for c in ("log_ratio", "lr_root")},
}


def leave_one_out(
    cohorts: list[Cohort], seed: int = 0, scaling: str = "", without: str = "", **settings
) -> Iterator[dict]:
    """Yield one row of two-class scores per left-out cancer."""
    if without:
        settings["channels"] = [c for c in DIRECTION_CHANNELS if c != without]

    def scaled(cohort: Cohort, genes: Genes) -> Genes:
        factors = SCALINGS[scaling](cohort.counts.to_numpy()) if scaling else genes.factors
        return genes._replace(factors=factors)

    encoder = ProfileClassifier(random_state=seed, **settings)
    sets = [encoder.training_images(scaled(c, transfer_genes(c))) for c in cohorts]
    for left in cohorts:
        start = time.perf_counter()
        model = ProfileClassifier(random_state=seed, **settings)
        model.fit(*_together(s for s, c in zip(sets, cohorts) if c is not left))
        test = genes_in(left, "F1", "T3")
        proba = model.predict_proba(scaled(left, test)._replace(labels=None))
        yield _row(left, scores(test.labels, proba, rule(left, test)), start, seed)


def leave_one_out_three(
    cohorts: list[Cohort], seed: int = 0, without: str = "", **settings
) -> Iterator[dict]:
    """Yield one row of three-class scores per left-out cancer, on its T2; the rule has none."""
    if without:
        settings["channels"] = [c for c in GENERAL_CHANNELS if c != without]
    cohorts = [c for c in cohorts if "T2" in c.parts]
    encoder = ProfileClassifier(CLASS_NAMES, random_state=seed, **settings)
    genes = [genes_in(c, "T2") for c in cohorts]
    sets = [(encoder.encode(g), g.labels) for g in genes]
    no_rule = {"rule_accuracy": float("nan"), "rule_mcc": float("nan")}
    for left, (images, labels) in zip(cohorts, sets):
        start = time.perf_counter()
        model = ProfileClassifier(CLASS_NAMES, random_state=seed, **settings)
        model.fit(*_together(s for s, c in zip(sets, cohorts) if c is not left))
        found = scores(labels, model.predict_proba(images), labels)
        yield _row(left, found | no_rule, start, seed)


def no_network(cohorts: list[Cohort], seed: int = 0) -> Iterator[dict]:
    """Yield one row per left-out cancer for the rule on aligned log ratios, not calibrated."""
    for left in cohorts:
        start, test = time.perf_counter(), genes_in(left, "F1", "T3")
        given = test.counts, test.is_tumor, test.factors
        up = expit(log_fold_change(*given) - direction_offset(*given))
        found = scores(test.labels, np.stack([1 - up, up], 1), rule(left, test))
        yield _row(left, found | {"ece": float("nan")}, start, seed)


def _together(sets: Iterator[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*sets)
    return np.concatenate(images), np.concatenate(labels)


def _row(left: Cohort, found: dict, start: float, seed: int) -> dict:
    errors = round((1 - found["accuracy"]) * found["n_genes"])
    seconds = round(time.perf_counter() - start, 1)
    return {"left_out": left.name, "errors": errors, **found, "seconds": seconds, "seed": seed}


def variants(cohorts: list[Cohort], seed: int) -> dict[str, Iterator[dict]]:
    """Return the rows of every variant, none of them computed yet."""
    pairs = {name: leave_one_out(cohorts, seed, **given) for name, given in PAIRS.items()}
    three = {
        f"three classes: {name}": leave_one_out_three(cohorts, seed, **given)
        for name, given in TRIPLES.items()
    }
    return pairs | {RULE: no_network(cohorts, seed)} | three


def main() -> None:
    """Run every variant and write the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--seeds", type=int, default=1)
    seeds = arguments.parse_args().seeds
    cohorts, tables, seconds = [published(c) for c in TRAINING], [], {}
    for seed in range(seeds):
        settings = {"seed": seed, "code": code_digest(__spec__.name)}
        for name, rows in variants(cohorts, seed).items():
            key = "".join(c if c.isalnum() else "_" for c in f"{name} {seed}")
            table, spent = keep("ablation", key, settings, lambda rows=rows: pd.DataFrame(rows))
            tables.append(table.assign(variant=name))
            seconds[name] = round(seconds.get(name, 0) + spent, 1)
            lowest, worst = table["accuracy"].min(), table["ece"].max()
            print(name, "errors", table["errors"].sum(), "lowest", lowest, "largest ECE", worst)
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "variant", table.pop("variant"))
    write_results("profile_ablation", table, __spec__.name, {"seeds": seeds}, seconds)


if __name__ == "__main__":
    call(main)
