"""Pages in a real browser: Chromium, headless, with the network cut.

    with running_browser() as browser, opened(browser, folder / "index.html", scheme="dark", width=390) as page:
        …

`opened` fails when the page asks for anything outside of its folder, or reports an error.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

WIDE, NARROW = 1280, 390
# How long to wait for what a page draws, in milliseconds.
PATIENCE = 200_000
# No sandbox: it runs as root in containers. The rest keeps Chromium itself off the network.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


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
    if outside:
        raise RuntimeError(f"{file.name} asks for {outside}")
    if errors:
        raise RuntimeError(f"{file.name} reports {errors}")
