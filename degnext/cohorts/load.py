"""One door to every kind of data: ``load_cohort(cancer, source)``."""

from __future__ import annotations

from pathlib import Path

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort, check_cancer

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

    ``demo``      synthetic twin of CHOL, KICH or READ, drawn with ``seed`` (see :mod:`degnext.cohorts.demo`)
    ``published`` the authors' processed matrices with labels and parts, a :class:`~degnext.cohorts.cohort.Cohort`
    ``gdc``       STAR counts from the Genomic Data Commons
    ``xena``      counts from the UCSC Xena GDC hub
    ``file``      your own table: ``counts_path``, and ``groups_path`` unless the samples have TCGA barcodes

    Raises :class:`~degnext._common.errors.InputError` with the cure for anything that does not fit.
    """
    check_choice("source", source, SOURCES)
    if source == "file":
        from degnext.cohorts.user_tables import load_file

        return load_file(counts_path, groups_path, cancer, round_counts)
    if counts_path or groups_path:
        raise InputError(
            f"counts_path and groups_path belong to source 'file', not {source!r}: set source='file' or leave them out"
        )
    check_cancer(cancer)
    if source == "demo":
        from degnext.cohorts.demo import load_demo

        return load_demo(cancer, seed=seed)
    if source == "published":
        from degnext.cohorts.published import load_published

        return load_published(cancer, data_dir, train_part)
    return _load_remote(cancer, source)


def _load_remote(cancer: str, source: str) -> Cohort:
    if source == "gdc":
        from degnext.cohorts.gdc import load_gdc as load
    else:
        from degnext.cohorts.xena import load_xena as load
    counts, groups, report = load(cancer)
    from degnext.cohorts.checks import check_counts, check_groups

    counts = check_counts(counts)
    groups, notes = check_groups(groups, counts.columns), tuple(report.get("notes", ()))
    return Cohort(counts, groups, name=cancer, source=source, notes=notes)
