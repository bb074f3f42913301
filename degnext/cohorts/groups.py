"""Groups and pairs of samples, from any sensible table, from patterns, or from TCGA barcodes."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

import pandas as pd

from degnext._common.errors import InputError
from degnext.cohorts.tcga import groups_from_barcodes, looks_like_barcode
from degnext.cohorts.vocabulary import WORDS

_NOT_TUMOR = r"\bnon[\W_]*(?:tumou?r|cancer|malignan|neoplas|disease|lesion)\w*"
_COLUMNS, _TAIL = WORDS["group columns"], WORDS["file tail"]
_BY_HAND = "say which is which with --normal PATTERN and --tumor PATTERN"


class Groups(NamedTuple):
    """Groups of the samples that stay, pairs (or None), a sentence about them, notes."""

    groups: pd.Series
    pairs: pd.Series | None
    sentence: str
    notes: tuple[str, ...] = ()


def sample_name(name: str) -> str:
    """Return a sample's name from a file's: no folder, no kind, no step of a pipeline."""
    short = re.split(r"[/\\]", str(name).strip())[-1]
    while (shorter := re.sub(_TAIL, "", short)) != short and shorter:
        short = shorter
    return short or str(name)


def _key(name: object) -> str:
    """Return a name as R and file names leave it: dots for dashes, an X before a digit, no tail."""
    plain = re.sub(r"[^a-z0-9]+", ".", sample_name(str(name)).lower()).strip(".")
    return plain[1:] if re.match(r"x\d", plain) else plain


def column_key(name: object) -> str:
    """Return a column's name in one spelling: "Sample Type" and "Sample.Type" are sample_type."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")


def group_of_word(text: object) -> str:
    """Return ``normal``, ``tumor``, ``other`` (metastasis, recurrence, blood), or "" if unknown."""
    plain = re.sub(_NOT_TUMOR, "normal", str(text).strip().lower())
    words = {*re.findall(r"[a-z]+", plain)}
    kinds = ("other", "normal", "tumor")  # the first that has one of the words
    return next((k for k in kinds if words & {*WORDS[k]} or plain == k[0]), "")


def find_groups(
    samples: pd.Index, about: pd.DataFrame | None, normal: str | None, tumor: str | None
) -> Groups:
    """Return the groups of ``samples`` and what was understood.

    about: a table of samples, any column of which names them. normal, tumor: patterns such as
    ``N*`` (several separated by commas) for sample names or for the values of a column; with one of
    them, all others are of the other group. With neither a table nor patterns the samples need
    TCGA barcodes. Raises InputError with the cure.
    """
    table, suffixes = (None, "") if about is None else _rows_of(samples, about)
    if normal or tumor:
        found, whence = _by_patterns(samples, table, normal, tumor)
    elif table is not None:
        found, whence = _by_words(table)
    else:
        if not any(map(looks_like_barcode, samples)):
            fault = "the sample names are no TCGA barcodes, so the groups are unknown"
            raise InputError(f"{fault}: pass groups, a table of sample,group, or {_BY_HAND}")
        found, whence = groups_from_barcodes(samples), "TCGA barcodes"
        found = found.reindex(samples, fill_value="other")
    notes = _disagreements(samples, found) if whence != "TCGA barcodes" else []
    stay = found[found.isin(("normal", "tumor"))].rename("group")
    if lost := len(found) - len(stay):
        example = found.index[~found.index.isin(stay.index)][0]
        what = f"{lost} sample(s), e.g. {example}, are neither primary tumor nor normal tissue"
        notes.append(f"{what} and are left out.")
    pairs, by = _find_pairs(stay, table)
    n = stay.value_counts()
    said = f"Groups: {n.get('normal', 0)} normal and {n.get('tumor', 0)} tumor samples, by {whence}"
    if pairs is not None:
        complete = int((stay.groupby(pairs).nunique() == 2).sum())
        said += f"; {complete} of {pairs.nunique()} {by} have both"
    return Groups(stay, pairs, f"{said}{suffixes}.", tuple(notes))


def _rows_of(samples: pd.Index, about: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the rows of the table that belong to the samples, in their order, and what to say."""
    first = about.index.name or "sample"
    table = about.rename_axis(None).reset_index(names="\n").rename(columns={"\n": first})
    table = table.loc[:, ~table.columns.duplicated()].fillna("").astype(str)
    table = table.apply(lambda column: column.str.strip())
    keys = samples.map(_key)
    exact = {c: samples.isin(table[c]).sum() for c in table}
    rough = {c: keys.isin(table[c].map(_key)).sum() for c in table}
    of = max(table, key=lambda c: (exact[c], rough[c]))
    if rough[of] > exact[of] and not keys.duplicated().any():
        of = max(table, key=rough.get)
        table[of] = table[of].map(_key).map(dict(zip(keys, samples))).fillna(table[of])
    suffixes = _name_by_suffix(samples[~samples.isin(table[of])], table, of)
    missing = samples[~samples.isin(table[of])]
    if len(missing):
        fault = f"{len(missing)} sample(s) of the counts have no group, e.g. {missing[0]!r}"
        raise InputError(f"{fault}: add them to the groups table")
    table = table[table[of].isin(samples)].set_index(of)
    words = table[[c for c in table if column_key(c) in _COLUMNS]].map(group_of_word)
    clash = words.groupby(level=0).nunique().max(axis=1) > 1
    if clash.any():
        fault = f"the groups table names sample {clash.idxmax()!r} more than once"
        raise InputError(f"{fault}: keep one row each")
    return table[~table.index.duplicated()].loc[samples], suffixes


def _name_by_suffix(missing: pd.Index, table: pd.DataFrame, of: str) -> str:
    """Name rows as samples such as SAMPLE_5928 are, the file of SAMPLE whose id starts with 5928.

    So are samples told apart of which a sheet of the GDC holds several files. Returns what to say.
    """
    found = []
    for name in missing:
        base, _, start = str(name).rpartition("_")
        ids = table[table[of] == base].drop(columns=of)
        row = ids.index[ids.map(lambda value, start=start: value.startswith(start)).any(axis=1)]
        if len(start) > 3 and len(row) == 1:
            table.loc[row, of], found = name, [*found, name]
    what = f"{len(found)} sample(s), e.g. {found[0]}" if found else ""
    return f"; {what}, found by the start of a file's id after the name" if found else ""


def _by_words(table: pd.DataFrame) -> tuple[pd.Series, str]:
    by_name = {column_key(c): c for c in table}
    named = [by_name[c] for c in _COLUMNS if c in by_name]
    for column in [*named, *(c for c in table if c not in named)]:
        found = table[column].map(group_of_word)
        if (found != "").all() and (column in named or set(found) >= {"normal", "tumor"}):
            return found, f"column {column!r}"
    if len(table.columns) == 1 or named:
        values = table[(named or list(table))[0]]
        wrong = values[values.map(group_of_word) == ""]
        cure = "name every sample's group 'normal' or 'tumor'"
        fault = f"unknown group {wrong.iloc[0]!r} of sample {wrong.index[0]!r}"
        raise InputError(f"{fault}: {cure}, or {_BY_HAND}")
    at_hand = ", ".join(map(repr, table.columns[:8])) or "none"
    fault = f"the groups table has no column 'group' nor another with normal and tumor ({at_hand})"
    raise InputError(f"{fault}: name the column with normal/tumor 'group', or {_BY_HAND}")


def _by_patterns(
    samples: pd.Index, table: pd.DataFrame | None, normal: str | None, tumor: str | None
) -> tuple[pd.Series, str]:
    def matches(values: pd.Series, patterns: str | None) -> pd.Series:
        pieces = [p.strip() for p in (patterns or "").split(",") if p.strip()]
        return values.map(lambda v: any(fnmatchcase(str(v), p) for p in pieces))

    names = samples.to_series()
    others = {} if table is None else {f"column {c!r}": table[c] for c in table}
    asked = " and ".join(repr(p) for p in (normal, tumor) if p)
    for whence, values in {"names": names, **others}.items():
        is_normal, is_tumor = matches(values, normal), matches(values, tumor)
        if (both := is_normal & is_tumor).any():
            fault = f"both patterns fit {values[both].iloc[0]!r}"
            raise InputError(f"{fault}: make --normal and --tumor exclude each other")
        if (is_normal.any() or not normal) and (is_tumor.any() or not tumor):
            found = pd.Series("other", samples)
            found[is_normal if normal else ~is_tumor] = "normal"
            found[is_tumor if tumor else ~is_normal] = "tumor"
            return found, f"pattern {asked} of {whence}"
    raise InputError(f"no sample fits {asked}, e.g. {samples[0]!r}: check the patterns and quotes")


def _disagreements(samples: pd.Index, found: pd.Series) -> list[str]:
    if not all(map(looks_like_barcode, samples)):
        return []
    told = groups_from_barcodes(samples)
    odd = [s for s in told.index if found[s] not in ("other", told[s])]
    what = f"{len(odd)} sample(s), e.g. {odd[0]}, are {told[odd[0]]} by barcode" if odd else ""
    return [f"Warning: {what}; the groups given are believed."] if odd else []


def _find_pairs(groups: pd.Series, table: pd.DataFrame | None) -> tuple[pd.Series | None, str]:
    """Return who belongs together where at least two have both groups, and what they are called."""
    tried: list[tuple[pd.Series, str]] = []
    if table is not None:
        by_name = {column_key(c): c for c in table}
        names = [by_name[p] for p in WORDS["pair columns"] if p in by_name]
        tried = [(table[name], f"of column {name!r}") for name in names]
    if all(map(looks_like_barcode, groups.index)):
        tried.append((groups.index.to_series().str[:12], "patients by barcode"))
    for values, what in tried:
        pairs = values[groups.index].rename("pair")
        pairs = pairs.mask(pairs == "", groups.index.to_series())  # alone
        if (groups.groupby(pairs).nunique() == 2).sum() >= 2:
            return pairs, what
    return None, ""
