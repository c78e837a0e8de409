"""The DAG erasure on a running Airflow. Comes after the other tests of that Airflow: the marts are others afterwards."""

import json
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from live import ENVIRONMENT, query, tables_of

from conftest import JOBS_PYTHON, ROOT

pytestmark = [pytest.mark.slow]


def staged_days(folder: Path) -> dict:
    command, place = [JOBS_PYTHON, "-m", "spark_prep.staged_days"], {"STAGING_URI": f"{folder}/staging"}
    printed = subprocess.run(
        command, cwd=ROOT, env={**ENVIRONMENT, **place}, capture_output=True, text=True, check=True
    )
    return json.loads(printed.stdout)


def released(days: dict) -> set[str]:
    return {day for day, found in days.items() if found["delivered"] == found["staged"]}


def test_a_customer_is_erased_when_a_person_approves_and_airflow_never_learns_who(airflow, runs):
    folder = airflow.folder

    def said_by_airflow() -> str:
        settings = (folder / "airflow").read_text()
        database = re.search(r"^export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=(.*)$", settings, re.MULTILINE)[1]
        logs = (file.read_text(errors="replace") for file in folder.rglob("*.log"))
        return "\n".join([*(rows for _, rows in tables_of(shlex.split(database)[0])), *logs])

    busiest = "select customer_id from analytics_marts.user_profile order by review_count desc, customer_id limit 50"
    known = said_by_airflow()
    customer = next(id_ for (id_,) in query(airflow, busiest) if not re.search(rf"\b{id_}\b", known))
    rows = f"select count(*) from analytics_marts.fact_movie_analytics where customer_id = {customer}"
    assert query(airflow, rows)[0][0] > 0
    before = staged_days(folder)
    assert released(before)
    request = folder / "quarantine/erasure/request-1"
    request.parent.mkdir()
    request.write_text(f"{customer}\n")

    run = airflow.dag("erasure", "/dagRuns", "POST", logical_date=None, conf={"request": "request-1"})[
        "dag_run_id"
    ]
    airflow.wait_for_task("erasure", run, "approve_erasure", "awaiting_input")
    assert query(airflow, rows)[0][0] > 0
    # a person takes longer; a task that resumes at once can be marked as failed by Airflow 3.3 (apache/airflow#71580)
    time.sleep(10)
    airflow.run(
        "erasure", run, "/taskInstances/approve_erasure/-1/hitlDetails", "PATCH", chosen_options=["Approve"]
    )
    airflow.wait_for_success("erasure", run)
    assert airflow.task("erasure", run, "erase_customer")["state"] == "success"
    assert query(airflow, rows) == [[0]]
    assert query(airflow, "select count(*) from analytics_marts.ledger where not is_balanced") == [[0]]
    assert not request.exists()
    # those that were released are released as they are now: the reconciliation finds nothing to do
    assert staged_days(folder) != before
    assert released(staged_days(folder)) == released(before)
    assert not re.search(rf"\b{customer}\b", said_by_airflow())
