"""Notebooks 01 and 02 in two calls, for the notebooks after them and for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.labeling.calls import label, load_labeled, published_folds
from degnext.preprocessing.filters import preprocess

if TYPE_CHECKING:
    from degnext.running.notebook_run import Step


def filtered_cohort(step: Step) -> Cohort:
    """Return the filtered cohort that ``step`` works on; see :meth:`degnext.running.notebook_run.Step.load_filtered`."""
    cohort = step.load()
    if step.source == "published":  # the authors' matrices are filtered already
        return cohort
    path = step.sibling("01_preprocessing") / "counts.parquet"
    if not path.exists():
        print(
            f"No filtered counts of notebook 01 for {step.cancer} ({step.source}) yet: making them with its default settings."
        )
        return preprocess(cohort)
    counts = pd.read_parquet(path)
    counts.index = counts.index.astype(str)
    return cohort.with_counts(counts)


def labeled_cohort(step: Step) -> Cohort:
    """Return the labelled genes that ``step`` works on; see :meth:`degnext.running.notebook_run.Step.load_labeled`."""
    if step.source == "published":
        return published_folds(step.load(), step.seed)
    folder = step.sibling("02_labeling") / "labeled"
    if (folder / "genes.csv").exists():
        return load_labeled(folder, step.cancer, step.source)
    print(
        f"No labels of notebook 02 for {step.cancer} ({step.source}) yet: making them with its default settings."
    )
    return label(filtered_cohort(step), step.parameters.get("bio_source"), step.seed)


def target_cohort(step: Step) -> Cohort:
    """Return the labelled cohort to test on; of a published one, whatever parts are at hand will do."""
    return (
        labeled_named(step.cancer, step.source, step)
        if step.source == "published"
        else labeled_cohort(step)
    )


def labeled_named(cancer: str, source: str, step: Step) -> Cohort:
    """Return another cohort's labelled genes: notebook 02's where it ran, the authors', or the demo's made now."""
    if source == "published":
        from degnext.cohorts.published import load_published

        return load_published(cancer, step.parameters.get("data_dir") or None, train_part=None)
    folder = step.folder.parents[1] / cancer / "02_labeling" / "labeled"
    if (folder / "genes.csv").exists() and source == step.source:
        return load_labeled(folder, cancer, source)
    from degnext.cohorts.load import load_cohort

    return label(preprocess(load_cohort(cancer, source, seed=step.seed)), seed=step.seed)
