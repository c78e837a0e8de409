"""`make demo` as a newcomer types it, and what an analytics engineer does after it."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.staged_sample import ROOT

pytestmark = pytest.mark.slow

# Neither the tester's own settings nor those of the `make test` around it reach the demo: MAKEFLAGS would make it print more.
SETTINGS = {"DUCKDB_PATH", "STAGING_URI", "RAW_URI", "QUARANTINE_URI", "DBT_TARGET", "DBT_PROFILES_DIR"}
SETTINGS |= {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in SETTINGS}


def run(cwd: Path, *command: str, **settings: str) -> subprocess.CompletedProcess:
    environment = ENVIRONMENT | settings
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """A copy of this one with the same environment: the tester's own data and site stay."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        # PostgreSQL, which does not run as root, reaches its programs there
        copy.chmod(0o755)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for file in filter(None, files.split("\0")):
            if (ROOT / file).exists():
                (copy / file).parent.mkdir(parents=True, exist_ok=True)
                # with its time: make installs again what is older than its lock
                shutil.copy2(ROOT / file, copy / file)
        for installed in (".venv", ".uv"):
            if (ROOT / installed).exists():
                (copy / installed).symlink_to(ROOT / installed)
        yield copy


@pytest.fixture(scope="module")
def demo(checkout):
    return run(checkout, "make", "demo")


def test_the_demo_ends_with_right_marts_and_where_to_look(checkout, demo):
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "fact rows and 15 ledger rows are right" in demo.stdout
    assert "0 failed or skipped" in demo.stdout
    assert (checkout / "dbt_project/target/static_index.html").stat().st_size > 1_000_000
    assert {page.name for page in (checkout / "site").glob("*.html")} >= {
        "index.html",
        "dbt_docs.html",
        "lineage.html",
    }
    assert "report      site/report/index.html" in demo.stdout
    # a model of generated labels, which ran beside the rule that decides, and what to think of it
    card = (checkout / "site/report/model.html").read_text()
    assert "Of real reviews and people" in card and "It ran beside the classifier that decides" in card
    assert 'href="report/index.html"' in (checkout / "site/index.html").read_text()
    assert (checkout / "data/demo/warehouse.duckdb").exists()
    assert "Traceback" not in demo.stdout + demo.stderr


def test_the_demos_rejected_records_can_be_read_with_its_key(checkout, demo):
    settings = {
        f"{area.upper()}_URI": str(checkout / "data/demo" / area) for area in ("staging", "quarantine")
    }
    secret = checkout / "data/demo/quarantine_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    command = ["make", "--no-print-directory", "rejected", "DATE=2021-01-01", "TABLE=review_logs"]
    shown = run(checkout, *command, **settings, QUARANTINE_SECRET=secret.read_text())
    assert shown.returncode == 0, shown.stderr
    assert "raw_record" in json.loads(shown.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "command",
    [
        "build --select dim_os",
        "run --select dim_os",
        "test --select dim_os",
        "docs generate",
        "run-operation stage_external_sources",
    ],
)
def test_dbts_own_commands_need_no_settings_after_the_demo(checkout, demo, command):
    dbt = str(Path(sys.executable).with_name("dbt"))
    finished = run(checkout / "dbt_project", dbt, *command.split())
    assert finished.returncode == 0, finished.stdout


def test_the_whole_warehouse_is_verified_after_the_demo(checkout, demo):
    verified = run(checkout, "make", "verify")
    assert verified.returncode == 0, verified.stdout
    tests = re.search(r"PASS=([0-9]+) WARN=[0-9]+ ERROR=0 SKIP=0", verified.stdout)
    assert tests and int(tests[1]) > 50


def test_the_docs_are_served_on_a_free_port_of_this_machine_alone(checkout, demo):
    server = subprocess.Popen(
        ["make", "docs-serve"], cwd=checkout, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(address, timeout=200) as page:
            assert "Movie analytics" in page.read().decode()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(200)


def test_a_run_without_a_day_says_how_to_give_one(checkout, demo):
    refused = run(checkout, "make", "run")
    assert refused.returncode != 0
    assert "error: say which day: make run DATE=YYYY-MM-DD" in refused.stderr


def test_a_run_without_settings_says_what_is_missing(checkout, demo):
    refused = run(checkout, "make", "run", "DATE=2021-01-01", "DUCKDB_PATH=/tmp/nowhere.duckdb")
    assert refused.returncode != 0
    assert "RAW_URI is not set" in refused.stderr
