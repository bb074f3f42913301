"""The command line: ``degnext run | predict | fetch | simulate | info``.

Bad input ends with one sentence and exit status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from degnext import __version__
from degnext._common.errors import InputError, check_choice

_SOURCES = ("demo", "published", "gdc", "xena", "file")  # their module needs pandas: half a second
_DOWNLOADS = ("published", "gdc", "xena")
_RULES = ("standard", "paper")
_PAPER = ("published", "demo")  # their labels were made by the paper's rule
_LIMITS = """Rule standard: FDR < 0.01 and at least 1.5-fold by edgeR's likelihood-ratio test with
TMM library sizes; the test's own numbers stand beside the network's classes. Rule paper: column
sums and no smallest fold change, as in the published labels; its neutral calls do not transfer
well: on cohorts never trained on, the three-class network's MCC was 0.44 to 0.82 (T2, not
retrained). p_UR_if_DE, of the two-class network, is calibrated, the other probabilities are not.
See --card."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        self.exit(2, f"degnext: {message}; {self.prog} --help says more\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; exit with 0, 1 (some of many failed), 2 (bad input), 130 (interrupted)."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not hasattr(arguments, "do"):
        parser.print_help()
        return 0
    try:
        arguments.do(arguments)
    except InputError as error:
        print(f"degnext: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("degnext: interrupted; what is complete is kept", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    about = "Classify genes of a tumor/normal RNA-seq cohort as UR, DR or neutral."
    parser = _Parser("degnext", description=about)
    parser.add_argument("--version", action="version", version=f"degnext {__version__}")
    commands = parser.add_subparsers(title="commands")

    def command(do: Callable, about: str, epilog: str = "") -> Callable:
        name = do.__name__.removeprefix("_")
        new = commands.add_parser(name, help=about, description=about, epilog=epilog)
        new.set_defaults(do=do)
        return new.add_argument

    _add_run(command(_run, "run notebooks headlessly on one cohort, or on many side by side"))

    add = command(_predict, "predict UR, DR or neutral with pretrained networks", _LIMITS)
    add("counts", nargs="?", metavar="COUNTS", help="raw counts, genes × samples")
    add("--groups", help="table with columns sample,group; not needed with TCGA barcodes")
    add("--out", type=Path, help="CSV file to write, one row per gene")
    add("--source", **_one_of(_SOURCES, "file"))
    add("--rule", **_one_of(_RULES, None, "(default: paper for published and demo, else standard)"))
    add("--fdr", type=float, metavar="SHARE", help="standard only: list calls, at most this wrong")
    add("--cancer", help="TCGA study code, for every source but file")
    add("--data-dir", help="published only: the folder with the authors' files")
    add("--round-counts", action="store_true", help="round expected counts such as RSEM's")
    add("--force", action="store_true", help="replace the output file if there is one")
    add("--card", action="store_true", help="print the networks' model card, and stop")

    add = command(_fetch, "download a cohort")
    add("cancer", help="TCGA study code")
    add("--source", **_one_of(_DOWNLOADS, "published"))
    add("--workflow", **_one_of(("star", "htseq"), "star", "xena only "))
    add("--cache-dir", type=Path, help="where downloads lie (default: see degnext info)")

    add = command(_simulate, "make a synthetic twin of a cohort")
    add("cancer", help="TCGA study code, or one word of yours for source file")
    add("--source", **_one_of(_SOURCES, "file"))
    add("--counts", help="counts table (source file)")
    add("--groups", help="groups table (source file)")
    add("--round-counts", action="store_true", help="round expected counts such as RSEM's")
    add("--seed", type=int, default=0, help="whole number from 0 up (default: 0)")
    add("--out", type=Path, required=True, help="new folder for counts, groups and parameters")

    command(_info, "show cohorts, sources and where data lie")
    return parser


def _add_run(add: Callable) -> None:
    add("cancer", nargs="?", help="TCGA study code, or one word of yours for source file")
    add("--cancers", help="instead of one: all, or names separated by commas")
    add("--cores", type=int, default=os.cpu_count(), help="with --cancers (default: all)")
    add("--profile", default="", help="with --cancers: a Snakemake profile, for a cluster")
    add("--source", **_one_of(_SOURCES, "demo"))
    add("--steps", default="all", help="notebook numbers, e.g. 1,2,3 (default: all)")
    add("--out", type=Path, help="folder for results (default: results/)")
    repeated = {"action": "append", "nargs": 2, "metavar": ("NAME", "VALUE"), "default": []}
    add("-p", "--parameter", help="a notebook parameter", **repeated)


def _one_of(valid: Sequence[str], default: str | None, about: str = "") -> dict[str, Any]:
    """Settings of an option with choices; argparse's own would not say which of them was meant."""

    def known(value: str) -> str:
        try:
            return check_choice("value", value, valid)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    about += f"(default: {default})" if default else ""
    return {"type": known, "default": default, "metavar": "|".join(valid), "help": about}


def _run(a: argparse.Namespace) -> None:
    from degnext.running.execution import run_notebook, share_parameters
    from degnext.running.parameters import check_name, notebook_names
    from degnext.running.workflow import run_many

    if bool(a.cancer) == bool(a.cancers):
        raise InputError("no cohort, or two ways to name it: give KICH, say, or --cancers all")
    if a.cancer:
        check_name(a.cancer, a.source)
    numbers = {name[:2].lstrip("0"): name for name in notebook_names()}
    chosen = list(numbers) if a.steps == "all" else [s.strip() for s in a.steps.split(",")]
    names = [numbers[check_choice("step", s, numbers)] for s in chosen]
    given = share_parameters(dict(map(tuple, a.parameter)), names)
    if a.cancers:
        sys.exit(run_many(a.cancers, a.source, names, given, a.out, a.cores, a.profile))
    for name in names:
        print(f"{name} on {a.cancer} ({a.source})")
        print("  " + str(run_notebook(name, a.cancer, a.source, given[name], a.out)))


def _predict(a: argparse.Namespace) -> None:
    from degnext._common.files import write_atomic
    from degnext.cohorts.load import load_cohort
    from degnext.cohorts.user_tables import load_file
    from degnext.evaluation.predictions import score, score_lines
    from degnext.prediction.model_card import card_text
    from degnext.prediction.predict import predict

    if a.card:
        print(card_text())
        return
    _check_out(a.out, a.force, (a.counts, a.groups))
    if a.source != "file" and not a.cancer:
        raise InputError(f"source {a.source!r} needs --cancer: name a TCGA study code such as STAD")
    tables = {"counts": a.counts, "groups": a.groups, "round_counts": a.round_counts}
    at_hand = {"data_dir": a.data_dir, "train_part": None}  # any parts will do
    if a.source == "file" and not a.data_dir:
        cohort = load_file(**tables, name=a.cancer or "MINE", fewest=1)
    else:
        cohort = load_cohort(a.cancer or "MINE", a.source, **tables, **at_hand)
    rule = a.rule or ("paper" if a.source in _PAPER and a.fdr is None else "standard")
    table = predict(cohort, rule=rule, fdr=a.fdr)
    write_atomic(a.out, table.to_csv(index=False, float_format="%.6g"))
    n, against = table["class"].value_counts(), int(table["disagrees_with_rule"].sum())
    names = ("abstain",) if "abstain" in n else ("UR", "DR", "neutral")
    calls = ", ".join(f"{n.get(name, 0):,} {name}" for name in names)
    print(f"{cohort!r}\n{calls} by rule {rule}; {against:,} against the sign of fold change")
    print(*(f"- {note}" for note in table.attrs["notes"]), sep="\n")
    if "label" in table and rule == "paper":
        print(*score_lines(cohort.name, score(table)), sep="\n")
    print(f"written to {a.out}")


def _check_out(path: Path | None, force: bool, inputs: Sequence[str | None]) -> None:
    """Raise InputError if predictions cannot be written to ``path``, before any work starts."""
    if path is None:
        raise InputError("there is no output file: name one with --out predictions.csv")
    read = {Path(piece.strip()).resolve() for one in inputs if one for piece in one.split(",")}
    folder = next(p for p in path.resolve().parents if p.exists())
    if path.suffix.lower() != ".csv":
        slip = f"{path.name!r} is no CSV table: name a file that ends with .csv"
    elif path.is_dir():
        slip = f"{path} is a folder: name a file in it, such as predictions.csv"
    elif path.resolve() in read:
        slip = f"{path} is an input of this very command: name another file for the predictions"
    elif not folder.is_dir() or not os.access(folder, os.W_OK):
        slip = f"nothing can be written into {folder}: name a file in a folder of your own"
    elif path.exists() and not force:
        slip = f"{path} exists already: name another file, or add --force to replace it"
    else:
        return
    raise InputError(slip)


def _fetch(a: argparse.Namespace) -> None:
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


def _simulate(a: argparse.Namespace) -> None:
    from degnext.cohorts.demo import draw
    from degnext.cohorts.load import load_cohort
    from degnext.labeling.twin import fit_parameters, save_parameters

    if a.out.exists() and not a.out.is_dir():
        raise InputError(f"{a.out} is a file: name a new folder for the twin")
    if a.out.exists() and any(a.out.iterdir()):
        raise InputError(f"the folder {a.out} is not empty: name a new one, nothing is overwritten")
    if a.seed < 0:
        raise InputError(f"the seed must not be negative, not {a.seed}: give 0 or more")
    tables = {"counts": a.counts, "groups": a.groups, "round_counts": a.round_counts}
    genes, info = fit_parameters(load_cohort(a.cancer, a.source, **tables))
    twin = draw(genes, info, a.seed)
    save_parameters(genes, info, a.out)
    twin.counts.to_csv(a.out / "counts.csv.gz")
    twin.groups.rename_axis("sample").to_csv(a.out / "groups.csv")
    print(f"{twin!r} written to {a.out}: counts.csv.gz, groups.csv and the fitted parameters")


def _info(a: argparse.Namespace) -> None:
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
