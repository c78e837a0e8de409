"""The two DAGs run on a sample with planted personal data, a phone number, an IP address, a name, an e-mail address, a card number:
none of it, nor a secret, is in what Airflow keeps of it (XCom, rendered fields, all other tables, logs), in what it tells by
OpenLineage, or in what it publishes. What the jobs themselves write is ci/tests/test_personal_data.py's to search."""

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from test_lineage import RUN, airflow

from conftest import HOME, JOBS_PYTHON, ROOT

DAY = "2021-01-31"
SECRET = "only-for-these-tests-0123456789abcdef"
# Of the tasks that follow dbt one of each kind; the others are marked as success.
TASKS = (
    "confirm_staged", "dbt.dbt_producer_watcher", "dbt.us_state.seed", "dbt.stg_review_logs_run", "dbt.int_log.test",
    "dbt.ledger.run", "dbt.ledger.test", "summarize_day", "publish_report", "publish_docs",
)  # fmt: skip
SHOP = """
import sys
from demo.postgres import embedded_postgres
from spark_prep.shop.load_user_purchase import load_user_purchase

with embedded_postgres() as dsn:
    load_user_purchase(dsn, sys.argv[1])
    print(dsn, flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.slow


@contextmanager
def shop(file: Path) -> Iterator[str]:
    """The DSN of a PostgreSQL with the file's purchases."""
    command = [JOBS_PYTHON, "-c", SHOP, file]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()


@pytest.fixture(scope="module")
def planted() -> list[str]:
    """What is searched for."""
    script = "import json; from demo.feeds.canaries import CANARIES; print(json.dumps(CANARIES))"
    printed = subprocess.run([JOBS_PYTHON, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout
    return [*json.loads(printed).values(), SECRET]


@pytest.fixture(scope="module")
def folder(airflow_database, tmp_path_factory) -> Path:
    """Raw files, all that the jobs wrote, OpenLineage's events and what was printed, after a run of both DAGs."""
    folder = tmp_path_factory.mktemp("planted")
    sample = ["-m", "demo.sample", "--canaries", "--out", folder, "--from", DAY, "--to", DAY]
    size = ["--reviews-per-day", "120", "--purchases-per-day", "60"]
    subprocess.run([JOBS_PYTHON, *sample, *size], cwd=ROOT, capture_output=True, check=True)
    transport = {"type": "file", "log_file_path": f"{folder}/openlineage", "append": True}
    warehouse = {"DUCKDB_PATH": f"{folder}/warehouse.duckdb", "STAGING_URI": f"{folder}/staging"}
    variables = {
        "raw_uri": f"{folder}/raw", "staging_uri": f"{folder}/staging", "quarantine_uri": f"{folder}/quarantine",
        "artifacts_uri": f"file://{folder}/artifacts", "start_date": DAY, "pseudonym_secret": SECRET,
        "pseudonym_key_version": "1", "quarantine_secret": SECRET, "warehouse": json.dumps(warehouse),
    }  # fmt: skip
    settings = {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "START_DATE": DAY,
        **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in variables.items()},
    }
    others = f"(?!({'|'.join(map(re.escape, TASKS))})$).*"
    with shop(folder / "user_purchase.csv") as dsn:
        for dag, is_marked in (("staging", "wait_for.*"), ("analytics", others)):
            printed = airflow(
                RUN, ROOT / f"airflow/dags/{dag}.py", is_marked, **settings, AIRFLOW_CONN_SHOP_DB=dsn
            )
            (folder / f"{dag}.log").write_text(printed)
    return folder


def test_the_search_finds_it_in_the_raw_files_and_in_the_quarantine(folder, planted):
    assert (folder / "staging/review_logs").exists() and (folder / "warehouse.duckdb").exists()
    raw = b"".join(file.read_bytes() for file in (folder / "raw").rglob("*.csv"))
    assert all(text.encode() in raw for text in planted if text != SECRET)
    tables = ("review_logs", "classified_movie_review")
    command = [JOBS_PYTHON, "-m", "spark_prep.read_rejected", "--date", DAY, "--table"]
    settings = {"STAGING_URI": f"{folder}/staging", "QUARANTINE_URI": f"{folder}/quarantine"}
    shown = [
        subprocess.run(
            [*command, table], cwd=ROOT, env=os.environ | settings | {"QUARANTINE_SECRET": SECRET},
            capture_output=True, text=True, check=True,
        ).stdout
        for table in tables
    ]  # fmt: skip
    assert all(text in "".join(shown) for text in planted if text != SECRET)
    # and not without its key
    kept = b"".join(file.read_bytes() for file in (folder / "quarantine").rglob("*") if file.is_file())
    assert not [text for text in planted if text.encode() in kept]


def test_airflow_keeps_none_of_it(folder, planted):
    with closing(sqlite3.connect(HOME / "airflow.db")) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        kept = {name: repr(database.execute(f'select * from "{name}"').fetchall()) for name in names}
    assert "publish_docs" in kept["rendered_task_instance_fields"] and "delivered" in kept["xcom"]
    for file in HOME.rglob("*"):
        if file.is_file():
            kept[str(file)] = file.read_bytes().decode(errors="replace")
    found = {(place, text) for place, content in kept.items() for text in planted if text in content}
    assert found == set()


def test_nothing_of_it_is_printed_told_by_openlineage_or_published(folder, planted):
    told = {name: (folder / name).read_text() for name in ("staging.log", "analytics.log", "openlineage")}
    for file in (folder / "artifacts").rglob("*.html"):
        told[str(file)] = file.read_text()
    assert "parse_logs" in told["staging.log"] and "COMPLETE" in told["openlineage"] and len(told) > 7
    assert {(place, text) for place, content in told.items() for text in planted if text in content} == set()
