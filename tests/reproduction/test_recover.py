"""Recovering the gene of a row: planted truth, what must not be found, the rule, the real files."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.demo import draw, load_parameters
from reproduction.recovered_symbols.dictionary import extend_dictionary
from reproduction.recovered_symbols.pairing import pair_samples, recover_symbols

needs_data = pytest.mark.skipif(
    not os.environ.get("DEGNEXT_DATA"),
    reason="DEGNEXT_DATA is unset: the published files are not at hand",
)
FOLDER = data_dir() / "recovered_symbols"


def two_pipelines(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray]:
    """Count 40 samples twice: once named, once nameless with 700 of 900 genes and 36 samples."""
    genes, info = load_parameters("CHOL")
    level = genes[["normal", "tumor"]]
    genes = genes[
        (level.min(axis=1) > 20) & (level.max(axis=1) < 500)
    ]  # else a few genes make up the library of a small table
    rng = np.random.default_rng(seed)
    genes = genes.iloc[rng.choice(len(genes), 900, replace=False)]
    cohort = draw(genes, info, seed, n_normal=12, n_tumor=28)
    reference = cohort.counts
    factor = rng.uniform(
        0.6, 1.4, (len(reference), 1)
    )  # another annotation: other lengths, the same samples
    again = pd.DataFrame(
        rng.poisson(reference.to_numpy() * factor), index=reference.index, columns=reference.columns
    )
    samples = np.concatenate([rng.permutation(12)[:10], 12 + rng.permutation(28)[:26]])
    nameless = again.iloc[rng.permutation(900)[:700], samples]
    return nameless, cohort.is_tumor[samples], reference.iloc[rng.permutation(900)], cohort.is_tumor


@pytest.fixture(scope="module")
def planted():
    nameless, is_tumor, reference, reference_is_tumor = two_pipelines()
    return nameless, recover_symbols(
        nameless.reset_index(drop=True), is_tumor, reference, reference_is_tumor
    )


def test_planted_rows_and_samples_are_recovered(planted):
    nameless, found = planted
    named = found.rows["symbol"].to_numpy() != ""
    assert named.mean() > 0.95
    assert (found.rows["symbol"].to_numpy()[named] == nameless.index.to_numpy()[named]).all()
    assert (
        len(found.samples) >= 34 and (found.samples["sample"] == found.samples["reference"]).all()
    )


def test_a_row_without_counterpart_gets_no_name():
    nameless, is_tumor, reference, reference_is_tumor = two_pipelines(1)
    gone = nameless.index[:30]
    found = recover_symbols(
        nameless.reset_index(drop=True), is_tumor, reference.drop(index=gone), reference_is_tumor
    )
    assert (found.rows["symbol"].iloc[:30] == "").all()
    assert (found.rows["symbol"].iloc[30:] != "").mean() > 0.9


def test_other_patients_give_no_names():
    nameless, is_tumor, *_ = two_pipelines(2)
    genes, info = load_parameters("CHOL")
    strangers = draw(genes.loc[nameless.index], info, 99, n_normal=12, n_tumor=28)
    found = recover_symbols(nameless, is_tumor, strangers.counts, strangers.is_tumor)
    assert (found.rows["symbol"] != "").mean() < 0.02


def test_names_of_the_rows_do_not_enter(planted):
    nameless, found = planted
    _, is_tumor, reference, reference_is_tumor = two_pipelines()
    misled = nameless.set_axis(np.random.default_rng(3).permutation(nameless.index.to_numpy()))
    again = recover_symbols(misled, is_tumor, reference, reference_is_tumor)
    assert again.rows["symbol"].tolist() == found.rows["symbol"].tolist()


def test_pair_samples_finds_a_permutation():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(300, 12))
    order = rng.permutation(12)
    i, j, strength = pair_samples(a, a[:, order] + 0.1 * rng.normal(size=(300, 12)))
    assert (order[j] == i).all() and strength.min() > 0.9


def test_too_small_tables_are_refused():
    small = pd.DataFrame(np.ones((20, 10)))
    with pytest.raises(InputError, match="at least 150 genes"):
        recover_symbols(small, np.arange(10) > 4, small, np.arange(10) > 4)
    few = pd.DataFrame(np.ones((200, 5)) * 100)
    with pytest.raises(InputError, match="at least eight samples"):
        recover_symbols(few, np.arange(5) > 2, few, np.arange(5) > 2)


def doubled(n: int = 400, lost: tuple[int, ...] = ()) -> tuple[list[str], dict[str, str]]:
    """A gene list, and the names that one with ``lost`` genes gives if every second is taken."""
    order = [f"G{k:03d}" for k in range(n)]
    old = [gene for k, gene in enumerate(order) if k not in lost]
    return order, {old[2 * k]: old[k] for k in range(len(old) // 2)}


def test_the_rule_of_doubled_positions_is_carried_over():
    order, truth = doubled()
    direct = pd.Series({name: gene for k, (name, gene) in enumerate(truth.items()) if k % 10 == 0})
    table, (right, decided) = extend_dictionary(direct, truth, order)
    assert right == decided == len(direct) - 2
    assert dict(zip(table["published_symbol"], table["symbol"])).items() <= truth.items()
    assert (
        table["how"] == "by rule"
    ).sum() == 171  # those between the first and the last known pair


def test_the_rule_stays_silent_where_the_lists_differ():
    order, truth = doubled(lost=(150, 151, 152))
    direct = pd.Series({name: gene for k, (name, gene) in enumerate(truth.items()) if k % 10 == 0})
    table, _ = extend_dictionary(direct, truth, order)
    found = dict(zip(table["published_symbol"], table["symbol"]))
    assert found.items() <= truth.items()  # nothing wrong
    assert 0 < len(truth) - len(found) < 60  # and something undecided


def test_a_symbol_of_the_wrong_parity_is_not_decided():
    order, truth = doubled()
    direct = pd.Series({name: gene for k, (name, gene) in enumerate(truth.items()) if k % 10 == 0})
    table, _ = extend_dictionary(
        direct, [*truth, "G045"], order
    )  # an odd position, which the rule cannot have made
    near = {f"G{k:03d}" for k in range(42, 60, 2)}
    assert "G045" not in set(table["published_symbol"]) and not near & set(
        table["published_symbol"]
    )


@pytest.mark.parametrize(
    "cancer, rows, named", [("CHOL", 6513, 5779), ("KICH", 6514, 5500), ("READ", 6514, 6349)]
)
def test_the_committed_tables(cancer, rows, named):
    table = pd.read_csv(FOLDER / f"{cancer}.csv.gz", keep_default_na=False)
    sure = table["symbol"] != ""
    assert (
        len(table) == rows and sure.sum() == named and not table["symbol"][sure].duplicated().any()
    )
    assert (table["correlation"][sure] >= 0.9).all() and (
        table["correlation"] - table["runner_up"]
    )[sure].min() > 0.0498
    assert not ((table["symbol"] == table["published_symbol"]) & sure).any()


def test_the_committed_dictionary_agrees_with_the_tables():
    dictionary = pd.read_csv(FOLDER / "dictionary.csv.gz", keep_default_na=False).set_index(
        "published_symbol"
    )
    assert dictionary.index.is_unique and not dictionary["symbol"].duplicated().any()
    for cancer in ("CHOL", "KICH", "READ"):
        table = pd.read_csv(FOLDER / f"{cancer}.csv.gz", keep_default_na=False)
        both = table[(table["symbol"] != "") & (table["published_symbol"] != "")].set_index(
            "published_symbol"
        )
        assert dictionary.loc[both.index, "symbol"].equals(both["symbol"])


@needs_data
@pytest.mark.slow
def test_the_real_chol_is_recovered_as_committed():
    from degnext._common.paths import shared_data
    from degnext.cohorts.published import load_published
    from degnext.cohorts.user_tables import load_file

    cohort = load_published("CHOL", fetch=False)
    raw = shared_data() / "rnaseqdb"
    other = load_file(
        f"{raw}/chol-rsem-count-tcga.txt.gz,{raw}/chol-rsem-count-tcga-t.txt.gz",
        name="CHOL",
        round_counts=True,
    )
    found = recover_symbols(cohort.counts, cohort.is_tumor, other.counts, other.is_tumor)
    committed = pd.read_csv(FOLDER / "CHOL.csv.gz", keep_default_na=False)
    assert (found.rows["symbol"].to_numpy() == committed["symbol"].to_numpy()).mean() > 0.999
    assert len(found.samples) == 40
