"""Waiting for the vendors' files without holding a worker's slot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseSensorOperator, Context, Variable
from airflow.sdk.exceptions import AirflowSensorTimeout

from pipeline.settings import DAY, FILE_DEADLINE, PLATFORM, day_of

POLL_SECONDS = 60
# *.csv and *.csv.gz in one pattern, since the sensors take one only; not *.csv.part, *.csv.zip or *.csv.xz.
FILES = "*.c*[sg][vz]"


def wait_for(feed: str) -> BaseSensorOperator:
    """A task that waits for a file of the feed for the run's day, and fails when FILE_DEADLINE has passed."""
    files = f"{{{{ var.value.raw_uri }}}}/{feed}/insert_date={DAY}/{FILES}"
    waiting: dict[str, Any] = {
        "task_id": f"wait_for_{feed}",
        "deferrable": True,
        "poke_interval": POLL_SECONDS,
        "timeout": FILE_DEADLINE.total_seconds(),
        # that of the defaults is for work
        "execution_timeout": None,
    }
    match PLATFORM:
        case "local":
            from airflow.providers.standard.sensors.filesystem import FileSensor

            return _delivery(feed, FileSensor)(filepath=files, **waiting)
        case "aws":
            from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor

            # no connection: the credentials of the machine or pod
            return _delivery(feed, S3KeySensor)(
                bucket_key=files, wildcard_match=True, aws_conn_id=None, **waiting
            )
        case "gcp":
            from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor

            # gs://bucket/folder/…: the bucket is the third part; the folder may be missing
            return _delivery(feed, GCSObjectsWithPrefixExistenceSensor)(
                bucket="{{ var.value.raw_uri.split('/')[2] }}",
                prefix=f"{{{{ (var.value.raw_uri ~ '/{feed}/').split('/')[3:] | join('/') }}}}insert_date={DAY}/",
                **waiting,
            )


def _delivery(feed: str, sensor: type[BaseSensorOperator]) -> type[BaseSensorOperator]:
    """The sensor, whose error says in words which file of which day is missing."""

    class Delivery(sensor):  # type: ignore[misc, valid-type]  # one of three, as the platform is
        def execute(self, context: Context) -> Any:
            with _says_what_is_missing(feed, context):
                return super().execute(context)

        def resume_execution(
            self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
        ) -> Any:
            with _says_what_is_missing(feed, context):
                return super().resume_execution(next_method, next_kwargs, context)

    return Delivery


@contextmanager
def _says_what_is_missing(feed: str, context: Context) -> Iterator[None]:
    try:
        yield
    except AirflowSensorTimeout:
        day = day_of(context["dag_run"])
        raise AirflowSensorTimeout(
            f"{feed} of {day} has not been delivered: no {Variable.get('raw_uri')}/{feed}/insert_date={day}/*.csv "
            f"or *.csv.gz after {FILE_DEADLINE}. Clear this task once the file is there, or mark it as success to go on without it"
        ) from None
