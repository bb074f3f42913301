"""degnext.cohorts.perturb: counts stay counts, and each disturbance does as much as it says."""

from __future__ import annotations

import numpy as np
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.perturb import (
    LEVELS,
    add_noise,
    draw_columns,
    draw_samples,
    drop_samples,
    fewer_samples,
    scale_group,
    swap_groups,
    thin,
    within_group_sd,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def counts() -> np.ndarray:
    """A quiet gene, a busy gene, a changed gene: 3 × 4,000, half of the samples tumor."""
    mean = np.array([[50.0], [20_000.0], [5_000.0]]) * np.ones(4000)
    mean[2, 2000:] *= 3
    return rng(1).negative_binomial(20, 20 / (20 + mean))


IS_TUMOR = np.repeat([False, True], 2000)


def test_the_levels_are_the_papers():
    assert LEVELS == (1, 10, 50, 100, 500, 1000, 1500)


@pytest.mark.parametrize("level", [10, 500])
def test_absolute_noise_has_its_level_in_counts_for_every_gene(counts, level):
    noisy = add_noise(counts, level, "absolute", rng())
    assert noisy.dtype == np.int64 and (noisy >= 0).all()
    for gene in (1, 2):  # the quiet gene is clipped at 0
        assert (noisy[gene] - counts[gene]).std() == pytest.approx(level, rel=0.05)
        assert abs((noisy[gene] - counts[gene]).mean()) < 4 * level / np.sqrt(4000)


@pytest.mark.parametrize("level", [10, 100])
def test_relative_noise_is_a_share_of_each_genes_own_spread(counts, level):
    noisy = add_noise(counts, level, "relative", rng())
    assert (noisy[1] - counts[1]).std() == pytest.approx(
        level / 100 * counts[1].std(ddof=1), rel=0.05
    )
    within = add_noise(counts, level, "relative", rng(), IS_TUMOR)
    assert (within[2] - counts[2]).std() == pytest.approx(
        level / 100 * within_group_sd(counts, IS_TUMOR)[2], rel=0.08
    )
    assert (noisy[2] - counts[2]).std() > 1.2 * (
        within[2] - counts[2]
    ).std()  # with the groups known, the change is no spread


def test_the_pooled_deviation_is_that_of_the_group_residuals(counts):
    normal, tumor = counts[:, ~IS_TUMOR], counts[:, IS_TUMOR]
    expected = np.sqrt(
        (1999 * normal.var(axis=1, ddof=1) + 1999 * tumor.var(axis=1, ddof=1)) / 3998
    )
    np.testing.assert_allclose(within_group_sd(counts, IS_TUMOR), expected)
    np.testing.assert_allclose(within_group_sd(counts), counts.std(axis=1, ddof=1))


def test_no_noise_changes_nothing_and_the_input_is_left_alone(counts):
    before = counts.copy()
    assert np.array_equal(add_noise(counts, 0, "absolute", rng()), counts)
    add_noise(counts, 100, "relative", rng())
    scale_group(counts, IS_TUMOR, 0.1, rng())
    thin(counts, 0.5, rng())
    assert np.array_equal(counts, before)


def test_the_generator_decides_the_draw(counts):
    assert np.array_equal(
        add_noise(counts, 50, "absolute", rng(3)), add_noise(counts, 50, "absolute", rng(3))
    )
    assert not np.array_equal(
        add_noise(counts, 50, "absolute", rng(3)), add_noise(counts, 50, "absolute", rng(4))
    )


def test_thinning_keeps_its_share_of_reads_with_binomial_spread():
    kept = thin(np.full((1, 20_000), 100), 0.3, rng())
    assert (
        kept.mean() == pytest.approx(30, rel=0.01)
        and kept.var() == pytest.approx(21, rel=0.05)
        and kept.max() <= 100
    )
    assert np.array_equal(thin(np.full((2, 3), 7), 1, rng()), np.full((2, 3), 7))


@pytest.mark.parametrize("ratio", [0.25, 1, 4])
def test_depth_is_changed_in_the_deeper_group_only(counts, ratio):
    out = scale_group(counts, IS_TUMOR, ratio, rng())
    normal, tumor = (
        out[:, ~IS_TUMOR].sum() / counts[:, ~IS_TUMOR].sum(),
        out[:, IS_TUMOR].sum() / counts[:, IS_TUMOR].sum(),
    )
    assert tumor / normal == pytest.approx(ratio, rel=0.01)
    untouched = ~IS_TUMOR if ratio < 1 else IS_TUMOR
    assert np.array_equal(out[:, untouched], counts[:, untouched]) and (out <= counts).all()


@pytest.mark.parametrize(("fraction", "moved"), [(0, 0), (0.05, 3), (0.5, 25)])
def test_a_mix_up_flips_its_share_of_both_groups(fraction, moved):
    is_tumor = np.repeat([True, False, True], [30, 50, 20])
    swapped = swap_groups(is_tumor, fraction, rng())
    assert (swapped != is_tumor)[is_tumor].sum() == round(fraction * 50)
    assert (swapped != is_tumor)[~is_tumor].sum() == round(fraction * 50) and abs(
        moved - round(fraction * 50)
    ) <= 1
    assert is_tumor.sum() == 50 and swapped.dtype == bool


@pytest.mark.parametrize(
    "call",
    [
        lambda x: add_noise(x, -1, "absolute", rng()),
        lambda x: add_noise(x, 1, "percent", rng()),
        lambda x: thin(x, 0, rng()),
        lambda x: thin(x, 1.1, rng()),
        lambda x: scale_group(x, IS_TUMOR, 0, rng()),
        lambda x: swap_groups(IS_TUMOR, 0.6, rng()),
        lambda x: swap_groups(IS_TUMOR, -0.1, rng()),
    ],
)
def test_impossible_disturbances_are_refused(counts, call):
    with pytest.raises(InputError, match="must|choose"):
        call(counts)


GOLDEN = {  # of the code that made data/results
    "numbered": [9, 6, 2, 18, 14, 20],
    "kept": [7, 9, 12, 13, 16, 17],
    "proportional": "N3 N8 N5 N4 N1 N6 T14 T7 T15 T18 T6 T16 T8 T11 T10 T19",
    "random": "N4 N6 N3 N12 N2 N10 N1 N11 T5 T8 T15 T18 T9 T1 T13 T16",
    "equal": "N5 N11 N12 N7 N9 N3 N1 N4 T16 T9 T17 T14 T19 T5 T15 T10",
}


def test_draws_are_those_that_the_results_were_made_with(make_cohort):
    cohort = make_cohort(n_genes=8, n_normal=12, n_tumor=20)
    tumor = cohort.is_tumor
    assert draw_samples(tumor, 3, 1).tolist() == GOLDEN["numbered"]
    assert drop_samples(tumor, 0.2, rng()).tolist() == GOLDEN["kept"]
    for groups in ("proportional", "random", "equal"):
        drawn = fewer_samples(cohort, 16, rng(), groups)
        assert " ".join(drawn.counts.columns) == GOLDEN[groups]


def test_a_size_may_be_drawn_right_before_its_group():
    tumor, draws, by_hand = np.repeat([False, True], [9, 9]), rng(5), rng(5)
    sizes = (int(draws.integers(2, 5)) for _ in range(2))
    expected = [by_hand.choice(9, by_hand.integers(2, 5), replace=False) + 9 * i for i in range(2)]
    assert draw_columns(tumor, sizes, draws).tolist() == np.concatenate(expected).tolist()
