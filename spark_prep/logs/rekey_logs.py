"""Takes the pseudonyms of an earlier key out of staging, after the key was changed: `python -m spark_prep.logs.rekey_logs`.

Nothing leads from an old pseudonym to a new one, so the logs of those days are staged again from the vendor's files, which the raw
layer keeps. Without an option, logs with pseudonyms of another key than PSEUDONYM_KEY_VERSION are counted. --stage stages their days
again; the last line of standard output names the days that the warehouse has to build then, as environment variables of dbt, or none.
--remove, after that build, removes what was replaced: runs that nobody reads any more. If either is killed, call it again. Run it
while no job stages logs.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from spark_prep.contract.encryption import key_id
from spark_prep.contract.object_store import store_and_path
from spark_prep.contract.publish import (
    Delivery,
    committed,
    new_run,
    part_files,
    remove_run,
)
from spark_prep.errors import PreparationError, not_done, run
from spark_prep.logs.parse_logs import LOG_REVIEWS, SETTINGS, parse_logs
from spark_prep.logs.pseudonyms import key_version, require_key
from spark_prep.settings import read_settings
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import delivered_files

TABLE = "review_logs"
READ_AT_ONCE = 8
# What is staged when a call is killed stays staged.
DAYS_AT_ONCE = 31
# A file that a killed run has left half-written.
UNREADABLE = "?"


class Found(NamedTuple):
    """Staged logs with pseudonyms of other keys than the one that counts now."""

    # day → its delivery row, of days whose logs have such
    days: dict[date, Delivery]
    # version of the key → logs of these days; UNREADABLE → files
    logs: Counter[str]
    # (day, run) of runs that have such and are not the day's
    replaced: list[tuple[date, str]]


def find_other_keys(staging_uri: str, version: str) -> Found:
    """Look at all files of staged logs, in any run of any day. A file that cannot be read may have any pseudonyms."""
    files = part_files(staging_uri, TABLE)
    with ThreadPoolExecutor(READ_AT_ONCE) as threads:
        versions = list(threads.map(partial(_versions, staging_uri), files))
        others = [
            (file, Counter(of)) for file, of in zip(files, versions, strict=True) if of.keys() - {version}
        ]
        days = sorted({day for (day, _, _), _ in others})
        rows = dict(zip(days, threads.map(partial(committed, staging_uri, TABLE), days), strict=True))
    found = Found({}, Counter(), [])
    for (day, run_id, _), of in others:
        row = rows[day]
        if row and row.run == run_id:
            del of[version]
            found.days[day] = row
            found.logs.update(of)
        elif (day, run_id) not in found.replaced:
            found.replaced.append((day, run_id))
    return found


def _versions(staging_uri: str, file: tuple[date, str, str]) -> dict[str, int]:
    """Of a file of staged logs: version of the key → logs."""
    store, _ = store_and_path(staging_uri)
    try:
        with store.open_input_file(file[2]) as opened:
            column = pq.ParquetFile(opened).read(columns=["pseudonym_key_version"]).column(0)
    except pa.ArrowInvalid:
        return {UNREADABLE: 1}
    return {str(row["values"]): row["counts"] for row in column.value_counts().to_pylist()}


def stage_again(settings: dict[str, str], days: Mapping[date, Delivery]) -> list[date]:
    """Stage the logs of these days with the key that counts now, a month at a time. Returns those whose files have fewer records than they had:
    they stay as they are, since what they have lost is nowhere else. Raises PreparationError as parse_logs does."""
    kept, longer = [], []
    require_key()
    key_id()  # before Spark starts
    spark = start_spark("rekey logs")
    ordered = sorted(days)
    for begin in range(0, len(days), DAYS_AT_ONCE):
        some = ordered[begin : begin + DAYS_AT_ONCE]
        staged = parse_logs(spark, settings, some, {day: days[day].delivered_records for day in some}).staged
        print(
            f"{begin + len(some):,} of {len(days):,} days, up to {some[-1]}: {staged:,} logs staged again",
            flush=True,
        )
        for day in some:
            now = committed(settings["STAGING_URI"], TABLE, day)
            if now == days[day]:
                kept.append(day)
            elif now and now.delivered_records > days[day].delivered_records:
                longer.append(day)
    if longer:
        print(f"  warning: the files of {_listed(longer)} have changed: they have more records than before")
    return kept


def remove_replaced(settings: dict[str, str], found: Found) -> None:
    run_of_now = new_run(settings, TABLE)
    for day, run_id in found.replaced:
        remove_run(run_of_now._replace(id=run_id), day)


def print_found(found: Found, version: str) -> None:
    """A line for each version of the key, then what is left in runs that nobody reads."""
    for other, number in sorted(found.logs.items()):
        print(
            f"{number:>13,} "
            + ("files cannot be read" if other == UNREADABLE else f"logs have pseudonyms of key {other}")
        )
    if found.days:
        print(
            f"on {len(found.days):,} days, {min(found.days)} to {max(found.days)}; the key that counts now is {version}"
        )
    if found.replaced:
        print(f"{len(found.replaced):,} replaced runs have pseudonyms of other keys than {version}")
    if not found.days and not found.replaced:
        print(f"all staged logs have pseudonyms of key {version}, in all runs of all days")


def _listed(days: Sequence[date]) -> str:
    more = f" and {len(days) - 5:,} more" if len(days) > 5 else ""
    return ", ".join(map(str, days[:5])) + more


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.logs.rekey_logs",
        description="Count the staged logs that have pseudonyms of another key than PSEUDONYM_KEY_VERSION, stage their days again, and remove "
        "what was replaced. Takes the settings of parse_logs from the environment.",
    )
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument("--stage", action="store_true", help="stage these days again")
    steps.add_argument(
        "--remove",
        action="store_true",
        help="remove what was replaced, once the warehouse has built these days",
    )
    arguments = parser.parse_args()
    # the vendor's files are needed for one step only, and not everyone who removes may read them
    settings = read_settings(*(SETTINGS if arguments.stage else ("STAGING_URI", "QUARANTINE_URI")))
    version, lost = key_version(), list[date]()
    try:
        found = find_other_keys(settings["STAGING_URI"], version)
        if arguments.stage:
            lost = [
                day
                for day, row in sorted(found.days.items())
                if len(delivered_files(settings["RAW_URI"], LOG_REVIEWS, day).files) < max(row.file_count, 1)
            ]
            if len(lost) < len(found.days):
                lost += stage_again(
                    settings, {day: row for day, row in found.days.items() if day not in lost}
                )
                print()
                found = find_other_keys(settings["STAGING_URI"], version)
        elif arguments.remove:
            remove_replaced(settings, found)
            found = find_other_keys(settings["STAGING_URI"], version)
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"the logs in {settings['STAGING_URI']} cannot be given another key", error) from error
    print_found(found, version)
    if lost:
        print(
            f"not all of their files, or not all of their records, are in {settings['RAW_URI']}, so they stay as they are: {_listed(sorted(lost))}"
        )
    if arguments.stage:
        # those of a try before, too: it may have been killed before they were built
        again = sorted({day for day, _ in found.replaced})
        print(f"DBT_FROM_DATE={again[0]} DBT_TO_DATE={again[-1]}" if again else "DBT_FROM_DATE= DBT_TO_DATE=")
    elif arguments.remove and found.days:
        raise PreparationError(
            f"logs of {_listed(sorted(found.days))} still have pseudonyms of another key: have their files in "
            "RAW_URI and stage them again (--stage; make: YES=1), or as any other day if they are to have fewer records (make run DATE=…)"
        )


if __name__ == "__main__":
    run(main)
