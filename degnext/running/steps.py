"""A cohort as an earlier chapter left it: loaded, filtered (chapter 1) or labelled (chapter 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from degnext._common.errors import check_choice
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.load import load_cohort
from degnext.cohorts.published import load_published
from degnext.labeling.calls import label, load_labeled, published_folds
from degnext.preprocessing.filters import preprocess

if TYPE_CHECKING:
    from degnext.running.notebook_run import NotebookRun

STATES = ("raw", "filtered", "labeled", "target")
_LOADING = ("data_dir", "counts_path", "groups_path", "round_counts", "train_part")


def cohort(run: NotebookRun, state: str, other: str | None = None, source: str = "") -> Cohort:
    """Return a cohort in one of :data:`STATES`; see :meth:`degnext.NotebookRun.cohort`."""
    check_choice("state", state, STATES)
    source = source or run.source
    if source == "published" and (other or state == "target"):  # whatever parts are at hand
        return load_published(other or run.cancer, run.parameters.get("data_dir") or None, None)
    if other:
        return _other(run, other, source)
    raw = _raw(run)
    if state == "raw":
        return raw
    if source == "published":  # the authors' matrices are filtered and labelled already
        return raw if state == "filtered" else published_folds(raw, run.seed)
    return _filtered(run, raw) if state == "filtered" else _labeled(run, raw)


def _raw(run: NotebookRun) -> Cohort:
    given = {k: v for k, v in run.parameters.items() if k in _LOADING and v != ""}
    given = {k.removesuffix("_path"): v for k, v in given.items()}  # counts_path, groups_path
    return load_cohort(run.cancer, run.source, seed=run.seed, **given)


def _filtered(run: NotebookRun, raw: Cohort) -> Cohort:
    path = run.folder.parent / "01_preprocessing" / "counts.parquet"
    if not path.exists():
        print(
            f"No filtered counts of notebook 01 for {run.cancer} ({run.source}) yet: "
            "making them with its default settings."
        )
        return preprocess(raw)
    counts = pd.read_parquet(path)
    counts.index = counts.index.astype(str)
    return raw.with_counts(counts)


def _labeled(run: NotebookRun, raw: Cohort) -> Cohort:
    folder = run.folder.parent / "02_labeling" / "labeled"
    if (folder / "genes.csv").exists():
        return load_labeled(folder, run.cancer, run.source)
    print(
        f"No labels of notebook 02 for {run.cancer} ({run.source}) yet: "
        "making them with its default settings."
    )
    return label(_filtered(run, raw), run.parameters.get("bio_source"), seed=run.seed)


def _other(run: NotebookRun, cancer: str, source: str) -> Cohort:
    folder = run.folder.parents[1] / cancer / "02_labeling" / "labeled"
    if (folder / "genes.csv").exists() and source == run.source:
        return load_labeled(folder, cancer, source)
    return label(preprocess(load_cohort(cancer, source, seed=run.seed)), seed=run.seed)
