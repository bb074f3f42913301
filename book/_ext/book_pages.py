"""What this book changes in the pages that Jupyter Book makes.

Figures in which shades stand for numbers (images, heat maps) keep their colours in the dark.
Drawings are put into the page (so they take its colours), terms carry their definition (shown by
``_static/book.js``), empty table headers and a wrong ARIA role go, links to notebooks that a cell
printed lead to their pages, Bokeh's library is one file for all pages, Thebe's scripts go (unused,
and twice loaded they fail), and every page ends with the versions that it was built with.
"""

import ast
import html
import importlib.util
import os
import platform
import re
from importlib import metadata
from pathlib import Path

from bokeh.resources import INLINE
from docutils import nodes

GLOSSARY = "book/glossary"
SHADES = (
    "imshow",
    "heatmap",
    "clustermap",
    "pcolormesh",
    "matshow",
    "contourf",
    "colorbar",
    "cmap",
)
WORD = re.compile(r"\w+")
PACKAGES = ("degnext", "numpy", "pandas", "scikit-learn", "torch")


def set_options(app, config):
    """Take the repository's address from BOOK_REPOSITORY if set; write versions into the footer."""
    options = config.html_theme_options
    if address := os.environ.get("BOOK_REPOSITORY"):
        options["repository_url"] = address
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in PACKAGES]
    lines = [options.get("extra_footer", ""), f"Built with {', '.join(versions)}."]
    if os.environ.get("BOOK_DOWNLOADS"):
        links = [("degnext-book.pdf", "PDF"), ("degnext-book.zip", "zip, to read offline")]
        shown = " or ".join(f'<a data-root="{file}" href="#">{name}</a>' for file, name in links)
        lines.append(f"The whole book as {shown}.")
    options["extra_footer"] = "".join(f"<p>{line}</p>" for line in lines)


def keep_shades(app, doctree):
    """Mark the figures of cells that draw images or heat maps, so that they stay as they are."""
    names = app.shading_names
    for cell in doctree.findall(nodes.container):
        if "cell" in cell["classes"]:
            words = {w for b in cell.findall(nodes.literal_block) for w in WORD.findall(b.astext())}
            for image in cell.findall(nodes.image) if words & names else ():
                image["classes"].append("keep-colors")


def find_shading(app):
    """Collect the functions of degnext.figures that draw shades, themselves or by another."""
    spec = importlib.util.find_spec("degnext.figures")
    (folder,) = spec.submodule_search_locations
    trees = [ast.parse(p.read_text(encoding="utf-8")) for p in Path(folder).glob("*.py")]
    found = [f for tree in trees for f in tree.body if isinstance(f, ast.FunctionDef)]
    words = {f.name: set(WORD.findall(ast.unparse(f))) for f in found}
    names = set(SHADES)
    while more := {n for n, used in words.items() if used & names} - names:
        names |= more
    app.shading_names = names


def read_terms(app, env):
    """Collect the glossary's definitions, by the id that a link to a term names."""
    app.book_terms = {}
    if GLOSSARY not in env.found_docs:
        return
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        text = " ".join(d.astext() for d in item.findall(nodes.definition))
        for term in item.findall(nodes.term):
            for name in term["ids"]:
                app.book_terms[name] = " ".join(text.split())


def mend_page(app, pagename, templatename, context, doctree):
    """Change the finished body of a page, and drop scripts that it does not use."""

    def is_thebe(script) -> bool:
        body = getattr(script, "attributes", {}).get("body", "")
        return "thebe" in f"{getattr(script, 'filename', script)} {body}".lower()

    scripts = context.get("script_files", [])
    context["script_files"] = [script for script in scripts if not is_thebe(script)]
    body = context.get("body")
    if not body:
        return
    images = Path(app.srcdir) / "book" / "images"
    body = re.sub(r'<img [^>]*?src="[^"]*_images/(\w+)\.svg"[^>]*>', placing(images), body)
    body = re.sub(r'<a [^>]*href="[^"]*#(term-[^"]+)"', explain(app.book_terms), body)
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    # links in what a cell prints are not resolved by Sphinx
    body = re.sub(r'href="(?![a-z]+:)([^"#]+)\.(?:ipynb|md)(["#])', r'href="\1.html\2', body)
    body = share_bokeh(body, Path(app.outdir) / "_static", context["pathto"])
    context["body"] = re.sub(r"<th([^>]*)>\s*(?:&nbsp;)?\s*</th>", r"<td\1></td>", body)


def share_bokeh(body, folder, address):
    """Take the library of interactive plots, which notebooks hold, out of a page into a file."""
    for name in ("bokeh", "bokeh-gl"):
        code = INLINE.clone(components=[name]).js_raw[0]  # then follow settings
        if (inside := f"<script>{code}</script>") in body:
            (folder / f"{name}.min.js").write_text(code, encoding="utf-8")
            source = address(f"_static/{name}.min.js", 1)
            body = body.replace(inside, f'<script src="{source}"></script>')
    return body


def placing(images):
    """Return a function that puts a drawing in the place of its image tag."""

    def draw(match):
        path = images / f"{match[1]}.svg"
        if not path.is_file():
            return match[0]
        alt = re.search(r'\salt="([^"]*)"', match[0])
        drawing = re.sub(r"<title>.*?</title>", "", path.read_text(encoding="utf-8"), flags=re.S)
        drawing = re.sub(r"<style>.*?</style>", "", drawing, flags=re.S)
        return drawing.replace("<svg ", f'<svg aria-label="{alt[1] if alt else match[1]}" ', 1)

    return draw


def explain(terms):
    """Return a function that gives a link to a term its definition."""

    def add(match):
        text = terms.get(html.unescape(match[1]))
        return f'{match[0]} data-definition="{html.escape(text)}"' if text else match[0]

    return add


def setup(app):
    """Connect after all other extensions have added their scripts."""
    app.connect("config-inited", set_options)
    app.connect("builder-inited", find_shading)
    app.connect("doctree-read", keep_shades)
    app.connect("env-updated", read_terms)
    app.connect("html-page-context", mend_page, priority=900)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
