"""What the GDC and Xena share: TCGA barcodes, the choice of samples, the cache of parsed tables."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.files import whole_file

Loaded = tuple[pd.DataFrame, pd.Series, dict[str, Any]]  # counts, groups, report

_BARCODE = re.compile(r"^TCGA[-._]\w{2}[-._]\w{4}[-._](\d{2})", re.IGNORECASE)
_TISSUES = (  # group, the barcode's sample type code, the GDC's word for it
    ("normal", "11", "Solid Tissue Normal"),
    ("tumor", "01", "Primary Tumor"),
)
_OF_CODE = {code: group for group, code, _ in _TISSUES}
_OF_WORD = {word: group for group, _, word in _TISSUES}
_OTHER = "neither primary tumor (01) nor solid tissue normal (11)"
_REPEATED = "another aliquot of the same patient and group comes first in barcode order"


def looks_like_barcode(name: object) -> bool:
    """Tell whether ``name`` starts like a TCGA sample barcode."""
    return bool(_BARCODE.match(str(name)))


def groups_from_barcodes(samples: pd.Index) -> pd.Series:
    """Return normal/tumor by the sample type of TCGA barcodes; other tissues are left out."""
    codes = samples.to_series().astype(str).str.extract(_BARCODE, expand=False)
    if codes.isna().any():
        fault = f"sample {codes.index[codes.isna()][0]!r} is no TCGA barcode"
        cure = "pass a groups table with columns sample,group"
        raise InputError(f"{fault}, so its group is unknown: {cure}")
    return codes.map(_OF_CODE).dropna().rename("group")


def check_study(cancer: str) -> str:
    """Return a TCGA study code in its plain form: "TCGA-KICH" and "kich" give "KICH"."""
    code = str(cancer).strip().upper().removeprefix("TCGA-")
    if not re.fullmatch(r"[A-Z0-9]{2,6}", code):
        raise InputError(f"{cancer!r} is no TCGA study code: use one such as KICH or READ")
    return code


def select_samples(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Choose which columns make the cohort: primary tumor (code 01) and solid tissue normal (11).

    One column stays per patient and group, the first in barcode order (vial A before B, then
    portion and plate), since two aliquots of one patient are not independent; a patient with both a
    tumor and a normal keeps both. ``table`` has a column ``barcode`` and may have ``sample_type``.
    Returns the kept rows with ``group``, normals first, and what was dropped and why. Raises
    InputError where a group is empty.
    """
    table = table.sort_values("barcode", kind="stable").reset_index(drop=True)
    table["group"] = table["barcode"].str[13:15].map(_OF_CODE)
    reason = table["group"].isna().map({True: _OTHER, False: ""})
    if "sample_type" in table:
        odd = (table["sample_type"] != "") & (table["sample_type"].map(_OF_WORD) != table["group"])
        reason[odd & (reason == "")] = "barcode and sample type disagree"
    patient = table.assign(patient=table["barcode"].str[:12]).where(reason == "")
    reason[(reason == "") & patient.duplicated(["patient", "group"])] = _REPEATED
    for group, code, word in _TISSUES:
        if not (table["group"][reason == ""] == group).any():
            fault = f"{where} has no {word.lower()} (code {code}) sample"
            raise InputError(f"{fault}, so nothing can be contrasted: choose another cancer")
    dropped = [{"barcode": b, "reason": r} for b, r in zip(table["barcode"], reason) if r]
    kept = table[reason == ""].sort_values(["group", "barcode"], kind="stable")
    return kept.reset_index(drop=True), dropped


def write_cached(
    path: Path, counts: pd.DataFrame, groups: pd.Series, report: dict[str, Any]
) -> Loaded:
    """Store a parsed table with its groups and report as Parquet; return all three."""
    groups = groups.rename("group").rename_axis("sample")
    patients = groups.groupby(groups.index.str[:12]).nunique()
    report |= {f"n_{name}": int((groups == name).sum()) for name in ("normal", "tumor")}
    report |= {"n_paired": int((patients == 2).sum()), "notes": _notes(report)}
    counts.attrs = report | {"groups": groups.to_dict(), "cached": True}  # Parquet keeps them
    with whole_file(path) as temporary:
        counts.to_parquet(temporary, compression="zstd", write_page_checksum=True)
    counts.attrs = {}
    return counts, groups, report


def read_cached(path: Path) -> Loaded | None:
    """Return what ``write_cached`` stored, or None where it is missing or damaged."""
    try:
        counts = pd.read_parquet(path, page_checksum_verification=True)
        report, counts.attrs = counts.attrs, {}
        groups = pd.Series(report.pop("groups"), name="group").rename_axis("sample")
        return counts, groups.loc[counts.columns], report
    except (OSError, ValueError, KeyError):
        return None


def utc_now() -> str:
    """Return the time as an ISO string in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _notes(report: dict[str, Any]) -> list[str]:
    """Return the sentences that belong beside every result from these counts."""
    example = {d["reason"]: d["barcode"] for d in reversed(report["dropped"])}
    n_dropped = Counter(d["reason"] for d in report["dropped"])
    notes = [f"{n} sample(s) left out, e.g. {example[r]}: {r}." for r, n in n_dropped.items()]
    if averaged := report.get("averaged"):
        sums = "sums of several aliquots (Xena stores their mean)"
        notes.append(f"{len(averaged)} sample(s) are {sums}, e.g. {next(iter(averaged))}.")
    return notes
