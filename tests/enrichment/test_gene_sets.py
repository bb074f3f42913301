"""degnext.enrichment.gene_sets: where a library is taken from, and what if its server fails."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest
from http_server import Site

from degnext._common.download import Retry
from degnext._common.errors import InputError
from degnext._common.files import file_checksum
from degnext.enrichment import gene_sets
from degnext.enrichment.gene_sets import (
    LIBRARIES,
    fetch_library,
    library_facts,
    library_path,
    load_gene_sets,
)

GMT = b"first set\tabout\tA\tB\nsecond set\tabout\tC\n"
FAST = Retry(attempts=2, backoff_s=0.01)


@pytest.fixture
def site(monkeypatch, tmp_path):
    """A server that has KEGG with its right checksum and a zipped Reactome; the cache is empty."""
    site = Site()
    (tmp_path / "kegg.gmt").write_bytes(GMT)
    monkeypatch.setitem(
        gene_sets.LIBRARIES,
        "kegg",
        replace(LIBRARIES["kegg"], checksum=file_checksum(tmp_path / "kegg.gmt", "sha256")),
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ReactomePathways.gmt", GMT)
    site.files = {"/enrichr.KEGG_2016.gmt": GMT, "/ReactomePathways.gmt.zip": packed.getvalue()}
    monkeypatch.setenv("DEGNEXT_GENE_SETS_URL", site.url)
    monkeypatch.setattr(gene_sets, "_PATIENT", FAST)
    yield site
    site.close()


@pytest.mark.parametrize("name", ["kegg", "reactome"])
def test_a_library_is_fetched_once_and_recorded(site, name):
    assert load_gene_sets(name) == {"first set": ["A", "B"], "second set": ["C"]}
    assert load_gene_sets(name) and len(site.log) == 1
    path = library_path(name)
    record = json.loads(path.with_name(path.name + ".json").read_text())
    assert (
        record["library"] == name
        and record["url"].startswith(site.url)
        and record["checksum"] == file_checksum(path, "sha256") == library_facts(name)["checksum"]
    )
    assert sorted(p.suffix for p in path.parent.iterdir() if p.name != ".lock") == [".gmt", ".json"]


@pytest.mark.parametrize("name", ["kegg", "reactome"])
def test_cached_sets_work_when_the_server_is_down(site, name):
    load_gene_sets(name)
    site.close()
    assert len(load_gene_sets(name)) == 2


def test_a_server_that_is_down_is_one_clear_sentence(site, is_helpful):
    site.close()
    with pytest.raises(
        InputError,
        match="the server cannot be read: try again later, put enrichr.KEGG_2016.gmt into",
    ) as caught:
        load_gene_sets("kegg")
    assert is_helpful(str(caught.value))


def test_another_file_than_expected_is_refused(site, is_helpful):
    site.files["/enrichr.KEGG_2016.gmt"] = GMT + b"third\tabout\tD\n"
    with pytest.raises(InputError, match="another file than the one expected") as caught:
        load_gene_sets("kegg")
    assert (
        is_helpful(str(caught.value))
        and not (
            library_path.__globals__["cache_dir"]() / "gene_sets" / "enrichr.KEGG_2016.gmt"
        ).exists()
    )
    site.files["/ReactomePathways.gmt.zip"] = b"<html>sorry</html>"
    with pytest.raises(InputError, match="does not hold ReactomePathways.gmt"):
        load_gene_sets("reactome")


@pytest.mark.parametrize("name", ["kegg", "reactome"])
def test_a_file_changed_on_disk_is_fetched_anew(site, name):
    path = fetch_library(name)
    path.write_bytes(GMT + b"mine\tabout\tX\n")
    assert "mine" not in load_gene_sets(name) and len(site.log) == 2


def test_a_busy_server_is_asked_again(site):
    site.faults["/enrichr.KEGG_2016.gmt"] = [("status", 503, {"Retry-After": "0"})]
    assert len(load_gene_sets("kegg")) == 2 and len(site.log) == 2


def test_data_at_hand_come_first_and_nothing_is_fetched_unasked(
    site, tmp_path, monkeypatch, is_helpful
):
    with pytest.raises(InputError, match="are not at hand: put") as caught:
        load_gene_sets("hallmark", fetch=False)
    assert is_helpful(str(caught.value)) and not site.log
    (tmp_path / "data" / "gene_sets").mkdir(parents=True)
    (tmp_path / "data" / "gene_sets" / "h.all.v7.0.symbols.gmt").write_bytes(GMT)
    monkeypatch.setenv("DEGNEXT_DATA", str(tmp_path / "data"))
    assert len(load_gene_sets("hallmark")) == 2 and not site.log


def test_facts_of_files_name_no_folder(tmp_path):
    (tmp_path / "mine.gmt").write_bytes(GMT)
    assert (
        library_facts(str(tmp_path / "mine.gmt"))["library"] == "mine.gmt"
        and library_facts("demo")["library"] == "demo.gmt"
    )


@pytest.mark.parametrize("name", ["go_bp", "kegg", "hallmark"])
def test_the_shared_files_have_the_checksums_of_the_downloads(real_data, name):
    assert file_checksum(library_path(name, fetch=False), "sha256") == LIBRARIES[name].checksum
