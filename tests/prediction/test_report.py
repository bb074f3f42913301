"""The report and the other kinds of output: whole, offline, accessible, and never over a file."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import anndata
import openpyxl
import pandas as pd
import pytest

import degnext
from degnext._common.errors import InputError
from degnext._common.files import write_atomic
from degnext.cohorts.tables import read_table
from degnext.prediction.output import check_output, write_table
from degnext.prediction.report import write_report

NOTEBOOK = Path(degnext.__file__).parent / "prediction" / "report.ipynb"
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def predicted():
    cohort = degnext.load_cohort("CHOL")
    return cohort, degnext.predict(cohort)


@pytest.fixture(scope="module")
def report(predicted, tmp_path_factory) -> Path:
    cohort, table = predicted
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(table, cohort, path)
    return path


def test_the_notebook_is_clean_and_short():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            assert len(source.splitlines()) <= 24 and "degnext._" not in source
            ast.parse(source)


def test_the_page_holds_all_and_fetches_nothing(report, predicted):
    cohort, table = predicted
    page = report.read_text(encoding="utf-8")
    assert len(page) < 3e6
    packed = re.findall(r'data-packed="[^"]*">([^<]*)<', page)
    scripts = [gzip.decompress(base64.b64decode(one)).decode() for one in packed]
    assert len(scripts) > 6 and not re.search(r'<(script|link|img)[^>]+(src|href)="(http|//)', page)
    for gene in table["gene"].head(3):  # in the plots and in the table
        assert sum(gene in s for s in scripts) >= 2
    n = table["class"].value_counts()
    assert f"<strong>{n['UR']:,}</strong> UR" in page
    titles = [*re.findall(r'<h2 id="([\w-]+)"', page)]
    wanted = ["quality", "changes", "genes", "heat-map", "sets", "sureness", "methods"]
    assert titles == wanted and page.index('class="warnings"') < page.index('id="quality"')
    assert f"degnext {degnext.__version__}" in page and "synthetic" in page
    assert str(Path.cwd()) not in page


def test_of_a_lone_sample_nothing_is_said_that_was_not_tested(make_cohort, tmp_path):
    cohort = make_cohort(n_genes=200, n_normal=1, n_tumor=3)
    write_report(degnext.predict(cohort), cohort, tmp_path / "lone.html")
    page = (tmp_path / "lone.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<script.*?</script>", "", page)).split())
    assert "RuntimeWarning" not in page and "single sample, which shows no spread" in text
    head = text[text.index("Every gene") : text.index("Heat map of the surest")]
    assert "its standard error, guessed" in head and "FDR" not in head
    for told in ("no gene is called", "Nothing was tested", "no gene was tested or classified"):
        assert told in text
    assert "false discovery rate is held" not in text and "q_value" not in text
    packed = re.findall(r'data-packed="[^"]*">([^<]*)<', page)
    plots = "".join(gzip.decompress(base64.b64decode(one)).decode() for one in packed)
    assert "abstain (200)" in plots and "neutral (0)" not in plots


def test_a_file_of_gene_sets_is_found_from_where_the_user_is(predicted, monkeypatch, tmp_path):
    class Told(Exception):
        pass

    def execute(*given: object, **_: object) -> None:
        raise Told(given[2]["gene_sets"])

    monkeypatch.chdir(tmp_path)
    Path("my.gmt").write_text("a set\t\tTP53\n")
    monkeypatch.setattr("papermill.execute_notebook", execute)
    for given, said in (("my.gmt", str(tmp_path / "my.gmt")), ("go_bp", "go_bp"), ("", "")):
        with pytest.raises(Told) as told:
            write_report(predicted[1], predicted[0], tmp_path / "p.html", given)
        assert str(told.value) == said


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium to look at the page with")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_finds_a_gene_and_axe_finds_no_fault(report, predicted, scheme):
    play = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with play.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_context(color_scheme=scheme).new_page()
        asked, errors = [], []
        page.on("request", lambda r: asked.append(r.url))
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(report.as_uri())
        page.wait_for_selector(".dt-search input", timeout=60_000)
        drawn = "Bokeh.documents.length == document.querySelectorAll('.plots').length"
        page.wait_for_function(drawn, timeout=60_000)
        gene = predicted[1]["gene"].iloc[7]
        page.fill(".dt-search input", gene)
        page.wait_for_function(f"document.querySelector('td').textContent == '{gene}'")
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_function("document.documentElement.scrollWidth <= 390")
        found = axe.Axe().run(page, options={"preload": False}).response["violations"]
        browser.close()
    assert not errors and not [url for url in asked if not url.startswith(("file:", "blob:"))]
    assert not [v["id"] for v in found]


def test_every_kind_of_table_reads_to_the_same(predicted, tmp_path):
    cohort, table = predicted
    table = table.head(40).copy()
    table.loc[:2, "gene"] = ["SEPT1", "=1+1", "001"]
    cohort = cohort.with_counts(cohort.counts.head(40).set_axis(table["gene"]))
    paths = {k: tmp_path / f"p{k}" for k in (".csv", ".tsv", ".xlsx", ".parquet", ".h5ad")}
    for path in paths.values():
        check_output(path)
        write_table(table, cohort, path)
    text = {"dtype": {"gene": str, "symbol": str}}
    read = [pd.read_csv(paths[".csv"], **text), pd.read_csv(paths[".tsv"], sep="\t", **text)]
    read += [pd.read_excel(paths[".xlsx"], **text), pd.read_parquet(paths[".parquet"])]
    for one in read:
        pd.testing.assert_frame_equal(one, table, check_dtype=False, rtol=1e-5, atol=1e-8)
    sheet = openpyxl.load_workbook(paths[".xlsx"])["predictions"]
    assert [sheet.cell(r, 1).value for r in (2, 3, 4)] == ["SEPT1", "=1+1", "001"]
    assert all(sheet.cell(r, 1).data_type == "s" for r in range(2, 42))
    data = anndata.read_h5ad(paths[".h5ad"])
    assert data.shape == cohort.counts.T.shape and data.obs["group"].tolist() == list(cohort.groups)
    assert data.var["class"].tolist() == table["class"].tolist()
    assert list(data.uns["degnext"]["notes"]) == table.attrs["notes"]
    assert b"\r" not in paths[".csv"].read_bytes()


@pytest.mark.parametrize("name", ["p.doc", "p", "x" * 230 + ".csv"])
def test_names_that_cannot_be_are_refused(name, tmp_path, is_helpful):
    with pytest.raises(InputError) as caught:
        check_output(tmp_path / name)
    assert is_helpful(str(caught.value))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet", ".h5ad"])
def test_a_name_that_is_no_text_is_written_all_the_same(kind, predicted, tmp_path):
    path = tmp_path / os.fsdecode(b"gr\xf6sse" + kind.encode())
    check_output(path)
    cohort, table = predicted[0], predicted[1].head(20)
    write_table(table, cohort, path)
    assert path.stat().st_size and "gr?sse" in str(path).encode(errors="replace").decode()


def test_forbidden_files_and_folders_are_named_before_any_work(monkeypatch, tmp_path, is_helpful):
    (tmp_path / "c.csv").write_text("gene,a,b\nx,1,2\n")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read and write everything
    for call, said in (
        (lambda: check_output(tmp_path / "new" / "p.csv"), "nothing can be written into"),
        (lambda: read_table(tmp_path / "c.csv"), "may not be read: check its permission"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            call()
        assert is_helpful(str(caught.value))


def test_the_demo_writes_a_table_and_a_report_but_not_twice(
    run_cli, monkeypatch, tmp_path, is_helpful
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("degnext.prediction.report.write_report", lambda t, c, p, g: p.touch())
    done = run_cli("predict", "--demo")
    assert done.code == 0 and "by rule standard" in done.out
    assert Path("degnext_demo.csv").stat().st_size and Path("degnext_demo.html").exists()
    done = run_cli("predict", "--demo")
    assert done.code == 2 and "exists already" in done.err and is_helpful(done.err)
    done = run_cli("predict", "counts.csv", "--demo", "--force")
    assert done.code == 2 and "leave COUNTS" in done.err


def test_slips_of_predict_are_named_before_any_table_is_read(
    run_cli, monkeypatch, tmp_path, is_helpful
):
    monkeypatch.chdir(tmp_path)
    for name in ("counts.csv", "map.csv", "folder/a.csv", "sets.gmt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("kept")
    for line, said in (
        ("counts.csv --out p.csv --fdr 2", "between 0 and 1"),
        ("counts.csv --out p.csv --fdr 0.1 --rule paper", "belongs to rule 'standard'"),
        ("counts.csv --out p.csv --gene-sets go_bp", "belong to a report"),
        ("counts.csv --report p.html --gene-sets no.gmt", "no gene-set file"),
        ("counts.csv --report p.html --gene-sets go_pb", "did you mean 'go_bp'"),
        ("counts.csv --transcripts map.csv --out map.csv --force", "input of this very command"),
        ("folder --out folder/a.csv --force", "input of this very command"),
        ("fold*/*.csv --out folder/a.csv --force", "input of this very command"),
    ):
        done = run_cli("predict", *line.split())
        assert done.code == 2 and said in done.err and is_helpful(done.err), line
    assert Path("map.csv").read_text() == Path("folder/a.csv").read_text() == "kept"


def shell(line: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess:
    line = line.replace("degnext", f"{sys.executable} -m degnext")
    root = str(Path(degnext.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": root, **environment}
    how = {"capture_output": True, "text": True, "cwd": tmp_path, "env": env}
    return subprocess.run(["bash", "-c", line], **how)


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices of Unix")
def test_pipes_full_devices_and_plain_terminals(tmp_path, is_helpful):
    done = shell("degnext predict --card | head -1; exit ${PIPESTATUS[0]}", tmp_path)
    assert done.returncode in (0, 141) and done.stderr == "" and done.stdout.count("\n") == 1
    done = shell("degnext predict --card > /dev/full", tmp_path)
    assert done.returncode == 2 and is_helpful(done.stderr)
    done = shell("degnext predict --card", tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "? (matches the file)" in done.stdout


def test_the_words_of_a_choice_can_be_completed(tmp_path):
    line = "degnext predict --rule "
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    asked |= {"_ARGCOMPLETE_STDOUT_FILENAME": "words", "_ARGCOMPLETE_IFS": " "}
    shell("degnext", tmp_path, **asked)
    assert set((tmp_path / "words").read_text().split()) == {"standard", "paper"}


def test_a_full_disk_names_what_helps(monkeypatch, tmp_path, is_helpful):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="--out") as caught:
        write_atomic(tmp_path / "p.csv", "x")
    assert is_helpful(str(caught.value)) and not list(tmp_path.iterdir())
