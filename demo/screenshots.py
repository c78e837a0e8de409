"""The README's pictures: the report and the docs site, as `make demo` leaves them.

python -m demo.screenshots docs/images
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from pages.tests.browser import chromium, opened, running_browser

SITE = Path(__file__).parents[1] / "site"
SIZE: ViewportSize = {"width": 1200, "height": 750}


def main(target: str) -> None:
    if not chromium():
        sys.exit("error: there is no Chromium to take pictures with (Debian: apt install chromium)")
    if not (SITE / "report/index.html").exists():
        sys.exit("error: there is no report in site/report: run make demo first")
    images = Path(target)
    images.mkdir(parents=True, exist_ok=True)
    with running_browser() as browser:
        take_page(browser, SITE / "report/index.html", images / "report.png")
        take_page(browser, SITE / "index.html", images / "docs.png", "#architecture + div")


def take_page(browser: Browser, page: Path, image: Path, part: str = "") -> None:
    """A window's worth of a page of the site, or its part with that CSS selector."""
    with opened(browser, page, width=SIZE["width"]) as shown:
        shown.set_viewport_size(SIZE)
        (shown.locator(part) if part else shown).screenshot(path=image)
    print(f"picture     {image}")


if __name__ == "__main__":
    main(*sys.argv[1:])
