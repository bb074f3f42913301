"""Write a cohort's table as the folder that the GDC's data transfer tool leaves: a file a sample.

python benchmarks/gdc_folder.py TABLE.parquet SAMPLE_SHEET.tsv FOLDER
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pandas as pd


def write_folder(table: Path, sheet: Path, folder: Path) -> int:
    """Write ``<File ID>/<File Name>`` for every sample of the sheet that the table has."""
    counts = pd.read_parquet(table)
    about = pd.read_csv(sheet, sep="\t")
    about.columns = about.columns.str.replace(".", " ")
    about = about[about["Sample ID"].isin(counts.columns)]
    for file_id, name, sample in zip(about["File ID"], about["File Name"], about["Sample ID"]):
        path = folder / file_id / name
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(counts[sample].to_csv(sep="\t", header=False).encode(), 1))
    about.to_csv(folder / "gdc_sample_sheet.tsv", sep="\t", index=False)
    return len(about)


if __name__ == "__main__":
    print(write_folder(*map(Path, sys.argv[1:])), "files")
