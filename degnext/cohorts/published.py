"""The authors' processed cohorts: files of labels and headerless count matrices, one per part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import data_dir as committed_data
from degnext._common.paths import shared_data
from degnext.cohorts.cohort import PARTS, Cohort, check_cancer, label_names, registry

_STEMS = {"T1": "non_bio_train", "T2": "non_bio_test", "F1": "bio_fine_tune", "T3": "bio_test"}


def published_dir(data_dir: str | Path | None = None) -> Path | None:
    """Return the folder with the authors' files: the argument, else ``DEGNEXT_DATA/published``, else None."""
    if data_dir is not None:
        folder = Path(data_dir).expanduser()
        if not folder.is_dir():
            raise InputError(
                f"the data folder {str(data_dir)!r} does not exist: pass the folder that holds TCGA-…_bio_test.csv"
            )
        return folder / "published" if (folder / "published").is_dir() else folder
    shared = shared_data()
    return shared / "published" if shared and (shared / "published").is_dir() else None


def published_parts(cancer: str, data_dir: str | Path | None = None) -> tuple[str, ...]:
    """Name the parts of ``cancer`` whose counts and labels both lie in the folder."""
    folder = published_dir(data_dir)
    return tuple(
        p
        for p in PARTS
        if folder
        and _paths(folder, cancer, p)[0].exists()
        and _paths(folder, cancer, p)[1].exists()
    )


def load_published(
    cancer: str,
    data_dir: str | Path | None = None,
    train_part: str | None = "T1",
    fetch: bool = True,
) -> Cohort:
    """Load every part of a cohort that is at hand: genes × samples, normal samples first (paper, Table 6).

    Parameters
    ----------
    train_part : ``T1`` as in the paper; ``T2`` for a cohort whose T1 is not at hand (a note then says so); None when
                 nothing is trained on this cohort, so that any parts will do.
    fetch      : download the parts that are missing when no folder is named; with a folder nothing is downloaded.

    Raises :class:`InputError` naming the missing part.
    """
    check_cancer(cancer)
    if train_part is not None:
        check_choice("train_part", train_part, ("T1", "T2"))
    folder = published_dir(data_dir)
    if folder is None:
        if not fetch:
            raise InputError(
                f"no published data at hand for {cancer}: set DEGNEXT_DATA, pass data_dir, or run `degnext fetch {cancer} --source published`"
            )
        from degnext.cohorts.published_files import fetch_published

        folder = Path(fetch_published(cancer))
    present = published_parts(cancer, folder)
    if not present:
        raise InputError(
            f"{cancer} has no part in {folder.name}/: fetch it with `degnext fetch {cancer} --source published`"
        )
    if train_part is not None and train_part not in present:
        others = ", ".join(present) or "none"
        alternative = (
            "; train_part='T2' trains on T2 instead"
            if train_part == "T1" and "T2" in present
            else ""
        )
        raise InputError(
            f"{cancer} has no part {train_part} in {folder.name}/ (at hand: {others}){alternative}"
        )
    return assemble(cancer, folder, present, train_part)


def assemble(
    cancer: str, folder: Path, present: tuple[str, ...], train_part: str | None = None
) -> Cohort:
    """Put the ``present`` parts of one cohort together.

    A row is called ``<cancer>_<part>_<number>``, since the symbols that the authors give do not belong to their rows
    (data/published_order.md). ``genes`` keeps them as ``published_symbol`` and has a column ``symbol``: the gene that the row was
    found to follow in RNAseqDB or, in cohorts that are not there, the one that the same wrong symbol stands for elsewhere
    (data/recovered_symbols); empty where neither is known.
    """
    info = registry().loc[cancer]
    matrices, genes = [], []
    for part in present:
        x, y = _read_part(folder, cancer, part, info)
        index = pd.Index([f"{cancer}_{part}_{i:04d}" for i in range(1, len(x) + 1)], name="gene")
        matrices.append(x)
        genes.append(
            pd.DataFrame(
                {"label": label_names(y), "bio": part in ("F1", "T3"), "part": part, "fold": -1}, index=index
            )
        )
    table = pd.concat(genes)
    table["published_symbol"] = _published_symbols(folder, cancer, table["part"])
    table["symbol"] = _recovered_symbols(cancer, table)
    samples = [f"N{i:03d}" for i in range(1, info.n_normal + 1)] + [
        f"T{i:03d}" for i in range(1, info.n_tumor + 1)
    ]
    groups = pd.Series(
        ["normal"] * info.n_normal + ["tumor"] * info.n_tumor, index=samples, name="group"
    )
    counts = pd.DataFrame(np.vstack(matrices), index=table.index, columns=samples)
    notes = _notes(cancer, present, train_part, table)
    return Cohort(counts, groups, genes=table, name=cancer, source="published", notes=notes)


def _notes(
    cancer: str, present: tuple[str, ...], train_part: str | None, table: pd.DataFrame
) -> tuple[str, ...]:
    notes = []
    absent = [p for p in PARTS if p not in present]
    if absent:
        notes.append(
            f"{cancer}: of the paper's parts, {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not at hand."
        )
    if train_part == "T2":
        notes.append(
            f"{cancer}: trained on T2 (not the paper's T1); no result on T2 is a test result."
        )
    found = int((table["symbol"] != "").sum())
    cure = (
        f"{found:,} of {len(table):,} rows carry the symbol recovered for them instead"
        if found
        else "rows have numbers instead of names"
    )
    notes.append(
        f"{cancer}: the authors' gene symbols do not belong to their rows (see the audit), so {cure}."
    )
    return tuple(notes)


def _paths(folder: Path, cancer: str, part: str) -> tuple[Path, Path]:
    stem = folder / f"TCGA-{cancer}_{_STEMS[part]}"
    return stem.with_name(stem.name + ".csv"), stem.with_name(stem.name + "_label.txt")


def _read_part(
    folder: Path, cancer: str, part: str, info: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    path, label_path = _paths(folder, cancer, part)
    try:
        x, y = (
            pd.read_csv(path, header=None).to_numpy(dtype=float),
            np.array(label_path.read_text().split(), dtype=float),
        )
    except (ValueError, OSError) as error:  # text, an empty file, rows of unequal length
        raise InputError(
            f"{path.name} or {label_path.name} cannot be read as numbers: fetch both again"
        ) from error
    if x.shape[1] != info.n_normal + info.n_tumor:
        raise InputError(
            f"{path.name} has {x.shape[1]} columns, not {info.n_normal} normal + {info.n_tumor} tumor: fetch the file again"
        )
    if len(x) != len(y):
        raise InputError(
            f"{path.name} has {len(x)} rows but {label_path.name} has {len(y)} labels: fetch both again"
        )
    if not np.isfinite(x).all() or (x < 0).any() or (x != np.floor(x)).any():
        raise InputError(f"{path.name} holds values that are no counts: fetch the file again")
    if not np.isin(y, (0, 1, 2)).all():
        raise InputError(
            f"{label_path.name} holds labels other than 0, 1 and 2: fetch the file again"
        )
    return x.astype(np.int64), y.astype(np.int8)


def _published_symbols(folder: Path, cancer: str, part: pd.Series) -> list[str]:
    """The authors' symbols: the first lines of the list of bio genes are F1's, the last are T3's; P has none.

    Not ``bio_test_genes``, which belongs to another fold in PRAD and LIHC (data/published_order.md).
    """
    path = folder / f"TCGA-{cancer}_biologically_validated_genes.csv"
    names = (
        [line.strip().strip('"') for line in path.read_text().splitlines() if line.strip()]
        if path.exists()
        else []
    )
    out = pd.Series("", index=part.index)
    for name, chosen in (("F1", names), ("T3", names[::-1])):
        rows = np.flatnonzero(part == name)
        if 0 < len(rows) <= len(names):
            out.iloc[rows] = chosen[: len(rows)] if name == "F1" else chosen[: len(rows)][::-1]
    return out.tolist()


def _recovered_symbols(cancer: str, genes: pd.DataFrame) -> list[str]:
    folder = committed_data() / "recovered_symbols"
    out = pd.Series("", index=genes.index)
    if (folder / f"{cancer}.csv.gz").exists():
        found = pd.read_csv(folder / f"{cancer}.csv.gz", keep_default_na=False)
        for name, rows in found.groupby("part"):
            at = np.flatnonzero(genes["part"] == name)
            if len(at) == len(
                rows
            ):  # a part that differs from the one that was matched stays without names
                out.iloc[at[rows["row"].to_numpy()]] = rows["symbol"].to_numpy()
    elif (folder / "dictionary.csv.gz").exists():
        known = pd.read_csv(folder / "dictionary.csv.gz", keep_default_na=False).set_index(
            "published_symbol"
        )["symbol"]
        out = genes["published_symbol"].map(known).fillna("")
    repeated = out.duplicated(keep=False) & (out != "")
    return out.mask(repeated, "").tolist()


def part_weights(split: np.ndarray) -> np.ndarray:
    """Return how many genes each gene stands for, from the published parts at hand.

    split: per gene "T1", "T2", "F1" or "T3". T2 is a random fifth of the non-bio genes and T3 of the bio genes, so where
    T1 (or F1) is missing the fifth that is left counts five times. Source: the paper, section Methods (80:20 splits).
    """
    split = np.asarray(split).astype(str)
    weight = np.ones(len(split))
    for small, large in (("T2", "T1"), ("T3", "F1")):
        if not (split == large).any():
            weight[split == small] = 5.0
    return weight
