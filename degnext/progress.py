"""Progress bars that stay silent in headless runs: in a rendered page a bar is a dead widget."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tqdm.auto import tqdm


def progress(items: Iterable, name: str = "", unit: str = "it", show: bool = True) -> tqdm:
    """Return ``items`` with a progress bar, none when ``show`` is false or the environment has ``TQDM_DISABLE``."""
    silent = not show or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    return tqdm(items, desc=name or None, unit=unit, disable=silent, leave=False)
