"""How sure and how right the two-class network is, on all bio genes of cohorts never trained on.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.calibration    # seconds

Writes data/results/profile_reliability.csv (bins of confidence, per cohort and pooled) and
profile_abstention.csv (accuracy against coverage). Nothing is fitted here: the temperature comes
with the weights.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from degnext._common.files import file_checksum
from degnext.evaluation.profile_network import answer_on_q
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.pretrained import WEIGHTS
from reproduction.command import call, parser
from reproduction.sources import SIX, published
from reproduction.store import write_results
from reproduction.weights.reliability import abstention, calibration_error, reliability

POOLED = "all six"


def answers(cancers: tuple[str, ...] = SIX) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return labels and probabilities of each cohort's Q, and of all together."""
    model, found = ProfileClassifier.from_pretrained("two_class"), {}
    for cohort in map(published, cancers):
        labels = cohort.genes["label"].to_numpy()[cohort.rows("Q")]
        found[cohort.name] = labels, answer_on_q(model, cohort)[1]
    pooled = tuple(np.concatenate(values) for values in zip(*found.values()))
    return found | {POOLED: pooled}


def main() -> None:
    """Ask, bin, write."""
    parser(__doc__).parse_args()
    start, said = time.perf_counter(), answers()
    bins = {c: reliability(*answer) for c, answer in said.items()}
    curves = {c: abstention(*answer) for c, answer in said.items()}
    for cancer, b in bins.items():
        curve = curves[cancer]
        sure = curve.query("wrong == 0")["coverage"].max()
        print(
            f"{cancer}: {b['n'].sum():,} genes, calibration error {calibration_error(b):.4f}, "
            f"{curve['wrong'].iloc[-1]} wrong, {sure:.1%} answered before the first error"
        )
    checksum = file_checksum(WEIGHTS / "profile_two_class.safetensors", "sha256")
    settings = {"weights": checksum.removeprefix("sha256:")}
    seconds = {"all": round(time.perf_counter() - start, 1)}
    for name, tables in (("reliability", bins), ("abstention", curves)):
        table = pd.concat([t.assign(cancer=c) for c, t in tables.items()], ignore_index=True)
        write_results(f"profile_{name}", table.round(6), __spec__.name, settings, seconds)


if __name__ == "__main__":
    call(main)
