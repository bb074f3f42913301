"""The notebooks as files: clean, alike, and readable; and the first one as papermill runs it."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
# the labs have tests of their own, tests/labs
PATHS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("**/*.ipynb")])
PATHS = [p for p in PATHS if ".ipynb_checkpoints" not in p.parts]
every = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def tagged(notebook, *tags: str) -> list[int]:
    """Return which cells have one of ``tags``, by default both kinds of parameters cells."""
    wanted = set(tags or ("more-parameters", "parameters"))
    return [i for i, c in enumerate(notebook.cells) if wanted & set(c.metadata.get("tags", []))]


def parameters(path: Path) -> dict[str, tuple[str, object, str]]:
    """Each parameter's type, default and comment."""
    notebook = read(path)
    out = {}
    for line in "\n".join(notebook.cells[i].source for i in tagged(notebook)).splitlines():
        if line.startswith("#"):  # the head of a block
            continue
        node = ast.parse(line).body[0]
        comments = [
            t.string
            for t in tokenize.generate_tokens(io.StringIO(line).readline)
            if t.type == tokenize.COMMENT
        ]
        out[node.target.id] = (
            ast.unparse(node.annotation),
            ast.literal_eval(node.value),
            comments[0].lstrip("# ").strip() if comments else "",
        )
    return out


def test_the_nine_chapters_are_there():
    assert {p.stem[:2] for p in PATHS if p.parent.name == "notebooks"} >= {
        f"0{i}" for i in range(1, 10)
    }


@every
def test_it_is_valid_and_holds_no_output(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, cell.source[:60]
        assert "papermill" not in cell.metadata and "ExecuteTime" not in cell.metadata
    assert "papermill" not in notebook.metadata
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@every
def test_the_first_code_cells_hold_the_parameters(path):
    """Show at most five where others are folded away, above, so that all can be injected."""
    notebook = read(path)
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    folded, shown = tagged(notebook, "more-parameters"), tagged(notebook, "parameters")
    assert len(shown) == 1 and folded + shown == code[: len(folded) + 1]
    for i in folded:
        assert "hide-input" in notebook.cells[i].metadata.tags
        assert notebook.cells[i].metadata.jupyter.source_hidden
        assert len(ast.parse(notebook.cells[shown[0]].source).body) <= 5


@every
def test_parameters_are_annotated_literals_each_with_a_comment(path):
    notebook = read(path)
    source = "\n".join(notebook.cells[i].source for i in tagged(notebook))
    for statement in ast.parse(source).body:
        assert isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name), (
            ast.unparse(statement)
        )
        kind = {"str": str, "int": int, "float": float, "bool": bool}[
            ast.unparse(statement.annotation)
        ]
        assert type(ast.literal_eval(statement.value)) is kind, ast.unparse(statement)
    found = parameters(path)
    lines = [line for line in source.splitlines() if not line.startswith("#")]
    assert len(found) == len(lines) >= 1
    assert max(map(len, source.splitlines())) <= 88
    for name, (_, _, comment) in found.items():
        assert len(comment) > 5, f"{name} has no comment"
        assert "=" not in comment, f"papermill cannot read the comment of {name}"
    assert "fast" not in found


@every
def test_papermill_reads_every_parameter(path):
    from papermill.translators import PythonTranslator

    notebook = read(path)
    found = [PythonTranslator.inspect(notebook.cells[i]) for i in tagged(notebook)]
    seen = {
        p.name: (p.inferred_type_name, ast.literal_eval(p.default), p.help) for p in sum(found, [])
    }
    assert seen == parameters(path) and len(seen) == sum(map(len, found))
    if path.parent.name != "labs":
        from degnext.running.parameters import notebook_parameters

        assert notebook_parameters(path.stem) == {k: v[:2] for k, v in seen.items()}


def test_the_same_name_means_the_same_everywhere():
    meanings: dict[str, dict[tuple, list[str]]] = {}
    for path in PATHS:
        for name, meaning in parameters(path).items():
            meanings.setdefault(name, {}).setdefault(meaning, []).append(path.stem)
    different = {name: found for name, found in meanings.items() if len(found) > 1}
    assert not different


@every
def test_chapters_that_read_labels_can_be_asked_for_the_same_ones(path):
    """Else PARAMS="log_fc=1" for a whole book would not reach the later chapters."""
    from degnext.running.parameters import FILTERING, LABELING

    found = parameters(path)
    asks = {"filtered": FILTERING, "labeled": FILTERING | LABELING, "target": FILTERING | LABELING}
    code = "".join(c.source for c in read(path).cells if c.cell_type == "code")
    for state in re.findall(r'run\.cohort\("(\w+)"\)', code):
        if path.stem != "09_predict_your_data":  # asks for a target of source published only
            for name, default in asks.get(state, {}).items():
                assert found[name][1] == default, f"{path.stem} has no {name}"


@every
def test_cells_are_short(path):
    notebook = read(path)
    for i, cell in enumerate(notebook.cells):
        if i not in tagged(notebook):
            assert len(cell.source.splitlines()) <= 18, cell.source[:80]


@every
def test_it_opens_with_a_title_and_what_it_reads_and_writes(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown" and re.match(r"# \S", first.source)
    assert "**Reads**" in first.source and "**Writes**" in first.source
    if path.parent.name == "notebooks":
        assert first.source.startswith(f"# {int(path.stem[:2])}. ")


@every
def test_it_closes_with_a_summary_of_findings(path):
    cells = read(path).cells
    last = max(
        i
        for i, c in enumerate(cells)
        if c.cell_type == "markdown" and re.search(r"^## Summary\s*$", c.source, flags=re.M)
    )
    after = [c for c in cells[last + 1 :] if c.cell_type == "markdown"]
    assert not after and len(cells) - last <= 3
    headings = [
        h
        for c in cells
        for h in re.findall(r"^## (.+)$", c.source, flags=re.M)
        if c.cell_type == "markdown"
    ]
    assert headings[-1].strip() == "Summary" and headings.count("Summary") == 1


@every
def test_code_cells_are_python_and_name_no_path_of_a_machine(path):
    for cell in read(path).cells:
        if cell.cell_type == "code":
            ast.parse(cell.source)
            assert not re.search(r"/(work|home|tmp|Users)/", cell.source)


def papermill(folder: Path, *parameters: str) -> subprocess.CompletedProcess:
    """Run notebook 1 on CHOL from ``folder``, as a user types it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEGNEXT_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(ROOT / "notebooks" / "01_preprocessing.ipynb"),
        "out.ipynb",
        "--no-progress-bar",
        "-k",
        "python3",
    ]
    return subprocess.run(
        [
            *command,
            "-p",
            "cancer",
            "CHOL",
            "-p",
            "results_dir",
            str(folder / "results"),
            *parameters,
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_first_notebook_runs_from_any_folder(tmp_path):
    done = papermill(tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    folder = tmp_path / "results" / "demo" / "CHOL" / "01_preprocessing"
    assert {p.name for p in folder.iterdir()} == {"samples.csv", "run.json"}
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(("out", "results"))) == [
        "out.ipynb",
        "results",
    ]
    text = str(read(tmp_path / "out.ipynb").cells[-1].outputs)
    assert "9 normal and 31 tumor samples of CHOL (demo)" in text
    done = papermill(tmp_path, "-p", "quantile_cut", "0.5", "-p", "symbols", "keep")
    given = json.loads((folder / "run.json").read_text())["parameters"]
    assert done.returncode == 0 and (given["quantile_cut"], given["symbols"]) == (0.5, "keep")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("-p", "cancre", "READ"), "unknown parameter 'cancre': did you mean 'cancer'"),
        (("-p", "cancer", "REED"), "unknown cancer 'REED': did you mean 'READ'"),
        (("-p", "symbol", "keep"), "unknown parameter 'symbol': did you mean 'symbols'"),
        (("-p", "round_counts", "3"), "parameter round_counts must be of type bool, not 3"),
    ],
)
def test_a_slip_stops_the_run_with_the_nearest_name(tmp_path, given, said):
    done = papermill(tmp_path, *given)
    assert done.returncode != 0 and said in done.stderr
    assert not (tmp_path / "results").exists()
