"""Where the true zero of each unseen cohort lies, and where it is taken to be.

    DEGNEXT_DATA=/path/to/data python -m reproduction.weights.zero    # seconds

Writes data/results/transfer_zero.csv: for the bio genes of each untrained cohort the zero of the
log2 fold change that the alignment finds without labels, and, with the labels, the zeros at which
the rule is right for most genes. A diagnosis: nothing is chosen here.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from degnext.cohorts.library_size import log_fold_change
from degnext.evaluation.profile_network import answer_on_q
from degnext.learning.profile.alignment import direction_offset
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import genes_of
from reproduction.command import call, parser
from reproduction.sources import TESTED, published
from reproduction.store import write_results

GRID = np.arange(-1, 1.005, 0.01)


def row(cancer: str, model: ProfileClassifier) -> dict[str, object]:
    """Return the zeros and the wrong calls of one cohort."""
    cohort = published(cancer)
    q = cohort.rows("Q")
    genes = genes_of(cohort, q)
    up, given = genes.labels == "UR", (genes.counts, genes.is_tumor, genes.factors)
    change, found = log_fold_change(*given), direction_offset(*given)
    wrong = np.array([np.sum((change > zero) != up) for zero in GRID])
    best = GRID[wrong == wrong.min()]
    called = answer_on_q(model, cohort)[0]
    out = {"cancer": cancer, "genes": len(q), "parts": " ".join(cohort.parts)}
    out |= {"found": round(found, 3), "best_low": best.min(), "best_high": best.max()}
    out |= {"wrong_at_0": np.sum((change > 0) != up), "wrong_at_best": wrong.min()}
    return out | {"wrong_network": np.sum(called != genes.labels)}


def main() -> None:
    """Measure every cohort."""
    parser(__doc__).parse_args()
    start, model = time.perf_counter(), ProfileClassifier.from_pretrained("two_class")
    table = pd.DataFrame([row(cancer, model) for cancer in TESTED]).round(3)
    seconds = {"all": round(time.perf_counter() - start, 1)}
    write_results("transfer_zero", table, __spec__.name, {}, seconds)
    print(table.to_string(index=False))


if __name__ == "__main__":
    call(main)
