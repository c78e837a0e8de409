"""The day's figures in Airflow: the outcome of each table's records, and of each test."""

from __future__ import annotations

import json

from airflow.sdk import Asset

from pipeline.jobs import JobProcess
from pipeline.settings import DAY, MAX_REJECTED_SHARE

LEDGER = "{:<24} {:>9} {:>11} {:>9} {:>9} {:>10} {:>14}"


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
    """The day's rows of the ledger and its test results: a table in the log, all of it as JSON in XCom."""
    return DaySummary(
        task_id="summarize_day",
        command=("dbt", "--quiet", "run-operation", "day_summary", "--args", json.dumps({"day": DAY})),
        settings=("warehouse",),
        outlets=[marts],
    )


class DaySummary(JobProcess):
    def execute(self, context) -> dict:
        summary = super().execute(context)
        for line in table_of(summary):
            self.log.info("%s", line)
        return summary


def table_of(summary: dict) -> list[str]:
    """The summary (dbt's macro day_summary) as lines for people."""
    columns = ("delivered", "quarantined", "staged", "in_marts", "duplicate", "unattributable")
    lines = [
        f"Ledger of {summary['day']}",
        LEDGER.format("table", *(name.replace("_", " ") for name in columns)),
    ]
    for row in summary["ledger"]:
        figures = (f"{row[f'records_{column}']:,}" for column in columns)
        lines.append(
            LEDGER.format(row["table_name"], *figures) + ("" if row["is_delivered"] else "  NOT DELIVERED")
        )
        lines += [f"    {records:,} rejected: {reason}" for reason, records in row["rejected"].items()]
        if row["table_name"] == "user_purchase":
            money = (row[f"amount_{where}"] for where in ("staged", "in_marts", "unattributable"))
            lines.append("    money: {} staged = {} in marts + {} unattributable".format(*money))
    tests = ", ".join(f"{count} {status}" for status, count in summary["tests"].items() if count)
    lines.append(f"Tests: {tests or 'none has run'}")
    lines += [
        f"    {test['status']} {test['name']}: {test['failures']} rows" for test in summary["not_passed"]
    ]
    return lines
