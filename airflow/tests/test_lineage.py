"""OpenLineage, switched on by configuration: tasks name the same datasets on every platform."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import JOBS_PYTHON, ROOT

STAGING = {
    "classify_reviews": (["raw.movie_review"], ["staging.classified_movie_review"]),
    "parse_logs": (["raw.log_reviews"], ["staging.review_logs"]),
    "export_purchases": (["shop.user_purchase"], ["staging.user_purchase"]),
    "check_classified_movie_review": (["staging.classified_movie_review"], []),
    "check_review_logs": (["staging.review_logs"], []),
    "check_user_purchase": (["staging.user_purchase"], []),
}
# Parses a DAG as the environment says, and asks the provider, with its own configuration, what it would tell.
EXTRACT = """
import json, sys, types
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.openlineage.extractors.manager import ExtractorManager
from airflow.utils.state import TaskInstanceState

bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
manager, run = ExtractorManager(), types.SimpleNamespace(run_id="run")
told = {}
for task in dag.tasks:
    for state in (TaskInstanceState.RUNNING, TaskInstanceState.SUCCESS):
        lineage = manager.extract_metadata(run, task, state, None)
        names = [[(d.namespace, d.name) for d in side] for side in (lineage.inputs, lineage.outputs)]
        assert told.setdefault(task.task_id, names) == names, task.task_id
print(json.dumps(told))
"""
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


def airflow(script: str, *arguments: str | Path, **settings: str) -> str:
    configured = {
        # as Airflow's own processes find it
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


def extracted(dag: str, **settings: str) -> dict[str, tuple[list[str], list[str]]]:
    """task -> names of what it reads and writes, of the tasks that read or write anything."""
    told = json.loads(airflow(EXTRACT, ROOT / f"airflow/dags/{dag}.py", **settings).splitlines()[-1])
    assert {space for sides in told.values() for side in sides for space, _ in side} == {"movie-analytics"}
    return {
        task: tuple([name for _, name in side] for side in sides)
        for task, sides in told.items()
        if any(sides)
    }


@pytest.mark.parametrize("runtime", ["local", "emr_serverless", "emr", "glue"])
def test_staging_names_the_same_datasets_on_every_runtime(runtime):
    assert extracted("staging", SPARK_RUNTIME=runtime) == STAGING


@pytest.mark.gcp
@pytest.mark.parametrize("runtime", ["dataproc_serverless", "dataproc"])
def test_staging_names_the_same_datasets_on_every_runtime_of_gcp(runtime):
    assert extracted("staging", SPARK_RUNTIME=runtime) == STAGING


@pytest.mark.parametrize("target", ["dev", "redshift", "bigquery"])
def test_analytics_names_the_datasets_of_the_dbt_project(target):
    told = extracted("analytics", DBT_TARGET=target)
    manifest = json.loads((ROOT / "dbt_project/target/manifest.json").read_text())
    built = {
        n["name"] for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed", "snapshot")
    }
    read_for = {name: reads for reads, writes in told.values() for name in writes}
    assert read_for.keys() == {f"warehouse.{name}" for name in built}
    assert read_for["warehouse.stg_delivery"] == ["staging.delivery"]
    assert set(read_for["warehouse.stg_review_logs"]) == {"staging.review_logs", "warehouse.stg_delivery"}
    assert {"warehouse.stg_delivery", "warehouse.stg_rejection"} <= set(read_for["warehouse.int_delivery"])
    assert told["dbt.user_behavior_metric.test"] == (["warehouse.user_behavior_metric"], [])


def events(file: Path) -> dict[str, set[tuple[str, ...]]]:
    """task -> what its COMPLETE event names, as (namespace, name, side)."""
    told = {}
    for line in file.read_text().splitlines():
        event = json.loads(line)
        if event["eventType"] == "COMPLETE":
            told.setdefault(event["job"]["name"].partition(".")[2], set()).update(
                (dataset["namespace"], dataset["name"], side)
                for side in ("inputs", "outputs")
                for dataset in event[side]
            )
    return told


@pytest.fixture
def switched_on(tmp_path) -> dict[str, str]:
    """The one setting that switches OpenLineage on, and a platform without any data."""
    transport = {"type": "file", "log_file_path": str(tmp_path / "events"), "append": True}
    variables = {
        "raw_uri": str(tmp_path), "staging_uri": f"{tmp_path}/staging", "quarantine_uri": f"{tmp_path}/quarantine",
        "artifacts_uri": f"file://{tmp_path}/artifacts", "start_date": "2021-01-01", "pseudonym_key_version": "1",
        "warehouse": json.dumps({"DUCKDB_PATH": f"{tmp_path}/dw.duckdb", "STAGING_URI": f"{tmp_path}/staging"}),
    }  # fmt: skip
    return {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW_CONN_SHOP_DB": "postgresql://127.0.0.1/shop",
        **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in variables.items()},
    }


@pytest.mark.slow
def test_the_tasks_of_staging_tell_it(airflow_database, switched_on, tmp_path):
    """Of jobs that do nothing: what they do is not what is told."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text("#!/bin/sh\n")
    (tmp_path / "bin/python").chmod(0o755)
    airflow(
        RUN,
        ROOT / "airflow/dags/staging.py",
        "wait_for.*",
        **switched_on,
        JOBS_PYTHON=str(tmp_path / "bin/python"),
    )
    told = events(tmp_path / "events")
    for task, (reads, writes) in STAGING.items():
        assert told[task] == {
            *(("movie-analytics", name, "inputs") for name in reads),
            *(("movie-analytics", name, "outputs") for name in writes),
        }, task


@pytest.mark.slow
def test_the_tasks_of_dbt_tell_it(airflow_database, switched_on, tmp_path):
    """One of each kind; the others are marked as success."""
    staged = (
        "import datetime, os; from spark_prep.check_day import Limits; from spark_prep.contract import publish, tables\n"
        "from spark_prep.release_day import release\n"
        "day, settings = datetime.date(2021, 1, 31), {name: os.environ['PLACE'] for name in ('STAGING_URI', 'QUARANTINE_URI')}\n"
        "for table in tables.STAGING: publish.commit(publish.new_run(settings, table), day, 0, 0, {})\n"
        "release(settings, day, Limits(0, 0), {})"
    )
    subprocess.run(
        [JOBS_PYTHON, "-c", staged], cwd=ROOT, check=True,
        env={**os.environ, "PLACE": f"{tmp_path}/staging", "QUARANTINE_SECRET": "a-key-of-this-test-alone"},
    )  # fmt: skip
    ran = {
        "confirm_staged", "dbt.dbt_producer_watcher", "dbt.us_state.seed", "dbt.stg_review_logs_run",
        "dbt.ledger.run", "dbt.ledger.test", "dbt.user_segment_history.run",
    }  # fmt: skip
    others = f"(?!({'|'.join(map(re.escape, ran))})$).*"
    airflow(
        RUN, ROOT / "airflow/dags/analytics.py", others, **switched_on, JOBS_PYTHON=str(JOBS_PYTHON)
    )  # fmt: skip
    told = events(tmp_path / "events")
    assert told.keys() - {"": "the run of the DAG"} == ran
    assert told["dbt.stg_review_logs_run"] == {
        ("movie-analytics", "staging.review_logs", "inputs"),
        ("movie-analytics", "warehouse.stg_delivery", "inputs"),
        ("movie-analytics", "warehouse.stg_review_logs", "outputs"),
    }
    assert ("movie-analytics", "warehouse.ledger", "outputs") in told["dbt.ledger.run"]
    # nothing else has a say: no file name, no database
    assert {space for names in told.values() for space, _, _ in names} == {"movie-analytics"}
