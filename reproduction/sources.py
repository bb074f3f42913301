"""The files of ``DEGNEXT_DATA`` as the commands of this folder ask for them."""

from __future__ import annotations

from pathlib import Path

from degnext._common.errors import InputError
from degnext._common.paths import shared_data
from degnext.cohorts.cohort import UNTRAINED, Cohort
from degnext.cohorts.published import load_published
from degnext.cohorts.user_tables import load_file

COMPLETE = ("CHOL", "KICH", "READ")  # whose four parts are all at hand
TESTED = UNTRAINED  # the paper's eight, never trained on
# those that were at hand first: small samples and reliability were measured on them
SIX = ("BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD")


def folder(name: str) -> Path:
    """Return the folder ``name`` of ``DEGNEXT_DATA``; InputError where it is not at hand."""
    shared = shared_data()
    if shared is None or not (shared / name).is_dir():
        raise InputError(
            f"{name}/ is not at hand: set DEGNEXT_DATA to the folder that holds {name}/"
        )
    return shared / name


def rnaseqdb(cancer: str) -> Cohort:
    """Return a TCGA cohort as RNAseqDB counted it: RSEM's expected counts, rounded."""
    stem = folder("rnaseqdb") / f"{cancer.lower()}-rsem-count-tcga"
    paths = ",".join(f"{stem}{end}.txt.gz" for end in ("", "-t"))
    return load_file(paths, name=cancer, round_counts=True)


def published(cancer: str) -> Cohort:
    """Return every part at hand of a published cohort; nothing is fetched."""
    return load_published(cancer, folder("published"), train_part=None, fetch=False)
