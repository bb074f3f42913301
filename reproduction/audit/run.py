"""Measure the audit's claims on the authors' files.

    DEGNEXT_DATA=/path/to/data python -m reproduction.audit.run            # all, about a minute
    DEGNEXT_DATA=/path/to/data python -m reproduction.audit.run carried_over

DEGNEXT_DATA names the folder that holds published/ and released_weights/. Writes
data/results/audit_<claim>.csv, which book/audit.ipynb shows, audit_text.csv (the same in words)
and audit_run.json with versions and seconds.
"""

from __future__ import annotations

import json
import platform
import time
from importlib import metadata

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from reproduction.audit.claims import CLAIMS, measure
from reproduction.audit.sentences import sentences
from reproduction.command import call, parser

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")


def main() -> None:
    """Measure the claims asked for and write their tables."""
    arguments = parser(__doc__)
    arguments.add_argument("claims", nargs="*", metavar="claim", help=f"one of {', '.join(CLAIMS)}")
    wanted = arguments.parse_args().claims or list(CLAIMS)
    target = data_dir() / "results"
    record = target / "audit_run.json"
    seconds = json.loads(record.read_text())["seconds"] if record.exists() else {}
    for name in wanted:
        started = time.perf_counter()
        table = measure(name)
        write_atomic(target / f"audit_{name}.csv", table.to_csv(index=False))
        seconds[name] = round(time.perf_counter() - started, 1)
        print(f"{name} ({seconds[name]} s)\n{table.to_string(index=False)}\n", flush=True)
    versions = {"python": platform.python_version()} | {n: metadata.version(n) for n in PACKAGES}
    write_atomic(target / "audit_text.csv", sentences().to_csv(index=False))
    command = "python -m reproduction.audit.run"
    write_atomic(record, {"command": command, "versions": versions, "seconds": seconds})


if __name__ == "__main__":
    call(main)
