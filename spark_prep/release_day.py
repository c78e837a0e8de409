"""Lets a staged day go on to the warehouse: `python -m spark_prep.release_day --date D …`.

Every table of the day is checked once more, as it is now. Then one file, STAGING_URI/staged/insert_date=D/day.parquet, names the
run of each table: what a build of the day stands on. A run that the check refuses passes if a person has accepted that very run
(`--accepted`, a JSON object: table -> {"run", "by", "because"}). The last line of standard output is {"runs": {table: run}}.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spark_prep.check_day import SETTINGS, Limits, add_limit_options, limits_of, read_outcome, require_sound
from spark_prep.contract import tables
from spark_prep.contract.days import iso_day
from spark_prep.contract.object_store import replace
from spark_prep.contract.publish import committed, staged_file
from spark_prep.errors import NeedsAcceptance, PreparationError, not_done, run
from spark_prep.settings import read_settings


def release(
    settings: dict[str, str], day: date, limits: Limits, accepted: dict[str, dict[str, Any]]
) -> dict[str, str | None]:
    """Check and release the day; returns the run of each table, None where nothing was delivered.

    Raises PreparationError when a table is not sound and nobody has accepted its run.
    """
    rows: list[dict[str, str | None]] = []
    for table in tables.STAGING:
        checked = read_outcome(settings, table, day)
        by = because = None
        try:
            require_sound(checked, limits)
        except NeedsAcceptance as refusal:
            acceptance = accepted.get(table)
            if acceptance is None or acceptance["run"] != checked.run:
                raise PreparationError(
                    f"{refusal}. Nobody has accepted run {checked.run}: clear check_{table}, and answer it"
                ) from None
            by, because = acceptance["by"], acceptance["because"]
        rows.append({"table_name": table, "run": checked.run, "accepted_by": by, "accepted_because": because})
    # Made of the same records as the table that was checked.
    rows.extend(
        {"table_name": table, "run": delivery.run, "accepted_by": None, "accepted_because": None}
        for table in tables.OPTIONAL
        if (delivery := committed(settings["STAGING_URI"], table, day))
    )
    content = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=tables.STAGED), content)
    replace(settings["STAGING_URI"], staged_file(day), content.getvalue())
    return {str(row["table_name"]): row["run"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.release_day",
        description="Check all tables of a staged day, and let it go on to the warehouse. Takes STAGING_URI and QUARANTINE_URI "
        "from the environment.",
    )
    parser.add_argument("--date", required=True, metavar="D", help="the insert_date, as YYYY-MM-DD")
    add_limit_options(parser)
    parser.add_argument(
        "--accepted", default="{}", metavar="JSON", type=json.loads,
        help='runs that a person has accepted all the same: {"<table>": {"run": …, "by": …, "because": …}}',
    )  # fmt: skip
    arguments = parser.parse_args()
    settings, day = read_settings(*SETTINGS), iso_day("--date", arguments.date)
    try:
        runs = release(settings, day, limits_of(arguments), arguments.accepted)
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{day} cannot be released in {settings['STAGING_URI']}", error) from error
    print(json.dumps({"runs": runs}), flush=True)


if __name__ == "__main__":
    run(main)
