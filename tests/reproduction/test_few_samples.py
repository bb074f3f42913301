"""The comparison on few samples: scores of an answer, draws without a difference, the record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext._common.paths import data_dir
from degnext.cohorts.cohort import UNTRAINED
from degnext.evaluation.record import saved_results
from reproduction.experiments import few_samples, few_samples_card
from reproduction.experiments import few_samples_methods as methods
from reproduction.weights import standard_few
from reproduction.weights.standard_data import draw_of

CODES = np.array([1, 1, 0, 2, 2, 2])  # two UR, one DR, three neutral


def test_an_answer_is_scored_by_the_whole_cohort():
    up = np.array([True, False, False, True, True, True])  # the second has the wrong direction
    said = methods.Said(
        np.array([6.0, 5, 4, 3, 2, 1]), up, np.array([0.01, 0.04, 0.08, 0.15, 0.9, 0.9])
    )
    found = methods.scores(said, CODES, np.zeros(6, bool), n_same=3, own=0.1)
    assert found["ap"] == 1.0 and "ap_named" not in found  # the ranking alone is perfect
    assert (found["n_same"], found["n_own"], found["n_0.05"], found["n_0.2"]) == (3, 3, 2, 4)
    assert found["wrong_same"] == pytest.approx(1 / 3) and found["wrong_0.2"] == 0.5
    assert found["recall_same"] == pytest.approx(2 / 3) and found["mcc_same"] == found["mcc_own"]
    assert found["recall_at_10"] == pytest.approx(1 / 3)  # the longest list without more errors


def test_a_test_is_ranked_in_two_ways_and_gaps_are_no_calls():
    log_fc, p = np.array([0.2, 3.0, np.nan]), np.array([1e-8, 1e-3, np.nan])
    plain, large = methods.test_answers("t", log_fc, p, p).values()
    assert plain.score.argmax() == 0 and large.score.argmax() == 1
    assert plain.rate.tolist() == [1e-8, 1e-3, 1.0] and large.rate.tolist() == [1.0, 1e-3, 1.0]


def test_draws_without_a_difference_keep_samples_and_mix_groups():
    counts = np.random.default_rng(0).poisson(50, (100, 40))
    cohort = draw_of("X", counts, np.arange(40) >= 15)
    rng = np.random.default_rng(1)
    made = dict(few_samples.nothing_to_find(cohort, 5, rng))
    assert set(made) == {"labels permuted", "normal against normal", "tumor against tumor"}
    for draw in made.values():
        assert draw.counts.shape[1] == 10 and draw.is_tumor.sum() == 5
    assert set(dict(few_samples.nothing_to_find(cohort, 8, rng))) == {
        "labels permuted",
        "tumor against tumor",
    }


def test_the_correction_finds_the_errors_that_were_planted():
    rng, kept = np.random.default_rng(0), []
    for size in (2, 5, 10):
        right = rng.uniform(0.4, 0.999, 4000)
        codes = np.where(rng.random(4000) < right**2, 1, 2)  # surer than it should be
        chance = np.stack([(1 - right) / 2, right], 1)
        facts = {"left_out": "X", "n_normal": 20, "samples": size}
        kept.append({"facts": facts, "chance": chance, "root": right, "codes": codes})
    table = pd.DataFrame([standard_few.scores(a, standard_few.correction(kept)) for a in kept])
    assert (table[["n_0.1", "n_0.2"]] > 100).all(axis=None)
    np.testing.assert_allclose(table["wrong_0.1"], 0.1, atol=0.025)
    np.testing.assert_allclose(table["wrong_0.2"], 0.2, atol=0.03)


def test_the_record_has_every_method_on_the_same_draws():
    table = saved_results("few_samples")
    assert set(table["cancer"]) == set(UNTRAINED) and set(table["samples"]) == {2, 3, 5, 10}
    for _, part in table.groupby(["cancer", "samples"]):
        for name in ("draws", "genes", "changed", "whole_normal"):
            assert part[name].nunique() == 1
        assert len(part) == 12 and part["method"].is_unique
        assert part["n_same"].dropna().nunique() == 1


def test_the_card_shows_the_record():
    card = (data_dir() / "standard_rule.md").read_text(encoding="utf-8")
    assert few_samples_card.text(saved_results("few_samples")) in card
