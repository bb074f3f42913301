"""The same seed gives the same bytes; another number of threads the same numbers to 9 digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext.cohorts.demo import load_demo
from degnext.labeling.calls import label
from degnext.labeling.differential_expression import differential_expression
from degnext.prediction.predict import predict
from degnext.preprocessing.filters import preprocess


@pytest.fixture(scope="module")
def twin():
    cohort = load_demo("CHOL", seed=3)
    return cohort.with_counts(cohort.counts.iloc[::8])


def written(cohort) -> list[str]:
    labels = label(preprocess(cohort), "", seed=3).genes
    return [labels.to_csv(), predict(cohort, rule="standard").to_csv()]


def test_the_same_seed_gives_the_same_bytes(twin):
    assert written(twin) == written(twin)


@pytest.mark.parametrize("method", ["lrt", "exact", "ql"])
def test_another_number_of_threads_gives_the_same_numbers(twin, monkeypatch, method):
    tables = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("DEGNEXT_THREADS", threads)
        tables.append(differential_expression(twin.counts, twin.groups, method=method))
    for other in tables[1:]:
        numbers = other.select_dtypes("number")
        np.testing.assert_allclose(numbers, tables[0][numbers.columns], rtol=1e-9)


def test_another_number_of_threads_predicts_the_same(twin, monkeypatch):
    tables = []
    for threads in ("1", "2"):
        monkeypatch.setenv("DEGNEXT_THREADS", threads)
        tables.append(predict(twin, rule="standard"))
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)
