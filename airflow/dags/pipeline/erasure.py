"""Erases a customer whom a request names: a file below the variable quarantine_uri that holds their id, and nothing else.

Airflow keeps parameters, logs and answers, and nothing there may say who was erased: the id goes from the file to the commands by the
environment. The file is removed at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, ObjectStoragePath, Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from pipeline.jobs import STAGING_SETTINGS, JobProcess, json_object
from pipeline.quality import LIMITS
from pipeline.reconcile import ACTIVE, STAGED_DAYS

ERASE = ["python", "-m", "spark_prep.erasure.erase_customer"]
RELEASE = ["python", "-m", "spark_prep.release_day"]
BUILD = ["dbt", "--quiet", "build", "--exclude-resource-type", "unit_test"]
WAREHOUSE = ["dbt", "--quiet", "--log-level-file", "none", "run-operation", "erase_customer"]


class OfRequest(JobProcess):
    """Runs commands for the customer of a request."""

    template_fields = (*JobProcess.template_fields, "request")

    def __init__(self, *, request: str, **kwargs: Any) -> None:
        super().__init__(command=(), settings=(*STAGING_SETTINGS, "warehouse"), **kwargs)
        self.request = request

    def _file(self) -> ObjectStoragePath:
        return ObjectStoragePath(f"{Variable.get('quarantine_uri')}/erasure/{self.request}")

    @contextmanager
    def _environment(self) -> Iterator[tuple[str, dict[str, str]]]:
        file = self._file()
        if not file.exists():
            raise AirflowFailException(f"{file} is not there: write the customer's id into it")
        with super()._environment() as (folder, environment):
            yield folder, {**environment, "ERASE_CUSTOMER": file.read_text().strip()}


class Count(OfRequest):
    """In its log: how many records and rows there are, in staging, quarantine and warehouse. Changes nothing."""

    def execute(self, context: Context) -> None:
        with self._environment() as (_, environment):
            self._run(ERASE, environment)
            self._run(WAREHOUSE, environment)


class Approval(ApprovalOperator):
    """No answer is a no."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="Erase the customer of request {{ params.request }}?",
            body="What there is of them is in the log of the task `count_records`. It cannot be undone.",
            defaults=self.REJECT,
            response_timeout=timedelta(days=1),
            **{**kwargs, "execution_timeout": None},
        )


class Erase(OfRequest):
    """Erases, builds the days again that held the customer, erases what is left in the warehouse, and releases those days as they are now.
    A second try goes on where the first one stopped."""

    def execute(self, context: Context) -> None:
        if sum(context["ti"].get_dr_count(dag_id, states=ACTIVE) for dag_id in ("staging", "analytics")):
            raise AirflowException(
                "`staging` or `analytics` has runs under way, and nothing was erased: clear this task when they have ended"
            )
        with self._environment() as (_, environment):
            before = self._staged_days(environment)
            # DBT_FROM_DATE=… DBT_TO_DATE=…
            days = dict(word.split("=") for word in self._run([*ERASE, "--yes"], environment).split())
            if days["DBT_FROM_DATE"]:
                self._run(BUILD, environment | days)
            self._run([*WAREHOUSE, "--args", "{confirmed: true}"], environment)
            for day, found in self._staged_days(environment).items():
                if days["DBT_FROM_DATE"] <= day <= days["DBT_TO_DATE"]:
                    self._release(day, before.get(day, {}), found, environment)
        self._file().unlink()

    def _staged_days(self, environment: dict[str, str]) -> dict[str, Any]:
        return json_object(self._run(STAGED_DAYS, environment)) or {}

    def _release(
        self, day: str, before: dict[str, Any], found: dict[str, Any], environment: dict[str, str]
    ) -> None:
        """Unless it had not been released before: then a check waits for a person, who is not asked here."""
        if found["delivered"] == found["staged"] or before.get("delivered") != before.get("staged"):
            return
        accepted = {
            said["table"]: {**said, "run": found["delivered"][said["table"]]} for said in found["accepted"]
        }
        self._run([*RELEASE, "--date", day, *LIMITS, "--accepted", json.dumps(accepted)], environment)
