"""Reliability and abstention: known values, and what must hold for any probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext._common.paths import data_dir
from degnext.evaluation.calibration import (
    abstention,
    adapt_shares,
    calibration_error,
    reliability,
    wilson,
)

PROBA = np.array([[0.95, 0.05], [0.05, 0.95], [0.92, 0.08], [0.6, 0.4], [0.35, 0.65], [1.0, 0.0]])
LABELS = np.array([0, 1, 1, 0, 0, 0])


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
    labels = (rng.random(20_000) < p).astype(int)
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


def test_wilson_has_its_textbook_value():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe (1998), table 1


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


def test_class_shares_are_found_without_labels_and_raise_accuracy():
    """Planted: 90 % of one class, Gaussian evidence; answers for equal shares are brought near the Bayes rule's."""
    rng = np.random.default_rng(0)
    labels = (rng.random(4000) < 0.9).astype(int)
    z = rng.normal(np.where(labels, 0.7, -0.7))
    up = 1 / (1 + np.exp(-2 * 0.7 * z))  # right where both classes are equally frequent
    proba = np.stack([1 - up, up], 1)
    adapted = adapt_shares(proba)
    np.testing.assert_allclose(adapted.sum(1), 1)
    assert abs(adapted[:, 1].mean() - 0.9) < 0.03
    bayes = np.mean((2 * 0.7 * z + np.log(9) > 0) == labels)
    assert (
        np.mean(adapted.argmax(1) == labels)
        > bayes - 0.005
        > np.mean(proba.argmax(1) == labels) + 0.1
    )
    np.testing.assert_allclose(adapt_shares(proba[:, ::-1])[:, ::-1], adapted, atol=1e-9)
    sure = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(adapt_shares(sure), sure)
