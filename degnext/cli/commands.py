"""The commands beside ``degnext predict``: ``degnext run | fetch | simulate | info``."""

from __future__ import annotations

import argparse
import sys

from degnext._common.errors import InputError, check_choice

SOURCES = ("demo", "published", "gdc", "xena", "file")  # their module needs pandas: half a second
TABLES_OF_USER = ("counts", "groups", "normal", "tumor", "transcripts", "round_counts")
DOWNLOADS = ("published", "gdc", "xena")


def run(a: argparse.Namespace) -> None:
    from degnext.running.execution import run_notebook, share_parameters
    from degnext.running.parameters import check_name, notebook_names
    from degnext.running.workflow import ACROSS, run_many

    if bool(a.cancer) == bool(a.cancers):
        raise InputError("no cohort, or two ways to name it: give KICH, say, or --cancers all")
    if a.cores < 1:
        raise InputError(f"--cores is {a.cores}: give 1 or more")
    if a.profile and not a.cancers:
        raise InputError("--profile belongs to --cancers: name the cohorts with it, or drop it")
    if a.cancer:
        check_name(a.cancer, a.source)
    numbers = {name[:2].lstrip("0"): name for name in notebook_names()}
    chosen = list(numbers) if a.steps == "all" else [s.strip() for s in a.steps.split(",")]
    names = [numbers[check_choice("step", s, numbers)] for s in chosen]
    given = share_parameters(dict(map(tuple, a.parameter)), names)
    own = [name for name in names if name != ACROSS]
    if a.source == "file" and not all(given[name].get("counts_path") for name in own):
        raise InputError("source 'file' needs your tables: add -p counts_path FILE")
    if a.cancers:
        sys.exit(run_many(a.cancers, a.source, names, given, a.out, a.cores, a.profile))
    for name in names:
        print(f"{name} on {a.cancer} ({a.source})")
        print("  " + str(run_notebook(name, a.cancer, a.source, given[name], a.out)))


def fetch(a: argparse.Namespace) -> None:
    from degnext.cohorts import gdc, xena
    from degnext.cohorts.cohort import check_cancer
    from degnext.cohorts.published import fetch_published

    check_cancer(a.cancer)
    if a.source == "published":
        folder = fetch_published(a.cancer, cache_dir=a.cache_dir)
        print(f"{a.cancer}: the authors' files lie in {folder}")
        return
    if a.source == "gdc":
        counts, _, report = gdc.load_gdc(a.cancer, a.cache_dir)
    else:
        counts, _, report = xena.load_xena(a.cancer, a.workflow, a.cache_dir)
    samples = f"{report['n_normal']} normal and {report['n_tumor']} tumor samples"
    print(f"{a.cancer} from {a.source}: {len(counts):,} genes, {samples}")
    for note in report.get("notes", ()):
        print(f"- {note}")


def simulate(a: argparse.Namespace) -> None:
    from degnext._common.files import whole_folder
    from degnext.cohorts.demo import draw
    from degnext.cohorts.load import load_cohort
    from degnext.labeling.twin import fit_parameters, save_parameters

    if a.out.exists() and not a.out.is_dir():
        raise InputError(f"{a.out} is a file: name a new folder for the twin")
    if a.out.exists() and any(a.out.iterdir()):
        raise InputError(f"the folder {a.out} is not empty: name a new one, nothing is overwritten")
    if a.seed < 0:
        raise InputError(f"the seed must not be negative, not {a.seed}: give 0 or more")
    tables = {k: getattr(a, k) for k in TABLES_OF_USER}
    genes, info = fit_parameters(load_cohort(a.cancer, a.source, **tables))
    twin = draw(genes, info, a.seed)
    with whole_folder(a.out) as folder:
        save_parameters(genes, info, folder)
        twin.counts.to_csv(folder / "counts.csv.gz")
        twin.groups.rename_axis("sample").to_csv(folder / "groups.csv")
    print(f"{twin!r} written to {a.out}: counts.csv.gz, groups.csv and the fitted parameters")


def info(a: argparse.Namespace) -> None:
    from degnext._common.paths import cache_dir, results_dir, shared_data
    from degnext.cohorts.cohort import registry
    from degnext.cohorts.demo import DEMO_CANCERS
    from degnext.cohorts.published import published_parts

    table = registry()[["name", "n_normal", "n_tumor", "role"]]
    table["demo"] = ["yes" if c in DEMO_CANCERS else "" for c in table.index]
    table["published parts at hand"] = [" ".join(published_parts(c)) for c in table.index]
    print(table.to_string())
    print(f"\nDEGNEXT_DATA  {shared_data() or 'not set'}")
    print(f"cache         {cache_dir()}\nresults       {results_dir()}")
    print("downloaded   ", *sorted(p.name for p in cache_dir().glob("*") if p.is_dir()))
