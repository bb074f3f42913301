import email.utils
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from http_server import Site

from degnext._common import download as module
from degnext._common.download import DownloadError, Retry, download, open_url
from degnext._common.errors import InputError
from degnext._common.files import disk_errors, file_checksum, folder_lock, write_atomic

QUICK = Retry(attempts=4, backoff_s=0.001, longest_s=5)
CONTENT = bytes(range(256)) * 4096  # 1 MiB
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def site():
    site = Site()
    site.files["/file"] = CONTENT
    yield site
    site.close()


@pytest.fixture
def naps(monkeypatch):
    """Collect what would be slept, without sleeping."""
    taken = []
    monkeypatch.setattr(module.time, "sleep", taken.append)
    return taken


def get(site, path, checksum=MD5, **more):
    return download(site.url + "/file", path, checksum, more.pop("retry", QUICK), **more)


def test_file_arrives_whole_and_is_not_fetched_again(site, tmp_path):
    get(site, tmp_path / "new" / "f")
    assert get(site, tmp_path / "new" / "f") == {}
    assert (tmp_path / "new" / "f").read_bytes() == CONTENT
    assert len(site.log) == 1
    assert sorted(os.listdir(tmp_path / "new")) == [".lock", "f"]


def test_damaged_file_on_disk_is_fetched_again(site, tmp_path):
    (tmp_path / "f").write_bytes(CONTENT[:-1] + b"x")
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("checksum", [MD5, None])
def test_truncated_body_goes_on_with_range(site, tmp_path, checksum):
    site.faults["/file"] = [("truncate", 400_000), ("truncate", 300_000)]
    get(site, tmp_path / "f", checksum)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [r.range for r in site.log] == ["", "bytes=400000-", "bytes=700000-"]
    assert [r.status for r in site.log] == [200, 206, 206]
    assert sum(r.sent for r in site.log) == len(CONTENT)


def test_server_without_ranges_starts_over(site, tmp_path):
    site.ranges = False
    site.faults["/file"] = [("truncate", 400_000)]
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_part_of_an_older_version_is_not_continued(site, tmp_path):
    """Xena gives no checksum: the ETag decides whether the part still belongs to the file."""
    site.faults["/file"] = [("truncate", 400_000)] + [("status", 500)] * 4
    with pytest.raises(DownloadError):
        get(site, tmp_path / "f", None)
    site.files["/file"] = newer = CONTENT[::-1]
    get(site, tmp_path / "f", None)
    assert site.log[-1].range == "bytes=400000-" and site.log[-1].status == 200
    assert (tmp_path / "f").read_bytes() == newer


def test_part_without_etag_and_checksum_is_dropped(site, tmp_path):
    site.etags = False
    site.faults["/file"] = [("truncate", 400_000)]
    get(site, tmp_path / "f", None)
    assert [r.range for r in site.log] == ["", ""]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_part_that_nobody_asked_for_is_no_file(site, tmp_path):
    """206 to a request without Range, as from a cache on the way; without a checksum to tell."""
    site.faults["/file"] = [("status", 206, {"Content-Range": "bytes 0-3/4"})]
    get(site, tmp_path / "f", None)
    assert [r.status for r in site.log] == [206, 200]
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["abc", "\xb2", "-5", ""])
def test_a_length_that_is_no_number_is_passed_over(monkeypatch, site, tmp_path, length):
    real = module.open_url

    def lying(*given, **more):
        answer = real(*given, **more)
        answer.headers["Content-Length"] = length
        return answer

    monkeypatch.setattr(module, "open_url", lying)
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_complete_part_is_recognised_by_416(site, tmp_path):
    (tmp_path / "f.part").write_bytes(CONTENT)
    get(site, tmp_path / "f")
    assert [r.status for r in site.log] == [416]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_overlong_part_is_thrown_away(site, tmp_path):
    (tmp_path / "f.part").write_bytes(CONTENT + b"more")
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_overlong_part_without_checksum_is_thrown_away(site, tmp_path):
    (tmp_path / "f.part").write_bytes(CONTENT + b"more")
    (tmp_path / "f.part.tag").write_text('"' + hashlib.md5(CONTENT).hexdigest() + '"')
    get(site, tmp_path / "f", None)
    assert [r.status for r in site.log] == [416, 200]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_part_with_wrong_bytes_is_fetched_from_zero(site, tmp_path):
    (tmp_path / "f.part").write_bytes(b"x" * 1000)
    get(site, tmp_path / "f")
    assert [r.range for r in site.log] == ["bytes=1000-", ""]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_corrupt_answer_is_tried_again(site, tmp_path):
    site.faults["/file"] = [("corrupt",)]
    get(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [r.range for r in site.log] == ["", ""]


def test_a_server_that_sends_too_much_is_cut_off(site, tmp_path):
    with pytest.raises(DownloadError, match=r"more than the 500,000 bytes that it should have: "):
        get(site, tmp_path / "f", checksum=None, most=500_000)
    assert not (tmp_path / "f").exists() and not (tmp_path / "f.part").exists()
    assert get(site, tmp_path / "f", most=len(CONTENT))  # exactly as much as it may


def test_json_of_any_length_is_refused(site, monkeypatch):
    site.files["/json"] = b'{"a": 1}'
    assert module.read_json(site.url + "/json", retry=QUICK) == {"a": 1}
    monkeypatch.setattr(module, "_MOST_JSON", 7)
    with pytest.raises(ValueError, match="more than 64 MiB"):
        module.read_json(site.url + "/json", retry=QUICK)


def test_wrong_checksum_leaves_nothing(site, tmp_path):
    with pytest.raises(InputError, match="three times with a checksum other than md5:00"):
        get(site, tmp_path / "f", "md5:00")
    assert len(site.log) == 3
    assert not (tmp_path / "f").exists() and not (tmp_path / "f.part").exists()


def test_endless_truncation_ends(site, tmp_path):
    site.ranges = False
    site.faults["/file"] = [("truncate", 1000)] * 50
    with pytest.raises(InputError, match="keeps breaking off at 1000 bytes"):
        get(site, tmp_path / "f")
    assert len(site.log) == QUICK.attempts + 1  # the first attempt made progress


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_seconds_is_obeyed(site, tmp_path, naps, status):
    site.faults["/file"] = [("status", status, {"Retry-After": "3"})]
    get(site, tmp_path / "f")
    assert naps == [3.0]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_retry_after_date_is_obeyed(site, tmp_path, naps):
    when = email.utils.formatdate(time.time() + 4, usegmt=True)
    site.faults["/file"] = [("status", 503, {"Retry-After": when})]
    get(site, tmp_path / "f")
    assert len(naps) == 1 and 2 < naps[0] <= 4


def test_retry_after_of_an_hour_is_said_not_slept(site, tmp_path, naps):
    site.faults["/file"] = [("status", 429, {"Retry-After": "3600"})]
    with pytest.raises(DownloadError, match="asks to wait 3600 s"):
        get(site, tmp_path / "f")
    assert naps == []


@pytest.mark.parametrize("header", ["nan", "soon", "-3", ""])
def test_retry_after_that_says_nothing_is_passed_over(site, tmp_path, naps, header):
    site.faults["/file"] = [("status", 503, {"Retry-After": header})]
    get(site, tmp_path / "f")
    assert naps == [0.001]


def test_backoff_doubles_and_gives_up(site, tmp_path, naps):
    site.faults["/file"] = [("status", 500)] * 9
    with pytest.raises(DownloadError, match="HTTP 500, 4 attempts"):
        get(site, tmp_path / "f")
    assert naps == pytest.approx([0.001, 0.002, 0.004])


def test_missing_file_is_not_tried_again(site, tmp_path):
    with pytest.raises(DownloadError, match="answered HTTP 404") as caught:
        download(site.url + "/none", tmp_path / "f", retry=QUICK)
    assert caught.value.status == 404 and len(site.log) == 1


def test_unreachable_server_and_bad_address(site, tmp_path):
    address = site.url
    site.close()
    with pytest.raises(InputError, match="cannot reach .*check the network"):
        download(address + "/file", tmp_path / "f", retry=QUICK)
    with pytest.raises(InputError, match="is no web address"):
        open_url("gdc.cancer.gov/files", retry=QUICK)


def test_killed_process_resumes(site, tmp_path):
    """A run killed in the middle of the file leaves a part; the next run asks only for the rest."""
    site.faults["/file"] = [("stall", 600_000, 20)]
    code = (
        "import sys; from degnext._common.download import download; "
        "download(sys.argv[1], sys.argv[2], sys.argv[3])"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, site.url + "/file", str(tmp_path / "f"), MD5]
    )
    part = tmp_path / "f.part"
    deadline = time.time() + 20
    while not (part.exists() and part.stat().st_size >= 262_144) and time.time() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    had = part.stat().st_size
    assert 0 < had <= 600_000 and not (tmp_path / "f").exists()
    get(site, tmp_path / "f")
    assert site.log[-1].range == f"bytes={had}-" and site.log[-1].status == 206
    assert site.log[-1].sent == len(CONTENT) - had
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_progress_is_shown(site, tmp_path, capfd):
    download(site.url + "/file", tmp_path / "shown", MD5, retry=QUICK)
    assert "shown" in capfd.readouterr().err


def test_disk_errors_are_sentences(tmp_path):
    for number, words in (
        (errno.ENOSPC, "is full: free some space"),
        (errno.EACCES, "cannot write into"),
    ):
        with pytest.raises(InputError, match=words), disk_errors(tmp_path):
            raise OSError(number, os.strerror(number))
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path):
        (tmp_path / "none").read_text()


def test_full_disk_keeps_the_part(site, tmp_path, monkeypatch):
    real = open

    class Full:
        def __init__(self, handle):
            self.handle = handle

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.handle.close()

        def write(self, piece):
            if self.handle.tell() > 500_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.handle.write(piece)

    def limited(path, mode="r", *rest, **more):
        handle = real(path, mode, *rest, **more)
        return Full(handle) if str(path).endswith(".part") and mode in ("wb", "ab") else handle

    monkeypatch.setattr("builtins.open", limited)
    with pytest.raises(InputError, match="is full"):
        get(site, tmp_path / "f")
    monkeypatch.undo()
    assert (tmp_path / "f.part").stat().st_size == 524_288
    get(site, tmp_path / "f")
    assert site.log[-1].range == "bytes=524288-"


def test_checksums_against_known_values(tmp_path):
    (tmp_path / "f").write_bytes(b"hello\n")
    # git hash-object, md5sum and sha256sum of "hello\n"
    assert file_checksum(tmp_path / "f", "git") == "git:ce013625030ba8dba906f756967f9e9ca394464a"
    assert file_checksum(tmp_path / "f", "md5:x") == "md5:b1946ac92492d2347c6235b4d2611184"
    assert (
        file_checksum(tmp_path / "f", "sha256")
        == "sha256:" + hashlib.sha256(b"hello\n").hexdigest()
    )


def test_write_atomic_keeps_the_old_file_on_failure(tmp_path, monkeypatch):
    write_atomic(tmp_path / "f.json", {"a": 1})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "f.json", {"a": 2})
    assert '"a": 1' in (tmp_path / "f.json").read_text()
    assert os.listdir(tmp_path) == ["f.json"]


@pytest.mark.parametrize("checksum", [MD5, None])
def test_six_threads_fetch_a_file_once(site, tmp_path, checksum):
    site.faults["/file"] = [("truncate", 400_000)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: get(site, tmp_path / "f", checksum), range(6)))
    assert [r.range for r in site.log] == ["", "bytes=400000-"]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_writers_side_by_side_never_mix(tmp_path):
    texts = [str(i) * 200_000 for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_atomic(tmp_path / "f", text), texts))
    assert (tmp_path / "f").read_text() in texts and os.listdir(tmp_path) == ["f"]


def test_the_holder_of_a_folder_may_enter_again(tmp_path):
    with folder_lock(tmp_path), folder_lock(str(tmp_path)):
        write_atomic(tmp_path / "f", "x")
    with folder_lock(tmp_path):  # and it was given back
        pass


def test_second_process_waits_for_the_folder(tmp_path):
    code = (
        "import sys, time; from degnext._common.files import folder_lock\n"
        "with folder_lock(sys.argv[1]):\n"
        "    open(sys.argv[1] + '/in', 'w').close(); time.sleep(0.5)\n"
        "    open(sys.argv[1] + '/out', 'w').close()"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    while not (tmp_path / "in").exists() and child.poll() is None:
        time.sleep(0.01)
    with folder_lock(tmp_path):
        assert (tmp_path / "out").exists()  # the other process had finished before we could enter
    assert child.wait(timeout=5) == 0


def test_import_is_light():
    code = (
        "import sys, degnext._common.download, degnext._common.files; "
        "print([m for m in ('pandas', 'requests') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
