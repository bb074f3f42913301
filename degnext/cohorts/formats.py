"""Counts as programs and archives leave them; see tests/data/formats/README.md."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.gene_names import SUMMARY_ROW
from degnext.cohorts.groups import column_key, sample_name
from degnext.cohorts.tables import existing_file, read_table, sample_sheets
from degnext.cohorts.vocabulary import WORDS

Files = str | Path | Sequence[str | Path]
_PACKED = ("", ".gz", ".bz2", ".xz", ".zst")
_PER_SAMPLE = WORDS["per sample"]  # a file per sample: columns that tell, and of the counts
_STRANDED = 0.75  # of reads on one strand, from which a library counts as stranded


class Counts(NamedTuple):
    """A table of values (genes × samples), what it is, a table about the samples or None, notes."""

    table: pd.DataFrame
    kind: str
    about: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def read_counts(
    counts: Files, about: pd.DataFrame | None = None, transcripts: str | Path | None = None
) -> Counts:
    """Read counts from a file, a folder, a pattern such as ``*.sf``, or several of these.

    about: the groups table, if there is one: a GDC sample sheet names the samples of files,
    recount3's metadata hold the read lengths. transcripts: a table whose first column is a
    transcript and second its gene. Raises InputError.
    """
    paths = count_files(counts)
    if paths[0].suffix == ".h5ad" and len(paths) == 1:
        return _read_anndata(paths[0])
    if about is None and (sheets := sample_sheets(paths)):
        about = read_table(sheets[0])
    found = []
    for path in paths:
        found.append(_recognise(read_table(path), path))
        if found[-1][1].index.equals(genes := found[0][1].index):
            found[-1][1].index = genes  # the names once in memory, not once a file
    kinds = {kind: i for i, (kind, *_) in enumerate(found)}
    if len(kinds) > 1:
        names = " and ".join(f"{kind} ({paths[i].name})" for kind, i in kinds.items())
        raise InputError(f"the files are of several kinds, {names}: give files of one kind")
    kind, notes = found[0][0], list(dict.fromkeys(n for *_, told in found for n in told))
    tables = [table for _, table, _ in found]
    if kind == "STAR ReadsPerGene":
        tables, note = _one_strand(tables)
        notes.append(note)
    if kind in (*_PER_SAMPLE, "STAR ReadsPerGene", "HTSeq"):
        tables = [t.set_axis([n], axis=1) for t, n in zip(tables, _file_names(paths, about))]
    table = _join(tables, notes)
    if (summary := table.index.str.match(SUMMARY_ROW)).any():
        notes.append(f"{int(summary.sum())} summary row(s) of the counting program left out.")
        table = table[~summary]
    if transcripts or table.index[:1].str.contains(r"^ENST\d+\S*\|ENSG").any():
        table = _sum_transcripts(table, transcripts, notes)
    if kind == "recount3":
        table = _reads_of_coverage(table, about, notes)
    if kind in ("Salmon", "kallisto", "RSEM", "recount3"):
        table = table.round()
        notes.append(f"{kind}'s estimates are rounded to whole counts.")
    if kind in _PER_SAMPLE or len(paths) > 1:
        kind = f"{len(paths)} {kind} files"
    return Counts(table, kind, about, tuple(notes))


def count_files(counts: Files) -> list[Path]:
    """Return the files that are meant; of a folder, those of the best known kind in it."""
    if isinstance(counts, (list, tuple)):
        return [path for one in counts for path in count_files(one)]
    text = os.path.expanduser(str(counts)) if str(counts).startswith("~/") else str(counts)
    if os.path.isdir(text):
        return _in_folder(Path(text))
    if any(c in text for c in "*?[") and not os.path.lexists(text):
        paths = [Path(p) for p in sorted(glob.glob(text, recursive=True)) if os.path.isfile(p)]
        if not paths:
            raise InputError(f"no file fits the pattern {text!r}: check it, and put it in quotes")
        return paths
    if "," in text and not os.path.lexists(text):
        return count_files([piece.strip() for piece in text.split(",") if piece.strip()])
    return [existing_file(text)]


def _in_folder(folder: Path) -> list[Path]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    files = [p for p in files if not re.search(WORDS["no counts"], p.name)]
    for pattern in WORDS["in folders"]:
        if found := [p for p in files if any(p.match(pattern + end) for end in _PACKED)]:
            return found
    raise InputError(f"the folder {str(folder)!r} holds no tables of counts: name the files")


def _recognise(table: pd.DataFrame, path: Path) -> tuple[str, pd.DataFrame, list[str]]:
    """Return the kind of a table, its columns of counts, and notes."""
    if not isinstance(table.columns[0], str):  # without header
        if table.shape[1] == 3 and table.index.str.startswith("N_").any():
            return "STAR ReadsPerGene", table, []
        if table.shape[1] == 1:
            return "HTSeq", table, []
        raise InputError(f"{path.name} has no header line: give every sample's column a name")
    by_name, first = {column_key(c): c for c in table.columns}, column_key(table.index.name or "")
    for kind, (mark, column) in _PER_SAMPLE.items():
        if {mark, column} <= set(by_name):
            values = table[[by_name[column]]]
            if kind == "RSEM" and first == "transcript_id" and "gene_id" in by_name:
                values = values.groupby(table[by_name["gene_id"]], sort=False).sum()
            return kind, values, []
    if first == "" and list(table.index) == [str(i + 1) for i in range(len(table))]:
        text = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
        if text:  # numbers of rows stand before the genes, as R writes a tibble
            table = table.set_index(text[0])
    kind, shown = "table", WORDS["annotation"]
    if {"chr", "start", "end", "strand", "length"} <= set(by_name):
        names = [sample_name(c) if column_key(c) not in shown else c for c in table.columns]
        kind = "featureCounts"
        table = table.set_axis(names, axis=1) if len({*names}) == len(names) else table
        by_name = {column_key(c): c for c in table.columns}
    entrez = by_name.get("entrez_gene_id")
    if first == "hugo_symbol" and entrez:
        unclear = table.index.duplicated(keep=False) | (table.index == "")
        number = pd.to_numeric(table[entrez], errors="coerce").fillna(0).astype(int).astype(str)
        names = pd.Series(table.index, table.index).where(~unclear, table.index + "|" + number)
        return "cBioPortal", table.drop(columns=entrez).set_axis(names.to_numpy()), []
    if any("annotation=" in comment for comment in table.attrs["comments"]):
        kind = "recount3"
    if not (extra := [c for key, c in by_name.items() if key in shown]):
        return kind, table, []
    told = f"{path.name}: annotation column(s) {', '.join(extra)} left out."
    return kind, table.drop(columns=extra), [told] if kind == "table" else []


def _one_strand(tables: list[pd.DataFrame]) -> tuple[list[pd.DataFrame], str]:
    """Return the column that fits the libraries: unstranded, or the strand with the reads."""
    genes = [t[~t.index.str.startswith("N_")] for t in tables]
    forward, reverse = (sum(float(t.iloc[:, k].sum()) for t in genes) for k in (1, 2))
    share = forward / max(forward + reverse, 1)
    k = 0 if 1 - _STRANDED < share < _STRANDED else 1 if share > 0.5 else 2
    what = ("unstranded", "stranded (forward)", "stranded (reverse)")[k]
    said = f"{share:.0%} of STAR's reads lie on the forward strand, so the libraries are {what}"
    return [t.iloc[:, [k]] for t in genes], f"{said}: column {k + 2} is read."


def _file_names(paths: list[Path], about: pd.DataFrame | None) -> list[str]:
    """Return the samples of files: by a GDC sample sheet, by their names, or by their folders'."""
    columns = {} if about is None else {column_key(c): about[c] for c in about}
    if {"file_name", "sample_id"} <= set(columns):
        of = dict(zip(columns["file_name"], columns["sample_id"].astype(str)))
        return [of.get(p.name) or of.get(f"{p.name}.gz") or p.name for p in paths]
    names = [sample_name(p.name) for p in paths]
    if len(set(names)) < len(names) or re.fullmatch(WORDS["file tail"], names[0]):
        names = [p.parent.name for p in paths]  # quant.sf, abundance.tsv
    return names


def _join(tables: list[pd.DataFrame], notes: list[str]) -> pd.DataFrame:
    """Put tables of the same genes side by side; the first of samples with one name stays."""
    genes = tables[0].index
    if not all(t.index.equals(genes) for t in tables[1:]):
        if any(t.index.has_duplicates for t in tables):
            fault = "two counts tables with repeated gene names cannot be joined"
            raise InputError(f"{fault}: give each gene one row first")
        for other in tables[1:]:
            genes = genes.intersection(other.index, sort=False)
        if len(genes) < 0.5 * max(len(t) for t in tables):
            fault = "the counts tables share fewer than half of their genes"
            raise InputError(f"{fault}: use the same annotation for all")
        notes.append(f"{len(genes):,} genes are in every table; the others are left out.")
        tables = [t.loc[genes] for t in tables]
    table = tables[0] if len(tables) == 1 else pd.concat(tables, axis=1)
    if (twice := table.columns.duplicated()).any():
        what = f"{twice.sum()} further file(s) of the same sample, e.g. {table.columns[twice][0]}"
        notes.append(f"{what}, are left out.")
    return table.loc[:, ~twice] if twice.any() else table


def _sum_transcripts(
    table: pd.DataFrame, transcripts: str | Path | None, notes: list[str]
) -> pd.DataFrame:
    """Return sums by gene: by a map, or by the gene that GENCODE's names hold (ENST…|ENSG…|…)."""
    if transcripts:
        pairs = read_table(transcripts).iloc[:, 0].astype(str).groupby(level=0).first()
        genes = table.index.to_series().map(pairs)
        if genes.notna().mean() < 0.5:  # one of them has versions
            bare = pairs.groupby(pairs.index.str.replace(r"\.\d+$", "", regex=True)).first()
            genes = table.index.to_series().str.replace(r"\.\d+(\|.*)?$", "", regex=True).map(bare)
        if genes.notna().mean() < 0.5:
            fault = f"{Path(transcripts).name} knows fewer than half of the transcripts"
            raise InputError(f"{fault}, such as {table.index[0]!r}: give another map")
    else:
        genes = table.index.to_series().str.split("|").str[1]
    lost = f"; {genes.isna().sum():,} of no gene left out" if genes.isna().any() else ""
    summed = table.groupby(genes.to_numpy(), sort=False).sum().rename_axis("gene")
    notes.append(f"{len(table):,} transcripts are summed to {len(summed):,} genes{lost}.")
    return summed


def _reads_of_coverage(
    table: pd.DataFrame, about: pd.DataFrame | None, notes: list[str]
) -> pd.DataFrame:
    """Divide recount3's sums of coverage by each sample's mean length of mapped reads.

    Source: recount3's ``compute_read_counts``.
    """
    columns = [] if about is None else list(about.columns)
    lengths = [c for c in columns if column_key(c).endswith("average_mapped_length")]
    if not lengths:
        fault = "recount3's gene sums are bases of coverage, not reads"
        cure = "pass its metadata, with the column average_mapped_length, as groups"
        raise InputError(f"{fault}: {cure}, or write R's compute_read_counts")
    keys = [about.index, *(about[c] for c in about.columns)]
    names = max(keys, key=lambda k: table.columns.isin(k.astype(str)).sum())
    length = pd.Series(about[lengths[0]].to_numpy(float), names.astype(str))
    length = length[~length.index.duplicated()].reindex(table.columns)
    notes.append("Coverage is divided by each sample's average_mapped_length.")
    return table / length


def _read_anndata(path: Path) -> Counts:
    """Read an .h5ad file: its layer ``counts``, else ``X`` or, where X is no counts, ``raw``."""
    try:
        from anndata import read_h5ad
    except ImportError as error:
        raise InputError("anndata is not installed: run pip install anndata") from error
    try:
        data = read_h5ad(path)
        layer = "counts" if "counts" in data.layers else None
        values, where = data.to_df(layer).T, f"layer {layer!r}" if layer else "X"
        if not layer and data.raw is not None and (np.mod(values.to_numpy(), 1) != 0).any():
            values, where = data.raw.to_adata().to_df().T, "raw"
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path.name} cannot be read as AnnData: write it again") from error
    about = data.obs.astype(str) if data.obs.shape[1] else None
    return Counts(values, f"AnnData ({where})", about)
