"""degnext.learning.classifier: planted truth is learned, kept, and refined, under scikit-learn's conventions."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.base import clone

from degnext._common.errors import InputError
from degnext.learning.classifier import PROTOCOLS, DEGnext
from degnext.learning.images import row_values


def rows(make_labeled, **settings):
    labeled = make_labeled(n_genes=400, **settings)
    return labeled, row_values(labeled), labeled.codes


@pytest.fixture(scope="module")
def trained():
    """Both stages trained once on planted truth; returns the module's shared estimators and test data."""
    rng = np.random.default_rng(0)

    def draw(n):
        y = np.arange(n) % 3
        x = rng.normal(6, 0.5, (n, 8)) + rng.normal(0, 1, (n, 1))
        x[:, 3:] += np.array([-3.0, 3.0, 0.0])[y][:, None]
        return x.astype(np.float32), y

    x, y = draw(180)
    three = DEGnext(epochs=10, fine_tune_epochs=6, batch_size=16, lr=2e-3, device="cpu").fit(x, y)
    two = deepcopy(three)
    two.fine_tune(x[y != 2], y[y != 2])
    return three, two, draw(120), (x, y)


def test_planted_truth_is_learned_on_genes_not_seen(trained):
    three, _, (x, y), _ = trained
    proba = three.predict_proba(x)
    assert (three.predict(x) == y).mean() > 0.95 and three.score(x, y) == (
        three.predict(x) == y
    ).mean()
    assert proba.shape == (120, 3) and np.allclose(proba.sum(1), 1) and (proba >= 0).all()
    assert np.array_equal(proba.argmax(1), three.predict(x)) and three.classes_.tolist() == [
        0,
        1,
        2,
    ]


def test_fine_tuning_gives_two_classes_by_one_logit(trained):
    _, two, (x, y), _ = trained
    called = y != 2
    assert two.stage_ == "two-class" and two.classes_.tolist() == [0, 1]
    assert (two.predict(x[called]) == y[called]).mean() > 0.97
    logit, proba = two.decision_function(x), two.predict_proba(x)
    assert logit.shape == (120,) and proba.shape == (120, 2)
    np.testing.assert_allclose(proba[:, 1], expit(logit.astype(float)), rtol=1e-6)
    assert np.array_equal(two.predict(x), (logit > 0).astype(int))
    assert len(two.history_) == 10 and len(two.fine_tune_history_) == 6


def test_other_numbers_of_samples_go_through(trained):
    three, _, (x, _), _ = trained
    assert three.predict_proba(x[:5, :5]).shape == (5, 3)


@pytest.mark.parametrize("stage", [0, 1])
def test_save_and_load_give_the_same_answers(trained, tmp_path, stage):
    model, x = trained[stage], trained[2][0]
    path = tmp_path / "new" / "weights.safetensors"
    model.save(path)
    loaded = DEGnext.load(path, device="cpu")
    assert np.array_equal(loaded.predict_proba(x), model.predict_proba(x)) and np.array_equal(
        loaded.predict(x), model.predict(x)
    )
    assert loaded.stage_ == model.stage_ and loaded.classes_.tolist() == model.classes_.tolist()
    keep = ("protocol", "relu", "epochs", "fine_tune_epochs", "lr", "random_state")
    assert {k: loaded.get_params()[k] for k in keep} == {k: model.get_params()[k] for k in keep}
    assert [p.name for p in path.parent.iterdir()] == ["weights.safetensors"]


def test_a_loaded_three_class_network_can_be_fine_tuned(trained, tmp_path):
    three, two, (x, y), (learn, labels) = trained
    three.save(tmp_path / "w.safetensors")
    loaded = DEGnext.load(tmp_path / "w.safetensors", device="cpu")
    loaded.fine_tune(learn[labels != 2], labels[labels != 2])
    assert np.array_equal(loaded.decision_function(x), two.decision_function(x))


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone(make_labeled):
    _, x, y = rows(make_labeled, seed=2)
    x, y = x[::5], y[::5]
    settings = dict(epochs=2, device="cpu")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = DEGnext(**settings).fit(x, y)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(1234)
    again, other = DEGnext(**settings).fit(x, y), DEGnext(random_state=1, **settings).fit(x, y)
    assert np.array_equal(first.decision_function(x), again.decision_function(x))
    assert not np.array_equal(first.decision_function(x), other.decision_function(x))


def test_statistics_come_from_training_genes_only(make_labeled):
    _, x, y = rows(make_labeled)
    model = DEGnext(epochs=1, device="cpu").fit(x[:80], y[np.r_[:40, 320:360]])
    centred = x[:80] - x[:80].mean(axis=1, keepdims=True)
    assert (
        model.standardizer_.sd == pytest.approx(centred.std(), rel=1e-5)
        and abs(model.standardizer_.mean) < 1e-5
    )
    alone = model.decision_function(x[100:101])
    np.testing.assert_allclose(
        model.decision_function(np.vstack([x[100:101], x[200:300] * 50]))[:1],
        alone,
        rtol=1e-4,
        atol=1e-6,
    )
    assert model.standardizer_.sd == pytest.approx(
        centred.std(), rel=1e-5
    )  # predicting learns nothing


def test_the_papers_protocol_squashes_and_thresholds_the_logit_at_one_half(make_labeled):
    labeled = make_labeled(n_genes=60)
    x, y = row_values(labeled, PROTOCOLS["paper"].scaling), labeled.codes
    model = DEGnext("paper", epochs=1, fine_tune_epochs=1, device="cpu").fit(x, y)
    assert (
        np.array_equal(x, labeled.counts)
        and model.standardizer_ is None
        and "validation_loss" not in model.history_[0]
    )
    raw = model.decision_function(x)
    assert np.allclose(raw.sum(1), 1, atol=1e-5) and np.array_equal(
        model.predict_proba(x), raw.astype(float)
    )
    model.fine_tune(x[y != 2], y[y != 2])
    with torch.no_grad():  # every logit lies between the two thresholds
        model.network_.Lin5.weight.zero_()
        model.network_.Lin5.bias.fill_(0.25)
    assert (model.predict(x) == 0).all() and (model.predict_proba(x)[:, 1] > 0.5).all()


def test_the_corrected_protocol_validates_on_a_stratified_share(trained):
    from degnext.learning.classifier import _held_out

    assert "validation_loss" in trained[0].history_[0]
    y = np.repeat([0, 1, 2], [40, 20, 1])
    held = _held_out(y, 0.15, 0)
    assert np.bincount(y[held], minlength=3).tolist() == [6, 3, 0]
    assert np.array_equal(held, _held_out(y, 0.15, 0)) and not np.array_equal(
        held, _held_out(y, 0.15, 1)
    )


def test_a_killed_fit_resumes_from_its_folder(trained, tmp_path):
    *_, (x, y) = trained
    x, y = x[:60], y[:60]
    whole = DEGnext(epochs=2, fine_tune_epochs=2, device="cpu").fit(x, y)
    DEGnext(epochs=1, device="cpu", checkpoint=tmp_path).fit(x, y)
    resumed = DEGnext(epochs=2, fine_tune_epochs=2, device="cpu", checkpoint=tmp_path).fit(x, y)
    assert resumed.history_ == whole.history_ and np.array_equal(
        resumed.decision_function(x), whole.decision_function(x)
    )
    for model in (whole, resumed):
        model.fine_tune(x[y != 2], y[y != 2])
    assert np.array_equal(resumed.decision_function(x), whole.decision_function(x))
    with pytest.raises(
        InputError, match="belongs to a run on other data"
    ):  # as in another fold with the same folder
        DEGnext(epochs=3, device="cpu", checkpoint=tmp_path).fit(x[::-1].copy(), y[::-1].copy())


def test_sklearn_can_clone_and_set_it():
    model = DEGnext("paper", relu="conv", epochs=3, random_state=4)
    copied = clone(model)
    assert copied is not model and copied.get_params() == model.get_params()
    assert copied.set_params(epochs=9).epochs == 9 and model.epochs == 3
    assert not hasattr(clone(model), "network_")


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.ones((3, 4)), [0, 1], "one label per gene"),
        (np.ones(3), [0, 1, 2], "genes × samples"),
        (np.ones((0, 4)), [], "one label per gene"),
        (np.full((3, 4), np.nan), [0, 1, 2], "missing or infinite"),
        (np.ones((3, 4)), [0, 1, 3], "labels must be among"),
        (np.ones((3, 4)), [0, 1, 0.5], "labels must be among"),
    ],
)
def test_wrong_training_data_are_explained(x, y, said, is_helpful):
    with pytest.raises(InputError, match=said) as caught:
        DEGnext(epochs=1, device="cpu").fit(x, y)
    assert is_helpful(str(caught.value))


def test_wrong_order_and_wrong_names_are_explained(trained, tmp_path, is_helpful):
    x = np.ones((4, 6))
    for call in (
        lambda m: m.predict(x),
        lambda m: m.fine_tune(x, [0, 1, 0, 1]),
        lambda m: m.save(tmp_path / "w"),
    ):
        with pytest.raises(InputError, match="no weights yet: call fit") as caught:
            call(DEGnext())
        assert is_helpful(str(caught.value))
    with pytest.raises(InputError, match="did you mean 'corrected'"):
        DEGnext("corected").fit(x, [0, 1, 2, 0])
    with pytest.raises(InputError, match="fine-tuning takes DR"):
        trained[0].fine_tune(trained[3][0], trained[3][1])
    assert trained[0].stage_ == "three-class"


def test_files_that_hold_no_network_are_explained(tmp_path, is_helpful):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "other.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"\x08\0\0\0")
    for name, said in (
        ("none", "no weights file"),
        ("other.safetensors", "not written by DEGnext.save"),
        ("torn.safetensors", "no whole safetensors"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            DEGnext.load(tmp_path / name)
        assert is_helpful(str(caught.value))


def test_the_authors_network_tells_up_from_down_on_their_test_genes(real_data):
    from degnext.cohorts.published import load_published

    cohort = load_published("KICH")
    model = DEGnext.load_released(real_data / "released_weights" / "DEGnextModel.pth", device="cpu")
    x = row_values(cohort, model.rules.scaling)[cohort.rows("T3")]
    assert (model.predict(x) == cohort.codes[cohort.rows("T3")]).mean() > 0.9
