"""Run Snakemake under a lock of its own: locked_snakemake.py RESULTS ARGUMENTS.

The lock dies with this process, whatever kills it; Snakemake's own lock, which outlives a kill, is
not needed then.
"""

import sys
from pathlib import Path

from filelock import FileLock, Timeout
from snakemake.cli import main

results, *arguments = sys.argv[1:]
lock = FileLock(Path(results) / ".workflow.lock")
try:
    lock.acquire(timeout=0)
except Timeout:
    print(f"Another run is at work in {results}: waiting until it is done.", flush=True)
    lock.acquire()
with lock:
    main([*arguments, "--nolock", "--rerun-incomplete"])
