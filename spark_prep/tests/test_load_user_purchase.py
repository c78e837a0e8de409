import gzip
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import psycopg
import pytest

from spark_prep.errors import PreparationError
from spark_prep.shop.load_user_purchase import HEADER, load_user_purchase
from spark_prep.tests.conftest import SHOP_COLUMNS

GOOD = "536365,85123A,HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom"
OLD = "'old', 'A', '', 1, '2021-01-01', 1, 1, ''"


@pytest.fixture
def connection(shop):
    shop.execute("drop table if exists user_purchase cascade")
    with psycopg.connect(shop.dsn, autocommit=True, options="-c statement_timeout=200s") as connection:
        yield connection


@pytest.fixture
def load(shop, tmp_path):
    def load(*lines, end="\r\n", content=None, name="user_purchase.csv"):
        file = tmp_path / name
        text = (end.join([HEADER, *lines]) + end).encode()
        file.write_bytes(text if content is None else content)
        return load_user_purchase(shop.dsn, str(file))

    return load


def rows(connection, what="*"):
    return connection.execute(f"select {what} from user_purchase").fetchall()


def test_a_missing_table_is_created_as_the_shop_declares_it(connection, load):
    assert load(GOOD, GOOD) == (2, 0)
    columns = connection.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
        "where attrelid = 'user_purchase'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    full_names = {
        "varchar": "character varying",
        "int": "integer",
        "timestamp": "timestamp without time zone",
    }
    expected = {
        name: full_names.get(kind.partition("(")[0], kind.partition("(")[0])
        + kind[len(kind.partition("(")[0]) :]
        for name, kind in SHOP_COLUMNS.items()
    }
    assert columns == [(name, kind, False) for name, kind in expected.items()]


def test_values_are_those_of_the_file(connection, load):
    load(
        GOOD,
        'C1,m," RECORD ""7"" , wide ",-80995,1/31/2021 23:59,99999.999,,EIRE',
        ",,,,,,,",
        "2,A,£,1,,NaN,1,EIRE",
    )
    first, second, third, fourth = rows(connection)
    assert first == (
        *("536365", "85123A", "HEART", 6, datetime(2010, 12, 1, 8, 26)),
        *(Decimal("2.550"), 17850, "United Kingdom"),
    )
    assert second[2:7] == (
        ' RECORD "7" , wide ',
        -80995,
        datetime(2021, 1, 31, 23, 59),
        Decimal("99999.999"),
        None,
    )
    assert third == (None,) * 8
    assert fourth[2] == "£" and fourth[5].is_nan()
    load("3,A,,1,infinity,1,1,EIRE")
    assert rows(connection, "isfinite(invoice_date)") == [(False,)]


def test_the_content_is_replaced_and_equal_lines_stay(connection, shop, load):
    shop.fill(OLD)
    assert load(GOOD, GOOD, end="\n") == (2, 1)
    assert rows(connection, "invoice_number") == [("536365",)] * 2


def test_a_gzipped_file_a_byte_order_mark_and_no_last_line_end(connection, load):
    text = f"\ufeff{HEADER}\r\n{GOOD}\r\n{GOOD}".encode()
    assert load(content=gzip.compress(text), name="user_purchase.csv.gz") == (2, 0)


NO_INTEGER = "1,A,x,abc,12/1/2010 8:26,1,1,EIRE"
TWO_LINES = '1,A,"two\nlines",1,12/1/2010 8:26,1,1,EIRE'
BAD = [
    (NO_INTEGER, "quantity is not an integer"),
    ("1,A,x,99999999999,,1,1,EIRE", "quantity is not an integer"),
    (
        "1,A,x,1,31/1/2021 8:26,1,1,EIRE",
        "invoice_date is not a time as month/day/year",
    ),
    ("12345678901,A,x,1,,1,1,EIRE", "invoice_number is not a text of at most 10 characters"),
    ('1,A,x,"a ""b""\nc",,1,1,EIRE', "quantity is not an integer"),
    ("1,A,x,1,,cheap,1,EIRE", "unit_price is not a number"),
    ("1,A,x,1,,1.2345,1,EIRE", "unit_price is not a number with up to 5 digits before"),
    ("1,A,x,1,,100000,1,EIRE", "unit_price is not a number with up to 5 digits before"),
    ("1,A,x,1,,1,1", 'missing data for column "country"'),
    ("1,A,x,1,,1,1,EIRE,", "extra data after last expected column"),
    ("", 'missing data for column "stock_code"'),
    ("\\.", "\\. is no record"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason[:40] for _, reason in BAD])
def test_a_bad_line_stops_the_load_and_leaves_the_table(connection, shop, load, line, reason):
    shop.fill(OLD)
    with pytest.raises(PreparationError) as refusal:
        load(GOOD, line, GOOD, NO_INTEGER)
    where = "lines 3 to 4" if "\n" in line else "line 3"
    message = str(refusal.value)
    assert message.startswith(f"user_purchase.csv {where}: {reason}")
    assert message.endswith("; the table was left as it was")
    # it goes into logs
    assert not any(value in message for value in ("abc", "cheap", "31/1/2021", "12345678901", "99999999999"))
    assert rows(connection, "invoice_number") == [("old",)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_does(connection, load, end):
    for lines, where in [
        ([GOOD] * 5000 + [NO_INTEGER], "line 5002"),
        ([TWO_LINES, TWO_LINES, NO_INTEGER], "line 6"),
        ([TWO_LINES.replace("\n", "\r\n"), NO_INTEGER], "line 4"),
        ([GOOD, TWO_LINES + ",more", GOOD], "lines 3 to 4"),
        ([GOOD, '1,A,"never closed,1,,1,1,EIRE', GOOD, GOOD], "lines 3 to 5"),
        ([GOOD] * 20_000 + ["\\.", GOOD], "line 20002"),
    ]:
        with pytest.raises(PreparationError, match=f"user_purchase.csv {where}: "):
            load(*lines, end=end)


def test_text_that_is_no_utf8_is_named_by_its_line(connection, load):
    with pytest.raises(PreparationError, match='line 3: invalid byte sequence for encoding "UTF8": 0xff'):
        load(content=f"{HEADER}\n{GOOD}\n".encode() + b"1,\xff,,,,,,\n")


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("", "column 1 of the header is '', expected 'InvoiceNo'"),
        (HEADER.replace("Country", "Land"), "column 8 of the header is 'Land', expected 'Country'"),
        (HEADER.removesuffix(",Country"), "column 8 of the header is '', expected 'Country'"),
        (f"{HEADER},More", "column 9 of the header is 'More', expected ''"),
        (HEADER.replace(",", ";"), "column 1 of the header is 'InvoiceNo;StockCode;…', expected 'InvoiceNo'"),
        (GOOD, "column 1 of the header is '536365', expected 'InvoiceNo'"),
    ],
)
def test_a_file_with_another_header_is_refused(connection, shop, load, header, what):
    shop.fill(OLD)
    with pytest.raises(PreparationError) as refusal:
        load(content=f"{header}\n{GOOD}\n".encode())
    assert str(refusal.value) == f"user_purchase.csv: {what} of {HEADER}; the table was left as it was"
    assert rows(connection, "invoice_number") == [("old",)]


def test_of_a_file_that_is_none_of_ours_little_is_shown(connection, load):
    """A wrong path may name a file with secrets, and what is reported goes to a log."""
    with pytest.raises(PreparationError) as refusal:
        load(content=b"SHELL=/bin/bash\0PASSWORD=hunter2\0HOME=/root", name="environ")
    assert "SHELL=/bin/bash" in str(refusal.value) and "hunter2" not in str(refusal.value)


def test_a_missing_file_a_table_that_does_not_fit_and_a_cut_archive(connection, shop, load, tmp_path):
    with pytest.raises(
        PreparationError, match=r"nowhere.csv cannot be loaded: .*the table was left as it was"
    ):
        load_user_purchase(shop.dsn, str(tmp_path / "nowhere.csv"))
    shop.fill("'old', 'A', '', 1, '2021-01-01', 1, 1", country=None)
    with pytest.raises(PreparationError, match='column "country" of relation "user_purchase" does not exist'):
        load(GOOD)
    assert rows(connection, "invoice_number") == [("old",)]
    whole = gzip.compress(os.urandom(100) + f"{HEADER}\n{GOOD}\n".encode())
    with pytest.raises(PreparationError, match="the table was left as it was"):
        load(content=whole[:-20], name="user_purchase.csv.gz")


def wait_for_sessions_that_wait(connection, count: int, what: str) -> None:
    """For the lock on what pg_locks knows so."""
    waiting = f"select count(*) from pg_locks where {what} and not granted"
    deadline = time.monotonic() + 200
    while connection.execute(waiting).fetchone() != (count,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_readers_see_the_old_content_until_the_new_is_there(connection, shop, load):
    """The load is held between its delete and its insert, by a trigger that waits for a lock of this test."""
    shop.fill(OLD)
    shop.execute(
        "create view purchases as select invoice_number from user_purchase",
        "drop role if exists reader",
        "create role reader",
        "grant select on user_purchase, purchases to reader",
        "create or replace function wait() returns trigger language plpgsql as "
        "$$ begin perform pg_advisory_xact_lock(1); return null; end $$",
        "create trigger wait before insert on user_purchase execute function wait()",
    )
    # begun_before also holds the lock: its end releases it, so that a red test does not wait for the load
    with ThreadPoolExecutor() as pool, psycopg.connect(shop.dsn) as begun_before:
        begun_before.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert rows(begun_before, "count(*)") == [(1,)]
        begun_before.execute("select pg_advisory_lock(1)")
        loading = pool.submit(load, GOOD, GOOD)
        wait_for_sessions_that_wait(connection, 1, "locktype = 'advisory'")
        assert rows(connection, "invoice_number") == [("old",)]
        begun_before.execute("select pg_advisory_unlock(1)")
        assert loading.result(timeout=200) == (2, 1)
        assert rows(begun_before, "invoice_number") == [("old",)]
    connection.execute("set role reader")
    assert connection.execute("select * from purchases").fetchall() == [("536365",)] * 2


def test_two_loads_at_once_leave_the_content_of_one(connection, shop, load):
    shop.fill(OLD)
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(shop.dsn) as booking:
            booking.execute(f"insert into user_purchase values ({OLD})")
            loads = [pool.submit(load, *[GOOD] * n, name=f"{n}.csv") for n in (3, 4)]
            wait_for_sessions_that_wait(connection, 2, "relation = 'user_purchase'::regclass")
            assert rows(connection, "count(*)") == [(1,)]
        counts = {load.result(timeout=200) for load in loads}
    # the first has waited for the booking and replaces it, the second replaces what the first has loaded
    assert counts in ({(3, 2), (4, 3)}, {(4, 2), (3, 4)})
    second = min(counts, key=lambda each: each[1] == 2)
    assert rows(connection, "count(*)") == [(second[0],)]


LOADING = (
    "import re, runpy, sys; sys.argv = ['', '--file', sys.argv[1]]\n"
    "try:\n"
    "    runpy.run_module('spark_prep.shop.load_user_purchase', run_name='__main__')\n"
    "finally:\n"
    "    print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
)


def loaded_by_a_process(shop, file) -> tuple[list[str], str, int]:
    """What it printed, its error, and its peak memory in kilobytes."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADING, file],
        env={**os.environ, "USER_PURCHASE_DSN": shop.dsn},
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )
    *said, kilobytes = ran.stdout.splitlines()
    return said, ran.stderr, int(kilobytes)


@pytest.mark.slow
def test_a_large_file_takes_little_memory(connection, shop, tmp_path):
    """A million lines, some 65 MB."""
    file = tmp_path / "user_purchase.csv"
    with open(file, "w") as lines:
        lines.write(f"{HEADER}\n")
        lines.writelines(f"{GOOD}\n" for _ in range(1_000_000))
    said, _, kilobytes = loaded_by_a_process(shop, file)
    assert said == [
        "user_purchase: 1,000,000 lines loaded, 0 replaced",
        '{"table": "user_purchase", "loaded": 1000000, "replaced": 0}',
    ]
    assert kilobytes < 120_000


@pytest.mark.parametrize("part", [b"A" * 1000, b'A\n"",\n' * 150], ids=["a line", "a quoted field"])
def test_a_record_without_end_is_refused_and_takes_little_memory(connection, shop, tmp_path, part):
    """200 MB that gzip makes small: less than a thousandth of them is looked at."""
    shop.fill(OLD)
    file = tmp_path / "user_purchase.csv.gz"
    with gzip.open(file, "wb") as bomb:
        bomb.write(f'{HEADER}\n{GOOD}\n536365,85123A,"'.encode())
        for _ in range(200):
            bomb.write(part * 1000)
    said, error, kilobytes = loaded_by_a_process(shop, file)
    number = 3 + (1 << 20) // len(part) * part.count(b"\n")
    found = re.fullmatch(
        r"error: user_purchase.csv.gz line (\d+): the record is longer than 1,048,576 bytes; the table was left as it was\n",
        error,
    )
    assert found and abs(int(found[1]) - number) <= part.count(b"\n"), (said, error)
    assert kilobytes < 120_000
    assert rows(connection, "invoice_number") == [("old",)]


def test_a_database_that_cannot_be_reached_is_said_without_the_password(tmp_path):
    for dsn in (
        "postgresql://shop:hunter2@127.0.0.1:1/shop",
        "postgresql://shop:hunter2@[/shop",
        # the driver repeats the name of the user, and a server's answer begins with that word
        "postgresql://shop:FATAL: hunter2@%zz",
    ):
        with pytest.raises(PreparationError, match="check USER_PURCHASE_DSN") as refusal:
            load_user_purchase(dsn, str(tmp_path / "user_purchase.csv"))
        assert "hunter2" not in str(refusal.value) and refusal.value.__cause__ is None
