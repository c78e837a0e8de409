"""The days of a run: each command takes one day (--date) or a range (--from, --to), both ends included."""

from __future__ import annotations

import argparse
from datetime import date, timedelta

from spark_prep.errors import PreparationError


def add_day_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", metavar="D", help="one insert_date, as YYYY-MM-DD")
    parser.add_argument("--from", metavar="A", dest="first", help="first insert_date of a range")
    parser.add_argument("--to", metavar="B", dest="last", help="last insert_date of a range, included")


def days_of(arguments: argparse.Namespace) -> list[date]:
    """The days that the options name, ascending and without gaps.

    Raises PreparationError unless there is either --date or both --from and --to, as ISO dates in order.
    """
    given = (arguments.date is not None, arguments.first is not None, arguments.last is not None)
    if given == (True, False, False):
        return [iso_day("--date", arguments.date)]
    if given != (False, True, True):
        raise PreparationError("name the days: either --date D, or --from A and --to B")
    first, last = iso_day("--from", arguments.first), iso_day("--to", arguments.last)
    if first > last:
        raise PreparationError(f"--from {first} is after --to {last}; swap them")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def iso_day(name: str, text: str) -> date:
    """Read YYYY-MM-DD; anything else raises a PreparationError that names the option or setting."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # fromisoformat also takes 20210131 and 2021-W04-7
    if day is None or day.isoformat() != text:
        raise PreparationError(f"{name} is {text!r}; write a calendar day as YYYY-MM-DD")
    return day
