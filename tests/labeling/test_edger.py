"""edgeR's tests against stored R results, and what must hold for any data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammainc, gammaincc

from degnext._common.errors import InputError
from degnext.labeling import differential_expression as edger
from degnext.labeling.edger import dispersion, exact, qcml, quantile_map, trend

REFERENCE = Path(__file__).parents[1] / "reference"
COLUMNS = {
    "log_fc": "logFC",
    "log_cpm": "logCPM",
    "stat": ("LR", "F"),
    "p_value": "PValue",
    "fdr": "FDR",
    "dispersion": ("dispersion", "tagwise"),
}


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / name, index_col=0)


def groups_of(counts: pd.DataFrame) -> pd.Series:
    return pd.Series(
        ["normal" if name.startswith("N") else "tumor" for name in counts.columns],
        index=counts.columns,
    )


def toy() -> tuple[pd.DataFrame, pd.Series]:
    genes = (REFERENCE / "r_toy/filter_quantile_025.txt").read_text().split()
    counts = read("r_toy/counts.csv").loc[genes]
    return counts, groups_of(counts)


def edge() -> tuple[pd.DataFrame, pd.Series]:
    counts = read("r_edge/counts.csv")
    return counts, groups_of(counts)


def simulated(seed: int = 3, n_genes: int = 600) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    rng = np.random.default_rng(seed)
    fold = np.zeros(n_genes)
    fold[:60], fold[60:120] = 2.0, -2.0
    mean = 2 ** rng.uniform(4, 11, n_genes)
    mean[60:120] = mean[:60][
        : max(0, n_genes - 60)
    ]  # as much goes up as goes down, so library sizes stay comparable
    tumor = np.arange(18) >= 8
    rate = (
        mean[:, None]
        * 2.0 ** np.where(tumor, fold[:, None] / 2, -fold[:, None] / 2)
        * rng.uniform(0.5, 2.0, 18)
    )
    counts = rng.negative_binomial(1 / 0.1, 1 / (1 + 0.1 * rate))
    names = [f"N{i}" for i in range(8)] + [f"T{i}" for i in range(10)]
    counts = pd.DataFrame(counts, index=[f"G{i}" for i in range(n_genes)], columns=names)
    return counts, groups_of(counts), fold


def assert_like_r(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    assert list(ours.index) == list(theirs.index)
    for column, names in COLUMNS.items():
        present = [name for name in np.atleast_1d(names) if name in theirs]
        for name in present:
            # a statistic is a difference of two deviances: near zero only absolute error counts
            np.testing.assert_allclose(
                ours[column], theirs[name], rtol=1e-6, atol=1e-9, err_msg=column
            )


@pytest.mark.parametrize(
    ("data", "file", "method", "kind"),
    [
        (toy, "r_toy/glm_lrt.csv", "lrt", None),
        (toy, "r_toy/exact_common.csv", "exact", None),
        (toy, "r_toy/exact_tagwise.csv", "exact", "tagwise"),
        (toy, "r_toy/glm_ql.csv", "ql", None),
        (edge, "r_edge/lrt_tagwise.csv", "lrt", "tagwise"),
        (edge, "r_edge/lrt_common.csv", "lrt", "common"),
        (edge, "r_edge/exact_common.csv", "exact", "common"),
        (edge, "r_edge/exact_tagwise.csv", "exact", "tagwise"),
        (edge, "r_edge/ql.csv", "ql", None),
    ],
)
def test_tables_equal_r(data, file, method, kind):
    counts, groups = data()
    assert_like_r(
        edger.differential_expression(counts, groups, method=method, dispersion=kind), read(file)
    )


@pytest.mark.parametrize(
    ("data", "method", "library_size"),
    [(toy, "lrt", "upper_quartile")]
    + [(data, method, "tmm") for data in (toy, edge) for method in ("lrt", "exact", "ql")],
)
def test_library_sizes_equal_r(data, method, library_size):
    counts, groups = data()
    how = dict(method=method, library_size=library_size)
    ours = edger.differential_expression(
        counts, groups, **how, dispersion=None if method == "ql" else "tagwise"
    )
    name = f"{data.__name__}_{method}_{library_size.replace('_', '')}"
    assert_like_r(ours, read(f"r_tmm/{name}.csv"))


@pytest.mark.parametrize("data", [toy, edge])
def test_empirical_dispersion_equals_estimate_disp(data):
    counts, groups = data()
    how = dict(library_size="tmm", dispersion="empirical")
    ours = edger.differential_expression(counts, groups, **how)
    assert_like_r(ours, read(f"r_estimate_disp/{data.__name__}.csv"))
    with pytest.raises(InputError, match="empirical"):
        edger.differential_expression(counts, groups, method="exact", dispersion="empirical")


@pytest.mark.parametrize("bound", [0.2, 1])
@pytest.mark.parametrize("method", ["lrt", "ql"])
def test_a_smallest_fold_change_equals_glm_treat(method, bound):
    counts, groups = edge()
    ours = edger.differential_expression(counts, groups, method=method, min_log_fc=bound)
    assert_like_r(ours, read(f"r_tmm/edge_{method}_treat_{bound}.csv"))
    assert ours["stat"].isna().all()


def test_common_dispersions_equal_r():
    toy_r, edge_r = (
        json.loads((REFERENCE / name / "scalars.json").read_text()) for name in ("r_toy", "r_edge")
    )
    data = edger.two_groups(*toy())
    assert dispersion.common_dispersion(data) == pytest.approx(
        toy_r["glm_common_dispersion"], rel=1e-6
    )
    assert qcml.common_dispersion_qcml(data) == pytest.approx(toy_r["common_dispersion"], rel=1e-6)
    data = edger.two_groups(*edge())
    assert dispersion.common_dispersion(data) == pytest.approx(edge_r["glm_common"], rel=1e-6)
    assert qcml.common_dispersion_qcml(data) == pytest.approx(edge_r["qcml_common"], rel=1e-6)


def test_common_dispersion_takes_every_kth_gene_of_a_big_table(monkeypatch):
    expected = json.loads((REFERENCE / "r_edge/scalars.json").read_text())["glm_common_subset_40"]
    monkeypatch.setattr(dispersion, "_SUBSET", 40)
    assert dispersion.common_dispersion(edger.two_groups(*edge())) == pytest.approx(
        expected, rel=1e-6
    )


@pytest.mark.parametrize("method", edger.METHODS)
def test_swapping_the_groups_flips_every_fold_change(method):
    counts, groups, _ = simulated()
    swapped = groups.map({"normal": "tumor", "tumor": "normal"})
    one, two = (edger.differential_expression(counts, g, method=method) for g in (groups, swapped))
    np.testing.assert_allclose(one.log_fc, -two.log_fc, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.p_value, two.p_value, rtol=1e-6)


@pytest.mark.parametrize("method", edger.METHODS)
def test_sample_order_does_not_matter_and_gene_order_is_kept(method):
    counts, groups, _ = simulated()
    rng = np.random.default_rng(0)
    samples, genes = rng.permutation(counts.columns), rng.permutation(counts.index)
    one = edger.differential_expression(counts, groups, method=method)
    two = edger.differential_expression(
        counts.loc[genes, samples], groups.sample(frac=1, random_state=0), method=method
    )
    assert list(two.index) == list(genes)
    pd.testing.assert_frame_equal(one, two.loc[one.index], rtol=1e-6)


@pytest.mark.parametrize("method", edger.METHODS)
def test_planted_genes_are_found_and_nothing_else(method):
    counts, groups, fold = simulated()
    table = edger.differential_expression(counts, groups, method=method)
    called = np.where(table.fdr < 0.01, np.sign(table.log_fc), 0)
    assert (called[fold != 0] == np.sign(fold[fold != 0])).mean() > 0.95
    assert (called[fold == 0] != 0).mean() < 0.02
    np.testing.assert_allclose(table.log_fc[fold != 0], fold[fold != 0], atol=1.0)


@pytest.mark.parametrize("method", ["lrt", "exact", "ql"])
def test_zero_rows_and_duplicates_are_kept(method):
    counts, groups, _ = simulated(n_genes=200)
    counts = pd.concat([counts, counts.iloc[[5]], counts.iloc[[5]] * 0])
    table = edger.differential_expression(counts, groups, method=method)
    assert list(table.index) == list(counts.index) and table.drop(columns="stat").notna().all(
        axis=None
    )
    np.testing.assert_allclose(table.iloc[5], table.iloc[-2], rtol=1e-9)
    assert table.iloc[-1].log_fc == pytest.approx(0, abs=1e-9) and table.iloc[-1].p_value == 1


def test_p_values_are_uniform_without_a_difference():
    rng = np.random.default_rng(8)
    rate = 2 ** rng.uniform(5, 10, 2000)[:, None] * np.ones(20)
    counts = pd.DataFrame(
        rng.negative_binomial(5, 5 / (5 + rate)),
        columns=[f"N{i}" for i in range(10)] + [f"T{i}" for i in range(10)],
    )
    for method in edger.METHODS:
        p_value = edger.differential_expression(counts, groups_of(counts), method=method).p_value
        assert (p_value < 0.05).mean() == pytest.approx(0.05, abs=0.025), method


def test_threads_do_not_change_the_result(monkeypatch):
    counts, groups, _ = simulated()
    monkeypatch.setenv("DEGNEXT_THREADS", "1")
    one = edger.differential_expression(counts, groups)
    monkeypatch.setenv("DEGNEXT_THREADS", "3")
    pd.testing.assert_frame_equal(one, edger.differential_expression(counts, groups), rtol=1e-12)


def test_a_group_whose_pseudo_counts_fall_below_zero_is_tested_as_in_r():
    # R: exactTest(DGEList(matrix(y, 1), lib.size=lib, group=c(1,1,1,2,2,2)), dispersion=phi) of
    # edgeR 3.40.2; the normal group's sum is -0.67 at equal library sizes
    lib = np.array([21338718.0, 1081391, 26836824, 55272, 2099266, 426049])
    y, phi = np.array([[0.0, 0, 2, 1, 5, 3]]), np.array([0.33745250752069345])
    for order in (slice(None), [3, 4, 5, 0, 1, 2]):
        p_value = exact.exact_p_values(exact.TwoGroups(y[:, order], lib[order], 3), phi)
        np.testing.assert_allclose(p_value, 0.00071009821729434, rtol=1e-9)


def test_quantile_map_is_exact_far_out_in_both_tails():
    # with equal means the map is the identity, however small the tail probability is
    x = np.array([[0.0, 1.0, 3.0, 900.0, 5e4, 5e5]])
    mean = np.full_like(x, 1000.0)
    for phi in (0.001, 0.01, 0.5):
        np.testing.assert_allclose(
            quantile_map.map_quantiles(x, mean, mean, np.array([[phi]])), x, rtol=1e-9, atol=1e-9
        )
    shifted = quantile_map.map_quantiles(x, mean, 1.001 * mean, np.array([[0.01]]))
    assert (np.diff(shifted[0]) > 0).all() and np.isfinite(shifted).all()
    np.testing.assert_allclose(shifted[0, 1:], x[0, 1:], rtol=0.03)


def test_quantile_map_agrees_with_the_inverse_in_the_middle():
    rng = np.random.default_rng(4)
    a = rng.uniform(0.05, 60, 4000)
    b, t = a * rng.uniform(0.3, 3.0, 4000), rng.gamma(a)
    for upper, tail in ((True, gammaincc), (False, gammainc)):
        s = quantile_map.gamma_quantile(a, b, t, upper)
        np.testing.assert_allclose(tail(b, s), tail(a, t), rtol=1e-10)


def test_beta_and_sum_of_outcomes_meet_where_counts_are_big(monkeypatch):
    rng = np.random.default_rng(2)
    counts = pd.DataFrame(
        rng.negative_binomial(4, 4 / (4 + 300.0), (50, 10)),
        columns=[f"N{i}" for i in range(5)] + [f"T{i}" for i in range(5)],
    )
    data = edger.two_groups(counts, groups_of(counts))
    phi = np.full(50, 0.25)
    approximated = exact.exact_p_values(data, phi)
    monkeypatch.setattr(exact, "BIG_COUNT", np.inf)
    monkeypatch.setattr(exact, "_TERMS_AT_ONCE", 5000)  # several blocks
    np.testing.assert_allclose(exact.exact_p_values(data, phi), approximated, rtol=0.05)


def test_spline_maximum_finds_the_top_of_a_cubic():
    x = np.linspace(-2, 2, 9)
    top = np.array([-1.3, 0.1, 1.9])
    y = -((x - top[:, None]) ** 2)
    np.testing.assert_allclose(dispersion.spline_maximum(x, y), top, atol=1e-12)
    np.testing.assert_allclose(dispersion.spline_maximum(x, np.array([x, -x])), [2.0, -2.0])


def test_trend_follows_abundance_and_has_no_replicate_of_nothing():
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 10, 500)
    smooth = trend.local_constant(x, np.column_stack([x, np.ones(500)]), 0.3)
    assert np.corrcoef(x, smooth[:, 0])[0, 1] > 0.98
    np.testing.assert_allclose(smooth[:, 1], 1.0)
    counts, groups, _ = simulated(n_genes=50)
    with pytest.raises(InputError, match="five counts"):
        edger.differential_expression(
            (counts * 0).assign(N0=1, T0=1).mul(0) + np.eye(50, 18, dtype=int), groups, method="ql"
        )


def test_wrong_input_is_explained():
    counts, groups, _ = simulated(n_genes=20)
    with pytest.raises(InputError, match="lrt"):
        edger.differential_expression(counts, groups, method="LRT")
    with pytest.raises(InputError, match="tagwise"):
        edger.differential_expression(counts, groups, dispersion="trended")
    with pytest.raises(InputError, match="'tmm'"):
        edger.differential_expression(counts, groups, library_size="TMM")
    for method, bad in (("ql", dict(dispersion="common")), ("voom", dict(dispersion="tagwise"))):
        with pytest.raises(InputError, match="leave dispersion out"):
            edger.differential_expression(counts, groups, method=method, **bad)
    for method, least in (("lrt", -1), ("exact", 1), ("voom", 1)):
        with pytest.raises(InputError, match="min_log_fc"):
            edger.differential_expression(counts, groups, method=method, min_log_fc=least)
    with pytest.raises(InputError, match="both groups"):
        edger.differential_expression(counts, groups.replace("normal", "tumor"))
    with pytest.raises(InputError, match="no group"):
        edger.differential_expression(counts, groups.iloc[1:])
    with pytest.raises(InputError, match="'healthy'"):
        edger.differential_expression(counts, groups.replace("normal", "healthy"))
    with pytest.raises(InputError, match="non-negative"):
        edger.differential_expression(counts - 10_000, groups)
    with pytest.raises(InputError, match="gaps"):
        edger.differential_expression(counts.astype(float).mask(counts > 500), groups)
    with pytest.raises(InputError, match="N3"):
        edger.differential_expression(counts.assign(N3=0), groups)
    with pytest.raises(InputError, match="no genes"):
        edger.differential_expression(counts.iloc[:0], groups)
    with pytest.raises(InputError, match="five counts"):
        edger.differential_expression(counts.iloc[:18] * 0 + np.eye(18, dtype=int), groups)


@pytest.fixture
def kich(real_data):
    reference = real_data.parent / "reference/r_kich"
    if not reference.exists():
        pytest.skip("no reference/r_kich beside DEGNEXT_DATA")
    parts = [
        pd.read_csv(
            real_data / f"rnaseqdb/kich-rsem-count-tcga{end}.txt.gz", sep="\t", index_col=0
        ).iloc[:, 1:]
        for end in ("", "-t")
    ]
    counts = pd.concat(parts, axis=1).round().astype(int)
    return (
        counts,
        pd.Series(np.repeat(["normal", "tumor"], [25, 60]), index=counts.columns),
        reference,
    )


@pytest.mark.parametrize(("method", "file"), [("lrt", "glmLRT"), ("exact", "exactTest")])
def test_raw_kich_equals_r(kich, method, file):
    from degnext.preprocessing import filters as preprocess
    from degnext.preprocessing import symbols as annotation
    from degnext.preprocessing.tcgabiolinks import tcgabiolinks_normalize

    counts, groups, reference = kich
    counts, groups = preprocess.drop_outliers(counts, groups)
    kept = preprocess.quantile_filter(
        tcgabiolinks_normalize(counts, annotation.gene_info(), "geneLength")
    )
    assert (
        list(kept.index)
        == (reference / "ref_kich_geneLength_filtered_genes.txt").read_text().split()
    )
    table = edger.differential_expression(kept, groups, method=method)
    theirs = pd.read_csv(reference / f"ref_kich_geneLength_{file}.csv.gz", index_col=0)
    assert set(table.index[table.fdr < 0.01]) == set(theirs.index)
    np.testing.assert_allclose(table.log_fc[theirs.index], theirs.logFC, rtol=0, atol=1e-6)
    # a p-value of 1e-300 magnifies the last digit of the dispersion 700 times, its log does not
    seen = theirs.index[theirs.FDR > 1e-300]
    np.testing.assert_allclose(np.log(table.fdr[seen]), np.log(theirs.FDR[seen]), rtol=1e-6)


def paired(name: str) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    counts, groups = toy()
    counts = counts if name == "toy" else counts // 100
    return counts, groups, read(f"r_pairs/{name}_pairs.csv")["patient"]


@pytest.mark.parametrize("name", ["toy", "low"])
@pytest.mark.parametrize("kind", ["tagwise", "estimate_disp", "treat"])
def test_pairs_equal_r(name, kind):
    counts, groups, pairs = paired(name)
    how = {} if kind == "tagwise" else dict(library_size="tmm", dispersion="empirical")
    how |= {"min_log_fc": 0.5} if kind == "treat" else {}
    ours = edger.differential_expression(counts, groups, pairs=pairs, **how)
    theirs = read(f"r_pairs/{name}_{kind}.csv")
    for column, names in COLUMNS.items():
        for found in (n for n in np.atleast_1d(names) if n in theirs):
            near = dict(rtol=5e-5, atol=5e-6)
            np.testing.assert_allclose(ours[column], theirs[found], **near, err_msg=column)


def test_pairs_take_out_what_patients_differ_by():
    rng, n = np.random.default_rng(5), 12
    patient, tumor = np.tile(np.arange(n), 2), np.repeat([False, True], n)
    own = rng.lognormal(0, 1, (400, n))[:, patient]  # each patient's own level of each gene
    change = np.repeat([2.0, 0.5, 1.0], [20, 20, 360])[:, None] ** tumor
    counts = rng.negative_binomial(50, 1 / (1 + 200 * own * change / 50))
    names = [f"S{i}" for i in range(2 * n)]
    counts = pd.DataFrame(counts, columns=names)
    groups = pd.Series(np.where(tumor, "tumor", "normal"), names)
    pairs = pd.Series(patient, names)
    mixed = rng.permutation(names)
    how = dict(library_size="tmm", dispersion="empirical")
    within = edger.differential_expression(counts, groups, pairs=pairs, **how)
    pairs = pairs.map("p{}".format)
    shuffled = edger.differential_expression(counts[mixed], groups, pairs=pairs, **how)
    pd.testing.assert_frame_equal(within, shuffled, rtol=1e-6, atol=1e-9)
    across = edger.differential_expression(counts, groups, **how)
    found = [(table["fdr"] < 0.05)[:40].sum() for table in (within, across)]
    assert found[0] >= 38 and found[1] < 20 and (within["fdr"] < 0.05)[40:].mean() < 0.02


def test_pairs_that_are_none_are_refused(is_helpful):
    counts, groups, pairs = paired("toy")
    assert edger.complete_pairs(groups, pairs[pairs > 0]).tolist() == [
        s for s in counts.columns if pairs[s] > 0
    ]
    wrong = [
        (pairs.mask(pairs.index == "T4"), {}, "'N4'"),
        (pairs.drop("N1"), {}, "'N1'"),
        (pairs.astype(str).where(pairs > 0, ""), {}, "no partner"),
        (pairs * 0, {}, "one pair"),
        (pairs, {"method": "ql"}, "'lrt', not 'ql'"),
        (pd.concat([pairs, pairs]), {}, "twice"),
    ]
    for given, how, said in wrong:
        with pytest.raises(InputError, match=said) as caught:
            edger.differential_expression(counts, groups, pairs=given, **how)
        assert is_helpful(str(caught.value))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [[0] * 12 + [1], [0] * 60 + [1] * 3, [0, 1, 2, 3], [0] * 8])
def test_a_trend_over_equal_or_few_genes_has_no_numeric_trouble(rows):
    """Genes of one abundance have a bandwidth of 0, in which no distance can be measured."""
    counts, groups = toy()
    counts = counts.iloc[rows]
    counts.index = range(len(rows))
    for how in ({"dispersion": "empirical"}, {"method": "ql"}):
        table = edger.differential_expression(counts, groups, library_size="tmm", **how)
        assert np.isfinite(table).all(axis=None)


@pytest.mark.filterwarnings("error")
def test_a_trend_over_two_genes_equals_r():
    """R 4.2.2, edgeR 3.40.2: calcNormFactors, estimateDisp, trended.dispersion."""
    names = ["N1", "N2", "T1", "T2"]
    counts = pd.DataFrame([[642, 1069, 1309, 754], [1274, 2118, 1108, 1460]], columns=names)
    _, found = trend.trended_dispersion(edger.two_groups(counts, groups_of(counts), "tmm"))
    np.testing.assert_allclose(found, [0.06481994851, 0.02238464782], rtol=1e-6)
