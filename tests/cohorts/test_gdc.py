import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from http_server import Site

from degnext._common.download import Retry
from degnext._common.errors import InputError
from degnext.cohorts.gdc import fetch_files, load_gdc, query_files, read_star_counts
from degnext.cohorts.tcga import check_study, select_samples

QUICK = Retry(attempts=4, backoff_s=0.001, longest_s=5)
GENES = [
    "ENSG00000000003.15",
    "ENSG00000000005.6",
    "ENSG00000002586.20_PAR_Y",
    "ENSG00000141510.18",
]
SYMBOLS = ["TSPAN6", "TNMD", "CD99", "TP53"]


def star_file(counts):
    """A file in the GDC's format (Bioinformatics Pipeline: mRNA Analysis), padded as real ones."""
    lines = [
        "# gene-model: GENCODE v36",
        "gene_id\tgene_name\tgene_type\tunstranded\tstranded_first\tstranded_second\ttpm_unstranded\t"
        "fpkm_unstranded\tfpkm_uq_unstranded",
    ]
    lines += [
        f"N_{name}\t\t\t{7 * i + 1000}\t1\t2\t\t\t"
        for i, name in enumerate(("unmapped", "multimapping", "noFeature", "ambiguous"))
    ]
    lines += [
        f"{g}\t{s}\tprotein_coding\t{c}\t{c // 2}\t{c - c // 2}\t1.5\t0.5\t0.7"
        for g, s, c in zip(GENES, SYMBOLS, counts)
    ]
    return ("\n".join(lines) + "\n").encode()


def add(
    site,
    barcode,
    counts,
    sample_type=None,
    project="TCGA-KICH",
    access="open",
    workflow="STAR - Counts",
):
    content = star_file(counts)
    number = len(site.gdc)
    file_id = f"{(number * 7919) % 65536:08x}-0000-4000-8000-{number:012x}"
    types = {"01": "Primary Tumor", "11": "Solid Tissue Normal", "06": "Metastatic"}
    site.gdc.append(
        {
            "file_id": file_id,
            "file_name": f"{file_id}.rna_seq.augmented_star_gene_counts.tsv",
            "md5sum": hashlib.md5(content).hexdigest(),
            "file_size": len(content),
            "content": content,
            "access": access,
            "data_category": "Transcriptome Profiling",
            "data_type": "Gene Expression Quantification",
            "analysis": {"workflow_type": workflow},
            "associated_entities": [{"entity_submitter_id": barcode}],
            "cases": [
                {
                    "submitter_id": barcode[:12],
                    "project": {"project_id": project},
                    "samples": [
                        {
                            "submitter_id": barcode[:16],
                            "sample_type": sample_type or types[barcode[13:15]],
                        }
                    ],
                }
            ],
        }
    )
    return file_id


# two paired patients, one tumor only, a second vial, a second aliquot, a metastasis
COHORT = {
    "TCGA-KL-0001-01A-11R-2315-07": [10, 0, 3, 2**31],
    "TCGA-KL-0001-11A-01R-2315-07": [20, 1, 4, 500],
    "TCGA-KL-0002-01A-11R-2315-07": [30, 2, 5, 600],
    "TCGA-KL-0002-01A-12R-2315-07": [31, 2, 5, 601],
    "TCGA-KL-0002-01B-11R-2315-07": [32, 2, 5, 602],
    "TCGA-KL-0002-11A-01R-2315-07": [40, 3, 6, 700],
    "TCGA-KL-0003-01A-11R-2315-07": [50, 4, 7, 800],
    "TCGA-KL-0003-06A-11R-2315-07": [60, 5, 8, 900],
}
KEPT = [
    "TCGA-KL-0001-11A-01R-2315-07",
    "TCGA-KL-0002-11A-01R-2315-07",
    "TCGA-KL-0001-01A-11R-2315-07",
    "TCGA-KL-0002-01A-11R-2315-07",
    "TCGA-KL-0003-01A-11R-2315-07",
]


@pytest.fixture
def site(monkeypatch):
    site = Site()
    monkeypatch.setenv("DEGNEXT_GDC_URL", site.url + "/")
    for barcode, counts in COHORT.items():
        add(site, barcode, counts)
    add(site, "TCGA-KL-0009-01A-11R-2315-07", [1, 1, 1, 1], access="controlled")
    add(site, "TCGA-KL-0009-01A-11R-2315-07", [1, 1, 1, 1], workflow="HTSeq - Counts")
    add(site, "TCGA-AB-0009-01A-11R-2315-07", [1, 1, 1, 1], project="TCGA-READ")
    yield site
    site.close()


def load(site, tmp_path, cancer="KICH", **more):
    return load_gdc(cancer, tmp_path, retry=QUICK, **more)


def data_ids(site):
    """Return the ids asked from /data, one list per request."""
    return [
        r.body["ids"] if r.method == "POST" else [r.path.removeprefix("/data/")]
        for r in site.log
        if r.path.startswith("/data")
    ]


def test_counts_groups_and_report(site, tmp_path):
    counts, groups, report = load(site, tmp_path)
    assert list(counts.columns) == KEPT and list(counts.index) == GENES
    assert (counts.dtypes == np.int64).all()
    assert all(list(counts[b]) == COHORT[b] for b in KEPT)
    assert dict(groups) == {b: "normal" if b[13:15] == "11" else "tumor" for b in KEPT}
    assert (report["n_normal"], report["n_tumor"], report["n_paired"]) == (2, 3, 2)
    assert {d["barcode"] for d in report["dropped"]} == set(COHORT) - set(KEPT)
    assert any("01" in n and "left out" in n for n in report["notes"])
    genes = pd.read_csv(report["genes_file"], index_col=0)
    assert list(genes["gene_name"]) == SYMBOLS
    json.dumps(report)


def test_query_asks_for_open_star_counts_of_one_project(site, tmp_path):
    load(site, tmp_path)
    query = site.asked("/files")[0].body
    filters = {c["content"]["field"]: c["content"]["value"] for c in query["filters"]["content"]}
    assert filters == {
        "cases.project.project_id": ["TCGA-KICH"],
        "files.data_category": ["Transcriptome Profiling"],
        "files.data_type": ["Gene Expression Quantification"],
        "files.analysis.workflow_type": ["STAR - Counts"],
        "files.access": ["open"],
    }
    assert {
        "file_id",
        "file_name",
        "md5sum",
        "file_size",
        "cases.submitter_id",
        "cases.samples.submitter_id",
        "cases.samples.sample_type",
    } <= set(query["fields"].split(","))
    assert len(site.asked("/files")) == 1


def test_pages_are_followed(site):
    table = query_files("KICH", page_size=3, retry=QUICK)
    assert [r.body["from"] for r in site.asked("/files")] == [0, 3, 6]
    assert sorted(table["barcode"]) == sorted(COHORT)


def test_only_kept_files_are_downloaded_in_one_batch(site, tmp_path):
    load(site, tmp_path)
    wanted = {
        f["file_id"]
        for f in site.gdc
        if f["associated_entities"][0]["entity_submitter_id"] in KEPT
        and f["cases"][0]["project"]["project_id"] == "TCGA-KICH"
    }
    assert [set(ids) for ids in data_ids(site)] == [wanted]


def test_second_load_needs_no_server(site, tmp_path):
    counts, groups, _ = load(site, tmp_path)
    n = len(site.log)
    again, groups_again, report = load(site, tmp_path)
    assert len(site.log) == n and report["cached"]
    pd.testing.assert_frame_equal(again, counts)
    pd.testing.assert_series_equal(groups_again, groups)


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:25] + b"#" + b[26:]])
def test_damaged_cache_is_rebuilt_from_the_raw_files(site, tmp_path, damage):
    counts, _, _ = load(site, tmp_path)
    parquet = tmp_path / "gdc" / "TCGA-KICH" / "counts.parquet"
    parquet.write_bytes(damage(parquet.read_bytes()))
    n = len(data_ids(site))
    again, _, report = load(site, tmp_path)
    pd.testing.assert_frame_equal(again, counts)
    assert len(data_ids(site)) == n and report["n_fetched"] == 0


def test_damaged_raw_file_alone_is_fetched_again(site, tmp_path):
    load(site, tmp_path)
    raw = sorted((tmp_path / "gdc" / "TCGA-KICH" / "raw").glob("*.gz"))[1]
    raw.write_bytes(gzip.compress(b"damaged"))
    n = len(data_ids(site))
    (raw.parent.parent / "counts.parquet").unlink()
    _, _, report = load(site, tmp_path)
    assert data_ids(site)[n:] == [[raw.name.removesuffix(".tsv.gz")]] and report["n_fetched"] == 1


def test_without_the_parsed_table_new_files_are_taken_up(site, tmp_path):
    load(site, tmp_path)
    new = add(site, "TCGA-KL-0004-01A-11R-2315-07", [9, 9, 9, 9])
    n = len(data_ids(site))
    (tmp_path / "gdc" / "TCGA-KICH" / "counts.parquet").unlink()
    counts, _, _ = load(site, tmp_path)
    assert "TCGA-KL-0004-01A-11R-2315-07" in counts and data_ids(site)[n:] == [[new]]


def test_truncated_archive_keeps_the_members_that_came(site, tmp_path, monkeypatch):
    """Members before the break are kept; only the others are asked for again."""
    for number in range(
        10, 30
    ):  # random counts, so that the archive compresses badly and the cut falls inside
        add(
            site,
            f"TCGA-KL-00{number}-01A-11R-2315-07",
            np.random.default_rng(number).integers(0, 2**40, 4).tolist(),
        )
    site.faults["/data"] = [("truncate", 0.6)]
    counts, _, _ = load(site, tmp_path)
    first, *later = data_ids(site)
    assert len(first) == 20
    asked_again = set(first) & {i for ids in later for i in ids}
    assert 0 < len(asked_again) < 20
    by_barcode = {f["associated_entities"][0]["entity_submitter_id"]: f for f in site.gdc}
    for barcode in counts:
        expected = read_star_counts(io.BytesIO(by_barcode[barcode]["content"]))["unstranded"]
        assert list(counts[barcode]) == list(expected)


def test_wrong_md5_of_a_member_is_asked_for_again(site, tmp_path):
    site.faults["/data"] = [("corrupt",)]
    counts, _, _ = load(site, tmp_path)
    assert all(list(counts[b]) == COHORT[b] for b in KEPT)
    first, second = data_ids(site)
    assert len(first) == 5 and len(second) == 1


def test_lasting_wrong_md5_is_an_error_and_keeps_the_rest(site, tmp_path):
    bad = next(f for f in site.gdc if f["associated_entities"][0]["entity_submitter_id"] == KEPT[0])
    bad["md5sum"] = "0" * 32
    with pytest.raises(InputError, match="three times with"):
        load(site, tmp_path)
    folder = tmp_path / "gdc" / "TCGA-KICH"
    assert len(list((folder / "raw").glob("*.gz"))) == 4
    assert (
        not list((folder / "raw").glob(f"{bad['file_id']}*"))
        and not (folder / "counts.parquet").exists()
    )


def test_busy_server_is_waited_for(site, tmp_path, monkeypatch):
    naps = []
    monkeypatch.setattr("degnext._common.download.time.sleep", naps.append)
    site.faults["/files"] = [("status", 429, {"Retry-After": "2"})]
    site.faults["/data"] = [("status", 503, {"Retry-After": "4"})]
    load(site, tmp_path)
    assert naps == [2.0, 4.0]


def test_archives_that_never_work_fall_back_to_single_files(site, tmp_path):
    site.faults["/data"] = [("truncate", 0.0)] * 99
    counts, _, _ = load(site, tmp_path)
    assert all(list(counts[b]) == COHORT[b] for b in KEPT)
    assert sum(len(ids) == 1 for ids in data_ids(site)) == 5


def test_single_file_resumes_with_range(site, tmp_path):
    manifest, _ = select_samples(query_files("KICH", retry=QUICK), "KICH")
    one = manifest.head(1)
    path = f"/data/{one['file_id'][0]}"
    site.faults[path] = [("truncate", 100)]
    assert fetch_files(one, tmp_path, QUICK) == 1
    assert [r.range for r in site.asked(path)] == ["", "bytes=100-"]
    assert sorted(os.listdir(tmp_path)) == [".lock", f"{one['file_id'][0]}.tsv.gz"]


def test_killed_run_resumes_with_the_missing_batch(site, tmp_path):
    """Kill a run during the second of three archives: the next asks for what is missing only."""
    for number in range(10, 55):
        add(site, f"TCGA-KL-00{number}-01A-11R-2315-07", [number, 0, 1, 2])
    site.faults["/data"] = [("ok",), ("status", 503, {"Retry-After": "60"})]
    code = (
        "import pathlib, sys; from degnext.cohorts.gdc import load_gdc; "
        "load_gdc('KICH', pathlib.Path(sys.argv[1]))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.time() + 30
    while len(data_ids(site)) < 2 and time.time() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    finished = {
        p.name.removesuffix(".tsv.gz")
        for p in (tmp_path / "gdc" / "TCGA-KICH" / "raw").glob("*.gz")
    }
    assert len(finished) == 20
    n = len(data_ids(site))
    counts, _, _ = load(site, tmp_path)
    later = [i for ids in data_ids(site)[n:] for i in ids]
    assert counts.shape[1] == 50 and len(later) == 30 and not finished & set(later)
    assert not list(tmp_path.rglob("*.tmp"))


def test_select_samples_rules():
    table = pd.DataFrame(
        {
            "barcode": [
                "TCGA-AA-0001-01B-11R",
                "TCGA-AA-0001-01A-31R",
                "TCGA-AA-0001-01A-21R",
                "TCGA-AA-0001-11A-01R",
                "TCGA-AA-0002-02A-01R",
                "TCGA-AA-0003-01A-01R",
            ],
            "sample_type": ["", "", "", "", "", "Solid Tissue Normal"],
        }
    )
    kept, dropped = select_samples(table, "the table")
    assert list(kept["barcode"]) == ["TCGA-AA-0001-11A-01R", "TCGA-AA-0001-01A-21R"]
    assert {d["barcode"]: d["reason"].split()[0] for d in dropped} == {
        "TCGA-AA-0001-01B-11R": "another",
        "TCGA-AA-0001-01A-31R": "another",
        "TCGA-AA-0002-02A-01R": "neither",
        "TCGA-AA-0003-01A-01R": "barcode",
    }


def test_server_without_sample_types_or_aliquots(site, tmp_path):
    """The GDC is replacing sample_type; the barcode of the sample is enough."""
    for record in site.gdc:
        del record["associated_entities"]
        for sample in record["cases"][0]["samples"]:
            del sample["sample_type"]
    counts, groups, _ = load(site, tmp_path)
    assert sorted(counts) == sorted(b[:16] for b in KEPT)
    assert (groups == "normal").sum() == 2


@pytest.mark.parametrize("code", ["11", "01"])
def test_one_group_missing(site, tmp_path, code):
    site.gdc = [
        f for f in site.gdc if f["associated_entities"][0]["entity_submitter_id"][13:15] != code
    ]
    with pytest.raises(InputError, match=f"has no .*code {code}.*choose another cancer"):
        load(site, tmp_path)
    assert data_ids(site) == [] and list(tmp_path.iterdir()) == []


def test_unknown_project_and_nonsense(site, tmp_path):
    with pytest.raises(InputError, match="no open STAR counts of project TCGA-XYZ"):
        load(site, tmp_path, "XYZ")
    with pytest.raises(InputError, match="is no TCGA study code"):
        load(site, tmp_path, "../etc")
    assert list(tmp_path.iterdir()) == []
    assert check_study("TCGA-KICH") == check_study("kich") == "KICH"


def test_unreachable_and_wrong_server(site, tmp_path):
    site.files["/files"] = b"<html>proxy login</html>"
    with pytest.raises(InputError, match="something other than GDC's JSON"):
        site.faults["/files"] = [("status", 200)]
        load(site, tmp_path)
    site.close()
    with pytest.raises(InputError, match="cannot reach"):
        load(site, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file_id", ["../../../escaped", "/tmp/escaped", ""])
def test_a_file_id_that_is_a_path_is_refused(site, tmp_path, file_id):
    site.gdc[0]["file_id"] = file_id
    with pytest.raises(InputError, match="something other than GDC's JSON"):
        load(site, tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file_id", None),
        ("md5sum", None),
        ("file_size", "large"),
        ("cases", None),
        ("cases", ["TCGA"]),
        ("associated_entities", [{}]),
    ],
)
def test_a_hit_without_a_key_is_no_traceback(site, tmp_path, monkeypatch, key, value):
    def search(*_):
        hits = [{k: v for k, v in f.items() if k != "content"} for f in site.gdc[:3]]
        hits[1][key] = value
        if key == "md5sum":
            del hits[1][key]
        return {"data": {"hits": hits, "pagination": {"total": 3}}}

    monkeypatch.setattr("degnext.cohorts.gdc.read_json", search)
    with pytest.raises(InputError, match="something other than GDC's JSON: check the address"):
        load(site, tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def test_a_list_of_files_without_end_ends(site, tmp_path, monkeypatch):
    monkeypatch.setattr("degnext.cohorts.gdc._MOST_FILES", 5)
    hit = {k: v for k, v in site.gdc[0].items() if k != "content"}
    asked = []

    def search(_, payload, *__):
        asked.append(payload["from"])
        return {"data": {"hits": [hit] * 2, "pagination": {"total": 10**9}}}

    monkeypatch.setattr("degnext.cohorts.gdc.read_json", search)
    assert len(query_files("KICH", retry=QUICK)) == 6 and asked == [0, 2, 4]


def test_a_member_that_is_longer_than_the_manifest_says_is_not_kept(site, tmp_path):
    for record in site.gdc:  # a bomb: right name, a hundred times the bytes
        record["content"] += b"\n" * 100 * record["file_size"]
    with pytest.raises(InputError, match=r"sends more than the \d+ bytes that it should"):
        load(site, tmp_path)
    assert not list(tmp_path.rglob("*.tsv.gz")) and not list(tmp_path.rglob("counts.parquet"))


def test_cache_from_environment(site, tmp_path, monkeypatch):
    monkeypatch.setenv("DEGNEXT_CACHE", str(tmp_path))
    counts, _, _ = load_gdc("KICH", retry=QUICK)
    assert counts.shape == (4, 5) and (tmp_path / "gdc" / "TCGA-KICH" / "manifest.csv").exists()


def test_read_star_counts():
    table = read_star_counts(io.BytesIO(star_file([1, 2, 3, 4])))
    assert (
        list(table.columns) == ["gene_name", "gene_type", "unstranded"]
        and list(table.index) == GENES
    )
    for damaged in (
        b"gene\tcount\nA\t1\n",
        star_file([1, 2, 3, 4]).replace(b"\t2\t1\t1\t", b"\t2.5\t1\t1\t"),
        b"",
    ):
        with pytest.raises(InputError, match="no GDC STAR gene count table"):
            read_star_counts(io.BytesIO(damaged))


def test_two_gene_models_are_refused(site, tmp_path):
    odd = next(f for f in site.gdc if f["associated_entities"][0]["entity_submitter_id"] == KEPT[2])
    odd["content"] = odd["content"].replace(b"ENSG00000141510.18", b"ENSG00000141510.17")
    odd["md5sum"] = hashlib.md5(odd["content"]).hexdigest()
    with pytest.raises(InputError, match="lists other genes"):
        load(site, tmp_path)


def test_archive_members_cannot_leave_the_folder(site, tmp_path):
    """File names come from the manifest's ids, never from the archive."""
    for record in site.gdc:
        record["file_name"] = "../../escaped.tsv"
    load(site, tmp_path)
    assert not list(tmp_path.rglob("escaped*")) and not (tmp_path.parent / "escaped.tsv").exists()


@pytest.mark.network
@pytest.mark.skipif(
    not os.environ.get("DEGNEXT_NETWORK"), reason="asks the live GDC: set DEGNEXT_NETWORK=1"
)
def test_live_gdc(tmp_path):
    kept, _ = select_samples(query_files("KICH"), "KICH")
    assert (kept["group"] == "tumor").sum() >= 60 and (kept["group"] == "normal").sum() >= 20
    assert fetch_files(kept.head(2), tmp_path) == 2  # one archive of two
    assert len(read_star_counts(next(tmp_path.glob("*.gz")))) > 60_000
