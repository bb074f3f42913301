"""Ask the package's two-class network for all bio genes of the cohorts never trained on and write how sure and how right it is.

    DEGNEXT_DATA=/path/to/data python scripts/calibrate_profile.py    # seconds

Writes data/results/profile_reliability.csv (bins of confidence, per cohort and pooled) and profile_abstention.csv (accuracy
against coverage). Nothing is fitted here: the temperature comes with the weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from degnext.files import write_atomic
from degnext.paths import data_dir
from degnext.profile_calibration import abstention, calibration_error, reliability
from degnext.profile_steps import answer_on_q
from degnext.profile_train import ProfileClassifier
from degnext.published import load_published

CANCERS = ("BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD")


def main() -> None:
    """Ask, bin, write."""
    model = ProfileClassifier.pretrained(2)
    labels, proba = {}, {}
    for cancer in CANCERS:
        cohort = load_published(cancer, train_part=None, fetch=False)
        labels[cancer] = cohort.genes["label"].to_numpy()[cohort.rows("Q")].astype(int)
        proba[cancer] = answer_on_q(model, cohort)[1]
    labels["all six"], proba["all six"] = np.concatenate(list(labels.values())), np.concatenate(list(proba.values()))
    bins = {c: reliability(labels[c], proba[c]) for c in labels}
    curves = {c: abstention(labels[c], proba[c]) for c in labels}
    for cancer, b in bins.items():
        print(f"{cancer}: {b['n'].sum():,} genes, calibration error {calibration_error(b):.4f}, {curves[cancer]['wrong'].iloc[-1]} wrong, "
              f"{curves[cancer].query('wrong == 0')['coverage'].max():.1%} answered before the first error")
    for name, tables in (("reliability", bins), ("abstention", curves)):
        table = pd.concat([t.assign(cancer=c) for c, t in tables.items()], ignore_index=True)
        write_atomic(data_dir() / "results" / f"profile_{name}.csv", table.round(6).to_csv(index=False))


if __name__ == "__main__":
    main()
