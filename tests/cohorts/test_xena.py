import gzip
import json
import os

import numpy as np
import pandas as pd
import pytest
from http_server import Site

from degnext._common.download import Retry
from degnext._common.errors import InputError
from degnext.cohorts.xena import load_xena, read_xena, undo_log2

QUICK = Retry(attempts=4, backoff_s=0.001, longest_s=5)
SAMPLES = [
    "TCGA-KL-0001-01A",
    "TCGA-KL-0002-01A",
    "TCGA-KL-0002-01B",
    "TCGA-KL-0001-11A",
    "TCGA-KL-0003-06A",
    "TCGA-KL-0002-11A",
]
N_GENES = 300


def cohort(seed=0):
    counts = np.random.default_rng(seed).negative_binomial(0.5, 0.00002, (N_GENES, len(SAMPLES)))
    counts[0] = [0, 1, 2, 2**24 + 1, 9_999_999, 3]
    index = pd.Index([f"ENSG{i:011d}.{i % 20}" for i in range(N_GENES)], name="Ensembl_ID")
    return pd.DataFrame(counts, index=index, columns=SAMPLES)


def xena_file(counts, extra=("__no_feature", "__ambiguous"), digits=None):
    """Write counts as xena-GDC-ETL does: log2(x + 1), full precision, tab-separated, gzipped."""
    table = np.log2(counts + 1)
    table = pd.concat([table, pd.DataFrame(20.5, index=list(extra), columns=table.columns)])
    table.index.name = "Ensembl_ID"
    text = table.to_csv(sep="\t", float_format=f"%.{digits}f" if digits else None)
    return gzip.compress(text.encode(), mtime=0)


@pytest.fixture
def site(monkeypatch):
    site = Site()
    monkeypatch.setenv("DEGNEXT_XENA_URL", site.url + "/")
    site.files["/TCGA-KICH.star_counts.tsv.gz"] = xena_file(cohort(), ("N_unmapped", "N_noFeature"))
    site.files["/TCGA-KICH.htseq_counts.tsv.gz"] = xena_file(cohort(1))
    yield site
    site.close()


def load(site, tmp_path, workflow="star", cancer="KICH", **more):
    return load_xena(cancer, workflow, tmp_path, retry=QUICK, **more)


@pytest.mark.parametrize(("workflow", "seed"), [("star", 0), ("htseq", 1)])
def test_counts_come_back_exactly(site, tmp_path, workflow, seed):
    counts, groups, report = load(site, tmp_path, workflow)
    assert list(counts) == [
        "TCGA-KL-0001-11A",
        "TCGA-KL-0002-11A",
        "TCGA-KL-0001-01A",
        "TCGA-KL-0002-01A",
    ]
    pd.testing.assert_frame_equal(counts, cohort(seed)[list(counts)], check_names=False)
    assert list(groups) == ["normal", "normal", "tumor", "tumor"]
    assert report["residual"] < 1e-6 and report["averaged"] == {}
    assert (report["n_normal"], report["n_tumor"], report["n_paired"]) == (2, 2, 2)
    assert {d["barcode"]: d["reason"].split()[0] for d in report["dropped"]} == {
        "TCGA-KL-0003-06A": "neither",
        "TCGA-KL-0002-01B": "another",
    }
    assert [r.path for r in site.log] == [f"/TCGA-KICH.{workflow}_counts.tsv.gz"]


@pytest.mark.parametrize("n", [2, 3, 6])
def test_averaged_aliquots_become_their_sum(tmp_path, n):
    """xena-GDC-ETL averages aliquots before the logarithm; the sum is whole again and exact."""
    aliquots = np.random.default_rng(n).negative_binomial(0.5, 0.0005, (N_GENES, n))
    aliquots[0] = [1] + [0] * (n - 1)
    values = np.log2(np.column_stack([aliquots.mean(axis=1), aliquots[:, 0]]) + 1)
    counts, n_aliquots, residual = undo_log2(values)
    assert list(n_aliquots) == [n, 1] and residual < 1e-6
    np.testing.assert_array_equal(counts[:, 0], aliquots.sum(axis=1))
    np.testing.assert_array_equal(counts[:, 1], aliquots[:, 0])


def test_averaged_samples_are_reported(site, tmp_path):
    table = cohort().astype(float)
    table["TCGA-KL-0001-01A"] += 0.5
    site.files["/TCGA-KICH.star_counts.tsv.gz"] = xena_file(table)
    counts, _, report = load(site, tmp_path)
    assert report["averaged"] == {"TCGA-KL-0001-01A": 2}
    assert list(counts["TCGA-KL-0001-01A"]) == list(2 * cohort()["TCGA-KL-0001-01A"] + 1)
    assert any("sums of several aliquots" in note for note in report["notes"])


def test_what_is_not_log2_of_counts_is_refused():
    rng = np.random.default_rng(0)
    fpkm = np.log2(rng.gamma(0.5, 20, (200, 2)) + 1)
    with pytest.raises(InputError, match="no whole numbers .* not log2"):
        undo_log2(fpkm)
    rounded = np.round(
        np.log2(rng.integers(1, 10**6, (200, 2)) + 1), 3
    )  # too few digits to get the counts back
    with pytest.raises(InputError, match="no whole numbers"):
        undo_log2(rounded)
    for bad in (-0.5, np.nan, np.inf, 500.0):
        with pytest.raises(InputError, match="empty, negative or huge"):
            undo_log2(np.array([[1.0], [bad]]))


def test_eight_digits_are_enough_for_usual_counts():
    counts = np.random.default_rng(0).integers(0, 50_000, (500, 2))
    back, n, _ = undo_log2(np.round(np.log2(counts + 1), 7))
    np.testing.assert_array_equal(back, counts)
    assert list(n) == [1, 1]


def test_second_load_needs_no_server_and_checks_the_sha256(site, tmp_path):
    counts, groups, report = load(site, tmp_path)
    raw = tmp_path / "xena" / "TCGA-KICH" / "TCGA-KICH.star_counts.tsv.gz"
    record = json.loads((raw.parent / (raw.name + ".json")).read_text())
    assert (
        record["sha256"] == report["sha256"]
        and record["bytes"] == raw.stat().st_size
        and record["url"]
    )
    again, groups_again, second = load(site, tmp_path)
    assert len(site.log) == 1 and second["cached"]
    pd.testing.assert_frame_equal(again, counts)
    pd.testing.assert_series_equal(groups_again, groups)
    raw.write_bytes(xena_file(cohort(5)))
    with pytest.raises(InputError, match="is not what was downloaded on"):
        load(site, tmp_path)


def test_a_deleted_file_is_fetched_anew_with_its_table(site, tmp_path):
    load(site, tmp_path)
    (tmp_path / "xena" / "TCGA-KICH" / "TCGA-KICH.star_counts.tsv.gz").unlink()
    site.files["/TCGA-KICH.star_counts.tsv.gz"] = xena_file(cohort(7))
    counts, _, report = load(site, tmp_path)
    assert "cached" not in report
    assert list(counts["TCGA-KL-0001-01A"]) == list(cohort(7)["TCGA-KL-0001-01A"])


def test_file_put_there_by_hand_is_taken(site, tmp_path):
    raw = tmp_path / "xena" / "TCGA-KICH" / "TCGA-KICH.star_counts.tsv.gz"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(site.files["/TCGA-KICH.star_counts.tsv.gz"])
    counts, _, _ = load(site, tmp_path)
    assert len(counts) == N_GENES and site.log == []


def test_the_page_of_a_proxy_is_not_kept(site, tmp_path):
    path = "/TCGA-KICH.star_counts.tsv.gz"
    right, site.files[path] = site.files[path], b"<html>please log in</html>"
    with pytest.raises(InputError, match="sent no gzip file, but perhaps the page of a proxy: log"):
        load(site, tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [".lock"]
    site.files[path] = right
    assert len(load(site, tmp_path)[0]) == N_GENES


@pytest.mark.parametrize("text", ["", "[]", '{"sha', "{}"])
def test_a_damaged_record_is_named(site, tmp_path, text):
    load(site, tmp_path)
    next(tmp_path.rglob("*.json")).write_text(text)
    with pytest.raises(InputError, match="is damaged, .*: delete both and run again"):
        load(site, tmp_path)


def test_interrupted_download_resumes(site, tmp_path):
    path = "/TCGA-KICH.star_counts.tsv.gz"
    site.faults[path] = [("truncate", 2000)] + [("status", 503)] * 4
    with pytest.raises(InputError, match="cannot reach"):
        load(site, tmp_path)
    n = len(site.log)
    counts, _, _ = load(site, tmp_path)
    assert [(r.range, r.status) for r in site.log[n:]] == [("bytes=2000-", 206)]
    assert list(counts["TCGA-KL-0001-01A"]) == list(cohort()["TCGA-KL-0001-01A"])


@pytest.mark.parametrize("status", [403, 404])
def test_missing_file(site, tmp_path, status):
    site.faults["/TCGA-XYZ.star_counts.tsv.gz"] = [("status", status)]
    with pytest.raises(
        InputError, match="Xena has no file TCGA-XYZ.star_counts.tsv.gz: check the study code"
    ):
        load(site, tmp_path, cancer="XYZ")


def test_no_normals(site, tmp_path):
    site.files["/TCGA-KICH.star_counts.tsv.gz"] = xena_file(cohort()[SAMPLES[:3]])
    with pytest.raises(InputError, match="has no solid tissue normal"):
        load(site, tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))


def test_bad_arguments(site, tmp_path):
    with pytest.raises(InputError, match="unknown workflow 'hts'.*did you mean 'htseq'"):
        load(site, tmp_path, "hts")
    assert site.log == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b""),
        gzip.compress(b"gene\ts1\nA\ttext\n"),
        xena_file(cohort())[:-300],
    ],
)
def test_unreadable_file(tmp_path, content):
    path = tmp_path / "x.star_counts.tsv.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="delete it and run again"):
        read_xena(path)


def test_cache_from_environment(site, tmp_path, monkeypatch):
    monkeypatch.setenv("DEGNEXT_CACHE", str(tmp_path))
    counts, _, _ = load_xena("TCGA-KICH", retry=QUICK)
    assert len(counts) == N_GENES


@pytest.mark.network
@pytest.mark.skipif(
    not os.environ.get("DEGNEXT_NETWORK"), reason="asks the live Xena hub: set DEGNEXT_NETWORK=1"
)
@pytest.mark.parametrize("workflow", ["star", "htseq"])
def test_live_xena(tmp_path, workflow):
    counts, groups, report = load_xena("CHOL", workflow, tmp_path)
    assert len(counts) > 58_000 and (groups == "normal").sum() == 9 and report["residual"] < 0.01
