"""Both trees: formatted, valid, their mocked runs pass, and checkov finds nothing that is not excused with a reason."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from terraform.tests.cli import CLOUDS, TREE, terraform
from terraform.tests.stack import Initialised, Mocked

CHECKOV = Path(sys.executable).with_name("checkov")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_is_formatted(cloud: str) -> None:
    if not shutil.which("terraform"):
        pytest.skip("no terraform here: formatting was not checked")
    for folder in (TREE / cloud, TREE / "modules" / cloud):
        unformatted = terraform(folder, "fmt", "-check", "-recursive", "-diff")
        assert unformatted.returncode == 0, unformatted.stdout + unformatted.stderr


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_is_valid(cloud: str, initialised: Initialised) -> None:
    validated = terraform(initialised(cloud), "validate", "-no-color")
    assert validated.returncode == 0, validated.stderr
    assert "Warning" not in validated.stdout, validated.stdout


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_mocked_runs_pass(cloud: str, mocked: Mocked) -> None:
    runs = mocked(cloud)
    failed = {name: run.errors for name, run in runs.items() if run.status != "pass"}
    assert not failed, json.dumps(failed, indent=2)
    assert {"serverless", "cluster_and_provisioned"} <= runs.keys()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_checkov_finds_nothing(cloud: str) -> None:
    if not CHECKOV.exists():
        pytest.skip(f"no checkov here: terraform/{cloud} was not scanned")
    scanned = subprocess.run(
        [CHECKOV, "--directory", TREE / cloud, "--framework", "terraform", "--config-file", TREE / ".checkov.yaml",
         "--skip-download", "--output", "json", "--quiet", "--compact"],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    report = json.loads(scanned.stdout)
    found = {
        f"{check['check_id']} {check['resource']}: {check['check_name']}"
        for check in report["results"]["failed_checks"]
    }
    assert not found, "\n".join(sorted(found))
    assert report["summary"]["passed"] > 30 and not report["summary"]["parsing_errors"], report["summary"]


def test_every_excused_check_has_its_reason() -> None:
    places = [TREE / ".checkov.yaml", *TREE.glob("**/*.tf")]
    lines = [line.strip() for place in places for line in place.read_text().splitlines()]
    excused = [line for line in lines if re.match(r"- CKV|# *checkov:skip", line)]
    assert excused
    without = [line for line in excused if not re.search(r"CKV\w+( #|:) ?\S.{15,}", line)]
    assert not without, f"excused without a reason: {without}"
