"""Raw STAR counts of a TCGA cohort from the NCI Genomic Data Commons (https://api.gdc.cancer.gov)."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degnext._common.download import Retry, download, open_url
from degnext._common.errors import InputError, check_choice
from degnext._common.files import disk_errors, folder_lock, write_atomic
from degnext.cohorts.tcga import (
    check_study,
    read_cached,
    require_both_groups,
    select_samples,
    utc_now,
    write_cached,
)

if TYPE_CHECKING:
    import pandas as pd

GDC_URL = "https://api.gdc.cancer.gov"
_FIELDS = (
    "file_id,file_name,md5sum,file_size,cases.submitter_id,cases.samples.submitter_id,"
    "cases.samples.sample_type,associated_entities.entity_submitter_id"
)
_BATCH = 20  # files in one archive, about 80 MB unpacked: little is lost when a stream breaks


def query_files(
    cancer: str, base_url: str = GDC_URL, *, page_size: int = 2000, retry: Retry = Retry()
) -> pd.DataFrame:
    """Ask the GDC for all open STAR count files of a TCGA project, with the case and sample of each.

    Returns one row per file: file_id, file_name, md5sum, file_size (bytes), patient, sample, barcode (of the aliquot;
    the sample's where the GDC names no aliquot), sample_type. The sample type is not part of the filter: the GDC is
    replacing that field, and the barcode says the same. Source: GDC API User's Guide, "Search and Retrieval".
    """
    import pandas as pd

    wanted = {
        "cases.project.project_id": f"TCGA-{cancer}",
        "files.data_category": "Transcriptome Profiling",
        "files.data_type": "Gene Expression Quantification",
        "files.analysis.workflow_type": "STAR - Counts",
        "files.access": "open",
    }
    filters = {
        "op": "and",
        "content": [{"op": "in", "content": {"field": f, "value": [v]}} for f, v in wanted.items()],
    }
    hits: list[dict] = []
    while True:
        payload = {
            "filters": filters,
            "fields": _FIELDS,
            "format": "JSON",
            "size": page_size,
            "from": len(hits),
            "sort": "file_id:asc",
        }  # without a sort, pages may overlap
        try:
            data = open_url(f"{base_url}/files", payload, retry=retry).json()["data"]
            page, total = data["hits"], data["pagination"]["total"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{base_url}/files answered something other than GDC's JSON: check the address"
            ) from error
        hits += page
        if not page or len(hits) >= total:
            break
    if not hits:
        raise InputError(
            f"the GDC has no open STAR counts of project TCGA-{cancer}: check the study code"
        )
    rows = []
    for hit in hits:
        samples = [s for case in hit.get("cases", []) for s in case.get("samples", [])]
        names = [e["entity_submitter_id"] for e in hit.get("associated_entities", [])]
        sample = samples[0] if len(samples) == 1 else {}  # a pool of samples belongs to no group
        name = sample.get("submitter_id", "")
        rows.append(
            {key: hit[key] for key in ("file_id", "file_name", "md5sum", "file_size")}
            | {
                "patient": name[:12],
                "sample": name,
                "barcode": names[0] if len(names) == 1 else name,
                "sample_type": sample.get("sample_type", ""),
            }
        )
    return pd.DataFrame(rows)


def fetch_files(
    manifest: pd.DataFrame,
    folder: str | Path,
    base_url: str = GDC_URL,
    *,
    batch: int = _BATCH,
    progress: bool = True,
    retry: Retry = Retry(),
) -> int:
    """Bring every file of the manifest into ``folder`` as ``<file_id>.tsv.gz``; return how many had to be fetched.

    Files come in archives of ``batch`` files (POST /data), each member is checked against the manifest's MD5 as it
    arrives and stored at once: a broken stream or an interrupted run keeps the finished members and asks for the
    others only. The last file, and all files when archives keep breaking, come singly with Range resume.
    """
    from tqdm import tqdm

    folder = Path(folder)
    md5 = dict(zip(manifest["file_id"], manifest["md5sum"]))
    sizes = dict(zip(manifest["file_id"], manifest["file_size"]))
    todo = [f for f in md5 if not _is_whole(folder / f"{f}.tsv.gz", md5[f])]
    n_fetched, failures, wrong = len(todo), 0, dict.fromkeys(todo, 0)
    with tqdm(
        total=int(manifest["file_size"].sum()),
        initial=int(sum(sizes[f] for f in md5 if f not in wrong)),
        unit="B",
        unit_scale=True,
        desc="GDC files",
        disable=not progress,
        leave=False,
    ) as bar:
        while todo:
            ids = todo[:batch]
            if len(ids) == 1:
                whole = folder / f"{ids[0]}.tsv"
                download(
                    f"{base_url}/data/{ids[0]}",
                    whole,
                    f"md5:{md5[ids[0]]}",
                    progress=False,
                    retry=retry,
                )
                members = {ids[0]: whole.read_bytes()}.items()
            else:
                members = _archive_members(base_url, ids, retry)
            arrived = 0
            for file_id, content in members:
                if file_id not in ids or (folder / f"{file_id}.tsv.gz").exists():
                    continue
                if hashlib.md5(content).hexdigest() == md5[file_id]:
                    write_atomic(folder / f"{file_id}.tsv.gz", gzip.compress(content, 6, mtime=0))
                    bar.update(int(sizes[file_id]))
                    arrived += 1
                else:
                    wrong[file_id] += 1
            (folder / f"{ids[0]}.tsv").unlink(missing_ok=True)
            todo = [f for f in todo if not (folder / f"{f}.tsv.gz").exists()]
            if bad := [f for f in todo if wrong[f] >= 3]:
                raise InputError(
                    f"file {bad[0]} came three times from the GDC with an MD5 other than the manifest's: "
                    "try again later, the other files are kept"
                )
            failures = 0 if arrived else failures + 1
            if failures >= retry.attempts:
                raise InputError(
                    f"the GDC sent none of {len(todo)} missing files in {failures} attempts: run the "
                    "same command again, the finished files are kept"
                )
            if not arrived:
                batch = max(1, len(ids) // 4)
                retry.sleep(failures)
    return n_fetched


def _is_whole(path: Path, md5: str) -> bool:
    """Return whether a stored file is there and still has its MD5; remove it when it is damaged."""
    if not path.exists():
        return False
    try:
        if hashlib.md5(gzip.decompress(path.read_bytes())).hexdigest() == md5:
            return True
    except (OSError, EOFError, zlib.error):
        pass
    path.unlink()
    return False


def _archive_members(base_url: str, ids: list[str], retry: Retry) -> Any:
    """Yield (file id, content) of a .tar.gz streamed from POST /data, as far as the stream goes."""
    import urllib3

    with open_url(f"{base_url}/data", {"ids": ids}, retry=retry) as answer:
        try:
            with tarfile.open(fileobj=answer.raw, mode="r|*") as archive:
                for member in (
                    archive
                ):  # "<file id>/<file name>"; MANIFEST.txt and annotations are passed over
                    file_id, _, name = member.name.removeprefix("./").partition("/")
                    if member.isfile() and file_id in ids and name != "annotations.txt":
                        yield file_id, archive.extractfile(member).read()
        except (
            tarfile.TarError,
            EOFError,
            zlib.error,
            gzip.BadGzipFile,
            urllib3.exceptions.HTTPError,
        ):
            return  # broken off: the caller sees which files are missing


def read_star_counts(source: str | Path | bytes) -> pd.DataFrame:
    """Read one ``*.rna_seq.augmented_star_gene_counts.tsv``: gene_id (index), gene_name, gene_type, unstranded.

    The comment line and the four summary rows (N_unmapped, …) are left out; counts are whole numbers.
    """
    import pandas as pd

    columns = ["gene_id", "gene_name", "gene_type", "unstranded"]
    try:
        table = pd.read_csv(
            io.BytesIO(source) if isinstance(source, bytes) else source,
            sep="\t",
            comment="#",
            usecols=columns,
            keep_default_na=False,
        )[columns]
        table = table[~table["gene_id"].str.startswith("N_")]
        if table.empty or table["unstranded"].dtype.kind != "i":
            raise ValueError("fractions, text or no genes")
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{source if not isinstance(source, bytes) else 'the file'} is no GDC STAR gene count table "
            "(columns gene_id and unstranded, whole numbers): download it again"
        ) from error
    return table.set_index("gene_id")


def load_gdc(
    cancer: str,
    cache_dir: str | Path | None = None,
    base_url: str | None = None,
    *,
    replicates: str = "first",
    refresh: bool = False,
    progress: bool = True,
    retry: Retry = Retry(),
) -> tuple[pd.DataFrame, pd.Series, dict[str, Any]]:
    """Return raw STAR counts of a TCGA cohort, downloaded once and then read from the cache.

    Returns counts (genes × samples, int64, versioned Ensembl ids, aliquot barcodes, normals first), groups ("normal" /
    "tumor" by barcode) and a report: n_normal, n_tumor, n_paired, dropped (barcode and reason), genes_file (gene_id,
    gene_name, gene_type), date, query. See :func:`select_samples` for ``replicates``; ``refresh`` asks the GDC again.
    The address is ``base_url``, else ``DEGNEXT_GDC_URL``, else the GDC. Raises InputError.
    """
    import numpy as np
    import pandas as pd
    from tqdm import tqdm

    from degnext._common.paths import cache_dir as user_cache

    base = (base_url or os.environ.get("DEGNEXT_GDC_URL") or GDC_URL).rstrip("/")
    cancer, stem = (
        check_study(cancer),
        f"counts_{check_choice('replicates', replicates, ('first', 'all'))}",
    )
    folder = Path(cache_dir or user_cache()) / "gdc" / f"TCGA-{cancer}"
    if not refresh and (cached := read_cached(folder, stem)):
        return cached
    kept, dropped = select_samples(query_files(cancer, base, retry=retry), replicates)
    require_both_groups(kept["group"], f"TCGA-{cancer} at the GDC")
    with folder_lock(folder), disk_errors(folder):
        if not refresh and (cached := read_cached(folder, stem)):  # another process was faster
            return cached
        write_atomic(folder / "manifest.csv", kept.to_csv(index=False))
        n_fetched = fetch_files(kept, folder / "raw", base, progress=progress, retry=retry)
        first = read_star_counts(folder / "raw" / f"{kept['file_id'][0]}.tsv.gz")
        matrix = np.empty((len(first), len(kept)), dtype=np.int64, order="F")  # (genes, samples)
        for column, file_id in enumerate(
            tqdm(kept["file_id"], "reading", disable=not progress, leave=False)
        ):
            one = read_star_counts(folder / "raw" / f"{file_id}.tsv.gz")["unstranded"]
            if not one.index.equals(first.index):
                raise InputError(
                    f"file {file_id} lists other genes than the first file of TCGA-{cancer}: the GDC mixes "
                    "two gene models; report it and use source xena meanwhile"
                )
            matrix[:, column] = one
        counts = pd.DataFrame(
            matrix, index=first.index.rename("gene"), columns=kept["barcode"].rename("sample")
        )
        write_atomic(folder / "genes.csv", first[["gene_name", "gene_type"]].to_csv())
        report = {
            "source": "gdc",
            "cancer": cancer,
            "url": base,
            "workflow": "STAR - Counts (unstranded)",
            "replicates": replicates,
            "dropped": dropped,
            "n_fetched": n_fetched,
            "genes_file": str(folder / "genes.csv"),
            "date": utc_now(),
            "md5": dict(zip(kept["file_id"], kept["md5sum"])),
        }
        return write_cached(folder, stem, counts, kept.set_index("barcode")["group"], report)
