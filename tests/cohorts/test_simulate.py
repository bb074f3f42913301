"""degnext.cohorts.demo: what a twin keeps of its cohort, what not, and that a seed fixes it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.demo import DEMO_CANCERS, DEMO_GENES, draw, load_demo, load_parameters
from degnext.labeling.disease_genes import bio_genes
from degnext.labeling.twin import fit_parameters, save_parameters

N = 400


def parameters(n_samples: int = 60) -> tuple[pd.DataFrame, dict]:
    """Planted: half the genes noisy, a third five-fold up; 2 million reads, tumors 1.5 times."""
    rng = np.random.default_rng(5)
    normal = rng.lognormal(7, 1, N)
    normal *= 1e6 / normal.sum()
    tumor = normal * np.where(np.arange(N) % 3 == 0, 5.0, 1.0)
    tumor *= 1e6 / tumor.sum()
    genes = pd.DataFrame(
        {"normal": normal, "tumor": tumor, "dispersion": np.where(np.arange(N) < N // 2, 0.1, 0.3)},
        index=[f"G{i}" for i in range(N)],
    )
    deep = {"n": n_samples, "log_library_mean": float(np.log(2e6)), "log_library_sd": 0.2}
    return genes, {
        "cancer": "MINE",
        "n_genes": N,
        "normal": deep,
        "tumor": deep | {"log_library_mean": float(np.log(3e6)), "log_library_sd": 0.4},
    }


@pytest.fixture(scope="module")
def refitted():
    genes, info = parameters()
    return genes, info, *fit_parameters(draw(genes, info, seed=3))


def test_planted_means_are_recovered(refitted):
    genes, _, found, _ = refitted
    for group in ("normal", "tumor"):
        error = np.log2(found[group] / genes.loc[found.index, group])
        assert abs(error.median()) < 0.05 and error.abs().quantile(0.9) < 0.35, group
    change = np.log2(found["tumor"] / found["normal"]) - np.log2(genes["tumor"] / genes["normal"])
    assert abs(change.median()) < 0.06 and change.abs().quantile(0.9) < 0.45


def test_planted_dispersions_are_recovered(refitted):
    genes, _, found, _ = refitted
    ratio = found["dispersion"] / genes["dispersion"]
    for planted in (0.1, 0.3):  # squeezed towards each other: a wide spread comes back narrower
        assert 0.85 < ratio[genes["dispersion"] == planted].median() < 1.18, planted


def test_planted_libraries_are_recovered(refitted):
    _, info, _, found = refitted
    for group in ("normal", "tumor"):
        assert found[group]["n"] == 60
        assert found[group]["log_library_mean"] == pytest.approx(
            info[group]["log_library_mean"], abs=0.15
        )
        assert found[group]["log_library_sd"] == pytest.approx(
            info[group]["log_library_sd"], rel=0.3
        )
    assert found["tumor"]["log_library_mean"] - found["normal"][
        "log_library_mean"
    ] == pytest.approx(np.log(1.5), abs=0.2)


def test_counts_have_the_variance_of_a_negative_binomial():
    genes, info = parameters()
    flat = {g: info[g] | {"log_library_sd": 0.0} for g in ("normal", "tumor")}
    counts = (
        draw(genes, info | flat, seed=1, n_normal=3000, n_tumor=2)
        .counts.to_numpy()[:, :3000]
        .astype(float)
    )
    mean = genes["normal"].to_numpy() * 2
    expected = mean + genes["dispersion"].to_numpy() * mean**2
    np.testing.assert_allclose(counts.mean(axis=1), mean, rtol=0.08)
    assert np.median(counts.var(axis=1) / expected) == pytest.approx(1, abs=0.03)


def test_the_same_seed_gives_the_same_counts_and_another_does_not():
    genes, info = parameters(5)
    first, again, other = (
        draw(genes, info, seed=0),
        draw(genes, info, seed=0),
        draw(genes, info, seed=1),
    )
    pd.testing.assert_frame_equal(first.counts, again.counts)
    assert (first.counts.to_numpy() != other.counts.to_numpy()).mean() > 0.5
    assert "seed 0" in first.notes[0] and "synthetic" in first.notes[0]


def test_a_twin_has_samples_of_its_own_normal_ones_first():
    genes, info = parameters(5)
    twin = draw(genes, info, n_tumor=7)
    assert (twin.n_normal, twin.n_tumor) == (5, 7) and not twin.is_tumor[:5].any()
    assert twin.counts.columns.is_unique and all("twin" in name for name in twin.counts.columns)
    with pytest.raises(InputError, match="at least two tumor samples, not 1"):
        draw(genes, info, n_tumor=1)


def test_genes_without_reads_are_not_fitted(cohort):
    silent = cohort.counts.copy()
    silent.iloc[[0, 30]] = 0
    genes, info = fit_parameters(cohort.with_counts(silent))
    assert (
        info["n_genes"] == len(genes) == 78
        and "G000" not in genes.index
        and (genes["dispersion"] > 0).all()
    )


def test_saved_parameters_come_back(tmp_path, refitted):
    genes, info, *_ = refitted
    named = genes.rename({"G0": "NA", "G1": "NaN"})  # text, not missing values
    path = save_parameters(named, info, tmp_path / "new")
    back, back_info = load_parameters("MINE", tmp_path / "new")
    assert back_info == info and back.index.tolist() == named.index.tolist()
    np.testing.assert_allclose(back, named, rtol=1e-3)
    assert sorted(p.name for p in path.parent.iterdir()) == ["MINE.csv.gz", "MINE.json"]
    written = path.read_bytes()
    assert save_parameters(named, info, tmp_path / "new").read_bytes() == written


@pytest.mark.parametrize("cancer", DEMO_CANCERS)
def test_committed_parameters_are_small_and_whole(cancer):
    path = data_dir() / "demo" / f"{cancer}.csv.gz"
    assert path.stat().st_size < 1_000_000
    genes, info = load_parameters(cancer)
    assert (
        info["cancer"] == cancer
        and info["n_genes"] == len(genes) > 15_000
        and genes.index.is_unique
    )
    assert (
        np.isfinite(genes.to_numpy()).all()
        and (genes["dispersion"] > 0).all()
        and (genes[["normal", "tumor"]] >= 0).all(axis=None)
    )
    for group in ("normal", "tumor"):
        assert genes[group].sum() == pytest.approx(1e6, rel=0.001)


def test_the_choice_of_demo_genes_does_not_depend_on_the_seed():
    first, other = load_demo("CHOL", seed=0), load_demo("CHOL", seed=9)
    assert first.counts.index.equals(other.counts.index) and len(first.counts) == DEMO_GENES
    assert not first.counts.equals(other.counts)
    genes, _ = load_parameters("CHOL")
    assert (genes.loc[first.counts.index, ["normal", "tumor"]].max(axis=1) >= 1).all()
    disease = set(bio_genes("CHOL", "demo"))
    assert 0 < len(disease & set(first.counts.index)) <= DEMO_GENES // 4
    assert len(load_demo("CHOL", n_genes=80).counts) == 80 and len(
        load_demo("CHOL", n_genes=None).counts
    ) == len(genes)


def test_a_demo_twin_follows_its_parameters():
    twin = load_demo("READ", seed=2)
    genes, info = load_parameters("READ")
    genes = genes.loc[twin.counts.index]
    assert (twin.n_normal, twin.n_tumor) == (info["normal"]["n"], info["tumor"]["n"])
    tumor = (
        twin.counts.to_numpy()[:, twin.is_tumor].mean(axis=1)
        / np.exp(info["tumor"]["log_library_mean"])
        * 1e6
    )
    busy = (genes["tumor"] > 5).to_numpy()
    assert np.median(tumor[busy] / genes["tumor"][busy]) == pytest.approx(1, abs=0.15)
    assert np.corrcoef(np.log(tumor[busy]), np.log(genes["tumor"][busy]))[0, 1] > 0.97


def test_a_cancer_without_a_twin_is_answered_with_those_that_have_one():
    with pytest.raises(InputError, match="no demo cohort for BRCA .*CHOL, KICH, READ"):
        load_demo("BRCA")
