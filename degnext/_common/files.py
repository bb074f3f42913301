"""Files that must be whole: checksums, atomic writes, locks, clear errors of the disk."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def read_record(path: Path) -> dict[str, Any]:
    """Return what a JSON file says, {} where it is not there or not whole."""
    with contextlib.suppress(OSError, ValueError):
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if isinstance(record, dict) else {}
    return {}


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
def folder_lock(folder: str | Path, name: str = ".lock", told: bool = False) -> Iterator[None]:
    """Let one thread of one process at a time fill ``folder``; its holder may ask again.

    Notebooks run side by side would tear each other's parts otherwise. Disk errors become clear.
    name: of the lock, which dies with its holder. told: who has to wait says for whom.
    """
    from filelock import FileLock, Timeout

    with disk_errors(folder), contextlib.ExitStack() as held:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock = FileLock(Path(folder).resolve() / name, is_singleton=True)
        holder = Path(f"{lock.lock_file}.holder")
        try:
            held.enter_context(lock.acquire(timeout=0 if told else -1))
        except Timeout:
            who = holder.read_text() if holder.exists() else "its process is unknown"
            said = f"Another run is at work in {folder} ({who}): waiting until it is done."
            print(said, flush=True)
            held.enter_context(lock.acquire())
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        if told:
            write_atomic(holder, f"process {os.getpid()} on {platform.node()} since {time.ctime()}")
        yield
