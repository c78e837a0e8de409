"""The pages of the sample's days, built once for all tests, and a browser that opens them."""

from pathlib import Path

import pytest

from pages.tests.browser import chromium, running_browser
from pages.tests.build import build_pages, build_report


@pytest.fixture(scope="session")
def report_site(built, tmp_path_factory) -> Path:
    """The report on the sample's days, as `make report` builds it."""
    site = tmp_path_factory.mktemp("site") / "report"
    reported = build_report(built, site)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    return site


@pytest.fixture(scope="session")
def docs_site(built, report_site) -> Path:
    """The docs site around that report, as `make docs` builds it."""
    site = report_site.parent
    documented = build_pages("pages.docs_site.build", built, site, "report/index.html")
    assert documented.returncode == 0, documented.stdout + documented.stderr
    return site


@pytest.fixture(scope="module")
def browser():
    """Ends with its module: while it runs, nothing else in this process can use asyncio."""
    if not chromium():
        pytest.skip("no Chromium (make test-site says more): not checked in a browser")
    with running_browser() as browser:
        yield browser
