"""Train the profile network's three sets of weights and write their model card.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.train             # two minutes
    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.train --general   # cohort by cohort
    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.train --only few_samples
    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.train --tests     # trains nothing

The training cancers are the paper's nine. What was chosen (channels, alignment, epochs,
calibration) was chosen by leaving out one of them at a time: see reproduction/weights/ablation.py.
With --only, weights and card keep the rest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from degnext.cohorts.cohort import CANCERS, CLASS_NAMES, TRAINING, Cohort
from degnext.learning.profile.classifier import TRAINING as LOOP
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes, genes_of
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.command import call, parser
from reproduction.small_samples import SIZES
from reproduction.sources import TESTED, published
from reproduction.weights import card
from reproduction.weights.cohorts import (
    genes_in,
    rule,
    scores,
    subsample,
    subsampled,
    transfer_genes,
)
from reproduction.weights.general import general_learning

THREE = {"training": replace(LOOP, epochs=3), "copies": subsampled(8)}
FEW_CHANNELS = (
    "t_weighted",
    "t_log",
    "t_root",
    "lr_root",
    "log_ratio",
    "group_size",
)  # 2 to 10 a group
# chosen leaving training cancers out
FEW = {"width": 4, "n_filters": 16, "training": replace(LOOP, epochs=2, batch_size=512)}
DRAWS = 8  # for few samples: training draws per cohort and size, and as many of random sizes


def with_t2(cohorts: Sequence[Cohort]) -> list[Cohort]:
    """Return the cohorts of which T2 is at hand: all training cohorts but BRCA."""
    return [c for c in cohorts if "T2" in c.parts]


def train_two(trained: Sequence[Cohort], seed: int = 0) -> ProfileClassifier:
    """Train two classes; the temperature is fitted on T3, which of these cohorts was not shown."""
    model = ProfileClassifier(random_state=seed).fit([transfer_genes(c) for c in trained])
    unseen = [genes_in(c, "T3") for c in with_t2(trained)]  # of BRCA, T3 is what was trained on
    images, labels = [model.encode(g) for g in unseen], [g.labels for g in unseen]
    return model.calibrate(np.concatenate(images), np.concatenate(labels))


def train_three(trained: Sequence[Cohort], seed: int = 0) -> ProfileClassifier:
    """Train three classes on T2, all samples and random subsets of them."""
    model = ProfileClassifier(CLASS_NAMES, random_state=seed, **THREE)
    return model.fit([genes_in(c, "T2") for c in with_t2(trained)])


def train_few(
    cohorts: Sequence[Genes], keep: Sequence[np.ndarray], seed: int = 0
) -> ProfileClassifier:
    """Train three classes for small samples: images of 2 to 10 samples per group, and of more.

    The labels are the full cohort's. cohorts: all genes at hand of each training cohort, so that
    statistics see the table; keep: per cohort, bool per gene, the genes to train on. Source: the
    idea of subsampling is issue 5's; the channels were chosen by leaving cancers out.
    """
    model = ProfileClassifier(CLASS_NAMES, channels=FEW_CHANNELS, random_state=seed, **FEW)
    images, labels = [], []
    for genes, rows in zip(cohorts, keep):
        rng = np.random.default_rng(seed)
        sizes = [k for k in SIZES for _ in range(DRAWS)]
        sizes += [None] * DRAWS  # random sizes, two to all
        for part in [genes, genes] + [subsample(genes, rng, k) for k in sizes]:
            images.append(model.encode(part)[rows])
            labels.append(np.asarray(genes.labels)[rows])
    return model.fit(np.concatenate(images), np.concatenate(labels))


def few_samples(trained: Sequence[Cohort], seed: int = 0) -> ProfileClassifier:
    """Train the small-sample network on T2 and T3 of the training cohorts."""
    use = with_t2(trained)
    rows = [c.genes["part"].isin(["T2", "T3"]).to_numpy() for c in use]
    return train_few([genes_of(c) for c in use], rows, seed)


NETWORKS = {"two_class": train_two, "three_class": train_three, "few_samples": few_samples}


def tests(two: ProfileClassifier, three: ProfileClassifier) -> dict[str, dict]:
    """Ask both networks once for cohorts never trained on; return the card's tables."""
    from sklearn.metrics import matthews_corrcoef

    transfer, untrained = {}, {}
    for cancer in TESTED:
        cohort = published(cancer)
        q, t2 = genes_in(cohort, "F1", "T3"), genes_in(cohort, "T2")
        proba = two.predict_proba(q._replace(labels=None))
        transfer[cancer] = scores(q.labels, proba, rule(cohort, q))
        called = three.predict(t2._replace(labels=None))
        found = np.mean(called == t2.labels), matthews_corrcoef(t2.labels, called)
        untrained[cancer] = dict(
            zip(("t2_accuracy", "t2_mcc"), (round(float(v), 4) for v in found))
        )
        print(cancer, transfer[cancer], untrained[cancer], flush=True)
    return {"transfer": transfer, "three_class_untrained": untrained}


def general(seed: int) -> dict[str, dict]:
    """Return general learning's scores on every cohort at hand; benchmarks/ has the seconds."""
    out = {}
    for cohort in with_t2([published(c) for c in CANCERS]):
        found = general_learning(cohort, seed)
        print(cohort.name, found, flush=True)
        out[cohort.name] = {k: v for k, v in found.items() if "seconds" not in k}
    return out


def main() -> None:
    """Train, test once on the untrained cohorts, write weights and card."""
    arguments = parser(__doc__)
    arguments.add_argument("--out", type=Path, default=WEIGHTS, help="default: the package's")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--general", action="store_true", help="also run general learning")
    arguments.add_argument("--only", choices=list(NETWORKS), help="train one network")
    arguments.add_argument("--tests", action="store_true", help="train nothing, test what is there")
    arguments.add_argument("--threads", type=int, default=1, help="more hardly help")
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    trained = [published(c) for c in TRAINING]
    args.out.mkdir(parents=True, exist_ok=True)
    facts, wanted = card.read(args.out), [args.only] if args.only else list(NETWORKS)
    wanted = [] if args.tests else wanted
    files, models = dict(facts.get("files", {})), {}
    for name in wanted:
        start, file = time.perf_counter(), f"profile_{name}.safetensors"
        models[name] = NETWORKS[name](trained, args.seed)
        files[file] = card.entry(models[name], args.out / file)
        print(f"trained: {name} {time.perf_counter() - start:.1f} s", flush=True)
    facts |= {"model": "ProfileCNN", "files": files}
    if args.tests or set(wanted) & {"two_class", "three_class"}:
        for name in ("two_class", "three_class"):
            path = args.out / f"profile_{name}.safetensors"
            models[name] = models.get(name) or ProfileClassifier.from_pretrained(path)
        facts |= tests(models["two_class"], models["three_class"])
    facts |= {"general_learning": general(args.seed)} if args.general else {}
    card.write(facts | {"seed": args.seed, "data": card.data(trained)}, args.out)


if __name__ == "__main__":
    call(main)
