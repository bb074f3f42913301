"""The GLM likelihood-ratio test, and tests against a smallest fold change of interest.

Source: McCarthy, Chen and Smyth (2012), Nucleic Acids Research 40:4288; McCarthy and Smyth (2009),
Bioinformatics 25:765; R's edgeR 3.40 (glmLRT, glmTreat).
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfc

from degnext.labeling.edger.dispersion import common_dispersion, tagwise_dispersion
from degnext.labeling.edger.empirical import empirical_dispersion
from degnext.labeling.edger.interval_test import interval_p_values
from degnext.labeling.edger.negbin import (
    TwoGroups,
    ave_log_cpm,
    fit_deviance,
    likelihood_ratio,
    log_fold_change,
)


def ratio_table(data: TwoGroups, kind: str, min_log_fc: float = 0.0) -> dict[str, np.ndarray]:
    """Return the columns of the likelihood-ratio test with common, tagwise or empirical dispersion.

    min_log_fc: above 0 the test is whether the log2 fold change is larger than that, either way; it
    has no statistic.
    """
    abundance, phi = _dispersion(data, kind)
    if min_log_fc:
        stat = np.full(len(phi), np.nan)
        p_value = interval_p_values(data, phi, fit_deviance(data, phi), min_log_fc)
    else:
        stat = likelihood_ratio(data, phi)
        # the tail of chi-squared with one degree of freedom
        p_value = erfc(np.sqrt(np.maximum(stat, 0.0) / 2.0))
    return {
        "log_fc": log_fold_change(data, phi),
        "log_cpm": abundance,
        "stat": stat,
        "p_value": p_value,
        "dispersion": phi,
    }


def _dispersion(data: TwoGroups, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return average log2 counts per million and dispersions, (genes,) each."""
    if kind == "empirical":
        return empirical_dispersion(data)
    common = common_dispersion(data)
    if kind == "tagwise":
        return ave_log_cpm(data, common), tagwise_dispersion(data, common)
    return ave_log_cpm(data, common), np.full(len(data.y), common)
