"""What should be in the marts and is not: delivery rows against what the marts say they were built from.

Events may be lost (a DAG was paused, Airflow was down) or a person may have marked a task; what is staged and what is built is written
down by the jobs themselves, so the two are compared.
Why no DeadlineAlert does it: docs/decisions/0018.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.sdk import Context, DagRunState
from airflow.sdk.exceptions import AirflowFailException

from pipeline.jobs import JobProcess, json_object, settings_of
from pipeline.settings import START_OF_RUNS

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

# Prints what is staged and released, of all days.
STAGED_DAYS = ["python", "-m", "spark_prep.staged_days"]
ACTIVE = [DagRunState.QUEUED.value, DagRunState.RUNNING.value]
# An alert names so many days of each kind.
NAMED_DAYS = 10

Runs = dict[str, str | None]


class Missing(NamedTuple):
    """Days that the marts lack, by what is to be done."""

    # nothing was staged: `staging` never ran for it, or failed
    not_staged: list[str]
    # staged, checked, and not built, or from other runs: `analytics` is to run
    not_built: dict[str, Runs]
    # staged, but not as it was checked, if at all: a person is to look at the run of `staging`
    not_released: list[str]


def find_missing() -> JobProcess:
    return FindMissing(
        task_id="find_missing",
        command=("dbt", "--quiet", "run-operation", "built_days"),
        settings=("warehouse",),
    )


def compare(staged: dict[str, dict[str, Any]], built: dict[str, Runs], last: date) -> Missing:
    """`staged` as spark_prep.staged_days, `built` as dbt's built_days; from the first day that was ever staged to `last`."""
    missing = Missing([], {}, [])
    if not staged:
        return missing
    first = date.fromisoformat(min(staged))
    for n in range((last - first).days + 1):
        day = str(first + timedelta(days=n))
        found = staged.get(day)
        if not found:
            missing.not_staged.append(day)
        elif found["delivered"] == built.get(day):
            continue
        elif found["delivered"] == found["staged"]:
            missing.not_built[day] = found["staged"]
        else:
            missing.not_released.append(day)
    return missing


def runs_to_start(
    missing: Missing, *, is_staging_idle: bool, is_analytics_idle: bool
) -> list[dict[str, Any]]:
    """Arguments of a TriggerDagRunOperator each. What a run is to bring in is in its id, so that it is started once: if it fails, a
    person is to look at it."""
    days = [("staging", day, "") for day in missing.not_staged if is_staging_idle]
    for day, runs in missing.not_built.items():
        if is_analytics_idle:
            digest = hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()[:8]
            days.append(("analytics", day, f"_{digest}"))
    return [
        {"trigger_dag_id": dag, "trigger_run_id": f"missing_{day}{suffix}", "conf": {"day": day}}
        for dag, day, suffix in days
    ]


def lines_of(missing: Missing) -> list[str]:
    """For people; none when nothing is missing."""
    advice = (
        ("not staged", missing.not_staged, "`staging` never ran for it or failed"),
        ("staged but not built", list(missing.not_built), "`analytics` did not run for it or failed"),
        (
            "staged but not as it was checked",
            missing.not_released,
            "a check has not passed, or was not run again",
        ),
    )
    return [
        f"{len(days)} {'day is' if len(days) == 1 else 'days are'} {what} ({why}): "
        + ", ".join(days[:NAMED_DAYS])
        + (" …" if len(days) > NAMED_DAYS else "")
        for what, days, why in advice
        if days
    ]


def late_lines(missing: Missing, due: date) -> list[str]:
    """For people, at the hour when the marts of the day are due: its runs may be under way, and are late."""
    if str(due) in (*missing.not_staged, *missing.not_built, *missing.not_released):
        return [
            f"{due} is late: its marts are due, and its run waits for a file or for a person, or is still at work"
        ]
    return []


def last_day_due(now: datetime) -> date:
    """The last day whose run of `staging` has been due, on the day after."""
    return (now - timedelta(days=1) - START_OF_RUNS).date()


class FindMissing(JobProcess):
    """Returns what is to be started; the XCom `lines` is for people. While a DAG has runs under way, those may well be what is
    missing: nothing is started of it, and of the days of `staging` the last is not counted."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        built = super().execute(context)
        staged = json_object(self._run(STAGED_DAYS, {**os.environ, **settings_of(["STAGING_URI"])}))
        count = context["ti"].get_dr_count
        is_staging_idle = count("staging", states=ACTIVE) == 0
        is_analytics_idle = count("analytics", states=ACTIVE) == 0
        due = last_day_due(datetime.now(UTC))
        late = []
        if context["dag_run"].run_type == "scheduled" and not (is_staging_idle and is_analytics_idle):
            late = late_lines(compare(staged or {}, built or {}, due), due)
        missing = compare(staged or {}, built or {}, due - timedelta(days=0 if is_staging_idle else 1))
        to_start = runs_to_start(
            missing, is_staging_idle=is_staging_idle, is_analytics_idle=is_analytics_idle
        )
        if not is_analytics_idle:
            missing = missing._replace(not_built={})
        lines = late + lines_of(missing)
        for line in lines:
            self.log.warning("%s", line)
        context["ti"].xcom_push("lines", lines)
        return to_start


def fail_if_missing(ti: RuntimeTaskInstanceProtocol) -> None:
    """Fails, and so alerts, when something is missing."""
    if lines := ti.xcom_pull("find_missing", key="lines"):
        raise AirflowFailException("; ".join(lines) + ". What could be started has been")
