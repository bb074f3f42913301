"""The committed scores: methods told apart, variants left out; tables and README true to them."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext._common.paths import data_dir
from degnext.cohorts.paper import paper_value
from degnext.evaluation.metrics import RESULT_COLUMNS
from degnext.evaluation.record import saved_results
from reproduction import readme_tables, scores
from reproduction.experiments.network_jobs import Job
from reproduction.experiments.network_runs import COLUMNS, SETTINGS
from reproduction.sentences import sentences
from reproduction.store import ROOT
from reproduction.tables import summaries

CORRECTED, OWN = scores.OURS["corrected"], scores.OURS["paper"]


def row(**values) -> dict:
    """One row of network.csv: transfer under the corrected protocol, all else as usual."""
    given = {"cancer": "CHOL", "experiment": "transfer", "protocol": "corrected", "part": "Q"}
    given |= {"model": "DEGnext", "fold": 0, "seed": 0, "n": 10, "accuracy": 0.9, "mcc": 0.8}
    given |= {"epochs": 2, "fine_tune_epochs": 2, "draws": 3, "max_samples": 90, "max_genes": 0}
    return dict.fromkeys(COLUMNS) | given | {"variant": "main", "note": "trained"} | values


def paper_row(epochs: int, fine_tune_epochs: int, **values) -> dict:
    """One row of transfer under the paper's protocol, on 45 samples."""
    given = {"protocol": "paper", "draws": 1, "max_samples": 45, "epochs": epochs}
    return row(**given | {"fine_tune_epochs": fine_tune_epochs} | values)


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Write tables where committed_scores looks for them."""
    monkeypatch.setattr(scores, "data_dir", lambda: tmp_path)
    (tmp_path / "results").mkdir()

    def write(network: list[dict], baselines: list[dict] | None = None) -> None:
        one = [{"model": "ProfileCNN", "protocol": "profile image"}]
        others = [row(**values) for values in (baselines or one)]
        for name, rows, columns in (
            ("network", network, COLUMNS),
            ("baselines", others, RESULT_COLUMNS),
        ):
            table = pd.DataFrame(rows, columns=list(columns))
            table.to_csv(tmp_path / "results" / f"{name}.csv", index=False)

    return write


def test_methods_are_told_apart_and_variants_left_out(committed):
    network = [row(), row(seed=1, accuracy=0.7), row(protocol="paper", accuracy=0.5)]
    network += [row(protocol="paper", variant="released", draws=1, epochs=None, accuracy=0.6)]
    network += [row(variant=v, accuracy=0.1) for v in ("relu", "left out", "target cut")]
    kinds = ("raw row", "SVM"), ("log-CPM row", "SVM"), ("profile image", "ProfileCNN")
    committed(network, [{"protocol": p, "model": m, "epochs": None} for p, m in kinds])
    table = scores.committed_scores()
    named = {CORRECTED, OWN, scores.RELEASED, "SVM, raw row", "SVM", "ProfileCNN"}
    assert set(table["method"]) == named
    mean = scores.mean_scores(table, "Q").loc["CHOL"]
    assert mean.at[CORRECTED, "accuracy"] == pytest.approx(0.8) and mean.at[CORRECTED, "runs"] == 2
    shown = scores.beside_paper(table, "transfer", "Q").loc["CHOL"]
    accuracy, mcc = (paper_value("CHOL", "transfer", v) for v in ("accuracy", "mcc"))
    assert shown[scores.PAPER] == f"{accuracy:.1f} %, {mcc:.2f}" and shown["genes"] == "10"
    assert (shown[CORRECTED], shown[scores.RELEASED]) == ("80.0 %, 0.80", "60.0 %, 0.80")
    assert "log-fold-change rule" not in shown  # not run: no column


def test_of_several_runs_the_fullest_is_shown(committed):
    few_draws = row(draws=1, epochs=12, accuracy=0.3)
    committed([row(epochs=4, accuracy=0.4), few_draws, row(epochs=12, accuracy=0.5)])
    mean = scores.mean_scores(scores.committed_scores(), "Q").loc["CHOL"]
    assert mean.at[CORRECTED, "accuracy"] == 0.5 and mean.at[CORRECTED, "runs"] == 1


def test_what_was_not_run_is_a_dash(committed):
    committed([row(), row(cancer="KICH")])
    shown = scores.beside_paper(scores.committed_scores(), "transfer", "Q")
    assert shown.at["KICH", "ProfileCNN"] == "–" and shown.at["CHOL", "ProfileCNN"] != "–"
    assert scores.PAPER not in scores.beside_paper(scores.committed_scores(), "", "Q")


def test_a_missing_table_says_how_to_make_it(committed, tmp_path, is_helpful):
    committed([row()])
    (tmp_path / "results" / "baselines.csv").unlink()
    with pytest.raises(InputError) as error:
        scores.committed_scores()
    assert "reproduction.experiments.baselines" in str(error.value) and is_helpful(str(error.value))


def test_what_training_lacks_is_told_by_what_it_was_given(committed):
    rows = [
        paper_row(20, 31, accuracy=0.5),
        paper_row(20, 31, accuracy=0.6, seed=1),
        paper_row(50, 31, accuracy=0.7),
        paper_row(10, 10, accuracy=0.8, max_samples=0),
        paper_row(92, 84, accuracy=0.4, max_genes=250, variant="few genes"),
        paper_row(50, 31, accuracy=0.1, variant="target cut"),
        paper_row(0, 0, accuracy=0.9, variant="released"),
        row(accuracy=0.2),
    ]
    said = scores.what_training_lacks(pd.DataFrame(rows))["CHOL"]
    assert said["45", "all at hand", "20 + 31", "whole"].to_list() == [0.5, 0.6]
    assert said["45", "250", "92 + 84", "whole", 0] == 0.4
    assert said["all", "all at hand", "10 + 10", "whole", 0] == 0.8
    assert said["45", "all at hand", "50 + 31", "45", 0] == 0.1
    printed = paper_value("CHOL", "transfer", "accuracy") / 100
    assert said.to_list()[-2:] == pytest.approx([0.9, printed]) and len(said) == 8
    assert scores.PAPER not in scores.what_training_lacks(pd.DataFrame(rows), "mcc").index
    committed(rows)
    mean = scores.mean_scores(scores.committed_scores(), "Q").loc["CHOL"]
    assert mean.at[OWN, "accuracy"] == 0.7 and mean.at[OWN, "runs"] == 1  # most epochs, all genes


def test_every_row_of_the_network_has_a_record_with_its_settings():
    table = pd.read_csv(data_dir() / "results" / "network.csv")
    assert list(table.columns) == list(COLUMNS) and table["variant"].notna().all()
    records = json.loads((data_dir() / "results" / "network.run.json").read_text())
    known = set(Job.__dataclass_fields__)
    jobs = [Job(**{k: v for k, v in r.items() if k in known}) for r in records.values()]
    same = ["protocol", "seed", "fold", "draws", "max_samples", "max_genes", "relu"]
    recorded = {tuple(str(getattr(job, k)) for k in same) for job in jobs}
    assert {tuple(map(str, values)) for values in table[same].to_numpy()} <= recorded
    trained = table[table["variant"] != "released"]
    assert trained[["epochs", "fine_tune_epochs"]].notna().all(axis=None)
    assert set(SETTINGS) <= set(table)


def test_the_finished_tables_are_what_the_scores_say():
    for name, table in summaries().items():
        again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
        # where they differ: run python -m reproduction.tables
        pd.testing.assert_frame_equal(again, saved_results(name))


def test_the_sentences_know_their_runs():
    said = sentences(scores.committed_scores(), scores.read_scores("network"))
    assert set(said["topic"]) >= {"given", "training", "samples", "general", "draws", "summary"}
    assert not said["text"].str.contains("nan").any()


def test_the_readme_shows_what_the_committed_tables_say():
    shown = readme_tables.between_markers((ROOT / "README.md").read_text())
    wanted = readme_tables.text(scores.committed_scores())
    assert shown == wanted, "run python -m reproduction.readme_tables"
