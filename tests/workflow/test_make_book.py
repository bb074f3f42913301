"""make book, on a small checkout whose path has spaces and quotes: what is refused, what
runs again, and that no kill locks it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = """cancer: str = "KICH"
source: str = "demo"
seed: int = 0
wait: float = 0.0
counts_path: str = ""
groups_path: str = ""
bio_source: str = ""
round_counts: bool = False
"""
CODES = {
    "01_first": "import time\nopen('runs.txt', 'a').write(f'{seed}\\n')\ntime.sleep(wait)",
    "02_second": "import degnext.running.provenance, degnext.learning.profile.pretrained",
}
QUICK = """import json, os, sys, time
from pathlib import Path
step, cancer, source, results, parameters = sys.argv[1:]
given, folder = json.loads(parameters), Path(results) / source / cancer / step
if os.environ.get("BROKEN") == cancer:
    sys.exit(f"{step} on {cancer} ({source}): cell 3: ValueError: boom")
with open(folder / "runs.txt", "a") as file:
    file.write(f"{given.get('seed', 0)}\\n")
time.sleep(given.get("wait", 0))
(folder / f"{step}.ipynb").write_text("{}")
"""
DRIVE = """import sys
from pathlib import Path
sys.path.insert(0, "workflow")
import make_book
make_book.BIN = Path("bin").resolve()  # pages are not what is tested here
sys.exit(make_book.main())
"""
JUPYTER_BOOK = """#!/bin/sh
mkdir -p _build/pages/_build/html && touch _build/pages/_build/html/index.html
echo built >> _build/built.txt
"""


@pytest.fixture
def papermill() -> None:
    """Notebooks really run; without this, a script stands in for them."""


@pytest.fixture
def slow(request) -> None:
    if "slow" not in request.config.option.markexpr:
        pytest.skip("takes long: pytest -m slow")


@pytest.fixture
def checkout(request, tmp_path):
    """A checkout with two notebooks that say when they run; returns its folder."""
    folder = tmp_path / "my 'check\"out'"
    for name in ("notebooks", "book", "bin"):
        (folder / name).mkdir(parents=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}}
    for stem, code in CODES.items():
        cells = [
            nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(code),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
        nbformat.write(notebook, folder / "notebooks" / f"{stem}.ipynb")
    shutil.copytree(ROOT / "degnext", folder / "degnext")
    shutil.copytree(ROOT / "workflow", folder / "workflow")
    if "papermill" not in request.fixturenames:  # starting a kernel takes seconds
        (folder / "workflow" / "run_notebook.py").write_text(QUICK)
    (folder / "data").symlink_to(ROOT / "data")
    for name in ("_config.yml", "_toc.yml", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    settings = folder / "workflow" / "config.yaml"
    kept = yaml.safe_load(settings.read_text()) | {"sources": {"demo": {"01_first": {"seed": 3}}}}
    settings.write_text(yaml.safe_dump(kept))
    (folder / "bin" / "jupyter-book").write_text(JUPYTER_BOOK)
    (folder / "bin" / "jupyter-book").chmod(0o755)
    return folder


@pytest.fixture
def start(checkout):
    """Start make book as the Makefile does; keyword arguments are what the user writes."""

    def run(**written) -> subprocess.Popen:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DEGNEXT_")}
        environment |= {"PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore", "BOOK_CORES": "1"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {f"BOOK_{k.upper()}": str(v) for k, v in written.items()}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command = [sys.executable, "-c", DRIVE]
        return subprocess.Popen(command, cwd=checkout, env=environment, **streams)

    return run


@pytest.fixture
def book(start):
    def run(**written) -> SimpleNamespace:
        child = start(**written)
        said, _ = child.communicate(timeout=300)
        return SimpleNamespace(code=child.returncode, said=said, last=said.strip().split("\n")[-1])

    return run


@pytest.fixture
def runs(checkout):
    """Return the seeds with which a notebook ran, in order."""

    def seeds(stem: str, source: str = "demo", cancer: str = "KICH") -> list[str]:
        path = checkout / "results" / source / cancer / stem / "runs.txt"
        return path.read_text().split() if path.exists() else []

    return seeds


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"cancer": "REED"}, "did you mean 'READ'"),
        ({"source": "tcga"}, "unknown source 'tcga'"),
        ({"cancer": "`touch pwned`", "source": "file"}, "cannot name a folder"),
        ({"cancer": "../../x", "source": "file"}, "cannot name a folder"),
        ({"cancer": "my cohort", "source": "file"}, "cannot name a folder"),
        ({"counts": "c.csv"}, "COUNTS and GROUPS are for SOURCE=file, not demo"),
        ({"source": "file", "cancer": "MINE"}, "SOURCE=file needs COUNTS"),
        ({"source": "file", "cancer": "MINE", "counts": "none.csv"}, "no file 'none.csv'"),
        ({"params": "cancer=READ"}, "cancer has a place of its own"),
        ({"params": "source=gdc"}, "source has a place of its own"),
        ({"params": "counts_path=c.csv"}, "write COUNTS=... beside it"),
        ({"params": "sed=1"}, "unknown parameter 'sed': did you mean 'seed'"),
        ({"params": "seed=one"}, "seed must be of type int"),
        ({"params": "round_counts=yes"}, "give True or False"),
        ({"params": "seed"}, "write name=value pairs"),
        ({"params": "bio_source='a"}, "close the quotes"),
        ({"params": "bio_source=genes.txt"}, "no file 'genes.txt': check BIO_SOURCE"),
        ({"cores": "many"}, "CORES is 'many'"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(checkout, written, said, monkeypatch, capsys):
    module = make_book(monkeypatch, checkout, written)
    assert module.main() == 2
    assert said in capsys.readouterr().err
    assert not (checkout / "results").exists() and not (checkout / "pwned").exists()


def make_book(monkeypatch, checkout, written):
    """Import workflow/make_book.py into this process, with the small checkout's notebooks."""
    import importlib.util

    from degnext.running import parameters

    spec = importlib.util.spec_from_file_location("make_book", ROOT / "workflow" / "make_book.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr("sys.path", [str(ROOT / "workflow"), *sys.path])
    spec.loader.exec_module(module)
    monkeypatch.setattr(parameters, "_FOLDERS", (checkout / "notebooks",))
    monkeypatch.setattr(sys, "argv", ["make_book.py"])
    monkeypatch.chdir(checkout)
    for name in module.DEFAULTS:
        monkeypatch.delenv(f"BOOK_{name.upper()}", raising=False)
    for name, value in written.items():
        monkeypatch.setenv(f"BOOK_{name.upper()}", value)
    return module


def test_files_become_absolute_and_are_known_by_their_content(checkout, monkeypatch):
    (checkout / "my counts.csv").write_text("gene,a\n")
    (checkout / "genes.txt").write_text("TP53\n")
    written = {"source": "file", "cancer": "MINE", "counts": "my counts.csv"}
    written |= {"params": "bio_source=genes.txt seed=5"}
    module = make_book(monkeypatch, checkout, written)

    def checked():
        return module.check_request(module.read_request())

    user = checked()["user"]
    given = user["parameters"]["02_second"]
    assert given["counts_path"] == str(checkout / "my counts.csv") and given["seed"] == 5
    assert given["bio_source"] == str(checkout / "genes.txt")
    (checkout / "my counts.csv").write_text("gene,b\n")
    again = checked()["user"]["checksums"]
    assert [k for k in again if again[k] != user["checksums"][k]] == ["counts_path"]


def test_counts_may_be_a_folder_and_each_of_its_files_is_watched(checkout, monkeypatch):
    (checkout / "quants" / "T1").mkdir(parents=True)
    for name in ("N1.counts", "T1/T1.counts"):
        (checkout / "quants" / name).write_text("A\t1\n")
    written = {"source": "file", "cancer": "MINE", "counts": "quants"}
    module = make_book(monkeypatch, checkout, written)

    def checked():
        return module.check_request(module.read_request())["user"]

    before = checked()
    assert before["parameters"]["01_first"]["counts_path"] == str(checkout / "quants")
    assert len(before["checksums"]["counts_path"]) == 2
    (checkout / "quants" / "T1" / "T1.counts").write_text("A\t2\n")
    assert checked()["checksums"]["counts_path"] != before["checksums"]["counts_path"]


def test_a_book_runs_again_what_changed_and_nothing_else(checkout, book, runs):
    def after(**written) -> tuple[list[str], list[str]]:
        done = book(source="file", cancer="MINE", counts=counts.name, **written)
        assert done.code == 0 and done.last.startswith("The book is ready"), done.said
        return runs("01_first", "file", "MINE"), runs("02_second", "file", "MINE")

    def write_as_long_ago(path, text):
        path.write_text(text)
        os.utime(path, (1, 1))  # as from an archive: only the content tells

    counts = checkout / 'it\'s "my" counts; $(touch pwned).csv'
    write_as_long_ago(counts, "gene,a\n")
    assert after() == (["0"], ["0"])
    write_as_long_ago(counts, "gene,b\n")
    assert after() == (["0", "0"], ["0", "0"])
    module = checkout / "degnext" / "running" / "provenance.py"  # which notebook 2 imports
    write_as_long_ago(module, module.read_text() + "# touched\n")
    assert after() == (["0", "0"], ["0", "0", "0"])
    (checkout / "data").unlink()  # a link to the project's own
    shutil.copytree(ROOT / "data", checkout / "data")
    table = checkout / "data" / "disease_genes" / "demo.csv"
    write_as_long_ago(table, table.read_text() + "\n")
    assert after() == (["0"] * 3, ["0"] * 4)
    weights = checkout / "degnext" / "learning" / "profile" / "weights" / "model_card.json"
    write_as_long_ago(weights, weights.read_text() + "\n")  # which notebook 2 imports a name of
    assert after() == (["0"] * 3, ["0"] * 5)
    assert after(params="seed=4") == (["0"] * 3 + ["4"], ["0"] * 5 + ["4"])
    assert not list(checkout.rglob("pwned"))


def wait_until(true, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(folder: Path) -> list[int]:
    """Return the processes that work for a book in ``folder``."""
    import psutil

    mine = [p for p in psutil.process_iter(["cmdline"]) if p.pid != os.getpid()]
    return [p.pid for p in mine if str(folder / "workflow") in " ".join(p.info["cmdline"] or [])]


def stopped(checkout, child, how) -> str:
    """Send a signal to a make book that is at work; return what it said by its end."""
    child.send_signal(how)
    said, _ = child.communicate(timeout=120)
    wait_until(lambda: not alive(checkout), 30)
    if how != signal.SIGKILL:
        assert child.returncode == 130 and "Traceback" not in said, said
        assert said.strip().split("\n")[-1].startswith("make book: interrupted; what is complete")
    assert not list((checkout / "results").glob("demo/KICH/*/*_first.ipynb"))
    return said


def test_a_killed_book_goes_on(papermill, checkout, start, book, runs):
    child = start(params="wait=60")
    wait_until(lambda: runs("01_first"))
    stopped(checkout, child, signal.SIGKILL)
    done = book()
    assert done.code == 0 and done.last.startswith("The book is ready"), done.said
    assert "Lock" not in done.said and "Incomplete" not in done.said


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_book_says_so_and_goes_on(slow, papermill, checkout, start, book, runs, how):
    child = start(params="wait=60")
    wait_until(lambda: runs("01_first"))
    stopped(checkout, child, how)
    done = book()
    assert done.code == 0 and done.last.startswith("The book is ready"), done.said


@pytest.mark.slow
def test_a_second_book_waits_for_the_first(slow, start, runs):
    first = start(params="wait=6")
    wait_until(lambda: runs("01_first"))
    second = start(params="wait=6")
    said, _ = second.communicate(timeout=120)
    assert first.wait(60) == 0 and second.returncode == 0, said
    assert "Another run is at work" in said
    assert len(runs("01_first")) == len(runs("02_second")) == 1  # nothing is made twice
    first.stdout.close()


SNAKE = """import sys, time
def main(arguments):
    print("running", flush=True)
    time.sleep(float(arguments[0]))
"""


def test_the_lock_dies_with_its_holder(tmp_path):
    """Quick: something else in place of Snakemake."""
    (tmp_path / "snakemake").mkdir()
    (tmp_path / "snakemake" / "__init__.py").touch()
    (tmp_path / "snakemake" / "cli.py").write_text(SNAKE)
    (tmp_path / "request.json").write_text('{"source": "demo", "jobs": {}}')

    def hold(seconds: float) -> subprocess.Popen:
        command = [sys.executable, str(ROOT / "workflow" / "locked_snakemake.py"), str(tmp_path)]
        command += [str(tmp_path / "request.json")]
        environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
        streams = {"stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, str(seconds)], env=environment, **streams)

    with hold(60) as first:
        assert first.stdout.readline() == "running\n"
        with hold(0) as second:
            said = second.stdout.readline()
            assert said.startswith("Another run is at work in ")
            assert f"(process {first.pid} on " in said and "): waiting until it is done." in said
            first.kill()
            assert second.stdout.readline() == "running\n" and second.wait(10) == 0


TREE = """import subprocess, sys
sys.path.insert(0, "workflow")
import make_book
nap = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(60)"]
tree = f"import subprocess; subprocess.run({nap})"
try:
    make_book.wait_for(subprocess.Popen([sys.executable, "-c", tree], start_new_session=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_whole_tree(how):
    """Quick: something else in place of Snakemake; what it started holds on to the same pipe."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", TREE]
    with subprocess.Popen(command, cwd=ROOT, env=environment, **streams) as child:
        assert child.stdout.readline() == "asleep\n"
        child.send_signal(how)
        assert child.stdout.read() == "" and child.wait(30) == 130  # nobody is left


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_passes_on_what_the_user_wrote(tmp_path):
    """Neither make nor a shell reads it: no $(shell …), no backticks, no quotes."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".venv" / ".ready-book").touch()
    code = "import json, os; json.dump(dict(os.environ), open('seen.json', 'w'))"
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n')
    python.chmod(0o755)
    written = {
        "CANCER": "`touch pwned`",
        "COUNTS": '$(shell touch pwned) it\'s "mine"; $HOME.csv',
        "GROUPS": "a b.csv",
        "PARAMS": "seed=1 bio_source='my genes.txt'",
    }
    command = ["make", "book", *(f"{k}={v}" for k, v in written.items())]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert {k: seen[f"BOOK_{k}"] for k in written} == written and seen["BOOK_SOURCE"] == "demo"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_clean_forgets_what_was_cut_short_and_no_result(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    results = tmp_path / "my results"
    for name in ("locks/a.lock", "incomplete/b", "metadata/c"):
        (results / ".snakemake" / name).parent.mkdir(parents=True)
        (results / ".snakemake" / name).touch()
    (results / "scores.csv").touch()
    (tmp_path / "_build").mkdir()
    environment = os.environ | {"DEGNEXT_RESULTS": str(results)}
    subprocess.run(["make", "clean"], cwd=tmp_path, env=environment, check=True, timeout=60)
    left = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert left == ["Makefile", "c", "scores.csv"] and not (tmp_path / "_build").exists()


def test_a_failed_cohort_stops_no_other_and_is_named_with_its_cause(book, runs, monkeypatch):
    monkeypatch.setenv("BROKEN", "CHOL")
    done = book(cancers="all")
    assert done.code == 1
    assert runs("01_first") == runs("01_first", cancer="READ") == ["3"]
    assert "  CHOL 01_first: cell 3: ValueError: boom" in done.said
    assert "  CHOL 02_second: cell 3: ValueError: boom" in done.said
    assert "4 notebooks ran in" in done.said and "0 were up to date" in done.said
    monkeypatch.delenv("BROKEN")
    again = book(cancers="CHOL,READ")
    assert again.code == 0, again.said
    assert "2 notebooks ran in" in again.said and "4 were up to date" in again.said
    assert "[2/2] " in again.said  # a line for each notebook that ran, and no other


def test_with_nothing_changed_snakemake_is_not_even_started(checkout, book):
    assert book().code == 0
    (checkout / "notebooks" / "01_first.ipynb").touch()  # a time stamp decides nothing
    broken = checkout / "snakemake"
    broken.mkdir()
    (broken / "__init__.py").touch()
    (broken / "cli.py").write_text("raise SystemExit(9)")
    again = book()
    assert again.code == 0 and "0 notebooks ran in" in again.said, again.said
    first = checkout / "results" / "demo" / "KICH" / "01_first" / "01_first.ipynb"
    first.unlink()
    assert book().code == 1  # now it has to run


def test_pages_are_built_again_only_if_what_they_are_made_from_changed(checkout, book):
    built = checkout / "_build" / "built.txt"
    page, html = checkout / "book" / "page.md", checkout / "_build" / "html"
    for change, times in [
        (lambda: None, 1),
        (lambda: None, 1),
        (lambda: page.write_text("# New"), 2),
        (lambda: page.write_text("# Newer"), 3),
        (lambda: (html / "index.html").unlink(), 4),
        (lambda: None, 4),
    ]:
        change()
        assert book().code == 0
        assert len(built.read_text().split()) == times


def test_a_warning_on_known_data_is_an_error_and_says_where(papermill, checkout, book):
    path = checkout / "notebooks" / "02_second.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[-1].source = "import warnings\n\nwarnings.warn('odd')"
    nbformat.write(notebook, path)
    done = book()
    assert done.code == 1 and "02_second.failed.ipynb: UserWarning: odd" in done.said
    notebook.cells[-1].source = "import degnext"
    nbformat.write(notebook, path)
    assert book().code == 0
    page = json.loads((checkout / "_build/source/notebooks/01_first.ipynb").read_text())
    injected = [c for c in page["cells"] if "injected-parameters" in c["metadata"].get("tags", [])]
    assert len(injected) == 1 and "hide-input" in injected[0]["metadata"]["tags"]
