"""The settings that decide what the DAGs look like, from the environment: all that is read when a DAG is parsed.

Everything else (places, connections, secrets, cluster names) is read by the tasks when they run.
"""

from __future__ import annotations

import hashlib
import os
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

RUNTIMES = ("local", "emr_serverless", "emr", "glue", "dataproc_serverless", "dataproc")
# Where Spark runs; files are then in folders (local), in S3 (EMR, Glue) or in GCS (Dataproc).
SPARK_RUNTIME = os.environ.get("SPARK_RUNTIME", "local")
if SPARK_RUNTIME not in RUNTIMES:
    raise ValueError(f"SPARK_RUNTIME is {SPARK_RUNTIME!r}; it must be one of {', '.join(RUNTIMES)}")
PLATFORMS: dict[str, Literal["local", "gcp"]] = {
    "local": "local",
    "dataproc_serverless": "gcp",
    "dataproc": "gcp",
}
PLATFORM: Literal["local", "aws", "gcp"] = PLATFORMS.get(SPARK_RUNTIME, "aws")

# The target of dbt's profile: dev (DuckDB), redshift or bigquery.
DBT_TARGET = os.environ.get("DBT_TARGET", "dev")
DBT_PROJECT_DIR = Path(os.environ.get("DBT_PROJECT_DIR", Path(__file__).parents[3] / "dbt_project"))
# The Python of the environment that has dbt and Spark; dbt itself is beside it.
JOBS_PYTHON = Path(os.environ.get("JOBS_PYTHON", DBT_PROJECT_DIR.parent / ".venv/bin/python"))

# The first day that there is anything for. Its run also takes all purchases before it.
START_DATE = datetime.fromisoformat(f"{os.environ.get('START_DATE', '2021-01-01')}T00:00:00+00:00")
# When a day's run starts (UTC), on the day after that day.
CRON = os.environ.get("STAGING_CRON", "0 3 * * *")
_daily = re.fullmatch(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* \*", CRON)
if not _daily:
    raise ValueError(
        f"STAGING_CRON is {CRON!r}; it must be a minute and an hour of every day, such as '0 3 * * *': a run stages one day"
    )
START_OF_RUNS = timedelta(minutes=int(_daily[1]), hours=int(_daily[2]))
# How long the vendors' files are waited for from then on.
FILE_DEADLINE = timedelta(hours=float(os.environ.get("FILE_DEADLINE_HOURS", "12")))
# A day of which a larger share was rejected stops before the warehouse, unless a person accepts it.
MAX_REJECTED_SHARE = float(os.environ.get("MAX_REJECTED_SHARE", "0.2"))
# Likewise a day with a smaller share of the records that are usual on its weekday.
MIN_USUAL_SHARE = float(os.environ.get("MIN_USUAL_SHARE", "0.25"))
# Which classifier decides whether a review is positive, and the folder of the one named model; empty: as the job decides.
CLASSIFIER = os.environ.get("CLASSIFIER", "")
# Those that run in the same pass and decide nothing, as lexicon,model.
OTHER_CLASSIFIERS = os.environ.get("OTHER_CLASSIFIERS", "")
MODEL_URI = os.environ.get("MODEL_URI", "")


def day_of(dag_run: DagRunProtocol) -> str:
    """The day a run works on: the partition key of a scheduled, backfilled or asset-triggered run, else the logical date, or the `day`
    of its configuration (a task that starts runs can give no key)."""
    day = dag_run.partition_key or (dag_run.logical_date and dag_run.logical_date.strftime("%Y-%m-%d"))
    day = day or (getattr(dag_run, "conf", None) or {}).get("day")
    try:
        return date.fromisoformat(day or "").isoformat()
    except ValueError:
        raise ValueError(
            f"the run's partition key is {dag_run.partition_key!r} and its logical date {dag_run.logical_date}: "
            "which day is meant? Trigger with the day as partition key (YYYY-MM-DD), or backfill"
        ) from None


def digest_of(dag_run: DagRunProtocol) -> str:
    """A short name of the run, for what takes few characters: letters and digits, and first a letter."""
    return "r" + hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:11]


# The same in templates, in the DAGs that have these macros.
DAY, RUN = "{{ day_of(dag_run) }}", "{{ digest_of(dag_run) }}"
MACROS = {"day_of": day_of, "digest_of": digest_of}
