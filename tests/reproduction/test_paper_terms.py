"""The paper's terms: each has a counterpart, planted ones are found, listed genes are counted."""

from __future__ import annotations

import pandas as pd
import pytest

from degnext.cohorts.paper import paper_table
from degnext.enrichment.gene_sets import load_gene_sets
from reproduction.experiments.paper_terms import (
    COLUMNS,
    counterparts,
    listed_genes,
    term_table,
    verdict,
    with_unions,
)

UP = [f"U{i}" for i in range(30)]
DOWN = [f"D{i}" for i in range(30)]
OTHER = [f"O{i}" for i in range(400)]
LIBRARIES = {
    "go_bp": {
        "cell-cell adhesion (GO:1)": UP[:10],
        "cell-matrix adhesion (GO:2)": DOWN[:10],
        "negative regulation of cell adhesion (GO:3)": OTHER[:50],
        "filler": OTHER,
    },
    "reactome": {
        "Integrin signaling": OTHER[:30] + UP[:1],
        "Rho GTPase cycle": OTHER[30:60],
        "filler": OTHER + DOWN,
    },
    "kegg": {"Glioma Homo sapiens hsa05214": OTHER[:20], "filler": OTHER},
}


def test_every_term_of_the_paper_has_one_counterpart():
    table = counterparts()
    assert set(table.query("table == 4")["paper_term"]) == set(paper_table(4)["term"]) and set(
        table.query("table == 5")["paper_term"]
    ) == set(paper_table(5)["pathway"])
    assert not table.duplicated("paper_term").any() and set(table["how"]) == {
        "same",
        "near",
        "union",
    }


def test_a_union_takes_what_its_pattern_names_and_no_regulation():
    sets, names = with_unions(LIBRARIES["go_bp"], "go_bp")
    assert (
        sets[names["Cell adhesion"]] == sorted(UP[:10] + DOWN[:10])
        and "union of 2 sets" in names["Cell adhesion"]
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    genes = pd.DataFrame(
        {"name": UP + DOWN + OTHER[:200], "call": [1] * 30 + [0] * 30 + [-1] * 200}
    )
    return term_table(genes, "BRCA", "published", LIBRARIES)


def test_planted_enrichment_is_found_and_split_by_call(table):
    row = table.query(
        "paper_term == 'Cell adhesion' and background == 'library' and genes_of == 'UR and DR'"
    ).iloc[0]
    assert (
        row["reproduced"] == "yes"
        and row["overlap"] == 20
        and row["ur_genes"].split() == sorted(UP[:10])
        and row["dr_genes"].split() == sorted(DOWN[:10])
    )
    assert (
        row["paper_q"] == 8.39e-3
        and table.query("paper_term == 'RhoGDI signaling'")["reproduced"].eq("no").all()
    )
    assert table.columns.tolist() == list(COLUMNS)


def test_only_the_cancers_own_terms_are_tested_in_both_backgrounds(table):
    assert set(table["paper_term"]) == set(paper_table(4).query("cancer == 'BRCA'")["term"]) | set(
        paper_table(5).query("cancer == 'BRCA'")["pathway"]
    )
    assert (
        len(table) == 17 * 2 * 3
        and table.query("paper_term == 'ILK signaling'")["reproduced"].eq("too small to test").all()
    )
    assert set(table.query("background == 'tested'")["n_background"]) == {260}


def test_listed_genes_are_counted_by_name_and_direction():
    genes = pd.DataFrame({"name": ["A", "B", "C"], "call": [1, 1, -1]})
    row = pd.Series({"ur_genes": "A X", "dr_genes": "B C"})
    assert listed_genes(row, genes) == {"listed": 4, "listed_found": 2, "listed_same_direction": 1}


@pytest.mark.parametrize(
    ("p", "q", "said"), [(0.001, 0.01, "yes"), (0.001, 0.2, "p < 0.05 only"), (0.3, 1, "no")]
)
def test_the_verdict(p, q, said):
    assert verdict(p, q) == said


def test_the_shared_libraries_hold_every_counterpart(real_data):
    for library in ("go_bp", "reactome", "kegg"):
        sets, names = with_unions(load_gene_sets(library), library)
        assert all(len(sets[name]) >= 5 for name in names.values())
