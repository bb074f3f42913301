"""A cohort as read from files, and as chapters 1 (filtered) and 2 (labelled) leave it.

A step lies in ``<results>/<source>/<cancer>/steps/<read|filtered|labeled>-<16 hex>/``,
named after all that decides it: counts.parquet,
samples.csv, genes.csv, and step.json, which says in plain what the hex digits stand for. Another
parameter, seed, counts table or line of code gives another name, so nothing of an earlier run is
overwritten or mistaken for this one's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common import files
from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort
from degnext.cohorts.formats import count_files
from degnext.cohorts.load import load_cohort
from degnext.cohorts.published import load_published
from degnext.cohorts.tables import sample_sheets
from degnext.labeling.calls import label, published_folds
from degnext.labeling.disease_genes import choose_disease_genes
from degnext.preprocessing.filters import preprocess
from degnext.preprocessing.symbols import to_symbols
from degnext.running.dependencies import code_digest
from degnext.running.parameters import FILTERING, LABELING
from degnext.running.provenance import checksum, key

STATES = ("raw", "filtered", "labeled", "target")
_LOADING = ("data_dir", "counts_path", "groups_path", "round_counts", "train_part")
_LOADING += ("normal", "tumor", "transcripts")
_MODULES = ("degnext.preprocessing.filters", "degnext.labeling.calls")


def cohort(
    asked: dict[str, Any], results: Path, state: str, other: str | None = None, source: str = ""
) -> Cohort:
    """Return a cohort in one of :data:`STATES`; see :meth:`degnext.NotebookRun.cohort`.

    asked: the notebook's parameters. results: the folder under which steps are kept.
    """
    check_choice("state", state, STATES)
    published = asked["source"] == "published"
    if published and asked.get("label_rule") == "standard" and state in STATES[2:]:
        fault = f"{asked['cancer']} (published) has the authors' labels, which follow their rule"
        raise InputError(f"{fault}: leave label_rule empty, or give paper")
    name, source, seed = other or asked["cancer"], source or asked["source"], asked.get("seed", 0)
    if source == "published" and (other or state == "target"):  # whatever parts are at hand
        return load_published(name, asked.get("data_dir") or None, None)
    own = {k.removesuffix("_path"): asked[k] for k in _LOADING if asked.get(k, "") != ""}
    if own.get("train_part") == "none":
        own["train_part"] = None
    folder = results / source / name / "steps"
    if source == "file" and own.get("counts"):
        raw = _loaded(name, own, folder)
    else:
        raw = load_cohort(name, source, seed=seed, **({} if other else own))
    if state == "raw":
        return raw
    if source == "published":  # the authors' matrices are filtered and labelled already
        return raw if state == "filtered" else published_folds(raw, seed)
    rules = {k: type(v)(asked.get(k, v)) for k, v in (FILTERING | LABELING).items()}
    if source != asked["source"]:  # a list of one's own genes is for one's own cohort
        rules["bio_source"] = ""
    named, _ = to_symbols(raw, rules["symbols"])  # so that no table of symbols is among the facts
    facts = {k: rules[k] for k in FILTERING} | {"counts": checksum(named)}
    if state == "filtered":
        return _filtered(named, facts, folder)
    return _labeled(named, facts, {k: rules[k] for k in LABELING} | {"seed": seed}, folder)


def _loaded(name: str, own: dict[str, Any], folder: Path) -> Cohort:
    """Return a cohort from the user's files; hundreds of them take a minute to read, so once."""
    paths = {k: count_files(own[k]) for k in ("counts", "groups", "transcripts") if own.get(k)}
    paths["sheets"] = sample_sheets(paths["counts"])
    sums = {
        k: [(p.parent.name, p.name, files.file_checksum(p, "sha256")) for p in found]
        for k, found in paths.items()
    }
    facts = {k: own.get(k, "") or "" for k in ("normal", "tumor", "round_counts")}
    facts |= {"files": key(sums), "code": code_digest("degnext.cohorts.load")}
    step = folder / f"read-{key(facts)[:16]}"
    cohort = _read(step, Cohort(None, None, name=name))
    if cohort is None:
        cohort = load_cohort(name, "file", **own)
        _write(cohort, step, facts)
    return cohort


def _filtered(named: Cohort, facts: dict[str, Any], folder: Path) -> Cohort:
    def make() -> Cohort:
        cuts = {k: facts[k] for k in ("outlier_cut", "quantile_cut")}
        return preprocess(named, **cuts, symbols="keep")

    facts = facts | {"code": code_digest(_MODULES[0])}
    return _taken_up("filtered", named, facts, folder, make)


def _labeled(named: Cohort, facts: dict[str, Any], asked: dict[str, Any], folder: Path) -> Cohort:
    given, seed = asked["bio_source"], asked["seed"]

    def make() -> Cohort:
        how = {k: asked[k] for k in ("library_size", "fdr", "log_fc", "seed")}
        how |= {"rule": asked["label_rule"], "method": asked["de_method"]}
        return label(_filtered(named, facts, folder), given, **how)

    genes, *_ = choose_disease_genes(named, pd.Series(dtype=object), given, seed)
    listed = {"bio_source": Path(given).name, "disease genes": key(sorted(genes))}
    code = {"code": code_digest(*_MODULES)}
    return _taken_up("labeled", named, facts | asked | listed | code, folder, make)


def _taken_up(
    kind: str, named: Cohort, facts: dict[str, Any], folder: Path, make: Callable[[], Cohort]
) -> Cohort:
    """Return the step that ``facts`` describe, as an earlier run left it or made now."""
    step = folder / f"{kind}-{key(facts)[:16]}"
    if _read(step, named) is None:
        records = map(files.read_record, folder.glob(f"{kind}-*/step.json"))
        if left := [record for record in records if record]:
            those = f"The {kind} genes of {named.name} that an earlier run left"
            print(f"{those} were made with {_difference(facts, left)}.")
        _write(make(), step, facts)
    return _read(step, named)


def _difference(facts: dict[str, Any], left: list[dict[str, Any]]) -> str:
    """Say in what the record most like ``facts`` differs from them."""
    old = min(left, key=lambda record: sum(record.get(k) != v for k, v in facts.items()))
    unlike = [k for k, v in facts.items() if old.get(k) != v]
    plain = [k for k in unlike if k not in ("counts", "code", "disease genes")]
    theirs = [f"{k}={old.get(k)!r}" for k in plain]
    theirs += [f"other {k}" for k in unlike if k not in plain]
    ours = "".join(f" with {k}={facts[k]!r}" for k in plain)
    return f"{', '.join(theirs) or 'damage'}: made again{ours}"


def _write(cohort: Cohort, step: Path, facts: dict[str, Any]) -> None:
    """Write a step, whole or not at all."""
    with files.folder_lock(step.parent):
        if _read(step, cohort) is not None:
            return  # another process was quicker
        shutil.rmtree(step, ignore_errors=True)
        with files.whole_folder(step) as folder:
            cohort.counts.rename_axis("gene").to_parquet(folder / "counts.parquet")
            samples = cohort.groups.rename_axis("sample").to_frame("group")
            samples = samples if cohort.pairs is None else samples.assign(pair=cohort.pairs)
            samples.to_csv(folder / "samples.csv")
            if cohort.genes is not None:
                cohort.genes.rename_axis("gene").to_csv(folder / "genes.csv")
            sums = {p.name: files.file_checksum(p, "sha256") for p in folder.iterdir()}
            files.write_atomic(folder / "step.json", facts | {"notes": cohort.notes, "files": sums})


def _read(step: Path, named: Cohort) -> Cohort | None:
    """Return a step, or None where it is not there, or not as it was written."""
    record = files.read_record(step / "step.json")
    sums = record.get("files", {})
    try:
        if not sums or any(files.file_checksum(step / n, "sha256") != c for n, c in sums.items()):
            return None
    except OSError:
        return None
    text = {"index_col": 0, "keep_default_na": False, "dtype": {0: str, "pair": str}}
    samples = pd.read_csv(step / "samples.csv", **text)
    genes = pd.read_csv(step / "genes.csv", **text) if "genes.csv" in sums else None
    counts, notes = pd.read_parquet(step / "counts.parquet"), tuple(record["notes"])
    parts = {"counts": counts, "groups": samples["group"], "pairs": samples.get("pair")}
    return replace(named, **parts, genes=genes, notes=notes)
