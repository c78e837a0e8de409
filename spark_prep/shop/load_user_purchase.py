"""Loads the shop's CSV file into its table user_purchase: `python -m spark_prep.shop.load_user_purchase --file URI`.

The file is streamed, whatever its size, by COPY into a temporary table; then the content is swapped, all in one
transaction. Readers of the table see the old content or the new; the table itself stays, with its grants and views. A bad
line stops the load and leaves the table as it was.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import zip_longest

import psycopg
import pyarrow as pa

from spark_prep.contract.object_store import store_and_path
from spark_prep.errors import PreparationError, no_connection, run
from spark_prep.settings import read_settings

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
# The table's columns in the order of the file, and what their fields may hold. An empty field is NULL.
COLUMNS = {
    "invoice_number": "a text of at most 10 characters",
    "stock_code": "a text of at most 20 characters",
    "detail": "a text of at most 1000 characters",
    "quantity": "an integer",
    "invoice_date": "a time as month/day/year hour:minute",
    "unit_price": "a number with up to 5 digits before the point and 3 after it",
    "customer_id": "an integer",
    "country": "a text of at most 20 characters",
}
NAMES = ", ".join(COLUMNS)
# The one definition of the table, for the shops that this project makes: here, for the demo and for the cloud platforms.
TABLE = (files("spark_prep.shop") / "user_purchase.sql").read_text(encoding="utf-8")
# Where lines are read into. A price that the table would round breaks the constraint instead.
INCOMING = TABLE.replace(
    "create table if not exists user_purchase", "create temporary table incoming"
).replace(");", ") on commit drop;")
EXACT_PRICE = """
    alter table incoming
        alter column unit_price type numeric,
        add constraint unit_price
            check (unit_price = 'NaN' or (abs(unit_price) < 100000 and unit_price = round(unit_price, 3)))
"""

CHUNK_BYTES = 1 << 20
# A record of the table has some thousand characters. An archive of a few megabytes may hold one that no memory has room for.
MOST_RECORD_BYTES = 1 << 20
# So much of a file that is none of ours is shown.
MOST_SHOWN = 20
# PostgreSQL takes such a line for the end of the data, and would drop what follows without a word.
END_OF_DATA = (b"\\.\n", b"\\.\r\n", b"\\.")
AS_IT_WAS = "the table was left as it was"


def load_user_purchase(dsn: str, uri: str) -> tuple[int, int]:
    """Replace the content of user_purchase by the lines of the file; the table is created when it is missing.

    `uri` is a local path, s3://… or gs://…; a file named *.gz is decompressed. Returns how many lines were loaded, and
    how many they replaced. Raises PreparationError, for a bad line with its number in the file and the reason.
    """
    try:
        with _connect(dsn) as connection, connection.cursor() as cursor, _open(uri) as file:
            header = _read_header(file, uri)
            cursor.execute("set local datestyle to 'ISO, MDY'")
            cursor.execute(INCOMING)
            cursor.execute(EXACT_PRICE)
            try:
                with cursor.copy(f"copy incoming ({NAMES}) from stdin with (format csv, header)") as copy:
                    copy.write(header)
                    for chunk in _chunks(file, uri):
                        copy.write(chunk)
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise PreparationError(_what_is_wrong(uri, error)) from None
            loaded = cursor.rowcount
            return loaded, _swap(cursor)
    except (psycopg.Error, pa.ArrowException, OSError) as error:
        raise PreparationError(
            f"{uri} cannot be loaded: {' '.join(str(error).split())}; {AS_IT_WAS}"
        ) from error


def _connect(dsn: str) -> psycopg.Connection:
    """A connection whose `with` is one transaction."""
    try:
        return psycopg.connect(dsn, connect_timeout=10, client_encoding="utf8")
    except psycopg.Error as error:
        raise no_connection(error) from None


def _open(uri: str) -> io.BufferedReader:
    store, path = store_and_path(uri if "://" in uri else os.path.abspath(uri))
    return io.BufferedReader(store.open_input_stream(path), CHUNK_BYTES)


def _read_header(file: io.BufferedReader, uri: str) -> bytes:
    line = file.readline(2 * len(HEADER))
    header = line.decode(errors="replace").removeprefix("\ufeff").rstrip("\r\n")
    if header != HEADER:
        names = zip_longest(header.split(","), HEADER.split(","), fillvalue="")
        number, (name, expected) = next(
            (number, pair) for number, pair in enumerate(names, 1) if pair[0] != pair[1]
        )
        shown = name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}…"
        raise PreparationError(
            f"{_name(uri)}: column {number} of the header is {shown!r}, expected {expected!r} of {HEADER}; {AS_IT_WAS}"
        )
    return line


def _chunks(file: io.BufferedReader, uri: str) -> Iterator[bytes]:
    """The lines behind the header, whole, about CHUNK_BYTES of them at a time."""
    held = bytearray()
    record_bytes = quotes = 0
    for number, line in enumerate(iter(lambda: file.readline(MOST_RECORD_BYTES + 1), b""), 2):
        if line in END_OF_DATA:
            raise PreparationError(f"{_name(uri)} line {number}: \\. is no record; {AS_IT_WAS}")
        record_bytes += len(line)
        if record_bytes > MOST_RECORD_BYTES:
            raise PreparationError(
                f"{_name(uri)} line {number}: the record is longer than {MOST_RECORD_BYTES:,} bytes; {AS_IT_WAS}"
            )
        quotes += line.count(b'"')
        # as in _file_lines: a record ends where its quotes are even
        if quotes % 2 == 0:
            record_bytes = 0
        held += line
        if len(held) >= CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _what_is_wrong(uri: str, error: psycopg.Error) -> str:
    """The bad line and the reason, from PostgreSQL's words, as `COPY incoming, line 4711, column quantity: "abc"`. Not the value: in a line
    whose fields are shifted it may be anything, and this goes into logs."""
    context = error.diag.context or ""
    found = re.match(r"COPY incoming, line (\d+)(?:, column (\w+): )?", context)
    if not found:
        return f"{_name(uri)}: {error.diag.message_primary}; {AS_IT_WAS}"
    number, column = found.groups()
    if column := column or error.diag.constraint_name:
        reason = f"{column} is not {COLUMNS[column]}"
    else:
        reason = error.diag.message_primary or str(error)
    return f"{_name(uri)} {_file_lines(uri, int(number))}: {reason}; {AS_IT_WAS}"


def _file_lines(uri: str, number: int) -> str:
    """Where the record is that ends with PostgreSQL's line `number`, as an editor counts lines.

    PostgreSQL names a record's last line, and in a file with CRLF it counts the CRs: a LF in quotes is no line for it. A
    record ends, here as there, where its quotes are even.
    """
    with _open(uri) as file:
        counted = quotes = 0
        for last, line in enumerate(file, 1):
            if last == 1:
                line_end = b"\r" if line.endswith(b"\r\n") else b"\n"
            if quotes % 2 == 0:
                first = last
            quotes += line.count(b'"')
            counted += line.count(line_end)
            if counted >= number:
                break
    return f"line {last}" if first == last else f"lines {first} to {last}"


def _swap(cursor: psycopg.Cursor) -> int:
    """Returns how many lines were there."""
    if cursor.execute("select to_regclass('user_purchase')").fetchone() == (None,):
        cursor.execute(TABLE)
    # Readers go on reading; bookings wait, and so does another load. TRUNCATE would stop readers, and show an empty
    # table to those who have begun to read.
    cursor.execute("lock table user_purchase in share row exclusive mode")
    replaced = cursor.execute("delete from user_purchase").rowcount
    cursor.execute(f"insert into user_purchase ({NAMES}) select {NAMES} from incoming")  # noqa: S608 - our names
    return replaced


def _name(uri: str) -> str:
    return uri.rpartition("/")[2]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.shop.load_user_purchase",
        description=f"Replace the shop's purchases by a CSV file with the header {HEADER}; dates as 12/1/2010 8:26 (month "
        "first), empty fields for NULL. Takes USER_PURCHASE_DSN from the environment.",
    )
    parser.add_argument("--file", metavar="URI", required=True, help="a local path, s3://… or gs://…")
    uri = parser.parse_args().file
    loaded, replaced = load_user_purchase(read_settings("USER_PURCHASE_DSN")["USER_PURCHASE_DSN"], uri)
    print(f"user_purchase: {loaded:,} lines loaded, {replaced:,} replaced")
    print(json.dumps({"table": "user_purchase", "loaded": loaded, "replaced": replaced}))


if __name__ == "__main__":
    run(main)
