"""Checks the whole warehouse: every data test on every day, not only on the days that a build has just made.

**When**: on Sundays at noon (UTC). By hand at any time: trigger it.

**What**: brings the external tables up to date with all runs that deliveries name, then runs `dbt test` without a range of days, as
`make verify` does. It reads whole tables and changes none.

**When it fails**: a test of `verify_warehouse` found rows that the daily builds could not see, or that changed since; its log says which.
All cases: `airflow/RUNBOOK.md`, section *verification*.
"""

from airflow.sdk import CronTriggerTimetable, dag

from pipeline.defaults import DEFAULTS, NOT_AT_ONCE
from pipeline.warehouse import stage_external_sources, verify_warehouse


@dag(
    # A new deployment waits for its time: no start date, which would be made up for at once.
    schedule=CronTriggerTimetable("0 12 * * 0", timezone="UTC", run_immediately=NOT_AT_ONCE),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "warehouse"],
)
def verification() -> None:
    stage_external_sources() >> verify_warehouse()


verification()
