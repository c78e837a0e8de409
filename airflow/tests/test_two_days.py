"""The pipeline for real, in this process: Airflow runs `staging` and `analytics` of two days with Spark, PostgreSQL, dbt
and DuckDB, and the marts are the sample's right answers."""

import json
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from conftest import HOME, JOBS_PYTHON, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAYS = ("2021-01-01", "2021-01-02")
SECRET = "only-for-tests-0123456789abcdef"


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """Feeds of the two days with their right answers."""
    folder = tmp_path_factory.mktemp("sample")
    size = ["--reviews-per-day", "250", "--purchases-per-day", "250", "--seed", "7"]
    jobs("demo.sample", "--out", str(folder), "--from", DAYS[0], "--to", DAYS[-1], *size)
    return folder


@pytest.fixture(scope="module")
def shop_db(sample):
    """The DSN of a PostgreSQL with the shop's purchases."""
    command = [JOBS_PYTHON, "-m", "demo.postgres", "--load", sample / "user_purchase.csv"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@pytest.fixture(scope="module")
def platform(sample, shop_db, tmp_path_factory):
    """What Airflow's variables and connections say: here they come from the environment."""
    folder = tmp_path_factory.mktemp("platform")
    warehouse = folder / "warehouse.duckdb"
    variables = {
        "raw_uri": f"{sample}/raw",
        "staging_uri": f"{folder}/staging",
        "quarantine_uri": f"{folder}/quarantine",
        "artifacts_uri": f"file://{folder}/artifacts",
        "start_date": DAYS[0],
        "pseudonym_secret": SECRET,
        "pseudonym_key_version": "1",
        "warehouse": json.dumps({"DUCKDB_PATH": str(warehouse), "STAGING_URI": f"{folder}/staging"}),
    }
    environment = {f"AIRFLOW_VAR_{name.upper()}": value for name, value in variables.items()}
    environment["AIRFLOW_CONN_SHOP_DB"] = shop_db
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="module")
def runs(platform, dags, airflow_database) -> dict:
    """(dag, day) -> the finished run, day by day."""
    return {(dag_id, day): run(dags[dag_id], day) for day in DAYS for dag_id in ("staging", "analytics")}


def run(dag, day: str):
    for task in dag.tasks:
        # what fails shall be seen at once
        task.retries = 0
        # dag.test() runs one task after the other: those that follow the dbt process have to make room for it
        if hasattr(task, "producer_task_id"):
            task.mode = "reschedule"
    return dag.test(logical_date=datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def jobs(module: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [JOBS_PYTHON, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_task_of_both_days_is_green(runs):
    for (dag_id, day), finished in runs.items():
        states = {ti.task_id: ti.state for ti in finished.get_task_instances()}
        assert set(states.values()) == {"success"}, (dag_id, day, states)


def test_the_marts_are_the_right_answers(runs, sample, platform):
    compared = jobs("demo.answers.check", f"{platform}/warehouse.duckdb", f"{sample}/answers.json")
    assert "all right" in compared.stdout


def test_the_days_figures_are_in_airflow(runs, sample):
    """Those of the ledger, as XCom of the last task but one; and those of each table, of its check."""
    answers = json.loads((sample / "answers.json").read_text())
    for day in DAYS:
        expected = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in answers["ledger"] if row["insert_date"] == day
        }  # fmt: skip
        summary = xcom(runs["analytics", day], "summarize_day")
        found = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in summary["ledger"]
        }
        assert found == expected and len(found) == 3
        assert summary["tests"]["pass"] > 20 and summary["tests"]["fail"] == 0
        checks = {table: xcom(runs["staging", day], f"check_{table}")["delivered"] for table in expected}
        assert checks == {table: delivered for table, (delivered, _) in expected.items()}


def test_docs_and_report_are_published(runs, platform):
    docs = platform / "artifacts/docs"
    assert (docs / "dbt_docs.html").stat().st_size > 1_000_000
    assert 'href="report/index.html"' in (docs / "index.html").read_text()
    assert {"index.html", "trust.html"} <= {page.name for page in (docs / "report").glob("*.html")}


def test_no_secret_is_left_in_airflow_or_downstream(runs, platform, shop_db):
    """Neither in rendered fields, XComs and logs nor in files."""
    files = [file for folder in (HOME, platform) for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "airflow.db" for file in files)
    for file in files:
        content = file.read_bytes()
        assert SECRET.encode() not in content, file
        assert shop_db.encode() not in content, file


def xcom(finished, task_id: str):
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    query = XComModel.get_many(
        run_id=finished.run_id, dag_ids=finished.dag_id, task_ids=task_id, key="return_value"
    )
    with create_session() as session:
        return XComModel.deserialize_value(session.scalars(query).one())
