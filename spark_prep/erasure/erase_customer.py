"""Erases a customer from staging and quarantine: `python -m spark_prep.erasure.erase_customer --customer N [--yes]`.

Prints what is found: records of the days as they are, rejected records, and records in folders of other runs, which nobody reads.
With --yes the customer is put on the suppression list, then each day that holds them gets a new run without them, committed like any
other run; only files that hold the customer are written again, the others are copied. What was taken out is counted as rejected for
"erased on request", so that the day's ledger balances, and is kept nowhere. The last line of standard output names the days that the
warehouse has to build again, as environment variables of dbt, or none.

A record is the customer's if it has their id, a log if it has the id of a review of theirs (the earliest record of that id, as in the
warehouse). A rejected review that cannot be read is theirs if the id is anywhere in its text. A try that was killed is ended by the next:
logs go before reviews, which alone say whose they are. Run it while no job stages a day.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spark_prep.contract import tables
from spark_prep.contract.encryption import batches_of, key_id, parquet_file, read_batches, rejected_writer
from spark_prep.contract.object_store import create, store_and_path
from spark_prep.contract.publish import (
    Delivery,
    Run,
    commit,
    committed,
    copy_part,
    files_of,
    new_run,
    part_files,
    rejections,
    remove_run,
    require_unchanged,
    run_folder,
)
from spark_prep.erasure.suppression import named, require_key, suppress_customer
from spark_prep.errors import PreparationError, not_done, run
from spark_prep.settings import read_settings
from spark_prep.spark.csv_records import is_good, layout_of, read_record
from spark_prep.spark.fields import integer

SETTINGS = ("STAGING_URI", "QUARANTINE_URI")
# In this order: a log is known by its review alone.
TABLES = ("review_logs", "user_purchase", "other_classification", "classified_movie_review")
READ_AT_ONCE = 8
# Locally, a part that is being written has another ending.
PART = ".parquet"

# Of a batch of records, which are the customer's, as booleans.
IsTheirs = Callable[[pa.RecordBatch], pa.Array]


class Customer(NamedTuple):
    """Whom to erase: their id, and the ids of their reviews."""

    id: int
    reviews: frozenset[int]


class Found(NamedTuple):
    """A file with records of the customer. `records` is None for what a killed run has left and nobody can read."""

    day: date
    run: str
    root: str
    path: str
    records: int | None


def find_customer(settings: dict[str, str], customer_id: int) -> Customer:
    """The customer's reviews: staged ones of which no other customer has an earlier record, and rejected ones that begin with their id."""
    root, table = settings["STAGING_URI"], "classified_movie_review"
    files = part_files(root, table)
    reviews: set[int] = set()
    for _, _, path in files:
        for batch in _readable(root, path):
            is_theirs = pc.equal(batch["customer_id"], customer_id).fill_null(False)
            reviews.update(batch["review_id"].filter(is_theirs).to_pylist())
    reviews -= _reviews_of_others(root, table, files, customer_id, reviews)

    root = settings["QUARANTINE_URI"]
    for _, _, path in part_files(root, table):
        for batch in _readable(root, path):
            for raw, record_id, fields in _raw_records(batch):
                review = integer(record_id or "")
                if review is not None and _is_written_by(customer_id, raw, fields):
                    reviews.add(review)
    return Customer(customer_id, frozenset(reviews))


def _is_written_by(customer_id: int, raw: bytes, fields: str | None) -> bool:
    """Whether a rejected review has the customer's id in its column; where that cannot be told, at the start of a line."""
    if fields:
        layout, record = layout_of(fields), read_record(raw, 0, at_end=True)
        if is_good(record, layout):
            cid = record.fields[layout.positions["cid"]]
            return integer(cid.decode("utf-8", "replace")) == customer_id
    begins = rb'(?m)^[ \t\r"]*+\+?0*%d[ \t\r"]*+,' % customer_id
    return re.search(begins, raw.replace(b"\0", b"")) is not None


def _reviews_of_others(
    root: str, table: str, files: Sequence[tuple[date, str, str]], customer_id: int, reviews: set[int]
) -> set[int]:
    """Those of the reviews that are another customer's, as the warehouse decides: the earliest day, then the smallest customer."""
    first: dict[int, tuple[date, int]] = {}
    runs = {
        day: delivery.run for day in {file[0] for file in files} if (delivery := committed(root, table, day))
    }
    for day, run_id, path in files if reviews else ():
        for batch in _readable(root, path) if runs.get(day) == run_id else ():
            same = batch.filter(pc.is_in(batch["review_id"], pa.array([*reviews], pa.int32())))
            for review, owner in zip(
                same["review_id"].to_pylist(), same["customer_id"].to_pylist(), strict=True
            ):
                # nobody comes last
                record = (day, owner if owner is not None else 2**31)
                first[review] = min(record, first.get(review, record))
    return {review for review, (_, owner) in first.items() if owner != customer_id}


def find_records(settings: dict[str, str], table: str, customer: Customer) -> list[Found]:
    """All files of the table and its quarantine that hold the customer, in any run, and those that nobody can read."""

    def look(file: tuple[date, str, str], root: str, is_theirs: IsTheirs) -> Found:
        day, run_id, path = file
        records = None
        if path.endswith(PART):
            with suppress(pa.ArrowInvalid):
                records = sum(pc.sum(is_theirs(batch)).as_py() or 0 for batch in read_batches(root, path))
        return Found(day, run_id, root, path, records)

    found: list[Found] = []
    with ThreadPoolExecutor(READ_AT_ONCE) as threads:
        for root, is_theirs in _areas(settings, table, customer):
            found += threads.map(partial(look, root=root, is_theirs=is_theirs), part_files(root, table))
    return [file for file in found if file.records != 0]


def erase(settings: dict[str, str], table: str, customer: Customer, found: Sequence[Found]) -> None:
    """Take the records out of all files that were found. A killed try leaves days as they were or as they are to be."""
    for day in sorted({file.day for file in found}):
        of_day = [file for file in found if file.day == day]
        before = committed(settings["STAGING_URI"], table, day)
        new = new_run(settings, table)
        if before and any(file.run == before.run for file in of_day):
            if any(
                file.run == before.run and file.records is None and file.path.endswith(PART)
                for file in of_day
            ):
                raise PreparationError(
                    f"{table} of {day} cannot be read: a file of run {before.run} is broken; stage that day again, then erase once more"
                )
            _rewrite(settings, customer, before, new, day, {file.path for file in of_day})
        for old in {file.run for file in of_day}:
            remove_run(new._replace(id=old), day)


def _rewrite(
    settings: dict[str, str], customer: Customer, before: Delivery, new: Run, day: date, held: set[str]
) -> None:
    """Commit a run of the day that is the one before without the customer."""
    run_before = str(before.run)
    rejected = Counter(rejections(new.staging_uri, new.table, day, run_before))
    for root, is_theirs in _areas(settings, new.table, customer):
        for path in files_of(root, new.table, day, run_before):
            if path not in held:
                copy_part(root, new, day, path)
            if path not in held or not path.endswith(PART):
                continue
            name = f"{run_folder(new.table, day, new.id)}/{path.rpartition('/')[2]}"
            store, _ = store_and_path(root)
            with store.open_input_file(path) as file, create(root, name) as new_file:
                part = parquet_file(file)
                # its own, which may be that of an older version
                schema = part.schema_arrow
                if root == new.quarantine_uri:
                    writer = rejected_writer(new_file, schema, new.quarantine_key_id)
                else:
                    writer = pq.ParquetWriter(new_file, schema)
                with writer as rows:
                    for batch in batches_of(part):
                        theirs = is_theirs(batch)
                        rows.write_batch(batch.filter(pc.invert(theirs)))
                        rejected[tables.ERASED] += pc.sum(theirs).as_py() or 0
                        if root == new.quarantine_uri:
                            rejected.subtract(batch["reason"].filter(theirs).to_pylist())
    require_unchanged(new, day, before)
    commit(new, day, before.file_count, before.delivered_records, +rejected)


def _areas(settings: dict[str, str], table: str, customer: Customer) -> list[tuple[str, IsTheirs]]:
    """The table's two places."""
    return [
        (settings["STAGING_URI"], partial(_is_staged_of, table, customer)),
        (settings["QUARANTINE_URI"], partial(_is_rejected_of, table, customer)),
    ]


def _is_staged_of(table: str, customer: Customer, batch: pa.RecordBatch) -> pa.Array:
    person = tables.PERSON[table]
    ids = [customer.id] if person.kind == tables.CUSTOMER else [*customer.reviews]
    return pc.is_in(batch[person.column], pa.array(ids, pa.int32()))


def _is_rejected_of(table: str, customer: Customer, batch: pa.RecordBatch) -> pa.Array:
    if table == "user_purchase":
        # row_to_json's own writing
        theirs = re.compile(rb'"customer_id":%d\b' % customer.id)
        return pa.array([bool(theirs.search(raw)) for raw, _, _ in _raw_records(batch)], pa.bool_())
    ids = {(tables.CUSTOMER, customer.id), *((tables.REVIEW, review) for review in customer.reviews)}
    return pa.array(
        [not ids.isdisjoint(named(table, raw, id_)) for raw, id_, _ in _raw_records(batch)], pa.bool_()
    )


def _raw_records(batch: pa.RecordBatch) -> Iterator[tuple[bytes, str | None, str | None]]:
    """Of rejected records: the bytes as they were delivered, the id, and the order of the file's columns."""
    for row in batch.to_pylist():
        raw = row["raw_bytes"]
        yield (row["raw_record"] or "").encode() if raw is None else raw, row["record_id"], row.get("fields")


def _readable(root: str, path: str) -> Iterator[pa.RecordBatch]:
    """Nothing of what a killed run has left half-written."""
    with suppress(pa.ArrowInvalid):
        yield from read_batches(root, path)


def print_found(found: Mapping[str, Sequence[Found]], settings: dict[str, str]) -> None:
    """A line for each table: records of the days as they are, rejected ones, and records of other runs."""
    rows = [("table", "staged", "quarantined", "in other runs")]
    for table, files in found.items():
        runs = {file.day: committed(settings["STAGING_URI"], table, file.day) for file in files}
        counts = Counter[str]()
        for file in files:
            row = runs[file.day]
            place = "staged" if file.root == settings["STAGING_URI"] else "quarantined"
            counts[place if row and row.run == file.run else "other"] += file.records or 0
        rows.append((table, f"{counts['staged']:,}", f"{counts['quarantined']:,}", f"{counts['other']:,}"))
    for name, *numbers in rows:
        print(name.ljust(24), *(number.rjust(13) for number in numbers))
    unread = sum(file.records is None for files in found.values() for file in files)
    if unread:
        print(f"{unread:,} files that killed runs have left cannot be read; they are removed, too")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.erasure.erase_customer",
        description="Count what staging and quarantine hold of a customer; with --yes, erase it and keep the customer out from now on. "
        "Takes STAGING_URI, QUARANTINE_URI, SUPPRESSION_SECRET or SUPPRESSION_SECRET_ID, and QUARANTINE_SECRET or QUARANTINE_KEY_ID from "
        "the environment.",
    )
    parser.add_argument(
        "--customer", metavar="N", help="the customer's id; without it, that in ERASE_CUSTOMER"
    )
    parser.add_argument("--yes", action="store_true", help="erase; without it, only count")
    arguments = parser.parse_args()
    # by the environment for a scheduler, which keeps command lines
    given = os.environ.get("ERASE_CUSTOMER", "") if arguments.customer is None else arguments.customer
    if not re.fullmatch(r"\s*-?[0-9]{1,10}\s*", given) or not -(2**31) <= int(given) < 2**31:
        raise PreparationError("the customer's id (--customer or ERASE_CUSTOMER) is no integer of 32 bits")
    settings = read_settings(*SETTINGS)
    try:
        customer = find_customer(settings, int(given))
        days = _erase_everywhere(settings, customer) if arguments.yes else []
        left = {table: find_records(settings, table, customer) for table in TABLES}
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"the customer cannot be erased in {settings['STAGING_URI']}", error) from error
    if not arguments.yes:
        print_found(left, settings)
        print("nothing was changed; --yes (make: YES=1) erases it")
    elif any(left.values()):
        raise PreparationError(
            "records of the customer are there again: a job was staging at the same time; wait for it, then erase once more"
        )
    else:
        print("searched again: staging and quarantine hold no record of the customer, in no run of any day")
        print(f"DBT_FROM_DATE={days[0]} DBT_TO_DATE={days[-1]}" if days else "DBT_FROM_DATE= DBT_TO_DATE=")


def _erase_everywhere(settings: dict[str, str], customer: Customer) -> list[date]:
    """Returns the days that held the customer, those of earlier tries included."""
    require_key()
    key_id()  # before anything is changed
    found = {table: find_records(settings, table, customer) for table in TABLES}
    print_found(found, settings)
    days = suppress_customer(
        settings["STAGING_URI"], customer.id, customer.reviews,
        {file.day for files in found.values() for file in files if file.records},
    )  # fmt: skip
    for table, files in found.items():
        erase(settings, table, customer, files)
    return days


if __name__ == "__main__":
    run(main)
