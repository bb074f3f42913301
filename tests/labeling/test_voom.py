"""limma-voom against stored R results, and what must hold for any data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.labeling.differential_expression import differential_expression
from degnext.labeling.edger.quasi import squeeze
from degnext.labeling.edger.voom import lowess

REFERENCE = Path(__file__).parents[1] / "reference"
NAMES = {
    "log_fc": "logFC",
    "log_cpm": "AveExpr",
    "stat": "t",
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


def voom(counts: pd.DataFrame, groups: pd.Series, library_size: str = "total") -> pd.DataFrame:
    return differential_expression(counts, groups, method="voom", library_size=library_size)


@pytest.mark.parametrize("name", ["toy_plain", "toy_tmm", "edge_plain", "few_tmm"])
def test_equals_limma(name):
    counts = data(name.split("_")[0])
    ours = voom(counts, groups_of(counts), "tmm" if name.endswith("tmm") else "total")
    theirs = read(f"r_voom/{name}.csv")
    assert list(ours.index) == list(theirs.index) and ours["dispersion"].isna().all()
    for column, r_name in NAMES.items():
        np.testing.assert_allclose(
            ours[column], theirs[r_name], rtol=1e-8, atol=1e-11, err_msg=column
        )


def test_columns_may_stand_in_any_order():
    counts = data("toy")
    groups = groups_of(counts)
    mixed = counts[["T3", "N2", "T1", "N4", "T6", "N1", "T2", "T5", "N3", "T4"]]
    pd.testing.assert_frame_equal(
        voom(mixed, groups, "tmm"), voom(counts, groups, "tmm"), rtol=1e-9
    )
    swapped = groups.map({"normal": "tumor", "tumor": "normal"})
    np.testing.assert_allclose(
        voom(counts, swapped)["stat"], -voom(counts, groups)["stat"], rtol=1e-9
    )


def test_lowess_follows_a_line_and_passes_over_an_outlier():
    x = np.random.default_rng(0).uniform(0, 10, 300)
    y = 3 * x - 1
    y[17] = 500.0
    at, curve = lowess(x, y)
    np.testing.assert_allclose(curve, 3 * at - 1, atol=1e-6)


def test_variances_are_drawn_together():
    rng = np.random.default_rng(1)
    df = np.full(4000, 2.0)
    variance = rng.chisquare(2, 4000) / 2  # equal variances, two degrees of freedom each
    drawn, prior_df = squeeze(variance, df)
    assert prior_df > 20 and drawn.std() < 0.2 * variance.std()
    unequal = variance * np.exp(rng.normal(0, 1.5, 4000))
    assert squeeze(unequal, df)[1] < 3


def test_says_what_is_missing():
    counts = data("toy")
    with pytest.raises(InputError, match="three samples"):
        voom(counts[["N1", "T1"]], groups_of(counts))
    with pytest.raises(InputError, match="too few to learn"):
        voom(counts.iloc[:2], groups_of(counts))
