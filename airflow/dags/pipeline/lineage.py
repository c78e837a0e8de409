"""What OpenLineage learns about each task: which datasets it reads and writes, by names that are the same on every platform.

Switched on by configuration alone: AIRFLOW__OPENLINEAGE__TRANSPORT says where events go, AIRFLOW__OPENLINEAGE__EXTRACTORS
(airflow.env) names the class below. The names are raw.<feed>, shop.<table>, staging.<table> and, for what dbt builds,
warehouse.<model>, all in one namespace; paths, buckets and databases are in none of them.
"""

from __future__ import annotations

from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from airflow.sdk import BaseOperator
from openlineage.client.event_v2 import Dataset
from openlineage.client.facet_v2 import RunFacet

NAMESPACE = "movie-analytics"

# task -> (reads, writes)
JOBS = {
    "classify_reviews": (["raw.movie_review"], ["staging.classified_movie_review"]),
    "parse_logs": (["raw.log_reviews"], ["staging.review_logs"]),
    "export_purchases": (["shop.user_purchase"], ["staging.user_purchase"]),
    "load_user_purchase": (["raw.user_purchase"], ["shop.user_purchase"]),
    "check_classified_movie_review": (["staging.classified_movie_review"], []),
    "check_review_logs": (["staging.review_logs"], []),
    "check_user_purchase": (["staging.user_purchase"], []),
    "summarize_day": (["warehouse.ledger"], []),
}
OPERATORS = [
    # processes on the worker
    "JobProcess", "Check", "DaySummary",
    # the Spark jobs' on AWS and GCP
    "ServerlessJob", "EmrSteps", "GlueRun", "Batch", "ClusterJob",
    # dbt's; Cosmos itself would tell names of the warehouse
    "DbtProducerWatcherOperator", "DbtSeedWatcherOperator", "DbtRunWatcherOperator", "DbtSnapshotWatcherOperator",
    "DbtTestWatcherOperator",
]  # fmt: skip


class Datasets(BaseExtractor):
    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        return OPERATORS

    def _execute_extraction(self) -> OperatorLineage[Dataset, RunFacet]:
        reads, writes = datasets_of(self.operator)
        return OperatorLineage(
            inputs=[Dataset(NAMESPACE, name) for name in reads],
            outputs=[Dataset(NAMESPACE, name) for name in writes],
        )


def datasets_of(task: BaseOperator) -> tuple[list[str], list[str]]:
    """The names of what a task reads and of what it writes."""
    node = getattr(task, "extra_context", {}).get("dbt_node_config")
    if node is None:
        return JOBS.get(task.task_id, ([], []))
    name = _name_of(node["unique_id"])
    if task.task_type == "DbtTestWatcherOperator":
        return [name], []
    return sorted(map(_name_of, node["depends_on"])), [name]


def _name_of(unique_id: str) -> str:
    """Of model.<project>.<model>, seeds and snapshots likewise, source.<project>.<source>.<table>."""
    kind, _, *names = unique_id.split(".")
    return ".".join(names) if kind == "source" else f"warehouse.{names[0]}"
