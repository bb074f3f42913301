"""Run one notebook on one cohort, as a rule of the Snakefile does: run_notebook.py STEP CANCER SOURCE RESULTS PARAMETERS(JSON)."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar in a rendered page is a dead widget

from degnext._common.errors import InputError
from degnext.running.execution import run_notebook

step, cancer, source, results, parameters = sys.argv[1:]
try:
    print(run_notebook(step, cancer, source, json.loads(parameters), Path(results)))
except InputError as error:
    sys.exit(f"{step} on {cancer} ({source}): {error}")
