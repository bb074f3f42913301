"""Long runs: each piece is kept as soon as it is whole, the sum is written with its record.

    python -m reproduction.store migrate                # every record of data/results
    python -m reproduction.store migrate noise network  # only these

gives records the digest of today's code, for code that was moved or renamed while its numbers
stayed what they were: check that first (pytest tests/reproduction -m slow computes a piece of every
table again). The digest of the code that ran is kept.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir, results_dir
from degnext.cohorts.published import PUBLISHED_COMMIT
from degnext.running import dependencies
from degnext.running.provenance import versions
from reproduction.command import call, command_line, parser

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = {"source": "github.com/tulikakakati/DEGnext, datasets/", "commit": PUBLISHED_COMMIT}


@cache
def code_digest(module: str) -> str:
    """Return a short checksum over the source of ``module`` and of all that it imports from here.

    Results of other code are not taken up again.
    """
    return dependencies.code_digest(module)[:16]


def keep(
    run: str, key: str, settings: Mapping[str, Any], compute: Callable[[], pd.DataFrame]
) -> tuple[pd.DataFrame, float]:
    """Return ``compute()``'s table and its seconds, or what a call with equal ``settings`` left.

    Tables lie in ``<results>/batch/<run>/<key>.csv``, outside the repository's tracked files; the
    record beside each is written last, so that a killed run starts again with the cohort it was at.
    """
    path = results_dir() / "batch" / run / f"{key}.csv"
    log = path.with_suffix(".json")
    facts = json.loads(json.dumps(dict(settings), default=str))
    if path.exists() and log.exists():
        record = json.loads(log.read_text())
        if record["settings"] == facts:
            print(f"{run} {key}: taken from an earlier run", flush=True)
            return pd.read_csv(path), record["seconds"]
    start = time.perf_counter()
    table = compute()
    seconds = round(time.perf_counter() - start, 1)
    log.unlink(missing_ok=True)
    write_atomic(path, table.to_csv(index=False))
    write_atomic(log, {"settings": facts, "seconds": seconds})
    print(f"{run} {key}: {len(table)} rows in {seconds:.0f} s", flush=True)
    return pd.read_csv(path), seconds


def write_results(
    name: str,
    table: pd.DataFrame,
    module: str,
    settings: Mapping[str, Any],
    seconds: Mapping[str, float],
    folder: Path | None = None,
) -> Path:
    """Write ``data/results/<name>.csv`` and its record ``<name>.run.json``.

    module: the command that made it, ``__spec__.name``. The record holds the command line, date,
    settings with the code's digest, versions, the commit of the authors' data and seconds.
    """
    folder = folder or data_dir() / "results"
    path = folder / f"{name}.csv"
    write_atomic(path, table.to_csv(index=False))
    record = {
        "command": command_line(module),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "module": module,
        "settings": {"code": code_digest(module)} | dict(settings),
        "versions": versions(),
        "data": PUBLISHED,
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "rows": len(table),
        "seconds": dict(seconds),
        "seconds_together": round(sum(seconds.values()), 1),
    }
    write_atomic(folder / f"{name}.run.json", json.loads(json.dumps(record, default=str)))
    return path


WHY = "modules moved and renamed; numbers checked unchanged"


def migrated(record: dict, module: str) -> dict:
    """Return a record with the digest of today's code; a network's job has no settings apart."""
    holder = record.get("settings", record)
    old, new = holder.get("code"), code_digest(module)
    if old in (None, new):
        return record
    ran = record.get("migrated", {}).get("from", old)
    changed = {"settings": holder | {"code": new}} if holder is not record else {"code": new}
    return record | changed | {"migrated": {"from": ran, "why": WHY}}


def migrate(folder: Path, names: Sequence[str] = ("*",)) -> list[str]:
    """Migrate the records ``names`` in ``folder``; return the names of those that changed."""
    changed = []
    for path in sorted({p for name in names for p in folder.glob(f"{name}.run.json")}):
        record = json.loads(path.read_text(encoding="utf-8"))
        if "module" in record:
            new = migrated(record, record["module"])
        else:  # network.run.json: one record per job
            new = {k: migrated(v, "reproduction.experiments.network") for k, v in record.items()}
        if new != record:
            write_atomic(path, new)
            changed.append(path.name)
    return changed


def main() -> None:
    """Migrate the committed records."""
    arguments = parser(__doc__)
    arguments.add_argument("what", choices=["migrate"])
    arguments.add_argument("names", nargs="*", help="of records, such as noise; all by default")
    names = arguments.parse_args().names or ["*"]
    changed = migrate(data_dir() / "results", names)
    print("\n".join(changed) or "every record has today's digest")


if __name__ == "__main__":
    call(main)
