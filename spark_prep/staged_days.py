"""Says what is staged: `python -m spark_prep.staged_days`, or `--date D` for one day that must be ready.

Prints one JSON object, day -> {"delivered": {table: run}, "staged": {table: run}, "accepted": [{"table", "by", "because"}]}:
the runs that count now, and those that were checked and released (release_day). With `--date` the two must be the same: a
day that was staged again since its release, or never released, ends with exit code 2.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.dataset

from spark_prep.contract import tables
from spark_prep.contract.days import iso_day
from spark_prep.contract.object_store import store_and_path
from spark_prep.errors import PreparationError, not_done, run
from spark_prep.settings import read_settings


def staged_days(staging_uri: str, day: date | None = None) -> dict[str, dict[str, Any]]:
    """What is printed; all days that have a delivery row, in order, or the one if it has."""
    days: dict[str, dict[str, Any]] = {}
    for row in _rows(staging_uri, "delivery", tables.DELIVERY, day):
        found = days.setdefault(row["insert_date"], {"delivered": {}, "staged": {}, "accepted": []})
        found["delivered"][row["table_name"]] = row["run"]
    for row in _rows(staging_uri, "staged", tables.STAGED, day):
        if row["insert_date"] in days:
            days[row["insert_date"]]["staged"][row["table_name"]] = row["run"]
            if row["accepted_by"]:
                acceptance = {
                    "table": row["table_name"],
                    "by": row["accepted_by"],
                    "because": row["accepted_because"],
                }
                days[row["insert_date"]]["accepted"].append(acceptance)
    return dict(sorted(days.items()))


def require_ready(day: date, found: dict[str, Any] | None) -> None:
    """Raise PreparationError unless the runs that count are those that were released."""
    if not found or not found["staged"]:
        raise PreparationError(
            f"{day} has not been released: one of its checks has not passed; look at the run of `staging` for {day}"
        )
    changed = [
        f"{table} is run {found['delivered'].get(table)}, run {released} was checked"
        for table, released in found["staged"].items()
        if found["delivered"].get(table) != released
    ]
    if changed:
        raise PreparationError(
            f"{day} has been staged again since it was checked ({'; '.join(changed)}): this build starts again when the checks have "
            f"passed; if `staging` does not run for {day}, clear its checks with all that follows"
        )


def _rows(staging_uri: str, folder: str, columns: pa.Schema, day: date | None) -> list[dict[str, Any]]:
    """The rows of all days' files, read side by side."""
    store, path = store_and_path(staging_uri)
    place = f"{path}/{folder}" + (f"/insert_date={day}" if day else "")
    schema = columns.append(pa.field("insert_date", pa.string()))
    partitioning = pa.dataset.partitioning(pa.schema([("insert_date", pa.string())]), flavor="hive")
    try:
        dataset = pa.dataset.dataset(
            place, schema=schema, filesystem=store, format="parquet", partitioning=partitioning, partition_base_dir=f"{path}/{folder}",
        )  # fmt: skip
        rows: list[dict[str, Any]] = dataset.to_table().to_pylist()
    except FileNotFoundError:
        return []
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.staged_days",
        description="Print the runs that count on each staged day, and those that were released. Takes STAGING_URI from the "
        "environment.",
    )
    parser.add_argument(
        "--date", metavar="D", help="one insert_date, as YYYY-MM-DD, which must be ready for a build"
    )
    arguments = parser.parse_args()
    settings = read_settings("STAGING_URI")
    day = iso_day("--date", arguments.date) if arguments.date else None
    try:
        days = staged_days(settings["STAGING_URI"], day)
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{settings['STAGING_URI']} cannot be read", error) from error
    if day:
        found = days.get(str(day))
        require_ready(day, found)
        print(json.dumps(found), flush=True)
    else:
        print(json.dumps(days), flush=True)


if __name__ == "__main__":
    run(main)
