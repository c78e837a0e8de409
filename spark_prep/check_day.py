"""Checks how staging a day went: `python -m spark_prep.check_day --table T --date D --max-rejected-share X --min-usual-share Y`.

What arrived and what was rejected is read from the staging tables `delivery` and `rejection`, and the staged records are
counted in the footers of the files of the run that `delivery` names; no Spark is needed. The figures are printed for people and, as the last line of
standard output, as a JSON object. A day that must not go on to the warehouse ends with exit code 2, or with 3 if a person may
accept it as it is.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from spark_prep.contract import tables
from spark_prep.contract.days import iso_day
from spark_prep.contract.object_store import store_and_path
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.contract.publish import committed, delivery_file, files_of, rejections
from spark_prep.errors import NeedsAcceptance, PreparationError, not_done, run
from spark_prep.settings import read_settings

SETTINGS = ("STAGING_URI", "QUARANTINE_URI")
# What is usual on a weekday is the median of its last weeks; fewer than so many days say nothing.
WEEKS, FEWEST_DAYS = 8, 3


class Limits(NamedTuple):
    """What passes without a person, as shares from 0 to 1."""

    # of the delivered records, at most rejected
    max_rejected: float
    # of the records that are usual on the weekday, at least delivered
    min_usual: float


class Checked(NamedTuple):
    """The run of a table that counts on a day, None when nothing was delivered; its outcome; the records that are usual on such a
    weekday, None while too few days are known."""

    run: str | None
    outcome: Outcome
    usual: float | None


def read_outcome(settings: dict[str, str], table: str, day: date) -> Checked:
    """The outcome of the day's committed run; raises PreparationError when the day was never staged."""
    staging_uri = settings["STAGING_URI"]
    delivery = committed(staging_uri, table, day)
    if delivery is None:
        raise PreparationError(
            f"{table} of {day} was never staged: there is no {staging_uri}/{delivery_file(table, day)}; "
            "stage that day, then check it again"
        )
    staged, quarantined = 0, {}
    if delivery.run:
        staged = sum(_rows(staging_uri, file) for file in files_of(staging_uri, table, day, delivery.run))
        quarantined = rejections(staging_uri, table, day, delivery.run)
    outcome = Outcome(
        table=table,
        days=[day],
        not_delivered=[] if delivery.is_delivered else [day],
        delivered=delivery.delivered_records,
        staged=staged,
        quarantined=quarantined,
        staging_uri=staging_uri,
        quarantine_uri=settings["QUARANTINE_URI"],
    )
    return Checked(delivery.run, outcome, usual_records(staging_uri, table, day))


def usual_records(staging_uri: str, table: str, day: date) -> float | None:
    """The median of what was delivered on the same weekday of the last WEEKS weeks."""
    deliveries = [committed(staging_uri, table, day - timedelta(weeks=n)) for n in range(1, WEEKS + 1)]
    counts = [delivery.delivered_records for delivery in deliveries if delivery and delivery.is_delivered]
    return median(counts) if len(counts) >= FEWEST_DAYS else None


def require_sound(checked: Checked, limits: Limits) -> None:
    """Raise PreparationError when a record is unaccounted for, NeedsAcceptance when too large a share was rejected or too few records
    were delivered."""
    outcome = checked.outcome
    of_the_day = f"{outcome.table} of {outcome.days[0]}"
    accounted = outcome.staged + sum(outcome.quarantined.values())
    if accounted != outcome.delivered:
        raise PreparationError(
            f"{of_the_day}: {outcome.delivered:,} records were delivered, {accounted:,} are staged or quarantined; "
            "a job lost records or files were changed by hand: stage that day again"
        )
    if checked.usual and not outcome.not_delivered and outcome.delivered < limits.min_usual * checked.usual:
        raise NeedsAcceptance(
            f"{of_the_day}: {outcome.delivered:,} records were delivered, less than {limits.min_usual:.0%} of the {checked.usual:,.0f} that "
            f"are usual on a {outcome.days[0]:%A} (the median of the last {WEEKS}): the file may be cut off. Ask who delivers it, and have "
            "it delivered again and stage that day again, or accept the day as it is"
        )
    share = rejected_share(outcome)
    if share > limits.max_rejected:
        by_number = sorted(outcome.quarantined.items(), key=lambda item: (-item[1], item[0]))
        reasons = ", ".join(f"{records:,} {reason}" for reason, records in by_number)
        raise NeedsAcceptance(
            f"{of_the_day}: {share:.1%} of the records were rejected, more than the {limits.max_rejected:.1%} allowed "
            f"({reasons}); they are in {outcome.quarantine_uri}/{outcome.table}/insert_date={outcome.days[0]}/. Look at "
            "them, and have the file delivered again and stage that day again, or accept the day as it is"
        )


def rejected_share(outcome: Outcome) -> float:
    return sum(outcome.quarantined.values()) / outcome.delivered if outcome.delivered else 0.0


def _rows(root: str, path: str) -> int:
    store, _ = store_and_path(root)
    with store.open_input_file(path) as file:
        return int(pq.ParquetFile(file).metadata.num_rows)


def add_limit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-rejected-share", required=True, metavar="X", type=_share,
        help="the largest share of the delivered records, 0 to 1, that may have been rejected",
    )  # fmt: skip
    parser.add_argument(
        "--min-usual-share", required=True, metavar="Y", type=_share,
        help="the smallest share, 0 to 1, of the records that are usual on that weekday, which must have been delivered",
    )  # fmt: skip


def limits_of(arguments: argparse.Namespace) -> Limits:
    return Limits(arguments.max_rejected_share, arguments.min_usual_share)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.check_day",
        description="Check that every record of a staged day is accounted for and that not too many were rejected. Takes "
        "STAGING_URI and QUARANTINE_URI from the environment.",
    )
    parser.add_argument("--table", required=True, choices=tables.STAGING, help="the staging table")
    parser.add_argument("--date", required=True, metavar="D", help="the insert_date, as YYYY-MM-DD")
    add_limit_options(parser)
    arguments = parser.parse_args()
    settings, day = read_settings(*SETTINGS), iso_day("--date", arguments.date)
    try:
        checked = read_outcome(settings, arguments.table, day)
    except (OSError, pa.ArrowException) as error:
        what = f"{arguments.table} of {day} cannot be read in {settings['STAGING_URI']}"
        raise not_done(what, error) from error
    outcome = checked.outcome
    print_outcomes([outcome])
    figures = {
        "table": outcome.table,
        "date": str(day),
        "run": checked.run,
        "is_delivered": not outcome.not_delivered,
        "delivered": outcome.delivered,
        "staged": outcome.staged,
        "quarantined": outcome.quarantined,
        "rejected_share": round(rejected_share(outcome), 4),
        "usual": checked.usual,
    }
    print(json.dumps(figures), flush=True)
    require_sound(checked, limits_of(arguments))


if __name__ == "__main__":
    run(main)
