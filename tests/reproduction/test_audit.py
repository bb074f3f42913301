"""The audit's claims: what holds by construction, the committed run, and the released files where they are at hand."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from reproduction.audit import claims as audit
from reproduction.audit import network_claims as audit_network

needs_data = pytest.mark.skipif(
    not os.environ.get("DEGNEXT_DATA"),
    reason="DEGNEXT_DATA is unset: the published files are not at hand",
)


@pytest.fixture
def without_data(monkeypatch):
    monkeypatch.delenv("DEGNEXT_DATA", raising=False)


def test_a_batch_of_one_gives_esca_as_printed():
    perfect, esca = audit_network.batch_of_one().itertuples(index=False)
    assert (perfect.mcc, perfect.batch_mcc) == (1.0, 0.75)
    assert (esca.accuracy, esca.batch_accuracy, esca.batch_mcc) == (90.67, 92.97, 0.61)


@pytest.mark.parametrize("name", audit.CLAIMS)
def test_every_claim_has_a_committed_table_that_is_used_without_data(name, without_data):
    table, live = audit.claim(name)
    assert not live and len(table) and table.equals(audit.committed(name))


def test_a_changed_number_is_seen():
    table = audit.committed("released_weights")
    assert audit.as_committed("released_weights", table)
    assert not audit.as_committed("released_weights", table.assign(accuracy=table["accuracy"] - 5))
    assert not audit.as_committed("released_weights", table.iloc[1:])


def test_measuring_without_data_says_what_to_do(without_data):
    with pytest.raises(InputError, match="DEGNEXT_DATA"):
        audit.measure("library_sizes")
    with pytest.raises(InputError, match="library_sizes"):
        audit.measure("library_size")


def test_the_image_is_upright():
    image = audit_network.released_image(np.arange(45)[None])
    assert image.shape == (1, 1, 9, 5) and image[0, 0, 1, 0] == 5
    assert audit_network.released_image(np.ones((1, 89))).shape == (1, 1, 10, 9)


def test_gene_length_returns_its_input():
    table = audit.normalisation().set_index(["program", "method"])["changed_percent"]
    assert table["this book", "geneLength"] == 0 and table["this book", "gcContent"] > 50


@needs_data
def test_the_released_weights_give_table_3_on_chol(monkeypatch):
    monkeypatch.setattr(audit_network, "tested", lambda: ["CHOL"])
    row = audit_network.released_weights().iloc[0]
    assert row["accuracy"] == pytest.approx(98.19, abs=0.01)
    assert row["batch_accuracy"] == pytest.approx(row["paper_accuracy"], abs=0.01)


@needs_data
@pytest.mark.parametrize(
    "name",
    [
        "library_sizes",
        "sign_agreement",
        "sample_numbers",
        "median_counts",
        "symbol_labels",
        "symbol_levels",
    ],
)
def test_cheap_claims_are_as_committed(name):
    table = audit.measure(name)
    assert isinstance(table, pd.DataFrame) and audit.as_committed(name, table)
