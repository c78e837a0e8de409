"""What the Spark tasks of every cloud share: how long they may take, which code they run, with which arguments.

What belongs to the deployment (the variable `spark`, written by Terraform) is put in when the task runs.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import Context, Variable

from pipeline.settings import CLASSIFIER, DAY, MODEL_URI, OTHER_CLASSIFIERS

# The clouds end a job after this time, whatever becomes of Airflow; tasks wait a little longer, to hear of it.
JOB_MINUTES = 60
POLL_SECONDS = 15
TASK_TIMEOUT = timedelta(minutes=JOB_MINUTES + 15)
# A cluster that is idle for this long shuts down automatically, in case its teardown never runs.
IDLE_MINUTES = 30

# What `make spark-package` builds, of the version that this Airflow was built with.
PACKAGE = "{{ var.value.artifacts_uri }}/spark/" + os.environ.get("PIPELINE_VERSION", "dev")
SUBMIT, CODE = f"{PACKAGE}/submit.py", f"{PACKAGE}/spark_prep.zip"
# By which a bill can be split; on Google, labels, hence in lower case.
TAGS = {"project": "movie-analytics", "dag": "{{ dag.dag_id }}", "task": "{{ task.task_id }}", "day": DAY}


def arguments(job: str) -> list[str]:
    """Of submit.py, on every cloud. EMR Serverless takes no empty ones."""
    choices = (
        ("--classifier", CLASSIFIER),
        ("--other-classifiers", OTHER_CLASSIFIERS),
        ("--model-uri", MODEL_URI),
    )
    return [
        "--job", job,
        "--date", DAY,
        "--raw-uri", "{{ var.value.raw_uri }}",
        "--staging-uri", "{{ var.value.staging_uri }}",
        "--quarantine-uri", "{{ var.value.quarantine_uri }}",
        "--quarantine-key-id", "{{ var.value.quarantine_key_id }}",
        "--pseudonym-secret-id", deployed("pseudonym_secret_id"),
        "--pseudonym-key-version", "{{ var.value.pseudonym_key_version }}",
        "--suppression-secret-id", "{{ var.value.suppression_secret_id }}",
        *(word for choice in choices if choice[1] for word in choice),
    ]  # fmt: skip


def deployed(name: str) -> str:
    """The template of a value of the variable `spark`."""
    return f"{{{{ var.json.spark.{name} }}}}"


class DeployedNumber:
    """A number of the variable `spark`. The clouds take no text for one, and a rendered template is text."""

    def __init__(self, name: str):
        self.name = name

    def resolve(self, context: Context) -> int:
        return int(Variable.get("spark", deserialize_json=True)[self.name])

    def __repr__(self) -> str:
        return deployed(self.name)
