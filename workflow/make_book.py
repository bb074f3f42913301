"""Check the request, run the workflow, build the book with warnings as errors, print its page.

The Makefile passes what the user wrote through the environment: BOOK_CANCER, BOOK_SOURCE and so on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cohort_pages import add_cohorts, left_out, main_page

from degnext._common.errors import InputError
from degnext._common.files import file_checksum
from degnext._common.paths import results_dir
from degnext.cohorts.formats import count_files
from degnext.running.execution import share_parameters
from degnext.running.parameters import check_name, notebook_names
from degnext.running.workflow import (
    choose_cancers,
    companions,
    demanded,
    outcome,
    run_workflow,
    wait_for,
)

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
STRICT = "error,ignore::PendingDeprecationWarning"  # the latter are of ipykernel and seaborn
STRICT += ",ignore:There is no current event loop:DeprecationWarning"  # ipykernel's, Python 3.12
DEFAULTS = {
    "cancer": "KICH",
    "cancers": "",
    "source": "demo",
    "cores": "",
    "counts": "",
    "groups": "",
    "params": "",
    "profile": "",
}


def main() -> int:
    begun = time.time()
    a = read_request()
    try:
        request = check_request(a)
        results = results_dir()
        if a.source in ("demo", "published"):  # known data: a warning there is our fault
            os.environ.setdefault("NOTEBOOK_WARNINGS", STRICT)
        status = run_workflow(request, results, int(a.cores or os.cpu_count() or 1), a.profile)
        print(*outcome(request["jobs"], a.source, results, begun), sep="\n")
        index = build(request, results) if complete(request, results) else None
    except (InputError, OSError) as error:
        return say(2, error)
    except KeyboardInterrupt:
        return say(130, "interrupted; what is complete is kept, and make book goes on from there")
    if index is None and not status:
        return say(1, "the pages could not be built; the warnings above say why")
    if index is not None:
        print(f"\nThe book is ready after {time.time() - begun:.0f} s: {index}")
    return say(1, "the lines above name what did not finish and say why") if status else 0


def say(status: int, sentence: Any) -> int:
    print(f"make book: {sentence}", file=sys.stderr)
    return status


def read_request() -> argparse.Namespace:
    """Return what the user asked for; an option wins over the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in DEFAULTS.items():
        written = os.environ.get(f"BOOK_{name.upper()}") or default
        parser.add_argument(f"--{name}", default=written)
    return parser.parse_args()


def check_request(a: argparse.Namespace) -> dict[str, Any]:
    """Check everything before any work starts.

    Returns ``parameters``, what the user gave by notebook, and ``checksums`` of the files named.
    """
    check_name(a.cancer, a.source)
    if not (a.cores or "1").isdigit() or a.cores == "0":
        raise InputError(f"CORES is {a.cores!r}: give a whole number from 1 up")
    given = dict(split_pair(pair) for pair in split_params(a.params))
    for name in ("counts_path", "groups_path"):
        if name in given:
            raise InputError(f"PARAMS holds {name}: write {name.upper()[:6]}=... beside it instead")
    if a.source == "file":
        if not a.counts:
            cure = "make book SOURCE=file CANCER=MINE COUNTS=counts.csv GROUPS=groups.csv"
            raise InputError(f"SOURCE=file needs COUNTS: {cure}")
        given |= {"counts_path": a.counts} | ({"groups_path": a.groups} if a.groups else {})
    elif a.counts or a.groups:
        cure = "add SOURCE=file, or drop COUNTS and GROUPS"
        raise InputError(f"COUNTS and GROUPS are for SOURCE=file, not {a.source}: {cure}")
    if a.source == "demo":
        from degnext.cohorts.demo import load_parameters

        load_parameters(a.cancer)
    shared = share_parameters(given, notebook_names())
    named = {k: v for found in shared.values() for k, v in found.items() if isinstance(v, str)}
    user = {"parameters": shared, "checksums": {k: checksums(v) for k, v in named.items()}}
    cancers = choose_cancers(a.cancers, a.source) if a.cancers else []
    cancers = [a.cancer, *(c for c in cancers if c != a.cancer)]
    jobs, missing = demanded(cancers, a.source, notebook_names(), given)
    for cancer, sentence in missing.items():
        print(f"{cancer}: {sentence}.")
    jobs = companions(a.cancer, a.source) | jobs
    book = {"pages": a.cancer, "further": cancers[1:], "missing": missing}
    return {"source": a.source, "jobs": jobs, "user": user} | book


def complete(request: dict[str, Any], results: Path) -> bool:
    """Say whether all chapters ran that the book's main pages show."""
    cancer = request["pages"]
    runs = (results / request["source"] / cancer / n for n in request["jobs"][cancer])
    return all((folder / f"{folder.name}.ipynb").exists() for folder in runs)


def split_params(text: str) -> list[str]:
    """Split PARAMS at spaces that are not inside quotes."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(f"PARAMS cannot be read ({error}): close the quotes") from error


def split_pair(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not equals:
        raise InputError(f"PARAMS holds {pair!r}: write name=value pairs separated by spaces")
    return name, value


def checksums(value: str) -> list[str]:
    """Return the checksums of the files that a parameter names, if it names any."""
    try:
        files = count_files(value)
    except InputError:  # it names no file
        files = []
    return [file_checksum(p, "sha256") for p in files]


def build(request: dict[str, Any], results: Path) -> Path | None:
    """Lay pages and executed notebooks side by side and build them; return the index page.

    Pages that were built from the same files are left as they are.
    """
    source, html = ROOT / "_build" / "source", ROOT / "_build" / "html"
    lay_out(request, results / request["source"], source)
    mark, built_from = ROOT / "_build" / "built_from", checksum_of(source)
    if mark.exists() and mark.read_text() == built_from and (html / "index.html").exists():
        return html / "index.html"
    mark.unlink(missing_ok=True)
    command = [BIN / "jupyter-book", "build", "-W", "-n", "--keep-going", "--quiet"]
    command += ["--path-output", ROOT / "_build" / "pages", source]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    log = ROOT / "_build" / "build.log"
    with open(log, "w") as file:
        streams = {"stdout": file, "stderr": subprocess.STDOUT}
        child = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
        status = wait_for(child)
    made = ROOT / "_build" / "pages" / "_build" / "html"
    if status or not (made / "index.html").exists():
        print("\n".join(log.read_text().splitlines()[-40:]), file=sys.stderr)
        return None
    shutil.rmtree(html, ignore_errors=True)
    shutil.copytree(made, html)
    mark.write_text(built_from)
    return html / "index.html"


def lay_out(request: dict[str, Any], runs: Path, source: Path) -> None:
    """Copy pages, settings and executed notebooks, of further cohorts too, into one folder."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("*.ipynb"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source)
    link_labs(source / "book")
    for folder in ("notebooks", "book"):
        for notebook in (ROOT / folder).glob("*.ipynb"):
            done = runs / request["pages"] / notebook.stem / notebook.name
            (source / folder).mkdir(exist_ok=True)
            why = request["missing"].get(request["pages"])
            if done.exists() or why:
                text = (
                    main_page(done) if done.exists() else left_out(notebook, request["pages"], why)
                )
                (source / folder / notebook.name).write_text(text, encoding="utf-8")
    if request["further"]:
        add_cohorts(source, runs, request["further"], request["missing"])


def checksum_of(source: Path) -> str:
    """Return one checksum of all that pages are made from, the libraries' versions included."""
    paths = [p for p in sorted(source.rglob("*")) if p.is_file()]
    lines = [f"{p.relative_to(source)} {file_checksum(p, 'sha256')}" for p in paths]
    lines.append(file_checksum(ROOT / "constraints.txt", "sha256"))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def link_labs(book: Path, labs: Path = ROOT / "_build" / "labs") -> None:
    """Put the labs that make labs has made beside their page, and links to them into it."""
    made = [
        p for p in (labs / "degnext_labs.zip", *sorted(labs.glob("student/*.ipynb"))) if p.exists()
    ]
    if not made:
        return
    (book / "labs").mkdir()
    for path in made:
        shutil.copy(path, book / "labs")
    links = "\n".join(f"- {{download}}`{path.name} <labs/{path.name}>`" for path in made)
    page = book / "labs.md"
    text = page.read_text(encoding="utf-8").splitlines()
    text = [f"Made with this book:\n\n{links}" if x.startswith("% labs") else x for x in text]
    page.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
