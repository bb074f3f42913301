"""reproduction.tables: the committed scores, averaged and laid beside the paper's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from degnext._common.errors import InputError
from degnext.cohorts.paper import paper_value
from degnext.evaluation.metrics import RESULT_COLUMNS
from reproduction import readme_tables
from reproduction import tables as results


def row(**values) -> dict:
    given = dict(
        cancer="CHOL",
        source="published",
        experiment="transfer",
        protocol="corrected",
        model="DEGnext",
        part="Q",
        fold=0,
        seed=0,
        n=10,
        accuracy=0.9,
        accuracy_low=0.8,
        accuracy_high=1.0,
        mcc=0.8,
        mcc_low=0.7,
        mcc_high=0.9,
        note="",
    )
    return dict.fromkeys(RESULT_COLUMNS) | given | values


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Write tables where committed_scores looks for them."""
    monkeypatch.setattr(results, "data_dir", lambda: tmp_path)
    (tmp_path / "results").mkdir()

    def write(name: str, rows: list[dict]) -> None:
        pd.DataFrame(rows, columns=list(RESULT_COLUMNS)).to_csv(
            tmp_path / "results" / f"{name}.csv", index=False
        )

    return write


def test_methods_are_told_apart_and_variants_left_out(committed):
    committed(
        "network",
        [
            row(),
            row(seed=1, accuracy=0.7),
            row(protocol="paper", accuracy=0.5),
            row(protocol="paper", note="the authors' released weights", accuracy=0.6),
            row(note="trained on T1; relu=conv", accuracy=0.1),
            row(note="LUSC and UCEC left out", accuracy=0.1),
        ],
    )
    committed(
        "baselines",
        [
            row(model="SVM", protocol="raw row"),
            row(model="SVM", protocol="log-CPM row"),
            row(model="ProfileCNN", protocol="profile image", accuracy=1.0),
        ],
    )
    table = results.committed_scores()
    assert set(table["method"]) == {
        *results.OURS.values(),
        results.RELEASED,
        "SVM, raw row",
        "SVM",
        "ProfileCNN",
    }
    mean = results.mean_scores(table, "Q").loc["CHOL"]
    assert (
        mean.at[results.OURS["corrected"], "accuracy"] == pytest.approx(0.8)
        and mean.at[results.OURS["corrected"], "runs"] == 2
    )
    shown = results.beside_paper(table, "transfer", "Q").loc["CHOL"]
    assert (
        shown[results.PAPER]
        == f"{paper_value('CHOL', 'transfer', 'accuracy'):.1f} %, {paper_value('CHOL', 'transfer', 'mcc'):.2f}"
    )
    assert (
        shown[results.OURS["corrected"]] == "80.0 %, 0.80"
        and shown[results.RELEASED] == "60.0 %, 0.80"
        and shown["genes"] == "10"
    )
    assert "log-fold-change rule" not in shown  # not run: no column


def test_what_was_not_run_is_a_dash(committed):
    committed("network", [row(), row(cancer="KICH")])
    committed("baselines", [row(model="ProfileCNN", protocol="profile image")])
    shown = results.beside_paper(results.committed_scores(), "transfer", "Q")
    assert shown.at["KICH", "ProfileCNN"] == "–" and shown.at["CHOL", "ProfileCNN"] != "–"
    assert results.PAPER not in results.beside_paper(results.committed_scores(), "", "Q")


def test_a_missing_table_says_how_to_make_it(committed, is_helpful):
    committed("network", [row()])
    with pytest.raises(InputError) as error:
        results.committed_scores()
    assert "reproduction.experiments.baselines" in str(error.value) and is_helpful(str(error.value))


def test_what_training_lacks_is_told_from_the_notes(committed):
    mine = "trained on T2, F1 at hand; "
    rows = [
        row(
            protocol="paper", note=mine + "20 + 31 epochs; cohorts cut to 45 samples", accuracy=0.5
        ),
        row(
            protocol="paper",
            seed=1,
            note=mine + "20 + 31 epochs; cohorts cut to 45 samples",
            accuracy=0.6,
        ),
        row(
            protocol="paper", note=mine + "50 + 31 epochs; cohorts cut to 45 samples", accuracy=0.7
        ),
        row(protocol="paper", note=mine + "10 + 10 epochs", accuracy=0.8),
        row(
            protocol="paper",
            note=mine
            + "92 + 84 epochs; cohorts cut to 45 samples; at most 250 genes a cohort and stage",
            accuracy=0.4,
        ),
        row(
            protocol="paper",
            note=mine + "50 + 31 epochs; cohorts cut to 45 samples; target cut to 45 samples",
            accuracy=0.1,
        ),
        row(protocol="paper", note="the authors' released weights", accuracy=0.9),
        row(accuracy=0.2),
    ]
    committed("network", rows)
    committed("baselines", [row(model="ProfileCNN", protocol="profile image")])
    said = results.what_training_lacks(pd.DataFrame(rows))["CHOL"]
    assert (
        said["45", "all at hand", "20 + 31", "whole"].to_list() == [0.5, 0.6]
        and said["45", "250", "92 + 84", "whole", 0] == 0.4
    )
    assert (
        said["all", "all at hand", "10 + 10", "whole", 0] == 0.8
        and said["45", "all at hand", "50 + 31", "45", 0] == 0.1
    )
    assert (
        said.iloc[-2] == 0.9
        and said.iloc[-1] == pytest.approx(paper_value("CHOL", "transfer", "accuracy") / 100)
        and len(said) == 8
    )
    assert "the paper" not in results.what_training_lacks(pd.DataFrame(rows), "mcc").index
    mean = results.mean_scores(results.committed_scores(), "Q").loc["CHOL"]
    assert (
        mean.at[results.OURS["paper"], "accuracy"] == 0.7
        and mean.at[results.OURS["paper"], "runs"] == 1
    )  # the most epochs, every gene


def test_the_readme_shows_what_the_committed_tables_say():
    root = Path(__file__).resolve().parents[2]
    shown = (
        (root / "README.md")
        .read_text()
        .split("<!-- results -->\n")[1]
        .split("\n<!-- end of results -->")[0]
    )
    assert shown == readme_tables.text(results.committed_scores()), (
        "run python -m reproduction.readme_tables"
    )
