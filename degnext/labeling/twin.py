"""TODO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import Cohort


def fit_parameters(cohort: Cohort) -> tuple[pd.DataFrame, dict]:
    """Fit a negative binomial to every expressed gene of ``cohort``.

    Returns
    -------
    genes : indexed by gene; ``normal`` and ``tumor`` (mean, counts per million), ``dispersion`` (edgeR, tagwise)
    info  : sample numbers and, per group, mean and standard deviation of the natural log of the library size

    Genes without any count are left out.
    """
    from degnext.labeling.differential_expression import differential_expression

    counts, is_tumor = cohort.counts, cohort.is_tumor
    library = counts.sum().to_numpy(dtype=float)
    counts = counts.loc[counts.sum(axis=1) > 0]
    dispersion = differential_expression(counts, cohort.groups)["dispersion"]
    values = counts.to_numpy(dtype=float)
    genes = pd.DataFrame(
        {
            name: values[:, m].sum(axis=1) / library[m].sum() * 1e6
            for name, m in (("normal", ~is_tumor), ("tumor", is_tumor))
        },
        index=counts.index,
    ).assign(dispersion=dispersion.to_numpy())
    info = {"cancer": cohort.name, "n_genes": len(genes)}
    for name, member in (("normal", ~is_tumor), ("tumor", is_tumor)):
        logs = np.log(library[member])
        info[name] = {
            "n": int(member.sum()),
            "log_library_mean": round(float(logs.mean()), 4),
            "log_library_sd": round(float(logs.std(ddof=1)), 4),
        }
    return genes, info


def save_parameters(genes: pd.DataFrame, info: dict, folder: Path) -> Path:
    """Write ``<cancer>.csv.gz`` (four significant digits) and ``<cancer>.json`` to ``folder``; return the table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info['cancer']}.csv.gz"
    temporary = path.with_name("." + path.name)
    genes.to_csv(temporary, float_format="%.4g", compression={"method": "gzip", "mtime": 0})
    temporary.replace(path)
    write_atomic(folder / f"{info['cancer']}.json", info)
    return path
