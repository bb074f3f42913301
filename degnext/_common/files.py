"""Files that must be whole: checksums, atomic writes, locks, clear errors of the disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from degnext._common.errors import InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP)  # some network disks


def file_checksum(path: str | Path, kind: str) -> str:
    """Return "kind:hex" of a file; ``kind`` is md5, sha256 or git (Git's blob id), or "kind:…"."""
    kind = kind.split(":")[0]
    digest = hashlib.new({"git": "sha1"}.get(kind, kind))
    if kind == "git":
        digest.update(b"blob %d\0" % Path(path).stat().st_size)
    with open(path, "rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return f"{kind}:{digest.hexdigest()}"


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path of its own to write to; at the end it becomes ``path``, or is removed.

    Whatever happens, ``path`` holds either its old or its whole new content, on the disk.
    """
    path = Path(path)
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            yield temporary
            with open(temporary, "rb+") as handle:
                os.fsync(handle.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; at the end it becomes ``path``, or is removed.

    ``path`` must not be there yet, or be an empty folder.
    """
    path = Path(path)
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=path.parent))
        try:
            yield temporary
            if path.is_dir():
                path.rmdir()  # an empty one is no obstacle, except on Windows
            temporary.chmod(0o755)
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_atomic(path: str | Path, data: bytes | str | dict) -> None:
    """Write bytes, text or a dict (as JSON) to ``path``, whole or not at all."""
    if isinstance(data, dict):
        data = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    with whole_file(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def disk_errors(folder: str | Path) -> Iterator[None]:
    """Turn a full or forbidden disk into one clear sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            cure = "free some space or name another folder (--out, DEGNEXT_CACHE), and run again"
            raise InputError(f"the disk that holds {folder} is full: {cure}") from error
        if error.errno in _FORBIDDEN:
            fault = f"cannot write into {folder} ({error.strerror})"
            cure = "name a folder of your own (--out, DEGNEXT_CACHE)"
            raise InputError(f"{fault}: {cure}") from error
        raise


@contextlib.contextmanager
def folder_lock(folder: str | Path) -> Iterator[None]:
    """Let one thread of one process at a time fill ``folder``; its holder may ask again.

    Notebooks run side by side would tear each other's parts otherwise. Disk errors become clear.
    """
    from filelock import FileLock

    with disk_errors(folder), contextlib.ExitStack() as held:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock = FileLock(Path(folder).resolve() / ".lock", is_singleton=True)
        try:
            held.enter_context(lock)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
