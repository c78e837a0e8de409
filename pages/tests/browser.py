"""What the tests ask of a page that pages.browser has opened.

def test_a_page(browser):                      # the fixture of conftest.py
    with opened(browser, folder / "index.html", scheme="dark", width=390) as page:
        assert accessibility_violations(page) == []
        screenshot(page, "index-dark-narrow")
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from ci.staged_sample import ROOT

SCREENSHOTS = ROOT / "data/screenshots"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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
