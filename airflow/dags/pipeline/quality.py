"""The day's figures in Airflow: the outcome of each table's records, and of each test."""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk import Asset, Context
from airflow.sdk.exceptions import AirflowException

from pipeline.jobs import JobProcess
from pipeline.settings import DAY, MAX_REJECTED_SHARE


def check(table: Asset) -> JobProcess:
    """Stop the day when too large a share of a table's records was rejected; otherwise report that the table is there."""
    return JobProcess(
        task_id=f"check_{table.name}",
        command=(
            "python", "-m", "spark_prep.check_day", "--table", table.name, "--date", DAY,
            "--max-rejected-share", str(MAX_REJECTED_SHARE),
        ),
        settings=("STAGING_URI", "QUARANTINE_URI"),
        outlets=[table],
    )  # fmt: skip


def summarize_day(marts: Asset) -> JobProcess:
    """The day's rows of the ledger and its test results: lines in the log, all of it as JSON in XCom."""
    return DaySummary(
        task_id="summarize_day",
        command=("dbt", "--quiet", "run-operation", "day_summary", "--args", json.dumps({"day": DAY})),
        settings=("warehouse",),
        outlets=[marts],
    )


class DaySummary(JobProcess):
    def execute(self, context: Context) -> dict[str, Any]:
        summary = super().execute(context)
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
