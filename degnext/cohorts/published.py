"""The authors' processed cohorts: files fetched with checksums, read, and put together by part."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.download import PATIENT, Retry, download
from degnext._common.errors import InputError, check_choice
from degnext._common.paths import cache_dir as user_cache
from degnext._common.paths import data_dir as committed_data
from degnext._common.paths import shared_data
from degnext.cohorts.cohort import PARTS, Cohort, check_cancer, label_names, registry

# The newest commit of 2022 in the paper's repository: what readers of the paper found there.
PUBLISHED_COMMIT = "1c5cab042e2e615c4c8cbea2c313bb863ba96d9a"
_AUTHORS = "https://raw.githubusercontent.com/tulikakakati/DEGnext"
PUBLISHED_URL = f"{_AUTHORS}/{PUBLISHED_COMMIT}/datasets"
STEMS = {"T1": "non_bio_train", "T2": "non_bio_test", "F1": "bio_fine_tune", "T3": "bio_test"}


def published_registry() -> pd.DataFrame:
    """Return the authors' files: name, git_blob_sha1, bytes (missing where it is not known)."""
    return pd.read_csv(committed_data() / "published_registry.csv", dtype={"bytes": "Int64"})


def fetch_published(cancer: str, cache_dir: Path | None = None, retry: Retry = PATIENT) -> Path:
    """Download the authors' files of one cancer and return the folder that holds them.

    Every file, old or new, is checked against its Git blob id in ``data/published_registry.csv``;
    finished ones are not fetched again, broken-off ones go on where they stopped. The address is
    ``DEGNEXT_PUBLISHED_URL``, else the paper's repository. Raises InputError.
    """
    known = published_registry().set_index("name")
    files, sizes = known["git_blob_sha1"], known["bytes"].fillna(0)  # 0: not known
    # bio_fine_tune_data and bio_test_data are the same counts once more
    of = files.index.str.extract(r"^TCGA-([A-Z]+)_(?!bio_.*_data)", expand=False)
    check_choice("cancer", cancer, sorted(of.dropna().unique()))
    folder = (cache_dir or user_cache()) / "published" / PUBLISHED_COMMIT[:7]
    base = (os.environ.get("DEGNEXT_PUBLISHED_URL") or PUBLISHED_URL).rstrip("/")
    for name, blob in files[of == cancer].items():
        download(f"{base}/{name}", folder / name, f"git:{blob}", retry, int(sizes[name]))
    return folder


def published_dir(data_dir: str | Path | None = None) -> Path | None:
    """Return the authors' files: the argument, else ``DEGNEXT_DATA/published``, else None."""
    if data_dir is not None:
        folder = Path(data_dir).expanduser()
        if not folder.is_dir():
            cure = "pass the folder that holds TCGA-…_bio_test.csv"
            raise InputError(f"the data folder {str(data_dir)!r} does not exist: {cure}")
        return folder / "published" if (folder / "published").is_dir() else folder
    shared = shared_data()
    return shared / "published" if shared and (shared / "published").is_dir() else None


def published_parts(cancer: str, data_dir: str | Path | None = None) -> tuple[str, ...]:
    """Name the parts of ``cancer`` whose counts and labels both lie in the folder."""
    folder = published_dir(data_dir)
    if folder is None:
        return ()
    return tuple(p for p in PARTS if all(f.exists() for f in _files(folder, cancer, p)))


def has_symbols(cancer: str, data_dir: str | Path | None = None) -> bool:
    """Say whether rows of ``cancer`` can be named: recovered in full, or by the authors' list."""
    recovered = committed_data() / "recovered_symbols" / f"{cancer}.csv.gz"
    listed, folder = f"TCGA-{cancer}_biologically_validated_genes.csv", published_dir(data_dir)
    return recovered.exists() or folder is None or (folder / listed).exists()


def load_published(
    cancer: str,
    data_dir: str | Path | None = None,
    train_part: str | None = "T1",
    fetch: bool = True,
) -> Cohort:
    """Load every part of a cohort that is at hand: genes × samples, normal samples first.

    A row is called ``<cancer>_<part>_<number>``, since the symbols that the authors give do not
    belong to their rows (data/published_order.md). ``genes`` keeps them as ``published_symbol`` and
    has a column ``symbol``: the gene that the row was found to follow in RNAseqDB or, in cohorts
    that are not there, the one that the same wrong symbol stands for elsewhere
    (data/recovered_symbols); empty where neither is known. train_part: ``T1`` as in the paper;
    ``T2`` for a cohort whose T1 is not at hand (a note then says so); None when nothing is trained
    on it. fetch: download when no folder is at hand. Raises InputError naming the missing part.
    Source: the paper, Table 6.
    """
    check_cancer(cancer)
    if train_part is not None:
        check_choice("train_part", train_part, ("T1", "T2"))
    command = f"`degnext fetch {cancer} --source published`"
    folder = published_dir(data_dir)
    if folder is None and not fetch:
        cure = f"set DEGNEXT_DATA, pass data_dir, or run {command}"
        raise InputError(f"no published data at hand for {cancer}: {cure}")
    folder = folder or fetch_published(cancer)
    present = published_parts(cancer, folder)
    if not present:
        raise InputError(f"{cancer} has no part in {folder.name}/: fetch it with {command}")
    if train_part is not None and train_part not in present:
        cure = "; train_part='T2' trains on T2 instead" if "T2" in present else ""
        at_hand = f"in {folder.name}/ (at hand: {', '.join(present)})"
        raise InputError(f"{cancer} has no part {train_part} {at_hand}{cure}")
    info = registry().loc[cancer]
    parts = [_read_part(folder, cancer, part, info) for part in present]
    genes = pd.concat([genes for _, genes in parts])
    genes["published_symbol"] = _published_symbols(folder, cancer, genes["part"])
    genes["symbol"] = _recovered_symbols(cancer, genes)
    samples = [f"N{i:03d}" for i in range(1, info.n_normal + 1)]
    samples += [f"T{i:03d}" for i in range(1, info.n_tumor + 1)]
    group = np.repeat(["normal", "tumor"], [info.n_normal, info.n_tumor])
    groups = pd.Series(group, samples, name="group", dtype=object)
    counts = pd.DataFrame(np.vstack([x for x, _ in parts]), genes.index, groups.index)
    notes = _notes(cancer, present, train_part, genes["symbol"] != "")
    return Cohort(counts, groups, genes=genes, name=cancer, source="published", notes=notes)


def part_weights(split: np.ndarray) -> np.ndarray:
    """Return how many genes each gene stands for, from the published parts at hand.

    split: per gene "T1", "T2", "F1" or "T3". T2 is a random fifth of the non-bio genes and T3 of
    the bio genes, so where T1 (or F1) is missing the fifth that is left counts five times.
    Source: the paper, section Methods (80:20 splits).
    """
    split = np.asarray(split).astype(str)
    weight = np.ones(len(split))
    for small, large in (("T2", "T1"), ("T3", "F1")):
        if not (split == large).any():
            weight[split == small] = 5.0
    return weight


def _files(folder: Path, cancer: str, part: str) -> list[Path]:
    """Return the paths of a part's counts and labels."""
    stem = f"TCGA-{cancer}_{STEMS[part]}"
    return [folder / f"{stem}.csv", folder / f"{stem}_label.txt"]


def _read_part(
    folder: Path, cancer: str, part: str, info: pd.Series
) -> tuple[np.ndarray, pd.DataFrame]:
    path, label_path = _files(folder, cancer, part)
    try:
        x = pd.read_csv(path, header=None).to_numpy(dtype=float)
        y = np.array(label_path.read_text().split(), dtype=float)
    except (ValueError, OSError) as error:  # text, an empty file, rows of unequal length
        fault = f"{path.name} or {label_path.name} cannot be read as numbers"
        raise InputError(f"{fault}: fetch both again") from error
    fault, expected = "", f"{info.n_normal} normal + {info.n_tumor} tumor"
    if x.shape[1] != info.n_normal + info.n_tumor:
        fault = f"{path.name} has {x.shape[1]} columns, not {expected}"
    elif len(x) != len(y):
        fault = f"{path.name} has {len(x)} rows but {label_path.name} has {len(y)} labels"
    elif not np.isfinite(x).all() or (x < 0).any() or (x != np.floor(x)).any():
        fault = f"{path.name} holds values that are no counts"
    elif not np.isin(y, (0, 1, 2)).all():
        fault = f"{label_path.name} holds labels other than 0, 1 and 2"
    if fault:
        raise InputError(f"{fault}: fetch both files again")
    index = pd.Index([f"{cancer}_{part}_{i:04d}" for i in range(1, len(x) + 1)], name="gene")
    genes = {"label": label_names(y), "bio": part in ("F1", "T3"), "part": part, "fold": -1}
    return x.astype(np.int64), pd.DataFrame(genes, index)


def _published_symbols(folder: Path, cancer: str, part: pd.Series) -> np.ndarray:
    """The authors' symbols: the first lines of the list of bio genes are F1's, the last are T3's.

    Not ``bio_test_genes``, which belongs to another fold in PRAD and LIHC (published_order.md).
    """
    path = folder / f"TCGA-{cancer}_biologically_validated_genes.csv"
    lines = path.read_text().split("\n") if path.exists() else []
    names = [line.strip().strip('"') for line in lines if line.strip()]
    out = np.full(len(part), "", dtype=object)
    for name in ("F1", "T3"):
        rows = np.flatnonzero(part == name)
        if 0 < len(rows) <= len(names):
            out[rows] = names[: len(rows)] if name == "F1" else names[-len(rows) :]
    return out


def _recovered_symbols(cancer: str, genes: pd.DataFrame) -> pd.Series:
    folder = committed_data() / "recovered_symbols"
    out = pd.Series("", index=genes.index)
    if (folder / f"{cancer}.csv.gz").exists():
        found = pd.read_csv(folder / f"{cancer}.csv.gz", keep_default_na=False)
        for name, rows in found.groupby("part"):
            at = np.flatnonzero(genes["part"] == name)
            if len(at) == len(rows):  # else not the part that was matched
                out.iloc[at[rows["row"].to_numpy()]] = rows["symbol"].to_numpy()
    elif (folder / "dictionary.csv.gz").exists():
        known = pd.read_csv(folder / "dictionary.csv.gz", keep_default_na=False, index_col=0)
        out = genes["published_symbol"].map(known["symbol"]).fillna("")
    return out.mask(out.duplicated(keep=False), "")


def _notes(
    cancer: str, present: tuple[str, ...], train_part: str | None, named: pd.Series
) -> tuple[str, ...]:
    notes, absent = [], [p for p in PARTS if p not in present]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        notes.append(f"of the paper's parts, {', '.join(absent)} {verb} not at hand.")
    if train_part == "T2":
        notes.append("trained on T2 (not the paper's T1); no result on T2 is a test result.")
    so = "rows have numbers instead of names"
    if named.any():
        so = f"{named.sum():,} of {len(named):,} rows carry the symbol recovered for them instead"
    foreign = "the authors' gene symbols do not belong to their rows (see the audit)"
    notes.append(f"{foreign}, so {so}.")
    return tuple(f"{cancer}: {note}" for note in notes)
