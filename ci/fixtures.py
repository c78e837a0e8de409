"""What the tests that cross parts share: the project's manifest, a staged sample and the warehouse built from it."""

import json
from pathlib import Path

import pytest

from ci.staged_sample import Sample, Warehouse, build_pages, build_report, staged_warehouse
from ci.tests.browser import chromium, running_browser


@pytest.fixture(scope="session")
def manifest(tmp_path_factory) -> dict:
    """dbt's manifest of the project, parsed anew with warnings and deprecations as errors."""
    folder = tmp_path_factory.mktemp("manifest")
    parsed = Warehouse(folder, folder / "staging").dbt(
        "parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error"
    )
    assert parsed.returncode == 0, parsed.stdout
    return json.loads((folder / "target" / "manifest.json").read_text())


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Sample:
    sample = Sample(tmp_path_factory.mktemp("sample"))
    prepared = sample.prepare()
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    return sample


@pytest.fixture(scope="session")
def built(sample, tmp_path_factory) -> Warehouse:
    """The sample's days, built as one range."""
    warehouse = staged_warehouse(tmp_path_factory.mktemp("built"), sample.staging)
    warehouse.build(sample.DAYS[0], sample.DAYS[-1])
    return warehouse


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
    documented = build_pages("docs_site.build", built, site, "report/index.html")
    assert documented.returncode == 0, documented.stdout + documented.stderr
    return site


@pytest.fixture(scope="module")
def browser():
    """Ends with its module: while it runs, nothing else in this process can use asyncio."""
    if not chromium():
        pytest.skip("no Chromium (make test-site says more): not checked in a browser")
    with running_browser() as browser:
        yield browser
