"""Print the built book into one PDF, and pack its pages into a zip to be read offline.

``make book`` comes first. Both files land in ``_build/html``, beside the index page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 600


def main() -> int:
    if not (BUILD / "source").is_dir() or not (BUILD / "html" / "index.html").is_file():
        return say("the book is not built: run make book first")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return say("no browser to print with: install Chromium or Google Chrome")
    with tempfile.TemporaryDirectory() as folder:
        page = one_page(Path(folder))
        if page is None:
            return say(f"the single page could not be built; {BUILD / 'pdf.log'} says why")
        pdf = Path(folder) / "degnext-book.pdf"
        if not printed(browser, page, pdf):
            return say(f"{browser} printed nothing; {BUILD / 'pdf.log'} says why")
        packed = shutil.make_archive(str(Path(folder) / "degnext-book"), "zip", BUILD / "html")
        for file in (pdf, Path(packed)):
            shutil.move(file, BUILD / "html" / file.name)
            print(BUILD / "html" / file.name)
    return 0


def say(sentence: str) -> int:
    print(f"make pdf: {sentence}", file=sys.stderr)
    return 1


def one_page(folder: Path) -> Path | None:
    """Build all chapters as one page, so that links within the book stay links within the PDF."""
    command = [Path(sys.executable).parent / "jupyter-book", "build", "--builder", "custom"]
    command += ["--custom-builder", "singlehtml", "--quiet", "--path-output", folder]
    run([*command, BUILD / "source"], "w")
    made = folder / "_build" / "singlehtml"
    page = made / "book" / "intro.html"  # its links are those of the folder above
    return shutil.move(page, made / "degnext.html") if page.is_file() else None


def printed(browser: str, page: Path, pdf: Path) -> bool:
    """Print a page with a browser without a window; tell whether there is something to show."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command += ["--virtual-time-budget=20000", f"--print-to-pdf={pdf}", page.as_uri()]
    run(command, "a")
    return pdf.is_file() and pdf.stat().st_size > 100_000


def run(command: list, mode: str) -> None:
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with open(BUILD / "pdf.log", mode) as log:
        streams = {"stdout": log, "stderr": subprocess.STDOUT}
        subprocess.run(command, env=environment, timeout=SECONDS, check=False, **streams)


if __name__ == "__main__":
    sys.exit(main())
