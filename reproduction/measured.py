"""Write what the notebooks of a run took into workflow/config.yaml, between its markers.

    python -m reproduction.measured RESULTS [--source published]

RESULTS: the folder of a ``degnext run --cancers …``. Seconds are those of the processor, so that
others who share the machine do not count; a notebook that did not run keeps no line.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from degnext._common.errors import InputError
from degnext._common.files import read_record, write_atomic
from reproduction.command import call, parser
from reproduction.store import ROOT

CONFIG = ROOT / "workflow" / "config.yaml"
START, END = "# measured:", "# end of measured"


def measured(runs: Path) -> pd.DataFrame:
    """Return cohorts, mean and largest CPU seconds and memory (MB) by notebook."""
    records = [read_record(path) for path in sorted(runs.glob("*/[0-9]*/run.json"))]
    records = [r for r in records if "cpu_seconds" in r]
    if not records:
        raise InputError(f"no run.json with cpu_seconds in {runs.name}/: run the notebooks first")
    found = pd.DataFrame(records).groupby("step")
    columns = {"cohorts": found.size(), "mean": found["cpu_seconds"].mean()}
    columns |= {"most": found["cpu_seconds"].max(), "mb": found["peak_memory_mb"].max()}
    return pd.DataFrame(columns)


def text(table: pd.DataFrame, source: str) -> str:
    """Return the lines between the markers."""
    lines = [f"{START} CPU seconds (mean) of cohorts from source {source}, and the most seen"]
    lines += ["seconds:"]
    for step, row in table.iterrows():
        most = f"most {row['most']:.0f} s, {row['mb']:.0f} MB"
        lines.append(f"  {step}: {row['mean']:.0f}  # cohorts: {row['cohorts']:.0f}, {most}")
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("results", type=Path, metavar="RESULTS")
    arguments.add_argument("--source", default="published")
    a = arguments.parse_args()
    config = CONFIG.read_text(encoding="utf-8")
    before, rest = config.split(START, 1)
    lines = text(measured(a.results / a.source), a.source)
    write_atomic(CONFIG, before + lines + END + rest.split(END, 1)[1])


if __name__ == "__main__":
    call(main)
