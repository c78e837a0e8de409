"""Says every five minutes, to a service outside, that Airflow is alive: a dead man's switch.

**When**: every five minutes. The DAG is there when HEARTBEAT_URL is set: an address that expects to be asked for so often, and alarms
people when it is not (Healthchecks, Cronitor, an uptime monitor of the cloud).

**What**: `ping` asks for the address. That it does takes the scheduler, a worker and the database: if one of them stands still, no task of
this Airflow can tell of it.

**When it fails**: the address does not answer; the service will alarm, too. All cases: `airflow/RUNBOOK.md`, section *heartbeat*.
"""

import os
import urllib.request
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from pipeline.defaults import DEFAULTS

HEARTBEAT_URL = os.environ.get("HEARTBEAT_URL", "")


@dag(
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["movie-analytics", "infrastructure"],
)
def heartbeat() -> None:
    ping()


@task(execution_timeout=timedelta(minutes=1))
def ping() -> None:
    with urllib.request.urlopen(HEARTBEAT_URL, timeout=30) as answer:  # noqa: S310 - the address is the operator's
        print(f"{answer.status} from the address of HEARTBEAT_URL")


if HEARTBEAT_URL:
    heartbeat()
