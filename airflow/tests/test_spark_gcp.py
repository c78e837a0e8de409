"""The Dataproc tasks, rendered for a day: each value compared, and each message taken by Google's own types.

There is no emulator of Dataproc; what the service does with them is not seen here. Runs where the Google provider is.
"""

import asyncio
import json
import re
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

pytest.importorskip("airflow.providers.google", reason="the Google provider has an environment of its own")

from airflow.providers.google.cloud.triggers.dataproc import DataprocBatchTrigger
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.context import VariableAccessor
from airflow.sdk.module_loading import import_string
from google.api_core.exceptions import AlreadyExists
from google.cloud import dataproc_v1

from pipeline import spark, spark_gcp
from pipeline.settings import MACROS

pytestmark = pytest.mark.gcp
PACKAGE = "gs://artifacts/spark/dev"
SECRET_ID = "projects/p/secrets/pseudonyms/versions/2"
SUPPRESSION_SECRET_ID = "projects/p/secrets/suppression/versions/1"
QUARANTINE_KEY_ID = "projects/p/locations/europe-west1/keyRings/lake/cryptoKeys/quarantine"
VARIABLES = {
    "raw_uri": "gs://raw",
    "staging_uri": "gs://staging",
    "quarantine_uri": "gs://quarantine",
    "artifacts_uri": "gs://artifacts",
    "pseudonym_key_version": "2",
    "quarantine_key_id": QUARANTINE_KEY_ID,
    "suppression_secret_id": SUPPRESSION_SECRET_ID,
    "spark": json.dumps(
        {
            "project": "my-project",
            "name": "movie-analytics-test",
            "region": "europe-west1",
            "subnetwork": "projects/my-project/regions/europe-west1/subnetworks/spark",
            "service_account": "spark@my-project.iam.gserviceaccount.com",
            "dataproc_runtime_version": "3.0",
            "dataproc_image_version": "3.0-debian13",
            "dataproc_machine_type": "n4-standard-4",
            "dataproc_worker_count": 2,
            "staging_bucket": "artifacts",
            "pseudonym_secret_id": SECRET_ID,
        }
    ),
}
PLACE = {"project_id": "my-project", "region": "europe-west1"}
LABELS = {"project": "movie-analytics", "dag": "staging", "day": "2021-01-31"}
# of the run "r"
RUN = {"run": "r454349e422f"}
PYSPARK = {
    "main_python_file_uri": f"{PACKAGE}/submit.py",
    "python_file_uris": [f"{PACKAGE}/spark_prep.zip"],
    "args": [
        "--job", "parse_logs", "--date", "2021-01-31", "--raw-uri", "gs://raw", "--staging-uri", "gs://staging",
        "--quarantine-uri", "gs://quarantine", "--quarantine-key-id", QUARANTINE_KEY_ID,
        "--pseudonym-secret-id", SECRET_ID, "--pseudonym-key-version", "2",
        "--suppression-secret-id", SUPPRESSION_SECRET_ID,
    ],
}  # fmt: skip


@pytest.fixture
def tasks(monkeypatch):
    """(runtime) -> the tasks by id, rendered for 2021-01-31."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(f"AIRFLOW_VAR_{name.upper()}", value)
    variables = {
        "value": VariableAccessor(deserialize_json=False),
        "json": VariableAccessor(deserialize_json=True),
    }

    def rendered(runtime):
        monkeypatch.setattr(spark, "SPARK_RUNTIME", runtime)
        with DAG("staging", schedule=None, user_defined_macros=MACROS) as dag:
            spark.spark_job("parse_logs")
            spark.spark_cluster()
        for task in dag.tasks:
            run = SimpleNamespace(partition_key="2021-01-31", run_id="r")
            task.render_template_fields({"dag_run": run, "dag": dag, "task": task, "var": variables})
        return dag.task_dict

    return rendered


def fields(task) -> dict:
    """All that is rendered, but for the connection."""
    return {
        name: getattr(task, name) for name in task.template_fields if not name.startswith(("gcp_", "imp"))
    }


def test_a_serverless_batch(tasks):
    ((_, task),) = tasks("dataproc_serverless").items()
    assert fields(task) == {
        **PLACE,
        "batch_id": None,
        "batch_id_prefix": "parse-logs-2021-01-31",
        "batch": {
            "pyspark_batch": PYSPARK,
            "runtime_config": {"version": "3.0"},
            "environment_config": {
                "execution_config": {
                    "service_account": "spark@my-project.iam.gserviceaccount.com",
                    # unspecified, runtime 3.0 takes the credentials of who asks: Airflow's
                    "authentication_config": {"user_workload_authentication_type": "SERVICE_ACCOUNT"},
                    "subnetwork_uri": "projects/my-project/regions/europe-west1/subnetworks/spark",
                    "staging_bucket": "artifacts",
                    "ttl": {"seconds": 3600},
                }
            },
            "labels": LABELS | RUN | {"task": "parse_logs"},
        },
    }
    assert task.deferrable
    dataproc_v1.Batch(task.batch)


@pytest.mark.parametrize("job", ["classify_reviews", "parse_logs"])
def test_batch_ids_are_legal_and_never_the_same(job, tasks):
    task = spark_gcp.dataproc_serverless(job)
    prefix = task.batch_id_prefix.replace(spark.DAY, "2021-01-31")
    task.batch_id_prefix = prefix
    ids = {task._resolve_requested_batch_id() for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[a-z0-9][a-z0-9-]{2,61}[a-z0-9]", batch_id) for batch_id in ids)


def test_a_cluster_for_the_day(tasks):
    day = tasks("dataproc")
    assert fields(day["start_spark_cluster"]) == {
        **PLACE,
        "cluster_name": "movie-analytics-test-2021-01-31",
        "virtual_cluster_config": None,
        "labels": LABELS | {"task": "start_spark_cluster"},
        "cluster_config": {
            "config_bucket": "artifacts",
            "temp_bucket": "artifacts",
            "gce_cluster_config": {
                "service_account": "spark@my-project.iam.gserviceaccount.com",
                "service_account_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
                "subnetwork_uri": "projects/my-project/regions/europe-west1/subnetworks/spark",
                "internal_ip_only": True,
            },
            "software_config": {"image_version": "3.0-debian13"},
            "master_config": {"num_instances": 1, "machine_type_uri": "n4-standard-4"},
            "worker_config": {"num_instances": 2, "machine_type_uri": "n4-standard-4"},
            "endpoint_config": {"enable_http_port_access": True},
            "lifecycle_config": {"idle_delete_ttl": {"seconds": 1800}, "auto_delete_ttl": {"seconds": 10800}},
        },
    }
    assert fields(day["parse_logs"]) == {
        **PLACE,
        "request_id": None,
        "job": {
            "reference": {"project_id": "my-project"},
            "placement": {"cluster_name": "movie-analytics-test-2021-01-31"},
            "pyspark_job": PYSPARK,
            "labels": LABELS | RUN | {"task": "parse_logs"},
        },
    }
    assert fields(day["stop_spark_cluster"]) == {**PLACE, "cluster_name": "movie-analytics-test-2021-01-31"}
    assert all(task.deferrable for task in day.values())
    dataproc_v1.ClusterConfig(day["start_spark_cluster"].cluster_config)
    dataproc_v1.Job(day["parse_logs"].job)


def test_labels_are_what_google_takes(tasks):
    for runtime in ("dataproc_serverless", "dataproc"):
        task = tasks(runtime)["parse_logs"]
        labels = task.batch["labels"] if runtime == "dataproc_serverless" else task.job["labels"]
        for key, value in labels.items():
            assert re.fullmatch("[a-z][a-z0-9_-]{0,62}", key) and re.fullmatch("[a-z0-9_-]{1,63}", value)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "FAILED", "SUCCEEDED", "CANCELLED"])
def test_a_batch_that_still_runs_is_followed_and_one_that_has_ended_is_not(tasks, monkeypatch, state):
    """With our own hook: Dataproc cannot be asked here. The provider follows a batch whose id is taken."""
    task, asked = tasks("dataproc_serverless")["parse_logs"], {}
    found = dataproc_v1.Batch(
        name="projects/my-project/locations/europe-west1/batches/parse-logs-1", state=state
    )

    class Hook:
        def list_batches(self, **where):
            asked["list"] = where
            return [found]

        def create_batch(self, batch_id, **_):
            asked["create"] = batch_id
            if batch_id == "parse-logs-1":
                raise AlreadyExists("it is there")
            return SimpleNamespace(metadata=SimpleNamespace(batch=batch_id))

    monkeypatch.setattr(type(task), "hook", Hook())
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({"ti": MagicMock(), "task": task})
    assert asked["list"] == {**PLACE, "filter": f"labels.run = {RUN['run']} AND labels.task = parse_logs"}
    followed = deferred.value.trigger.serialize()[1]["batch_id"]
    assert followed == asked["create"] and (followed == "parse-logs-1") == (state in ("PENDING", "RUNNING"))


@pytest.mark.parametrize("is_running", [True, False])
def test_a_job_on_the_cluster_that_still_runs_is_followed(tasks, monkeypatch, is_running):
    """With our own hook: Dataproc cannot be asked here."""
    task, asked = tasks("dataproc")["parse_logs"], []
    old, new = (
        dataproc_v1.Job(reference={"job_id": name}, status={"state": "RUNNING"}) for name in ("old", "new")
    )

    class Hook:
        def __init__(self, **_):
            self.get_job_client = lambda region: self

        def list_jobs(self, request):
            asked.append(request)
            return [old] if is_running else []

        def submit_job(self, **_):
            return new

        def get_job(self, **_):
            return new

    monkeypatch.setattr(spark_gcp, "DataprocHook", Hook)
    monkeypatch.setattr("airflow.providers.google.cloud.operators.dataproc.DataprocHook", Hook)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({"ti": MagicMock(), "task": task})
    wanted = f"status.state = ACTIVE AND labels.run = {RUN['run']} AND labels.task = parse_logs"
    assert asked == [{**PLACE, "filter": wanted}]
    dataproc_v1.ListJobsRequest(asked[0])
    trigger = deferred.value.trigger.serialize()[1]
    assert trigger["job_id"] == ("old" if is_running else "new") and trigger["cancel_on_kill"]


def test_ending_a_task_that_waits_ends_its_batch(monkeypatch):
    """With our own client in the hook's place: Dataproc cannot be asked here."""
    trigger = DataprocBatchTrigger("parse-logs-1", **PLACE, gcp_conn_id="google_cloud_default")
    with pytest.raises(TaskDeferred) as deferred:
        spark_gcp.dataproc_serverless("parse_logs").defer(trigger=trigger, method_name="execute_complete")
    path, kwargs = deferred.value.trigger.serialize()
    ours = import_string(path)(**kwargs)

    asked = []

    class Hook:
        async def get_batch(self, project_id, region, batch_id):
            asked.append((project_id, region, batch_id))
            return SimpleNamespace(operation="operations/1")

        async def get_batch_client(self, region):
            return self

        async def cancel_operation(self, request):
            asked.append(request)

    monkeypatch.setattr(ours, "get_async_hook", Hook)
    asyncio.run(ours.on_kill())
    assert asked == [("my-project", "europe-west1", "parse-logs-1"), {"name": "operations/1"}]
