"""Spark on Google Cloud: Dataproc Serverless and a Dataproc cluster for the day. See spark.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.google.cloud.hooks.dataproc import DataprocHook
from airflow.providers.google.cloud.operators.dataproc import (
    DataprocCreateBatchOperator,
    DataprocCreateClusterOperator,
    DataprocDeleteClusterOperator,
    DataprocSubmitJobOperator,
)
from airflow.providers.google.cloud.triggers.dataproc import DataprocBatchTrigger, DataprocSubmitTrigger

from pipeline.settings import DAY, RUN
from pipeline.spark_cloud import (
    CODE,
    IDLE_MINUTES,
    JOB_MINUTES,
    POLL_SECONDS,
    SUBMIT,
    TAGS,
    TASK_TIMEOUT,
    DeployedNumber,
    arguments,
    deployed,
)

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

GCP: dict[str, Any] = {
    "project_id": deployed("project"),
    "region": deployed("region"),
    "deferrable": True,
    "polling_interval_seconds": POLL_SECONDS,
    "execution_timeout": TASK_TIMEOUT,
}
# Two environments may share a project and a region: neither may take, or delete, the other's cluster.
CLUSTER = f"{deployed('name')}-{DAY}"
# By the run and the task a later try finds the job.
LABELS = {**TAGS, "run": RUN}


def dataproc_serverless(job: str) -> DataprocCreateBatchOperator:
    return Batch(
        task_id=job,
        # The provider adds eight random characters: with a name that was there before it would take that batch's
        # success for this one's.
        batch_id_prefix=f"{job.replace('_', '-')}-{DAY}",
        batch={
            "pyspark_batch": _pyspark(job),
            "runtime_config": {"version": deployed("dataproc_runtime_version")},
            "environment_config": {
                "execution_config": {
                    "service_account": deployed("service_account"),
                    # From runtime 3.0 on, a batch that does not say so runs with its creator's rights, which are Airflow's.
                    "authentication_config": {"user_workload_authentication_type": "SERVICE_ACCOUNT"},
                    "subnetwork_uri": deployed("subnetwork"),
                    "staging_bucket": deployed("staging_bucket"),
                    "ttl": {"seconds": JOB_MINUTES * 60},
                }
            },
            "labels": LABELS,
        },
        **GCP,
    )


def dataproc(job: str) -> DataprocSubmitJobOperator:
    return ClusterJob(
        task_id=job,
        job={
            "reference": {"project_id": deployed("project")},
            "placement": {"cluster_name": CLUSTER},
            "pyspark_job": _pyspark(job),
            "labels": LABELS,
        },
        **GCP,
    )


def dataproc_cluster() -> tuple[DataprocCreateClusterOperator, DataprocDeleteClusterOperator]:
    machine = {"machine_type_uri": deployed("dataproc_machine_type")}
    start_spark_cluster = DataprocCreateClusterOperator(
        task_id="start_spark_cluster",
        cluster_name=CLUSTER,
        cluster_config={
            "config_bucket": deployed("staging_bucket"),
            # Else one bucket for the whole project, in which Spark has no rights.
            "temp_bucket": deployed("staging_bucket"),
            "gce_cluster_config": {
                "service_account": deployed("service_account"),
                "service_account_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
                "subnetwork_uri": deployed("subnetwork"),
                "internal_ip_only": True,
            },
            "software_config": {"image_version": deployed("dataproc_image_version")},
            "master_config": {"num_instances": 1, **machine},
            "worker_config": {"num_instances": DeployedNumber("dataproc_worker_count"), **machine},
            # a link to Spark's own interface
            "endpoint_config": {"enable_http_port_access": True},
            "lifecycle_config": {
                "idle_delete_ttl": {"seconds": IDLE_MINUTES * 60},
                "auto_delete_ttl": {"seconds": 3 * JOB_MINUTES * 60},
            },
        },
        labels=TAGS,
        **GCP,
    )
    stop_spark_cluster = DataprocDeleteClusterOperator(
        task_id="stop_spark_cluster", cluster_name=CLUSTER, **GCP
    )
    return start_spark_cluster, stop_spark_cluster


def _pyspark(job: str) -> dict[str, Any]:
    return {"main_python_file_uri": SUBMIT, "python_file_uris": [CODE], "args": arguments(job)}


def _of_the_run(labels: dict[str, str]) -> str:
    """A filter of Dataproc's lists."""
    return " AND ".join(f"labels.{name} = {labels[name]}" for name in ("run", "task"))


# What the provider's operators lack: a job of an earlier try that still runs is followed, and a batch ends when someone ends the task that
# waits for it. The triggerer imports triggers by name, so the folder of the DAGs must be on its PYTHONPATH.


class BatchTrigger(DataprocBatchTrigger):
    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.{type(self).__name__}", super().serialize()[1]

    async def on_kill(self) -> None:
        hook = self.get_async_hook()
        batch = await hook.get_batch(project_id=self.project_id, region=self.region, batch_id=self.batch_id)
        client = await hook.get_batch_client(self.region)
        await client.cancel_operation({"name": batch.operation})


class Batch(DataprocCreateBatchOperator):
    def execute(self, context: Context) -> Any:
        found = self.hook.list_batches(
            region=self.region, project_id=self.project_id, filter=_of_the_run(self.batch["labels"])
        )
        if running := next((batch for batch in found if batch.state.name in ("PENDING", "RUNNING")), None):
            # which the provider follows, since it is there
            self.batch_id, self.batch_id_prefix = running.name.rpartition("/")[2], None
        return super().execute(context)

    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> None:
        super().defer(trigger=BatchTrigger(**trigger.serialize()[1]), **kwargs)


class ClusterJob(DataprocSubmitJobOperator):
    def execute(self, context: Context) -> Any:
        hook = DataprocHook(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)
        wanted = f"status.state = ACTIVE AND {_of_the_run(self.job['labels'])}"
        found = hook.get_job_client(self.region).list_jobs(
            request={"project_id": self.project_id, "region": self.region, "filter": wanted}
        )
        if not (running := next(iter(found), None)):
            return super().execute(context)
        job_id = running.reference.job_id
        self.log.info("job %s, which an earlier try has submitted, still runs: it is followed", job_id)
        trigger = DataprocSubmitTrigger(
            job_id=job_id,
            project_id=self.project_id,
            region=self.region,
            gcp_conn_id=self.gcp_conn_id,
            impersonation_chain=self.impersonation_chain,
            polling_interval_seconds=self.polling_interval_seconds,
            cancel_on_kill=self.cancel_on_kill,
        )
        self.defer(trigger=trigger, method_name="execute_complete")
