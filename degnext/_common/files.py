"""Small helpers for files that must be whole: checksums, atomic writes, locks, clear errors of the disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from degnext._common.errors import InputError


def file_checksum(path: str | Path, kind: str) -> str:
    """Return "kind:hex" of a file; ``kind`` is md5, sha256 or git (Git's blob id), alone or as "kind:anything"."""
    kind = kind.split(":")[0]
    digest = hashlib.new({"git": "sha1"}.get(kind, kind))
    if kind == "git":
        digest.update(b"blob %d\0" % Path(path).stat().st_size)
    with open(path, "rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return f"{kind}:{digest.hexdigest()}"


def write_atomic(path: str | Path, data: bytes | str | dict) -> None:
    """Write bytes, text or a dict (as JSON) so that ``path`` holds either the old or the whole new content."""
    path = Path(path)
    if isinstance(data, dict):
        data = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(data.encode() if isinstance(data, str) else data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(folder: str | Path) -> Iterator[None]:
    """Turn a full or forbidden disk into one clear sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"the disk that holds {folder} is full: free some space or set DEGNEXT_CACHE to another "
                "folder and run again; what has arrived is kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(
                f"cannot write into {folder} ({error.strerror}): set DEGNEXT_CACHE to a folder of "
                "your own"
            ) from error
        raise


@contextlib.contextmanager
def folder_lock(folder: str | Path) -> Iterator[None]:
    """Let one process at a time fill ``folder``: notebooks run side by side would tear each other's parts."""
    with disk_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        handle = open(Path(folder) / ".lock", "w")
    with handle:
        with contextlib.suppress(
            ImportError, OSError
        ):  # Windows and some network disks have no such lock
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
