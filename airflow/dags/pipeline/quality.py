"""Whether a day may go on: the check of each table, a person's acceptance, the release; and the day's figures in Airflow."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Asset, Context, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from pipeline.alerts import alert_on_failure
from pipeline.assets import TABLES
from pipeline.jobs import JobProcess, NeedsAcceptance
from pipeline.settings import DAY, FILE_DEADLINE, MAX_REJECTED_SHARE, MIN_USUAL_SHARE, day_of

LIMITS = ("--max-rejected-share", str(MAX_REJECTED_SHARE), "--min-usual-share", str(MIN_USUAL_SHARE))
ACCEPT, REJECT = "Accept", "Reject"


def check(table: str) -> Check:
    """Stop the day when too many of a table's records were rejected or too few came, unless a person accepts it as it is."""
    return Check(
        task_id=f"check_{table}",
        command=(
            "python", "-m", "spark_prep.check_day", "--table", table, "--date", DAY, *LIMITS,
        ),
        settings=("STAGING_URI", "QUARANTINE_URI"),
        subject=f"Let {table} of {DAY} go on to the warehouse?",
    )  # fmt: skip


def release_day(staged: Asset) -> JobProcess:
    """The one task that says that a day is staged: all tables checked once more, or accepted."""
    return Release(
        task_id="release_day",
        command=(
            "python", "-m", "spark_prep.release_day", "--date", DAY, *LIMITS,
        ),
        settings=("STAGING_URI", "QUARANTINE_URI"),
        outlets=[staged],
    )  # fmt: skip


def confirm_staged() -> JobProcess:
    """Fails unless the runs that count now are those that were released: with these the day is built, or not at all."""
    return JobProcess(
        task_id="confirm_staged",
        command=("python", "-m", "spark_prep.staged_days", "--date", DAY),
        settings=("STAGING_URI",),
    )


def summarize_day(marts: Asset) -> JobProcess:
    """The day's rows of the ledger and its test results: lines in the log, all of it as JSON in XCom."""
    return DaySummary(
        task_id="summarize_day",
        command=("dbt", "--quiet", "run-operation", "day_summary", "--args", json.dumps({"day": DAY})),
        settings=("warehouse",),
        outlets=[marts],
    )


class Check(JobProcess, HITLOperator):
    """Asks a person about what it would refuse, in Airflow's *Required Actions*, and alerts that it does. An acceptance needs a reason, and
    is the XCom `accepted`: {"run", "by", "because"}. Without an answer the day stops."""

    template_fields = (*JobProcess.template_fields, *HITLOperator.template_fields)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            options=[ACCEPT, REJECT],
            params={"reason": Param("", type="string", title="Reason", description="why the day is right as it is")},
            response_timeout=FILE_DEADLINE,
            **kwargs,
        )  # fmt: skip

    def execute(self, context: Context) -> Any:
        try:
            return JobProcess.execute(self, context)
        except NeedsAcceptance as refusal:
            context["ti"].xcom_push(
                "refused", {"run": refusal.figures.get("run"), "message": refusal.message}
            )
            self.body = (
                f"{refusal.message}\n\n**{ACCEPT}** needs a reason. **{REJECT}**, or no answer within {FILE_DEADLINE}, stops the "
                "day: have the file delivered again, and clear the job before this task."
            )
            asked = AirflowException(
                f"{refusal.message}. The run waits for a person: accept or reject it (Required Actions)"
            )
            alert_on_failure({**context, "exception": asked})
            return HITLOperator.execute(self, context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        refused = context["ti"].xcom_pull(self.task_id, key="refused")
        if "error" in event:
            raise AirflowFailException(f"nobody has answered within {FILE_DEADLINE}: {refused['message']}")
        by = (event["responded_by_user"] or {}).get("name") or "unknown"
        reason = ((event["params_input"] or {}).get("reason") or "").strip()
        if event["chosen_options"] != [ACCEPT]:
            raise AirflowFailException(f"{by} has rejected the day: {refused['message']}")
        if not reason:
            raise AirflowFailException(
                f"{by} has accepted the day without a reason: clear this task, and give one"
            )
        self.log.info("%s has accepted it: %s", by, reason)
        context["ti"].xcom_push("accepted", {"run": refused["run"], "by": by, "because": reason})


class Release(JobProcess):
    def execute(self, context: Context) -> Any:
        accepted = {table: context["ti"].xcom_pull(f"check_{table}", key="accepted") for table in TABLES}
        self.command += ["--accepted", json.dumps({table: said for table, said in accepted.items() if said})]
        released = super().execute(context)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {"day": day_of(context["dag_run"]), **(released or {})}
        return released


class DaySummary(JobProcess):
    def execute(self, context: Context) -> dict[str, Any]:
        summary: dict[str, Any] | None = super().execute(context)
        if summary is None:
            raise AirflowException(
                "dbt's macro day_summary has printed no summary as its last line, see above"
            )
        for line in lines_of(summary):
            self.log.info("%s", line)
        return summary


def lines_of(summary: dict[str, Any]) -> list[str]:
    """The summary (dbt's macro day_summary, which writes the ledger's lines) for people."""
    lines: list[str] = summary["ledger_lines"].copy()
    tests = ", ".join(f"{count} {status}" for status, count in summary["tests"].items() if count)
    lines.append(f"Tests: {tests or 'none has run'}")
    lines += [
        f"    {test['status']} {test['name']}: {test['failures']} rows" for test in summary["not_passed"]
    ]
    return lines
