"""Ask the package's two-class network for all bio genes of the cohorts never trained on and write how sure and how right it is.

    DEGNEXT_DATA=/path/to/data python scripts/calibrate_profile.py    # seconds

Writes data/results/profile_reliability.csv (bins of confidence, per cohort and pooled) and profile_abstention.csv (accuracy
against coverage). Nothing is fitted here: the temperature comes with the weights.
"""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pandas as pd

from degnext.cohorts.published import load_published
from degnext.evaluation.calibration import abstention, calibration_error, reliability
from degnext.evaluation.profile_network import answer_on_q
from degnext.learning.profile.classifier import WEIGHTS, ProfileClassifier
from reproduction.store import code_digest, write_results

MODULES = (
    "profile",
    "profile_genes",
    "profile_model",
    "profile_steps",
    "profile_tests",
    "profile_train",
)
CANCERS = ("BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD")


def main() -> None:
    """Ask, bin, write."""
    start = time.perf_counter()
    model = ProfileClassifier.pretrained(2)
    labels, proba = {}, {}
    for cancer in CANCERS:
        cohort = load_published(cancer, train_part=None, fetch=False)
        labels[cancer] = cohort.codes[cohort.rows("Q")].astype(int)
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
        "code": code_digest(MODULES),
        "weights": hashlib.sha256(
            (WEIGHTS / "profile_two_class.safetensors").read_bytes()
        ).hexdigest(),
    }
    for name, tables in (("reliability", bins), ("abstention", curves)):
        table = pd.concat([t.assign(cancer=c) for c, t in tables.items()], ignore_index=True)
        write_results(
            f"profile_{name}",
            table.round(6),
            settings,
            {"all": round(time.perf_counter() - start, 1)},
        )


if __name__ == "__main__":
    main()
