"""The weights that stand in for edgeR's test, on a synthetic twin that nobody trained on."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import matthews_corrcoef

from degnext.cohorts.load import load_cohort
from degnext.labeling.differential_expression import differential_expression
from degnext.learning.profile.classifier import ProfileClassifier
from degnext.learning.profile.genes import Genes


def test_calls_are_those_of_the_standard_rule():
    cohort = load_cohort("KICH", "demo")
    counts = cohort.counts.loc[cohort.counts.any(axis=1)]
    table = differential_expression(
        counts, cohort.groups, library_size="tmm", dispersion="empirical"
    )
    large = (table["fdr"] < 0.01) & (table["log_fc"].abs() > np.log2(1.5))
    truth = np.where(large, np.where(table["log_fc"] > 0, "UR", "DR"), "neutral")
    genes = Genes(counts.to_numpy(), cohort.is_tumor)
    called = ProfileClassifier.from_pretrained("standard").predict(genes)
    assert matthews_corrcoef(truth, called.astype(str)) > 0.97
    assert {"UR", "DR", "neutral"} == set(called)
