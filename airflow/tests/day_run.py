"""A run of both DAGs, one task after the other, on a sample with planted personal data, and OpenLineage switched on: one for all
tests of what tasks keep and tell (fixture day_run, in conftest.py)."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import JOBS_PYTHON, ROOT

DAY = "2021-01-31"
SECRET = "only-for-these-tests-0123456789abcdef"
# Of the tasks that follow dbt one of each kind; the others are marked as success.
TASKS = (
    "confirm_staged", "dbt.dbt_producer_watcher", "dbt.us_state.seed", "dbt.stg_review_logs_run", "dbt.int_log.test",
    "dbt.ledger.run", "dbt.ledger.test", "dbt.user_segment_history.run", "summarize_day", "publish_report", "publish_docs",
)  # fmt: skip
# Runs a DAG as the scheduler would, one task after the other.
RUN = """
import sys
from datetime import datetime, timezone
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
for task in dag.tasks:
    task.retries = 0
    if hasattr(task, "producer_task_id"):
        task.mode = "reschedule"
run = dag.test(logical_date=datetime(2021, 1, 31, tzinfo=timezone.utc), mark_success_pattern=sys.argv[2])
assert run.state == "success", {ti.task_id: ti.state for ti in run.get_task_instances()}
"""
SHOP = """
import sys
from demo.postgres import embedded_postgres
from spark_prep.shop.load_user_purchase import load_user_purchase

with embedded_postgres() as dsn:
    load_user_purchase(dsn, sys.argv[1])
    print(dsn, flush=True)
    sys.stdin.read()
"""


def run_both_dags(folder: Path) -> None:
    """Leaves in the folder raw files, all that the jobs wrote, OpenLineage's events and what was printed."""
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


def airflow(script: str, *arguments: str | Path, **settings: str) -> str:
    """What a script prints that runs as Airflow's own processes do."""
    configured = {
        "PYTHONPATH": str(ROOT / "airflow/dags"),
        "AIRFLOW__OPENLINEAGE__EXTRACTORS": "pipeline.lineage.Datasets",
        **settings,
    }
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments], env={**os.environ, **configured},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    return ran.stdout


@contextmanager
def shop(file: Path) -> Iterator[str]:
    """The DSN of a PostgreSQL with the file's purchases."""
    command = [JOBS_PYTHON, "-c", SHOP, file]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()
