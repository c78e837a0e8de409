"""Shows raw records of quarantine, which are encrypted: `python -m spark_prep.read_rejected --date D --table T [--reason R] [--id N]`.

Prints a JSON object for each rejected record of the run that counts. Before that, who reads which records is written down beside them, in
QUARANTINE_URI/read/: the time, the user and machine, table, day, run, what was asked for, and how many records; nothing of
their content. Without that line nothing is shown.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import json
import os
import pwd
import secrets
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from spark_prep.contract import tables
from spark_prep.contract.days import iso_day
from spark_prep.contract.encryption import SECRET, read_batches
from spark_prep.contract.object_store import replace
from spark_prep.contract.publish import committed, files_of
from spark_prep.errors import PreparationError, not_done, run
from spark_prep.settings import read_settings

SETTINGS = ("STAGING_URI", "QUARANTINE_URI")
RECORDS_AT_ONCE = 256


def read_rejected(
    settings: dict[str, str], table: str, day: date, reason: str | None = None, record_id: str | None = None
) -> Iterator[dict[str, Any]]:
    """The day's rejected records, or those with this reason and this id, as rows of tables.QUARANTINE.

    Raises PreparationError when nothing was delivered on the day, when a file cannot be decrypted, and when the reading cannot be
    recorded.
    """
    delivery = committed(settings["STAGING_URI"], table, day)
    if delivery is None or delivery.run is None:
        raise PreparationError(f"{table} of {day} was not delivered, so there are no rejected records")
    files = files_of(settings["QUARANTINE_URI"], table, day, delivery.run)

    def rows() -> Iterator[dict[str, Any]]:
        for path in files:
            for batch in read_batches(settings["QUARANTINE_URI"], path, RECORDS_AT_ONCE):
                for row in batch.to_pylist():
                    if reason in (None, row["reason"]) and record_id in (None, row["record_id"]):
                        yield row

    # read twice: the number is recorded before anything is shown
    records = sum(1 for _ in rows())
    _record(
        settings,
        table=table,
        day=str(day),
        run=delivery.run,
        reason=reason,
        record_id=record_id,
        records=records,
    )
    yield from rows()


def _record(settings: dict[str, str], **what: object) -> None:
    now = datetime.now(UTC)
    who = f"{_user()}@{socket.gethostname()}"
    line = json.dumps({"at": now.isoformat(timespec="seconds"), "who": who, **what})
    name = f"read/{now:%Y-%m-%d}/{now:%H%M%S}-{secrets.token_hex(4)}.json"
    replace(settings["QUARANTINE_URI"], name, pa.py_buffer(line.encode() + b"\n"))
    print(f"recorded in {settings['QUARANTINE_URI']}/{name}: {line}", file=sys.stderr)


def _user() -> str:
    """The user's name, or in a container that does not know it, their number. Not from the environment, which anyone can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _shown(row: dict[str, Any]) -> str:
    """As JSON in ASCII, so that nothing in a record can do anything to a terminal. Bytes that are no text are in base64."""
    raw = row.pop("raw_bytes", None)
    if raw is not None:
        row["raw_base64"] = base64.b64encode(raw).decode()
    return json.dumps(row)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.read_rejected",
        description="Show the rejected records of a day as they were delivered, and record who read them. Takes STAGING_URI, QUARANTINE_URI "
        "and QUARANTINE_SECRET from the environment, and asks for the key at a terminal; records of a cluster need the right to "
        "decrypt with its key.",
    )
    parser.add_argument("--date", required=True, metavar="D", help="the insert_date, as YYYY-MM-DD")
    parser.add_argument("--table", required=True, choices=sorted(tables.STAGING), help="the staging table")
    parser.add_argument("--reason", metavar="R", help="only records that were rejected for this reason")
    parser.add_argument("--id", metavar="N", help="only records with this id")
    arguments = parser.parse_args()
    day = iso_day("--date", arguments.date)
    settings = read_settings(*SETTINGS)
    if not os.environ.get(SECRET) and not os.environ.get("QUARANTINE_KEY_ID") and sys.stdin.isatty():
        os.environ[SECRET] = getpass.getpass(f"{SECRET}: ")
    try:
        for row in read_rejected(settings, arguments.table, day, arguments.reason, arguments.id):
            print(_shown(row))
    except (OSError, pa.ArrowException) as error:
        raise not_done(
            f"rejected records of {arguments.table} of {day} cannot be read in {settings['QUARANTINE_URI']}",
            error,
        ) from error


if __name__ == "__main__":
    run(main)
