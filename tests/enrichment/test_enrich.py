"""degnext.enrichment.analysis: against SciPy's hypergeometric tail; the background matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, hypergeom

from degnext._common.errors import InputError
from degnext.enrichment.analysis import enrich, gene_symbols, preranked
from degnext.enrichment.gene_sets import load_gene_sets, read_gmt

BACKGROUND = [f"G{i}" for i in range(1000)]
HITS = BACKGROUND[:60]


def gene_sets(seed: int = 0) -> dict[str, list[str]]:
    """Twenty random sets, one planted among the hits, one without any, some too small or large."""
    rng = np.random.default_rng(seed)
    sets = {
        f"random {i}": rng.choice(BACKGROUND, size=20 + 5 * i, replace=False).tolist()
        for i in range(20)
    }
    sets["planted"] = BACKGROUND[:25] + BACKGROUND[900:915] + ["not a gene of the background"]
    sets["without a hit"] = BACKGROUND[500:530]
    sets["too small"] = BACKGROUND[:4] + [f"elsewhere {i}" for i in range(30)]
    sets["too large"] = BACKGROUND[:600]
    return sets


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return enrich([*HITS, "unknown"], BACKGROUND, gene_sets()).set_index("term")


def test_p_is_the_upper_hypergeometric_tail(table):
    hits = set(HITS)
    for name, members in gene_sets().items():
        if name in ("too small", "too large"):
            continue
        inside = set(members) & set(BACKGROUND)
        overlap = len(inside & hits)
        assert (table.at[name, "overlap"], table.at[name, "size"]) == (overlap, len(inside))
        expected = hypergeom.sf(overlap - 1, len(BACKGROUND), len(inside), len(hits))
        assert table.at[name, "p_value"] == pytest.approx(expected, abs=1e-10, rel=0), name
        assert set(table.at[name, "genes"].split()) == inside & hits


def test_p_is_what_counting_gives():
    """Twelve genes, four called, a set of five with three hits: 75 of 495 draws have as many."""
    table = enrich(list("abcd"), list("abcdefghijkl"), {"set": list("abcef")})
    assert table.at[0, "overlap"] == 3 and table.at[0, "p_value"] == pytest.approx(
        (10 * 7 + 5 * 1) / 495, abs=1e-12
    )
    assert table.at[0, "odds_ratio"] == pytest.approx(3.5 * 6.5 / (2.5 * 1.5))


def test_q_is_benjamini_hochberg_over_all_tested_sets_with_and_without_hits(table):
    assert table.at["without a hit", "overlap"] == 0 and table.at["without a hit", "p_value"] == 1
    np.testing.assert_allclose(
        table["q_value"], false_discovery_control(table["p_value"]), rtol=1e-12
    )
    with_hits = table["overlap"] > 0
    assert (~with_hits).sum() > 0 and (
        table["q_value"][with_hits] != false_discovery_control(table["p_value"][with_hits])
    ).any()


def test_sets_are_cut_to_the_background_before_their_size_is_judged(table):
    assert "too small" not in table.index and "too large" not in table.index and len(table) == 22
    assert table.at["planted", "size"] == 40
    wider = enrich(HITS, BACKGROUND, gene_sets(), smallest=4, largest=600)
    assert {"too small", "too large"} <= set(wider["term"])


def test_the_planted_set_is_found_and_random_ones_are_not(table):
    assert table.index[0] == "planted" and table["q_value"].iloc[0] < 1e-10
    assert (table["q_value"].drop("planted") > 0.05).all()
    assert table["p_value"].is_monotonic_increasing


def test_the_background_matters(table):
    genome = enrich(HITS, BACKGROUND + [f"X{i}" for i in range(19_000)], gene_sets()).set_index(
        "term"
    )
    assert (genome["q_value"] < 0.05).sum() > 5 * (table["q_value"] < 0.05).sum()
    only_hits = enrich(HITS, HITS, gene_sets())
    assert np.allclose(only_hits["p_value"], 1)


def test_repeats_do_not_count_twice():
    once, twice = (enrich(HITS * n, BACKGROUND * n, gene_sets()) for n in (1, 2))
    pd.testing.assert_frame_equal(once, twice)


def test_no_called_gene_gives_p_of_one():
    nothing = enrich([], BACKGROUND, gene_sets())
    assert (
        (nothing["p_value"] == 1).all()
        and (nothing["q_value"] == 1).all()
        and (nothing["overlap"] == 0).all()
    )


def test_names_of_another_kind_are_an_error(is_helpful):
    with pytest.raises(InputError, match="same names") as caught:
        enrich(["ENSG1"], ["ENSG1", "ENSG2"], gene_sets())
    assert is_helpful(str(caught.value))


def test_gsea_puts_planted_sets_at_their_ends_with_the_right_sign():
    rng = np.random.default_rng(0)
    score = pd.Series(rng.normal(size=1000), index=BACKGROUND)
    score[:40] += 2.5
    score[40:80] -= 2.5
    sets = {
        f"random {i}": rng.choice(BACKGROUND[80:], 40, replace=False).tolist() for i in range(10)
    } | {"up": BACKGROUND[:40], "down": BACKGROUND[40:80]}
    first, again = (preranked(score, sets, permutations=100, seed=0) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert first["term"].iloc[0] == "up" and first["term"].iloc[-1] == "down"
    ends = first.set_index("term").loc[["up", "down"]]
    assert (
        ends["nes"].tolist()[0] > 1.5
        and ends["nes"].tolist()[1] < -1.5
        and (ends["q_value"] < 0.05).all()
    )
    assert (first.set_index("term")["q_value"].drop(["up", "down"]) > 0.05).all()
    with pytest.raises(InputError, match="same names"):
        preranked(score.rename(lambda g: "other " + g), sets, permutations=10)


def test_a_gmt_file_is_read_with_weights_and_empty_fields_dropped(tmp_path):
    (tmp_path / "a.gmt").write_text("one\tabout\tB,1.0\tA\t\tA\n\ntwo (GO:1)\t\tC\n")
    assert read_gmt(tmp_path / "a.gmt") == {"one": ["A", "B"], "two (GO:1)": ["C"]}
    assert load_gene_sets(str(tmp_path / "a.gmt")) == read_gmt(tmp_path / "a.gmt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"one\tabout\tA\nno tabs here\n", "line 2 is no GMT line"),
        (b"\n\n", "holds no gene set"),
        (b"one\tabout\t\xff\xfe\n", "is no text"),
    ],
)
def test_a_broken_gmt_file_is_explained(tmp_path, content, said, is_helpful):
    (tmp_path / "a.gmt").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        load_gene_sets(str(tmp_path / "a.gmt"))
    assert is_helpful(str(caught.value))


def test_the_embedded_sets_are_there_and_others_say_where_to_put_them(is_helpful):
    demo = load_gene_sets()
    assert len(demo) > 50 and all(len(genes) >= 5 for genes in demo.values())
    for name, said in (("hallmrk", "did you mean 'hallmark'"), ("x.gmt", "no gene-set file")):
        with pytest.raises(InputError, match=said) as caught:
            load_gene_sets(name)
        assert is_helpful(str(caught.value))


@pytest.mark.parametrize(
    ("name", "at_least"), [("go_bp", 5000), ("kegg", 250), ("hallmark", 50), ("reactome", 2000)]
)
def test_the_shared_libraries_load(real_data, name, at_least):
    assert len(load_gene_sets(name)) >= at_least


def test_symbols_are_names_or_the_recovered_ones_or_an_error(cohort, make_labeled, is_helpful):
    assert gene_symbols(cohort).tolist() == cohort.counts.index.tolist()
    labeled = make_labeled()
    assert gene_symbols(labeled).tolist() == labeled.counts.index.tolist()
    symbols = ["TP53", *[""] * 79]
    genes = labeled.genes.assign(symbol=symbols)
    published = replace(labeled, genes=genes, name="KICH", source="published")
    assert gene_symbols(published).tolist() == symbols
    with pytest.raises(InputError, match="no gene symbols that belong to its rows") as caught:
        gene_symbols(replace(published, genes=labeled.genes.assign(symbol=""), name="HNSC"))
    assert is_helpful(str(caught.value))


def test_gene_sets_may_be_named_or_given(tmp_path):
    lines = [f"{name}\tabout\t" + "\t".join(genes) for name, genes in gene_sets().items()]
    (tmp_path / "a.gmt").write_text("\n".join(lines))
    from_file = enrich(HITS, BACKGROUND, str(tmp_path / "a.gmt"))
    pd.testing.assert_frame_equal(from_file, enrich(HITS, BACKGROUND, gene_sets()))
    demo = load_gene_sets("demo")
    first = next(iter(demo.values()))
    found = enrich(first, {gene for members in demo.values() for gene in members})
    assert found["q_value"].iloc[0] < 0.01 and set(found["genes"].iloc[0].split()) <= set(first)


@pytest.mark.parametrize("cancer", ["CHOL", "KICH", "READ"])
def test_the_planted_sets_are_found_and_the_control_is_not(cancer):
    """By the means that a twin is drawn from: 30 of 40 genes up or down by a factor of two."""
    from degnext.cohorts.demo import load_demo, load_parameters

    means = load_parameters(cancer)[0].loc[load_demo(cancer).counts.index]
    change = np.log2((means["tumor"] + 0.1) / (means["normal"] + 0.1))
    change -= change[means.max(axis=1) >= means.max(axis=1).median()].median()
    for way, hit in (("up", change > 1), ("down", change < -1)):
        found = enrich(means.index[hit], means.index, "demo").set_index("term")
        overlap, q = found.loc[f"planted: {way} in the {cancer} twin", ["overlap", "q_value"]]
        assert overlap >= 30 and q < 0.001
        assert found.loc[f"planted: control of the {cancer} twin", "q_value"] > 0.2
