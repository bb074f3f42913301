"""What the GDC and Xena have in common: TCGA barcodes, the choice of samples, and the cache of parsed tables."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from degnext._common.errors import InputError, check_choice
from degnext._common.files import file_checksum, write_atomic

if TYPE_CHECKING:
    import pandas as pd

_BARCODE = re.compile(r"^TCGA-\w{2}-\w{4}-(\d{2})", re.IGNORECASE)
_TISSUES = (  # group, the barcode's sample type code, the GDC's word for it
    ("normal", "11", "Solid Tissue Normal"),
    ("tumor", "01", "Primary Tumor"),
)
_OF_CODE = {code: group for group, code, _ in _TISSUES}
_OF_WORD = {word: group for group, _, word in _TISSUES}


def looks_like_barcode(name: object) -> bool:
    """Tell whether ``name`` starts like a TCGA sample barcode."""
    return bool(_BARCODE.match(str(name)))


def groups_from_barcodes(samples: pd.Index) -> pd.Series:
    """Return normal/tumor by the sample type of TCGA barcodes; other tissues are left out."""
    codes = samples.to_series().astype(str).str.extract(_BARCODE, expand=False)
    if codes.isna().any():
        raise InputError(
            f"sample {codes.index[codes.isna()][0]!r} is no TCGA barcode, so its group is unknown: "
            "pass a groups table with columns sample,group"
        )
    return codes.map(_OF_CODE).dropna().rename("group")


def check_study(cancer: str) -> str:
    """Return a TCGA study code in its plain form: "TCGA-KICH" and "kich" give "KICH"."""
    code = str(cancer).strip().upper().removeprefix("TCGA-")
    if not re.fullmatch(r"[A-Z0-9]{2,6}", code):
        raise InputError(f"{cancer!r} is no TCGA study code: use one such as KICH or READ")
    return code


def select_samples(
    table: pd.DataFrame, replicates: str = "first"
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Choose which columns make the cohort: primary tumor (code 01) and solid tissue normal (11).

    ``replicates="first"`` keeps one column per patient and group, the first in barcode order (vial A before B, then
    portion and plate), since two aliquots of one patient are not independent; "all" keeps every aliquot, as the paper
    did. A patient with both a tumor and a normal keeps both. ``table`` has a column ``barcode`` and may have
    ``sample_type``. Returns the kept rows with ``patient`` and ``group``, normals first, and what was dropped and why.
    """
    check_choice("replicates", replicates, ("first", "all"))
    table = table.sort_values("barcode", kind="stable").reset_index(drop=True)
    table["patient"] = table["barcode"].str[:12]
    table["group"] = table["barcode"].str[13:15].map(_OF_CODE)
    other = "neither primary tumor (01) nor solid tissue normal (11)"
    reason = table["group"].isna().map({True: other, False: ""})
    if "sample_type" in table:
        said = table["sample_type"].map(_OF_WORD)
        odd = (table["sample_type"] != "") & (said != table["group"]) & (reason == "")
        reason[odd] = "barcode and sample type disagree"
    keys = ["patient", "group"] if replicates == "first" else ["barcode"]
    repeated = (reason == "") & table.where(reason == "").duplicated(keys)
    reason[repeated] = (
        "another aliquot of the same patient and group comes first in barcode order"
        if replicates == "first"
        else "the same barcode twice"
    )
    dropped = [{"barcode": b, "reason": r} for b, r in zip(table["barcode"], reason) if r]
    kept = (
        table[reason == ""].sort_values(["group", "barcode"], kind="stable").reset_index(drop=True)
    )
    return kept, dropped


def require_both_groups(groups: pd.Series, where: str) -> None:
    """Raise InputError unless there is at least one normal and one tumor sample."""
    for group, code, word in _TISSUES:
        if not (groups == group).any():
            raise InputError(
                f"{where} has no {word.lower()} (code {code}) sample, so nothing can be "
                "contrasted: choose another cancer"
            )


def write_cached(
    folder: Path, stem: str, counts: pd.DataFrame, groups: pd.Series, report: dict[str, Any]
) -> tuple[pd.DataFrame, pd.Series, dict[str, Any]]:
    """Store a parsed table as Parquet beside ``<stem>.run.json`` and return counts, groups and the whole report."""
    import degnext

    groups = groups.rename("group").rename_axis("sample")
    patients = groups.groupby(groups.index.str[:12]).nunique()
    path, temporary = folder / f"{stem}.parquet", folder / f".{stem}.{os.getpid()}.tmp"
    try:
        counts.to_parquet(temporary, compression="zstd")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    report |= {
        "n_genes": len(counts),
        "n_normal": int((groups == "normal").sum()),
        "n_tumor": int((groups == "tumor").sum()),
        "n_paired": int((patients == 2).sum()),
        "parsed": utc_now(),
        "degnext": getattr(degnext, "__version__", ""),
        "parquet": file_checksum(path, "sha256"),
        "groups": groups.to_dict(),
    }
    report["notes"] = _notes(report)
    write_atomic(folder / f"{stem}.run.json", report)
    return counts, groups, report


def _notes(report: dict[str, Any]) -> list[str]:
    """Return the sentences that belong beside every result from these counts."""
    notes = []
    for reason, n in Counter(d["reason"] for d in report["dropped"]).items():
        example = next(d["barcode"] for d in report["dropped"] if d["reason"] == reason)
        notes.append(f"{n} sample(s) left out, e.g. {example}: {reason}.")
    if averaged := report.get("averaged"):
        notes.append(
            f"{len(averaged)} sample(s) are sums of several aliquots (Xena stores their mean), "
            f"e.g. {next(iter(averaged))}."
        )
    return notes


def utc_now() -> str:
    """Return the time as an ISO string in UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def read_cached(folder: Path, stem: str) -> tuple[pd.DataFrame, pd.Series, dict[str, Any]] | None:
    """Return what :func:`write_cached` stored, or None when it is missing or no longer what was written."""
    import pandas as pd

    path = folder / f"{stem}.parquet"
    try:
        report = json.loads((folder / f"{stem}.run.json").read_text())
        if file_checksum(path, "sha256") != report["parquet"]:
            return None
    except (OSError, ValueError, KeyError):
        return None
    counts = pd.read_parquet(path)
    groups = pd.Series(report["groups"], name="group").rename_axis("sample")
    return counts, groups.loc[counts.columns], report | {"cached": True}
