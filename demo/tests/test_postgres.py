"""The embedded PostgreSQL: starts anywhere, leaves nothing behind, loads the shop's file as it is."""

import datetime
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import adbc_driver_postgresql.dbapi
import pytest

from demo.answers.marts import answers_for
from demo.postgres import embedded_postgres
from demo.sample import generate
from spark_prep.shop.load_user_purchase import load_user_purchase

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
SERVE = """
from demo.postgres import embedded_postgres
with embedded_postgres() as dsn:
    print(dsn, flush=True)
    input()
"""


def rows_of(dsn: str, query: str) -> list[tuple]:
    with adbc_driver_postgresql.dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
        return rows


def socket_dir(dsn: str) -> Path:
    return Path(dsn.partition("host=")[2].partition("&")[0])


def ends_within(seconds: float, dsn: str) -> bool:
    """Whether the server of this DSN, with its data in a temporary folder, has shut down by then."""
    deadline = time.monotonic() + seconds
    pid_file = socket_dir(dsn).parent / "data" / "postmaster.pid"
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not pid_file.exists()


@pytest.fixture(scope="module")
def dsn():
    with embedded_postgres() as dsn:
        yield dsn


def test_it_is_postgresql_16_in_utc_and_utf8(dsn):
    ((version,),) = rows_of(dsn, "select current_setting('server_version_num')::int / 10000")
    assert version == 16
    assert rows_of(dsn, "select current_setting('timezone')") == [("UTC",)]
    assert rows_of(dsn, "select current_setting('server_encoding')") == [("UTF8",)]


def test_it_listens_on_a_private_socket_only(dsn):
    assert rows_of(dsn, "select current_setting('listen_addresses')") == [("",)]
    assert socket_dir(dsn).stat().st_mode & 0o077 == 0


def test_servers_run_side_by_side(dsn):
    with embedded_postgres() as other:
        rows_of(other, "create table only_here (n int)")
        assert rows_of(dsn, "select to_regclass('only_here') is null") == [(True,)]


def test_nothing_is_left_after_an_exception():
    with pytest.raises(ZeroDivisionError), embedded_postgres() as dsn:
        raise ZeroDivisionError
    assert not socket_dir(dsn).parent.exists()


def test_a_data_folder_keeps_the_database(tmp_path):
    """pytest's folders are closed to other users: as root, the server passes all the same."""
    above = tmp_path.stat().st_mode
    with embedded_postgres(tmp_path / "new" / "data") as dsn:
        rows_of(dsn, "create table kept as select 7 as n")
    with embedded_postgres(tmp_path / "new" / "data") as dsn:
        assert rows_of(dsn, "select n from kept") == [(7,)]
    assert tmp_path.stat().st_mode == above


def test_a_data_folder_in_use_is_refused(tmp_path):
    with embedded_postgres(tmp_path) as dsn:
        with pytest.raises(RuntimeError, match=r"postmaster\.pid"), embedded_postgres(tmp_path):
            pass
        assert rows_of(dsn, "select 1") == [(1,)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tie to the parent process is Linux's")
def test_the_server_dies_with_a_killed_process():
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    dsn = process.stdout.readline().decode().strip()
    assert rows_of(dsn, "select 1") == [(1,)]
    process.kill()
    process.communicate()
    assert ends_within(200, dsn)
    shutil.rmtree(socket_dir(dsn).parent, ignore_errors=True)  # which nobody was left to do


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_it():
    """Nobody, allowed to read the Python environment wherever root keeps it."""
    become = ["setpriv", "--reuid=nobody", "--clear-groups"]
    become += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    ask_for_the_user = SERVE.replace("input()", "import os; print(os.geteuid())")
    command = [*become, sys.executable, "-c", ask_for_the_user]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert printed == [printed[0], str(pwd.getpwnam("nobody").pw_uid)]
    assert not socket_dir(printed[0]).exists()


def test_the_command_loads_serves_and_ends_when_told(tmp_path):
    shop = tmp_path / "user_purchase.csv"
    shop.write_text(HEADER + "536365,85123A,LAMP,6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n", newline="")
    command = [sys.executable, "-m", "demo.postgres", "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen([*command, "--load", str(shop)], stdout=subprocess.PIPE, text=True)
    dsn = process.stdout.readline().strip()
    assert rows_of(dsn, "select count(*) from user_purchase") == [(1,)]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=200) == 0
    assert not socket_dir(dsn).exists()


def test_a_sample_is_loaded_with_all_its_money(dsn, tmp_path):
    day = datetime.date(2021, 1, 4)
    delivered = generate(tmp_path, day, day, reviews_per_day=0, purchases_per_day=400)
    loaded, _ = load_user_purchase(dsn, f"{tmp_path}/user_purchase.csv")
    (ledger,) = [row for row in answers_for(delivered)["ledger"] if row["table_name"] == "user_purchase"]
    assert loaded == ledger["records_delivered"]
    ((amount,),) = rows_of(
        dsn,
        """select sum(quantity * unit_price)::text from user_purchase
        where unit_price <> 'NaN' and isfinite(invoice_date)""",
    )
    assert Decimal(amount) == Decimal(ledger["amount_staged"])
