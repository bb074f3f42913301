"""Calls by the standard rule, which mean the same on anyone's counts, and what to mind about them.

The rule: edgeR's likelihood-ratio test with TMM library sizes and the dispersions of estimateDisp,
FDR below 0.01, and an estimated fold change of at least 1.5 (why: data/standard_rule.md).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from degnext.cohorts.cohort import Cohort
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.prediction.called import lone_error
from degnext.prediction.model_card import standard_scores

FDR, FOLD_CHANGE = 0.01, 1.5
TEST_COLUMNS = ("edger_log2_fold_change", "edger_fdr")
LONE_ERROR = "log2_fold_change_error"
_ALIKE = (0.8, 1.25)  # composition factors that need no warning
_FEWEST = 3  # samples per group that the network was trained on


def _is_lone(cohort: Cohort) -> bool:
    return min(cohort.n_normal, cohort.n_tumor) == 1


def standard_calls(
    cohort: Cohort, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Return probabilities (genes × DR, UR, neutral), TMM library sizes in millions, and the test.

    values: the cohort's counts as floats, which the caller needs too: a copy less.
    The test's table has ``TEST_COLUMNS``, a row per gene, and the composition factor in ``attrs``:
    the mean TMM factor of tumor samples over that of normal ones. Genes without any count are not
    tested (NaN): they are neutral, and no other gene's FDR is corrected for them. Where a group has
    a single sample nothing is tested: probabilities and FDR are NaN, and a column ``LONE_ERROR``
    has a standard error of the log2 fold change that takes the unseen spread for a typical one.
    """
    from degnext.labeling.differential_expression import differential_expression
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes

    counts = values[seen := values.any(axis=1)]
    tumor, sizes = cohort.is_tumor, size_factors(counts, "tmm")
    test = pd.DataFrame(np.nan, index=cohort.counts.index, columns=list(TEST_COLUMNS))
    factor = sizes / size_factors(counts)
    test.attrs["composition"] = float(factor[tumor].mean() / factor[~tumor].mean())
    if _is_lone(cohort):
        test[TEST_COLUMNS[0]] = log_fold_change(values, tumor, sizes, prior=1.0)
        test[LONE_ERROR] = lone_error(values, tumor)
        return np.full((len(seen), 3), np.nan), sizes, test
    y = pd.DataFrame(counts, columns=cohort.counts.columns, copy=False)
    how = {"library_size": sizes * 1e6, "dispersion": "empirical"}
    found = differential_expression(y, cohort.groups, **how)
    test.loc[seen] = found[["log_fc", "fdr"]].to_numpy()
    proba = np.tile([0.0, 0.0, 1.0], (len(seen), 1))
    given = Genes(counts, tumor, None, sizes)
    proba[seen] = ProfileClassifier.from_pretrained("standard").predict_proba(given)
    return proba, sizes, test


def calls_of_test(table: pd.DataFrame) -> np.ndarray:
    """Return DR, UR or neutral per gene by the test's own numbers (``TEST_COLUMNS``)."""
    change, fdr = (table[name] for name in TEST_COLUMNS)
    called = (fdr < FDR) & (change.abs() > np.log2(FOLD_CHANGE))
    return np.select([called & (change > 0), called & (change < 0)], ["UR", "DR"], "neutral")


def standard_advice(cohort: Cohort, table: pd.DataFrame) -> list[str]:
    """Return what to mind about a table of predictions by the standard rule."""
    notes = [
        f"Rule: edgeR's likelihood-ratio test with TMM library sizes, FDR < {FDR} and at least "
        f"{FOLD_CHANGE}-fold; {int(table['edger_fdr'].notna().sum()):,} genes with counts tested."
    ]
    if "label" in table:
        notes.append("The labels at hand follow the paper's rule: hold rule='paper' against them.")
    fewest = min(cohort.n_normal, cohort.n_tumor)
    if _is_lone(cohort):
        notes.append(
            "A group has a single sample, which shows no spread: fold changes are given, without "
            f"any call. Their {LONE_ERROR} takes the spread within a group for a typical one of "
            "tumors; twice that to either side is a 95 % interval."
        )
    elif fewest < _FEWEST:
        notes.append(
            f"Only {fewest} sample(s) in a group: the network was trained on {_FEWEST} and more, "
            "and a test can hardly see how samples differ; take the calls as hints."
        )
    factor = table.attrs["composition"]
    alike = _ALIKE[0] <= factor <= _ALIKE[1]
    composition = f"Composition factor {factor:.2f} (mean TMM factor of tumor over normal samples)"
    shifted = (
        f"Warning: by column sums, unchanged genes would look {factor:.2f} times as high in tumor. "
        "TMM corrects for it where most genes do not change; see that this is likely."
    )
    notes.append(f"{composition}: the groups are alike." if alike else f"{composition}. {shifted}")
    if _is_lone(cohort):
        return notes
    notes.append(_agreement(table))
    mean, lowest, n = standard_scores()
    notes.append(
        f"On {n} cohorts never trained on, the network agreed with edgeR with a mean MCC of "
        f"{mean:.3f}, lowest {lowest:.3f}: see degnext predict --card."
    )
    return notes


def _agreement(table: pd.DataFrame) -> str:
    from sklearn.metrics import matthews_corrcoef

    tested = table[table["edger_fdr"].notna()]
    by_test, by_network = calls_of_test(tested), tested["class"].to_numpy(str)
    said = f"Network and test call {(by_test == by_network).mean():.2%} of the tested genes alike"
    if len({*by_test}) < 2 or len({*by_network}) < 2:
        return f"{said}; one of them has a single class, so there is no MCC."
    return f"{said} (MCC {matthews_corrcoef(by_test, by_network):.3f})."
