"""`make demo` as a newcomer types it, and what an analytics engineer does after it."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ci.staged_sample import ROOT

pytestmark = pytest.mark.slow

# Neither the tester's own settings nor those of the `make test` around it reach the demo: MAKEFLAGS would make it print more.
SETTINGS = {"DUCKDB_PATH", "STAGING_URI", "RAW_URI", "QUARANTINE_URI", "DBT_TARGET", "DBT_PROFILES_DIR"}
SETTINGS |= {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in SETTINGS}


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=1800, check=False
    )


@pytest.fixture(scope="module")
def demo():
    return run("make", "demo")


def test_the_demo_ends_with_right_marts_and_where_to_look(demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "fact rows and 15 ledger rows are right" in demo.stdout
    assert "0 failed or skipped" in demo.stdout
    assert (ROOT / "dbt_project/target/static_index.html").stat().st_size > 1_000_000
    assert {page.name for page in (ROOT / "site").glob("*.html")} >= {
        "index.html",
        "dbt_docs.html",
        "lineage.html",
    }
    assert "report      site/report/index.html" in demo.stdout
    # a model of generated labels, which ran beside the rule that decides, and what to think of it
    card = (ROOT / "site/report/model.html").read_text()
    assert "Of real reviews and people" in card and "It ran beside the classifier that decides" in card
    assert 'href="report/index.html"' in (ROOT / "site/index.html").read_text()
    assert (ROOT / "data/demo/warehouse.duckdb").exists()
    assert "Traceback" not in demo.stdout + demo.stderr


def test_the_demos_rejected_records_can_be_read_with_its_key(demo):
    settings = {f"{area.upper()}_URI": str(ROOT / "data/demo" / area) for area in ("staging", "quarantine")}
    secret = ROOT / "data/demo/quarantine_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    shown = subprocess.run(
        ["make", "--no-print-directory", "rejected", "DATE=2021-01-01", "TABLE=review_logs"], cwd=ROOT,
        env=ENVIRONMENT | settings | {"QUARANTINE_SECRET": secret.read_text()}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "raw_record" in json.loads(shown.stdout.splitlines()[-1])


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


def test_the_whole_warehouse_is_verified_after_the_demo(demo):
    verified = run("make", "verify")
    assert verified.returncode == 0, verified.stdout
    tests = re.search(r"PASS=([0-9]+) WARN=[0-9]+ ERROR=0 SKIP=0", verified.stdout)
    assert tests and int(tests[1]) > 50


def test_the_docs_are_served_on_a_free_port_of_this_machine_alone(demo):
    server = subprocess.Popen(
        ["make", "docs-serve"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(address, timeout=200) as page:
            assert "Movie analytics" in page.read().decode()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(200)


def test_a_run_without_a_day_says_how_to_give_one(demo):
    refused = run("make", "run")
    assert refused.returncode != 0
    assert "error: say which day: make run DATE=YYYY-MM-DD" in refused.stderr


def test_a_run_without_settings_says_what_is_missing(demo):
    refused = run("make", "run", "DATE=2021-01-01", "DUCKDB_PATH=/tmp/nowhere.duckdb")
    assert refused.returncode != 0
    assert "RAW_URI is not set" in refused.stderr
