"""Predict UR, DR or neutral for every gene of any cohort with the pretrained profile networks; nothing is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.cohorts.published import part_weights
from degnext.prediction.model_card import neutral_range

COLUMNS = (
    "gene",
    "symbol",
    "class",
    "p_DR",
    "p_UR",
    "p_neutral",
    "p_UR_if_DE",
    "log2_fold_change",
    "rule",
    "disagrees_with_rule",
)
_ENOUGH_GENES = 1000  # fewer are hardly a whole table, and library sizes are sums over the table
_FEW_SAMPLES = 10  # up to so many in both groups the network for small samples is asked
_SMALLEST_ALIGNMENT = 30  # genes from which the turning point of down and up can be estimated


def prepare(cohort: Cohort) -> tuple[Cohort, pd.Series]:
    """Return the cohort without summary rows (``__no_feature``, ``N_unmapped``, …) and each gene's symbol.

    Every gene stays, under the name that its table gives it. A symbol is empty where none is known, or where another
    row of the same symbol has more counts. Ensembl ids whose table of symbols cannot be had stay without symbols.
    Raises InputError for genes of another organism.
    """
    from degnext._common.download import DownloadError
    from degnext.preprocessing.symbols import _SUMMARY, to_symbols

    summary = cohort.counts.index.str.match(_SUMMARY)
    if summary.any():
        cohort = cohort.with_counts(
            cohort.counts[~summary],
            f"{int(summary.sum())} summary row(s) of the counting program left out.",
        )
    if cohort.is_labeled and "symbol" in cohort.genes:
        return cohort, cohort.genes["symbol"]
    try:
        report = to_symbols(cohort)[1]
    except DownloadError:
        note = "The table of gene symbols could not be fetched: genes keep their ids and have no symbols."
        return replace(cohort, notes=(*cohort.notes, note)), pd.Series(
            "", index=cohort.counts.index
        )
    names = pd.Series(cohort.counts.index, index=cohort.counts.index)
    return cohort, names if report is None else report["symbol"].where(report["kept"], "")


def predict_cohort(cohort: Cohort, symbols: pd.Series | None = None) -> pd.DataFrame:
    """Return one row per gene of ``cohort``, in its order, with the columns ``COLUMNS``.

    class and p_DR, p_UR, p_neutral come from a pretrained three-class network, that for small samples (notebook 8) where
    neither group has more than 10. p_UR_if_DE is the two-class network's
    calibrated probability of UR, *given* that the gene is differentially expressed; it is asked for the genes known to be
    so (bio genes, F1 and T3, of a labelled cohort), else for those that the three-class network calls, and NaN elsewhere.
    log2_fold_change: tumor over normal, of mean counts per million. rule: that number's sign, "none" at zero.
    disagrees_with_rule: a network gives a direction (the two-class one where it was asked) and the rule another.
    A labelled cohort adds part and label. Raises InputError for counts that are no counts.
    """
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes

    counts, is_tumor = cohort.counts.to_numpy(dtype=float), cohort.is_tumor
    labeled = cohort.is_labeled
    part = cohort.genes["part"].to_numpy(dtype=str) if labeled else None
    factors = size_factors(
        counts, gene_weight=part_weights(part) if cohort.source == "published" and labeled else None
    )
    proba = ProfileClassifier.pretrained(3, few_samples=_is_small(cohort)).predict_proba(
        Genes(counts, is_tumor, None, factors)
    )
    called = proba.argmax(1)
    asked = (
        np.isin(part, ("F1", "T3")) if labeled and np.isin(part, ("F1", "T3")).any() else called < 2
    )
    up = np.full(len(counts), np.nan)
    if asked.any():
        two = ProfileClassifier.pretrained(2)
        two.align = two.align and int(asked.sum()) >= _SMALLEST_ALIGNMENT
        up[asked] = two.predict_proba(Genes(counts[asked], is_tumor, None, factors))[:, 1]
    change = log_fold_change(
        counts, is_tumor
    )  # plain column sums: the rule as anyone would write it
    rule = np.select([change > 0, change < 0], [1, 0], -1)
    direction = np.where(asked, (up > 0.5).astype(int), np.where(called < 2, called, -1))
    table = pd.DataFrame(
        {
            "gene": cohort.counts.index,
            "symbol": (cohort.counts.index if symbols is None else symbols.to_numpy()),
        }
    )
    table["class"] = np.array(CLASS_NAMES)[called]
    table[["p_DR", "p_UR", "p_neutral"]] = proba
    table["p_UR_if_DE"], table["log2_fold_change"] = up, change
    table["rule"] = np.array(["DR", "UR", "none"])[rule]
    table["disagrees_with_rule"] = (direction >= 0) & (rule >= 0) & (direction != rule)
    if labeled:
        table["part"], table["label"] = (
            part,
            cohort.genes["label"].to_numpy(),
        )
    return table


def _is_small(cohort: Cohort) -> bool:
    return max(cohort.n_normal, cohort.n_tumor) <= _FEW_SAMPLES


def advice(cohort: Cohort) -> list[str]:
    """Return the notes that belong beside the predictions: the cohort's own, and what the networks cannot be trusted with."""
    low, high = neutral_range()
    notes = list(cohort.notes)
    if len(cohort.counts) < _ENOUGH_GENES and cohort.source == "file":
        notes.append(
            f"Only {len(cohort.counts):,} genes: library sizes are sums over the table, so give the whole table, not a selection."
        )
    if _is_small(cohort):
        notes.append(
            f"At most {_FEW_SAMPLES} samples per group: classes come from the network for small samples, which guesses what a full cohort would show."
        )
    return [
        *notes,
        f"Neutral calls do not transfer well (MCC {low:.2f} to {high:.2f} on cohorts never trained on): see degnext predict --card.",
    ]
