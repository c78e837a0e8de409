"""What is named by its version is supported for a while yet, and providers are those that were tested."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from terraform.tests.cli import CLOUDS, TREE
from terraform.tests.stack import Mocked
from terraform.tests.versions import Version, versions

NOTICE = timedelta(days=90)
# How long the answer of a look at the source counts: that nothing newer is there yet, or that no end is announced.
NONE_NEWER, NONE_ANNOUNCED = timedelta(days=31), timedelta(days=180)
LOOKED = re.compile(r"none (newer|announced) on (\d{4}-\d\d-\d\d): ")
# The language of IAM's policies, Glue's name for any Python 3, the only family that Redshift has.
NEVER_ENDS = re.compile(r'"2012-10-17"|python_version +=|"redshift-1.0"')
ALL = [pytest.param(one, id=f"{cloud}-{one.name}") for cloud in CLOUDS for one in versions(cloud)]


def test_every_line_of_the_tables_is_understood() -> None:
    for cloud in CLOUDS:
        text = (TREE / cloud / "versions.tf").read_text()
        (table,) = re.findall(r"versions = merge\({\n(.+?)\n  }, var.versions\)", text, re.DOTALL)
        assert len(versions(cloud)) == len(table.splitlines()) >= 3


def test_no_module_names_a_version_of_its_own() -> None:
    named = [
        line.strip()
        for file in TREE.glob("modules/*/*/*.tf")
        if file.name != "versions.tf"
        for line in file.read_text().splitlines()
        if re.search(r'(version|release|label|family|image|runtime)\w* += "[^"$]*\d', line, re.IGNORECASE)
    ]
    assert {line for line in named if not NEVER_ENDS.search(line)} == set()


@pytest.mark.parametrize("one", ALL)
def test_a_version_is_supported_for_three_months_yet(one: Version) -> None:
    assert _is_fine(one, datetime.now(UTC).date()), (
        f"{one.name} {one.version} is supported until {one.supported_until or '(unknown)'}: look for a newer one "
        f"({one.source}), write both into versions.tf, and run make test-terraform. If there is none yet, write the day "
        'of your look: "none newer on" counts for a month, "none announced on" for half a year.'
    )


@pytest.mark.parametrize(
    ("until", "source", "fine"),
    [
        ("2027-03-02", "calendar", True),
        ("2027-03-01", "calendar", False),
        ("2027-01-31", "none newer on 2026-11-01: calendar", True),
        ("2027-01-31", "none newer on 2026-10-30: calendar", False),
        ("2026-12-01", "none newer on 2026-12-01: calendar", False),
        ("", "none announced on 2026-06-04: calendar", True),
        ("", "none announced on 2026-06-03: calendar", False),
        ("", "calendar", False),
    ],
)
def test_what_three_months_means(until: str, source: str, fine: bool) -> None:
    assert _is_fine(Version("x", "1", until, source), date(2026, 12, 1)) is fine


def _is_fine(one: Version, today: date) -> bool:
    looked = LOOKED.match(one.source)
    age = today - date.fromisoformat(looked[2]) if looked else timedelta.max
    if not one.supported_until:
        return age <= NONE_ANNOUNCED
    left = date.fromisoformat(one.supported_until) - today
    return left > NOTICE or (timedelta(0) < left and age <= NONE_NEWER)


def test_aws_takes_newer_versions(mocked: Mocked) -> None:
    plan = mocked("aws")["newer_versions"].plan
    assert _planned(plan, "aws_eks_cluster", "version") == ["1.36"]
    assert _planned(plan, "aws_db_instance", "engine_version") == ["18", "18"]
    assert _planned(plan, "aws_emrserverless_application", "release_label") == ["emr-spark-8.1.0"]
    assert plan["output_changes"]["spark"]["after"]["emr_release_label"] == "emr-spark-8.1.0"
    assert _planned(mocked("aws")["newer_glue"].plan, "aws_glue_job", "glue_version") == ["6.1"]


def test_gcp_takes_newer_versions(mocked: Mocked) -> None:
    plan = mocked("gcp")["newer_versions"].plan
    databases = _planned(plan, "google_sql_database_instance", "database_version")
    assert databases == ["POSTGRES_18", "POSTGRES_18"]
    spark = plan["output_changes"]["spark"]["after"]
    assert spark["dataproc_runtime_version"] == "3.1"
    assert spark["dataproc_image_version"] == "3.1-debian13"


def test_aws_lies_in_the_zones_that_are_named(mocked: Mocked) -> None:
    plan = mocked("aws")["other_zones"].plan
    zones = {"eu-west-1a", "eu-west-1b", "eu-west-1d"}
    assert set(_planned(plan, "aws_subnet", "availability_zone")) == zones


def _planned(plan: dict[str, Any], type_: str, attribute: str) -> list[str]:
    return [one["change"]["after"][attribute] for one in plan["resource_changes"] if one["type"] == type_]


@pytest.mark.parametrize(("cloud", "tested"), [("aws", ">= 5.100, < 6.0"), ("gcp", ">= 6.50, < 7.0")])
def test_no_provider_of_an_untested_major_is_taken(cloud: str, tested: str) -> None:
    """5.100 and 6.50 are the last of their majors, and what the tests run with."""
    assert f'"{tested}"' in Path(TREE, cloud, "versions.tf").read_text()
