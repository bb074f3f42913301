"""degnext.learning.transfer and network_steps: which samples a network is shown, training on several cohorts, answers on another."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from degnext._common.errors import InputError
from degnext.cohorts.cohort import TRAINING
from degnext.cohorts.perturb import fewer_samples
from degnext.evaluation import paper_network as network_steps
from degnext.cohorts.cohort import label_names
from degnext.evaluation.metrics import batch_averaged, evaluate
from degnext.learning import images as encode
from degnext.learning import transfer
from degnext.learning.classifier import PROTOCOLS
from degnext.running.transfer import training_cohorts, training_names


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
    model = transfer.train(training, epochs=8, device="cpu", max_samples=12, draws=3)
    q = target.rows("Q")
    said, proba = transfer.answer(model, target, q, 12, 3)
    assert evaluate(target.genes["label"].iloc[q], label_names(said))["accuracy"] > 0.9
    assert (
        proba.shape == (len(q), 2)
        and np.allclose(proba.sum(1), 1)
        and ((proba[:, 1] > 0.5) == (said == 1)).all()
    )
    assert (transfer.answer(model, target, q, 12, 3)[1] == proba).all()


@pytest.mark.parametrize(
    "settings",
    [dict(max_samples=12), dict(draws=3), dict(protocol="paper", max_samples=12, draws=3)],
)
def test_without_draws_the_target_is_shown_whole(make_labeled, settings):
    target = make_labeled(n_normal=7, n_tumor=20, seed=3)
    model = transfer.train([make_labeled(seed=1)], epochs=1, device="cpu", **settings)
    q = target.rows("Q")
    expected = model.predict_proba(encode.row_values(target, model.rules.scaling)[q])
    shown = {k: v for k, v in settings.items() if k != "protocol"}
    np.testing.assert_allclose(transfer.answer(model, target, q, **shown)[1], expected, atol=1e-6)


def test_the_targets_labels_do_not_matter(make_labeled):
    training, target = [make_labeled(seed=1)], make_labeled(seed=2)
    model = transfer.train(training, epochs=1, device="cpu", max_samples=12, draws=2)
    q = target.rows("Q")
    blind = target.genes.assign(label="neutral")
    from dataclasses import replace

    assert (
        transfer.answer(model, target, q, 12, 2)[1]
        == transfer.answer(model, replace(target, genes=blind), q, 12, 2)[1]
    ).all()


def test_a_transfer_that_is_cut_short_goes_on_to_the_same_weights(make_labeled, tmp_path):
    training = [make_labeled(seed=1), make_labeled(n_normal=8, seed=2)]
    settings = dict(protocol="paper", device="cpu", epochs=2)
    whole = transfer.train(training, **settings).network_.state_dict()
    transfer.train(training, **settings, checkpoint=tmp_path)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 4  # two stages, one cohort after another
    files[-1].unlink()
    resumed = transfer.train(training, **settings, checkpoint=tmp_path).network_.state_dict()
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


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
    from degnext import DEGnext

    assert (
        DEGnext.load(tmp_path / "two_class.safetensors", "cpu").predict(loaded) == done["T3"][0]
    ).all()


def test_scores_come_over_all_genes_and_over_batches():
    """One class fills whole batches: averaged MCC is 0 there although every gene is right."""
    labels = np.repeat([0, 1], [64, 64])
    scores = network_steps.scores_both_ways(labels, labels)
    assert (
        scores["mcc"] == 1.0 and scores["batch_mcc"] == batch_averaged(labels, labels)["mcc"] == 0.0
    )
    assert scores["accuracy"] == scores["batch_accuracy"] == 1.0


@pytest.mark.parametrize("protocol", ["paper", "corrected"])
def test_each_stage_has_its_own_batch_size_and_epochs(make_labeled, monkeypatch, protocol):
    seen, train = [], transfer.fit

    def spy(model, x, y, **options):
        seen.append((options["name"], options["batch_size"], options["epochs"]))
        return train(model, x, y, **options | {"epochs": 1})

    monkeypatch.setattr(transfer, "fit", spy)
    cohorts, rules = [make_labeled(seed=1), make_labeled(seed=2)], PROTOCOLS[protocol]
    transfer.train(cohorts, protocol, device="cpu")
    assert set(seen) == {
        ("three classes", rules.batch_size, rules.epochs),
        ("two classes", rules.fine_tune_batch_size, rules.fine_tune_epochs),
    }
    assert len(seen) == (
        4 if protocol == "paper" else 2
    )  # one cohort after another, or all together
    seen.clear()
    transfer.train(cohorts, protocol, 3, fine_tune_epochs=7, device="cpu")
    assert {(name, epochs) for name, _, epochs in seen} == {
        ("three classes", 3),
        ("two classes", 7),
    }
