"""Fit the negative binomials that a synthetic twin of a cohort is drawn from (cohorts.demo)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import Cohort
from degnext.labeling.differential_expression import differential_expression


def fit_parameters(cohort: Cohort) -> tuple[pd.DataFrame, dict]:
    """Fit a negative binomial to every gene of ``cohort`` that has any count.

    Returns a table indexed by gene with ``normal`` and ``tumor`` (mean, counts per million) and
    ``dispersion`` (edgeR, tagwise), and a dict with sample numbers and, per group, mean and
    standard deviation of the natural log of the library size.
    """
    library = cohort.counts.sum().to_numpy(dtype=float)
    counts = cohort.counts.loc[cohort.counts.sum(axis=1) > 0]
    dispersion = differential_expression(counts, cohort.groups)["dispersion"]
    values, columns = counts.to_numpy(dtype=float), {}
    info = {"cancer": cohort.name, "n_genes": len(counts)}
    for name, member in (("normal", ~cohort.is_tumor), ("tumor", cohort.is_tumor)):
        columns[name] = values[:, member].sum(axis=1) / library[member].sum() * 1e6
        logs = np.log(library[member])
        info[name] = {
            "n": int(member.sum()),
            "log_library_mean": round(float(logs.mean()), 4),
            "log_library_sd": round(float(logs.std(ddof=1)), 4),
        }
    return pd.DataFrame(columns, counts.index).assign(dispersion=dispersion.to_numpy()), info


def save_parameters(genes: pd.DataFrame, info: dict, folder: Path) -> Path:
    """Write ``<cancer>.csv.gz`` (four digits) and ``<cancer>.json``; return the table's path."""
    path = folder / f"{info['cancer']}.csv.gz"
    text = genes.to_csv(float_format="%.4g").encode()
    write_atomic(path, gzip.compress(text, mtime=0))  # the same table makes the same file
    write_atomic(folder / f"{info['cancer']}.json", info)
    return path
