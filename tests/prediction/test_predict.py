"""degnext.predict and its command: the table, what must not change it, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import truth_of

import degnext
from degnext._common.errors import InputError
from degnext.cohorts.cohort import CLASS_NAMES, Cohort, label_codes
from degnext.cohorts.gene_names import gene_names
from degnext.cohorts.library_size import log_fold_change
from degnext.evaluation.predictions import score, score_lines
from degnext.learning.profile.pretrained import WEIGHTS
from degnext.prediction import model_card, predict
from degnext.prediction.model_card import card, card_text, neutral_range
from degnext.prediction.standard import TEST_COLUMNS, calls_of_test

COLUMNS = (
    *("gene", "symbol", "class", "p_DR", "p_UR", "p_neutral", "p_UR_if_DE"),
    *("log2_fold_change", "rule", "disagrees_with_rule"),
)


@pytest.fixture
def planted(make_cohort):
    """120 genes up eightfold, 120 down, 240 flat, 10 normal and 14 tumor samples."""
    return make_cohort(n_genes=480, n_normal=10, n_tumor=14)


@pytest.fixture
def files(planted, tmp_path):
    planted.counts.to_csv(tmp_path / "counts.csv")
    planted.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    return [tmp_path / "counts.csv", "--groups", tmp_path / "groups.csv"]


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir() if not p.name.startswith("default-")}


def test_the_command_writes_a_row_per_gene_and_finds_what_was_planted(
    run_cli, files, planted, tmp_path
):
    out = tmp_path / "new" / "predictions.csv"
    done = run_cli("predict", *files, "--out", out)
    assert done.code == 0 and done.err == ""
    table = pd.read_csv(out)
    assert tuple(table.columns) == (*COLUMNS, *TEST_COLUMNS)
    assert list(table["gene"]) == list(planted.counts.index) == list(table["symbol"])
    assert names(out.parent) == {"predictions.csv"}
    truth = truth_of(planted)
    called, changed = table["class"].to_numpy(), truth != "neutral"
    assert (called[changed] == truth[changed]).mean() > 0.97
    assert (called[~changed] == "neutral").mean() > 0.9
    proba = table[["p_DR", "p_UR", "p_neutral"]].to_numpy()
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-5)
    assert (np.array(CLASS_NAMES)[proba.argmax(1)] == called).all()
    np.testing.assert_allclose(
        table["log2_fold_change"],
        log_fold_change(planted.counts.to_numpy(), planted.is_tumor),
        rtol=1e-5,
    )
    assert ((table["rule"] == "UR") == (table["log2_fold_change"] > 0)).all()
    assert table["p_UR_if_DE"].isna().equals(table["class"] == "neutral")
    up = table["p_UR_if_DE"].to_numpy()
    assert (up[truth == "UR"] > 0.99).mean() > 0.97 and (up[truth == "DR"] < 0.01).mean() > 0.97
    for name in CLASS_NAMES:
        assert f"{(called == name).sum():,} {name}" in done.out
    assert "by rule standard" in done.out and "Only 480 genes" in done.out
    assert "Neutral calls do not transfer well" not in done.out
    done = run_cli("predict", *files, "--out", out, "--rule", "paper", "--force")
    assert "by rule paper" in done.out and "Neutral calls do not transfer well" in done.out
    assert tuple(pd.read_csv(out).columns) == COLUMNS


def test_python_and_command_agree(run_cli, files, planted, tmp_path):
    done = run_cli("predict", *files, "--out", tmp_path / "p.csv")
    table = degnext.predict(planted.counts, planted.groups)
    read = pd.read_csv(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-5, atol=1e-8)
    pd.testing.assert_frame_equal(degnext.predict(planted), table)
    assert table.attrs["notes"] and all(f"- {note}\n" in done.out for note in table.attrs["notes"])


def test_python_refuses_what_does_not_fit(planted, is_helpful):
    counts, groups = planted.counts, planted.groups
    for given, said in (
        ((counts.T, groups), "transpose"),
        ((counts + 0.5, groups), "fractional"),
        ((counts, groups.iloc[1:]), "have no group"),
        ((counts,), "without groups"),
    ):
        with pytest.raises(degnext.InputError, match=said) as caught:
            degnext.predict(*given)
        assert is_helpful(str(caught.value))


def test_order_of_samples_does_not_matter_and_swapping_groups_mirrors(planted):
    table = predict.predict_cohort(planted)
    order = np.random.default_rng(1).permutation(planted.counts.shape[1])
    shuffled = predict.predict_cohort(planted.with_counts(planted.counts.iloc[:, order]))
    numbers = ["p_DR", "p_UR", "p_neutral", "p_UR_if_DE", "log2_fold_change"]
    np.testing.assert_allclose(shuffled[numbers], table[numbers], atol=1e-6)
    assert (shuffled["class"] == table["class"]).all()
    other = planted.groups.map({"normal": "tumor", "tumor": "normal"})
    swapped = predict.predict_cohort(Cohort(planted.counts, other))
    np.testing.assert_allclose(swapped["p_DR"], table["p_UR"], atol=2e-3)
    np.testing.assert_allclose(swapped["log2_fold_change"], -table["log2_fold_change"], atol=1e-9)


@pytest.fixture
def shifted(make_cohort):
    """Tumor samples in which five genes take half of the reads: 50 genes are up, 50 down."""
    cohort = make_cohort(n_genes=600, n_normal=8, n_tumor=8, fold=4.0)
    keep = np.r_[0:50, 150:200, 300:600]
    counts, tumor = cohort.counts.iloc[keep].copy(), cohort.is_tumor
    total = counts.loc[:, tumor].sum() / 5
    for gene in range(100, 105):
        counts.iloc[gene, tumor] = total.astype(int)
    truth = np.repeat(["UR", "DR", "UR", "neutral"], [50, 50, 5, 295])
    return Cohort(counts, cohort.groups), truth


def test_a_shift_in_composition_makes_flat_genes_down_by_column_sums_only(shifted):
    cohort, truth = shifted
    table = degnext.predict(cohort)
    called = table["class"].to_numpy()
    for name, least in (("UR", 0.98), ("DR", 0.98), ("neutral", 0.95)):
        assert (called[truth == name] == name).mean() >= least
    by_sums = degnext.predict(cohort, rule="paper")["class"].to_numpy()
    assert (by_sums[truth == "neutral"] == "DR").mean() > 0.5
    notes = " ".join(table.attrs["notes"])
    factor = float(re.search(r"Composition factor ([\d.]+)", notes)[1])
    assert 0.4 < factor < 0.6 and "Warning: by column sums" in notes
    flat = table["edger_log2_fold_change"][truth == "neutral"]
    assert (
        abs(flat.median()) < 0.1
        and flat.median() - table["log2_fold_change"][truth == "neutral"].median() > 0.8
    )


def test_standard_calls_mirror_with_the_groups_and_do_not_mind_order(shifted):
    cohort, _ = shifted
    table = degnext.predict(cohort)
    swapped = cohort.groups.map({"normal": "tumor", "tumor": "normal"})
    mirrored = degnext.predict(cohort.counts, swapped)
    other = {"UR": "DR", "DR": "UR", "neutral": "neutral"}
    assert (mirrored["class"].map(other) == table["class"]).mean() > 0.99
    np.testing.assert_allclose(
        mirrored["edger_log2_fold_change"], -table["edger_log2_fold_change"], atol=1e-6
    )
    np.testing.assert_allclose(mirrored["edger_fdr"], table["edger_fdr"], rtol=1e-4)
    order = np.random.default_rng(1).permutation(cohort.counts.shape[1])
    shuffled = degnext.predict(cohort.with_counts(cohort.counts.iloc[:, order]))
    assert (shuffled["class"] == table["class"]).all()


def test_the_tests_own_numbers_stand_beside_the_network(planted):
    counts = planted.counts.copy()
    counts.iloc[-3:] = 0
    table = degnext.predict(planted.with_counts(counts))
    how = {"library_size": "tmm", "dispersion": "empirical"}
    test = degnext.differential_expression(counts.iloc[:-3], planted.groups, **how)
    np.testing.assert_allclose(table["edger_log2_fold_change"][:-3], test["log_fc"])
    np.testing.assert_allclose(table["edger_fdr"][:-3], test["fdr"])
    assert table[list(TEST_COLUMNS)][-3:].isna().all(axis=None)
    assert (table["class"][-3:] == "neutral").all() and (table["p_neutral"][-3:] == 1).all()
    notes, same = " ".join(table.attrs["notes"]), calls_of_test(table) == table["class"]
    assert "477 genes with counts" in notes and f"{same[:-3].mean():.2%} of the tested" in notes


def test_two_samples_in_a_group_are_answered_with_a_note(planted):
    few = planted.with_counts(planted.counts.iloc[:, [0, 1, 10, 11, 12]])
    assert any("Only 2 sample(s)" in note for note in degnext.predict(few).attrs["notes"])
    three = planted.with_counts(planted.counts.iloc[:, [0, 1, 2, 10, 11, 12]])
    assert not any("sample(s)" in note for note in degnext.predict(three).attrs["notes"])


def test_an_unknown_rule_is_refused(planted, is_helpful):
    with pytest.raises(InputError, match="did you mean 'paper'") as caught:
        degnext.predict(planted, rule="papers")
    assert is_helpful(str(caught.value))


def test_the_rule_follows_the_source_unless_it_is_named(run_cli, published, tmp_path):
    out = tmp_path / "p.csv"
    given = ["--source", "published", "--data-dir", published[0], "--cancer", "CHOL", "--out", out]
    assert "by rule paper" in run_cli("predict", *given).out
    done = run_cli("predict", *given, "--rule", "standard", "--force")
    assert done.code == 0 and "by rule standard" in done.out and "95 % intervals" not in done.out
    assert "follow the paper's rule" in done.out
    assert tuple(pd.read_csv(out).columns) == (*COLUMNS, *TEST_COLUMNS, "part", "label")
    done = run_cli("predict", "--source", "demo", "--cancer", "KICH", "--out", tmp_path / "d.csv")
    assert "by rule standard" in done.out
    demo = degnext.load_cohort("KICH")
    for table in (degnext.predict(demo), degnext.predict(demo.counts, demo.groups)):
        assert table["class"].tolist() == pd.read_csv(tmp_path / "d.csv")["class"].tolist()


def test_a_direction_against_the_rule_is_marked(planted, monkeypatch):
    assert not predict.predict_cohort(planted)["disagrees_with_rule"].any()
    flipped = np.where(np.arange(len(planted.counts)) < 5, -1, 1)
    monkeypatch.setattr(predict, "log_fold_change", lambda *a: log_fold_change(*a) * flipped)
    table = predict.predict_cohort(planted)
    assert table.loc[table["disagrees_with_rule"], "gene"].tolist() == list(
        planted.counts.index[:5]
    )
    assert (table.loc[:4, "class"] == "UR").all() and (table.loc[:4, "rule"] == "DR").all()


def test_small_cohorts_are_read_by_the_network_for_small_samples(planted):
    few = planted.with_counts(planted.counts.iloc[:, [0, 1, 2, 10, 11, 12]])
    said = [" ".join(predict.paper_advice(cohort)) for cohort in (few, planted)]
    assert ["network for small samples" in s for s in said] == [True, False]
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.learning.profile.genes import Genes

    genes = Genes(few.counts.to_numpy(dtype=float), few.is_tumor)
    expected = ProfileClassifier.from_pretrained("few_samples").predict_proba(genes)
    np.testing.assert_allclose(
        predict.predict_cohort(few)[["p_DR", "p_UR", "p_neutral"]], expected, atol=1e-9
    )
    assert (
        np.abs(
            expected - ProfileClassifier.from_pretrained("three_class").predict_proba(genes)
        ).max()
        > 0.05
    )  # it is another network


def test_genes_without_counts_are_kept_and_have_no_rule(planted):
    counts = planted.counts.copy()
    counts.iloc[-3:] = 0
    table = predict.predict_cohort(planted.with_counts(counts))
    assert (
        len(table) == 480
        and list(table["rule"][-3:]) == ["none"] * 3
        and np.isfinite(table["p_UR"]).all()
    )
    assert not table["disagrees_with_rule"][-3:].any() and (table["class"][-3:] == "neutral").all()


def test_ensembl_ids_get_symbols_offline_and_every_gene_stays(
    run_cli, planted, monkeypatch, tmp_path
):
    def no_network(*address):
        pytest.fail(f"asked the network: {address[1:]}")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    table = gene_names().drop_duplicates("symbol")
    table = table[table["ensembl"] != ""].iloc[: len(planted.counts)]
    known = table["symbol"].to_numpy()
    ids = [f"ENSG{i:>011}" for i in table["ensembl"]]
    ids[1] = ids[0]  # the gene once more, with another version
    ids[-1] = "ENSG00099999999"
    counts = planted.counts.set_axis([f"{i}.{k}" for k, i in enumerate(ids)])
    counts.iloc[0] = (
        counts.iloc[1] // 2 + 1
    )  # of two rows with one symbol, the second has more counts
    counts.loc["__no_feature"] = 10**9
    counts.to_csv(tmp_path / "counts.csv")
    planted.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    done = run_cli(
        "predict",
        tmp_path / "counts.csv",
        "--groups",
        tmp_path / "groups.csv",
        "--out",
        tmp_path / "p.csv",
    )
    assert done.code == 0 and "1 summary row(s)" in done.out
    table = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    assert list(table["gene"]) == [f"{i}.{k}" for k, i in enumerate(ids)]
    assert list(table["symbol"][:3]) == ["", *known[[0, 2]]] and table["symbol"].iloc[-1] == ""
    assert (
        abs(table["log2_fold_change"].astype(float).iloc[300:].median()) < 0.3
    )  # the summary row is in no library size


def test_old_symbols_are_given_as_todays_and_other_organisms_are_refused(planted):
    known = gene_names()["symbol"][:480]
    counts = planted.counts.set_axis(["SEPT7", *known[1:]])
    cohort, symbols = predict.prepare(Cohort(counts, planted.groups))
    assert symbols.iloc[0] == "SEPTIN7" and cohort.counts.index[0] == "SEPT7"
    assert "1 old symbols" in cohort.notes[-1] and (symbols.iloc[1:] == known[1:].to_numpy()).all()
    mouse = planted.with_counts(planted.counts.set_axis([f"ENSMUSG{i:011d}" for i in range(480)]))
    with pytest.raises(InputError, match="mouse"):
        predict.prepare(mouse)


def test_an_existing_file_is_replaced_only_by_force(run_cli, files, is_helpful, tmp_path):
    out = tmp_path / "p.csv"
    out.write_text("mine")
    done = run_cli("predict", *files, "--out", out)
    assert (
        done.code == 2
        and is_helpful(done.err)
        and "--force" in done.err
        and out.read_text() == "mine"
        and done.out == ""
    )
    assert run_cli(
        "predict", *files, "--out", out, "--force"
    ).code == 0 and out.read_text().startswith("gene,symbol,class")
    counts = files[0].read_bytes()
    done = run_cli("predict", *files, "--out", files[0], "--force")
    assert done.code == 2 and "is an input" in done.err and files[0].read_bytes() == counts


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["COUNTS", "--groups", "GROUPS"], "no output file"),
        (["--out", "p.csv"], "needs counts"),
        (["none.csv", "--out", "p.csv"], "no file"),
        (["COUNTS", "--out", "p.csv"], "no TCGA barcodes"),
        (["COUNTS", "--groups", "GROUPS", "--out", "p.doc"], "no ending that is known"),
        (
            ["--source", "publisht", "--cancer", "KICH", "--out", "p.csv"],
            "did you mean 'published'",
        ),
        (["--source", "published", "--out", "p.csv"], "needs --cancer"),
        (["--source", "published", "--cancer", "KICHH", "--out", "p.csv"], "did you mean 'KICH'"),
        (
            [
                "--source",
                "published",
                "--cancer",
                "KICH",
                "--data-dir",
                "nowhere",
                "--out",
                "p.csv",
            ],
            "does not exist",
        ),
        (
            ["COUNTS", "--source", "demo", "--cancer", "KICH", "--out", "p.csv"],
            "belong to source 'file'",
        ),
        (
            ["COUNTS", "--groups", "GROUPS", "--data-dir", ".", "--out", "p.csv"],
            "data_dir belongs to source 'published'",
        ),
        (
            ["COUNTS", "--groups", "GROUPS", "--out", "counts.csv/p.csv"],
            "nothing can be written into",
        ),
        (["COUNTS", "--groups", "GROUPS", "--out", "folder.csv"], "is a folder"),
        (
            ["FRACTIONS", "--groups", "GROUPS", "--out", "p.csv"],
            "round expected counts with --round",
        ),
    ],
)
def test_a_slip_ends_with_one_sentence_and_nothing_written(
    given, said, run_cli, files, planted, is_helpful, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    (planted.counts + 0.4).to_csv(tmp_path / "fractions.csv")
    (tmp_path / "folder.csv").mkdir()
    before = names(tmp_path)
    places = {"COUNTS": files[0], "GROUPS": files[2], "FRACTIONS": tmp_path / "fractions.csv"}
    done = run_cli("predict", *[places.get(g, g) for g in given])
    assert done.code == 2 and is_helpful(done.err) and said in done.err and done.out == ""
    assert names(tmp_path) == before


def test_expected_counts_are_rounded_on_request(run_cli, files, planted, tmp_path):
    run_cli("predict", *files, "--out", tmp_path / "whole.csv")
    (planted.counts + 0.4).to_csv(files[0])
    done = run_cli("predict", *files, "--round-counts", "--out", tmp_path / "rounded.csv")
    assert done.code == 0 and "rounded" in done.out
    assert (tmp_path / "rounded.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.fixture
def published(make_cohort, tmp_path):
    """CHOL as in the authors' files (9 normal, 36 tumor): T2 of three classes, F1 and T3 of two."""
    cohort = make_cohort(n_genes=400, n_normal=9, n_tumor=36)
    folder, truth = tmp_path / "published", truth_of(cohort)
    codes = label_codes(truth)
    folder.mkdir()
    part = np.where(truth == "neutral", "T2", np.array(["T2", "F1", "T3"])[np.arange(400) % 3])
    for name, stem in (("T2", "non_bio_test"), ("F1", "bio_fine_tune"), ("T3", "bio_test")):
        np.savetxt(
            folder / f"TCGA-CHOL_{stem}.csv", cohort.counts[part == name], fmt="%d", delimiter=","
        )
        np.savetxt(folder / f"TCGA-CHOL_{stem}_label.txt", codes[part == name], fmt="%d")
    return folder, codes, part


def test_labels_at_hand_are_scored_over_all_of_q(run_cli, published, tmp_path):
    folder, codes, part = published
    done = run_cli(
        "predict",
        "--source",
        "published",
        "--data-dir",
        folder,
        "--cancer",
        "CHOL",
        "--out",
        tmp_path / "p.csv",
    )
    assert done.code == 0 and done.err == ""
    n_q = int((part != "T2").sum())
    assert f"{n_q} bio genes (Q)" in done.out
    perfect = r"accuracy 100.0 % \[9\d.\d, 100.0\], MCC 1.00 \[0.9\d, 1.00\], AUC 1.0000, 0 wrong"
    assert re.search(f"two-class network +{perfect}", done.out)
    assert (
        "log-fold-change rule" in done.out
        and f"{400 - n_q} genes of T2, network not retrained" in done.out
    )
    table = pd.read_csv(tmp_path / "p.csv")
    assert tuple(table.columns) == (*COLUMNS, "part", "label")
    assert sorted(table["part"].unique()) == ["F1", "T2", "T3"] and (
        table["label"].value_counts()["neutral"],
        len(table),
    ) == (200, 400)
    q = table["part"] != "T2"
    assert (
        table["p_UR_if_DE"].notna().equals(q)
        and ((table.loc[q, "p_UR_if_DE"] > 0.5) == (table.loc[q, "label"] == "UR")).all()
    )


def test_wrong_labels_lower_the_score_by_as_many_genes(published, run_cli, tmp_path):
    folder, codes, part = published
    wrong = codes[part == "T3"]
    wrong[:7] = 1 - wrong[:7]
    np.savetxt(folder / "TCGA-CHOL_bio_test_label.txt", wrong, fmt="%d")
    done = run_cli(
        "predict",
        "--source",
        "published",
        "--data-dir",
        folder,
        "--cancer",
        "CHOL",
        "--out",
        tmp_path / "p.csv",
    )
    assert len(re.findall(r", 7 wrong", done.out)) == 2
    scores = score(pd.read_csv(tmp_path / "p.csv"))
    n_q = int((part != "T2").sum())
    assert scores.loc[scores["part"] == "Q", "accuracy"].tolist() == pytest.approx(
        [1 - 7 / n_q] * 2
    )
    assert (scores["accuracy_low"] <= scores["accuracy"]).all() and (
        scores["accuracy_high"] >= scores["accuracy"]
    ).all()


def test_without_bio_genes_no_direction_is_scored_and_training_cancers_are_named(
    published, run_cli, tmp_path
):
    folder = published[0]
    for stem in ("bio_fine_tune", "bio_test"):
        (folder / f"TCGA-CHOL_{stem}.csv").unlink()
    done = run_cli(
        "predict",
        "--source",
        "published",
        "--data-dir",
        folder,
        "--cancer",
        "CHOL",
        "--out",
        tmp_path / "p.csv",
    )
    assert (
        done.code == 0
        and "two-class network" not in done.out
        and "directions are not scored" in done.out
        and "three-class network" in done.out
    )
    scores = score(pd.read_csv(tmp_path / "p.csv"))
    assert not any("no test scores" in line for line in score_lines("CHOL", scores))
    assert "no test scores" in score_lines("KIRC", scores)[-1]


def test_the_card_shows_its_limits_and_the_help_says_the_same(run_cli):
    done = run_cli("predict", "--card")
    assert done.code == 0 and done.err == ""
    known = card()
    for limit in known["limits"]:
        assert limit in done.out
    assert (
        done.out.count("matches the file") == len(known["files"]) == 5
        and "DOES NOT" not in done.out
    )
    for cancer, scores in known["three_class_untrained"].items():
        assert (
            f"- {cancer}: accuracy {scores['t2_accuracy']:.4f}, MCC {scores['t2_mcc']:.4f}"
            in done.out
        )
    for name, scores in known["standard_untrained"].items():
        assert f"- {name}: MCC {scores['mcc']:.4f}" in done.out
    low, high = neutral_range()
    said = f"MCC was {low:.2f} to {high:.2f}"
    assert said in " ".join(run_cli("predict", "--help").out.split()), (
        f"the help's figures are not the card's: {said}"
    )


def test_the_card_tells_weights_that_were_changed(monkeypatch, tmp_path):
    for path in WEIGHTS.iterdir():
        (tmp_path / path.name).write_bytes(
            path.read_bytes() + (b" " if "two" in path.name else b"")
        )
    monkeypatch.setattr(model_card, "WEIGHTS", tmp_path)
    assert card_text().count("DOES NOT match the file") == 1


@pytest.mark.parametrize("cancer", ["BLCA", "CHOL", "HNSC", "KICH", "READ", "STAD"])
def test_published_cohorts_never_trained_on_are_right_for_99_percent_of_q(
    cancer, real_data, run_cli, tmp_path
):
    done = run_cli(
        "predict",
        "--source",
        "published",
        "--data-dir",
        real_data,
        "--cancer",
        cancer,
        "--out",
        tmp_path / "p.csv",
    )
    assert done.code == 0 and "no test scores" not in done.out
    scores = score(pd.read_csv(tmp_path / "p.csv")).set_index(["model", "part"])
    network = scores.loc[("two-class network", "Q")]
    expected = json.loads((WEIGHTS / "model_card.json").read_text())["transfer"][cancer]
    assert (
        network["accuracy"] >= 0.99
        and network["mcc"] >= 0.97
        and network["n"] == expected["n_genes"]
    )
    assert network["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-4)
    assert scores.loc[("log-fold-change rule", "Q"), "accuracy"] == pytest.approx(
        expected["rule_accuracy"], abs=1e-4
    )


def test_pairs_that_are_none_are_refused_before_any_work(planted, is_helpful, monkeypatch):
    monkeypatch.setattr("degnext.prediction.predict.predict_cohort", None)
    alone = planted.counts.columns.to_series()
    for cohort, said in ((planted, "no pairs"), (replace(planted, pairs=alone), "fewer than two")):
        with pytest.raises(InputError, match=said) as caught:
            degnext.predict(cohort, paired=True)
        assert is_helpful(str(caught.value))


def test_pairs_are_tested_within_patients(planted):
    samples = planted.counts.columns
    pairs = pd.Series([f"P{name[1:]}" for name in samples], samples)  # ten of N and T
    table = degnext.predict(replace(planted, pairs=pairs), paired=True)
    called, truth = table["paired_fdr"] < 0.01, truth_of(planted)
    up = table["paired_log2_fold_change"] > 0
    assert called[truth != "neutral"].mean() > 0.97 and up[truth == "UR"].all()
    assert "Within 10 patients" in " ".join(table.attrs["notes"])
    assert (table["class"] == degnext.predict(planted)["class"]).all()
