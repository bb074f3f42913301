"""Run Snakemake under a lock of its own: locked_snakemake.py RESULTS ARGUMENTS.

The lock dies with this process, whatever kills it; Snakemake's own lock, which outlives a kill, is
not needed then.
"""

import sys

from snakemake.cli import main

from degnext._common.files import folder_lock

results, *arguments = sys.argv[1:]
with folder_lock(results, ".workflow.lock", told=True):
    main([*arguments, "--nolock", "--rerun-incomplete"])
