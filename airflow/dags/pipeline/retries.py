"""How long a failed task waits for its next try."""

from __future__ import annotations

from datetime import timedelta
from secrets import SystemRandom

from airflow.sdk import Context, RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision

FIRST, TIMES = timedelta(minutes=1), 3


class GrowingWaits(RetryPolicy):
    """1, 3 and 9 minutes, each up to twice as long, so that tasks that failed together do not come back together.

    Counted since the task was last cleared: Airflow's own backoff counts all tries that a task ever had, and would let one that was
    cleared a few times wait for hours. A task whose worker died is not asked here: it waits for its retry_delay.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        if context is None:
            return RetryDecision.default()
        # Clearing sets the most tries to those that were made and the task's retries.
        tries_before = max_tries - (context["task"].retries or 0)
        wait = FIRST * TIMES ** (try_number - tries_before - 1)
        return RetryDecision.retry(delay=wait * SystemRandom().uniform(1, 2))
