"""Pages of further cohorts: executed notebooks, a page that lists them, and links to it."""

import json
import re
from pathlib import Path

import yaml

from degnext.running.workflow import ACROSS

NOTEBOOK = re.compile(r"\]\((\d\d_\w+\.ipynb)")
LABEL = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)


def add_cohorts(book: Path, runs: Path, cancers: list[str], missing: dict[str, str]) -> None:
    """Put the pages of ``cancers`` into the source of a book.

    book: the folder with _toc.yml. runs: that with the cohorts' notebooks. missing: a sentence by
    cohort. A notebook that did not finish has no page.
    """
    chapters = []
    for cancer in cancers:
        done = sorted(p for p in runs.glob(f"{cancer}/[0-9]*/[0-9]*.ipynb") if is_page(p))
        folder = book / f"cohort_{cancer}"
        folder.mkdir()
        for path in done:
            text = page(path, cancer, {p.name for p in done})
            (folder / path.name).write_text(text, encoding="utf-8")
        lines = [f"# {cancer}", f"The same chapters, run on {cancer}."]
        lines += [f"**Mind:** {missing[cancer]}."] if cancer in missing else []
        lines += ["\n".join(f"- [](./{path.name})" for path in done)]
        (folder / "cohort.md").write_text("\n\n".join(lines) + "\n")
        sections = [{"file": f"{folder.name}/{path.stem}"} for path in done]
        chapters.append({"file": f"{folder.name}/cohort", "sections": sections})
    toc = yaml.safe_load((book / "_toc.yml").read_text())
    toc["parts"].append({"caption": "Further cohorts", "chapters": chapters})
    (book / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    link_cohorts(book / "notebooks" / f"{ACROSS}.ipynb", cancers)


def is_page(path: Path) -> bool:
    """Say whether a notebook is a chapter that finished, on its own cohort."""
    return path.stem == path.parent.name != ACROSS


def main_page(path: Path) -> str:
    """Return an executed notebook with the cell of its run's parameters folded away."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook.get("cells", []):
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
            cell["metadata"]["mystnb"] = {"code_prompt_show": "Parameters of this run"}
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def page(path: Path, cancer: str, here: set[str]) -> str:
    """Return an executed notebook as a page in the folder of its cohort."""
    notebook = json.loads(main_page(path))

    def link(match: re.Match) -> str:
        return match[0] if match[1] in here else f"](../notebooks/{match[1]}"

    for cell in (c for c in notebook.get("cells", []) if c["cell_type"] == "markdown"):
        text = LABEL.sub("", "".join(cell["source"]))  # a label is the main page's
        cell["source"] = NOTEBOOK.sub(link, re.sub(r"\A# ", f"# {cancer}: ", text))
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def left_out(path: Path, cancer: str, why: str) -> str:
    """Return a page that stands for a chapter which cannot run on a cohort, and says why."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    title = "".join(notebook["cells"][0]["source"]).splitlines()[0]
    notebook["cells"] = notebook["cells"][:1]
    notebook["cells"][0]["source"] = f"{title}\n\nThis chapter did not run on {cancer}: {why}."
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def link_cohorts(path: Path, cancers: list[str]) -> None:
    """Name the cohorts' pages at the top of the chapter that compares them."""
    if not path.exists():
        return
    notebook = json.loads(path.read_text(encoding="utf-8"))
    links = ", ".join(f"[{cancer}](../cohort_{cancer}/cohort.md)" for cancer in cancers)
    text = f"Every chapter has a page for each of these cohorts: {links}."
    cell = {"cell_type": "markdown", "id": "cohort-pages", "metadata": {}, "source": text}
    notebook["cells"].insert(1, cell)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
