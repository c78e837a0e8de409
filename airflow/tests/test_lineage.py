"""OpenLineage, switched on by configuration: tasks name the same datasets on every platform."""

import json
from pathlib import Path

import pytest
from day_run import TASKS, airflow

from conftest import ROOT

STAGING = {
    "classify_reviews": (["raw.movie_review"], ["staging.classified_movie_review"]),
    "parse_logs": (["raw.log_reviews"], ["staging.review_logs"]),
    "export_purchases": (["shop.user_purchase"], ["staging.user_purchase"]),
    "check_classified_movie_review": (["staging.classified_movie_review"], []),
    "check_review_logs": (["staging.review_logs"], []),
    "check_user_purchase": (["staging.user_purchase"], []),
}
# Parses a DAG once for each value of a setting, and asks the provider, with its own configuration, what it would tell. The DAGs
# read the environment at import, hence a process for each; Airflow and Cosmos are imported before these are forked.
EXTRACT = """
import json, multiprocessing, os, sys, types
import cosmos.airflow.task_group
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.openlineage.extractors.manager import ExtractorManager
from airflow.utils.state import TaskInstanceState

file, setting, *values = sys.argv[1:]

def told_with(value):
    os.environ[setting] = value
    bag = DagBag(file)
    assert not bag.import_errors, bag.import_errors
    (dag,) = bag.dags.values()
    manager, run = ExtractorManager(), types.SimpleNamespace(run_id="run")
    told = {}
    for task in dag.tasks:
        for state in (TaskInstanceState.RUNNING, TaskInstanceState.SUCCESS):
            lineage = manager.extract_metadata(run, task, state, None)
            names = [[(d.namespace, d.name) for d in side] for side in (lineage.inputs, lineage.outputs)]
            assert told.setdefault(task.task_id, names) == names, task.task_id
    return told

with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
    print(json.dumps(dict(zip(values, pool.map(told_with, values, chunksize=1), strict=True))))
"""


def extracted(dag: str, setting: str, *values: str) -> dict[str, dict[str, tuple[list[str], list[str]]]]:
    """value of the setting -> task -> names of what it reads and writes, of the tasks that read or write anything."""
    printed = json.loads(airflow(EXTRACT, ROOT / f"airflow/dags/{dag}.py", setting, *values).splitlines()[-1])
    spaces = {
        space for told in printed.values() for sides in told.values() for side in sides for space, _ in side
    }
    assert spaces == {"movie-analytics"}
    return {
        value: {
            task: tuple([name for _, name in side] for side in sides)
            for task, sides in told.items()
            if any(sides)
        }
        for value, told in printed.items()
    }


def test_staging_names_the_same_datasets_on_every_runtime():
    runtimes = ("local", "emr_serverless", "emr", "glue")
    assert extracted("staging", "SPARK_RUNTIME", *runtimes) == dict.fromkeys(runtimes, STAGING)


@pytest.mark.gcp
def test_staging_names_the_same_datasets_on_every_runtime_of_gcp():
    runtimes = ("dataproc_serverless", "dataproc")
    assert extracted("staging", "SPARK_RUNTIME", *runtimes) == dict.fromkeys(runtimes, STAGING)


def test_analytics_names_the_datasets_of_the_dbt_project_for_every_warehouse():
    dev, redshift, bigquery = extracted("analytics", "DBT_TARGET", "dev", "redshift", "bigquery").values()
    assert dev == redshift == bigquery
    manifest = json.loads((ROOT / "dbt_project/target/manifest.json").read_text())
    built = {
        n["name"] for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed", "snapshot")
    }
    read_for = {name: reads for reads, writes in dev.values() for name in writes}
    assert read_for.keys() == {f"warehouse.{name}" for name in built}
    assert read_for["warehouse.stg_delivery"] == ["staging.delivery"]
    assert set(read_for["warehouse.stg_review_logs"]) == {"staging.review_logs", "warehouse.stg_delivery"}
    assert {"warehouse.stg_delivery", "warehouse.stg_rejection"} <= set(read_for["warehouse.int_delivery"])
    assert dev["dbt.user_behavior_metric.test"] == (["warehouse.user_behavior_metric"], [])


def events(file: Path, dag: str) -> dict[str, set[tuple[str, ...]]]:
    """task of the DAG -> what its COMPLETE event names, as (namespace, name, side)."""
    told = {}
    for line in file.read_text().splitlines():
        event = json.loads(line)
        name, _, task = event["job"]["name"].partition(".")
        if event["eventType"] == "COMPLETE" and name == dag:
            told.setdefault(task, set()).update(
                (dataset["namespace"], dataset["name"], side)
                for side in ("inputs", "outputs")
                for dataset in event[side]
            )
    return told


@pytest.mark.slow
def test_the_tasks_of_staging_tell_it(day_run):
    told = events(day_run / "openlineage", "staging")
    for task, (reads, writes) in STAGING.items():
        assert told[task] == {
            *(("movie-analytics", name, "inputs") for name in reads),
            *(("movie-analytics", name, "outputs") for name in writes),
        }, task


@pytest.mark.slow
def test_the_tasks_of_dbt_tell_it(day_run):
    told = events(day_run / "openlineage", "analytics")
    assert told.keys() - {"": "the run of the DAG"} == set(TASKS)
    assert told["dbt.stg_review_logs_run"] == {
        ("movie-analytics", "staging.review_logs", "inputs"),
        ("movie-analytics", "warehouse.stg_delivery", "inputs"),
        ("movie-analytics", "warehouse.stg_review_logs", "outputs"),
    }
    assert told["dbt.us_state.seed"] == {("movie-analytics", "warehouse.us_state", "outputs")}
    assert ("movie-analytics", "warehouse.ledger", "outputs") in told["dbt.ledger.run"]
    assert told["dbt.ledger.test"] == {("movie-analytics", "warehouse.ledger", "inputs")}
    # nothing else has a say: no file name, no database
    assert {space for names in told.values() for space, _, _ in names} == {"movie-analytics"}
