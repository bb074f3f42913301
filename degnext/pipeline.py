"""Notebooks 01 and 02 in two calls, for the notebooks after them and for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from .cohorts import Cohort, LabeledCohort
from .errors import check_choice
from .labels import label_cohort, load_labeled, published_folds

if TYPE_CHECKING:
    from .run import Step


def preprocess(cohort: Cohort, outlier_cut: float = 0.6, quantile_cut: float = 0.25, symbols: str = "auto") -> Cohort:
    """Name genes by symbol, drop outlier samples and lowly expressed genes (paper, Methods 2, 3 and 5), with notes of how many."""
    from .preprocess import drop_outliers, quantile_filter

    named, _ = to_symbols(cohort, symbols)
    kept = drop_outliers(named.counts, named.groups, outlier_cut)[0]
    filtered = quantile_filter(kept, quantile_cut)
    notes = []
    if kept.shape[1] < cohort.counts.shape[1]:
        notes.append(f"{cohort.counts.shape[1] - kept.shape[1]} outlier sample(s) left out.")
    return named.with_counts(filtered, *notes)


def to_symbols(cohort: Cohort, symbols: str = "auto") -> tuple[Cohort, pd.DataFrame | None]:
    """Return the cohort with HGNC symbols as gene names, and the report of what became of each row (None when kept).

    ``auto`` maps Ensembl ids and leaves symbols as they are; ``map`` also drops symbols that no table knows; ``keep`` does nothing.
    """
    from .annotation import map_symbols

    check_choice("symbols", symbols, ("auto", "map", "keep"))
    ensembl = cohort.counts.index.str.match(r"^ENS[A-Z]*G\d{11}").mean() > 0.5
    if cohort.source in ("demo", "published") or symbols == "keep" or (symbols == "auto" and not ensembl):
        return cohort, None
    counts, report = map_symbols(cohort.counts)
    return cohort.with_counts(counts, f"{len(counts):,} of {len(report):,} rows have a gene symbol and stay."), report


def filtered_cohort(step: Step) -> Cohort:
    """Return the filtered cohort that ``step`` works on; see :meth:`degnext.run.Step.load_filtered`."""
    cohort = step.load()
    if step.source == "published":  # the authors' matrices are filtered already
        return cohort
    path = step.sibling("01_preprocessing") / "counts.parquet"
    if not path.exists():
        print(f"No filtered counts of notebook 01 for {step.cancer} ({step.source}) yet: making them with its default settings.")
        return preprocess(cohort)
    counts = pd.read_parquet(path)
    counts.index = counts.index.astype(str)
    return cohort.with_counts(counts)


def label_with(cohort: Cohort, table: pd.DataFrame, bio_source: str | Path, *, fdr: float = 0.01, log_fc: float = 0.0, seed: int = 0) -> LabeledCohort:
    """Label a cohort's genes by its differential-expression table and split them by disease evidence."""
    from .bio_genes import bio_genes

    return label_cohort(cohort, table, bio_genes(cohort.cancer, bio_source), fdr=fdr, log_fc=log_fc, seed=seed)


def default_bio_source(source: str) -> str:
    """Return where disease genes come from unless a parameter says otherwise."""
    return {"demo": "demo", "published": "paper"}.get(source, "cancermine")


def labeled_cohort(step: Step) -> LabeledCohort:
    """Return the labelled genes that ``step`` works on; see :meth:`degnext.run.Step.load_labeled`."""
    if step.source == "published":
        return published_folds(step.load(), step.seed)
    folder = step.sibling("02_labeling") / "labeled"
    if (folder / "genes.csv").exists():
        return load_labeled(folder, step.cancer, step.source)
    print(f"No labels of notebook 02 for {step.cancer} ({step.source}) yet: making them with its default settings.")
    return label(filtered_cohort(step), step.parameters.get("bio_source"), step.seed)


def label(cohort: Cohort, bio_source: str | Path | None = None, seed: int = 0) -> LabeledCohort:
    """Label a filtered cohort with notebook 02's default settings."""
    from .edger import differential_expression

    table = differential_expression(cohort.counts, cohort.groups)
    return label_with(cohort, table, bio_source or default_bio_source(cohort.source), seed=seed)


def target_cohort(step: Step) -> LabeledCohort:
    """Return the labelled cohort to test on; of a published one, whatever parts are at hand will do."""
    return labeled_named(step.cancer, step.source, step) if step.source == "published" else labeled_cohort(step)


def labeled_named(cancer: str, source: str, step: Step) -> LabeledCohort:
    """Return another cohort's labelled genes: notebook 02's where it ran, the authors', or the demo's made now."""
    if source == "published":
        from .published import load_published

        return load_published(cancer, step.parameters.get("data_dir") or None, train_part=None)
    folder = step.folder.parents[1] / cancer / "02_labeling" / "labeled"
    if (folder / "genes.csv").exists() and source == step.source:
        return load_labeled(folder, cancer, source)
    from .sources import load_cohort

    return label(preprocess(load_cohort(cancer, source, seed=step.seed)), seed=step.seed)
