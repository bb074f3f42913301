"""Measure every claim of the audit: python scripts/run_audit.py [claim …], with DEGNEXT_DATA holding published/ and released_weights/.

Writes data/results/audit_<claim>.csv, which book/audit.ipynb shows where it is built without the published files, and
data/results/audit_run.json with versions and seconds.
"""

import json
import platform
import sys
import time
from importlib import metadata

from degnext._common.files import write_atomic
from degnext._common.paths import data_dir
from reproduction.audit import claims as audit

target, seconds = data_dir() / "results", {}
record = target / "audit_run.json"
if record.exists():
    seconds = json.loads(record.read_text())["seconds"]
for name in sys.argv[1:] or audit.CLAIMS:
    started = time.perf_counter()
    table = audit.measure(name)
    write_atomic(target / f"audit_{name}.csv", table.to_csv(index=False))
    seconds[name] = round(time.perf_counter() - started, 1)
    print(f"{name} ({seconds[name]} s)\n{table.to_string(index=False)}\n", flush=True)
versions = {"python": platform.python_version()} | {
    n: metadata.version(n) for n in ("numpy", "pandas", "scipy", "scikit-learn", "torch")
}
write_atomic(
    record, {"command": "python scripts/run_audit.py", "versions": versions, "seconds": seconds}
)
