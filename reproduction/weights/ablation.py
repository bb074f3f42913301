"""Take the profile network apart, one piece per row: two classes, then three.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.ablation    # about half an hour

Leaves out one training cancer at a time and writes data/results/profile_ablation.csv.

Each two-class variant is trained on the other eight training cancers and tested on the bio genes (F1 and T3) of the one left out; each
three-class variant on T2 of the other seven that have T2, and tested on T2 of the eighth (five epochs, no subsampled images).
No cohort outside the nine is read.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from degnext._common.paths import shared_data
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.learning.profile.alignment import direction_offset
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Copies, Genes
from degnext.learning.profile.image import DIRECTION_CHANNELS, GENERAL_CHANNELS
from reproduction.command import call, parser
from reproduction.store import write_results
from reproduction.weights.train import TRAINING, Published, scores, transfer_training_genes


def median_of_ratios(counts: np.ndarray) -> np.ndarray:
    """Return DESeq's size factors on the scale of millions of counts."""
    logs = np.log(counts[(counts > 0).all(1)])
    factors = np.exp(np.median(logs - logs.mean(1, keepdims=True), axis=0))
    return factors / factors.mean() * counts.sum(0).mean() / 1e6


SCALINGS = {
    "weighted total": None,
    "plain total": lambda counts: size_factors(counts),
    "median of ratios": median_of_ratios,
    "none (raw counts)": lambda counts: np.full(counts.shape[1], counts.sum(0).mean() / 1e6),
}
VARIANTS = [{"name": "all"}]
VARIANTS += [
    {"name": f"without {c}", "channels": [k for k in DIRECTION_CHANNELS if k != c]}
    for c in DIRECTION_CHANNELS
]
VARIANTS += [{"name": "log_ratio only", "channels": ["log_ratio"]}]
VARIANTS += [{"name": f"width {w}", "width": w} for w in (4, 8, 32)]
VARIANTS += [{"name": f"scaling: {s}", "scaling": s} for s in list(SCALINGS)[1:]]
VARIANTS += [{"name": "without noisy copies", "copies": Copies()}]
VARIANTS += [
    {"name": "no alignment", "align": False},
    {"name": "no alignment, plain total", "align": False, "scaling": "plain total"},
    {"name": "2 subsampled images more per gene", "copies": Copies(subsamples=2, noisy=1)},
]
THREE = "three classes: "
THREE_VARIANTS = [{"name": THREE + "all"}] + [
    {"name": f"{THREE}without {c}", "channels": [k for k in GENERAL_CHANNELS if k != c]}
    for c in GENERAL_CHANNELS
]
THREE_VARIANTS += [{"name": f"{THREE}{c} only", "channels": [c]} for c in ("log_ratio", "lr_root")]
N_TESTED = {False: 9, True: 8}  # training cancers left out in turn; of BRCA there is no T2


def leave_one_out(
    cohorts: list[Published], name: str, scaling: str = "weighted total", seed: int = 0, **settings
):
    """Yield one row of scores per left-out cancer."""
    scale = SCALINGS[scaling]

    def scaled(cohort: Published, genes: Genes) -> Genes:
        return genes if scale is None else genes._replace(factors=scale(cohort.counts))

    encoder = ProfileClassifier((0, 1), random_state=seed, **settings)
    sets = [encoder.training_images(scaled(c, transfer_training_genes(c))) for c in cohorts]
    for left in cohorts:
        start = time.perf_counter()
        use = [s for s, c in zip(sets, cohorts) if c is not left]
        model = ProfileClassifier((0, 1), random_state=seed, **settings)
        model.fit(np.concatenate([s[0] for s in use]), np.concatenate([s[1] for s in use]))
        test = left.genes("F1", "T3")
        row = scores(test.labels, model.predict_proba(scaled(left, test)), left.rule(test))
        yield dict(
            variant=name,
            left_out=left.cancer,
            errors=round((1 - row["accuracy"]) * row["n_genes"]),
            **row,
            seconds=round(time.perf_counter() - start, 1),
            seed=seed,
        )


def leave_one_out_three(cohorts: list[Published], name: str, seed: int = 0, **settings):
    """Yield one row of three-class scores per left-out cancer, on its T2."""
    cohorts, rules = (
        [c for c in cohorts if c.has("T2")],
        dict(classes=(0, 1, 2), random_state=seed) | settings,
    )
    sets = [
        (ProfileClassifier(**rules).encode(genes), genes.labels)
        for genes in (c.genes("T2") for c in cohorts)
    ]
    for left, (images, labels) in zip(cohorts, sets):
        start = time.perf_counter()
        use = [s for s, c in zip(sets, cohorts) if c is not left]
        model = ProfileClassifier(**rules).fit(
            np.concatenate([s[0] for s in use]), np.concatenate([s[1] for s in use])
        )
        row = scores(labels, model.predict_proba(images), labels) | {
            "rule_accuracy": float("nan"),
            "rule_mcc": float("nan"),
        }
        yield dict(
            variant=name,
            left_out=left.cancer,
            errors=round((1 - row["accuracy"]) * row["n_genes"]),
            **row,
            seconds=round(time.perf_counter() - start, 1),
            seed=seed,
        )


def no_network(cohorts: list[Published]):
    """Yield one row of scores per left-out cancer for the log-fold-change rule on aligned log ratios; it has no probabilities to calibrate."""
    for left in cohorts:
        start, test = time.perf_counter(), left.genes("F1", "T3")
        ratio = log_fold_change(test.counts, test.is_tumor, test.factors) - direction_offset(
            test.counts, test.is_tumor, test.factors
        )
        up = 1 / (1 + np.exp(-ratio))
        row = scores(test.labels, np.stack([1 - up, up], 1), left.rule(test)) | {
            "ece": float("nan")
        }
        yield dict(
            variant="no network: the rule, aligned",
            left_out=left.cancer,
            errors=round((1 - row["accuracy"]) * row["n_genes"]),
            **row,
            seconds=round(time.perf_counter() - start, 1),
            seed=0,
        )


def main() -> None:
    """Run every variant and write the table."""
    import pandas as pd

    default = Path(__file__).resolve().parents[2] / "data" / "results" / "profile_ablation.csv"
    arguments = parser(__doc__)
    arguments.add_argument("--out", type=Path, default=default)
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument(
        "--resume", action="store_true", help="keep the variants that the table holds whole"
    )
    args = arguments.parse_args()
    if shared_data() is None:
        raise SystemExit("DEGNEXT_DATA is unset: point it at the folder that holds published/")
    cohorts = [Published(c, shared_data() / "published") for c in TRAINING]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    if args.resume and args.out.exists():
        have = pd.read_csv(args.out)
        whole = have.groupby("variant")["left_out"].transform("size") >= args.seeds * have[
            "variant"
        ].map(lambda v: N_TESTED[v.startswith(THREE)])
        rows = have[whole].to_dict("records")
    n_kept = len(rows)
    for variant in [*VARIANTS, {"name": "no network: the rule, aligned"}, *THREE_VARIANTS]:
        if variant["name"] in {r["variant"] for r in rows}:
            continue
        for seed in range(args.seeds):
            ways = {True: leave_one_out, False: leave_one_out_three}
            rows += list(
                no_network(cohorts)
                if variant["name"].startswith("no network")
                else ways[variant in VARIANTS](cohorts, seed=seed, **variant)
            )
        mine = [r for r in rows if r["variant"] == variant["name"]]
        print(
            variant["name"],
            "errors",
            sum(r["errors"] for r in mine),
            "lowest accuracy",
            min(r["accuracy"] for r in mine),
            "largest ECE",
            max(r["ece"] for r in mine),
            flush=True,
        )
        partial = args.out.with_name(args.out.name + ".part")
        pd.DataFrame(rows).to_csv(partial, index=False)
        partial.replace(args.out)
    table, kept = (
        pd.DataFrame(rows),
        {"kept_from_an_earlier_run": sorted({r["variant"] for r in rows[:n_kept]})}
        if n_kept
        else {},
    )
    write_results(
        args.out.stem,
        table,
        __spec__.name,
        {"seeds": args.seeds} | kept,
        table.groupby("variant", sort=False)["seconds"].sum().round(1).to_dict(),
        args.out.parent,
    )


if __name__ == "__main__":
    call(main)
