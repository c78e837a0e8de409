"""`make airflow` as a user starts it, driven through its REST API: real scheduler, workers, triggerer, Spark, PostgreSQL.

The tests follow each other on one Airflow with feeds of two days: the last day's run, which starts automatically, and a load of
the shop's history, which stages the first day; a backfill of both in which jobs, workers and waits are killed.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

import pytest
from live import (
    assert_right_marts,
    day_of,
    days_of,
    pids,
    process_with,
    query,
    tables_of,
    wait_until,
)

from conftest import JOBS_PYTHON, ROOT

pytestmark = [pytest.mark.slow]


def test_a_port_in_use_is_said_before_anything_is_started(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [JOBS_PYTHON, "-m", "demo.airflow", "--port", str(port), "--folder", tmp_path / "airflow"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr == f"error: port {port} is in use; choose another: make airflow PORT={port + 1}\n"
    assert not (tmp_path / "airflow").exists()


def test_infrastructure_changes_what_a_person_approves_and_nothing_else(airflow, stack):
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform: the DAG infrastructure was not run")

    def answer(option: str) -> str:
        run = airflow.dag("infrastructure", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
        airflow.wait_for_task("infrastructure", run, "approve", "awaiting_input")
        asked = airflow.run("infrastructure", run, "/taskInstances/approve/-1/hitlDetails")
        assert "terraform_data.cluster will be" in asked["body"]
        # a person takes longer; a task that resumes at once can be marked as failed by Airflow 3.3 (apache/airflow#71580)
        time.sleep(10)
        airflow.run(
            "infrastructure", run, "/taskInstances/approve/-1/hitlDetails", "PATCH", chosen_options=[option]
        )
        airflow.wait_for_success("infrastructure", run)
        return airflow.task("infrastructure", run, "apply")["state"]

    state = stack / "terraform.tfstate"
    assert answer("Reject") == "skipped" and not state.exists()
    assert answer("Approve") == "success" and "small" in state.read_text()
    assert list(airflow.folder.glob("artifacts/infrastructure/*")) == []
    unchanged = airflow.dag("infrastructure", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("infrastructure", unchanged)
    assert {task["state"] for task in airflow.tasks("infrastructure", unchanged)} == {"skipped"}


def test_every_task_of_both_days_is_green(airflow, runs):
    """`user_purchase_load` starts `staging` for START_DATE, and `analytics` follows each day."""
    for (dag_id, day), run in runs.items():
        states = {task["task_id"]: task["state"] for task in airflow.tasks(dag_id, run)}
        assert set(states.values()) == {"success"}, (dag_id, day, states)


def test_the_marts_are_the_right_answers(airflow, runs):
    assert_right_marts(airflow.folder)


def test_the_load_counts_what_it_loaded_and_replaced(airflow, runs):
    run = runs["user_purchase_load", days_of(airflow.folder)[0]]
    counts = airflow.xcom("user_purchase_load", run, "load_user_purchase")
    assert counts["loaded"] == counts["replaced"] > 1000


def test_docs_and_report_are_published(airflow, runs):
    docs = airflow.folder / "artifacts/docs"
    assert (docs / "dbt_docs.html").stat().st_size > 1_000_000
    assert 'href="report/index.html"' in (docs / "index.html").read_text()
    assert {"index.html", "trust.html"} <= {page.name for page in (docs / "report").glob("*.html")}


def test_one_dbt_builds_a_day_however_many_tasks_follow_it(airflow, runs):
    count = "select count(distinct invocation_id) from analytics_audit.run_result"
    assert query(airflow, count) == [[len(days_of(airflow.folder))]]


def test_the_whole_warehouse_is_verified(airflow, runs):
    """On demand; on its own it waits for Sunday noon."""
    assert {run["run_type"] for run in airflow.runs("verification")} <= {"scheduled"}
    run = airflow.dag("verification", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("verification", run)


def test_a_backfill_in_which_a_job_a_worker_and_a_wait_are_killed_gives_the_same_marts(airflow, runs):
    first, last = days_of(airflow.folder)
    before = {run["dag_run_id"] for run in airflow.runs("analytics")}
    feed = airflow.folder / f"raw/movie_review/insert_date={last}"
    withheld = feed.rename(airflow.folder / "withheld")
    airflow.make("backfill", f"FROM={first}", f"TO={last}")

    # the first day: Spark's process is killed, and the worker of another task with all that it holds
    run = airflow.run_of("staging", first, "backfill")
    # as they start: neither can end before it is killed, however long it takes to find the other (ci/faults kills jobs at work)
    spark, orphan = airflow.halt_spark("classify_reviews", "parse_logs")
    os.kill(spark, signal.SIGKILL)
    failed = airflow.wait_for_task("staging", run, "classify_reviews", "up_for_retry", "failed")
    assert failed["try_number"] == 1
    parse_logs = airflow.task("staging", run, "parse_logs")
    assert parse_logs["state"] == "running"
    os.kill(process_with(airflow.process.pid, "airflow worker", parse_logs["id"]), signal.SIGKILL)
    os.kill(orphan, signal.SIGCONT)
    airflow.wait_for_task("staging", run, "parse_logs", "up_for_retry", "failed")
    wait_until(lambda: orphan not in pids())
    airflow.clear("staging", run, "classify_reviews", "parse_logs")
    airflow.wait_for_success("staging", run)

    # the last: its wait is given up, then the file arrives
    run = airflow.run_of("staging", last, "backfill")
    airflow.wait_for_task("staging", run, "wait_for_movie_review", "deferred")
    airflow.run("staging", run, "/taskInstances/wait_for_movie_review", "PATCH", new_state="failed")
    # cleared before the scheduler has looked at what follows, it would still mark that as failed
    airflow.wait_for_task("staging", run, "release_day", "upstream_failed")
    withheld.rename(feed)
    airflow.clear("staging", run, "wait_for_movie_review")
    airflow.wait_for_success("staging", run)

    wait_until(
        lambda: (
            {day_of(r) for r in airflow.runs("analytics") if r["dag_run_id"] not in before} == {first, last}
        )
    )
    for run in airflow.runs("analytics"):
        airflow.wait_for_success("analytics", run["dag_run_id"])
    assert_right_marts(airflow.folder)


def test_the_days_figures_are_in_airflow(airflow, runs):
    """Of the runs that knew of both days: those of the ledger, and those of each table, of its check."""
    ledger = json.loads((airflow.folder / "answers.json").read_text())["ledger"]
    for day in days_of(airflow.folder):
        expected = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in ledger if row["insert_date"] == day
        }  # fmt: skip
        summary = airflow.xcom(
            "analytics", airflow.run_of("analytics", day, "asset_triggered"), "summarize_day"
        )
        found = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in summary["ledger"]
        }
        assert found == expected and len(found) == 3
        assert summary["tests"]["pass"] > 20 and summary["tests"]["fail"] == 0
        backfill = airflow.run_of("staging", day, "backfill")
        checks = {
            table: airflow.xcom("staging", backfill, f"check_{table}")["delivered"] for table in expected
        }
        assert checks == {table: delivered for table, (delivered, _) in expected.items()}


def test_no_secret_is_left_in_airflow_or_downstream(airflow, runs):
    """Neither in rendered fields, XComs and logs nor in files; but for the files that hold them for their owner."""
    folder = airflow.folder
    settings = (folder / "airflow").read_text()
    pseudonym = json.loads((folder / "secrets.json").read_text())["pseudonym"]
    shop, metadata = (
        shlex.split(re.search(rf"^export {name}=(.*)$", settings, re.MULTILINE)[1])[0]
        for name in ("AIRFLOW_CONN_SHOP_DB", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    )
    assert pseudonym in settings
    # in columns of bytes, as PostgreSQL shows these
    secrets = [
        form for secret in (pseudonym, shop) for form in (secret.encode(), secret.encode().hex().encode())
    ]
    content = {table: rows.encode() for table, rows in tables_of(metadata)}
    assert "staging" in content["dag_run"].decode()
    holders = {folder / name for name in ("airflow", "secrets.json")}
    for file in folder.rglob("*"):
        if file.is_file() and file not in holders and folder / "postgres" not in file.parents:
            content[file] = file.read_bytes()
    assert folder / "standalone.log" in content
    assert [place for place, found in content.items() if any(secret in found for secret in secrets)] == []
