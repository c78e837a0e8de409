"""What every task of every DAG starts from; a task that needs something else says so."""

from datetime import timedelta

from pipeline.alerts import alert_on_failure
from pipeline.retries import GrowingWaits

DEFAULTS = {
    "owner": "data-platform",
    # Safe because every task replaces its own day. For what may pass: a lost connection, a lost worker. What another try cannot help
    # (a refused file, a failed test) fails at once, by AirflowFailException.
    "retries": 3,
    "retry_policy": GrowingWaits(),
    "retry_delay": timedelta(minutes=1),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": alert_on_failure,
}
# For a timetable without a start date. Airflow 3.3 takes False for "within a tenth of the interval": on a Sunday afternoon, a weekly DAG
# would start as soon as it is deployed.
NOT_AT_ONCE = timedelta(0)
