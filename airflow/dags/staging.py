"""Brings a day into the staging layer: reviews and logs through Spark, purchases from the shop's database.

**When**: every morning at 03:00 UTC for the day before. By hand or for past days: a backfill of this DAG.

**What**: waits for the vendors' two files, classifies the reviews, parses the logs, exports the purchases, and checks
what came of each table's records; a check that refuses a table asks a person (*Required Actions*). The last task, `release_day`, says that
the day is staged, and `analytics` starts.

**When it fails**: each task replaces its own day, so a task may be cleared at any time. A file that was not delivered:
clear the wait when it is there, or mark the wait as success to go on without it. Too many records rejected: answer the
check. All cases: `airflow/RUNBOOK.md`, section *staging*.
"""

from airflow.sdk import CronPartitionTimetable, dag

from pipeline.assets import STAGED
from pipeline.defaults import DEFAULTS
from pipeline.files import wait_for
from pipeline.jobs import STAGING_SETTINGS, JobProcess
from pipeline.quality import check, release_day
from pipeline.settings import CRON, DAY, MACROS, START_DATE
from pipeline.spark import spark_cluster, spark_job


@dag(
    schedule=CronPartitionTimetable(CRON, timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    user_defined_macros=MACROS,
    doc_md=__doc__,
    tags=["movie-analytics", "staging"],
)
def staging() -> None:
    files = [wait_for("movie_review"), wait_for("log_reviews")]
    classify_reviews = spark_job("classify_reviews")
    parse_logs = spark_job("parse_logs")
    export_purchases = JobProcess(
        task_id="export_purchases",
        command=("python", "-m", "spark_prep.shop.export_purchases", "--date", DAY),
        settings=(*STAGING_SETTINGS, "START_DATE", "USER_PURCHASE_DSN"),
    )

    release = release_day(STAGED)

    files[0] >> classify_reviews >> check("classified_movie_review") >> release
    files[1] >> parse_logs >> check("review_logs") >> release
    export_purchases >> check("user_purchase") >> release

    if cluster := spark_cluster():
        # It costs money while it waits: it starts when both files are there, and goes whatever happens.
        start, stop = cluster
        files >> start >> [classify_reviews, parse_logs] >> stop


staging()
