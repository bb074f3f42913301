"""Run Snakemake under a lock of its own: locked_snakemake.py RESULTS REQUEST ARGUMENTS.

The lock dies with this process, whatever kills it; Snakemake's own lock, which outlives a kill, is
not needed then. Where nothing has changed since the same request was fulfilled, Snakemake, which
takes long to find that out, is not started at all.
"""

import hashlib
import json
import sys
from pathlib import Path

import degnext
from degnext._common.files import folder_lock
from degnext._common.paths import data_dir, shared_data

HERE = Path(__file__).parent


def asked(request: Path) -> str:
    """Return a checksum of all that decides what the request's notebooks write."""
    package = Path(degnext.__file__).parent
    folders = {package, HERE, data_dir(), *(HERE.parent / n for n in ("notebooks", "book"))}
    files = sorted(p for f in folders for p in f.rglob("*") if p.is_file() and p.suffix != ".pyc")
    digest = hashlib.sha256(request.read_bytes())
    for path in files:
        digest.update(f"\0{path}\0".encode() + path.read_bytes())
    given = json.loads(request.read_text()).get("user", {}).get("parameters", {}).values()
    parts = {Path(p["data_dir"]) for p in given if p.get("data_dir")} | {shared_data()}
    for folder in filter(None, parts):  # what is at hand decides what is trained on
        names = (p.name for at in (folder, folder / "published") for p in at.glob("TCGA-*"))
        digest.update(json.dumps(sorted(names)).encode())
    return digest.hexdigest()


def answered(results: Path, request: Path) -> list:
    """Return which notebooks lie in the folders of the request's cohorts, and since when."""
    wanted = json.loads(request.read_text())
    folders = [results / wanted["source"] / cancer for cancer in wanted["jobs"]]
    found = sorted(p for folder in folders for p in folder.glob("*/*.ipynb"))
    return [[p.relative_to(results).as_posix(), p.stat().st_mtime_ns] for p in found]


def main() -> int:
    results, request = map(Path, sys.argv[1:3])
    fulfilled = request.with_suffix(".done")
    with folder_lock(results, ".workflow.lock", told=True):
        before = asked(request)
        if fulfilled.exists():
            if fulfilled.read_text() == json.dumps([before, answered(results, request)]):
                return 0
            fulfilled.unlink()
        from snakemake.cli import main as snakemake

        try:
            snakemake([*sys.argv[3:], "--nolock", "--rerun-incomplete"])
        except SystemExit as done:
            if not done.code:
                fulfilled.write_text(json.dumps([before, answered(results, request)]))
            return int(done.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
