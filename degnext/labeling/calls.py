"""From differential expression to labelled genes: UR, DR and neutral calls, parts and folds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import CLASS_NAMES, Cohort
from degnext.cohorts.gene_names import symbols_of
from degnext.labeling.differential_expression import differential_expression
from degnext.labeling.disease_genes import N_FOLDS, choose_disease_genes

FDR, LOG_FC = 0.01, 0.0  # the paper's thresholds
# what a call means; why the standard rule is as it is: data/standard_rule.md
RULES = {
    "paper": {"library_size": "total", "dispersion": "tagwise", "log_fc": LOG_FC},
    "standard": {"library_size": "tmm", "dispersion": "empirical", "log_fc": float(np.log2(1.5))},
}


def label(
    cohort: Cohort,
    disease_genes: Iterable[str] | str | Path | None = None,
    *,
    rule: str = "",
    method: str = "lrt",
    library_size: str = "",
    fdr: float = FDR,
    log_fc: float = LOG_FC,
    seed: int = 0,
) -> Cohort:
    """Label the genes of a filtered cohort by differential expression and divide them into parts.

    disease_genes: symbols, the path of a GMT or text file, or "cancermine", "intogen" or "demo".
        None takes CancerMine's list of the cohort's cancer; where counts of your own (source
        "file") have none, another stands in, and a note of the returned cohort says which.
    rule: "paper" or "standard", see :func:`call_by_rule`; "" takes the paper's for synthetic twins
        of its cohorts and the standard rule for all other counts. A note says which it was.
    method, library_size, fdr, log_fc: how else to test and call. seed: decides the folds.

    Raises InputError for a published cohort, whose labels are the authors', and where too few
    genes are called.
    """
    if cohort.source == "published":
        raise InputError(f"{cohort.name} (published) has the authors' labels: call published_folds")
    rule = rule or own_rule(cohort.source)
    how = {"method": method, "library_size": library_size}
    table = call_by_rule(cohort.counts, cohort.groups, rule, **how, fdr=fdr, log_fc=log_fc)
    bio, *notes = choose_disease_genes(cohort, table["label"], disease_genes, seed)
    notes = (*cohort.notes, f"Labels: {table['rule'].iloc[0]}.", *notes)
    return replace(cohort, genes=split_parts(table["label"], bio, seed), notes=notes)


def own_rule(source: str) -> str:
    """Return the rule that labels a cohort of ``source`` unless another is asked for."""
    return "paper" if source in ("demo", "published") else "standard"


def call_by_rule(
    counts: pd.DataFrame,
    groups: pd.Series,
    rule: str = "standard",
    *,
    method: str = "lrt",
    library_size: str = "",
    fdr: float = FDR,
    log_fc: float = 0.0,
) -> pd.DataFrame:
    """Test every gene, and call it UR, DR or neutral by one of two named rules.

    rule: "standard": edgeR's likelihood-ratio test as its users run it today, TMM library sizes and
        estimateDisp, FDR < 0.01, and an estimated fold change above 1.5. "paper": the published
        labels' idea, column sums, tagwise dispersions, FDR < 0.01, however small the change.
    method: another test of :func:`degnext.differential_expression`. library_size: another than the
        rule's own. fdr: another cut. log_fc: a larger smallest absolute log2 fold change.

    Returns the test's table and columns ``label`` and ``rule``, which says in words what was done.
    """
    _check_cuts(fdr, log_fc)
    own = RULES[check_choice("rule", rule, RULES)]
    size, cut = library_size or own["library_size"], max(log_fc, own["log_fc"])
    how = {"method": method, "dispersion": own["dispersion"] if method == "lrt" else None}
    table = differential_expression(counts, groups, library_size=size, **how)
    least = f", fold change above {2**cut:g}" if cut else ""
    words = f"{rule} rule ({method}, library sizes {size}, FDR < {fdr:g}{least})"
    return table.assign(label=call_genes(table, fdr, cut), rule=words)


def call_genes(table: pd.DataFrame, fdr: float = FDR, log_fc: float = LOG_FC) -> pd.Series:
    """Call each gene DR, UR or neutral.

    ``table`` has columns ``log_fc`` (log2, tumor over normal) and ``fdr``. A gene is called when
    its FDR lies below ``fdr`` and its absolute log2 fold change above ``log_fc`` (paper, Methods 6
    and 7: 0.01 and 0).
    """
    _check_cuts(fdr, log_fc)
    significant = (table["fdr"] < fdr) & (table["log_fc"].abs() > log_fc)
    direction = np.where(table["log_fc"] > 0, "UR", "DR").astype(object)
    return pd.Series(np.where(significant, direction, "neutral"), table.index, name="label")


def _check_cuts(fdr: float, log_fc: float) -> None:
    if not 0 < fdr <= 1:
        raise InputError(f"fdr must lie between 0 and 1, not {fdr}: pass 0.01, as in the paper")
    if log_fc < 0:
        raise InputError(f"log_fc is a size without sign, not {log_fc}: pass 0 for no threshold")


def split_parts(labels: pd.Series, bio: Iterable[str], seed: int = 0) -> pd.DataFrame:
    """Divide genes into Q (called, with disease evidence) and P (all others), each in five folds.

    Fold 0 is the test part (T2 of P, T3 of Q), the others train (T1, F1): 80 : 20 as in the paper.
    Folds are stratified by label, seeded and disjoint. A neutral gene stays in P even with disease
    evidence, since the fine-tuning stage knows two classes only (paper, Methods 8).

    Returns columns ``label``, ``bio``, ``part``, ``fold``, indexed like ``labels``. Raises
    InputError when Q has too few genes of either class to be split.
    """
    in_q = labels.index.isin(list(bio)) & (labels != "neutral").to_numpy()
    for label in ("DR", "UR"):
        n = int((labels[in_q] == label).sum())
        if n < N_FOLDS:
            raise InputError(
                f"only {n} {label} gene(s) have disease evidence, {N_FOLDS} are needed: "
                "take a longer list of disease genes or a higher FDR"
            )
    fold = np.full(len(labels), -1, dtype=np.int8)
    for group in (~in_q, in_q):
        fold[group] = stratified_folds(labels.to_numpy()[group], N_FOLDS, seed)
    part = np.where(in_q, np.where(fold == 0, "T3", "F1"), np.where(fold == 0, "T2", "T1"))
    columns = {"label": labels.to_numpy(), "bio": in_q, "part": part, "fold": fold}
    return pd.DataFrame(columns, index=labels.index)


def stratified_folds(labels: np.ndarray, n_folds: int = N_FOLDS, seed: int = 0) -> np.ndarray:
    """Return a fold number per gene; the folds differ by at most one gene per class."""
    from sklearn.model_selection import StratifiedKFold

    if (np.unique(labels, return_counts=True)[1] < n_folds).any():
        raise InputError(f"a class has fewer than {n_folds} genes to spread: relax the thresholds")
    fold = np.zeros(len(labels), dtype=np.int8)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    for k, (_, test) in enumerate(folds.split(labels, labels)):
        fold[test] = k
    return fold


def published_folds(cohort: Cohort, seed: int = 0) -> Cohort:
    """Give a published cohort five folds: T2 and T3 are fold 0, T1 and F1 spread over the rest."""
    genes = cohort.genes.copy()
    if set(cohort.parts) == {"T1", "T2", "F1", "T3"}:
        for train in ("T1", "F1"):
            rows = (genes["part"] == train).to_numpy()
            folds = stratified_folds(genes.loc[rows, "label"].to_numpy(), N_FOLDS - 1, seed)
            genes.loc[rows, "fold"] = folds + 1
        genes.loc[genes["part"].isin(["T2", "T3"]), "fold"] = 0
    return replace(cohort, genes=genes)


def agreement(ours: pd.Series, published: pd.Series) -> pd.DataFrame:
    """Count genes by published (rows) and our (columns) label; both are indexed by gene."""
    names = list(CLASS_NAMES)
    table = pd.crosstab(published, ours.loc[published.index])
    table = table.reindex(index=names, columns=names, fill_value=0)
    return table.rename_axis(index="published", columns="ours")


def published_direction(ours: pd.Series, cancer: str) -> pd.DataFrame | None:
    """Compare our calls on raw counts (indexed by symbol) with the authors' labels.

    The authors' rows are matched by the symbols recovered for CHOL, KICH and READ; None for other
    cancers, or where the published files are not at hand. Genes in both only.
    """
    from degnext.cohorts.published import load_published, published_dir

    if cancer not in ("CHOL", "KICH", "READ") or published_dir() is None:
        return None
    genes = load_published(cancer, train_part=None).genes
    labels = genes[genes["symbol"] != ""].set_index("symbol")["label"]
    today = symbols_of(labels.index, "symbol")[0].to_numpy()  # ours may carry today's symbols
    labels.index = np.where(labels.index.isin(ours.index) | pd.isna(today), labels.index, today)
    labels = labels[~labels.index.duplicated()]
    both = labels.index.intersection(ours.index)
    return agreement(ours.loc[both], labels.loc[both])
