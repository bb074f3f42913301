"""One door to every kind of data: ``load_cohort(name, source)``."""

from __future__ import annotations

from pathlib import Path

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort, check_cancer

SOURCES = ("demo", "published", "gdc", "xena", "file")


def load_cohort(
    name: str,
    source: str = "demo",
    *,
    counts: str | Path | None = None,
    groups: str | Path | None = None,
    data_dir: str | Path | None = None,
    round_counts: bool = False,
    train_part: str | None = "T1",
    seed: int = 0,
) -> Cohort:
    """Load a cohort: counts (genes × samples, raw integers), groups (normal/tumor) and notes.

    name: a TCGA study code of the paper, or for ``file`` one word of your own. source:
    ``demo``      synthetic twin of CHOL, KICH or READ, drawn with ``seed``
    ``published`` the authors' matrices with labels and parts, from ``data_dir`` or downloaded;
                  ``train_part`` names the part that must be there (T1, T2, or None for any)
    ``gdc``       STAR counts from the Genomic Data Commons
    ``xena``      counts from the UCSC Xena GDC hub
    ``file``      your own tables: ``counts`` (paths separated by commas are joined), and
                  ``groups`` unless the samples have TCGA barcodes; fractions only if
                  ``round_counts``
    Raises InputError with the cure for anything that does not fit.
    """
    check_choice("source", source, SOURCES)
    if data_dir and source != "published":
        raise InputError(f"data_dir belongs to source 'published', not {source!r}: drop it")
    if source == "file":
        from degnext.cohorts.user_tables import load_file

        return load_file(counts, groups, name, round_counts)
    if counts or groups:
        fault = f"tables of counts and groups belong to source 'file', not {source!r}"
        raise InputError(f"{fault}: set source='file' or leave them out")
    check_cancer(name)
    if source == "demo":
        from degnext.cohorts.demo import load_demo

        return load_demo(name, seed=seed)
    if source == "published":
        from degnext.cohorts.published import load_published

        return load_published(name, data_dir, train_part)
    return _load_remote(name, source)


def _load_remote(name: str, source: str) -> Cohort:
    from degnext.cohorts import gdc, xena
    from degnext.cohorts.checks import check_counts, check_groups

    counts, groups, report = (gdc.load_gdc if source == "gdc" else xena.load_xena)(name)
    counts = check_counts(counts)
    groups, notes = check_groups(groups, counts.columns), tuple(report.get("notes", ()))
    return Cohort(counts, groups, name=name, source=source, notes=notes)
