"""Builds the warehouse for a day: dimensions, facts, ledger, with all their tests, and the docs site.

**When**: as soon as `staging` has brought in all three tables of a day. By hand: trigger it with the day as partition
key, or run a backfill of `staging`.

**What**: runs one `dbt build` of the day, which creates or updates the external tables first, and of which each seed and model and its
tests is a task, sums the day up (`summarize_day`: table in the log, JSON in XCom), and publishes report and docs.

**When it fails**: the failed model or test is the red task; its log says which rows. Clear it and what follows when the
cause is gone; the day is replaced, never added to. All cases: `airflow/RUNBOOK.md`, section *analytics*.
"""

from airflow.sdk import PartitionedAssetTimetable, dag

from pipeline.assets import CLASSIFIED_MOVIE_REVIEW, MARTS, REVIEW_LOGS, USER_PURCHASE
from pipeline.defaults import DEFAULTS
from pipeline.quality import summarize_day
from pipeline.settings import MACROS, START_DATE
from pipeline.warehouse import models, publish_docs, publish_report


@dag(
    schedule=PartitionedAssetTimetable(assets=CLASSIFIED_MOVIE_REVIEW & REVIEW_LOGS & USER_PURCHASE),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    user_defined_macros=MACROS,
    doc_md=__doc__,
    tags=["movie-analytics", "warehouse"],
)
def analytics() -> None:
    models() >> summarize_day(MARTS) >> publish_report() >> publish_docs()


analytics()
