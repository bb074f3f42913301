"""The authors' files as the audit reads them: cohorts at hand, the released weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from degnext.cohorts.cohort import CANCERS
from degnext.cohorts.published import published_parts
from reproduction.sources import folder, published

cohort = cache(published)


def weights_path() -> Path:
    """Return where the released weights lie within ``DEGNEXT_DATA``; InputError without it."""
    return folder("released_weights") / "DEGnextModel.pth"


def present() -> list[str]:
    """Return the cohorts of which any matrix is at hand."""
    return [c for c in CANCERS if published_parts(c)]
