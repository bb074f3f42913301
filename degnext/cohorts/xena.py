"""Raw counts of a TCGA cohort in one file, from UCSC Xena's GDC hub."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degnext._common.download import DownloadError, Retry, download
from degnext._common.errors import InputError, check_choice
from degnext._common.files import disk_errors, file_checksum, folder_lock, write_atomic
from degnext.cohorts.tcga import (
    check_study,
    read_cached,
    require_both_groups,
    select_samples,
    utc_now,
    write_cached,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

XENA_URL = "https://gdc-hub.s3.us-east-1.amazonaws.com/download"
WORKFLOWS = {
    "star": "star_counts",
    "htseq": "htseq_counts",
}  # htseq: what the paper used, GDC releases before 32
_MOST_ALIQUOTS = 6  # of one sample; Xena stores their mean


def undo_log2(values: np.ndarray, name: str = "the table") -> tuple[np.ndarray, np.ndarray, float]:
    """Turn log2(count + 1) back into the counts themselves.

    ``values`` is genes × samples. Xena stores the mean of a sample's aliquots before the logarithm, so a column may
    hold halves or thirds: the smallest n ≤ 6 that makes all of a column whole is found, and the column becomes the sum
    of its n aliquots, whole again and nothing lost (edgeR's ``sumTechReps`` adds technical replicates up likewise).
    Returns counts (int64), n per column, and the largest distance from a whole number that rounding removed. Raises
    InputError when a column is not log2(count + 1). Source: xena-GDC-ETL, "wrangling_procedure".
    """
    import numpy as np

    counts = np.empty(values.shape, dtype=np.int64, order="F")
    n_aliquots, worst = np.ones(values.shape[1], dtype=np.int64), 0.0
    for j in range(values.shape[1]):
        column = np.asarray(values[:, j], dtype=np.float64)
        if not np.isfinite(column).all() or (column < 0).any() or (column > 50).any():
            raise InputError(
                f"column {j + 1} of {name} has empty, negative or huge values, so it is not "
                "log2(count + 1): give a file of counts, not of FPKM or z-scores"
            )
        plain = np.exp2(column) - 1
        for n in range(1, _MOST_ALIQUOTS + 1):
            whole = np.rint(n * plain)
            residual = np.abs(n * plain - whole)
            # room for values printed with 7 or 8 digits, and never so much that the whole number could be another
            if (residual <= np.minimum(0.01 + 1e-6 * whole, 0.25)).all():
                break
        else:
            raise InputError(
                f"column {j + 1} of {name} gives no whole numbers after 2**v - 1 (off by up to "
                f"{np.abs(plain - np.rint(plain)).max():.2g}), so it is not log2(count + 1): "
                "give a file of counts, not of FPKM or TPM"
            )
        counts[:, j], n_aliquots[j], worst = whole, n, max(worst, float(residual.max(initial=0.0)))
    return counts, n_aliquots, worst


def read_xena(path: str | Path) -> tuple[pd.DataFrame, dict[str, int], float]:
    """Read a Xena matrix (.tsv.gz) of log2(count + 1): counts genes × samples (int64), averaged samples, residual.

    Summary rows of HTSeq ("__no_feature", …) and STAR ("N_unmapped", …) are left out.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, sep="\t", engine="pyarrow")
        table = table.set_index(table.columns[0])
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as a gzipped table: delete it and run again"
        ) from error
    table = table[~table.index.astype(str).str.startswith(("__", "N_"))]
    odd = [c for c in table if table[c].dtype.kind not in "fiu"]
    if odd or table.empty:
        raise InputError(
            f"{path} has {'text in column ' + repr(odd[0]) if odd else 'no genes or no samples'}: "
            "it is no Xena count matrix; delete it and run again"
        )
    counts, n_aliquots, worst = undo_log2(table.to_numpy(), str(path))
    averaged = {s: int(n) for s, n in zip(table.columns, n_aliquots) if n > 1}
    return (
        pd.DataFrame(
            counts, index=table.index.rename("gene"), columns=table.columns.rename("sample")
        ),
        averaged,
        worst,
    )


def load_xena(
    cancer: str,
    workflow: str = "star",
    cache_dir: str | Path | None = None,
    base_url: str | None = None,
    *,
    replicates: str = "first",
    refresh: bool = False,
    progress: bool = True,
    retry: Retry = Retry(),
) -> tuple[pd.DataFrame, pd.Series, dict[str, Any]]:
    """Return raw counts of a TCGA cohort from one Xena file, downloaded once and then read from the cache.

    ``workflow`` is "star" (GENCODE v36, today's GDC) or "htseq" (GENCODE v22, what the paper used). Returns counts
    (genes × samples, int64, versioned Ensembl ids, sample barcodes, normals first), groups ("normal" / "tumor") and a
    report: n_normal, n_tumor, n_paired, dropped, averaged (samples that are sums of several aliquots), residual,
    sha256, date. Xena publishes no checksums: the SHA-256 of what came is kept in ``<file>.json`` beside the file and
    checked on every later load. Raises InputError.
    """
    from degnext._common.paths import cache_dir as user_cache

    check_choice("workflow", workflow, WORKFLOWS)
    check_choice("replicates", replicates, ("first", "all"))
    cancer = check_study(cancer)
    base = (base_url or os.environ.get("DEGNEXT_XENA_URL") or XENA_URL).rstrip("/")
    folder = Path(cache_dir or user_cache()) / "xena" / f"TCGA-{cancer}"
    raw = folder / f"TCGA-{cancer}.{WORKFLOWS[workflow]}.tsv.gz"
    with folder_lock(folder), disk_errors(folder):
        source = _fetch_once(
            f"{base}/{raw.name}", raw, cancer, refresh=refresh, progress=progress, retry=retry
        )
        stem = f"{WORKFLOWS[workflow]}_{replicates}"
        if (cached := read_cached(folder, stem)) and cached[2].get("sha256") == source["sha256"]:
            return cached
        import pandas as pd

        counts, averaged, worst = read_xena(raw)
        kept, dropped = select_samples(pd.DataFrame({"barcode": counts.columns}), replicates)
        require_both_groups(kept["group"], raw.name)
        report = {
            "source": "xena",
            "cancer": cancer,
            "workflow": workflow,
            "replicates": replicates,
            "dropped": dropped,
            "averaged": {s: n for s, n in averaged.items() if s in set(kept["barcode"])},
            "residual": worst,
        } | source
        return write_cached(
            folder, stem, counts[kept["barcode"]], kept.set_index("barcode")["group"], report
        )


def _fetch_once(
    url: str, raw: Path, cancer: str, *, refresh: bool, progress: bool, retry: Retry
) -> dict[str, Any]:
    """Download ``raw`` unless it is there, and return its sidecar record: url, sha256, bytes, date, etag."""
    sidecar = raw.with_name(raw.name + ".json")
    if raw.exists() and not refresh:
        sha256 = file_checksum(raw, "sha256").split(":")[1]
        if not sidecar.exists():  # put here by hand, on a machine without network
            write_atomic(
                sidecar,
                {"url": "", "sha256": sha256, "bytes": raw.stat().st_size, "date": utc_now()},
            )
        record = json.loads(sidecar.read_text())
        if record["sha256"] != sha256:
            raise InputError(
                f"{raw} is not what was downloaded on {record['date'][:10]} (its SHA-256 changed): "
                f"delete it and {sidecar.name}, or fetch it again with refresh"
            )
        return record
    fresh = raw.with_name("new." + raw.name)  # the old file stays until the new one is whole
    if refresh:
        fresh.unlink(missing_ok=True)
    try:
        headers = download(url, fresh, progress=progress, retry=retry)
    except DownloadError as error:
        if error.status in (403, 404):  # S3 answers 403 for a name that it does not have
            raise InputError(
                f"Xena has no file {raw.name}: check the study code {cancer!r}, or try the other "
                "workflow (star, htseq)"
            ) from error
        raise
    record = {
        "url": url,
        "sha256": file_checksum(fresh, "sha256").split(":")[1],
        "bytes": fresh.stat().st_size,
        "etag": headers.get("ETag", ""),
        "last_modified": headers.get("Last-Modified", ""),
        "date": utc_now(),
    }
    sidecar.unlink(
        missing_ok=True
    )  # a stop between the next two lines must not leave a record of the old file
    os.replace(fresh, raw)
    write_atomic(sidecar, record)
    return record
