"""Erases a customer, if a person approves: in staging, quarantine and the warehouse, and keeps them out from then on.

**When**: by hand only, on one machine. (On a platform Airflow may neither rewrite staging nor read what was rejected: the runbook says who does.)
Write the customer's id, and nothing else, into a file `erasure/<request>` below the variable `quarantine_uri`, and trigger the DAG with the name of the
request. Airflow keeps parameters, answers and logs, so the id itself is no parameter.

**What**: `count_records` shows in its log what there is of the customer. `approve_erasure` asks a person (*Required Actions* in the menu) and waits for a day; no answer is a
no. `erase_customer` fails, and is tried again, while `staging` or `analytics` has runs under way; then it erases as `make erase` does, builds the days again that held the customer,
releases them, and removes the file. What is erased and what stays: `docs/how_to/erase_a_customer.md`.

**When it fails**: clear the task; it goes on where it stopped. All cases: `airflow/RUNBOOK.md`, section *erasure*.
"""

from airflow.sdk import Param, dag

from pipeline.defaults import DEFAULTS
from pipeline.erasure import Approval, Count, Erase
from pipeline.settings import PLATFORM, START_DATE

REQUEST = "{{ params.request }}"


@dag(
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "staging"],
    params={
        "request": Param(
            type="string", pattern=r"^[A-Za-z0-9_-]+$",
            description="the name of the file in erasure/ below quarantine_uri that holds the customer's id",
        ),
    },
)  # fmt: skip
def erasure() -> None:
    count_records = Count(task_id="count_records", request=REQUEST)
    approve_erasure = Approval(task_id="approve_erasure")
    erase_customer = Erase(task_id="erase_customer", request=REQUEST)

    count_records >> approve_erasure >> erase_customer


if PLATFORM == "local":
    erasure()
