"""The README's pictures: report and docs site as `make demo` leaves them, and Airflow after the run of a day.

    python -m demo.screenshots docs/images

Airflow is one of its own, kept in data/screenshots and stopped at the end. Its first run takes some minutes.
"""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ViewportSize

from demo.ports import free_port
from pages.browser import chromium, opened, running_browser

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
PORT_AND_PASSWORD = re.compile(r"^address +(\S+)\nuser +\S+\npassword +(\S+)$", re.MULTILINE)
SIZE: ViewportSize = {"width": 1200, "height": 750}
# A safety net: a day takes two to five minutes.
RUN_SECONDS = 3600
SETTLE_MILLISECONDS = 8000


def main(target: str) -> None:
    if not chromium():
        sys.exit("error: there is no Chromium to take pictures with (Debian: apt install chromium)")
    if not (SITE / "report/index.html").exists():
        sys.exit("error: there is no report in site/report: run make demo first")
    images = Path(target)
    images.mkdir(parents=True, exist_ok=True)
    with running_browser() as browser:
        take_page(browser, SITE / "report/questions.html", images / "report.png")
        take_page(browser, SITE / "report/explore.html", images / "explore.png")
        take_page(browser, SITE / "index.html", images / "docs.png", "#relations .scroll")
        with running_airflow(ROOT / "data/screenshots/airflow") as (address, password):
            token = _call(f"{address}/auth/token", username="admin", password=password)["access_token"]
            take_airflow(browser, address, token, images / "airflow.png")


def take_page(browser: Browser, page: Path, image: Path, part: str = "") -> None:
    """A window's worth of a page of the site, or its part with that CSS selector."""
    with opened(browser, page, width=SIZE["width"]) as shown:
        shown.set_viewport_size(SIZE)
        # Explore draws after it has loaded.
        shown.locator("svg:visible").first.wait_for()
        (shown.locator(part) if part else shown).screenshot(path=image)
    print(f"picture     {image}")


def take_airflow(browser: Browser, address: str, token: str, image: Path) -> None:
    """The grid of the DAG `analytics` after its first run: a task for each model of dbt."""
    _wait_for_a_run(address, token, "analytics")
    context = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
    context.add_cookies([{"name": "_token", "value": token, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/dags/analytics")
    page.get_by_text("publish_docs").first.wait_for()
    # the tasks' states are fetched and drawn piece by piece, and nothing on the page says when that is over
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.screenshot(path=image)
    context.close()
    print(f"picture     {image}")


@contextmanager
def running_airflow(folder: Path) -> Iterator[tuple[str, str]]:
    """`make airflow` in that folder, as (address, password); stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.airflow", "--port", str(free_port()), "--folder", folder],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        printed = ""
        for line in process.stdout or ():
            printed += line
            if line.startswith("Ctrl-C"):
                break
        if not (found := PORT_AND_PASSWORD.search(printed)):
            sys.exit(f"error: Airflow did not start:\n{printed}")
        yield found[1], found[2]
    finally:
        process.terminate()
        process.wait()


def _wait_for_a_run(address: str, token: str, dag: str) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        runs = _call(f"{address}/api/v2/dags/{dag}/dagRuns", token)["dag_runs"]
        states = {run["state"] for run in runs}
        if "success" in states:
            return
        if "failed" in states:
            break
        time.sleep(5)
    sys.exit(f"error: no run of {dag} has succeeded; see the logs in data/screenshots/airflow/logs")


def _call(url: str, token: str = "", **body: str) -> Any:
    request = urllib.request.Request(  # noqa: S310 - this machine's own Airflow
        url,
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.load(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
