"""Raw counts of a TCGA cohort in one file, from UCSC Xena's GDC hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from degnext._common.download import PATIENT, DownloadError, Retry, download
from degnext._common.errors import InputError, check_choice
from degnext._common.files import file_checksum, folder_lock, read_record, write_atomic
from degnext._common.paths import cache_dir as user_cache
from degnext.cohorts import tcga
from degnext.cohorts.tables import UNREADABLE

XENA_URL = "https://gdc-hub.s3.us-east-1.amazonaws.com/download"
# htseq: what the paper used, GDC releases before 32
WORKFLOWS = {"star": "star_counts", "htseq": "htseq_counts"}
_MOST_ALIQUOTS = 6  # of one sample; Xena stores their mean
_NOT_LOG2 = "not log2(count + 1): give a file of counts, not of FPKM, TPM or z-scores"


def load_xena(
    cancer: str, workflow: str = "star", cache_dir: Path | None = None, retry: Retry = PATIENT
) -> tcga.Loaded:
    """Return raw counts of a TCGA cohort from one Xena file, downloaded once and then cached.

    ``workflow`` is "star" (GENCODE v36, today's GDC) or "htseq" (GENCODE v22, what the paper used).
    Returns counts (genes × samples, int64, versioned Ensembl ids, sample barcodes, normals first),
    groups and a report: n_normal, n_tumor, n_paired, dropped, averaged (samples that are sums of
    several aliquots), residual, sha256, date, notes. Xena, or ``DEGNEXT_XENA_URL``, gives no
    checksums: that of what came is kept in ``<file>.json`` and checked on every later load.
    """
    check_choice("workflow", workflow, WORKFLOWS)
    cancer = tcga.check_study(cancer)
    base = (os.environ.get("DEGNEXT_XENA_URL") or XENA_URL).rstrip("/")
    folder = (cache_dir or user_cache()) / "xena" / f"TCGA-{cancer}"
    raw = folder / f"TCGA-{cancer}.{WORKFLOWS[workflow]}.tsv.gz"
    with folder_lock(folder):
        source = _fetch_once(f"{base}/{raw.name}", raw, retry)
        cached = tcga.read_cached(folder / f"{WORKFLOWS[workflow]}.parquet")
        if cached and cached[2].get("sha256") == source["sha256"]:
            return cached
        counts, averaged, worst = read_xena(raw)
        kept, dropped = tcga.select_samples(counts.columns.to_frame(name="barcode"), raw.name)
        report = {"source": "xena", "cancer": cancer, "workflow": workflow, "dropped": dropped}
        averaged = {s: n for s, n in averaged.items() if s in set(kept["barcode"])}
        report |= {"averaged": averaged, "residual": worst} | source
        groups = kept.set_index("barcode")["group"]
        path = folder / f"{WORKFLOWS[workflow]}.parquet"
        return tcga.write_cached(path, counts[groups.index], groups, report)


def _fetch_once(url: str, raw: Path, retry: Retry) -> dict[str, Any]:
    """Download ``raw`` unless it is there; return its record: url, sha256, bytes, date, etag."""
    sidecar, record = raw.with_name(raw.name + ".json"), {}
    if raw.exists():
        record = read_record(sidecar) if sidecar.exists() else {"url": ""}
        if "url" not in record:
            fault = f"{sidecar} is damaged, so nobody knows whether {raw.name} is whole"
            raise InputError(f"{fault}: delete both and run again")
    else:
        sidecar.unlink(missing_ok=True)  # of a file that was deleted
        try:
            headers = download(url, raw, retry=retry)
        except DownloadError as error:
            if error.status not in (403, 404):  # S3 answers 403 for a name that it does not have
                raise
            cure = "check the study code, or try the other workflow (star, htseq)"
            raise InputError(f"Xena has no file {raw.name}: {cure}") from error
        record = {"url": url, "etag": headers.get("ETag", "")}
        record["last_modified"] = headers.get("Last-Modified", "")
        with open(raw, "rb") as handle:
            packed = handle.read(2) == b"\x1f\x8b"
        if not packed:
            raw.unlink()
            fault = f"{url} sent no gzip file, but perhaps the page of a proxy"
            raise InputError(f"{fault}: log in at the proxy, and run again")
    sha256 = file_checksum(raw, "sha256").split(":")[1]
    if "sha256" not in record:  # new, or put here by hand on a machine without network
        record |= {"sha256": sha256, "bytes": raw.stat().st_size, "date": tcga.utc_now()}
        write_atomic(sidecar, record)
    if record["sha256"] != sha256:
        fault = f"{raw} is not what was downloaded on {record['date'][:10]} (its SHA-256 changed)"
        raise InputError(f"{fault}: delete it and {sidecar.name}, and fetch it again")
    return record


def read_xena(path: str | Path) -> tuple[pd.DataFrame, dict[str, int], float]:
    """Read a Xena matrix (.tsv.gz) of log2(count + 1).

    Returns counts (genes × samples, int64), how many aliquots a sum is of, and the largest residual
    of rounding. Summary rows of HTSeq ("__no_feature", …) and STAR ("N_unmapped", …) are left out.
    """
    cure = "delete it and run again"
    try:
        table = pd.read_csv(path, sep="\t", engine="pyarrow")
        table = table.set_index(table.columns[0])
    except (*UNREADABLE, KeyError) as error:
        raise InputError(f"{path} cannot be read as a gzipped table: {cure}") from error
    table = table[~table.index.astype(str).str.startswith(("__", "N_"))]
    odd = [c for c in table if table[c].dtype.kind not in "fiu"]
    if odd or table.empty:
        fault = f"text in column {odd[0]!r}" if odd else "no genes or no samples"
        raise InputError(f"{path} has {fault}: it is no Xena count matrix; {cure}")
    counts, n_aliquots, worst = undo_log2(table.to_numpy(), str(path))
    averaged = {s: int(n) for s, n in zip(table.columns, n_aliquots) if n > 1}
    genes, samples = table.index.rename("gene"), table.columns.rename("sample")
    return pd.DataFrame(counts, index=genes, columns=samples), averaged, worst


def undo_log2(values: np.ndarray, name: str = "the table") -> tuple[np.ndarray, np.ndarray, float]:
    """Turn log2(count + 1) back into the counts themselves.

    ``values`` is genes × samples. Xena stores the mean of a sample's aliquots before the logarithm,
    so a column may hold halves or thirds: the smallest n ≤ 6 that makes all of it whole is found,
    and it becomes the sum of its n aliquots (as edgeR's ``sumTechReps``). Returns counts (int64), n
    per column, and the largest distance from a whole number. Raises InputError when a column is not
    log2(count + 1). Source: xena-GDC-ETL, "wrangling_procedure".
    """
    counts = np.empty(values.shape, dtype=np.int64, order="F")
    n_aliquots, worst = np.ones(values.shape[1], dtype=np.int64), 0.0
    for j, column in enumerate(values.T.astype(np.float64)):
        if not np.isfinite(column).all() or (column < 0).any() or (column > 50).any():
            fault = f"column {j + 1} of {name} has empty, negative or huge values"
            raise InputError(f"{fault}, so it is {_NOT_LOG2}")
        plain = np.exp2(column) - 1
        for n in range(1, _MOST_ALIQUOTS + 1):
            whole = np.rint(n * plain)
            off = np.abs(n * plain - whole)
            # room for values printed with 7 or 8 digits, never so much that n could be another
            if (off <= np.minimum(0.01 + 1e-6 * whole, 0.25)).all():
                break
        else:
            worst = np.abs(plain - np.rint(plain)).max()
            fault = f"column {j + 1} of {name} gives no whole numbers after 2**v - 1"
            raise InputError(f"{fault} (off by up to {worst:.2g}), so it is {_NOT_LOG2}")
        counts[:, j], n_aliquots[j], worst = whole, n, max(worst, float(off.max(initial=0.0)))
    return counts, n_aliquots, worst
