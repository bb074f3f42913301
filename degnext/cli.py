"""The command line: ``degnext run | predict | fetch | simulate | info``. Bad input ends with one sentence and exit status 2."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from degnext import __version__
from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import Cohort
from degnext.evaluation.predictions import score, score_lines
from degnext.prediction.model_card import card_text


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 after a sentence on what to mend."""
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
    parser = argparse.ArgumentParser(
        "degnext",
        description="Classify genes of a tumor/normal RNA-seq cohort as UR, DR or neutral.",
    )
    parser.add_argument("--version", action="version", version=f"degnext {__version__}")
    commands = parser.add_subparsers(title="commands")

    run = commands.add_parser("run", help="run notebooks headlessly on one cohort")
    run.add_argument("cancer")
    run.add_argument("--source", default="demo")
    run.add_argument(
        "--steps",
        default="all",
        help="notebook numbers separated by commas, e.g. 1,2,3 (default: all)",
    )
    run.add_argument("--out", type=Path, help="folder for results (default: results/)")
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        nargs=2,
        metavar=("NAME", "VALUE"),
        default=[],
        help="a notebook parameter",
    )
    run.set_defaults(do=_run)

    predict = commands.add_parser(
        "predict",
        help="predict UR, DR or neutral for the genes of a counts table, with pretrained networks",
        description="Raw counts in, one row per gene out: class and probabilities of the pretrained three-class network, log2 fold change, the sign rule.",
        epilog="Neutral calls do not transfer well: on cohorts never trained on, the three-class network's MCC was 0.44 to 0.82 (T2, not retrained), so "
        "let a test such as edgeR decide what is significant. Directions do transfer; p_UR_if_DE, of the two-class network, is "
        "calibrated, the other probabilities are not. See --card.",
    )
    predict.add_argument(
        "counts",
        nargs="?",
        metavar="COUNTS",
        help="raw counts, genes × samples (CSV, TSV, Parquet)",
    )
    predict.add_argument(
        "--groups", help="table with columns sample,group; not needed with TCGA barcodes"
    )
    predict.add_argument("--out", type=Path, help="CSV file to write")
    predict.add_argument(
        "--source", default="file", help="file (default) | published | demo | gdc | xena"
    )
    predict.add_argument("--cancer", help="TCGA study code, for every source but file")
    predict.add_argument("--data-dir", help="published only: the folder with the authors' files")
    predict.add_argument(
        "--round-counts", action="store_true", help="round expected counts such as RSEM's"
    )
    predict.add_argument(
        "--force", action="store_true", help="replace the output file if there is one"
    )
    predict.add_argument(
        "--card",
        action="store_true",
        help="print the networks' model card and its limits, and stop",
    )
    predict.set_defaults(do=_predict)

    fetch = commands.add_parser("fetch", help="download a cohort")
    fetch.add_argument("cancer")
    fetch.add_argument("--source", default="published", help="published | gdc | xena")
    fetch.add_argument("--workflow", default="star", help="xena only: star | htseq")
    fetch.add_argument("--cache-dir", type=Path)
    fetch.set_defaults(do=_fetch)

    simulate = commands.add_parser("simulate", help="make a synthetic twin of a cohort")
    simulate.add_argument("cancer")
    simulate.add_argument("--source", default="file")
    simulate.add_argument("--counts", help="counts table (source file)")
    simulate.add_argument("--groups", help="groups table (source file)")
    simulate.add_argument("--round-counts", action="store_true")
    simulate.add_argument("--seed", type=int, default=0)
    simulate.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for counts.csv.gz, groups.csv and the fitted parameters",
    )
    simulate.set_defaults(do=_simulate)

    info = commands.add_parser("info", help="show cohorts, sources and where data lie")
    info.set_defaults(do=_info)
    return parser


def _run(a: argparse.Namespace) -> None:
    from degnext.cohorts.load import SOURCES
    from degnext.running.execution import run_notebook, share_parameters
    from degnext.running.parameters import check_name, notebook_names

    check_choice("source", a.source, SOURCES)
    check_name(a.cancer, a.source)
    numbers = {name[:2].lstrip("0"): name for name in notebook_names()}
    chosen = list(numbers) if a.steps == "all" else [s.strip() for s in a.steps.split(",")]
    names = [numbers[check_choice("step", s, numbers)] for s in chosen]
    given = share_parameters(dict(map(tuple, a.parameter)), names)
    for name in names:
        print(f"{name} on {a.cancer} ({a.source})")
        print("  " + str(run_notebook(name, a.cancer, a.source, given[name], a.out)))


def _predict(a: argparse.Namespace) -> None:
    from degnext._common.files import write_atomic
    from degnext.prediction import predict

    if a.card:
        print(card_text())
        return
    if a.out is None:
        raise InputError("there is no output file: name one with --out predictions.csv")
    out = check_out(a.out, a.force, (a.counts, a.groups))
    cohort = load_for_prediction(
        a.source,
        counts=a.counts,
        groups=a.groups,
        cancer=a.cancer,
        data_dir=a.data_dir,
        round_counts=a.round_counts,
    )
    cohort, symbols = predict.prepare(cohort)
    table = predict.predict_cohort(cohort, symbols)
    write_atomic(out, table.to_csv(index=False, float_format="%.6g"))
    n = table["class"].value_counts().reindex(["UR", "DR", "neutral"], fill_value=0)
    print(
        f"{cohort!r}: {n['UR']:,} UR, {n['DR']:,} DR, {n['neutral']:,} neutral; "
        f"{int(table['disagrees_with_rule'].sum()):,} against the log-fold-change rule"
    )
    for note in predict.advice(cohort):
        print(f"- {note}")
    if "label" in table:
        print("\n".join(score_lines(cohort.name, score(table))))
    print(f"written to {out}")


def _fetch(a: argparse.Namespace) -> None:
    from degnext.cohorts.cohort import check_cancer

    check_choice("source", a.source, ("published", "gdc", "xena"))
    check_cancer(a.cancer)
    if a.source == "published":
        from degnext.cohorts.published_files import fetch_published

        print(
            f"{a.cancer}: the authors' files lie in {fetch_published(a.cancer, cache_dir=a.cache_dir)}"
        )
        return
    if a.source == "gdc":
        from degnext.cohorts.gdc import load_gdc

        counts, groups, report = load_gdc(a.cancer, a.cache_dir)
    else:
        from degnext.cohorts.xena import load_xena

        counts, groups, report = load_xena(a.cancer, a.workflow, a.cache_dir)
    print(
        f"{a.cancer} from {a.source}: {len(counts):,} genes, {report['n_normal']} normal and {report['n_tumor']} tumor samples"
    )
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
        raise InputError(
            f"the seed must not be negative, not {a.seed}: give a whole number from 0 up"
        )
    cohort = load_cohort(
        a.cancer, a.source, counts_path=a.counts, groups_path=a.groups, round_counts=a.round_counts
    )
    genes, info = fit_parameters(cohort)
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
    print(
        f"\nDEGNEXT_DATA  {shared_data() or 'not set'}\ncache         {cache_dir()}\nresults       {results_dir()}"
    )
    for kind in ("gdc", "xena", "published"):
        found = sorted(
            p
            for p in (cache_dir() / kind).glob("**/*")
            if p.is_file() and p.suffix in (".parquet", ".csv")
        )
        print(f"{kind:13} {len(found)} file(s) in the cache")


def load_for_prediction(
    source: str,
    *,
    counts: str | None = None,
    groups: str | None = None,
    cancer: str | None = None,
    data_dir: str | None = None,
    round_counts: bool = False,
    seed: int = 0,
) -> Cohort:
    """Load the cohort to predict; of a published one, whatever parts are at hand. Raises InputError for what does not fit."""
    from degnext._common.errors import check_choice
    from degnext.cohorts.load import SOURCES, load_cohort

    check_choice("source", source, SOURCES)
    if source != "published" and data_dir:
        raise InputError(
            f"--data-dir belongs to source 'published', not {source!r}: use --source published or drop it"
        )
    if source == "file":
        if not counts:
            raise InputError(
                "there is no counts table: name one, degnext predict COUNTS --out predictions.csv, or use --source published --cancer CODE"
            )
        return load_cohort(
            cancer or "MINE",
            "file",
            counts_path=counts,
            groups_path=groups,
            round_counts=round_counts,
        )
    if counts or groups:
        raise InputError(
            f"a counts or groups table belongs to source 'file', not {source!r}: drop --source, or drop the tables"
        )
    if not cancer:
        raise InputError(f"source {source!r} needs --cancer: name a TCGA study code such as STAD")
    if source == "published":
        from degnext.cohorts.published import load_published

        return load_published(cancer, data_dir, train_part=None)
    return load_cohort(cancer, source, seed=seed)


def check_out(path: Path, force: bool = False, inputs: tuple[str | None, ...] = ()) -> Path:
    """Return ``path`` if predictions can be written there; made before any work starts, so that none is lost."""
    if path.suffix.lower() != ".csv":
        raise InputError(
            f"the predictions are a CSV table, so {path.name!r} will not do: name a file that ends with .csv"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it, such as predictions.csv")
    if path.resolve() in {
        Path(piece.strip()).resolve() for one in inputs if one for piece in one.split(",")
    }:
        raise InputError(
            f"{path} is an input of this very command: name another file for the predictions"
        )
    folder = next(p for p in path.resolve().parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(
            f"nothing can be written into {folder}: name a file in a folder of your own"
        )
    if path.exists() and not force:
        raise InputError(f"{path} exists already: name another file, or add --force to replace it")
    return path
