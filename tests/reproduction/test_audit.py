"""The audit's claims: what holds by construction, the committed run, the authors' files at hand."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from reproduction.audit import claims, count_claims, network_claims
from reproduction.audit.sentences import sentences

SLOW = {"released_weights", "output_layer", "carried_over", "noise_accuracy", "architecture"}


def test_a_batch_of_one_gives_esca_as_printed():
    perfect, esca = network_claims.batch_of_one().itertuples(index=False)
    assert (perfect.mcc, perfect.batch_mcc) == (1.0, 0.75)
    assert (esca.accuracy, esca.batch_accuracy, esca.batch_mcc) == (90.67, 92.97, 0.61)


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_every_claim_has_a_committed_table(name):
    table = claims.committed(name)
    assert len(table) and claims.as_committed(name, table)


def test_a_changed_number_is_seen():
    table = claims.committed("released_weights")
    changed = table.assign(accuracy=table["accuracy"] - 5)
    assert not claims.as_committed("released_weights", changed)
    assert not claims.as_committed("released_weights", table.iloc[1:])


def test_a_cohort_that_came_later_is_left_aside():
    table = claims.committed("median_counts")
    later = table.iloc[[0]].assign(cancer="NEW")
    assert claims.as_committed("median_counts", table._append(later, ignore_index=True))


def test_measuring_without_data_says_what_to_do(is_helpful):
    with pytest.raises(InputError, match="DEGNEXT_DATA") as caught:
        claims.measure("library_sizes")
    assert is_helpful(str(caught.value))
    with pytest.raises(InputError, match="library_sizes"):
        claims.measure("library_size")


def test_the_image_is_upright():
    image = network_claims.released_image(np.arange(45)[None])
    assert image.shape == (1, 1, 9, 5) and image[0, 0, 1, 0] == 5
    assert network_claims.released_image(np.ones((1, 89))).shape == (1, 1, 10, 9)


def test_gene_length_returns_its_input():
    changed = count_claims.normalisation().set_index(["program", "method"])["changed_percent"]
    assert changed["this book", "geneLength"] == 0 and changed["this book", "gcContent"] > 50
    assert len(changed) == 4


def test_without_rs_run_no_toy_stands_in(monkeypatch, tmp_path, is_helpful):
    monkeypatch.setattr(count_claims, "R_TOY", tmp_path)
    with pytest.raises(InputError, match="r_toy") as caught:
        count_claims.normalisation()
    assert is_helpful(str(caught.value))


def test_the_released_weights_give_table_3_on_chol(real_data, monkeypatch):
    monkeypatch.setattr(network_claims, "tested", lambda: ["CHOL"])
    row = network_claims.released_weights().iloc[0]
    assert row["accuracy"] == pytest.approx(98.19, abs=0.01)
    assert row["batch_accuracy"] == pytest.approx(row["paper_accuracy"], abs=0.01)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in claims.CLAIMS]
)
def test_every_claim_measured_now_is_as_committed(name, real_data):
    assert claims.as_committed(name, claims.measure(name))


def test_the_sentences_say_what_the_tables_say():
    shown = (data_dir() / "results" / "audit_text.csv").read_text()
    assert shown == sentences().to_csv(index=False), "run python -m reproduction.audit.run"
