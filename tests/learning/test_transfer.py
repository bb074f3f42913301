"""degnext.learning.transfer: samples shown, training on several cohorts, answers on another."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from degnext._common.errors import InputError
from degnext.cohorts.cohort import TRAINING
from degnext.cohorts.perturb import fewer_samples
from degnext.evaluation.metrics import scores_both_ways
from degnext.learning import images as encode
from degnext.learning import transfer
from degnext.learning.classifier import PROTOCOLS, DEGnextClassifier
from degnext.learning.transfer import TransferSettings
from degnext.running.transfer import training_cohorts, training_names
from reproduction import paper_network as network_steps


def groups_of(cohort) -> tuple[int, int]:
    return cohort.n_normal, cohort.n_tumor


def test_a_proportional_cut_keeps_the_proportion_and_at_least_five(make_labeled):
    cohort = make_labeled(n_normal=30, n_tumor=90)
    rng = np.random.default_rng(0)
    assert groups_of(fewer_samples(cohort, 40, rng)) == (10, 30)
    assert groups_of(fewer_samples(cohort, 8, rng)) == (5, 6)
    assert fewer_samples(cohort, 0, rng) is cohort and fewer_samples(cohort, 120, rng) is cohort


def test_draws_move_the_border_and_never_leave_the_limits(make_labeled):
    cohort = make_labeled(n_normal=12, n_tumor=70)
    rng = np.random.default_rng(0)
    drawn = [fewer_samples(cohort, 40, rng, "random") for _ in range(200)]
    sizes = np.array([groups_of(c) for c in drawn])
    assert sizes[:, 0].min() == 5 and sizes[:, 0].max() == 12
    assert (
        (sizes[:, 1] >= sizes[:, 0]).all() and sizes.sum(1).max() <= 40 and sizes.sum(1).min() < 20
    )
    for c in drawn:
        assert len(set(c.counts.columns)) == c.counts.shape[1]  # no sample twice
        assert (c.groups.loc[c.counts.columns] == np.where(c.is_tumor, "tumor", "normal")).all()
        assert not c.is_tumor[: c.n_normal].any()


@pytest.mark.parametrize(
    ("normal", "tumor", "n", "expected"),
    [(12, 70, 40, (12, 12)), (50, 70, 40, (20, 20)), (3, 9, 40, (3, 3)), (9, 4, 40, (4, 4))],
)
def test_a_balanced_draw_has_equal_groups(make_labeled, normal, tumor, n, expected):
    cohort = make_labeled(n_normal=normal, n_tumor=tumor)
    assert groups_of(fewer_samples(cohort, n, np.random.default_rng(0), "equal")) == expected
    few = fewer_samples(cohort, n, np.random.default_rng(1), "random")
    assert few.n_normal <= normal and few.n_tumor <= tumor and few.n_normal > 0 and few.n_tumor > 0


def test_a_network_trained_on_some_cohorts_reads_another(make_labeled):
    """Planted eight-fold changes; the target has other sample numbers."""
    training = [
        make_labeled(n_genes=120, n_normal=6, n_tumor=12, seed=1),
        make_labeled(n_genes=120, n_normal=10, n_tumor=10, seed=2),
    ]
    target = make_labeled(n_genes=120, n_normal=7, n_tumor=20, seed=3)
    settings = TransferSettings(epochs=8, max_samples=12, draws=3)
    model = transfer.train(training, settings, device="cpu")
    q = target.rows("Q")
    said, proba = transfer.answer(model, target, q, settings)
    assert (said == target.genes["label"].iloc[q]).mean() > 0.9
    assert proba.shape == (len(q), 2) and np.allclose(proba.sum(1), 1)
    assert ((proba[:, 1] > 0.5) == (said == "UR")).all()
    assert (transfer.answer(model, target, q, settings)[1] == proba).all()


@pytest.mark.parametrize(
    "settings",
    [dict(max_samples=12), dict(draws=3), dict(protocol="paper", max_samples=12, draws=3)],
)
def test_without_draws_the_target_is_shown_whole(make_labeled, settings):
    target = make_labeled(n_normal=7, n_tumor=20, seed=3)
    settings = TransferSettings(epochs=1, **settings)
    model = transfer.train([make_labeled(seed=1)], settings, device="cpu")
    q = target.rows("Q")
    expected = model.predict_proba(encode.row_values(target, model.rules.scaling)[q])
    np.testing.assert_allclose(transfer.answer(model, target, q, settings)[1], expected, atol=1e-6)


def test_the_targets_labels_do_not_matter(make_labeled):
    training, target = [make_labeled(seed=1)], make_labeled(seed=2)
    settings = TransferSettings(epochs=1, max_samples=12, draws=2)
    model = transfer.train(training, settings, device="cpu")
    q = target.rows("Q")
    blind = replace(target, genes=target.genes.assign(label="neutral"))
    seen, unseen = (transfer.answer(model, c, q, settings)[1] for c in (target, blind))
    assert (seen == unseen).all()


def test_a_transfer_that_is_cut_short_goes_on_to_the_same_weights(make_labeled, tmp_path):
    training = [make_labeled(seed=1), make_labeled(n_normal=8, seed=2)]
    settings = TransferSettings("paper", epochs=2)
    whole = transfer.train(training, settings, device="cpu").network_.state_dict()
    transfer.train(training, settings, device="cpu", checkpoint=tmp_path)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 4  # two stages, one cohort after another
    files[-1].unlink()
    resumed = transfer.train(training, settings, device="cpu", checkpoint=tmp_path)
    assert all(torch.equal(whole[k], v) for k, v in resumed.network_.state_dict().items())


def test_a_cohort_is_never_trained_on_itself():
    assert training_names("KICH", "published") == list(TRAINING)
    assert "LIHC" not in training_names("LIHC", "published")
    with pytest.raises(InputError, match="KICH is the cohort to test on"):
        training_names("KICH", "demo", "CHOL, KICH")


def test_own_counts_say_aloud_that_training_cohorts_are_synthetic(make_labeled, capsys):
    asked, notes = [], {}

    def cohort(state, other, source):
        asked.append((other, source))
        return make_labeled()

    step = SimpleNamespace(
        parameters={},
        source="file",
        cancer="MINE",
        cohort=cohort,
        note=lambda **facts: notes.update(facts),
    )
    assert len(training_cohorts(step)) == 3
    assert "SYNTHETIC" in capsys.readouterr().out and notes == {
        "trained_on": "synthetic demo cohorts"
    }
    assert {source for _, source in asked} == {"demo"}
    step.source = "published"
    training_cohorts(step)
    assert "SYNTHETIC" not in capsys.readouterr().out


def test_general_learning_scores_parts_it_was_not_trained_on(make_labeled, tmp_path):
    cohort = make_labeled(n_genes=160)
    done = network_steps.general(
        cohort, epochs=6, fine_tune_epochs=6, device="cpu", save_to=tmp_path
    )
    assert {"three_class.safetensors", "two_class.safetensors"} == {
        p.name for p in tmp_path.iterdir()
    }
    assert done["seconds"] > 0 and len(done["history"]) == 6 and len(done["fine_tune_history"]) == 6
    for part, classes in (("T2", 3), ("T3", 2)):
        said, proba = done[part]
        assert len(said) == len(cohort.rows(part)) and proba.shape == (len(said), classes)
    loaded = encode.row_values(cohort, "log_cpm")[cohort.rows("T3")]
    model = DEGnextClassifier.from_pretrained(tmp_path / "two_class.safetensors", "cpu")
    assert (model.predict(loaded) == done["T3"][0]).all()


def test_scores_come_over_all_genes_and_over_batches():
    """One class fills whole batches: averaged MCC is 0 there although every gene is right."""
    labels = np.repeat(["DR", "UR"], [64, 64])
    scores = scores_both_ways(labels, labels)
    assert scores["mcc"] == 1.0 and scores["batch_mcc"] == 0.0
    assert scores["accuracy"] == scores["batch_accuracy"] == 1.0


@pytest.mark.parametrize("protocol", ["paper", "corrected"])
def test_each_stage_has_its_own_batch_size_and_epochs(make_labeled, monkeypatch, protocol):
    seen, fit = [], transfer.fit

    def spy(model, data, training, **options):
        seen.append((options["loss"] is transfer.two_class_loss, training))
        return fit(model, data, replace(training, epochs=1), **options)

    monkeypatch.setattr(transfer, "fit", spy)
    cohorts, rules = [make_labeled(seed=1), make_labeled(seed=2)], PROTOCOLS[protocol]
    transfer.train(cohorts, TransferSettings(protocol, seed=4), device="cpu")
    three, two = (replace(t, seed=4, device="cpu") for t in (rules.fit, rules.fine_tune))
    assert set(seen) == {(False, three), (True, two)}
    assert len(seen) == (4 if protocol == "paper" else 2)  # one after another, or all together
    for given, expected in (((3, 7), (3, 7)), ((3, None), (3, 3)), ((60, None), (60, two.epochs))):
        seen.clear()
        transfer.train(cohorts, TransferSettings(protocol, *given), device="cpu")
        assert {(two, t.epochs) for two, t in seen} == {(False, expected[0]), (True, expected[1])}
    with pytest.raises(InputError, match="epochs is 0"):
        transfer.train(cohorts, TransferSettings(protocol, epochs=0), device="cpu")
