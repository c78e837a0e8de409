"""The outcome of a run, as one short table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Outcome(NamedTuple):
    """The outcome for one staging table over the days of a run."""

    table: str
    days: Sequence[date]
    not_delivered: Sequence[date]
    delivered: int
    staged: int
    # reason -> records
    quarantined: dict[str, int]
    staging_uri: str
    quarantine_uri: str


COLUMNS = ("table", "days", "not delivered", "delivered", "staged", "quarantined")


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a line for each staging table, then the reasons of what was rejected, then where things are."""
    rows = [COLUMNS] + [
        (
            outcome.table,
            f"{len(outcome.days):,}",
            f"{len(outcome.not_delivered):,}",
            f"{outcome.delivered:,}",
            f"{outcome.staged:,}",
            f"{sum(outcome.quarantined.values()):,}",
        )
        for outcome in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    print()
    for name, *numbers in rows:
        print(
            name.ljust(widths[0]),
            *(number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)),
            sep="  ",
        )
    for outcome in outcomes:
        _print_findings(outcome)
    print(f"\nstaging     {outcomes[0].staging_uri}")
    print(f"quarantine  {outcomes[0].quarantine_uri}")


def _print_findings(outcome: Outcome) -> None:
    if outcome.quarantined:
        print(f"\nquarantined from {outcome.table}:")
        for reason, records in sorted(outcome.quarantined.items(), key=lambda item: (-item[1], item[0])):
            print(f"{records:>9,}  {reason}")
    rejected = sum(outcome.quarantined.values())
    if 2 * rejected > outcome.delivered:
        print(f"\nwarning: {rejected:,} of {outcome.delivered:,} records of {outcome.table} were rejected")
    missing = outcome.delivered - outcome.staged - rejected
    if missing:
        print(
            f"\n{outcome.table}: {missing:,} delivered records are neither staged nor quarantined; the ledger will not balance"
        )


def sum_by_reason(rejected: Mapping[tuple[date, str], int]) -> dict[str, int]:
    """From (insert_date, reason) → records to reason → records."""
    totals: dict[str, int] = {}
    for (_, reason), records in rejected.items():
        totals[reason] = totals.get(reason, 0) + records
    return totals
