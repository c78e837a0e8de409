"""Exports the shop's purchases into the staging table user_purchase: `python -m spark_prep.shop.export_purchases --date D`.

The table is read once, as one stream in one snapshot, however many days are asked for; memory is bounded by the size of
a batch, and each batch goes straight to the files of the run. The purchases of a day are those with their invoice_date on
it. The run of START_DATE takes all history up to the end of that day, and the rows whose invoice_date is no day at all.

What the shop books after a day was exported is in no run of another day: a shop whose day is not over yet where it is, or a booking
of an earlier date. So each run counts the week before it again, and warns of the days that have other numbers now.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi

from spark_prep.contract import tables
from spark_prep.contract.days import add_day_options, days_of, iso_day
from spark_prep.contract.outcome import Outcome, print_outcomes, sum_by_reason
from spark_prep.contract.publish import Run, commit, committed, new_run, parts
from spark_prep.erasure.suppression import (
    Suppression,
    is_suppressed,
    read_suppression,
    require_nobody_erased_since,
)
from spark_prep.errors import PreparationError, no_connection, not_done
from spark_prep.errors import run as run_command
from spark_prep.settings import read_settings

TABLE = "user_purchase"
SETTINGS = ("STAGING_URI", "QUARANTINE_URI", "USER_PURCHASE_DSN", "START_DATE")

TEXTS = ("character varying", "text", "character")
INTEGERS = ("integer", "smallint", "bigint")
# The types of the shop's columns that can be cast to the staged ones exactly, or with an error.
SOURCE_TYPES = {
    "invoice_number": TEXTS,
    "stock_code": TEXTS,
    "detail": TEXTS,
    "quantity": INTEGERS,
    "invoice_date": ("timestamp without time zone",),
    "unit_price": ("numeric",),
    "customer_id": INTEGERS,
    "country": TEXTS,
}

# How far back bookings are looked for that came after their day was exported.
DAYS_COUNTED_AGAIN = 7
NOT_EXPORTED = f"{TABLE} cannot be exported"
# What a decimal of 128 bits can count.
MOST_DIGITS = 38

COLUMNS_QUERY = f"""
    select attname::text as column_name, format_type(atttypid, null) as type_name
    from pg_attribute
    where attrelid = to_regclass('{TABLE}') and attnum > 0 and not attisdropped
"""  # noqa: S608 - our own table's name
# Of a single day a constant: the database then sorts nothing.
INSERT_DATE_OF_ONE = "date '{day}'"
INSERT_DATE = "case when isfinite(invoice_date) then greatest(invoice_date::date, date '{start}') else date '{start}' end"
COUNT_QUERY = """
    select {insert_date} as insert_date, count(*) as records
    from user_purchase
    where {in_range}
    group by 1
"""
# The shop's table may have further columns of any name, so every name is qualified. PostgreSQL writes a numeric as text faster
# than the driver decodes one, and scale() is NULL for what is not finite; Arrow does the casts, and knows which column it cannot.
PURCHASES_QUERY = """
    select
        judged.insert_date, judged.reason,
        case when judged.reason is not null then row_to_json(purchase.*)::text end as raw_record,
        purchase.invoice_number::text, purchase.stock_code::text, purchase.detail::text, purchase.quantity,
        case when judged.reason is null then purchase.invoice_date end as invoice_date,
        purchase.unit_price::text, purchase.customer_id, purchase.country::text
    from user_purchase as purchase
    cross join lateral (
        select
            {insert_date} as insert_date,
            case
                when purchase.invoice_date is null then 'no invoice_date'
                when not isfinite(purchase.invoice_date) then 'invoice_date is not finite'
                when purchase.unit_price is not null and scale(purchase.unit_price) is null
                    then 'unit_price is not a number'
            end as reason
    ) as judged
    where {in_range}
    order by judged.insert_date
"""


def export_purchases(settings: dict[str, str], days: Sequence[date]) -> Outcome:
    """Replace these days of user_purchase, and no others. A day without purchases is a delivered day with zero rows.

    Raises PreparationError for a day before START_DATE, when the table cannot be reached, read, or exactly cast, and when
    a file cannot be written. No day changes before all rows have been written.
    """
    start = require_start(settings, days)
    run = new_run(settings, TABLE)
    try:
        suppression = read_suppression(run.staging_uri)
        with _snapshot(settings["USER_PURCHASE_DSN"]) as cursor:
            _check_columns(cursor)
            week_before = [days[0] - timedelta(n) for n in range(DAYS_COUNTED_AGAIN, 0, -1)]
            earlier = [day for day in week_before if day >= start]
            delivered = _count_records(cursor, start, [*earlier, *days])
            purchases = _read_purchases(cursor, start, days)
            staged, rejected = _write_purchases(purchases, run, days, suppression)
        require_nobody_erased_since(suppression, run.staging_uri)
        for day in days:
            of_day = {reason: n for (on_day, reason), n in rejected.items() if on_day == day}
            # the shop's table counts as one file
            commit(run, day, 1, delivered[day], of_day)
        require_nobody_erased_since(suppression, run.staging_uri)
        _warn_of_late_bookings(run, earlier, delivered)
    except (OSError, pa.ArrowException) as error:
        raise not_done(
            f"{run.staging_uri} or {run.quarantine_uri} cannot be written",
            error,
            "correct the setting or the rights, then run these days again",
        ) from error
    return Outcome(
        table=TABLE,
        days=days,
        not_delivered=[],
        delivered=sum(delivered[day] for day in days),
        staged=staged,
        quarantined=sum_by_reason(rejected),
        staging_uri=run.staging_uri,
        quarantine_uri=run.quarantine_uri,
    )


def require_start(settings: dict[str, str], days: Sequence[date]) -> date:
    """START_DATE; raises PreparationError when a day comes before it."""
    start = iso_day("START_DATE", settings["START_DATE"])
    if days[0] < start:
        raise PreparationError(
            f"{days[0]} is before START_DATE {start}, whose run takes all purchases up to the end of that day; "
            f"begin at {start} or set an earlier START_DATE"
        )
    return start


@contextmanager
def _snapshot(dsn: str) -> Iterator[dbapi.Cursor]:
    """A cursor in a transaction that sees the table as it is now, whatever is booked meanwhile."""
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    try:
        connection = dbapi.connect(dsn, autocommit=True)
    except DriverError as error:
        raise no_connection(error) from None
    with connection, connection.cursor() as cursor:
        try:
            # the driver takes what comes for UTF-8, whatever the database's encoding
            cursor.execute("set client_encoding to 'UTF8'")
            cursor.execute("begin isolation level repeatable read read only")
            yield cursor
            cursor.execute("commit")
        except DriverError as error:
            raise not_done(NOT_EXPORTED, error) from error


def _check_columns(cursor: dbapi.Cursor) -> None:
    cursor.execute(COLUMNS_QUERY)
    found = dict(cursor.fetchall())
    if not found:
        raise PreparationError(
            f"the shop's database has no table {TABLE} that this role can see; check USER_PURCHASE_DSN, its search_path, "
            "and the role's right of usage on the schema"
        )
    for column, accepted in SOURCE_TYPES.items():
        if column not in found:
            raise PreparationError(f"{TABLE} in the shop's database has no column {column}")
        if found[column] not in accepted:
            raise PreparationError(
                f"{TABLE}.{column} in the shop's database is {found[column]}, "
                f"which cannot be staged exactly; expected {' or '.join(accepted)}"
            )


def _count_records(cursor: dbapi.Cursor, start: date, days: Sequence[date]) -> Counter[date]:
    cursor.execute(_query(COUNT_QUERY, start, days))
    return Counter(dict(cursor.fetchall()))


def _warn_of_late_bookings(run: Run, days: Sequence[date], records: Counter[date]) -> None:
    """Of days that were exported before and of which the shop has more lines now, or fewer."""
    for day in days:
        before = committed(run.staging_uri, TABLE, day)
        if before is not None and before.delivered_records != records[day]:
            print(
                f"  warning: the shop has {records[day]:,} lines of {day} now, {before.delivered_records:,} were exported: run that "
                "day again"
            )


def _read_purchases(
    cursor: dbapi.Cursor, start: date, days: Sequence[date]
) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The purchases day by day; each batch belongs to one day, and a day may have several."""
    cursor.execute(_query(PURCHASES_QUERY, start, days))
    try:
        for batch in cursor.fetch_record_batch():
            offset = 0
            # in the order of their first appearance, and the stream is ordered by day
            for day in pc.value_counts(batch["insert_date"]).to_pylist():
                yield day["values"], batch.slice(offset, day["counts"])
                offset += day["counts"]
    # what goes wrong on the way is Arrow's error
    except (DriverError, pa.ArrowException, OSError) as error:
        raise not_done(NOT_EXPORTED, error) from error


def _query(template: str, start: date, days: Sequence[date]) -> str:
    in_range = f"invoice_date < date '{days[-1]}' + 1"
    if days[0] == start:
        in_range = f"({in_range} or invoice_date is null or not isfinite(invoice_date))"
    else:
        in_range = f"invoice_date >= date '{days[0]}' and {in_range}"
    insert_date = INSERT_DATE if len(days) > 1 else INSERT_DATE_OF_ONE
    return template.format(insert_date=insert_date.format(start=start, day=days[0]), in_range=in_range)


def _write_purchases(
    batches: Iterable[tuple[date, pa.RecordBatch]], run: Run, days: Sequence[date], suppression: Suppression
) -> tuple[int, Counter[tuple[date, str]]]:
    """Write one part a day; returns how many rows were staged, and (day, reason) → rejected records."""
    staged, written = 0, set()
    rejected = Counter[tuple[date, str]]()
    for day, of_day in groupby(batches, key=lambda item: item[0]):
        written.add(day)
        with parts(run, day, 0) as (staged_rows, rejected_rows):
            for _, batch in of_day:
                if suppression.digests:
                    is_erased = is_suppressed(batch["customer_id"], tables.CUSTOMER, suppression)
                    if erased := pc.sum(is_erased).as_py():
                        rejected[day, tables.ERASED] += erased
                        batch = batch.filter(pc.invert(is_erased))
                is_fine = pc.is_null(batch["reason"])
                # a batch of the driver, some 16 MB, is a row group; an empty one would be a row group, too
                if fine := batch.filter(is_fine):
                    staged_rows.write_batch(_exactly(fine))
                    staged += len(fine)
                if refused := batch.filter(pc.invert(is_fine)):
                    rejected_rows.write_batch(_quarantined(refused))
                    rejected.update((day, reason) for reason in refused["reason"].to_pylist())
    for day in days:
        if day not in written:
            with parts(run, day, 0):
                pass  # zero rows
    return staged, rejected


def _exactly(purchases: pa.RecordBatch) -> pa.RecordBatch:
    """The purchases in the staged types, or a PreparationError that names the column and the first value that has no place in it."""
    columns = []
    for field in tables.USER_PURCHASE:
        column = purchases[field.name]
        try:
            columns.append(_cast(column, field.type))
        except pa.ArrowInvalid as error:
            raise PreparationError(
                f"{TABLE}.{field.name} cannot be staged as {field.type}: {_misfit(column, field.type)!s:.60} does not fit; "
                "correct it in the shop's table, then run these days again"
            ) from error
    return pa.RecordBatch.from_arrays(columns, schema=tables.USER_PURCHASE)


def _cast(column: pa.Array, type_: pa.DataType) -> pa.Array:
    """The values in another type, or pa.ArrowInvalid for one that has no place in it."""
    # of a number of more digits, Arrow takes the lowest 128 bits
    if pa.types.is_decimal(type_) and (pc.max(pc.binary_length(column)).as_py() or 0) > MOST_DIGITS:
        raise pa.ArrowInvalid
    return column.cast(type_)


def _misfit(column: pa.Array, type_: pa.DataType) -> object:
    for place, value in enumerate(column):
        try:
            _cast(column.slice(place, 1), type_)
        except pa.ArrowInvalid:
            return value.as_py()
    return None


def _quarantined(refused: pa.RecordBatch) -> pa.RecordBatch:
    nothing = pa.nulls(len(refused))
    columns = [refused["raw_record"], nothing, refused["reason"], nothing, nothing, nothing]
    return pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, tables.QUARANTINE, strict=True)],
        schema=tables.QUARANTINE,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.shop.export_purchases",
        description="Export the shop's purchases of one day or a range into the staging table user_purchase. Takes "
        "STAGING_URI, QUARANTINE_URI, QUARANTINE_SECRET or QUARANTINE_KEY_ID, USER_PURCHASE_DSN and START_DATE from the environment.",
    )
    add_day_options(parser)
    days = days_of(parser.parse_args())
    print_outcomes([export_purchases(read_settings(*SETTINGS), days)])


if __name__ == "__main__":
    run_command(main)
