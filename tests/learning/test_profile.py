"""The profile image and its network: what must not change a prediction, and what must."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_parameters_default_constructible

from degnext._common.errors import InputError
from degnext.cohorts.cohort import CLASS_NAMES, label_codes, label_names
from degnext.cohorts.library_size import log_fold_change, size_factors
from degnext.cohorts.perturb import add_noise
from degnext.cohorts.published import part_weights
from degnext.learning.profile.alignment import direction_offset, shift_groups
from degnext.learning.profile.classifier import TRAINING, ProfileClassifier
from degnext.learning.profile.genes import Genes, genes_of, no_copies, noisy_copy
from degnext.learning.profile.image import CHANNELS, profile_image
from degnext.learning.profile.network import ProfileCNN
from degnext.learning.profile.pretrained import PRETRAINED, WEIGHTS


def draw(
    seed: int, n_genes: int = 600, n_normal: int = 12, n_tumor: int = 20, neutral: float = 0.0
) -> Genes:
    """Draw a negative-binomial cohort with planted directions: DE genes change 1.5 to 8 fold."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_genes)
    labels[rng.random(n_genes) < neutral] = 2
    sign = np.select([labels == 0, labels == 1], [-1.0, 1.0], 0.0)
    log_fc = sign * rng.uniform(0.6, 3.0, n_genes)
    is_tumor = np.arange(n_normal + n_tumor) >= n_normal
    mean = 2 ** rng.normal(9, 1.5, n_genes)[:, None] * rng.uniform(0.5, 2, len(is_tumor))
    mean = mean * 2 ** (log_fc[:, None] * (is_tumor - 0.5))
    size = 1 / rng.uniform(0.05, 0.4, n_genes)[:, None]
    return Genes(rng.negative_binomial(size, size / (size + mean)), is_tumor, label_names(labels))


def other(labels: np.ndarray) -> np.ndarray:
    """Exchange DR and UR."""
    return np.where(labels == "UR", "DR", "UR")


@pytest.fixture(scope="module")
def two() -> ProfileClassifier:
    torch.set_num_threads(1)
    return ProfileClassifier(training=replace(TRAINING, epochs=3)).fit([draw(s) for s in range(3)])


@pytest.fixture(scope="module")
def three() -> ProfileClassifier:
    model = ProfileClassifier(CLASS_NAMES, training=replace(TRAINING, epochs=6))
    return model.fit([draw(s, neutral=0.5) for s in range(3)])


def test_finds_planted_directions_in_a_cohort_not_trained_on(two, three):
    target = draw(99, n_normal=7, n_tumor=31)
    assert np.mean(two.predict(target) == target.labels) > 0.99
    target = draw(98, neutral=0.5, n_normal=15)
    assert np.mean(three.predict(target) == target.labels) > 0.9
    de = target.labels != "neutral"
    reversed_ = three.predict(target)[de] == other(target.labels[de])
    assert reversed_.mean() < 0.005


@pytest.mark.parametrize("name", ["two", "three"])
def test_order_of_samples_within_a_group_does_not_matter(name, request):
    model, genes = request.getfixturevalue(name), draw(5)
    order = np.random.default_rng(0).permutation(
        len(genes.is_tumor)
    )  # groups travel with their samples
    other = genes._replace(counts=genes.counts[:, order], is_tumor=genes.is_tumor[order])
    assert np.abs(model.predict_proba(other) - model.predict_proba(genes)).max() < 1e-6


@pytest.mark.parametrize("name", ["two", "three"])
def test_swapping_the_groups_swaps_up_and_down(name, request):
    model, genes = request.getfixturevalue(name), draw(6)
    p, q = model.predict_proba(genes), model.predict_proba(genes._replace(is_tumor=~genes.is_tumor))
    mirrored = q[:, [1, 0, 2][: q.shape[1]]]
    assert np.abs(p - mirrored).mean() < 1e-3 and np.abs(p - mirrored).max() < 0.02
    assert np.abs(p - q).mean() > 0.3  # the swap is seen


@pytest.mark.parametrize("name", ["two", "three"])
def test_giving_every_sample_twice_changes_no_call(name, request):
    model, genes = request.getfixturevalue(name), draw(7)
    twice = genes._replace(
        counts=np.repeat(genes.counts, 2, axis=1), is_tumor=np.repeat(genes.is_tumor, 2)
    )
    np.testing.assert_array_equal(model.predict(twice), model.predict(genes))
    np.testing.assert_allclose(model.predict_proba(twice), model.predict_proba(genes), atol=1e-3)


@pytest.mark.parametrize("name", ["two", "three"])
@pytest.mark.parametrize("factor", [1000, 0.37, 1e-5])
def test_rescaling_one_sample_changes_no_call(name, factor, request):
    model, genes = request.getfixturevalue(name), draw(8)
    scaled = genes.counts.astype(float)
    scaled[:, 3] *= factor
    np.testing.assert_array_equal(
        model.predict(genes._replace(counts=scaled)), model.predict(genes)
    )


def test_mirroring_is_exact_in_the_network_and_in_the_image():
    torch.manual_seed(0)
    network = ProfileCNN(4, 3).eval()
    x = torch.randn(10, 4, 2, 16)
    with torch.inference_mode():
        torch.testing.assert_close(network(x.flip(2)), network(x)[:, [1, 0, 2]], rtol=0, atol=1e-6)
    genes = draw(1)
    image = profile_image(genes.counts, genes.is_tumor)
    np.testing.assert_allclose(
        profile_image(genes.counts, ~genes.is_tumor), image[:, :, ::-1], atol=2e-4
    )
    assert (
        image.shape == (600, len(CHANNELS), 2, 16)
        and image.dtype == np.float32
        and np.isfinite(image).all()
    )


@pytest.mark.parametrize("n_normal, n_tumor", [(1, 1), (2, 2), (1, 40)])
def test_few_samples_and_silent_genes_give_finite_images(n_normal, n_tumor):
    genes = draw(2, n_genes=80, n_normal=n_normal, n_tumor=n_tumor)
    genes.counts[:5] = 0
    assert np.isfinite(profile_image(genes.counts, genes.is_tumor)).all()


def test_network_is_small_and_weights_ship_with_matching_card(tmp_path):
    assert sum(p.numel() for p in ProfileCNN(len(CHANNELS), 3).parameters()) < 200_000
    import hashlib

    card = json.loads((WEIGHTS / "model_card.json").read_text())
    for name, n_classes in zip(PRETRAINED, (2, 3, 3)):
        file, model = f"profile_{name}.safetensors", ProfileClassifier.from_pretrained(name)
        data = (WEIGHTS / file).read_bytes()
        assert len(data) < 1_000_000
        assert hashlib.sha256(data).hexdigest() == card["files"][file]["sha256"]
        assert model.save(tmp_path / file) == card["files"][file]["sha256"]  # the same file again
        assert model.classes_.tolist() == list(CLASS_NAMES[:n_classes])
    target = draw(42, n_normal=10, n_tumor=50)
    model = ProfileClassifier.from_pretrained("two_class")
    assert np.mean(model.predict(target) == target.labels) > 0.98


def test_same_seed_same_weights_other_seed_other_weights():
    cohort, runs = draw(3, 300), []
    for seed in (0, 0, 1):
        model = ProfileClassifier(training=replace(TRAINING, epochs=1), random_state=seed).fit(
            cohort
        )
        runs.append(torch.cat([p.flatten() for p in model.model_.parameters()]))
    assert torch.equal(runs[0], runs[1]) and not torch.allclose(runs[0], runs[2])


def test_save_and_load_give_the_same_predictions(two, tmp_path):
    digest = two.save(tmp_path / "w.safetensors")
    genes, again = draw(9), ProfileClassifier.from_pretrained(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(again.predict_proba(genes), two.predict_proba(genes))
    assert len(digest) == 64 and [f.name for f in tmp_path.iterdir()] == ["w.safetensors"]
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="holds no profile"):
        ProfileClassifier.from_pretrained(tmp_path / "other.safetensors")


def test_probabilities_mean_what_they_say(three):
    genes = draw(77, n_genes=3000, neutral=0.5)
    p = three.predict_proba(genes)
    np.testing.assert_allclose(p.sum(1), 1)
    hit, sure = three.predict(genes) == genes.labels, p.max(1)
    cell = np.minimum((sure * 10).astype(int), 9)
    assert (
        sum(abs(sure[cell == b].sum() - hit[cell == b].sum()) for b in range(10)) / len(hit) < 0.08
    )


def test_fine_tuning_learns_a_new_rule_and_replaces_the_head(three, tmp_path):
    three.save(tmp_path / "w.safetensors")
    model, genes = ProfileClassifier.from_pretrained(tmp_path / "w.safetensors"), draw(4)
    before = model.predict_proba(genes)
    two = model.fine_tune(genes, n_classes=2)
    assert two.classes_.tolist() == ["DR", "UR"] and two.predict_proba(genes).shape == (600, 2)
    assert np.mean(two.predict(genes) == genes.labels) > 0.99
    assert two.resolved["align"] is False  # as it was with three classes
    backwards = genes._replace(labels=other(genes.labels))
    back = two.fine_tune(backwards, epochs=10, lr=2e-3)
    assert np.mean(back.predict(genes) == backwards.labels) > 0.95
    assert np.array_equal(model.predict_proba(genes), before)  # the first is what it was


def test_offset_undoes_a_library_size_error_without_labels():
    genes = draw(11, 800, 40, 40)
    wrong = shift_groups(
        size_factors(genes.counts), genes.is_tumor, -0.8
    )  # every log ratio 0.8 too high
    ratio = log_fold_change(genes.counts, genes.is_tumor, wrong)
    offset = direction_offset(genes.counts, genes.is_tumor, wrong)
    assert np.mean((ratio > 0) == (genes.labels == "UR")) < 0.95
    assert np.mean((ratio > offset) == (genes.labels == "UR")) > 0.99
    assert direction_offset(genes.counts, ~genes.is_tumor, wrong) == pytest.approx(
        -offset, abs=0.01
    )


def test_offset_is_zero_where_no_gap_tells_it():
    """Fold changes spread evenly over zero: wherever fewest genes happen to lie, it is no gap."""
    rng = np.random.default_rng(0)
    tumor = np.repeat([False, True], [20, 20])
    ratio = np.linspace(-3, 3, 400)
    counts = rng.poisson(500 * np.exp2(np.where(tumor, ratio[:, None] / 2, -ratio[:, None] / 2)))
    factors = np.full(40, counts.sum(0).mean() / 1e6)
    assert direction_offset(counts, tumor, factors) == 0.0
    split = np.abs(ratio) > 0.5  # the same genes with a gap, the zero moved
    moved = factors * np.where(tumor, 2**-0.4, 2**0.4)
    assert 0.2 < direction_offset(counts[split], tumor, moved) <= 1


def test_part_weights_let_a_fifth_stand_for_the_whole():
    np.testing.assert_array_equal(part_weights(["T2", "F1", "T3"]), [5, 1, 1])
    np.testing.assert_array_equal(part_weights(["T1", "T2", "T3"]), [1, 1, 5])
    genes = draw(12, 5000)
    whole = size_factors(genes.counts)
    part = size_factors(genes.counts[:1000], gene_weight=np.full(1000, 5.0))
    assert np.corrcoef(whole, part)[0, 1] > 0.95 and np.median(part / whole) == pytest.approx(
        1, abs=0.25
    )


def test_log_fold_change_is_the_ratio_of_group_means():
    counts = np.array([[10, 10, 40, 40], [90, 90, 60, 60]])
    got = log_fold_change(counts, np.array([False, False, True, True]))
    np.testing.assert_allclose(got, np.log2([4, 2 / 3]), atol=1e-6)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda g: g._replace(is_tumor=np.ones(32, bool)), "one group is empty"),
        (lambda g: g._replace(counts=-g.counts, factors=np.ones(32)), "not negative"),
        (lambda g: g._replace(is_tumor=g.is_tumor[1:], factors=np.ones(32)), "do not match"),
        (lambda g: g._replace(counts=g.counts * (np.arange(32) > 0)), "no counts at all"),
    ],
)
def test_wrong_input_is_explained(three, change, message):
    with pytest.raises(InputError, match=message):
        three.predict(change(draw(1)))


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(InputError, match="labels must be"):
        ProfileClassifier().fit(draw(1, neutral=0.5))
    with pytest.raises(InputError, match="labels must be among 'DR', 'UR' for every"):
        ProfileClassifier().fit(np.zeros((4, 5, 2, 16), np.float32))
    with pytest.raises(InputError, match="name two"):
        ProfileClassifier("abcd").fit(draw(1))


def test_scikit_learn_finds_its_conventions(two):
    """Its checks draw tables of features; these are the conventions that do not."""
    given = ProfileClassifier(CLASS_NAMES, width=8, copies=no_copies, random_state=3)
    copied = clone(given)
    assert copied is not given and copied.get_params() == given.get_params()
    assert "width=8" in repr(given) and copied.set_params(align=True).align and given.align is None
    assert not [name for name in vars(given) if name.endswith("_")]
    check_parameters_default_constructible("ProfileClassifier", given)
    with pytest.raises(NotFittedError, match="no weights yet"):
        given.predict(draw(1))
    genes = draw(99, n_normal=7, n_tumor=31)
    assert two.score(genes, genes.labels) == np.mean(two.predict(genes) == genes.labels)
    assert clone(two).get_params() == two.get_params() and not hasattr(clone(two), "model_")


def test_a_cohort_is_taken_as_it_is(two, make_labeled):
    cohort = make_labeled()
    np.testing.assert_array_equal(two.predict(cohort), two.predict(genes_of(cohort)))
    model = ProfileClassifier(CLASS_NAMES, training=replace(TRAINING, epochs=1))
    assert model.fit([cohort, cohort]).predict(cohort).shape == (80,)
    images, labels = ProfileClassifier(copies=no_copies).training_images(cohort)
    assert set(labels) == {"DR", "UR"} and len(images) == 40  # no neutral gene
    with pytest.raises(InputError, match="labels must be"):
        model.fit(replace(cohort, genes=None))


def test_codes_serve_as_labels_where_classes_are_codes():
    genes = draw(3, 300)
    coded = genes._replace(labels=label_codes(genes.labels))
    short = {"training": replace(TRAINING, epochs=1)}
    spelled = ProfileClassifier(**short).fit(genes).predict(genes)
    codes = ProfileClassifier((0, 1), **short).fit(coded).predict(coded)
    assert np.array_equal(label_names(codes), spelled)


def test_offset_is_zero_where_noise_has_filled_the_gap():
    """A clean cohort's gap gives the offset; chance under noise of five SD is no gap."""
    genes = draw(13, 600, 30, 30)
    wrong = shift_groups(size_factors(genes.counts), genes.is_tumor, -0.8)
    assert 0.2 < abs(direction_offset(genes.counts, genes.is_tumor, wrong)) <= 1
    found = [
        direction_offset(
            add_noise(genes.counts, 500, "relative", np.random.default_rng(seed), genes.is_tumor),
            genes.is_tumor,
            wrong,
        )
        for seed in range(5)
    ]
    assert found == [0.0] * 5


def test_noisy_copies_keep_labels_and_scaling():
    genes = draw(14, 300, 20, 20)
    genes = genes._replace(factors=size_factors(genes.counts))
    (copy,) = noisy_copy(genes, np.random.default_rng(0))
    assert (copy.counts != genes.counts).mean() > 0.5 and copy.labels is genes.labels
    np.testing.assert_allclose(
        copy.factors / genes.factors, copy.counts.sum(0) / genes.counts.sum(0)
    )
    images, labels = ProfileClassifier().training_images(genes)
    assert len(images) == len(labels) == 600
    assert len(ProfileClassifier(copies=no_copies).training_images(genes)[1]) == 300
