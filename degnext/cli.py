"""The command line: ``degnext run | predict | fetch | simulate | info``. Bad input ends with one sentence and exit status 2."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import __version__
from .errors import InputError, check_choice

NOTEBOOKS = (
    "01_preprocessing", "02_labeling", "03_general_learning", "04_transfer_learning", "05_baselines", "06_noise_robustness", "07_enrichment",
    "08_small_samples", "09_predict_your_data",
)


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
    parser = argparse.ArgumentParser("degnext", description="Classify genes of a tumor/normal RNA-seq cohort as UR, DR or neutral.")
    parser.add_argument("--version", action="version", version=f"degnext {__version__}")
    commands = parser.add_subparsers(title="commands")

    run = commands.add_parser("run", help="run notebooks headlessly on one cohort")
    run.add_argument("cancer")
    run.add_argument("--source", default="demo")
    run.add_argument("--steps", default="all", help="notebook numbers separated by commas, e.g. 1,2,3 (default: all)")
    run.add_argument("--out", type=Path, help="folder for results (default: results/)")
    run.add_argument("-p", "--parameter", action="append", nargs=2, metavar=("NAME", "VALUE"), default=[], help="a notebook parameter")
    run.set_defaults(do=_run)

    predict = commands.add_parser(
        "predict", help="predict UR, DR or neutral for the genes of a counts table, with pretrained networks",
        description="Raw counts in, one row per gene out: class and probabilities of the pretrained three-class network, log2 fold change, the sign rule.",
        epilog="Neutral calls do not transfer well: on cohorts never trained on, the three-class network's MCC was 0.44 to 0.82 (T2, not retrained), so "
               "let a test such as edgeR decide what is significant. Directions do transfer; p_UR_if_DE, of the two-class network, is "
               "calibrated, the other probabilities are not. See --card.",
    )
    predict.add_argument("counts", nargs="?", metavar="COUNTS", help="raw counts, genes × samples (CSV, TSV, Parquet)")
    predict.add_argument("--groups", help="table with columns sample,group; not needed with TCGA barcodes")
    predict.add_argument("--out", type=Path, help="CSV file to write")
    predict.add_argument("--source", default="file", help="file (default) | published | demo | gdc | xena")
    predict.add_argument("--cancer", help="TCGA study code, for every source but file")
    predict.add_argument("--data-dir", help="published only: the folder with the authors' files")
    predict.add_argument("--round-counts", action="store_true", help="round expected counts such as RSEM's")
    predict.add_argument("--force", action="store_true", help="replace the output file if there is one")
    predict.add_argument("--card", action="store_true", help="print the networks' model card and its limits, and stop")
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
    simulate.add_argument("--out", type=Path, required=True, help="folder for counts.csv.gz, groups.csv and the fitted parameters")
    simulate.set_defaults(do=_simulate)

    info = commands.add_parser("info", help="show cohorts, sources and where data lie")
    info.set_defaults(do=_info)
    return parser


def _run(a: argparse.Namespace) -> None:
    from .cohorts import check_cancer
    from .execute import run_notebook, share_parameters
    from .sources import SOURCES
    from .tables import check_cohort_name

    check_choice("source", a.source, SOURCES)
    check_cohort_name(a.cancer) if a.source == "file" else check_cancer(a.cancer)
    numbers = {name[:2].lstrip("0"): name for name in NOTEBOOKS}
    chosen = list(numbers) if a.steps == "all" else [s.strip() for s in a.steps.split(",")]
    names = [numbers[check_choice("step", s, numbers)] for s in chosen]
    given = share_parameters(dict(map(tuple, a.parameter)), names)
    for name in names:
        print(f"{name} on {a.cancer} ({a.source})")
        print("  " + str(run_notebook(name, a.cancer, a.source, given[name], a.out)))


def _predict(a: argparse.Namespace) -> None:
    from . import predict
    from .files import write_atomic

    if a.card:
        print(predict.card_text())
        return
    if a.out is None:
        raise InputError("there is no output file: name one with --out predictions.csv")
    out = predict.check_out(a.out, a.force, (a.counts, a.groups))
    cohort = predict.load_for_prediction(a.source, counts=a.counts, groups=a.groups, cancer=a.cancer, data_dir=a.data_dir, round_counts=a.round_counts)
    cohort, symbols = predict.prepare(cohort)
    table = predict.predict_cohort(cohort, symbols)
    write_atomic(out, table.to_csv(index=False, float_format="%.6g"))
    n = table["class"].value_counts().reindex(["UR", "DR", "neutral"], fill_value=0)
    print(f"{cohort!r}: {n['UR']:,} UR, {n['DR']:,} DR, {n['neutral']:,} neutral; "
          f"{int(table['disagrees_with_rule'].sum()):,} against the log-fold-change rule")
    for note in predict.advice(cohort):
        print(f"- {note}")
    if "label" in table:
        print("\n".join(predict.score_lines(cohort.cancer, predict.score(table))))
    print(f"written to {out}")


def _fetch(a: argparse.Namespace) -> None:
    from .cohorts import check_cancer

    check_choice("source", a.source, ("published", "gdc", "xena"))
    check_cancer(a.cancer)
    if a.source == "published":
        from .download import fetch_published

        print(f"{a.cancer}: the authors' files lie in {fetch_published(a.cancer, cache_dir=a.cache_dir)}")
        return
    if a.source == "gdc":
        from .gdc import load_gdc

        counts, groups, report = load_gdc(a.cancer, a.cache_dir)
    else:
        from .xena import load_xena

        counts, groups, report = load_xena(a.cancer, a.workflow, a.cache_dir)
    print(f"{a.cancer} from {a.source}: {len(counts):,} genes, {report['n_normal']} normal and {report['n_tumor']} tumor samples")
    for note in report.get("notes", ()):
        print(f"- {note}")


def _simulate(a: argparse.Namespace) -> None:
    from .simulate import draw, fit_parameters, save_parameters
    from .sources import load_cohort

    if a.out.exists() and not a.out.is_dir():
        raise InputError(f"{a.out} is a file: name a new folder for the twin")
    if a.out.exists() and any(a.out.iterdir()):
        raise InputError(f"the folder {a.out} is not empty: name a new one, nothing is overwritten")
    if a.seed < 0:
        raise InputError(f"the seed must not be negative, not {a.seed}: give a whole number from 0 up")
    cohort = load_cohort(a.cancer, a.source, counts_path=a.counts, groups_path=a.groups, round_counts=a.round_counts)
    genes, info = fit_parameters(cohort)
    twin = draw(genes, info, a.seed)
    save_parameters(genes, info, a.out)
    twin.counts.to_csv(a.out / "counts.csv.gz")
    twin.groups.rename_axis("sample").to_csv(a.out / "groups.csv")
    print(f"{twin!r} written to {a.out}: counts.csv.gz, groups.csv and the fitted parameters")


def _info(a: argparse.Namespace) -> None:
    from .cohorts import registry
    from .paths import cache_dir, results_dir, shared_data
    from .published import published_parts
    from .simulate import DEMO_CANCERS

    table = registry()[["name", "n_normal", "n_tumor", "role"]]
    table["demo"] = ["yes" if c in DEMO_CANCERS else "" for c in table.index]
    table["published parts at hand"] = [" ".join(published_parts(c)) for c in table.index]
    print(table.to_string())
    print(f"\nDEGNEXT_DATA  {shared_data() or 'not set'}\ncache         {cache_dir()}\nresults       {results_dir()}")
    for kind in ("gdc", "xena", "published"):
        found = sorted(p for p in (cache_dir() / kind).glob("**/*") if p.is_file() and p.suffix in (".parquet", ".csv"))
        print(f"{kind:13} {len(found)} file(s) in the cache")
