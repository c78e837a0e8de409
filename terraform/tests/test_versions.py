"""What is named by its version is supported for a while yet, and providers are those that were tested."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from terraform.tests.cli import TREE

FILES = sorted(TREE.glob("modules/*/*/*.tf"))
# Beside a version: "supported until DATE", and where nothing could follow yet "none newer on DATE".
UNTIL = re.compile(
    r'= "([\w.-]+)" +# supported until (\d{4}-\d\d-\d\d)(, none newer on \d{4}-\d\d-\d\d)? \((.+)\)'
)
NOTICE, SHORT_NOTICE = timedelta(days=90), timedelta(days=30)
VERSIONS = [(file.parent.name, *found) for file in FILES for found in UNTIL.findall(file.read_text())]


def test_the_versions_that_end_have_their_dates() -> None:
    assert {(module, version) for module, version, *_ in VERSIONS} == {
        ("orchestrator", "1.35"), ("spark", "emr-spark-8.0.0"), ("spark", "3.0"), ("spark", "3.0-debian13"),
        *((module, version) for module in ("shop", "orchestrator") for version in ("17", "POSTGRES_17")),
    }  # fmt: skip


@pytest.mark.parametrize(("module", "version", "until", "none_newer", "source"), VERSIONS)
def test_a_version_is_supported_for_three_months_yet(
    module: str, version: str, until: str, none_newer: str, source: str
) -> None:
    left = date.fromisoformat(until) - datetime.now(UTC).date()
    assert left > (SHORT_NOTICE if none_newer else NOTICE), (
        f"{version} of the module {module} is supported until {until}: look for a newer one ({source}), "
        "write its date beside it, and run make test-terraform"
    )


@pytest.mark.parametrize(("cloud", "tested"), [("aws", ">= 5.100, < 6.0"), ("gcp", ">= 6.50, < 7.0")])
def test_no_provider_of_an_untested_major_is_taken(cloud: str, tested: str) -> None:
    """5.100 and 6.50 are the last of their majors, and what the tests run with."""
    assert f'"{tested}"' in Path(TREE, cloud, "versions.tf").read_text()
