"""reproduction.ranks: against Demšar's 2006 paper, and what the tables leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from degnext._common.errors import InputError
from degnext.evaluation.experiments import method_names
from degnext.evaluation.metrics import result_row, result_table
from degnext.figures.scores import heat_map, rank_plot
from reproduction.ranks import critical_difference, rank_methods, rank_table, score_table

# Demšar 2006, Table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 data sets
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
DEMSAR = pd.DataFrame(DEMSAR, columns=["C4.5", "+m", "+cf", "+m+cf"])


@pytest.mark.parametrize(
    ("k", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (10, 3.164)]
)
def test_the_critical_values_are_demsars(k, q):
    assert critical_difference(k, 14) == pytest.approx(
        q * np.sqrt(k * (k + 1) / (6 * 14)), abs=1e-3
    )


def test_demsars_example():
    found = rank_methods(DEMSAR)
    assert found.ranks.round(3).to_dict() == {
        "+m+cf": 1.964,
        "+m": 2.000,
        "+cf": 2.893,
        "C4.5": 3.143,
    }
    assert found.critical_difference == pytest.approx(1.25, abs=0.01) and found.n_cohorts == 14
    ties = 1 - (6 + 6 + 60 + 6) / (
        14 * 4 * 15
    )  # three pairs and one row of four; Demšar's χ² = 9.28 is without this correction
    assert found.friedman_p == pytest.approx(chi2.sf(9.28 / ties, 3), rel=0.01)
    assert found.ranks.sum() == pytest.approx(10)
    apart = found.pairwise_p.loc["C4.5"] < 0.05  # Nemenyi's p and the critical difference agree
    assert not apart.any() and found.pairwise_p.at["C4.5", "+m+cf"] == pytest.approx(
        0.075, abs=0.01
    )


def test_equal_methods_are_no_finding():
    same = pd.DataFrame(np.ones((5, 4)), columns=list("abcd"))
    found = rank_methods(same)
    assert found.friedman_p == 1 and (found.ranks == 2.5).all()


def test_gaps_and_single_methods_are_refused(is_helpful):
    with pytest.raises(InputError, match="no score of") as caught:
        rank_methods(DEMSAR.mask(DEMSAR == 0.599))
    assert is_helpful(str(caught.value))
    with pytest.raises(InputError, match="cannot be compared"):
        critical_difference(1, 3)


def table(*entries: tuple[str, str, str, float]) -> pd.DataFrame:
    scores = dict.fromkeys(["accuracy", "recall"], 0.0)
    return result_table(
        [
            result_row(
                cancer=c,
                model=m,
                protocol=p,
                experiment="general",
                part="T3",
                scores=scores | {"mcc": v},
            )
            for c, m, p, v in entries
        ]
    )


def test_a_method_keeps_its_bare_name_when_it_has_one_kind_of_input():
    rows = table(
        ("CHOL", "SVM", "raw row", 0.1),
        ("CHOL", "SVM", "log-CPM row", 0.2),
        ("CHOL", "ProfileCNN", "profile image", 0.3),
    )
    assert method_names(rows).tolist() == ["SVM, raw row", "SVM, log-CPM row", "ProfileCNN"]


def test_rare_methods_go_before_cohorts_do():
    rows = table(
        *[(c, m, "x", 0.5) for c in ("CHOL", "KICH", "READ", "STAD") for m in ("a", "b")],
        ("CHOL", "rare", "x", 0.9),
        *[(c, "c", "x", 0.1) for c in ("CHOL", "KICH", "READ")],
    )
    found = score_table(rows, "T3")
    assert found.columns.tolist() == ["a", "b", "c"] and found.index.tolist() == [
        "CHOL",
        "KICH",
        "READ",
    ]


def test_the_plots_show_every_method():
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2)
    found = rank_methods(DEMSAR)
    rank_plot(found.ranks, found.critical_difference, axes[0], ["+m"])
    heat_map(DEMSAR.T, axes[1])
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [
        "+m+cf",
        "+m",
        "+cf",
        "C4.5",
    ] and len(axes[1].texts) == DEMSAR.size
    plt.close(fig)


def test_the_table_of_ranks_starts_with_the_first_of_each_part():
    better = [(c, m, "x", v) for c in ("CHOL", "KICH", "READ") for m, v in (("a", 0.9), ("b", 0.1))]
    found = rank_table(table(*better, ("CHOL", "c", "x", 0.5), ("KICH", "c", "x", 0.5)), ("T3",))
    assert found["method"].tolist() == ["a", "c", "b"] and (found["n_cohorts"] == 2).all()
    assert found["p_first"].iloc[0] == 1 and found["p_first"].is_monotonic_decreasing
