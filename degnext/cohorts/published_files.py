"""TODO."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from degnext._common.download import Retry, download
from degnext._common.errors import InputError, check_choice
from degnext._common.files import disk_errors, file_checksum, folder_lock

# The newest commit of 2022 in the paper's repository: what readers of the paper found there.
PUBLISHED_COMMIT = "1c5cab042e2e615c4c8cbea2c313bb863ba96d9a"


PUBLISHED_URL = (
    f"https://raw.githubusercontent.com/tulikakakati/DEGnext/{PUBLISHED_COMMIT}/datasets"
)


PUBLISHED_PARTS = {
    "T1": ("non_bio_train.csv", "non_bio_train_label.txt"),
    "T2": ("non_bio_test.csv", "non_bio_test_label.txt"),
    "F1": ("bio_fine_tune.csv", "bio_fine_tune_label.txt"),
    "T3": ("bio_test.csv", "bio_test_label.txt", "bio_test_genes.csv"),
    "Q": (
        "biologically_validated_data.csv",
        "biologically_validated_labels.txt",
        "biologically_validated_genes.csv",
    ),
}


def published_registry() -> Any:
    """Return the authors' files as a DataFrame: name, git_blob_sha1, bytes (missing where the size is not known)."""
    import pandas as pd

    from degnext._common.paths import data_dir

    return pd.read_csv(data_dir() / "published_registry.csv", dtype={"bytes": "Int64"})


def fetch_published(
    cancer: str,
    parts: Sequence[str] | None = None,
    cache_dir: str | Path | None = None,
    base_url: str | None = None,
    *,
    progress: bool = True,
    retry: Retry = Retry(),
) -> Path:
    """Download the authors' processed files of one cancer and return the folder that holds them.

    ``parts`` names some of T1, T2, F1, T3 and Q (all bio genes); None means all that the authors published for this
    cancer. Every file, old or new, is checked against its Git blob id in ``data/published_registry.csv``; finished
    files are not fetched again, broken-off ones go on where they stopped. The address is ``base_url``, else
    ``DEGNEXT_PUBLISHED_URL``, else the paper's repository at commit 1c5cab0. Raises InputError.
    """
    import pooch

    from degnext._common.paths import cache_dir as user_cache

    registry = published_registry().set_index("name")["git_blob_sha1"]
    cancers = sorted({name.split("_")[0].removeprefix("TCGA-") for name in registry.index})
    check_choice("cancer", cancer, cancers)
    for part in parts or ():
        check_choice("part", part, PUBLISHED_PARTS)
        if not any(f"TCGA-{cancer}_{end}" in registry.index for end in PUBLISHED_PARTS[part]):
            raise InputError(
                f"the authors published no part {part} of {cancer}: leave it out of parts"
            )
    wanted = [
        f"TCGA-{cancer}_{end}" for part in parts or PUBLISHED_PARTS for end in PUBLISHED_PARTS[part]
    ]
    names = [name for name in wanted if name in registry.index]
    folder = Path(cache_dir or user_cache()) / "published" / PUBLISHED_COMMIT[:7]
    base = (base_url or os.environ.get("DEGNEXT_PUBLISHED_URL") or PUBLISHED_URL).rstrip("/") + "/"
    # pooch knows no Git blob ids and forgets a part when it is interrupted: it keeps the registry and the cache,
    # our downloader checks and resumes.
    keeper = pooch.create(path=folder, base_url=base, registry=dict.fromkeys(names))
    pooch.get_logger().setLevel("WARNING")
    for name in names:
        checksum = f"git:{registry[name]}"

        def fetch_checked(
            url: str, output: str, _: Any, name: str = name, checksum: str = checksum
        ) -> None:
            whole = folder / f".{name}"
            download(url, whole, checksum, progress=progress, retry=retry)
            os.replace(whole, output)

        with folder_lock(folder), disk_errors(folder):
            here = folder / name
            if here.exists() and file_checksum(here, checksum) != checksum:
                here.unlink()  # changed on disk since it was downloaded
            keeper.fetch(name, downloader=fetch_checked)
    return folder
