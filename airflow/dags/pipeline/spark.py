"""The Spark jobs as tasks, on the runtime that SPARK_RUNTIME names: the same code, the same arguments everywhere.

On a cloud a task submits the job and lets go of its worker until the job has ended. When it has lost sight of the job (the
connection broke, Airflow died), its next try follows the job if that still runs, and starts no second one. Retries are safe, since a
job replaces its day.
"""

from __future__ import annotations

from airflow.sdk import BaseOperator, TriggerRule

from pipeline.jobs import STAGING_SETTINGS, JobProcess
from pipeline.settings import DAY, SPARK_RUNTIME


def spark_job(job: str) -> BaseOperator:
    """A task that runs spark_prep's job for the run's day; the job's name is its id."""
    match SPARK_RUNTIME:
        case "local":
            return local(job)
        case "emr_serverless" | "emr" | "glue":
            from pipeline import spark_aws

            task: BaseOperator = getattr(spark_aws, SPARK_RUNTIME)(job)
        case _:
            from pipeline import spark_gcp

            task = getattr(spark_gcp, SPARK_RUNTIME)(job)
    return task


def spark_cluster() -> tuple[BaseOperator, BaseOperator] | None:
    """The tasks that start the cluster and end it whatever happens in between, for runtimes that need one.

    The first one belongs after what the jobs wait for, and runs when there is something to do for one of them.
    """
    match SPARK_RUNTIME:
        case "emr":
            from pipeline.spark_aws import emr_cluster as cluster
        case "dataproc":
            from pipeline.spark_gcp import dataproc_cluster as cluster
        case _:
            return None
    start, stop = cluster()
    start.trigger_rule = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    # Not on_failure_fail_dagrun: with it the run's state would hang on the teardown alone, and a failed job be green.
    return start.as_setup(), stop.as_teardown(setups=start)


def local(job: str) -> JobProcess:
    return JobProcess(
        task_id=job,
        command=("python", "-m", "spark_prep.spark.submit", "--job", job, "--date", DAY),
        settings=(
            *STAGING_SETTINGS,
            "RAW_URI",
            "PSEUDONYM_SECRET",
            "PSEUDONYM_SECRET_ID",
            "PSEUDONYM_KEY_VERSION",
        ),
    )
