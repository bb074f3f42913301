"""Raw STAR counts of a TCGA cohort from the NCI Genomic Data Commons, api.gdc.cancer.gov."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from degnext._common.download import PATIENT, Retry, download, open_url, read_json
from degnext._common.errors import InputError
from degnext._common.files import folder_lock, write_atomic
from degnext._common.paths import cache_dir as user_cache
from degnext.cohorts import tcga
from degnext.cohorts.tables import UNREADABLE

GDC_URL = "https://api.gdc.cancer.gov"
_WANTED = {
    "files.data_category": "Transcriptome Profiling",
    "files.data_type": "Gene Expression Quantification",
    "files.analysis.workflow_type": "STAR - Counts",
    "files.access": "open",
}
_ABOUT = ("file_id", "file_name", "md5sum", "file_size")
_SAMPLE = ("submitter_id", "samples.submitter_id", "samples.sample_type")
_FIELDS = (*_ABOUT, *(f"cases.{s}" for s in _SAMPLE), "associated_entities.entity_submitter_id")
_FILE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # it names a file here
_BATCH = 20  # files in one archive, about 80 MB unpacked: little is lost when a stream breaks
_MOST_FILES = 20_000  # of a project; the largest has 1,300
_MOST_BYTES = 1 << 26  # of a file whose size the manifest does not tell
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def load_gdc(cancer: str, cache_dir: Path | None = None, retry: Retry = PATIENT) -> tcga.Loaded:
    """Return raw STAR counts of a TCGA cohort, downloaded once and then read from the cache.

    Returns counts (genes × samples, int64, versioned Ensembl ids, aliquot barcodes, normals first),
    groups (see ``select_samples``) and a report: n_normal, n_tumor, n_paired, dropped, genes_file,
    date, notes. Without ``counts.parquet`` in the cache the GDC, or ``DEGNEXT_GDC_URL``, is asked
    again, and only files that are new or damaged are fetched.
    """
    cancer = tcga.check_study(cancer)
    folder = (cache_dir or user_cache()) / "gdc" / f"TCGA-{cancer}"
    parsed = folder / "counts.parquet"
    if cached := tcga.read_cached(parsed):
        return cached
    kept, dropped = tcga.select_samples(query_files(cancer, retry=retry), f"TCGA-{cancer}")
    with folder_lock(folder):
        if cached := tcga.read_cached(parsed):  # another process was faster
            return cached
        write_atomic(folder / "manifest.csv", kept.to_csv(index=False))
        n_fetched = fetch_files(kept, folder / "raw", retry)
        first = read_star_counts(folder / "raw" / f"{kept['file_id'][0]}.tsv.gz")
        matrix = np.empty((len(first), len(kept)), dtype=np.int64, order="F")  # (genes, samples)
        for column, file_id in enumerate(kept["file_id"]):
            one = read_star_counts(folder / "raw" / f"{file_id}.tsv.gz")["unstranded"]
            if not one.index.equals(first.index):
                fault = f"file {file_id} lists other genes than the first file of TCGA-{cancer}"
                raise InputError(f"{fault}: report it and use source xena meanwhile")
            matrix[:, column] = one
        samples = kept["barcode"].rename("sample")
        counts = pd.DataFrame(matrix, index=first.index.rename("gene"), columns=samples)
        write_atomic(folder / "genes.csv", first[["gene_name", "gene_type"]].to_csv())
        report = {
            "source": "gdc",
            "cancer": cancer,
            "url": _base(),
            "workflow": "STAR - Counts (unstranded)",
            "dropped": dropped,
            "n_fetched": n_fetched,
            "genes_file": str(folder / "genes.csv"),
            "date": tcga.utc_now(),
            "md5": dict(zip(kept["file_id"], kept["md5sum"])),
        }
        return tcga.write_cached(parsed, counts, kept.set_index("barcode")["group"], report)


def _base() -> str:
    return (os.environ.get("DEGNEXT_GDC_URL") or GDC_URL).rstrip("/")


def query_files(cancer: str, page_size: int = 2000, retry: Retry = PATIENT) -> pd.DataFrame:
    """Ask the GDC for all open STAR count files of a TCGA project, with the sample of each.

    Returns one row per file: file_id, file_name, md5sum, file_size (bytes), barcode (of the
    aliquot, else of the sample), sample_type, which is no part of the filter: the GDC is replacing
    that field, and the barcode says the same. Source: GDC API User's Guide.
    """
    wanted = _WANTED | {"cases.project.project_id": f"TCGA-{cancer}"}
    content = [{"op": "in", "content": {"field": f, "value": [v]}} for f, v in wanted.items()]
    payload = {"filters": {"op": "and", "content": content}, "fields": ",".join(_FIELDS)}
    payload |= {"format": "JSON", "size": page_size, "sort": "file_id:asc"}  # else pages overlap
    rows, page, total = [], [{}], 1
    while page and len(rows) < total:
        asked = payload | {"from": len(rows)}
        try:
            data = read_json(f"{_base()}/files", asked, retry)["data"]
            page, total = data["hits"], min(int(data["pagination"]["total"]), _MOST_FILES)
            rows += [_about(hit) for hit in page]
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            if isinstance(error, InputError):
                raise
            fault = f"{_base()}/files answered something other than GDC's JSON"
            raise InputError(f"{fault}: check the address") from error
    if not rows:
        fault = f"the GDC has no open STAR counts of project TCGA-{cancer}"
        raise InputError(f"{fault}: check the study code")
    return pd.DataFrame(rows)


def _about(hit: dict) -> dict[str, Any]:
    """Return a file's row of the manifest; ValueError where its id could name another path."""
    if not _FILE_ID.fullmatch(hit["file_id"]):
        raise ValueError(hit["file_id"])
    samples = [s for case in hit.get("cases", []) for s in case.get("samples", [])]
    names = [e["entity_submitter_id"] for e in hit.get("associated_entities", [])]
    sample = samples[0] if len(samples) == 1 else {}  # a pool of samples belongs to no group
    barcode = names[0] if len(names) == 1 else sample.get("submitter_id", "")
    row = {key: hit[key] for key in _ABOUT} | {"file_size": int(hit["file_size"] or _MOST_BYTES)}
    return row | {"barcode": barcode, "sample_type": sample.get("sample_type", "")}


def fetch_files(manifest: pd.DataFrame, folder: Path, retry: Retry = PATIENT) -> int:
    """Bring the files of a manifest into ``folder`` as ``<file_id>.tsv.gz``; return how many came.

    They come in archives; each member is checked against its MD5 as it arrives and stored at once,
    so that a broken stream or an interrupted run asks for the others only. The last file, and all
    when archives keep breaking, come singly with Range resume. Raises InputError.
    """
    from tqdm import tqdm

    md5 = dict(zip(manifest["file_id"], manifest["md5sum"]))
    most = dict(zip(manifest["file_id"], manifest["file_size"]))
    path = {file_id: folder / f"{file_id}.tsv.gz" for file_id in md5}
    todo = [f for f in md5 if not _is_whole(path[f], md5[f])]
    n_fetched, batch, failures, wrong = len(todo), _BATCH, 0, Counter()
    done = len(md5) - len(todo)
    with tqdm(desc="GDC files", total=len(md5), initial=done, unit=" files", leave=False) as bar:
        while todo:
            ids = todo[:batch]
            for file_id, content in _members(ids, md5, most, folder, retry):
                if hashlib.md5(content).hexdigest() == md5[file_id]:
                    write_atomic(path[file_id], gzip.compress(content, 6, mtime=0))
                    bar.update()
                else:
                    wrong[file_id] += 1
            missing = [f for f in todo if not path[f].exists()]
            arrived, todo = len(todo) - len(missing), missing
            if bad := [f for f in todo if wrong[f] >= 3]:
                fault = f"file {bad[0]} came three times with an MD5 other than the manifest's"
                raise InputError(f"{fault}: try again later, the other files are kept")
            failures = 0 if arrived else failures + 1
            if failures >= retry.attempts:
                fault = f"the GDC sent none of {len(todo)} missing files in {failures} attempts"
                raise InputError(f"{fault}: run the same command again, what is whole is kept")
            if not arrived:
                batch = max(1, len(ids) // 4)
                retry.sleep(failures)
    return n_fetched


def _is_whole(path: Path, md5: str) -> bool:
    """Return whether a stored file is there and still has its MD5; remove it when it is damaged."""
    with contextlib.suppress(OSError, EOFError, zlib.error):
        if hashlib.md5(gzip.decompress(path.read_bytes())).hexdigest() == md5:
            return True
    path.unlink(missing_ok=True)
    return False


def _members(
    ids: list[str], md5: dict[str, str], most: dict[str, int], folder: Path, retry: Retry
) -> Iterator[tuple[str, bytes]]:
    """Yield (file id, content) of one file, or of an archive of several as far as it goes."""
    import urllib3

    if len(ids) == 1:
        whole = folder / f"{ids[0]}.tsv"
        download(f"{_base()}/data/{ids[0]}", whole, f"md5:{md5[ids[0]]}", retry, most[ids[0]])
        yield ids[0], whole.read_bytes()
        whole.unlink()
        return
    with open_url(f"{_base()}/data", {"ids": ids}, retry=retry) as answer:
        try:
            with tarfile.open(fileobj=answer.raw, mode="r|*") as archive:
                for member in archive:  # "<file id>/<file name>"; the MANIFEST.txt is passed over
                    file_id, _, name = member.name.removeprefix("./").partition("/")
                    if member.isfile() and file_id in ids and name != "annotations.txt":
                        yield file_id, archive.extractfile(member).read(most[file_id] + 1)
        except (*_BROKEN, urllib3.exceptions.HTTPError):
            return  # broken off: the caller sees which files are missing


def read_star_counts(path: str | Path) -> pd.DataFrame:
    """Read one ``*.rna_seq.augmented_star_gene_counts.tsv``: gene_name, gene_type, unstranded.

    Indexed by gene_id. The comment line and the four summary rows (N_unmapped, …) are left out;
    counts are whole numbers.
    """
    columns = ["gene_id", "gene_name", "gene_type", "unstranded"]
    options = {"sep": "\t", "comment": "#", "usecols": columns, "keep_default_na": False}
    try:
        table = pd.read_csv(path, **options)[columns]
        table = table[~table["gene_id"].str.startswith("N_")]
        if table.empty or table["unstranded"].dtype.kind != "i":
            raise ValueError("fractions, text or no genes")
    except (*UNREADABLE, KeyError) as error:
        fault = f"{path} is no GDC STAR gene count table (gene_id and unstranded, whole numbers)"
        raise InputError(f"{fault}: download it again") from error
    return table.set_index("gene_id")
