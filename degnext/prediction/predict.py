"""Predict UR, DR or neutral for every gene of any cohort with pretrained networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.checks import check_counts, check_groups, check_orientation
from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.cohorts.library_size import log_fold_change
from degnext.learning.profile.called_list import check_share
from degnext.prediction.called import ABSTAIN, called_list, list_advice
from degnext.prediction.model_card import neutral_range
from degnext.prediction.standard import FDR, standard_advice, standard_calls

RULES = ("standard", "paper")
_ENOUGH_GENES = 1000  # fewer are hardly a whole table, and library sizes are sums over the table
_FEW_SAMPLES = 10  # up to so many in both groups the network for small samples is asked
_SMALLEST_ALIGNMENT = 30  # genes from which the turning point of down and up can be estimated


def predict(
    counts: pd.DataFrame | Cohort,
    groups: pd.Series | None = None,
    *,
    name: str = "MINE",
    rule: str | None = None,
    fdr: float | None = None,
    paired: bool = False,
) -> pd.DataFrame:
    """Predict the class of every gene with networks that are trained already.

    counts: genes × samples, raw integers, the whole table: library sizes are sums over it. Or a
    :class:`Cohort`, which has its groups; a labelled one is given its parts and labels besides.
    groups: ``normal`` or ``tumor``, indexed by sample. With a single sample in a group there are
    fold changes with a wide uncertainty, and every class is ``abstain``.
    rule: what UR and DR mean. ``standard``: FDR < 0.01 and at least 1.5-fold by edgeR with TMM
    library sizes, on anyone's counts. ``paper``: what the published labels of large cohorts mean
    (column sums, no smallest fold change), which does not carry over well to other cohorts. None:
    ``paper`` for a published cohort, whose labels it made, ``standard`` for all else.
    fdr: with rule ``standard``, adds columns of :func:`degnext.prediction.called.called_list`: the
    longest list of calls whose expected share of wrong ones is at most this, from 2 to hundreds of
    samples a group; wrong is what a large cohort would not show.
    paired: add the test within patients of ``cohort.pairs`` (columns paired_log2_fold_change and
    paired_fdr); classes stay those of all samples.
    Returns one row per gene, as :func:`predict_cohort`; ``.attrs["notes"]`` holds sentences that
    belong beside it. Raises InputError for what does not fit, and for genes of another organism.
    """
    check_rule(rule, fdr)
    cohort = counts
    if not isinstance(cohort, Cohort):
        if groups is None:
            raise InputError("counts came without groups: pass normal or tumor for every sample")
        check_orientation(counts, groups)
        counts = check_counts(counts)
        cohort = Cohort(counts, check_groups(groups, counts.columns, 1), name=name)
    by_source = "paper" if cohort.source == "published" and fdr is None else "standard"
    rule = rule or by_source
    if rule == "paper" and min(cohort.n_normal, cohort.n_tumor) == 1:
        fault = "rule 'paper' cannot be asked where a group has a single sample"
        raise InputError(f"{fault}: give two of each, or take rule 'standard'")
    patients = _complete_pairs(cohort) if paired else pd.Index([])
    cohort, symbols = prepare(cohort)
    table = predict_cohort(cohort, symbols, rule)
    added = paper_advice(cohort) if rule == "paper" else standard_advice(cohort, table)
    if fdr is not None:
        found = called_list(cohort, fdr)
        for name, column in found.items():
            table[name] = column.to_numpy()
        added += list_advice(cohort, found, fdr)
    if paired:
        added.append(_add_paired_test(cohort, table, patients))
    table.attrs |= {"rule": rule, "notes": [*_table_notes(cohort), *added]}
    return table


def check_rule(rule: str | None, fdr: float | None) -> None:
    """Raise InputError if there is no such rule, or no list at such a share of wrong calls."""
    check_choice("rule", rule or "standard", RULES)
    if fdr is not None:
        check_share(fdr)
        if rule == "paper":
            raise InputError(f"fdr belongs to rule 'standard', not {rule!r}: drop one of them")


def _complete_pairs(cohort: Cohort) -> pd.Index:
    """Return the samples of patients with both groups; raise InputError if there are too few."""
    from degnext.labeling.differential_expression import complete_pairs

    pairs, cure = cohort.pairs, "check the column 'patient' of the groups table, or drop --pairs"
    if pairs is None:
        raise InputError(f"the samples have no pairs: {cure}")
    if len(whole := complete_pairs(cohort.groups, pairs)) < 4:
        raise InputError(f"fewer than two patients have both samples: {cure}")
    return whole


def _add_paired_test(cohort: Cohort, table: pd.DataFrame, whole: pd.Index) -> str:
    """Add the columns of edgeR's test within patients to ``table``; return a note on it."""
    from degnext.labeling.differential_expression import differential_expression

    counts = cohort.counts[whole]
    counts, how = counts[counts.any(axis=1)], {"library_size": "tmm", "dispersion": "empirical"}
    found = differential_expression(counts, cohort.groups[whole], pairs=cohort.pairs[whole], **how)
    found = found.reindex(cohort.counts.index)
    table["paired_log2_fold_change"] = found["log_fc"].to_numpy()
    table["paired_fdr"] = found["fdr"].to_numpy()
    n = (found["fdr"] < FDR).sum()
    return f"Within {len(whole) // 2} patients with both samples, {n:,} genes have FDR < {FDR:g}."


def prepare(cohort: Cohort) -> tuple[Cohort, pd.Series]:
    """Return the cohort without summary rows (``__no_feature``, …), and each gene's symbol.

    Every gene stays, under its own name. Its symbol is today's, and empty where none is known or
    another row of the same symbol has more counts.
    """
    from degnext.preprocessing.symbols import SUMMARY_ROW, to_symbols

    summary = cohort.counts.index.str.match(SUMMARY_ROW)
    if summary.any():
        note = f"{int(summary.sum())} summary row(s) of the counting program left out."
        cohort = cohort.with_counts(cohort.counts[~summary], note)
    if cohort.genes is not None and "symbol" in cohort.genes:
        return cohort, cohort.genes["symbol"]
    # only the rows' totals matter to it, and a table of one column is copied at once
    totals = cohort.counts.sum(axis=1).to_frame(cohort.counts.columns[0])
    named, report = to_symbols(replace(cohort, counts=totals))
    if report is not None:
        return cohort, report["symbol"].where(report["kept"], "")
    return replace(cohort, notes=named.notes), named.counts.index.to_series(cohort.counts.index)


def predict_cohort(
    cohort: Cohort, symbols: pd.Series | None = None, rule: str = "paper"
) -> pd.DataFrame:
    """Return one row per gene of ``cohort``, in its order, with gene, symbol and these columns.

    class, p_DR, p_UR, p_neutral: of the standard rule's network (``abstain`` and NaN where a group
    has one sample); by rule ``paper`` of a three-class
    network, that for small samples (notebook 8) where neither group has more than 10.
    p_UR_if_DE: the two-class network's calibrated probability of UR, *given* that the gene changes;
    asked for genes known to (bio genes, F1 and T3, of a labelled cohort), else for those called UR
    or DR; NaN elsewhere.
    log2_fold_change: tumor over normal, of mean counts per million. rule: its sign, none at zero.
    disagrees_with_rule: a network (the two-class one where it was asked) gives a direction and the
    rule another. edger_log2_fold_change, edger_fdr (by rule ``standard``): the test's own numbers,
    with TMM; NaN for genes without counts. A labelled cohort adds part and label.
    """
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes, genes_of

    # a gene's counts side by side, which a table's are not: what follows works gene by gene
    values = cohort.counts.to_numpy().astype(float, order="C")
    if rule == "standard":
        proba, sizes, test = standard_calls(cohort, values)
    else:
        name, every = "few_samples" if _is_small(cohort) else "three_class", genes_of(cohort)
        proba = ProfileClassifier.from_pretrained(name).predict_proba(every)
        sizes, test = every.factors, None
    called = np.where(np.isnan(proba[:, 0]), len(CLASS_NAMES), proba.argmax(1))

    genes, asked = cohort.genes, called < 2
    if genes is not None and genes["part"].isin(("F1", "T3")).any():
        asked = genes["part"].isin(("F1", "T3")).to_numpy()
    up = np.full(len(called), np.nan)
    if asked.any():
        two = ProfileClassifier.from_pretrained("two_class")
        two.set_params(align=bool(asked.sum() >= _SMALLEST_ALIGNMENT))
        up[asked] = two.predict_proba(Genes(values[asked], cohort.is_tumor, None, sizes))[:, 1]

    # with plain column sums: the rule as anyone would write it
    change = log_fold_change(values, cohort.is_tumor)
    sign = np.select([change > 0, change < 0], ["UR", "DR"], "none")
    by_class = np.where(called < 2, np.array([*CLASS_NAMES, ABSTAIN])[called], "none")
    direction = np.where(asked, np.where(up > 0.5, "UR", "DR"), by_class)
    table = pd.DataFrame({"gene": cohort.counts.index})
    table["symbol"] = table["gene"] if symbols is None else symbols.to_numpy()
    table["class"] = np.array([*CLASS_NAMES, ABSTAIN])[called]
    table[["p_DR", "p_UR", "p_neutral"]] = proba
    table["p_UR_if_DE"], table["log2_fold_change"], table["rule"] = up, change, sign
    table["disagrees_with_rule"] = (direction != "none") & (sign != "none") & (direction != sign)
    if test is not None:
        table[list(test)] = test.to_numpy()
        table.attrs |= test.attrs
    if genes is not None:
        table["part"], table["label"] = genes["part"].to_numpy(str), genes["label"].to_numpy()
    return table


def _is_small(cohort: Cohort) -> bool:
    return max(cohort.n_normal, cohort.n_tumor) <= _FEW_SAMPLES


def _table_notes(cohort: Cohort) -> list[str]:
    notes = list(cohort.notes)
    if len(cohort.counts) < _ENOUGH_GENES and cohort.source == "file":
        few = f"Only {len(cohort.counts):,} genes: library sizes are sums over the table"
        notes.append(f"{few}, so give the whole table, not a selection.")
    return notes


def paper_advice(cohort: Cohort) -> list[str]:
    """Return what to mind about a table of predictions by the paper's rule."""
    notes, (low, high) = [], neutral_range()
    if _is_small(cohort):
        few = f"At most {_FEW_SAMPLES} samples per group: classes come from the network for small"
        notes.append(f"{few} samples, which guesses what a full cohort would show.")
    limit = f"(MCC {low:.2f} to {high:.2f} on cohorts never trained on)"
    return [*notes, f"Neutral calls do not transfer well {limit}: see degnext predict --card."]
