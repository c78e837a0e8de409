"""Tells people that a task has failed: always in the log, and by e-mail, Slack and SNS where these are configured.

    ALERT_EMAIL             addresses, separated by commas; sent through the connection smtp_default, whose extra has from_email
    ALERT_SLACK_CONNECTION  name of a connection of the type slackwebhook
    ALERT_SNS_TOPIC_ARN     a topic; with the connection aws_default, or else the credentials of the machine
    ALERT_RUNBOOK_URL       where people read RUNBOOK.md

These decide, when the DAGs are parsed, who is notified; the connections are read when there is something to report.
"""

from __future__ import annotations

import logging
import os
from fnmatch import fnmatch
from html import escape

from airflow.sdk import BaseNotifier, Context

from pipeline.settings import day_of

EMAIL = os.environ.get("ALERT_EMAIL", "")
SLACK_CONNECTION = os.environ.get("ALERT_SLACK_CONNECTION", "")
SNS_TOPIC_ARN = os.environ.get("ALERT_SNS_TOPIC_ARN", "")
RUNBOOK_URL = os.environ.get("ALERT_RUNBOOK_URL", "airflow/RUNBOOK.md")

# Tasks that share a section of the runbook; all others have one of their own name.
SECTIONS = (
    ("wait_for_*", "wait_for"),
    ("check_*", "check"),
    ("dbt.dbt_producer*", "dbt_build"),
    ("dbt.*.test", "dbt_test"),
    ("dbt.*", "dbt_model"),
)
# E-mails and texts on a phone are for the cause; the whole is in the log.
MOST_OF_A_CAUSE = 1500

log = logging.getLogger(__name__)


def alert_on_failure(context: Context) -> None:
    """The on_failure_callback of every task: called once, when no try is left."""
    subject, text = message_of(context)
    log.error("%s\n%s", subject, text)
    # A cause may hold braces: the notifiers render their texts as templates, so it comes to them as a value. It may hold
    # <…>, too, which means something in HTML and, with the same escapes, in Slack; so may the id of a run.
    told = {
        **context,
        "alert_subject": subject,
        "alert_text": text,
        "alert_escaped_subject": escape(subject, quote=False),
        "alert_escaped": escape(text, quote=False),
    }
    for channel in (_email, _slack, _sns):
        try:
            if notifier := channel():
                notifier(told)
        except Exception:
            # One channel's trouble must neither hide the failure nor silence the others.
            log.exception("The alert could not be sent by %s", channel.__name__.strip("_"))


def message_of(context: Context) -> tuple[str, str]:
    """A line that names task and day, and the whole message."""
    task_instance = context["ti"]
    index = task_instance.map_index
    task = task_instance.task_id + (f" [{index}]" if index is not None and index >= 0 else "")
    run = context["dag_run"]
    try:
        day = day_of(run)
    except ValueError:
        day = run.run_id
    # A partition key is any text that somebody typed, and Airflow makes it a part of the run's id: no line break may get into
    # the head of an e-mail.
    subject = " ".join(f"{task_instance.dag_id}: {task} of {day} failed".split())
    error = context.get("exception")
    cause = f"{type(error).__name__}: {error}" if error else "no cause is known: its process is gone"
    if len(cause) > MOST_OF_A_CAUSE:
        cause = f"{cause[:MOST_OF_A_CAUSE]} …"
    return subject, "\n".join(
        [
            cause,
            "",
            f"owner    {context['task'].owner}",
            f"try      {task_instance.try_number} of {task_instance.max_tries + 1}",
            f"runbook  {RUNBOOK_URL}#{runbook_section(task_instance.task_id)}",
            f"log      {task_instance.log_url}",
        ]
    )


def runbook_section(task_id: str) -> str:
    return next((section for pattern, section in SECTIONS if fnmatch(task_id, pattern)), task_id)


def _email() -> BaseNotifier | None:
    if not EMAIL:
        return None
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    return SmtpNotifier(
        to=[address.strip() for address in EMAIL.split(",")],
        subject="{{ alert_subject }}",
        html_content="<pre>{{ alert_escaped }}</pre>",
    )


def _slack() -> BaseNotifier | None:
    if not SLACK_CONNECTION:
        return None
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    return SlackWebhookNotifier(
        slack_webhook_conn_id=SLACK_CONNECTION,
        text="*{{ alert_escaped_subject }}*\n{{ alert_escaped }}",
        timeout=10,
    )


def _sns() -> BaseNotifier | None:
    if not SNS_TOPIC_ARN:
        return None
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

    return SnsNotifier(
        target_arn=SNS_TOPIC_ARN,
        region_name=SNS_TOPIC_ARN.split(":")[3],
        # SNS takes no longer subject.
        subject="{{ alert_subject[:100] }}",
        message="{{ alert_subject }}\n\n{{ alert_text }}",
    )
