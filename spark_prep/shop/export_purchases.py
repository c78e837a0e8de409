"""Exports the shop's purchases into the staging table user_purchase: `python -m spark_prep.shop.export_purchases --date D`.

The table is read once, as one ordered stream in one snapshot, however many days are asked for; memory is bounded by
the size of a batch. The purchases of a day are those with their invoice_date on it. The run of START_DATE takes all
history up to the end of that day, and the rows whose invoice_date is no day at all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import pyarrow.parquet as pq
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi
from pyspark.sql import types as T

from spark_prep.contract import tables
from spark_prep.contract.days import add_day_options, days_of, iso_day
from spark_prep.contract.object_store import require_writable, store_and_path
from spark_prep.contract.outcome import Outcome, print_outcomes, sum_by_reason
from spark_prep.errors import PreparationError, no_connection, run
from spark_prep.settings import is_local, read_settings

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

COLUMNS_QUERY = f"""
    select attname::text as column_name, format_type(atttypid, null) as type_name
    from pg_attribute
    where attrelid = to_regclass('{TABLE}') and attnum > 0 and not attisdropped
"""  # noqa: S608 - our own table's name
INSERT_DATE = "case when isfinite(invoice_date) then greatest(invoice_date::date, date '{start}') else date '{start}' end"
COUNT_QUERY = """
    select {insert_date} as insert_date, count(*) as records
    from user_purchase
    where {in_range}
    group by 1
"""
# The shop's table may have further columns of any name, so every name is qualified. numeric leaves as text and integers as
# bigint: Arrow casts them exactly, or says which column it cannot.
PURCHASES_QUERY = """
    select
        judged.insert_date, judged.reason,
        case when judged.reason is not null then row_to_json(purchase.*)::text end as raw_record,
        purchase.invoice_number::text, purchase.stock_code::text, purchase.detail::text, purchase.quantity::bigint,
        case when judged.reason is null then purchase.invoice_date end as invoice_date,
        case when judged.reason is null then purchase.unit_price::text end as unit_price,
        purchase.customer_id::bigint, purchase.country::text
    from user_purchase as purchase
    cross join lateral (
        select
            {insert_date} as insert_date,
            case
                when purchase.invoice_date is null then 'no invoice_date'
                when not isfinite(purchase.invoice_date) then 'invoice_date is not finite'
                when purchase.unit_price::text in ('NaN', 'Infinity', '-Infinity') then 'unit_price is not a number'
            end as reason
    ) as judged
    where {in_range}
    order by judged.insert_date
"""

ARROW_TYPES: dict[T.DataType, pa.DataType] = {
    T.StringType(): pa.string(),
    T.BinaryType(): pa.binary(),
    T.BooleanType(): pa.bool_(),
    T.IntegerType(): pa.int32(),
    T.LongType(): pa.int64(),
    T.TimestampNTZType(): pa.timestamp("us"),
    T.DecimalType(8, 3): pa.decimal128(8, 3),
}


def export_purchases(settings: dict[str, str], days: Sequence[date]) -> Outcome:
    """Replace these days of user_purchase, and no others. A day without purchases is a delivered day with zero rows.

    Raises PreparationError for a day before START_DATE, and when the table cannot be reached, read, or exactly cast.
    """
    start = require_start(settings, days)
    require_writable(settings, "STAGING_URI", "QUARANTINE_URI")
    staging_uri, quarantine_uri = settings["STAGING_URI"], settings["QUARANTINE_URI"]
    with _incoming(staging_uri, days) as staging, _incoming(quarantine_uri, days) as quarantine:
        with _snapshot(settings["USER_PURCHASE_DSN"]) as cursor:
            _check_columns(cursor)
            delivered = _count_records(cursor, start, days)
            staged, rejected = _write_purchases(
                _read_purchases(cursor, start, days), days, staging, quarantine
            )
        for day in days:
            rejections = [(TABLE, reason, n) for (on_day, reason), n in rejected.items() if on_day == day]
            _write_rows(staging / f"rejection-{day}.parquet", tables.REJECTION, rejections)
            # the shop's table counts as one file
            _write_rows(
                staging / f"delivery-{day}.parquet", tables.DELIVERY, [(TABLE, True, 1, delivered[day])]
            )
        # The delivery last: a run that is killed before leaves a day that does not balance, and the ledger says so.
        in_order = (
            (quarantine, quarantine_uri, TABLE),
            (staging, staging_uri, "rejection"),
            (staging, staging_uri, TABLE),
            (staging, staging_uri, "delivery"),
        )
        for day in days:
            for incoming, root, folder in in_order:
                target = f"{root}/{folder}/insert_date={day}/{TABLE}.parquet"
                _put_in_place(incoming / f"{folder}-{day}.parquet", target)
    return Outcome(
        table=TABLE,
        days=days,
        not_delivered=[],
        delivered=delivered.total(),
        staged=staged,
        quarantined=sum_by_reason(rejected),
        staging_uri=staging_uri,
        quarantine_uri=quarantine_uri,
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
def _incoming(root: str, days: Sequence[date]) -> Iterator[Path]:
    """A folder to write to before files are put in place: on a local root in that root, so that a rename suffices."""
    if not is_local(root):
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
        return
    folder = Path(root, ".incoming", TABLE, f"{days[0]}_{days[-1]}")
    # what a killed run of these days has left
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


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
            cursor.execute("begin isolation level repeatable read read only")
            yield cursor
            cursor.execute("commit")
        except (DriverError, pa.ArrowException, OSError) as error:
            raise PreparationError(f"{TABLE} cannot be exported: {' '.join(str(error).split())}") from error


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


def _read_purchases(
    cursor: dbapi.Cursor, start: date, days: Sequence[date]
) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The purchases day by day; each batch belongs to one day, and a day may have several."""
    cursor.execute(_query(PURCHASES_QUERY, start, days))
    for batch in cursor.fetch_record_batch():
        offset = 0
        # in the order of their first appearance, and the stream is ordered by day
        for day in pc.value_counts(batch["insert_date"]).to_pylist():
            yield day["values"], batch.slice(offset, day["counts"])
            offset += day["counts"]


def _query(template: str, start: date, days: Sequence[date]) -> str:
    in_range = f"invoice_date < date '{days[-1]}' + 1"
    if days[0] == start:
        in_range = f"({in_range} or invoice_date is null or not isfinite(invoice_date))"
    else:
        in_range = f"invoice_date >= date '{days[0]}' and {in_range}"
    return template.format(insert_date=INSERT_DATE.format(start=start), in_range=in_range)


def _write_purchases(
    batches: Iterable[tuple[date, pa.RecordBatch]], days: Sequence[date], staging: Path, quarantine: Path
) -> tuple[int, Counter[tuple[date, str]]]:
    """Write user_purchase-<day>.parquet into both folders for each day; returns the staged rows and (day, reason) -> rejects."""
    staged_schema, quarantine_schema = _arrow_schema(tables.USER_PURCHASE), _arrow_schema(tables.QUARANTINE)
    staged, written = 0, set()
    rejected: Counter[tuple[date, str]] = Counter()
    for day, day_batches in groupby(batches, key=lambda item: item[0]):
        written.add(day)
        name = f"{TABLE}-{day}.parquet"
        with (
            pq.ParquetWriter(staging / name, staged_schema) as purchases,
            pq.ParquetWriter(quarantine / name, quarantine_schema) as rejects,
        ):
            for _, batch in day_batches:
                is_staged = pc.is_null(batch["reason"])
                purchases.write_batch(_exactly(batch.filter(is_staged), staged_schema))
                refused = batch.filter(pc.invert(is_staged))
                rejects.write_batch(_quarantined(refused, quarantine_schema))
                staged += len(batch) - len(refused)
                rejected.update((day, reason) for reason in refused["reason"].to_pylist())
    for day in days:
        if day not in written:
            _write_rows(staging / f"{TABLE}-{day}.parquet", tables.USER_PURCHASE, [])
            _write_rows(quarantine / f"{TABLE}-{day}.parquet", tables.QUARANTINE, [])
    return staged, rejected


def _exactly(purchases: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The purchases in the schema's types, or a PreparationError that names the column."""
    columns = {}
    for field in schema:
        try:
            columns[field.name] = purchases[field.name].cast(field.type)
        except pa.ArrowInvalid as error:
            raise PreparationError(
                f"{TABLE}.{field.name} cannot be staged as {field.type}: {error}"
            ) from error
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _quarantined(refused: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    nothing = pa.nulls(len(refused), pa.string())
    columns = {
        "raw_record": refused["raw_record"],
        "raw_bytes": nothing.cast(pa.binary()),
        "reason": refused["reason"],
        "file": nothing,
        "record_id": nothing,
    }
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _write_rows(file: Path, schema: T.StructType, rows: Sequence[tuple[object, ...]]) -> None:
    records = [dict(zip(schema.names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(records, schema=_arrow_schema(schema)), file)


def _arrow_schema(schema: T.StructType) -> pa.Schema:
    return pa.schema([(field.name, ARROW_TYPES[field.dataType]) for field in schema.fields])


def _put_in_place(file: Path, target: str) -> None:
    """Make the file the target in one step: by rename, or by an upload that shows when it is complete."""
    if is_local(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(file, target)
    else:
        store, path = store_and_path(target)
        pyarrow.fs.copy_files(str(file), path, destination_filesystem=store)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.shop.export_purchases",
        description="Export the shop's purchases of one day or a range into the staging table user_purchase. Takes "
        "STAGING_URI, QUARANTINE_URI, USER_PURCHASE_DSN and START_DATE from the environment.",
    )
    add_day_options(parser)
    days = days_of(parser.parse_args())
    print_outcomes([export_purchases(read_settings(*SETTINGS), days)])


if __name__ == "__main__":
    run(main)
