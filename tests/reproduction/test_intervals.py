"""The committed scores carry the intervals that degnext.evaluation.metrics gives today."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext.cohorts.cohort import label_names
from degnext.evaluation.metrics import (
    accuracy_interval,
    confusion_counts,
    evaluate,
    format_interval,
    mcc_interval,
)
from degnext.evaluation.record import saved_results
from reproduction import intervals
from reproduction.store import ROOT

ENDS = ["accuracy_low", "accuracy_high", "mcc_low", "mcc_high"]


@pytest.mark.parametrize("name", intervals.TABLES)
def test_no_interval_of_a_perfect_score_is_a_point(name):
    table = saved_results(name)
    perfect = table[table["accuracy"] == 1]
    assert len(perfect) > 40 and (perfect["accuracy_low"] < 1).all()
    assert (perfect["mcc_low"] < 1).all() and (perfect["mcc_high"] == 1).all()
    assert (table["accuracy_low"] < table["accuracy_high"]).all()


def test_renewed_intervals_are_those_of_a_fresh_run(monkeypatch):
    monkeypatch.setattr(intervals, "class_shares", lambda cancer, part: (0.25, 0.75))
    y = label_names([0] * 10 + [1] * 30)
    fresh = evaluate(y, y)
    old = pd.DataFrame([{"cancer": "A", "part": "T3", "n": 40, "accuracy": 1.0}])
    old[ENDS], slip = 1.0, old.assign(accuracy=0.975)
    rows = [old, slip.assign(**dict.fromkeys(ENDS, 0.5))]
    new = intervals.renewed(pd.concat(rows, ignore_index=True))
    assert new[ENDS].iloc[0].to_list() == pytest.approx(fresh[ENDS].to_list(), abs=1e-5)
    assert new["mcc_low"].iloc[1] == 0.5 and new["accuracy_low"].iloc[1] < 0.975


def test_the_page_on_intervals_prints_what_the_module_says():
    page = (ROOT / "book" / "intervals.md").read_text(encoding="utf-8")
    for right, n in ((31, 31), (30, 31), (1167, 1200)):
        said = format_interval(right / n, *accuracy_interval(right, n), percent=True)
        assert f"| {right:,} | {n:,} | {said} |" in page
    y = np.repeat([0, 1], [15, 16])
    interval = mcc_interval(confusion_counts(y, y, 2))
    assert format_interval(1, *interval) in page
    assert str(tuple(round(v, 4) for v in accuracy_interval(31, 31))) in page
