"""The wheel stands on its own: built, put into a fresh environment, used in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest

import degnext

ROOT = Path(__file__).resolve().parents[2]


def call(*command: object, cwd: Path) -> str:
    """Run a command as somebody without a checkout would; return what it printed."""
    ours = ("DEGNEXT_", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environment |= {"DEGNEXT_CACHE": str(cwd / "cache"), "PYTHONWARNINGS": "ignore"}
    environment["JUPYTER_PATH"] = str(Path(sys.prefix, "share", "jupyter"))  # lent, as the packages
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    call(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    return next(folder.glob("degnext-*.whl"))


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory) -> Path:
    """A fresh environment with the wheel; what the wheel depends on is lent by this one."""
    folder = tmp_path_factory.mktemp("fresh")
    call(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    bin_folder = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", bin_folder / "python", "install"]
    call(*pip, "--no-deps", "--no-index", wheel, cwd=folder)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(call(bin_folder / "python", "-c", where, cwd=folder).strip())
    # a path in a .pth file lends the packages there, but not the editable install of a checkout
    (own / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder


def test_it_holds_notebooks_data_weights_and_no_results(wheel):
    names = {Path(n) for n in zipfile.ZipFile(wheel).namelist()}
    for folder, place in (("notebooks", "_notebooks"), ("data", "_data")):
        here = [p.relative_to(ROOT / folder) for p in (ROOT / folder).rglob("*") if p.is_file()]
        here = [p for p in here if not any(piece.startswith(".") for piece in p.parts)]
        assert {Path("degnext", place, p) for p in here} <= names
    assert {p.suffix for p in names if "weights" in p.parts} == {".json", ".safetensors"}
    assert not any(p.parts[0] in ("reproduction", "tests", "results") for p in names)


def test_chapters_run_in_an_empty_folder(bin_folder, tmp_path):
    python, command = bin_folder / "python", bin_folder / "degnext"
    home = Path(call(python, "-c", "import degnext; print(degnext.__file__)", cwd=tmp_path).strip())
    assert bin_folder.parent in home.parents, "not the wheel's module"

    call(command, "run", "KICH", "--steps", "1", cwd=tmp_path)
    assert (tmp_path / "results" / "demo" / "KICH" / "01_preprocessing" / "run.json").is_file()
    assert "Licence" in call(command, "predict", "--card", cwd=tmp_path)


def test_several_cohorts_start_in_an_empty_folder(bin_folder, tmp_path):
    call(bin_folder / "degnext", "run", "--cancers", "CHOL,READ", "--steps", "1", cwd=tmp_path)
    for cancer in ("CHOL", "READ"):
        name = "01_preprocessing"
        assert (tmp_path / "results" / "demo" / cancer / name / f"{name}.ipynb").is_file()


def own_data_lines() -> list[list[str]]:
    """The words of README's lines about counts of one's own, without the folder of a program."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Your own counts")[2].partition("\n## ")[0]
    lines = re.findall(r"^(?:\.venv/bin/)?(make book .*|degnext .*counts\.csv.*)$", section, re.M)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_readmes_own_data_lines_work_in_an_empty_folder(bin_folder, tmp_path):
    """Word for word; of the book, the first two chapters on the files that its line names."""
    book, *others = own_data_lines()
    cohort = degnext.load_cohort("KICH")
    cohort.counts.to_csv(tmp_path / "counts.csv")
    cohort.groups.rename_axis("sample").to_csv(tmp_path / "groups.csv")
    (tmp_path / "genes.txt").write_text("\n".join(cohort.counts.index[::2]))
    assert others, "README predicts nothing"
    for words in others:
        call(bin_folder / words[0], *words[1:], cwd=tmp_path)
        out = tmp_path / words[words.index("--out") + 1]
        assert len(pd.read_csv(out)) == len(cohort.counts)

    written = dict(word.split("=", 1) for word in book[2:])
    given = [f"counts_path={written['COUNTS']}", f"groups_path={written['GROUPS']}"]
    given = [["-p", *pair.split("=")] for pair in (*given, *shlex.split(written["PARAMS"]))]
    command = [bin_folder / "degnext", "run", written["CANCER"], "--source", written["SOURCE"]]
    call(*command, "--steps", "1,2", *sum(given, []), cwd=tmp_path)
    made = tmp_path / "results" / "file" / "MINE"
    for name in ("01_preprocessing", "02_labeling"):
        assert nbformat.read(made / name / f"{name}.ipynb", as_version=4).cells[-1].outputs
        assert (made / name / "run.json").is_file()


def test_the_demo_a_twin_and_the_help_of_downloads_in_an_empty_folder(bin_folder, tmp_path):
    command = bin_folder / "degnext"
    call(command, "predict", "--demo", cwd=tmp_path)
    page = (tmp_path / "degnext_demo.html").read_text(encoding="utf-8")
    assert len(page) < 3e6 and "KICH: tumor against normal" in page
    assert len(pd.read_csv(tmp_path / "degnext_demo.csv")) == 2400
    call(command, "simulate", "CHOL", "--source", "demo", "--out", "twin", cwd=tmp_path)
    assert (tmp_path / "twin" / "counts.csv.gz").is_file()
    assert "--workflow" in call(command, "fetch", "--help", cwd=tmp_path)
