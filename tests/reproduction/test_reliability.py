"""Reliability and abstention: known values, and what must hold for any probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext._common.paths import data_dir
from degnext.cohorts.cohort import label_names
from reproduction.weights.reliability import abstention, calibration_error, reliability

PROBA = np.array([[0.95, 0.05], [0.05, 0.95], [0.92, 0.08], [0.6, 0.4], [0.35, 0.65], [1.0, 0.0]])
LABELS = label_names([0, 1, 1, 0, 0, 0])


def test_bins_hold_what_they_should():
    bins = reliability(LABELS, PROBA)
    assert bins["n"].tolist() == [2, 4] and bins["low"].tolist() == [0.6, 0.9]
    np.testing.assert_allclose(bins["confidence"], [0.625, 0.955])
    np.testing.assert_allclose(bins["accuracy"], [0.5, 0.75])
    assert calibration_error(bins) == pytest.approx((2 * 0.125 + 4 * 0.205) / 6)
    assert (
        (bins["accuracy_low"] < bins["accuracy"]) & (bins["accuracy"] < bins["accuracy_high"])
    ).all()


def test_calibrated_probabilities_have_a_small_error_and_overconfident_ones_a_large():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 20_000)
    labels = label_names(rng.random(20_000) < p)
    proba = np.column_stack([1 - p, p])
    assert calibration_error(reliability(labels, proba)) < 0.015
    odds = (p / (1 - p)) ** 3
    sure = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    assert calibration_error(reliability(labels, sure)) > 0.08


def test_silence_about_unsure_genes():
    curve = abstention(LABELS, PROBA)
    assert curve["coverage"].tolist() == pytest.approx(
        [1 / 6, 3 / 6, 4 / 6, 5 / 6, 1.0]
    )  # two genes are equally sure
    assert curve["wrong"].tolist() == [0, 0, 1, 2, 2]
    assert (
        curve["accuracy"].iloc[-1] == pytest.approx(4 / 6)
        and (np.diff(curve["confidence"]) < 0).all()
    )
    order = np.random.default_rng(1).permutation(6)
    pd.testing.assert_frame_equal(abstention(LABELS[order], PROBA[order]), curve)


def test_the_interval_has_its_textbook_value():
    """Newcombe (1998), table 1: 81 of 263; and none of ten."""
    for hits, n, expected in ((0, 10, (0.0, 0.2775)), (81, 263, (0.2553, 0.3662))):
        proba = np.tile([0.96, 0.04], (n, 1))
        bins = reliability(np.repeat(["DR", "UR"], [hits, n - hits]), proba)
        got = bins[["accuracy_low", "accuracy_high"]].to_numpy()[0]
        assert got == pytest.approx(expected, abs=1e-4)


def test_the_tables_of_record_agree_with_each_other_and_the_promise():
    bins, curves = (
        pd.read_csv(data_dir() / "results" / f"profile_{name}.csv")
        for name in ("reliability", "abstention")
    )
    assert (
        set(bins["cancer"])
        == set(curves["cancer"])
        == {"BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD", "all six"}
    )
    for cancer, part in bins.groupby("cancer"):
        assert calibration_error(part) < 0.03, cancer  # issue 5
        wrong = (part["n"] * (1 - part["accuracy"])).sum()
        assert curves[curves["cancer"] == cancer]["wrong"].iloc[-1] == pytest.approx(
            wrong, abs=0.01
        )
    assert (
        bins[bins["cancer"] != "all six"]["n"].sum() == bins[bins["cancer"] == "all six"]["n"].sum()
    )
