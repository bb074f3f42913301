"""Long runs over many cohorts: each cohort's table is kept as soon as it is whole, the sum is written with its provenance."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.files import write_atomic
from degnext._common.paths import data_dir, results_dir, shared_data
from degnext.cohorts.published_files import PUBLISHED_COMMIT
from degnext.running.provenance import versions

_PACKAGE = Path(__file__).resolve().parents[1] / "degnext"


def code_digest(modules: Iterable[str]) -> str:
    """Return a short checksum over the source of these modules: results of other code are not taken up again."""
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update((_PACKAGE / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def keep(
    run: str, key: str, settings: Mapping[str, Any], compute: Callable[[], pd.DataFrame]
) -> tuple[pd.DataFrame, float]:
    """Return ``compute()``'s table and its seconds, or what an earlier call with equal ``settings`` left.

    Tables lie in ``<results>/batch/<run>/<key>.csv``, outside the repository's tracked files; the record beside each is written last,
    so that a killed run starts again with the cohort it was at.
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
    settings: Mapping[str, Any],
    seconds: Mapping[str, float],
    folder: Path | None = None,
) -> Path:
    """Write ``data/results/<name>.csv`` and ``<name>.run.json`` (command, settings, versions, date, data commit, seconds)."""
    folder = folder or data_dir() / "results"
    path = folder / f"{name}.csv"
    write_atomic(path, table.to_csv(index=False))
    record = {
        "command": " ".join(["python", f"scripts/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "settings": dict(settings),
        "versions": versions(),
        "data": {
            "source": "github.com/tulikakakati/DEGnext, datasets/",
            "commit": PUBLISHED_COMMIT,
        },
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "rows": len(table),
        "seconds": dict(seconds),
        "seconds_together": round(sum(seconds.values()), 1),
    }
    write_atomic(folder / f"{name}.run.json", json.loads(json.dumps(record, default=str)))
    return path


def need_published() -> Path:
    """Return the folder of the authors' files, or raise :class:`InputError` where DEGNEXT_DATA does not lead to one."""
    shared = shared_data()
    if shared is None or not (shared / "published").is_dir():
        raise InputError(
            "the authors' data are not at hand: set DEGNEXT_DATA to the folder that holds published/"
        )
    return shared / "published"
