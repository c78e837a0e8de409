"""Builds the warehouse for a day: dimensions, facts, ledger, with all their tests, and the docs site.

**When**: as soon as `staging` has released a day. By hand: trigger it with the day as partition key, or run a backfill of `staging`.

**What**: makes sure that what is staged is what was checked, and runs one `dbt build` of the day, which creates or updates the external
tables first, and of which each seed and model and its tests is a task; sums the day up (`summarize_day`: table in the log, JSON in XCom),
publishes report and docs, and starts `reconciliation`.

**When it fails**: the failed model or test is the red task, and its alert says why. When the cause is gone, clear `confirm_staged` with
what follows: one build makes the day again; the day is replaced, never added to. All cases: `airflow/RUNBOOK.md`, section *analytics*.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import PartitionedAssetTimetable, dag

from pipeline.assets import MARTS, STAGED
from pipeline.defaults import DEFAULTS
from pipeline.quality import confirm_staged, summarize_day
from pipeline.settings import MACROS, START_DATE
from pipeline.warehouse import models, publish_docs, publish_report


@dag(
    schedule=PartitionedAssetTimetable(assets=STAGED),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    user_defined_macros=MACROS,
    doc_md=__doc__,
    tags=["movie-analytics", "warehouse"],
)
def analytics() -> None:
    reconcile = TriggerDagRunOperator(task_id="reconcile", trigger_dag_id="reconciliation", logical_date=None)

    confirm_staged() >> models() >> summarize_day(MARTS) >> publish_report() >> publish_docs() >> reconcile


analytics()
