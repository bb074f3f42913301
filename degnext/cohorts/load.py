"""One door to every kind of data: ``load_cohort(name, source)``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort, check_cancer

SOURCES = ("demo", "published", "gdc", "xena", "file")
_TABLES = ("counts", "groups", "normal", "tumor", "transcripts")  # of source file


class Loading(TypedDict, total=False):
    """What else ``load_cohort`` takes, by name."""

    counts: str | Path | Sequence[str | Path] | None
    groups: str | Path | None
    normal: str | None
    tumor: str | None
    transcripts: str | Path | None
    round_counts: bool
    data_dir: str | Path | None
    train_part: str | None
    seed: int
    fewest: int


def load_cohort(name: str, source: str = "demo", **options: Unpack[Loading]) -> Cohort:
    """Load a cohort: counts (genes × samples, raw integers), groups (normal/tumor) and notes.

    name: a TCGA study code of the paper, or for ``file`` one word of your own. source:
    ``demo``      synthetic twin of CHOL, KICH or READ, drawn with ``seed`` (0)
    ``published`` the authors' matrices with labels and parts, from ``data_dir`` or downloaded;
                  ``train_part`` names the part that must be there ("T1", "T2", or None for any)
    ``gdc``       STAR counts from the Genomic Data Commons
    ``xena``      counts from the UCSC Xena GDC hub
    ``file``      your own: ``counts``, a file as the counting program or the archive left it, a
                  folder, a pattern or a list of files; ``groups``, a table of the samples in
                  which some column tells normal from tumor, and maybe one the patients;
                  ``normal`` and ``tumor``, patterns such as "N*" instead or of a column's words
                  (with neither, samples need TCGA barcodes); ``transcripts``, a table of
                  transcript and gene; ``round_counts``, whether expected counts may be rounded;
                  ``fewest`` samples that either group must have (2).
                  The first three notes say what was understood.
    Raises InputError with the cure for anything that does not fit.
    """
    check_choice("source", source, SOURCES)
    for option in options:
        check_choice("option", option, Loading.__annotations__)
    own = {k: options[k] for k in _TABLES if options.get(k)}
    if options.get("data_dir") and source != "published":
        raise InputError(f"data_dir belongs to source 'published', not {source!r}: drop it")
    if source == "file":
        from degnext.cohorts.user_tables import load_file

        own |= {k: options[k] for k in ("round_counts", "fewest") if k in options}
        return load_file(own.pop("counts", None), name=name, **own)
    if own:
        fault = f"{' and '.join(own)} belong to source 'file', not {source!r}"
        raise InputError(f"{fault}: set source='file' or leave them out")
    check_cancer(name)
    if source == "demo":
        from degnext.cohorts.demo import load_demo

        return load_demo(name, seed=options.get("seed", 0))
    if source == "published":
        from degnext.cohorts.published import load_published

        train_part = options.get("train_part", "T1")
        return load_published(name, options.get("data_dir"), train_part)
    return _load_remote(name, source)


def _load_remote(name: str, source: str) -> Cohort:
    from degnext.cohorts import gdc, xena
    from degnext.cohorts.checks import check_counts, check_groups

    counts, groups, report = (gdc.load_gdc if source == "gdc" else xena.load_xena)(name)
    counts = check_counts(counts)
    groups, notes = check_groups(groups, counts.columns), tuple(report.get("notes", ()))
    return Cohort(counts, groups, name=name, source=source, notes=notes)
