"""`make demo` as a newcomer types it, and what an analytics engineer does after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci.tests.staged_sample import ROOT

pytestmark = pytest.mark.slow

# No setting of the tester's own reaches the demo.
SETTINGS = {"DUCKDB_PATH", "STAGING_URI", "RAW_URI", "QUARANTINE_URI", "DBT_TARGET", "DBT_PROFILES_DIR"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in SETTINGS}


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.fixture(scope="module")
def demo():
    return run("make", "demo")


def test_the_demo_ends_with_right_marts_and_where_to_look(demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "fact rows and 15 ledger rows are right" in demo.stdout
    assert "0 failed or skipped" in demo.stdout
    assert (ROOT / "dbt_project/target/static_index.html").stat().st_size > 1_000_000
    assert (ROOT / "data/demo/warehouse.duckdb").exists()
    assert "Traceback" not in demo.stdout + demo.stderr


@pytest.mark.parametrize(
    "command",
    [
        "build",
        "run",
        "test",
        "docs generate",
        "build --select dim_os",
        "run-operation stage_external_sources",
    ],
)
def test_dbts_own_commands_need_no_flags_after_the_demo(demo, command):
    dbt = str(Path(sys.executable).with_name("dbt"))
    finished = run(dbt, *command.split(), cwd=ROOT / "dbt_project")
    assert finished.returncode == 0, finished.stdout


def test_a_run_without_a_day_says_how_to_give_one(demo):
    refused = run("make", "run")
    assert refused.returncode != 0
    assert "error: say which day: make run DATE=YYYY-MM-DD" in refused.stderr


def test_a_run_without_settings_says_what_is_missing(demo):
    refused = run("make", "run", "DATE=2021-01-01", "DUCKDB_PATH=/tmp/nowhere.duckdb")
    assert refused.returncode != 0
    assert "RAW_URI is not set" in refused.stderr
