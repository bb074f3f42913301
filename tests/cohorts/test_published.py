"""degnext.cohorts.published: the authors' files, small ones like theirs and, at hand, the real."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from http_server import Site

from degnext._common.download import Retry
from degnext._common.errors import InputError
from degnext._common.files import file_checksum
from degnext.cohorts import published
from degnext.cohorts.cohort import registry
from degnext.cohorts.published import (
    PUBLISHED_COMMIT,
    fetch_published,
    load_published,
    published_parts,
    published_registry,
)

STEMS = {"T1": "non_bio_train", "T2": "non_bio_test", "F1": "bio_fine_tune", "T3": "bio_test"}
ROWS = {"T1": 12, "T2": 6, "F1": 5, "T3": 4}
N_SAMPLES = 45  # CHOL: 9 normal, 36 tumor
QUICK = Retry(attempts=4, backoff_s=0.001, longest_s=5)


def write_part(folder, part, cancer="CHOL", n_samples=N_SAMPLES):
    rng = np.random.default_rng(list(ROWS).index(part))
    stem = f"TCGA-{cancer}_{STEMS[part]}"
    x = rng.integers(0, 500, (ROWS[part], n_samples))
    y = np.arange(ROWS[part]) % (3 if part in ("T1", "T2") else 2)
    np.savetxt(folder / f"{stem}.csv", x, fmt="%d", delimiter=",")
    np.savetxt(folder / f"{stem}_label.txt", y, fmt="%d")
    return x, y


@pytest.fixture
def folder(tmp_path):
    """All parts of CHOL, and its list of bio genes: in the middle two of neither F1 nor T3."""
    target = tmp_path / "published"
    target.mkdir()
    for part in ROWS:
        write_part(target, part)
    names = [f"F{i}" for i in range(5)] + ["X1", "X2"] + [f"L{i}" for i in range(4)]
    (target / "TCGA-CHOL_biologically_validated_genes.csv").write_text(
        "".join(f'"{n}"\n' for n in names)
    )
    return target


@pytest.fixture
def no_recovered(monkeypatch, tmp_path):
    """Point the committed data at an empty folder, so that no symbol is recovered."""
    monkeypatch.setattr(published, "committed_data", lambda: tmp_path)
    return tmp_path


def test_parts_are_put_together_row_by_row(folder):
    cohort = load_published("CHOL", folder)
    assert cohort.parts == ("T1", "T2", "F1", "T3") and cohort.counts.shape == (27, N_SAMPLES)
    assert (cohort.n_normal, cohort.n_tumor) == (9, 36) and cohort.source == "published"
    assert not cohort.is_tumor[:9].any() and cohort.is_tumor[9:].all()
    for part in ROWS:
        x, y = write_part(folder, part)
        got = cohort.part(part)
        assert np.array_equal(got.counts, x) and np.array_equal(got.codes, y), part
        assert (cohort.genes["bio"].to_numpy()[cohort.rows(part)] == (part in ("F1", "T3"))).all()
    assert cohort.counts.index[0] == "CHOL_T1_0001" and cohort.counts.index[-1] == "CHOL_T3_0004"
    assert (cohort.counts.dtypes == np.int64).all()


def test_the_folder_above_will_do(folder):
    assert load_published("CHOL", folder.parent).counts.equals(
        load_published("CHOL", folder).counts
    )


def test_the_folder_of_the_environment_is_found(folder, monkeypatch):
    monkeypatch.setenv("DEGNEXT_DATA", str(folder.parent))
    assert published_parts("CHOL") == ("T1", "T2", "F1", "T3") and published_parts("KICH") == ()
    assert len(load_published("CHOL").counts) == 27


def test_a_part_counts_only_with_its_labels(folder):
    (folder / "TCGA-CHOL_non_bio_test_label.txt").unlink()
    assert published_parts("CHOL", folder) == ("T1", "F1", "T3")
    assert "T2 is not at hand" in load_published("CHOL", folder).notes[0]


def test_a_missing_t1_is_named_with_its_cure_and_t2_stands_in_with_a_note(folder):
    (folder / "TCGA-CHOL_non_bio_train.csv").unlink()
    with pytest.raises(
        InputError,
        match=r"CHOL has no part T1 .*at hand: T2, F1, T3.*; train_part='T2' trains on T2",
    ):
        load_published("CHOL", folder)
    cohort = load_published("CHOL", folder, train_part="T2")
    assert cohort.parts == ("T2", "F1", "T3")
    assert any(
        "trained on T2" in note and "no result on T2 is a test result" in note
        for note in cohort.notes
    )
    assert load_published("CHOL", folder, train_part=None).parts == ("T2", "F1", "T3")


def test_t1_and_t2_both_missing_offers_no_t2(folder):
    for part in ("T1", "T2"):
        (folder / f"TCGA-CHOL_{STEMS[part]}.csv").unlink()
    for part in ("T1", "T2"):
        with pytest.raises(InputError, match=f"no part {part}") as caught:
            load_published("CHOL", folder, train_part=part)
        assert "trains on T2" not in str(caught.value)


def test_no_download_starts_unless_wanted(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="no published data at hand for CHOL"):
        load_published("CHOL", fetch=False)
    asked = []

    def fetch(cancer, **_):
        asked.append(cancer)
        for part in ROWS:
            write_part(tmp_path, part)
        return tmp_path

    monkeypatch.setattr(published, "fetch_published", fetch)
    assert len(load_published("CHOL").counts) == 27 and asked == ["CHOL"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match="has no part in empty/"
    ):  # a named folder is never filled behind one's back
        load_published("CHOL", tmp_path / "empty")
    assert asked == ["CHOL"]


def test_the_authors_symbols_come_from_both_ends_of_their_list(folder, no_recovered):
    symbols = load_published("CHOL", folder).genes["published_symbol"]
    assert symbols[-9:].tolist() == ["F0", "F1", "F2", "F3", "F4", "L0", "L1", "L2", "L3"]
    assert (symbols[:18] == "").all()


def test_without_recovered_symbols_rows_have_numbers_and_a_note_says_so(folder, no_recovered):
    cohort = load_published("CHOL", folder)
    assert (
        cohort.genes["symbol"] == ""
    ).all() and "rows have numbers instead of names" in cohort.notes[-1]


def test_recovered_symbols_go_to_their_rows_and_doubtful_ones_nowhere(folder, no_recovered):
    target = no_recovered / "recovered_symbols"
    target.mkdir()
    rows = [("T2", i, s) for i, s in enumerate(["A", "B", "", "TWICE", "C", "TWICE"])] + [
        ("F1", 0, "of another F1")
    ]
    pd.DataFrame(rows, columns=["part", "row", "symbol"]).to_csv(
        target / "CHOL.csv.gz", index=False
    )
    cohort = load_published("CHOL", folder)
    assert cohort.genes["symbol"].iloc[cohort.rows("T2")].tolist() == ["A", "B", "", "", "C", ""]
    assert (cohort.genes["symbol"].iloc[cohort.rows("T1", "Q")] == "").all()
    assert "3 of 27 rows carry the symbol recovered" in cohort.notes[-1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bio_test.csv", "<html>not found</html>", "cannot be read as numbers"),
        ("bio_test.csv", "", "cannot be read as numbers"),
        ("bio_test.csv", "1,2\n3,4,5\n", "cannot be read as numbers"),
        ("bio_test.csv", "1,2\n3,4\n", "has 2 columns, not 9 normal"),
        ("bio_test.csv", ("1," * 44 + "1\n") * 3, "3 rows but .* has 4 labels"),
        ("bio_test.csv", ("1," * 44 + "-1\n") * 4, "no counts"),
        ("bio_test.csv", ("1," * 44 + "0.5\n") * 4, "no counts"),
        ("bio_test.csv", ("1," * 44 + "inf\n") * 4, "no counts"),
        ("bio_test.csv", ("1," * 44 + "\n") * 4, "no counts"),
        ("bio_test_label.txt", "up\ndown\nup\nup\n", "cannot be read as numbers"),
        ("bio_test_label.txt", "0\n1\n7\n0\n", "labels other than 0, 1 and 2"),
        ("bio_test_label.txt", "0\n1\n0.5\n0\n", "labels other than 0, 1 and 2"),
    ],
)
def test_a_corrupted_file_is_named(folder, name, text, said, is_helpful):
    (folder / f"TCGA-CHOL_{name}").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        load_published("CHOL", folder)
    assert f"TCGA-CHOL_{name}" in str(caught.value) and is_helpful(str(caught.value))


@pytest.mark.parametrize("cancer", ["CHOL", "KICH", "READ"])
def test_the_real_cohorts_have_the_sizes_of_the_registry(real_data, cancer):
    cohort = load_published(cancer)
    info = registry().loc[cancer]
    assert (
        cohort.part_table()["total"].tolist()
        == info[["files_t1", "files_t2", "files_f1", "files_t3"]].tolist()
    )
    assert cohort.counts.shape == (
        info[["files_t1", "files_t2", "files_f1", "files_t3"]].sum(),
        info.n_normal + info.n_tumor,
    )
    assert (
        info.n_genes - 1 <= len(cohort.counts) <= info.n_genes
    )  # CHOL's files lack one gene of the paper's 6,514
    assert (cohort.genes["symbol"] != "").mean() > 0.5
    named = cohort.genes["symbol"][cohort.genes["symbol"] != ""]
    assert named.is_unique
    bio = cohort.genes["bio"]
    assert (cohort.genes["published_symbol"][bio] != "").all() and (
        cohort.genes["label"][bio] != "neutral"
    ).all()


def test_real_cohorts_without_t1_say_what_to_do(real_data):
    with pytest.raises(InputError, match="HNSC has no part T1 .*train_part='T2'"):
        load_published("HNSC")
    assert load_published("HNSC", train_part="T2").parts == ("T2", "F1", "T3")
    with pytest.raises(InputError, match="BRCA has no part T1 .*at hand: T3"):
        load_published("BRCA")
    assert load_published("BRCA", train_part=None).parts == ("T3",)


# --- fetching the authors' files


def git(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def repository(monkeypatch):
    """A registry of a two-cancer repository, served by the local server."""
    site, rows = Site(), []
    for cancer, stems in (("KICH", ("non_bio_train", "bio_test")), ("READ", ("bio_test",))):
        names = [f"{stem}{end}" for stem in stems for end in (".csv", "_label.txt")]
        for name in [*names, "bio_test_genes.csv", "bio_test_data.csv"]:
            content = f"{cancer} {name} ".encode() * 5000
            site.files[f"/repo/TCGA-{cancer}_{name}"] = content
            rows.append((f"TCGA-{cancer}_{name}", git(content), len(content)))
    monkeypatch.setattr(
        published,
        "published_registry",
        lambda: pd.DataFrame(rows, columns=["name", "git_blob_sha1", "bytes"]),
    )
    monkeypatch.setenv("DEGNEXT_PUBLISHED_URL", site.url + "/repo/")
    yield site
    site.close()


def fetch(cancer, folder):
    return fetch_published(cancer, folder, QUICK)


def test_published_files_of_one_cancer(repository, tmp_path):
    folder = fetch("KICH", tmp_path)
    assert sorted(p.name for p in folder.glob("TCGA-*")) == [
        "TCGA-KICH_bio_test.csv",
        "TCGA-KICH_bio_test_genes.csv",
        "TCGA-KICH_bio_test_label.txt",
        "TCGA-KICH_non_bio_train.csv",
        "TCGA-KICH_non_bio_train_label.txt",
    ]
    assert all(p.read_bytes() == repository.files[f"/repo/{p.name}"] for p in folder.glob("TCGA-*"))
    assert PUBLISHED_COMMIT[:7] == "1c5cab0" and PUBLISHED_COMMIT[:7] in str(folder)


def test_published_is_checked_but_not_fetched_again(repository, tmp_path):
    folder = fetch("KICH", tmp_path)
    n = len(repository.log)
    (folder / "TCGA-KICH_bio_test.csv").write_bytes(b"edited")
    fetch("KICH", tmp_path)
    assert [r.path for r in repository.log[n:]] == ["/repo/TCGA-KICH_bio_test.csv"]
    assert (folder / "TCGA-KICH_bio_test.csv").read_bytes() == repository.files[
        "/repo/TCGA-KICH_bio_test.csv"
    ]


def test_published_interrupted_run_resumes_per_file(repository, tmp_path):
    stop = "/repo/TCGA-KICH_bio_test.csv"
    repository.faults[stop] = [("truncate", 50_000)] + [("status", 503)] * 4
    with pytest.raises(InputError, match="cannot reach"):
        fetch("KICH", tmp_path)
    n = len(repository.log)
    fetch("KICH", tmp_path)
    again = repository.log[n:]
    assert again[0].path == stop and again[0].range == "bytes=50000-" and again[0].status == 206
    assert not [r for r in again if "non_bio_train" in r.path]  # finished before the interruption


def test_the_cache_comes_from_the_environment(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("DEGNEXT_CACHE", str(tmp_path))
    folder = fetch_published("READ", retry=QUICK)
    assert folder.is_relative_to(tmp_path.resolve())
    assert len(list(folder.glob("TCGA-*"))) == 3


def test_published_wrong_content_and_wrong_names(repository, tmp_path):
    repository.files["/repo/TCGA-READ_bio_test.csv"] = b"something else"
    with pytest.raises(InputError, match="checksum other than git:"):
        fetch("READ", tmp_path)
    assert not list(tmp_path.rglob("TCGA-READ_bio_test.csv"))
    with pytest.raises(InputError, match="did you mean 'READ'"):
        fetch("REED", tmp_path)


def test_committed_registry_lists_every_part_of_17_cancers():
    table = published_registry()
    names = set(table["name"])
    cancers = {n[5:9] for n in names}
    assert (
        len(cancers) == 17
        and table["name"].is_unique
        and table["git_blob_sha1"].str.fullmatch("[0-9a-f]{40}").all()
    )
    missing = [
        (cancer, stem, end)
        for cancer in cancers
        for stem in STEMS.values()
        for end in (".csv", "_label.txt")
        if f"TCGA-{cancer}_{stem}{end}" not in names
    ]
    assert missing == []


@pytest.mark.skipif(not os.environ.get("DEGNEXT_DATA"), reason="needs DEGNEXT_DATA with published/")
def test_registry_fits_the_real_files():
    table = published_registry().set_index("name")["git_blob_sha1"]
    here = [
        p
        for p in (Path(os.environ["DEGNEXT_DATA"]) / "published").iterdir()
        if p.name in table.index
    ]
    assert len(here) > 100
    assert [p.name for p in here if file_checksum(p, "git") != f"git:{table[p.name]}"] == []


@pytest.mark.network
@pytest.mark.skipif(
    not os.environ.get("DEGNEXT_NETWORK"), reason="asks GitHub: set DEGNEXT_NETWORK=1"
)
def test_live_published(tmp_path):
    folder = fetch_published("CHOL", tmp_path)
    assert len(list(folder.glob("TCGA-CHOL_bio_test*"))) == 3
