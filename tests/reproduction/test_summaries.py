"""reproduction.summaries: what chapters 5, 6 and 8 show of the records, from rows made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from degnext.evaluation.experiments import CNN, IMAGE, RAW, RULE, SCALED
from degnext.evaluation.metrics import result_row, result_table
from reproduction import small_samples as small
from reproduction import summaries


def table(*entries: tuple[str, str, str, float]) -> pd.DataFrame:
    rows = []
    for cancer, model, protocol, score in entries:
        about = {"cancer": cancer, "model": model, "protocol": protocol, "source": "published"}
        scores = {"mcc": score, "accuracy": score, "n": 100}
        rows.append(result_row(**about, experiment="general", part="T3", scores=scores))
    return result_table(rows)


def test_two_methods_are_compared_where_both_were_run():
    rows = table(
        *[(c, "a", "x", v) for c, v in (("CHOL", 0.9), ("KICH", 0.8), ("READ", 0.5))],
        *[(c, "b", "y", v) for c, v in (("CHOL", 0.8), ("KICH", 0.85), ("STAD", 1.0))],
    )
    found = summaries.versus(rows, "T3", ("a", "x"), ("b", "y"))
    assert [found[k] for k in ("cohorts", "ahead", "level", "behind")] == [2, 1, 0, 1]
    assert found["mean_points"] == pytest.approx(2.5) and found["lowest_in"] == "KICH"
    assert (found["genes_more"], found["genes_fewer"], found["genes"]) == (10, 5, 200)
    assert summaries.versus(rows, "Q", ("a", "x"), ("b", "y"))["cohorts"] == 0


def rows_of(**accuracy: float) -> pd.DataFrame:
    names = {
        "network": (CNN, IMAGE),
        "unaligned": (f"{CNN}, not aligned", IMAGE),
        "rule": (RULE, SCALED),
        "svm": ("SVM", RAW),
        "ceiling": ("ceiling", ""),
        "sign": ("sign of the noisy difference", ""),
    }
    return pd.DataFrame(
        [
            {
                "cancer": "CHOL",
                "reading": "relative",
                "level": 500,
                "model": names[k][0],
                "protocol": names[k][1],
                "accuracy": v,
                "accuracy_sd": 0.0,
                "balanced": v / 2,
            }
            for k, v in accuracy.items()
        ]
    )


def test_the_verdict_names_the_best_other_method_and_no_variant_of_the_network():
    found = summaries.against_ceiling(
        rows_of(network=0.8, unaligned=0.95, rule=0.7, svm=0.85, ceiling=0.9, sign=0.82)
    ).iloc[0]
    assert (
        found["accuracy"],
        found["ceiling"],
        found["sign"],
        found["best_other"],
        found["best_other_name"],
    ) == (0.8, 0.9, 0.82, 0.85, "SVM, raw row")
    assert found["best_other_balanced"] == 0.425


def drawn() -> pd.DataFrame:
    rows = [
        dict(
            cancer=c,
            k=2,
            draw=d,
            method=m,
            scaling="TMM",
            cut=cut,
            mcc=base + shift + 0.01 * d,
            average_precision=0.5,
            direction=0.9,
        )
        for c, base in (("A", 0.1), ("B", 0.5))
        for d in range(5)
        for m, cut, shift in (
            (small.NETWORK, "most probable", 0.2),
            (small.QL, "FDR 0.01", 0.0),
            (small.QL, "FDR 0.05", 0.1),
        )
    ]
    return pd.DataFrame(rows)


def test_the_lead_is_taken_against_the_best_test():
    lead = summaries.lead_over_peers(drawn()).set_index("cancer")
    assert lead.loc["mean", "mcc"] == pytest.approx(0.1) == lead.loc["A", "mcc"]
    assert lead.loc["mean", "average_precision"] == pytest.approx(0)


def test_a_method_that_lacks_draws_is_left_out_at_that_size():
    table = pd.concat([drawn(), drawn().assign(k=3)], ignore_index=True)
    lacks = (
        (table["method"] == small.QL)
        & (table["k"] == 3)
        & (table["cancer"] == "B")
        & (table["draw"] == 4)
    )
    kept = summaries.complete(table[~lacks])
    assert set(kept.loc[kept["k"] == 3, "method"]) == {small.NETWORK} and set(
        kept.loc[kept["k"] == 2, "method"]
    ) == {small.NETWORK, small.QL}
    assert len(summaries.complete(table)) == len(table)
