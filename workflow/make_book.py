"""Check the request, run the workflow, build the Jupyter Book with warnings as errors, print where its index page lies."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from degnext.cohorts.cohort import check_cancer
from degnext.cohorts.load import SOURCES

from degnext._common.errors import InputError, check_choice
from degnext._common.paths import results_dir
from degnext.running.execution import share_parameters

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("cancer", "KICH"),
        ("source", "demo"),
        ("cores", "2"),
        ("counts", ""),
        ("groups", ""),
        ("params", ""),
    ):
        parser.add_argument(f"--{name}", default=default)
    a = parser.parse_args()
    started = time.perf_counter()
    try:
        user = check_request(a)
    except InputError as error:
        print(f"make book: {error}", file=sys.stderr)
        return 2
    results = results_dir()
    if run_workflow(a, user, results):
        print("make book: a notebook stopped; the lines above name it and say why", file=sys.stderr)
        return 1
    index = build(a, results)
    if index is None:
        print(
            "make book: the pages could not be built; the warnings above say why", file=sys.stderr
        )
        return 1
    print(f"\nThe book is ready after {time.perf_counter() - started:.0f} s: {index}")
    return 0


def check_request(a: argparse.Namespace) -> dict:
    """Check cancer, source and parameters before any work starts; return the notebook parameters that the user gave."""
    check_choice("SOURCE", a.source, SOURCES)
    user = {}
    for pair in a.params.split():
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"PARAMS holds {pair!r}: write name=value pairs separated by spaces")
        user[name] = value
    share_parameters(user, [p.stem for p in sorted((ROOT / "notebooks").glob("*.ipynb"))])
    if a.source == "file":
        if not a.counts:
            raise InputError(
                "SOURCE=file needs COUNTS: make book SOURCE=file CANCER=MINE COUNTS=counts.csv GROUPS=groups.csv"
            )
        for path in [*a.counts.split(","), *([a.groups] if a.groups else [])]:
            if not Path(path).is_file():
                raise InputError(f"no file {path!r}: check COUNTS and GROUPS")
        user["counts_path"] = ",".join(str(Path(p).resolve()) for p in a.counts.split(","))
        user["groups_path"] = str(Path(a.groups).resolve()) if a.groups else ""
    else:
        check_cancer(a.cancer)
    if a.source == "demo":
        from degnext.cohorts.demo import load_parameters

        load_parameters(a.cancer)
    if a.source == "published":
        from degnext.cohorts.published import published_parts

        parts = published_parts(a.cancer)
        if parts and "T1" not in parts:
            user.setdefault("train_part", "T2")
            print(f"{a.cancer}: T1 is not at hand, so the networks of this book are trained on T2.")
    return user


def run_workflow(a: argparse.Namespace, user: dict, results: Path) -> int:
    """Run Snakemake; return its exit status."""
    config = {"cancer": a.cancer, "source": a.source, "results": str(results), "user": user}
    results.mkdir(parents=True, exist_ok=True)
    settings = results / f".book-{a.source}-{a.cancer}.json"
    settings.write_text(json.dumps(config))
    command = [
        BIN / "snakemake",
        "--snakefile",
        ROOT / "workflow" / "Snakefile",
        "--configfile",
        ROOT / "workflow" / "config.yaml",
        settings,
        "--cores",
        a.cores,
        "--directory",
        results,
        "--quiet",
        "rules",
        "host",
        "--rerun-triggers",
        "mtime",
        "params",
        "input",
        "--keep-going",
    ]
    return subprocess.run(
        [str(c) for c in command],
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
    ).returncode


def build(a: argparse.Namespace, results: Path) -> Path | None:
    """Lay pages and executed notebooks side by side in ``_build/source`` and build them; return the index page, or None."""
    source, html = ROOT / "_build" / "source", ROOT / "_build" / "html"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("*.ipynb"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source)
    for folder in ("notebooks", "book"):
        for notebook in (ROOT / folder).glob("*.ipynb"):
            done = results / a.source / a.cancer / notebook.stem / notebook.name
            if done.exists():
                (source / folder).mkdir(exist_ok=True)
                shutil.copy(done, source / folder)
    command = [
        str(BIN / "jupyter-book"),
        "build",
        "-W",
        "-n",
        "--keep-going",
        "--quiet",
        "--path-output",
        str(ROOT / "_build" / "pages"),
        str(source),
    ]
    log = ROOT / "_build" / "build.log"
    with open(log, "w") as handle:
        status = subprocess.run(
            command,
            stdout=handle,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        ).returncode
    made = ROOT / "_build" / "pages" / "_build" / "html"
    if status or not (made / "index.html").exists():
        print("\n".join(log.read_text().splitlines()[-40:]), file=sys.stderr)
        return None
    shutil.rmtree(html, ignore_errors=True)
    shutil.copytree(made, html)
    return html / "index.html"


if __name__ == "__main__":
    sys.exit(main())
