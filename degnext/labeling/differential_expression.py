"""Differential expression of tumor against normal with edgeR's negative binomial tests.

Sources: Robinson, McCarthy and Smyth (2010), Bioinformatics 26:139; R's edgeR 3.40; the order of steps is that of
TCGAbiolinks' TCGAanalyze_DEA, which the paper used: library sizes are plain column sums, no TMM.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext._common.arithmetic import benjamini_hochberg
from degnext._common.errors import InputError, check_choice
from degnext.labeling.edger.negbin import TwoGroups, ave_log_cpm, fit_deviance, log_fold_change

COLUMNS = ["log_fc", "log_cpm", "stat", "p_value", "fdr", "dispersion"]


def differential_expression(
    counts: pd.DataFrame, groups: pd.Series, method: str = "lrt", dispersion: str | None = None
) -> pd.DataFrame:
    """Test every gene for a difference between tumor and normal; return a table in the order of ``counts``.

    counts: genes × samples, raw non-negative counts. groups: "normal" or "tumor" per sample, normal is the reference.
    method: "lrt" (GLM likelihood-ratio test), "exact" (exact test after qCML) or "ql" (quasi-likelihood F test).
    dispersion: "tagwise" or "common"; by default tagwise for "lrt" and common for "exact", as TCGAanalyze_DEA has it.
    "ql" takes neither: it fits with a dispersion that follows abundance and keeps the genes' own part for the F test.
    Columns: log_fc (log2, tumor over normal), log_cpm (average log2 counts per million), stat (LR or F; NaN for the
    exact test, which has none), p_value, fdr (Benjamini-Hochberg over all rows), dispersion.
    Raises InputError when a group has no sample or there are too few samples to estimate a dispersion.
    Source: edgeR's glmLRT, exactTest and glmQLFTest.
    """
    check_choice("method", method, ("lrt", "exact", "ql"))
    if dispersion is not None:
        check_choice("dispersion", dispersion, ("tagwise", "common"))
        if method == "ql":
            raise InputError("method='ql' estimates its own dispersion trend: leave dispersion out")
    data = two_groups(counts, groups)
    if method == "exact":
        from degnext.labeling.edger.exact import exact_table

        table = exact_table(data, dispersion or "common")
    elif method == "ql":
        from degnext.labeling.edger.quasi import quasi_table

        table = quasi_table(data)
    else:
        table = _lrt_table(data, dispersion or "tagwise")
    table["fdr"] = benjamini_hochberg(table["p_value"])
    return pd.DataFrame(table, index=counts.index)[COLUMNS]


def two_groups(counts: pd.DataFrame, groups: pd.Series) -> TwoGroups:
    """Check counts and groups and return them as arrays, normal samples first."""
    if counts.columns.has_duplicates or groups.index.has_duplicates:
        raise InputError(
            "sample names occur twice in counts or groups: make every sample name unique"
        )
    missing = counts.columns.difference(groups.index)
    if len(missing):
        raise InputError(
            f"{len(missing)} samples have no group, the first is {missing[0]!r}: add them to groups"
        )
    group = groups.loc[counts.columns]
    unknown = sorted(set(group.unique()) - {"normal", "tumor"}, key=str)
    if unknown:
        raise InputError(f"groups must be 'normal' or 'tumor', not {unknown[0]!r}")
    normal = (group == "normal").to_numpy()
    if normal.all() or not normal.any() or normal.size < 3:
        raise InputError(
            f"differential expression needs both groups and at least three samples; "
            f"there are {int(normal.sum())} normal and {int((~normal).sum())} tumor samples"
        )
    if not len(counts):
        raise InputError("counts has no genes: check the filter that came before")
    y = counts.to_numpy()
    if y.dtype.kind not in "iuf":
        raise InputError("counts must be numbers: drop text columns such as gene descriptions")
    order = np.concatenate([np.flatnonzero(normal), np.flatnonzero(~normal)])
    y = np.ascontiguousarray(y[:, order], dtype=float)
    lowest = y.min()
    if not lowest >= 0 or not np.isfinite(y.max()):
        raise InputError(
            "counts must be non-negative numbers without gaps: pass the raw, unlogged table"
        )
    lib = y.sum(axis=0)
    if (lib == 0).any():
        raise InputError(
            f"sample {counts.columns[order[lib.argmin()]]!r} has no counts at all: leave it out"
        )
    return TwoGroups(y, lib, int(normal.sum()))


def _lrt_table(data: TwoGroups, kind: str) -> dict[str, np.ndarray]:
    from scipy.special import erfc

    from degnext.labeling.edger.dispersion import common_dispersion, tagwise_dispersion

    common = common_dispersion(data)
    phi = tagwise_dispersion(data, common) if kind == "tagwise" else np.full(len(data.y), common)
    ratio = fit_deviance(data, phi, null=True) - fit_deviance(data, phi)
    return {
        "log_fc": log_fold_change(data, phi),
        "log_cpm": ave_log_cpm(data, common),
        "stat": ratio,
        "p_value": erfc(
            np.sqrt(np.maximum(ratio, 0.0) / 2.0)
        ),  # chi-squared with one degree of freedom
        "dispersion": phi,
    }
