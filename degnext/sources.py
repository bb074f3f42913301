"""One door to every kind of data: ``load_cohort(cancer, source)``."""

from __future__ import annotations

from pathlib import Path

from .cohorts import Cohort, check_cancer
from .errors import InputError, check_choice

SOURCES = ("demo", "published", "gdc", "xena", "file")


def load_cohort(
    cancer: str = "KICH",
    source: str = "demo",
    *,
    data_dir: str | Path | None = None,
    counts_path: str | Path | None = None,
    groups_path: str | Path | None = None,
    round_counts: bool = False,
    train_part: str = "T1",
    seed: int = 0,
) -> Cohort:
    """Load a cohort: counts (genes × samples, raw integers), groups (normal/tumor) and notes.

    ``demo``      synthetic twin of CHOL, KICH or READ, drawn with ``seed`` (see :mod:`degnext.simulate`)
    ``published`` the authors' processed matrices with labels and parts, a :class:`~degnext.cohorts.LabeledCohort`
    ``gdc``       STAR counts from the Genomic Data Commons
    ``xena``      counts from the UCSC Xena GDC hub
    ``file``      your own table: ``counts_path``, and ``groups_path`` unless the samples have TCGA barcodes

    Raises :class:`~degnext.errors.InputError` with the cure for anything that does not fit.
    """
    check_choice("source", source, SOURCES)
    if source == "file":
        from .tables import load_file

        return load_file(counts_path, groups_path, cancer, round_counts)
    if counts_path or groups_path:
        raise InputError(f"counts_path and groups_path belong to source 'file', not {source!r}: set source='file' or leave them out")
    check_cancer(cancer)
    if source == "demo":
        from .simulate import load_demo

        return load_demo(cancer, seed=seed)
    if source == "published":
        from .published import load_published

        return load_published(cancer, data_dir, train_part)
    return _load_remote(cancer, source)


def _load_remote(cancer: str, source: str) -> Cohort:
    if source == "gdc":
        from .gdc import load_gdc as load
    else:
        from .xena import load_xena as load
    counts, groups, report = load(cancer)
    from .checks import check_counts, check_groups

    counts = check_counts(counts)
    return Cohort(cancer, source, counts, check_groups(groups, counts.columns), tuple(report.get("notes", ())))
