"""Finds the days that the marts lack, starts what is missing, and alerts.

**When**: every morning at 07:00 UTC, when the marts of the day before are due, and after each run of `analytics`. By hand at any time: trigger it.

**What**: `find_missing` compares the delivery rows of each day with what the marts say they were built from. `start_missing` starts
`staging` for a day that was never staged and `analytics` for a day that was checked and not built, each once. `report_missing` fails, and
so alerts, when anything is missing.

**When it fails**: its message names the days; the next run, when all are there, is green. All cases: `airflow/RUNBOOK.md`,
section *reconciliation*.
"""

from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import CronTriggerTimetable, TriggerRule, dag

from pipeline.defaults import DEFAULTS, NOT_AT_ONCE
from pipeline.reconcile import fail_if_missing, find_missing


@dag(
    # A new deployment waits for its time: no start date, which would be made up for at once.
    schedule=CronTriggerTimetable("0 7 * * *", timezone="UTC", run_immediately=NOT_AT_ONCE),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "warehouse"],
)
def reconciliation() -> None:
    found = find_missing()
    start = TriggerDagRunOperator.partial(
        task_id="start_missing", logical_date=None, skip_when_already_exists=True
    ).expand_kwargs(found.output)
    report_missing = PythonOperator(
        task_id="report_missing", python_callable=fail_if_missing, trigger_rule=TriggerRule.ALL_DONE
    )

    found >> start >> report_missing


reconciliation()
