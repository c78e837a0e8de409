"""What every task of every DAG starts from; a task that needs something else says so."""

from datetime import timedelta

from pipeline.alerts import alert_on_failure

DEFAULTS = {
    "owner": "data-platform",
    # Safe because every task replaces its own day.
    "retries": 2,
    "retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": alert_on_failure,
}
