"""A small web server: it answers like the GDC, Xena and GitHub, and misbehaves on demand.

It follows the public documentation: GDC API User's Guide ("Search and Retrieval", "Downloading
Files"), RFC 9110 for Range, If-Range, 206, 416 and Retry-After. Nothing in it was recorded from
the live services.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """One line of the server's log; ``sent`` is how many body bytes the server sends."""

    method: str
    path: str
    range: str = ""
    body: dict = field(default_factory=dict)
    status: int = 0
    sent: int = 0


class Site:
    """What the server has, how it fails, and what it was asked.

    ``files`` maps a path to bytes; ``gdc`` is a list of GDC file records with their ``content``.
    ``faults[path]`` is a list that is used up one request at a time: ("status", 503,
    {"Retry-After": "1"}), ("truncate", n_bytes), ("corrupt",), ("stall", n_bytes, seconds),
    ("ok",).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.gdc: list[dict] = []
        self.faults: dict[str, list[tuple]] = defaultdict(list)
        self.log: list[Request] = []
        self.ranges = True
        self.etags = True
        self.lock = threading.Lock()
        site = self

        class Handler(_Handler):
            pass

        Handler.site = site
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path: str) -> list[Request]:
        """Return the logged requests for one path, oldest first."""
        return [r for r in self.log if r.path == path]


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict) -> None:
        site = self.site
        request = Request(self.command, self.path, self.headers.get("Range", ""), body)
        with site.lock:
            site.log.append(request)
            fault = site.faults[self.path].pop(0) if site.faults[self.path] else ("ok",)
        self.request_log, self.fault = request, fault
        if fault[0] == "status":
            return self._send(fault[1], b"busy", fault[2] if len(fault) > 2 else {})
        if self.command == "POST" and self.path == "/files":
            return self._send(
                200, json.dumps(self._search(body)).encode(), {"Content-Type": "application/json"}
            )
        if self.command == "POST" and self.path == "/data":
            return self._archive(body["ids"])
        by_id = {f"/data/{f['file_id']}": f["content"] for f in site.gdc}
        content = site.files.get(self.path, by_id.get(self.path))
        if content is None:
            return self._send(404, b"not found", {})
        self._file(content)

    def _search(self, body: dict) -> dict:
        """Answer a GDC search: "and" of "in" filters, dotted fields, size, from."""
        hits = [
            f
            for f in self.site.gdc
            if all(
                _values(f, c["content"]["field"].removeprefix("files."))
                & set(c["content"]["value"])
                for c in body["filters"]["content"]
            )
        ]
        hits.sort(key=lambda f: f["file_id"])
        page = hits[body["from"] : body["from"] + body["size"]]
        shown = [_pick(f, body["fields"].split(",")) | {"id": f["file_id"]} for f in page]
        return {
            "data": {
                "hits": shown,
                "pagination": {"count": len(page), "total": len(hits), "from": body["from"]},
            },
            "warnings": {},
        }

    def _archive(self, ids: list[str]) -> None:
        """Send a .tar.gz of <id>/<name> and MANIFEST.txt without a length, as the GDC does."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            files = [f for f in self.site.gdc if f["file_id"] in ids]
            listing = "id\tfilename\tmd5\tsize\n" + "".join(
                f"{f['file_id']}\t{f['file_name']}\n" for f in files
            )
            members = [(f"{f['file_id']}/{f['file_name']}", f["content"]) for f in files]
            for name, content in [("MANIFEST.txt", listing.encode()), *members]:
                if self.fault[0] == "corrupt" and content is members[0][1]:
                    content = content.replace(b"1", b"2")
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        data = buffer.getvalue()
        keep = int(len(data) * self.fault[1]) if self.fault[0] == "truncate" else len(data)
        self.send_response(200)
        self.send_header("Content-Type", "application/gzip")
        self.end_headers()
        self._body(data[:keep])

    def _file(self, content: bytes) -> None:
        site, fault, headers, status, start = self.site, self.fault, {}, 200, 0
        etag = '"' + hashlib.md5(content).hexdigest() + '"'
        if site.etags:
            headers["ETag"] = etag
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if site.ranges and asked and self.headers.get("If-Range", etag) == etag:
            start = int(asked[1])
            if start >= len(content):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            status, headers["Content-Range"] = (
                206,
                f"bytes {start}-{len(content) - 1}/{len(content)}",
            )
        if fault[0] == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        data = content[start:]
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.request_log.status = status
        if fault[0] == "truncate":
            self._body(data[: fault[1]])
        elif fault[0] == "stall":  # the client is killed while it waits for the rest
            self._body(data[: fault[1]])
            time.sleep(fault[2])
        else:
            self._body(data)

    def _send(self, status: int, data: bytes, headers: dict) -> None:
        self.request_log.status = status
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self._body(data)

    def _body(self, data: bytes) -> None:
        self.request_log.sent += len(
            data
        )  # before the bytes go, or the client's test may read the log first
        self.wfile.write(data)
        self.wfile.flush()


def _values(record: object, dotted: str) -> set:
    """Return every value that a dotted field has in a nested record."""
    for key in dotted.split("."):
        if isinstance(record, list):
            record = [r.get(key) for r in record]
            if record and isinstance(record[0], list):
                record = [x for part in record for x in part]
        else:
            record = record.get(key)
    return set(record) if isinstance(record, list) else {record}


def _pick(record: dict, fields: list[str]) -> dict:
    """Return the asked fields of a nested record, keeping its shape."""
    out: dict = {}
    for top in {f.split(".")[0] for f in fields} & set(record):
        rest = [f.split(".", 1)[1] for f in fields if f.startswith(top + ".")]
        value = record[top]
        out[top] = (
            [_pick(v, rest) for v in value]
            if isinstance(value, list)
            else _pick(value, rest)
            if rest
            else value
        )
    return out
