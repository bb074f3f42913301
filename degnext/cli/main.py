# PYTHON_ARGCOMPLETE_OK
"""The command line: ``degnext run | predict | fetch | simulate | info``.

examples:
  degnext predict --demo
  degnext run KICH --steps 1,2,3
  degnext fetch STAD --source gdc

exit status: 0 done, 2 something to mend (one sentence on stderr says what), 130 interrupted,
  141 the reader of a pipe went away, 1 some of many cohorts failed, or a fault of this program
shell completion (bash, zsh): eval "$(register-python-argcomplete degnext)"
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from degnext import __version__
from degnext._common.errors import InputError, nearest
from degnext.cli.commands import DOWNLOADS, SOURCES, TABLES_OF_USER, fetch, info, run, simulate

_RULES = ("standard", "paper")


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **settings: Any) -> None:
        # keeps the lines of examples
        super().__init__(*args, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> None:
        self.exit(2, f"degnext: {message}; {self.prog} --help says more\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which choice was meant, where argparse only lists them."""
        if action.choices is not None and value not in action.choices:
            hint = nearest(value, action.choices)
            raise argparse.ArgumentError(action, f"unknown value {value!r}: {hint}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; exit with 0, 1 (some of many failed), 2 (bad input), 130 (interrupted)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal may know ASCII only
            stream.reconfigure(errors="replace")
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    try:
        try:
            arguments = parser.parse_args(argv)
            arguments.do(arguments)
        finally:
            sys.stdout.flush()
    except InputError as error:
        print(f"degnext: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("degnext: interrupted; what is complete is kept", file=sys.stderr)
        return 130
    except OSError as error:
        return _report_os_error(error)
    return 0


def _report_os_error(error: OSError) -> int:
    """Say what the system refused; a closed pipe, as of ``| head``, is no reason to complain."""
    if error.filename is None:  # stdout: Python would try again at its end, and say so in its way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    if isinstance(error, BrokenPipeError):
        return 141
    where = error.filename or "what this command prints"
    why, cure = error.strerror or error, "check the path, your permission and the free space"
    print(f"degnext: cannot read or write {where} ({why}): {cure}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    about = "Classify genes of a tumor/normal RNA-seq cohort as UR, DR or neutral."
    parser = _Parser("degnext", description=about, epilog=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--version", action="version", version=f"degnext {__version__}")
    parser.set_defaults(do=lambda _: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(do: Callable, about: str) -> Callable:
        epilog = inspect.cleandoc(do.__doc__ or "").partition("\n\n")[2]
        new = commands.add_parser(do.__name__, help=about, description=about, epilog=epilog)
        new.set_defaults(do=do)
        return new.add_argument

    _add_run(command(run, "run notebooks headlessly on one cohort, or on many side by side"))

    add = command(predict, "predict UR, DR or neutral with pretrained networks")
    add("counts", nargs="*", metavar="COUNTS", help="files, a folder or a pattern of raw counts")
    _add_tables(add)
    add("--out", type=Path, metavar="FILE", help="a .csv, .tsv, .xlsx, .parquet or .h5ad file")
    add("--report", type=Path, metavar="FILE.html", help="a page to look at, offline")
    add("--gene-sets", default="", metavar="SETS", help="of the report: a name or a GMT file")
    add("--demo", action="store_true", help="a demo cohort: table and report into this folder")
    add("--source", **_one_of(SOURCES, "file"))
    add("--rule", **_one_of(_RULES, None, "(default: paper for published, else standard)"))
    add("--fdr", type=float, metavar="SHARE", help="standard only: list calls, at most this wrong")
    add("--cancer", help="TCGA study code, for every source but file")
    add("--data-dir", help="published only: the folder with the authors' files")
    add("--pairs", action="store_true", help="test within patients too, if pairs are known")
    add("--force", action="store_true", help="replace output files if there are any")
    add("--card", action="store_true", help="print the networks' model card, and stop")

    _add_data_commands(command)
    return parser


def _add_run(add: Callable) -> None:
    add("cancer", nargs="?", help="TCGA study code, or one word of yours for source file")
    add("--cancers", help="instead of one: all, or names separated by commas")
    add("--cores", type=int, default=os.cpu_count(), help="with --cancers (default: all)")
    add("--profile", default="", help="with --cancers: a Snakemake profile, for a cluster")
    add("--source", **_one_of(SOURCES, "demo"))
    add("--steps", default="all", help="notebook numbers, e.g. 1,2,3 (default: all)")
    add("--out", type=Path, help="folder for results (default: results/)")
    repeated = {"action": "append", "nargs": 2, "metavar": ("NAME", "VALUE"), "default": []}
    add("-p", "--parameter", help="a notebook parameter", **repeated)


def _add_data_commands(command: Callable) -> None:
    add = command(fetch, "download a cohort")
    add("cancer", help="TCGA study code")
    add("--source", **_one_of(DOWNLOADS, "published"))
    add("--workflow", **_one_of(("star", "htseq"), "star", "xena only "))
    add("--cache-dir", type=Path, help="where downloads lie (default: see degnext info)")

    add = command(simulate, "make a synthetic twin of a cohort")
    add("cancer", help="TCGA study code, or one word of yours for source file")
    add("--source", **_one_of(SOURCES, "file"))
    add("--counts", nargs="+", help="files, a folder or a pattern of raw counts (source file)")
    _add_tables(add)
    add("--seed", type=int, default=0, help="whole number from 0 up (default: 0)")
    add("--out", type=Path, required=True, help="new folder for counts, groups and parameters")

    command(info, "show cohorts, sources and where data lie")


def _add_tables(add: Callable) -> None:
    add("--groups", help="table of samples, one column normal/tumor; TCGA barcodes need none")
    add("--normal", metavar="PATTERN", help="names, or words of a column, such as 'N*' (quoted)")
    add("--tumor", metavar="PATTERN", help="the same; with one of both, all others are the other")
    add("--transcripts", metavar="MAP", help="table of transcript and gene, to sum transcripts")
    add("--round-counts", "--round", action="store_true", help="round expected counts (RSEM's)")


def _one_of(valid: Sequence[str], default: str | None, about: str = "") -> dict[str, Any]:
    about += f"(default: {default})" if default else ""
    return {"choices": valid, "default": default, "metavar": "|".join(valid), "help": about}


def predict(a: argparse.Namespace) -> None:
    """Predict, write and say what came out; what follows is the end of the command's help.

    examples:
      degnext predict --demo
      degnext predict counts.csv --groups groups.csv --out genes.xlsx --report report.html
      degnext predict --source published --cancer STAD --out STAD.csv

    Rule standard: FDR < 0.01 and at least 1.5-fold by edgeR's likelihood-ratio test with TMM
    library sizes; the test's own numbers stand beside the network's classes. Rule paper: column
    sums and no smallest fold change, as in the published labels; its neutral calls do not transfer
    well: on cohorts never trained on, the three-class network's MCC was 0.44 to 0.82 (T2, not
    retrained). p_UR_if_DE, of the two-class network, is calibrated, the other probabilities are
    not. See --card.
    """
    from tqdm import tqdm

    from degnext.cohorts.cohort import CLASS_NAMES
    from degnext.cohorts.load import load_cohort
    from degnext.evaluation.predictions import score, score_lines
    from degnext.prediction import predict as prediction
    from degnext.prediction.model_card import card_text
    from degnext.prediction.output import write_table

    if a.card:
        print(card_text())
        return
    _check_predict(a)
    asked = {k: getattr(a, k) for k in (*TABLES_OF_USER, "data_dir")}  # any parts will do
    steps = {"total": 3 + bool(a.report), "bar_format": "{n_fmt}/{total_fmt} {desc} {elapsed}"}
    with tqdm(desc="reading", disable=None, leave=False, **steps) as bar:  # on a terminal only
        cohort = load_cohort(a.cancer or "MINE", a.source, **asked, train_part=None, fewest=1)
        understood = cohort.notes[:3] if a.source == "file" else ()
        bar.write("\n".join([*understood, repr(cohort)]))
        bar.update(), bar.set_description_str("testing and predicting")
        table = prediction.predict(cohort, rule=a.rule, fdr=a.fdr, paired=a.pairs)
        bar.update(), bar.set_description_str("writing")
        if a.out:
            write_table(table, cohort, a.out)
        if a.report:
            from degnext.prediction.report import write_report

            bar.update(), bar.set_description_str("making the report")
            write_report(table, cohort, a.report, a.gene_sets)
    n, rule = table["class"].value_counts(), table.attrs["rule"]
    calls = [f"{n[k]:,} {k}" for k in (*CLASS_NAMES, "abstain") if k in n]
    against = f"{table['disagrees_with_rule'].sum():,} against the sign of fold change"
    print(f"{', '.join(calls)} by rule {rule}; {against}")
    print(*(f"- {n}" for n in table.attrs["notes"] if n not in understood), sep="\n")
    if "label" in table and rule == "paper":
        print(*score_lines(cohort.name, score(table)), sep="\n")
    print(*(f"written to {path}" for path in (a.out, a.report) if path), sep="\n")


def _check_predict(a: argparse.Namespace) -> None:
    """Fill in what ``--demo`` stands for, and refuse what cannot be done, before any work."""
    from degnext.cohorts.formats import count_files
    from degnext.enrichment.gene_sets import load_gene_sets
    from degnext.prediction.output import TABLES, check_output
    from degnext.prediction.predict import check_rule

    if a.demo:
        if a.counts or a.groups:
            raise InputError("--demo brings a cohort of its own: leave COUNTS and --groups out")
        a.source, a.cancer = "demo", a.cancer or "KICH"
        a.out = a.out or Path("degnext_demo.csv")
        a.report = a.report or Path("degnext_demo.html")
    if not (a.out or a.report):
        fault = "there is no output file"
        raise InputError(f"{fault}: name one with --out predictions.csv or --report report.html")
    check_rule(a.rule, a.fdr)
    if a.gene_sets and not a.report:
        raise InputError("--gene-sets belong to a report: add --report report.html, or drop them")
    if a.gene_sets:
        load_gene_sets(a.gene_sets)  # what cannot be read is refused now
    read = [*count_files(a.counts), *filter(None, (a.groups, a.transcripts, a.gene_sets))]
    for path, kinds in ((a.out, TABLES), (a.report, (".html",))):
        if path:
            check_output(path, kinds, a.force, read)
    if a.source != "file" and not a.cancer:
        raise InputError(f"source {a.source!r} needs --cancer: name a TCGA study code such as STAD")
