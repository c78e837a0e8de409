"""What Cosmos' tasks do differently here: its producer, which runs one `dbt build`, and the tasks that follow it.

- The producer builds at every try. Cosmos' own skips all but the first, and leaves the rest to one dbt process for each model.
- A failed test or a wrong model fails at once, and the alert has its message; a lost connection, a locked file or a killed process is
  tried again.
- A task that follows goes by the build that it was cleared or started with: what an earlier one said does not count, and a failure
  counts when the producer has given up.
- A model that was cleared without the producer is built by a dbt of its own; on DuckDB these queue for the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from cosmos.operators._watcher.base import BaseConsumerSensor
from cosmos.operators._watcher.state import (
    is_dbt_node_status_skipped,
    is_dbt_node_status_success,
    is_producer_task_terminated,
)
from cosmos.operators.watcher import DbtProducerWatcherOperator

from pipeline.jobs import alone_in_the_warehouse
from pipeline.settings import DBT_PROJECT_DIR

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

    # What the two classes below are mixed into; of the followers there are several.
    from cosmos.operators.watcher import DbtConsumerWatcherSensor as CosmosFollower
    from cosmos.operators.watcher import DbtProducerWatcherOperator as CosmosProducer
else:
    CosmosProducer = CosmosFollower = object

# In dbt's messages: what another try may find mended.
MAY_PASS = re.compile(
    "could not (connect|set lock)|connection (refused|reset|timed out|closed|aborted)|(server|terminating) .*connection|timed? ?out|"
    "temporarily unavailable|broken pipe|network|name resolution|rate ?limit|backend ?error|serializable isolation|could not serialize|"
    r"\b(429|500|502|503) ",
    re.IGNORECASE,
)
# XComs of the producer: which clearing of the run it has built for; {unique_id: message} of what failed.
BUILT_FOR, FAILURES = "built_for", "failures"


def build_again_and_follow(task: BaseOperator) -> None:
    """Give a task of Cosmos the behaviour above."""
    for cosmos, ours in ((DbtProducerWatcherOperator, Producer), (BaseConsumerSensor, Follower)):
        if isinstance(task, cosmos):
            # Cosmos has no place for classes of one's own. The name stays: it is what Airflow and OpenLineage show.
            task.__class__ = type(type(task).__name__, (ours, type(task)), {"__module__": __name__})


class FirstTry:
    """A task instance for Cosmos, which would skip any other try."""

    try_number = 1

    def __init__(self, task_instance: RuntimeTaskInstanceProtocol) -> None:
        self._task_instance = task_instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task_instance, name)


class Producer(CosmosProducer):
    def execute(self, context: Context, **kwargs: Any) -> Any:
        task_instance = context["ti"]
        self.test_results_per_model.clear()
        self._failures: dict[str, str] = {}
        self._is_final = False
        with alone_in_the_warehouse(dict(os.environ)):
            task_instance.xcom_push(BUILT_FOR, context["dag_run"].clear_number)
            try:
                return super().execute({**context, "ti": FirstTry(task_instance)}, **kwargs)
            except AirflowException as error:
                task_instance.xcom_push(FAILURES, self._failures)
                raise self._cause(error) from error

    def _make_parse_callable(self) -> Callable[[str, Any], None]:
        """Of each line that dbt prints."""
        parse = super()._make_parse_callable()

        def note_failures_and_parse(line: str, context: Any) -> None:
            self._note_failure(line)
            parse(line, context)

        return note_failures_and_parse

    def _note_failure(self, line: str) -> None:
        try:
            event = json.loads(line)
            name, data = event["info"]["name"], event["data"]
        except (ValueError, KeyError, TypeError):
            return
        if name == "MainEncounteredError":
            node, status, message = "dbt", "error", data.get("exc")
        elif name == "RunResultError":
            of_node = data.get("node_info") or {}
            node, status = str(of_node.get("unique_id")), str(of_node.get("node_status"))
            message = data.get("msg")
        else:
            return
        if status in ("error", "fail", "runtime error"):
            self._failures[node] = said = " ".join(str(message).split())
            # What a test found stays found, whatever its message looks like ("Got 500 results").
            self._is_final |= status == "fail" or not MAY_PASS.search(said)

    def _cause(self, error: AirflowException) -> AirflowException:
        if not self._failures:
            # killed, or gone before the first model
            return error
        about = descriptions(list(self._failures))
        message = "; ".join(
            f"{_name(node)}: {said}. {about.get(node, '')}".strip() for node, said in self._failures.items()
        )
        return AirflowFailException(message) if self._is_final else AirflowException(message)


class Follower(CosmosFollower):
    def poke(self, context: Context) -> Any:
        producer = self._get_producer_task_status(context)
        status = self._get_node_status(context["ti"], context)
        # Cosmos asks for the producer's state again, and if it has ended since, any try but the first would build the model once more.
        first_try = {**context, "ti": FirstTry(context["ti"])}
        if not is_producer_task_terminated(producer):
            # Whatever is there before it runs is an earlier build's.
            return producer == "running" and is_dbt_node_status_success(status) and super().poke(first_try)
        if context["ti"].try_number > 1 and self._is_cleared_since(context):
            return super().poke(context)
        if is_dbt_node_status_success(status) or is_dbt_node_status_skipped(status):
            return super().poke(first_try)
        raise AirflowFailException(
            f"{self._failure(context)}. When the cause is gone, clear confirm_staged with all that follows: one build makes the day again"
        )

    def _is_cleared_since(self, context: Context) -> bool:
        """Without the producer: its last build was for an earlier clearing of the run."""
        built_for = context["ti"].xcom_pull(self.producer_task_id, key=BUILT_FOR)
        return built_for is None or built_for < (context["dag_run"].clear_number or 0)

    def _failure(self, context: Context) -> str:
        producer = self.dag.get_task(self.producer_task_id)
        failures = context["ti"].xcom_pull(producer.task_id, key=FAILURES) or {}
        node = self.model_unique_id
        nodes = producer.tests_per_model.get(node, []) if self.is_test_sensor else [node]
        said = {each: failures[each] for each in nodes if each in failures}
        if not said:
            return f"the build did not get to it, see {producer.task_id}"
        about = descriptions(list(said))
        return "; ".join(
            f"{_name(each)}: {message}. {about.get(each, '')}".strip(" .") for each, message in said.items()
        )

    def _fallback_to_non_watcher_run(self, *arguments: Any, **named: Any) -> bool:
        with alone_in_the_warehouse(dict(os.environ)):
            try:
                return bool(super()._fallback_to_non_watcher_run(*arguments, **named))
            except AirflowException as error:
                if self.is_test_sensor:
                    raise AirflowFailException(f"{error} See its log for the rows") from error
                raise


def descriptions(nodes: list[str]) -> dict[str, str]:
    """Of tests: what it means that one fails."""
    manifest = json.loads((DBT_PROJECT_DIR / "target/manifest.json").read_text())
    found = {node: manifest["nodes"].get(node, {}) for node in nodes}
    return {
        node: " ".join(entry["description"].split())
        for node, entry in found.items()
        if entry.get("resource_type") == "test"
    }


def _name(unique_id: str) -> str:
    """Of <kind>.<project>.<name>; of a test without its hash."""
    return unique_id.split(".")[2] if unique_id.count(".") >= 2 else unique_id
