"""How sure and how right the two-class network is, on all bio genes of cohorts never trained on.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.calibration    # seconds

Writes data/results/profile_reliability.csv (bins of confidence, per cohort and pooled) and profile_abstention.csv (accuracy
against coverage). Nothing is fitted here: the temperature comes with the weights.
"""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pandas as pd

from degnext.evaluation.calibration import abstention, calibration_error, reliability
from degnext.evaluation.profile_network import answer_on_q
from degnext.learning.profile.classifier import WEIGHTS, ProfileClassifier
from reproduction.command import call, parser
from reproduction.sources import published
from reproduction.store import write_results

CANCERS = ("BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD")


def main() -> None:
    """Ask, bin, write."""
    parser(__doc__).parse_args()
    start = time.perf_counter()
    model = ProfileClassifier.from_pretrained("two_class")
    labels, proba = {}, {}
    for cancer in CANCERS:
        cohort = published(cancer)
        labels[cancer] = cohort.genes["label"].to_numpy()[cohort.rows("Q")]
        proba[cancer] = answer_on_q(model, cohort)[1]
    labels["all six"], proba["all six"] = (
        np.concatenate(list(labels.values())),
        np.concatenate(list(proba.values())),
    )
    bins = {c: reliability(labels[c], proba[c]) for c in labels}
    curves = {c: abstention(labels[c], proba[c]) for c in labels}
    for cancer, b in bins.items():
        print(
            f"{cancer}: {b['n'].sum():,} genes, calibration error {calibration_error(b):.4f}, {curves[cancer]['wrong'].iloc[-1]} wrong, "
            f"{curves[cancer].query('wrong == 0')['coverage'].max():.1%} answered before the first error"
        )
    settings = {
        "weights": hashlib.sha256(
            (WEIGHTS / "profile_two_class.safetensors").read_bytes()
        ).hexdigest()
    }
    for name, tables in (("reliability", bins), ("abstention", curves)):
        table = pd.concat([t.assign(cancer=c) for c, t in tables.items()], ignore_index=True)
        write_results(
            f"profile_{name}",
            table.round(6),
            __spec__.name,
            settings,
            {"all": round(time.perf_counter() - start, 1)},
        )


if __name__ == "__main__":
    call(main)
