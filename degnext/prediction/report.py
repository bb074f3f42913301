"""The report: a page that opens offline, made by executing ``report.ipynb`` beside this file."""

from __future__ import annotations

import base64
import gzip
import html
import re
import sys
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import pandas as pd

from degnext._common.files import write_atomic
from degnext.cohorts.cohort import Cohort

_HERE = Path(__file__).parent
_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", flags=re.S)


def write_report(table: pd.DataFrame, cohort: Cohort, path: Path, gene_sets: str = "") -> None:
    """Write one HTML page on a cohort and its predictions to ``path``; it fetches nothing.

    table: of ``predict``. gene_sets: as in ``enrich``; empty takes the first that lies at hand.
    Scripts are packed (gzip), and the browser unpacks them. Raises InputError on a full disk.
    """
    import papermill
    from nbconvert import HTMLExporter

    counts = cohort.counts.loc[table["gene"]]
    known = {"name": cohort.name, "source": cohort.source, "gene_sets": gene_sets}
    if Path(gene_sets).is_file():  # the notebook works in a folder of its own
        known["gene_sets"] = str(Path(gene_sets).resolve())
    with TemporaryDirectory() as folder:
        place, done = Path(folder), f"{folder}/report.ipynb"
        counts.to_parquet(place / "counts.parquet")
        cohort.groups.loc[counts.columns].to_frame("group").to_parquet(place / "groups.parquet")
        table.to_parquet(place / "predictions.parquet")
        settings = {"kernel_name": "python3", "progress_bar": sys.stderr.isatty(), "cwd": folder}
        settings["extra_arguments"] = ["--log-level=ERROR"]  # no word about TCP from the kernel
        papermill.execute_notebook(_HERE / "report.ipynb", done, known, **settings)
        bare = {f"exclude_{part}": True for part in ("input", "output_prompt", "anchor_links")}
        body, _ = HTMLExporter(template_name="basic", **bare).from_filename(done)
    shell = Template((_HERE / "report.html").read_text(encoding="utf-8"))
    title = f"{cohort.name}: tumor against normal"
    write_atomic(path, shell.substitute(title=html.escape(title), body=_SCRIPT.sub(_pack, body)))


def _pack(script: re.Match[str]) -> str:
    """Return a script compressed, as data that ``report.html`` runs in its turn."""
    kind = re.search(r'type="([^"]*)"', script[1])
    packed = base64.b64encode(gzip.compress(script[2].encode(), mtime=0)).decode()
    return f'<script type="text/plain" data-packed="{kind[1] if kind else ""}">{packed}</script>'
