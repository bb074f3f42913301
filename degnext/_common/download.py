"""Downloads that survive bad networks: retries, resumed parts, checksums, nothing half-written."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from degnext._common.errors import InputError
from degnext._common.files import file_checksum, folder_lock

_RETRY_STATUS = {408, 425, 429, 500, 502, 503, 504}
_CHUNK = 1 << 18
_MOST = 1 << 33  # bytes of a file whose size nobody knows: 8 GiB
_MOST_JSON = 1 << 26
_KEPT = "run the same command again; what has arrived is kept"


class DownloadError(InputError):
    """Say which address could not be read and what to do; ``status`` is the HTTP status or None."""

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Retry:
    """Say how patient a download is: attempts in a row without progress, and seconds of waiting."""

    attempts: int = 6
    backoff_s: float = 1.0  # doubles with every failure in a row
    longest_s: float = 120.0
    timeout_s: tuple[float, float] = (15.0, 60.0)  # to connect, between two pieces

    def sleep(self, failures: int, retry_after: str | None = None) -> None:
        """Wait as long as the server asked (seconds or an HTTP date), else longer every time."""
        import urllib3

        seconds = min(self.backoff_s * 2 ** (failures - 1), self.longest_s)
        with contextlib.suppress(urllib3.exceptions.InvalidHeader):
            seconds = urllib3.Retry().parse_retry_after(retry_after) if retry_after else seconds
        if seconds > self.longest_s:
            later = "run the same command again after that time; what has arrived is kept"
            raise DownloadError(f"the server asks to wait {seconds:.0f} s: {later}")
        time.sleep(seconds)


PATIENT = Retry()


def open_url(
    url: str, payload: Any = None, headers: dict[str, str] | None = None, retry: Retry = PATIENT
) -> Any:
    """Return the streamed ``requests`` answer of a GET, or of a POST where there is a payload.

    Status 408, 425, 429 and 5xx and failed connections are tried again. Raises DownloadError when
    that does not help.
    """
    import requests
    from requests import exceptions as wrong

    method, failures = "GET" if payload is None else "POST", 0
    options = {"json": payload, "stream": True, "timeout": retry.timeout_s}
    options["headers"] = {"Accept-Encoding": "identity"} | (headers or {})
    while True:
        retry_after = status = None
        try:
            answer = requests.request(method, url, **options)
            status = answer.status_code
            if status < 400 or status == 416:
                return answer
            reason, retry_after = f"HTTP {status}", answer.headers.get("Retry-After")
            answer.close()
            if status not in _RETRY_STATUS:
                fault = f"{url} answered {reason} {answer.reason}"
                raise DownloadError(f"{fault}: check the address and the name", status)
        except (wrong.InvalidURL, wrong.MissingSchema, wrong.InvalidSchema) as error:
            fault = f"{url!r} is no web address"
            raise DownloadError(f"{fault}: start it with https:// or http://") from error
        except wrong.RequestException as error:
            reason = type(error).__name__
        failures += 1
        if failures >= retry.attempts:
            fault = f"cannot reach {url} ({reason}, {failures} attempts)"
            raise DownloadError(f"{fault}: check the network or the proxy and {_KEPT}", status)
        retry.sleep(failures, retry_after)


def read_json(url: str, payload: Any = None, retry: Retry = PATIENT) -> Any:
    """Return the JSON that ``url`` answers; ValueError if it is none, or more than 64 MiB."""
    import json

    with open_url(url, payload, retry=retry) as answer:
        body = answer.raw.read(_MOST_JSON + 1, decode_content=True)
    if len(body) > _MOST_JSON:
        raise ValueError("an answer of more than 64 MiB")
    return json.loads(body)


def download(
    url: str, path: str | Path, checksum: str | None = None, retry: Retry = PATIENT, most: int = 0
) -> dict[str, str]:
    """Download ``url`` to ``path``; return the answer's headers ({} when the file was right there).

    An interrupted download leaves ``<path>.part``; the next call asks for the rest, guarded by the
    ETag or the date that the server gave, or by ``checksum`` ("md5:…", "sha256:…" or "git:…"). The
    file gets its name only when it is complete and its checksum fits. most: the bytes that it has,
    or may have (0: 8 GiB); a server that sends more is cut off. One process at a time downloads
    into a folder. Raises DownloadError, or InputError on a full disk.
    """
    from tqdm import tqdm

    path = Path(path)
    part, tag = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.tag")
    best = failures = mismatches = 0
    bar = tqdm(desc=path.name, unit="B", unit_scale=True, leave=False)
    with folder_lock(path.parent), bar:
        if path.exists():
            if checksum is None or file_checksum(path, checksum) == checksum:
                return {}
            path.unlink()
        while True:
            whole, headers = _receive(url, part, tag, bool(checksum), bar, retry, most or _MOST)
            if whole and (checksum is None or file_checksum(part, checksum) == checksum):
                os.replace(part, path)
                tag.unlink(missing_ok=True)
                return headers
            size = part.stat().st_size if part.exists() else 0
            if whole:  # and wrong: a proxy or a bad disk may have garbled it
                part.unlink()
                tag.unlink(missing_ok=True)
                mismatches, best = mismatches + 1, 0
            failures = 0 if size > best else failures + 1
            best = max(best, size)
            if mismatches == 3:
                fault = f"{url} came three times with a checksum other than {checksum}"
                raise DownloadError(f"{fault}: try again later, or report that the file changed")
            if failures >= retry.attempts:
                fault = f"{url} keeps breaking off at {size} bytes ({failures} attempts)"
                raise DownloadError(f"{fault}: {_KEPT}")
            retry.sleep(max(failures, 1))


def _receive(
    url: str, part: Path, tag: Path, checked: bool, bar: Any, retry: Retry, most: int
) -> tuple[bool, dict[str, str]]:
    """Add to ``part`` what the server still has; return whether all is there, and the headers."""
    import urllib3

    start = part.stat().st_size if part.exists() else 0
    known = tag.read_text() if tag.exists() else ""
    headers = {}
    if start and (known or checked):  # with neither, the part may belong to an older version
        headers = {"Range": f"bytes={start}-"} | ({"If-Range": known} if known else {})
    with open_url(url, headers=headers, retry=retry) as answer:
        got, resumed = dict(answer.headers), answer.status_code == 206
        span = answer.headers.get("Content-Range", "")
        asked = headers and span.startswith(f"bytes {start}-")
        if answer.status_code == 416 or (resumed and not asked):
            complete = span == f"bytes */{start}"
            if not complete:
                part.unlink(missing_ok=True)
            return complete, got
        if not resumed:
            start, etag = 0, answer.headers.get("ETag") or "W/"
            weak = etag.startswith("W/")
            tag.write_text(answer.headers.get("Last-Modified", "") if weak else etag)
        length = answer.headers.get("Content-Length", "")
        length = int(length) if length.isdecimal() else None
        bar.total, bar.n = start + length if length else None, start
        bar.refresh()
        arrived = start
        with open(part, "ab" if resumed else "wb") as handle:
            try:
                for piece in answer.raw.stream(_CHUNK, decode_content=False):
                    arrived += len(piece)
                    if max(arrived, start + (length or 0)) > most:
                        _cut_off(url, part, most)
                    handle.write(piece)
                    bar.update(len(piece))
            except urllib3.exceptions.HTTPError:  # broken off: the caller asks for the rest
                return False, got
            handle.flush()
            os.fsync(handle.fileno())
        return length is None or part.stat().st_size == start + length, got


def _cut_off(url: str, part: Path, most: int) -> None:
    part.unlink()
    fault = f"{url} sends more than the {most:,} bytes that it should have"
    raise DownloadError(f"{fault}: check the address and the proxy, or report it")
