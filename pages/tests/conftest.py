"""The pages of the sample's days, built once for all tests, and a browser that opens them."""

import shutil
from pathlib import Path

import pytest

from pages.browser import chromium, running_browser
from pages.tests.build import build_pages, build_report
from pages.tests.card import write_card


@pytest.fixture(scope="session")
def report_site(built, made_once) -> Path:
    """The report on the sample's days, as `make report` builds it, with the card of a model that judged none of them."""

    def build(folder: Path) -> None:
        reported = build_report(built, folder / "report", MODEL_URI=str(write_card(folder / "model")))
        assert reported.returncode == 0, reported.stdout + reported.stderr

    return made_once("report_site", build) / "report"


@pytest.fixture(scope="session")
def docs_site(built, report_site, made_once) -> Path:
    """The docs site around that report, as `make docs` builds it."""

    def build(folder: Path) -> None:
        shutil.copytree(report_site, folder / "report")
        documented = build_pages("pages.docs_site.build", built, folder, "report/index.html")
        assert documented.returncode == 0, documented.stdout + documented.stderr

    return made_once("docs_site", build)


@pytest.fixture(scope="session")
def hostile_names() -> dict[str, str]:
    """By device: HTML, a formula, what the drawing of charts looks for, and a long one."""
    return {
        "Tablet": '</script><script>document.title = "x"</script><img src=x onerror=alert(1)>',
        "Mobile": '=HYPERLINK("http://x")\ufffe\x1b,"&device=%00# x="#0101ff" class=" 128.0123456',
        "Computer": "PC " * 3000,
    }


@pytest.fixture(scope="session")
def hostile_site(built, hostile_names, made_once) -> Path:
    """The report on devices of those names."""

    def build(folder: Path) -> None:
        renamed = (
            f"update analytics_marts.dim_devices set device = '{name}' where device = '{device}'"
            for device, name in hostile_names.items()
        )
        own = built.copy(folder / "warehouse")
        own.change(*renamed)
        reported = build_report(own, folder / "report")
        assert reported.returncode == 0, reported.stderr

    return made_once("hostile_site", build) / "report"


@pytest.fixture(scope="module")
def browser():
    """Ends with its module: while it runs, nothing else in this process can use asyncio."""
    if not chromium():
        pytest.skip("no Chromium (make test-site says more): not checked in a browser")
    with running_browser() as browser:
        yield browser
