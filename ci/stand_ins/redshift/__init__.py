"""A Redshift stand-in for tests: the real dbt-redshift and redshift_connector, behind them a PostgreSQL 16.

    with redshift_stand_in(lake) as redshift:
        dbt(profile=redshift.profile(), …)
        redshift.query("select count(*) from analytics_marts.ledger")

wire.py speaks to the client, rewrite.py turns Redshift's SQL into PostgreSQL's, gate.py refuses what PostgreSQL lets
pass and Redshift does not, functions.sql has what Redshift adds to PostgreSQL. External tables over Parquet are in
external_ddl.py (the statements), spectrum.sql (the catalogue) and spectrum.py (the rows).

texts.sql gives texts Redshift's lengths and comparison. SUPPORT.md says what all of it shows and what it cannot. "Through the real
adapter against a stand-in" is what may be said of it; it is not Redshift.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import adbc_driver_postgresql.dbapi
import redshift_connector
from redshift_connector.core import Connection

from ci.stand_ins.redshift.rewrite import rewrite
from ci.stand_ins.redshift.spectrum import Spectrum
from ci.stand_ins.redshift.wire import Wire
from demo.postgres import embedded_postgres

USER, PASSWORD, DATABASE = "dbt", "any", "dev"
# Anyone else, who may do what is granted.
READER = "reader"


@dataclass
class RedshiftStandIn:
    host: str
    port: int
    user: str = USER
    password: str = PASSWORD
    database: str = DATABASE
    # Every statement as it was sent, the refused ones too; and those of them that no transaction was open for.
    statements: list[str] = field(default_factory=list)
    outside_transactions: list[str] = field(default_factory=list)

    def query(self, sql: str) -> list[tuple]:
        """The rows of a query, or none for another statement, through redshift_connector."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def connect(self, user: str | None = None, timeout: int | None = None) -> Connection:
        """As the user of the profile or another; `timeout` is that of the driver, in seconds."""
        connection = redshift_connector.connect(
            host=self.host,
            port=self.port,
            user=user or self.user,
            password=self.password,
            database=self.database,
            timeout=timeout,
            ssl=False,
        )
        connection.autocommit = True
        return connection

    def profile(self, schema: str = "analytics", threads: int = 2) -> dict:
        """An output of dbt's profiles.yml."""
        return {
            "type": "redshift", "host": self.host, "port": self.port, "user": self.user, "password": self.password,
            "dbname": self.database, "schema": schema, "threads": threads, "sslmode": "disable", "retries": 0,
        }  # fmt: skip


@contextlib.contextmanager
def redshift_stand_in(lake: Path) -> Iterator[RedshiftStandIn]:
    """Start one, with an empty database, and stop it on the way out.

    `lake` is the folder that stands for S3: `s3://<any bucket>/<key>` is `<lake>/<key>`. It ends with the process that
    started it, whatever happens to that.
    """
    with embedded_postgres() as dsn:
        dsn_of_database = make_database(dsn)
        with contextlib.closing(Spectrum(dsn_of_database, Path(lake))) as spectrum:
            statements: list[str] = []
            outside_transactions: list[str] = []

            def log_and_rewrite(sql: str, in_transaction: bool) -> str:
                statements.append(sql)
                if not in_transaction:
                    outside_transactions.append(sql)
                return rewrite(sql, spectrum.external_schemas(), in_transaction)

            socket_dir = dsn.partition("host=")[2].partition("&")[0]
            with Wire(f"{socket_dir}/.s.PGSQL.5432", log_and_rewrite, spectrum.refresh) as wire:
                threading.Thread(
                    target=wire.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
                ).start()
                try:
                    yield RedshiftStandIn(
                        "127.0.0.1",
                        wire.port,
                        statements=statements,
                        outside_transactions=outside_transactions,
                    )
                finally:
                    wire.shutdown()


def make_database(dsn: str) -> str:
    """Make the database with what Redshift has and PostgreSQL lacks; returns its DSN for the superuser."""
    execute(
        dsn,
        f"create role {USER} login",
        f"create role {READER} login",
        f"create database {DATABASE} owner {USER}",
    )
    dsn_of_database = dsn.replace("/postgres?", f"/{DATABASE}?")
    scripts = (
        Path(__file__).with_name(f"{name}.sql").read_text() for name in ("functions", "spectrum", "texts")
    )
    execute(dsn_of_database, *scripts)
    # Of the user alone: the scripts above and the loader are written for PostgreSQL.
    execute(
        dsn_of_database,
        *(
            f"alter role {role} set {setting}"
            for role in (USER, READER)
            for setting in (
                "search_path = public, redshift, pg_catalog",
                "standard_conforming_strings = off",
                "escape_string_warning = off",
            )
        ),
        # Tables that have just been filled have no statistics, and look small enough for a nested loop.
        f"alter role {USER} set enable_nestloop = off",
        f"grant create on schema public to {USER}",
    )
    return dsn_of_database


def execute(dsn: str, *scripts: str) -> None:
    with (
        adbc_driver_postgresql.dbapi.connect(dsn, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        for script in scripts:
            cursor.executescript(script)
