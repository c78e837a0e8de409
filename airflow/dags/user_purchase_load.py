"""Loads the shop's history: a CSV file becomes the content of its table `user_purchase`, and days are staged again.

**When**: by hand only; set up once, and again when the shop sends a corrected file. Parameters: `file`, the name of a file
below the variable `raw_uri` (default: `user_purchase/user_purchase.csv`), and the days whose purchases may differ from what they were,
`first_day` to `last_day` (default: only START_DATE, whose run also takes all purchases before it).

**What**: the file is copied into a temporary table and swapped in with one transaction, so readers see the old content or
the new. Then `staging` runs for each of the days, and `analytics` follows it. Such a run of `staging` has the day as its
logical date; asking for the same day again clears that run.

**When it fails**: a bad line stops the load with its number and the reason, and the table is left as it was: have the
file corrected, then clear the task. `staging` is paused: unpause it, then clear `stage_again`. All cases:
`airflow/RUNBOOK.md`, section *user_purchase_load*.
"""

from datetime import date, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException

from pipeline.defaults import DEFAULTS
from pipeline.jobs import JobProcess
from pipeline.settings import START_DATE

FIRST = START_DATE.date().isoformat()
# Names of folders and a file: nothing that leads out of raw_uri, and no `?`, behind which a URI may name another host.
BELOW_RAW = r"^[A-Za-z0-9_=-][A-Za-z0-9_=.-]*(/[A-Za-z0-9_=-][A-Za-z0-9_=.-]*)*$"


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "staging"],
    params={
        "file": Param(
            "user_purchase/user_purchase.csv", type="string", pattern=BELOW_RAW,
            description="the CSV file, by its path below raw_uri",
        ),
        "first_day": Param(FIRST, type="string", format="date", description="first day to stage again"),
        "last_day": Param(FIRST, type="string", format="date", description="last day to stage again"),
    },
)  # fmt: skip
def user_purchase_load() -> None:
    load = JobProcess(
        task_id="load_user_purchase",
        command=(
            "python", "-m", "spark_prep.shop.load_user_purchase",
            "--file", "{{ var.value.raw_uri }}/{{ params.file }}",
        ),
        settings=("USER_PURCHASE_DSN",),
    )  # fmt: skip
    days = days_to_stage()  # type: ignore[call-arg, misc]  # Airflow puts params in
    stage_again = TriggerDagRunOperator.partial(
        task_id="stage_again",
        trigger_dag_id="staging",
        reset_dag_run=True,
        fail_when_dag_is_paused=True,
    ).expand(logical_date=days)

    days >> load >> stage_again


@task
def days_to_stage(params: dict[str, str]) -> list[str]:
    """The days as the logical dates of their runs; those that `staging` would refuse are refused before the load."""
    first, last = date.fromisoformat(params["first_day"]), date.fromisoformat(params["last_day"])
    if not START_DATE.date() <= first <= last:
        raise AirflowFailException(
            f"the days {first} to {last} must be in order and not before START_DATE, {FIRST}"
        )
    return [f"{first + timedelta(days=n)}T00:00:00+00:00" for n in range((last - first).days + 1)]


user_purchase_load()
