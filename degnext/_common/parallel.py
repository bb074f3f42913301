"""Split a tall matrix into blocks of rows and work on them in a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def n_threads() -> int:
    """Return how many threads to use: ``DEGNEXT_THREADS``, else the cores this process may run on, at most 4."""
    value = os.environ.get("DEGNEXT_THREADS", "").strip()
    if value.isdigit() and int(value) > 0:
        return int(value)
    available = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
    return min(4, available)


def blocks(n_rows: int, row_bytes: int, target_bytes: int = 1 << 18) -> list[slice]:
    """Return slices that cover ``n_rows`` rows, each about ``target_bytes`` big, so that one block stays in the cache."""
    step = max(16, target_bytes // max(1, row_bytes))
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def for_each(work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """Return ``[work(item) for item in items]``, computed in threads (NumPy and SciPy release the lock in their loops)."""
    threads = n_threads()
    if threads == 1 or len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
