"""Differential expression of tumor against normal: edgeR's negative binomial tests and limma-voom.

Sources: Robinson, McCarthy and Smyth (2010), Bioinformatics 26:139; R's edgeR 3.40. The order of
steps is that of TCGAbiolinks' TCGAanalyze_DEA, which the paper used, and so are the defaults.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext._common.arithmetic import benjamini_hochberg
from degnext._common.errors import InputError, check_choice
from degnext._common.matrix import as_matrix
from degnext.cohorts.library_size import METHODS as LIBRARY_SIZES
from degnext.cohorts.library_size import tmm_factors, upper_quartile_factors
from degnext.labeling.edger.exact import exact_table
from degnext.labeling.edger.negbin import TwoGroups
from degnext.labeling.edger.pairs import Pairs
from degnext.labeling.edger.quasi import quasi_table
from degnext.labeling.edger.ratio_test import ratio_table
from degnext.labeling.edger.voom import voom_table

METHODS = ("lrt", "exact", "ql", "voom")
DISPERSIONS = ("tagwise", "common", "empirical")
COLUMNS = ["log_fc", "log_cpm", "stat", "p_value", "fdr", "dispersion"]


def differential_expression(
    counts: pd.DataFrame,
    groups: pd.Series,
    *,
    method: str = "lrt",
    library_size: str | np.ndarray = "total",
    dispersion: str | None = None,
    min_log_fc: float = 0.0,
    pairs: pd.Series | None = None,
) -> pd.DataFrame:
    """Test every gene for a difference between tumor and normal; keep the order of ``counts``.

    counts: genes × samples, raw non-negative counts.
    groups: "normal" or "tumor" per sample; normal is the reference.
    method: "lrt" (GLM likelihood-ratio test), "exact" (exact test after qCML), "ql"
        (quasi-likelihood F test) or "voom" (limma's moderated t test on weighted log counts).
    library_size: "total" (column sums) or these times "tmm" or "upper_quartile" factors; or the
        sizes themselves, in reads per sample.
    dispersion: "tagwise" (default for "lrt"), "common" (default for "exact") or, for "lrt",
        "empirical", which edgeR's own users get from estimateDisp. "ql" and "voom" take none.
    min_log_fc: above 0, "lrt" and "ql" test whether the absolute log2 fold change is larger than
        this (edgeR's glmTreat), which is stricter than a cut on the estimate.
    pairs: the patient of each sample, indexed by sample: "lrt" then compares within patients
        (edgeR's design ~ patient + group). Every patient needs a normal and a tumor sample;
        :func:`complete_pairs` leaves the others out.

    Returns columns log_fc (log2, tumor over normal), log_cpm (average log2 counts per million),
    stat (LR, F or t; NaN for the exact test and with min_log_fc), p_value, fdr (Benjamini-Hochberg
    over all rows), dispersion (NaN for voom). Raises InputError for counts or groups that cannot
    be tested. Source: edgeR's glmLRT, exactTest, glmQLFTest, glmTreat; limma's voom.
    """
    check_choice("method", method, METHODS)
    if dispersion is not None:
        check_choice("dispersion", dispersion, DISPERSIONS)
        if dispersion == "empirical" and method != "lrt":
            raise InputError("dispersion='empirical' belongs to method='lrt': choose tagwise")
        if method in ("ql", "voom"):
            raise InputError(f"{method} finds its own spread: leave dispersion out, set None")
    if not min_log_fc >= 0 or (min_log_fc and method not in ("lrt", "ql")):
        raise InputError(f"min_log_fc={min_log_fc} for {method}: give 0 or more, and lrt or ql")
    if pairs is not None and method != "lrt":
        raise InputError(f"pairs belong to method 'lrt', not {method!r}: choose lrt, or no pairs")
    data = two_groups(counts, groups, library_size, pairs)
    if method == "lrt":
        table = ratio_table(data, dispersion or "tagwise", min_log_fc)
    elif method == "exact":
        table = exact_table(data, dispersion or "common")
    elif method == "ql":
        table = quasi_table(data, min_log_fc)
    else:
        table = voom_table(data)
    table["fdr"] = benjamini_hochberg(table["p_value"])
    return pd.DataFrame(table, index=counts.index)[COLUMNS]


def complete_pairs(groups: pd.Series, pairs: pd.Series) -> pd.Index:
    """Return the samples, in order, whose patient has both a normal and a tumor sample."""
    patient = pairs.reindex(groups.index).replace("", None)
    return groups.index[patient.map(groups.groupby(patient).nunique()).eq(2)]


def two_groups(
    counts: pd.DataFrame,
    groups: pd.Series,
    library_size: str | np.ndarray = "total",
    pairs: pd.Series | None = None,
) -> TwoGroups:
    """Return checked counts as an array, normal samples first (in pairs), with library sizes."""
    named = isinstance(library_size, str)
    if named:
        check_choice("library_size", library_size, LIBRARY_SIZES)
    y, normal = _checked(counts, groups)
    order = np.argsort(~normal, kind="stable")
    if pairs is not None:
        patient = _patients(groups.loc[counts.columns], pairs)
        order = order[np.argsort(patient[order], kind="stable")]
    y = y.take(order, axis=1).astype(float, order="C", copy=False)
    lib = y.sum(axis=0)
    if (lib == 0).any():
        empty = counts.columns[order[lib.argmin()]]
        raise InputError(f"sample {empty!r} has no counts at all: leave it out")
    if not named:
        lib = np.asarray(library_size, dtype=float)[order]
    elif library_size != "total":
        factors = tmm_factors if library_size == "tmm" else upper_quartile_factors
        lib = lib * factors(counts)[order]
    if pairs is not None:
        starts = np.unique(patient[order], return_index=True)[1]
        return Pairs(y, lib, int(normal.sum()), starts, ~normal[order])
    return TwoGroups(y, lib, int(normal.sum()))


def _patients(groups: pd.Series, pairs: pd.Series) -> np.ndarray:
    """Return a number per sample, the same within a patient, or say which pair is incomplete."""
    if pairs.index.has_duplicates:
        raise InputError("sample names occur twice in pairs: make every name unique")
    alone = groups.index.difference(complete_pairs(groups, pairs), sort=False)
    if len(alone):
        first = f"{len(alone)} sample(s) have no partner in pairs, the first is {alone[0]!r}"
        raise InputError(f"{first}: drop them with complete_pairs, or test without pairs")
    patient = pd.factorize(pairs.loc[groups.index])[0]
    if patient.max() < 1 or len(patient) < patient.max() + 3:
        raise InputError("one pair is too few for a paired test: give two, or test without pairs")
    return patient


def _checked(counts: pd.DataFrame, groups: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts as an array and which samples are normal, or say what is wrong."""
    if counts.columns.has_duplicates or groups.index.has_duplicates:
        raise InputError("sample names occur twice in counts or groups: make every name unique")
    missing = counts.columns.difference(groups.index)
    if len(missing):
        first = f"{len(missing)} samples have no group, the first is {missing[0]!r}"
        raise InputError(f"{first}: add them to groups")
    group = groups.loc[counts.columns]
    unknown = sorted(set(group.unique()) - {"normal", "tumor"}, key=str)
    if unknown:
        raise InputError(f"groups must be 'normal' or 'tumor', not {unknown[0]!r}")
    normal = (group == "normal").to_numpy()
    if normal.all() or not normal.any() or normal.size < 3:
        have = f"{int(normal.sum())} normal and {int((~normal).sum())} tumor samples are too few"
        raise InputError(f"{have}: differential expression needs both groups and three samples")
    if not len(counts):
        raise InputError("counts has no genes: check the filter that came before")
    return as_matrix(counts), normal
