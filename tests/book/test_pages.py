"""The rendered book as a reader meets it, in headless Chromium: ``make book``, then these tests."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import threading
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("DEGNEXT_BOOK", ROOT / "not_named"))
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
if not (HTML / "index.html").is_file():
    pytest.skip("make book, then DEGNEXT_BOOK=_build/html names it", allow_module_level=True)
if not CHROMIUM:
    pytest.skip("chromium is not installed", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")

PAGES = sorted(str(p.relative_to(HTML)) for p in HTML.rglob("*.html") if "_static" not in p.parts)
PAGES.remove("index.html")  # leads on to the introduction
READ = [p for p in PAGES if p not in ("genindex.html", "search.html")]
every = pytest.mark.parametrize("name", PAGES)
PAGE_BYTES = 2_000_000  # beyond what all pages share in _static
TOO_WIDE = """() => [...document.querySelectorAll('article *')].filter(e => {
    const flow = getComputedStyle(e).overflowX;
    const wide = e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(flow);
    const out = e.matches('table, pre, img, svg.drawing') &&
        e.getBoundingClientRect().right > e.closest('article').getBoundingClientRect().right + 1;
    return e.clientWidth && (wide || out) && !e.closest('mjx-container');
}).map(e => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}: ` +
    e.textContent.trim().slice(0, 60))"""
BROKEN_LINES = """() => [...document.querySelectorAll('div.cell_input pre')].filter(e => {
    const style = getComputedStyle(e), pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const wide = e.textContent.split('\\n').some(x => pen.measureText(x).width > room + 1);
    return e.clientWidth && wide;
}).map(e => e.textContent.split('\\n').sort((a, b) => b.length - a.length)[0])"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """The address of the book, served from its folder."""
    handler = partial(Quiet, directory=str(HTML))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def context(browser):
    """One visitor with a cache, as a reader has."""
    visitor = browser.new_context(viewport={"width": 1280, "height": 900})
    yield visitor
    visitor.close()


@pytest.fixture
def page(context, site):
    """A tab on the book that fails its test where a page complains or calls another host."""
    tab, faults = context.new_page(), []
    tab.on("console", lambda m: m.type == "error" and faults.append(f"{m.text} {m.location}"))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("requestfailed", lambda r: faults.append(f"failed: {r.url}"))
    tab.on("request", lambda r: None if ours(r.url, site) else faults.append(f"asks {r.url}"))
    yield tab
    tab.close()
    assert faults == []


def ours(url: str, site: str) -> bool:
    return url.startswith((site, "data:", "blob:", "about:"))


@every
def test_a_page_fits_a_laptop_and_a_phone_and_can_be_read_by_everybody(page, site, name):
    own: list[int] = []
    page.on("response", lambda r: own.append(0 if "/_static/" in r.url else size(r)))
    page.goto(site + name)
    page.wait_for_timeout(700)  # quizzes draw themselves
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_timeout(200)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(BROKEN_LINES) == []
    names = {"rules": {"label-content-name-mismatch": {"enabled": True}}}  # experimental in axe
    assert unfit(page, names) == []
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(400)  # colours change slowly
    assert unfit(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}}) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert sum(own) < PAGE_BYTES


def unfit(page, options: dict) -> list:
    """What axe finds serious or critical."""
    found = axe_core.Axe().run(page, options=options | {"preload": False}).response["violations"]
    bad = [v for v in found if v["impact"] in ("serious", "critical")]
    return [(v["id"], [n["html"][:150] for n in v["nodes"]][:5]) for v in bad]


def size(response) -> int:
    return int(response.headers.get("content-length", 0))


@cache
def anchors(path: Path) -> set[str]:
    return set(re.findall(r'\s(?:id|name)="([^"]+)"', path.read_text(encoding="utf-8")))


@every
def test_every_internal_link_leads_somewhere(name):
    here = HTML / name
    text = re.sub(r"<script.*?</script>", "", here.read_text(encoding="utf-8"), flags=re.S)
    dead = []
    for link in re.findall(r'<(?:a|link|img|script)[^>]*?\s(?:href|src)="([^"]+)"', text):
        if re.match(r"[a-z][a-z+.-]*:|//|#$", link):
            continue
        path, anchor = urldefrag(link)
        path = unquote(path.split("?")[0])
        target = (here.parent / path).resolve() if path else here
        target = target / "index.html" if target.is_dir() else target
        dead += [] if target.is_file() else [link]
        if anchor and target.is_file() and target.suffix == ".html":
            dead += [] if unquote(anchor) in anchors(target) else [link]
    assert dead == []


@pytest.mark.parametrize("word", ["bootstrap", "glossary"])
def test_the_search_finds(page, site, word):
    page.goto(f"{site}search.html?q={word}")
    page.wait_for_selector("#search-results li a")
    hits = page.locator("#search-results li a").all_inner_texts()
    assert any("Glossary" in hit for hit in hits), hits


def test_the_index_names_the_terms(page, site):
    page.goto(f"{site}genindex.html")
    listed = page.locator("table.genindextable").all_inner_texts()
    for term in ("bootstrap", "Benjamini-Hochberg", "TMM"):
        assert any(term in text for text in listed)


def test_the_theme_goes_round_and_stays(page, site):
    page.goto(site + READ[0])
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"auto", "light", "dark"}
    page.locator("button.theme-switch-button:visible").first.click()
    mode = page.evaluate("document.documentElement.dataset.mode")
    page.goto(site + READ[1])
    assert page.evaluate("document.documentElement.dataset.mode") == mode
    page.evaluate("localStorage.clear()")


def test_a_quiz_answers(page, site):
    page.goto(site + "book/audit.html")
    question = page.locator(".Quiz").first
    right = question.locator("label", has_text="the last batch holds one gene")
    question.locator("label").first.click()
    assert question.locator(".Feedback").inner_text().startswith("Not quite.")
    right.click()
    assert question.locator(".Feedback").inner_text().startswith("Right.")
    assert question.locator(".Feedback").get_attribute("aria-live") == "polite"
    question.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert question.locator(".Feedback").inner_text().startswith("Not quite.")


def with_a(pattern: str) -> str:
    """Return a page whose source holds ``pattern``."""
    return next(n for n in READ if re.search(pattern, (HTML / n).read_text(encoding="utf-8")))


def test_a_term_explains_itself_where_the_pointer_rests_and_the_focus_stands(page, site):
    page.goto(site + with_a(r'class="[^"]*\bterm\b[^"]*"[^>]*>|std-term'))
    term = page.locator("a:has(> .std-term)").first
    term.scroll_into_view_if_needed()
    term.hover()
    box = page.locator("[role=tooltip]")
    box.wait_for()
    assert len(box.inner_text()) > 40
    page.keyboard.press("Escape")
    assert not box.is_visible()
    page.mouse.move(0, 0)
    term.focus()
    assert box.is_visible() and term.get_attribute("aria-describedby") == box.get_attribute("id")


def test_a_folded_cell_opens(page, site):
    page.goto(site + with_a("<details"))
    details = page.locator("article details").first
    details.locator("summary").click()
    assert details.evaluate("d => d.open")


def test_a_chapter_can_be_downloaded_and_run_elsewhere(page, site):
    page.goto(site + "notebooks/01_preprocessing.html")
    page.locator("button[aria-label='Download this page']").click()
    with page.expect_download() as waiting:
        page.locator("a.btn-download-source-button").click()
    import nbformat

    notebook = nbformat.read(waiting.value.path(), as_version=4)
    assert notebook.cells[0].source.startswith("# 1. ")


def test_buttons_lead_to_the_repository(page, site):
    page.goto(site + "notebooks/01_preprocessing.html")
    links = page.locator(".bd-header-article a").evaluate_all("x => x.map(a => a.href)")
    config = (ROOT / "_config.yml").read_text()
    (address,) = re.findall(r"^  url: (\S+)$", config, flags=re.M)
    owner = address.removeprefix("https://github.com/")
    assert address in links
    assert any(x.startswith(f"{address}/issues/new") for x in links)
    assert any(x.startswith(f"https://colab.research.google.com/github/{owner}") for x in links)
    assert any(x.startswith(f"https://mybinder.org/v2/gh/{owner}") for x in links)


def test_figures_and_drawings_say_what_they_show():
    nameless = []
    for name in READ:
        text = (HTML / name).read_text(encoding="utf-8")
        for image in re.findall(r"<img [^>]*>", text):
            alt = re.search(r'\salt="([^"]*)"', image)
            if "_images/" in image and (not alt or re.search(r"_images/|^\s*$", alt[1])):
                nameless.append((name, image[-120:]))
    assert nameless == []


def test_a_point_of_an_interactive_plot_names_its_gene(page, site):
    page.goto(site + "notebooks/02_labeling.html")
    plot = page.locator(".bk-Figure").first
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    box, tip = plot.bounding_box(), page.get_by_text("−log10 FDR:")
    places = [(x / 60, y / 40) for y in range(28, 32) for x in range(15, 45)]
    for x, y in places:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(50)
        if tip.count() and tip.first.is_visible():
            return
    raise AssertionError("no point answers the pointer")


def test_no_page_shows_unread_markdown_or_the_machine_that_made_it():
    for name in READ:
        text = (HTML / name).read_text(encoding="utf-8")
        shown = re.sub(r"<script.*?</script>|<pre>.*?</pre>", "", text, flags=re.S)
        assert not re.search(r"\|\s*(?:—|-{3,})\s*\|", shown), name
        assert not [w for w in (str(ROOT), "site-packages", "PosixPath") if w in text], name
