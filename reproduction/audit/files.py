"""The authors' files as the audit reads them: cohorts at hand, the released weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from degnext._common.errors import InputError
from degnext._common.paths import shared_data
from degnext.cohorts.cohort import CANCERS, Cohort
from degnext.cohorts.published import load_published, published_parts

COMPLETE = ("CHOL", "KICH", "READ")  # all four parts at hand, so that column sums are library sizes


def weights_path() -> Path:
    """Return where the released weights lie within ``DEGNEXT_DATA``; InputError without it."""
    root = shared_data()
    if root is None:
        raise InputError(
            "the audit measures the published files: set DEGNEXT_DATA to the folder with "
            "published/ and released_weights/, or read data/results/audit_*.csv"
        )
    return root / "released_weights" / "DEGnextModel.pth"


@cache
def cohort(cancer: str) -> Cohort:
    """Return every part of a published cohort that is at hand."""
    return load_published(cancer, weights_path().parent.parent / "published", train_part=None)


def present() -> list[str]:
    """Return the cohorts of which any matrix is at hand."""
    return [c for c in CANCERS if published_parts(c)]
