"""limma-voom against stored R results, and what must hold for any data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.library_size import tmm_factors
from degnext.labeling.voom import lowess, moderated_variance, voom_test

REFERENCE = Path(__file__).parents[1] / "reference"
NAMES = {
    "log_fc": "logFC",
    "log_cpm": "AveExpr",
    "t": "t",
    "p_value": "P.Value",
    "fdr": "adj.P.Val",
}


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / name, index_col=0)


def groups_of(counts: pd.DataFrame) -> pd.Series:
    return pd.Series(
        ["normal" if name.startswith("N") else "tumor" for name in counts.columns],
        index=counts.columns,
    )


def data(name: str) -> pd.DataFrame:
    if name == "edge":
        return read("r_edge/counts.csv")
    counts = read("r_toy/counts.csv").loc[
        (REFERENCE / "r_toy/filter_quantile_025.txt").read_text().split()
    ]
    return counts if name == "toy" else counts[["N1", "N2", "T1", "T2"]]


@pytest.mark.parametrize("name", ["toy_plain", "toy_tmm", "edge_plain", "few_tmm"])
def test_equals_limma(name):
    counts = data(name.split("_")[0])
    ours = voom_test(
        counts, groups_of(counts), tmm_factors(counts) if name.endswith("tmm") else None
    )
    theirs = read(f"r_voom/{name}.csv")
    for column, r_name in NAMES.items():
        np.testing.assert_allclose(
            ours[column], theirs[r_name], rtol=1e-8, atol=1e-11, err_msg=column
        )


def test_columns_may_stand_in_any_order():
    counts = data("toy")
    groups, factors = groups_of(counts), tmm_factors(counts)
    mixed = counts[["T3", "N2", "T1", "N4", "T6", "N1", "T2", "T5", "N3", "T4"]]
    pd.testing.assert_frame_equal(
        voom_test(mixed, groups, factors), voom_test(counts, groups, factors), rtol=1e-9
    )
    swapped = groups.map({"normal": "tumor", "tumor": "normal"})
    np.testing.assert_allclose(
        voom_test(counts, swapped)["t"], -voom_test(counts, groups)["t"], rtol=1e-9
    )


def test_lowess_follows_a_line_and_passes_over_an_outlier():
    x = np.random.default_rng(0).uniform(0, 10, 300)
    y = 3 * x - 1
    y[17] = 500.0
    at, curve = lowess(x, y)
    np.testing.assert_allclose(curve, 3 * at - 1, atol=1e-6)


def test_variances_are_drawn_together():
    rng = np.random.default_rng(1)
    variance = rng.chisquare(2, 4000) / 2  # equal variances, two degrees of freedom each
    drawn, prior_df = moderated_variance(variance, 2)
    assert prior_df > 20 and drawn.std() < 0.2 * variance.std()
    unequal = variance * np.exp(rng.normal(0, 1.5, 4000))
    assert moderated_variance(unequal, 2)[1] < 3


def test_says_what_is_missing():
    counts = data("toy")
    with pytest.raises(InputError, match="three samples"):
        voom_test(counts[["N1", "T1"]], groups_of(counts))
    with pytest.raises(InputError, match="too few to learn"):
        voom_test(counts.iloc[:2], groups_of(counts))
