"""Run one notebook on one cohort, as a rule of the Snakefile does.

run_notebook.py STEP CANCER SOURCE RESULTS PARAMETERS(JSON)
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar in a rendered page is a dead widget

from papermill.exceptions import PapermillExecutionError

from degnext._common.errors import InputError
from degnext.running.execution import run_notebook


def stop_with_owner() -> None:
    """Interrupt this process, and with it the kernel, when the command that asked is gone."""
    os.read(0, 1)  # its pipe ends with it, whatever ends it
    os.kill(os.getpid(), signal.SIGINT)


if os.environ.get("WORKFLOW_OWNER"):
    threading.Thread(target=stop_with_owner, daemon=True).start()

if asked := os.environ.get("NOTEBOOK_WARNINGS"):
    os.environ["PYTHONWARNINGS"] = asked  # of the kernel; this process has read its own

step, cancer, source, results, parameters = sys.argv[1:]
try:
    print(run_notebook(step, cancer, source, json.loads(parameters), Path(results)))
except InputError as error:
    sys.exit(f"{step} on {cancer} ({source}): {error}")
except PapermillExecutionError as error:
    where = f"cell {error.cell_index} of {step}.failed.ipynb"
    sys.exit(f"{step} on {cancer} ({source}): {where}: {error.ename}: {error.evalue}")
except KeyboardInterrupt:
    sys.exit(f"{step} on {cancer} ({source}): interrupted")
