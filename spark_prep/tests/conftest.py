"""One Spark session for all tests (with an event log, so that tests can look for what must not be in it), one
PostgreSQL with the shop's table, and a lake: folders with the words to deliver files and to read what came of them."""

import os
import uuid
from datetime import date
from pathlib import Path

import boto3
import pytest
from adbc_driver_postgresql import dbapi
from moto.server import ThreadedMotoServer

from demo.postgres import embedded_postgres
from spark_prep.contract.encryption import read_batches

KEY = "key-for-tests-0123456789"
SHOP_COLUMNS = {
    "invoice_number": "varchar(10)",
    "stock_code": "varchar(20)",
    "detail": "varchar(1000)",
    "quantity": "int",
    "invoice_date": "timestamp",
    "unit_price": "numeric(8,3)",
    "customer_id": "int",
    "country": "varchar(20)",
}


@pytest.fixture(scope="session")
def event_log(tmp_path_factory):
    return tmp_path_factory.mktemp("event_log")


@pytest.fixture(scope="session")
def spark(event_log):
    # Python workers get the environment that the JVM was started with
    os.environ["PSEUDONYM_SECRET"] = os.environ["SUPPRESSION_SECRET"] = KEY
    options = {"enabled": "true", "compress": "false", "dir": event_log.as_uri()}
    conf = " ".join(f"--conf spark.eventLog.{name}={value}" for name, value in options.items())
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{conf} pyspark-shell"
    from spark_prep.spark.session import start_spark

    session = start_spark("tests")
    session.conf.set("spark.sql.shuffle.partitions", "1")
    del os.environ["PYSPARK_SUBMIT_ARGS"]
    yield session
    session.stop()


@pytest.fixture(scope="session")
def key():
    return KEY


class Shop:
    def __init__(self, dsn: str):
        self.dsn = dsn

    def fill(self, *rows: str, schema: str = "public", **other_types: str | None):
        """Recreate the table. Rows are SQL literals; a column takes another type, or None to be left out."""
        columns = {**SHOP_COLUMNS, **other_types}
        ddl = ", ".join(f"{name} {kind}" for name, kind in columns.items() if kind)
        self.execute(
            f"drop table if exists {schema}.user_purchase", f"create table {schema}.user_purchase ({ddl})"
        )
        if rows:
            self.execute(
                f"insert into {schema}.user_purchase values " + ", ".join(f"({row})" for row in rows)
            )

    def execute(self, *statements: str):
        with dbapi.connect(self.dsn, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def shop():
    with embedded_postgres() as dsn:
        yield Shop(dsn)


@pytest.fixture(scope="session")
def s3():
    """S3 on loopback, and the settings by which AWS's libraries find it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.stop()


@pytest.fixture
def bucket(s3, monkeypatch):
    """The name of an empty bucket."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    name = f"lake-{uuid.uuid4()}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


class Lake:
    def __init__(self, root: Path):
        self.root = root
        self.settings = {
            "RAW_URI": str(root / "raw"),
            "STAGING_URI": str(root / "staging"),
            "QUARANTINE_URI": str(root / "quarantine"),
            "START_DATE": "2021-01-01",
        }

    def deliver(self, feed: str, day: date | str, content: str | bytes, name: str = "delivery.csv") -> Path:
        file = self.root / "raw" / feed / f"insert_date={day}" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def staged(self, table: str, day: date | str) -> list[dict]:
        """The rows of the day as a reader sees them: those of the run that the delivery row names."""
        return self._rows("staging", f"{self._run(table, day)}/*.parquet")

    def quarantined(self, table: str, day: date | str) -> list[dict]:
        return self._rows("quarantine", f"{self._run(table, day)}/*.parquet")

    def reasons(self, table: str, day: date | str) -> list[str]:
        return sorted(row["reason"] for row in self.quarantined(table, day))

    def delivery(self, table: str, day: date | str) -> dict:
        (row,) = self._rows("staging", f"delivery/insert_date={day}/{table}.parquet")
        return row

    def rejections(self, table: str, day: date | str) -> dict[str, int]:
        file = f"rejection/insert_date={day}/run={self.delivery(table, day)['run']}/{table}.parquet"
        return {row["reason"]: row["records"] for row in self._rows("staging", file)}

    def files(self) -> dict[str, bytes]:
        """Every file below staging and quarantine, with its bytes."""
        return {
            str(file.relative_to(self.root)): file.read_bytes()
            for area in ("staging", "quarantine")
            for file in (self.root / area).rglob("*")
            if file.is_file()
        }

    def is_staged(self, table: str, day: date | str) -> bool:
        return (self.root / "staging" / table / f"insert_date={day}").exists()

    def runs(self, table: str, day: date | str) -> list[str]:
        """The ids of all runs that have files there, the committed one or not."""
        folders = (self.root / "staging" / table / f"insert_date={day}").glob("run=*")
        return sorted(folder.name.removeprefix("run=") for folder in folders)

    def _run(self, table: str, day: date | str) -> str:
        return f"{table}/insert_date={day}/run={self.delivery(table, day)['run']}"

    def _rows(self, area: str, pattern: str) -> list[dict]:
        files = sorted((self.root / area).glob(pattern))
        assert files, f"no {pattern} in {area}"
        return [row for file in files for batch in read_batches("/", str(file)) for row in batch.to_pylist()]


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


@pytest.fixture(scope="module")
def module_lake(tmp_path_factory):
    return Lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def other_lake(tmp_path):
    return Lake(tmp_path / "other")
