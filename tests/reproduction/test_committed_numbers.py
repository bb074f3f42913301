"""A piece of every committed table, computed again on the authors' data: the numbers still hold.

Methods that take long are left out of a piece; what is computed must be in the table as it stands.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest

from degnext.cohorts.cohort import TRAINING
from degnext.evaluation import disturbances, experiments
from degnext.evaluation.baselines import paper_baselines, strong_references
from degnext.evaluation.record import saved_results
from degnext.learning.profile.genes import genes_of
from reproduction import small_samples
from reproduction.experiments import enrichment, noise, standard_rule, transfer_methods
from reproduction.sources import published

pytestmark = pytest.mark.slow
LOGISTIC = "Logistic regression"
TRAINED = 0.01  # another processor adds in another order: two genes of a thousand
SECONDS = ["seconds", "train_seconds", "cpu_seconds"]


@pytest.fixture(autouse=True)
def few_methods(real_data, monkeypatch):
    """Leave the paper's five methods and all strong references but one out."""
    strong = {LOGISTIC: strong_references(0)[LOGISTIC]}
    for module in (experiments.baselines, transfer_methods, disturbances):
        monkeypatch.setattr(module, "paper_baselines", lambda *a, **k: {})
        monkeypatch.setattr(module, "strong_references", lambda *a, **k: strong)
    noise.models.cache_clear()


def holds(name: str, piece: pd.DataFrame, within: float = 1e-4) -> None:
    """Find every row of ``piece`` in the committed table ``name``, its numbers near by."""
    table = saved_results(name)
    table = table.astype({c: object for c in table if c == "note"})  # it may be empty throughout
    shared = [c for c in table if c in piece and c not in SECONDS]
    is_number = pd.api.types.is_float_dtype
    numbers = [c for c in shared if is_number(table[c]) and c != "value"]
    rest = [c for c in shared if c not in numbers]
    piece, table = (
        t.reset_index(drop=True).fillna(dict.fromkeys(rest, "")) for t in (piece, table)
    )
    both = piece[shared].merge(table[shared], "left", rest, suffixes=("", " committed"))
    assert len(piece) and numbers
    apart = {c: (both[c].astype(float) - both[f"{c} committed"]).abs() for c in numbers}
    apart = pd.DataFrame(apart).fillna(0)
    missing = both[[f"{c} committed" for c in numbers]].isna().all(axis=1)
    assert not missing.any(), both[missing][rest]
    far = (apart > within).any(axis=1)
    assert not far.any(), both[far].T.to_string()


@pytest.fixture
def training(real_data) -> list:
    return [published(c) for c in TRAINING]


def test_baselines_of_general_learning():
    piece = experiments.general(published("CHOL"))
    without = piece["protocol"].isin((experiments.PLAIN, experiments.PLAIN_IMAGE))
    holds("baselines", piece[~without], TRAINED)
    holds("without_tests", piece[without], TRAINED)


def test_baselines_of_transfer(training):
    models = transfer_methods.train_transfer(training)
    holds("baselines", transfer_methods.transfer(models, published("READ")), TRAINED)


def test_ways_to_make_rows_comparable(training, monkeypatch):
    tree = {"Decision tree": paper_baselines(0, False)["Decision tree"]}
    monkeypatch.setattr(transfer_methods, "paper_baselines", lambda *a, **k: tree)
    monkeypatch.setattr(transfer_methods, "WAYS", ("quantiles",))
    holds("baseline_rows", transfer_methods.compare_row_ways(training), TRAINED)


def test_noise_and_perturbations(monkeypatch):
    table = partial(disturbances.noise_table, levels=(500,))
    holds("noise", noise.transfer("CHOL", False, table, draws=5, seed=0), TRAINED)
    table = partial(
        disturbances.perturbation_table, perturbations={"groups swapped (share)": (0.1,)}
    )
    holds("perturbations", noise.transfer("CHOL", False, table, draws=5, seed=0), TRAINED)


def test_small_samples():
    piece = small_samples.compare(genes_of(published("CHOL")), 3, 0).assign(cancer="CHOL")
    holds("small_samples", piece)


def test_enrichment(monkeypatch):
    monkeypatch.setattr(enrichment, "LIBRARIES", ("hallmark",))
    holds("enrichment_cohorts", enrichment.whole_cohort("CHOL", 0))


def test_the_stability_of_the_standard_rule():
    draw = standard_rule.published("PRAD")
    piece = pd.DataFrame(standard_rule.stability(draw, 1))
    holds("standard_rule_stability", piece)
