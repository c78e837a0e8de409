"""Pages in a real browser: Chromium, headless, with the network cut.

    def test_a_page(browser):                      # the fixture of conftest.py
        with opened(browser, folder / "index.html", scheme="dark", width=390) as page:
            assert accessibility_violations(page) == []
            screenshot(page, "index-dark-narrow")

`opened` itself fails when the page asks for anything outside of its folder, or reports an error.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ci.staged_sample import ROOT

SCREENSHOTS = ROOT / "data/screenshots"
WIDE, NARROW = 1280, 390
# How long a test waits for what a page draws, in milliseconds.
PATIENCE = 200_000
# No sandbox: tests run as root in containers. The rest keeps Chromium itself off the network.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str | None:
    """The machine's Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    file: Path,
    fragment: str = "",
    scheme: Literal["light", "dark"] = "light",
    width: int = WIDE,
    site: Path | None = None,
) -> Iterator[Page]:
    """The page, loaded from disk, in the colour scheme. It may ask for what is in its folder, or in `site`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", offline=True
    )
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    folder = (site or file.parent).resolve().as_uri()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    try:
        page.goto(file.resolve().as_uri() + fragment)
        yield page
    finally:
        context.close()
    outside = [url for url in asked if not url.startswith((folder, "data:", "blob:"))]
    assert outside == [], f"{file.name} asks for {outside}"
    assert errors == [], f"{file.name} reports {errors}"


def accessibility_violations(page: Page) -> list[str]:
    """What axe finds, a line each: the rule, what to do, where."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def broken_links(page: Page) -> list[str]:
    """Links to a file that is not there, to an id that the page lacks, or to the network."""
    links = page.eval_on_selector_all(
        "a[href]",
        "links => links.map(link => link.href.baseVal === undefined ? link.href : new URL(link.href.baseVal, document.baseURI).href)",
    )
    ids = set(page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)"))
    here = urlsplit(page.url)
    broken = []
    for link in dict.fromkeys(links):
        url = urlsplit(link)
        is_here = url.path == here.path
        # a file to save
        if url.scheme == "data":
            continue
        if url.scheme != "file" or not Path(unquote(url.path)).exists() or (
            is_here and url.fragment and unquote(url.fragment) not in ids
        ):  # fmt: skip
            broken.append(link)
    return broken


def is_wider_than_the_window(page: Page) -> bool:
    return page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth")


def screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
