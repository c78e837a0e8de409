"""The Spark jobs as tasks, on the runtime that SPARK_RUNTIME names: the same code, the same arguments everywhere.

On a cloud a task submits the job and lets go of its worker until the job has ended. What belongs to the deployment (the
variable `spark`, written by Terraform) is put in when the task runs. Retries are safe, since a job replaces its day.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import BaseOperator, TriggerRule, Variable

from pipeline.jobs import JobProcess
from pipeline.settings import DAY, SPARK_RUNTIME

# The clouds end a job after this time, whatever becomes of Airflow; tasks wait a little longer, to hear of it.
JOB_MINUTES = 60
POLL_SECONDS = 15
POLLS = (JOB_MINUTES + 5) * 60 // POLL_SECONDS
TASK_TIMEOUT = timedelta(minutes=JOB_MINUTES + 15)
# A cluster that has nothing to do for so long goes by itself, should its teardown never run.
IDLE_MINUTES = 30

# What `make spark-package` builds, of the version that this Airflow was built with.
PACKAGE = "{{ var.value.artifacts_uri }}/spark/" + os.environ.get("PIPELINE_VERSION", "dev")
SUBMIT, CODE = f"{PACKAGE}/submit.py", f"{PACKAGE}/spark_prep.zip"
# By which a bill can be split; on Google, labels, hence in lower case.
TAGS = {"project": "movie-analytics", "dag": "{{ dag.dag_id }}", "task": "{{ task.task_id }}", "day": DAY}


def spark_job(job: str) -> BaseOperator:
    """A task that runs spark_prep's job for the run's day; the job's name is its id."""
    match SPARK_RUNTIME:
        case "local":
            return local(job)
        case "emr_serverless" | "emr" | "glue":
            from pipeline import spark_aws as cloud
        case _:
            from pipeline import spark_gcp as cloud
    return getattr(cloud, SPARK_RUNTIME)(job)


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
        command=("python", "-m", f"spark_prep.{job}", "--date", DAY),
        settings=("RAW_URI", "STAGING_URI", "QUARANTINE_URI", "PSEUDONYM_SECRET", "PSEUDONYM_KEY_VERSION"),
    )


def arguments(job: str) -> list[str]:
    """Of submit.py, on every cloud."""
    return [
        "--job", job,
        "--date", DAY,
        "--raw-uri", "{{ var.value.raw_uri }}",
        "--staging-uri", "{{ var.value.staging_uri }}",
        "--quarantine-uri", "{{ var.value.quarantine_uri }}",
        "--pseudonym-secret-id", deployed("pseudonym_secret_id"),
        "--pseudonym-key-version", "{{ var.value.pseudonym_key_version }}",
    ]  # fmt: skip


def deployed(name: str) -> str:
    """The template of a value of the variable `spark`."""
    return f"{{{{ var.json.spark.{name} }}}}"


class DeployedNumber:
    """A number of the variable `spark`. The clouds take no text for one, and a rendered template is text."""

    def __init__(self, name: str):
        self.name = name

    def resolve(self, context) -> int:
        return int(Variable.get("spark", deserialize_json=True)[self.name])

    def __repr__(self) -> str:
        return deployed(self.name)
