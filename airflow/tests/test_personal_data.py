"""The two DAGs run on a sample with planted personal data, a phone number, an IP address, a name, an e-mail address, a card number:
none of it, nor a secret, is in what Airflow keeps of it (XCom, rendered fields, all other tables, logs), in what it tells by
OpenLineage, or in what it publishes. What the jobs themselves write is ci/tests/test_personal_data.py's to search."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing

import pytest
from day_run import DAY, SECRET

from conftest import HOME, JOBS_PYTHON, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted() -> list[str]:
    """What is searched for."""
    script = "import json; from demo.feeds.canaries import CANARIES; print(json.dumps(CANARIES))"
    printed = subprocess.run([JOBS_PYTHON, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout
    return [*json.loads(printed).values(), SECRET]


def test_the_search_finds_it_in_the_raw_files_and_in_the_quarantine(day_run, planted):
    assert (day_run / "staging/review_logs").exists() and (day_run / "warehouse.duckdb").exists()
    raw = b"".join(file.read_bytes() for file in (day_run / "raw").rglob("*.csv"))
    assert all(text.encode() in raw for text in planted if text != SECRET)
    tables = ("review_logs", "classified_movie_review")
    command = [JOBS_PYTHON, "-m", "spark_prep.read_rejected", "--date", DAY, "--table"]
    settings = {"STAGING_URI": f"{day_run}/staging", "QUARANTINE_URI": f"{day_run}/quarantine"}
    shown = [
        subprocess.run(
            [*command, table], cwd=ROOT, env=os.environ | settings | {"QUARANTINE_SECRET": SECRET},
            capture_output=True, text=True, check=True,
        ).stdout
        for table in tables
    ]  # fmt: skip
    assert all(text in "".join(shown) for text in planted if text != SECRET)
    # and not without its key
    kept = b"".join(file.read_bytes() for file in (day_run / "quarantine").rglob("*") if file.is_file())
    assert not [text for text in planted if text.encode() in kept]


def test_airflow_keeps_none_of_it(day_run, planted):
    with closing(sqlite3.connect(HOME / "airflow.db")) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        kept = {name: repr(database.execute(f'select * from "{name}"').fetchall()) for name in names}
    assert "publish_docs" in kept["rendered_task_instance_fields"] and "delivered" in kept["xcom"]
    for file in HOME.rglob("*"):
        if file.is_file():
            kept[str(file)] = file.read_bytes().decode(errors="replace")
    found = {(place, text) for place, content in kept.items() for text in planted if text in content}
    assert found == set()


def test_nothing_of_it_is_printed_told_by_openlineage_or_published(day_run, planted):
    told = {name: (day_run / name).read_text() for name in ("staging.log", "analytics.log", "openlineage")}
    for file in (day_run / "artifacts").rglob("*.html"):
        told[str(file)] = file.read_text()
    assert "parse_logs" in told["staging.log"] and "COMPLETE" in told["openlineage"] and len(told) > 7
    assert {(place, text) for place, content in told.items() for text in planted if text in content} == set()
