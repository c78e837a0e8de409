"""A stand-in for BigQuery: the real dbt-bigquery and google-cloud-bigquery against a server of our own on loopback,
behind which Google's own SQL engine, ZetaSQL, checks and evaluates every statement.

    with bigquery_stand_in(lake=folder) as bigquery:
        profile = {"type": "bigquery", "method": "oauth-secrets", "token": "none", "job_retries": 0,
                   "api_endpoint": bigquery.endpoint, "project": bigquery.project, "location": bigquery.location, …}

What it shows: that names, types and functions are BigQuery's (ZetaSQL is BigQuery's front end); what queries, CREATE …
AS, DML and scripts with transactions give; that dbt-bigquery's calls are answered as BigQuery answers them; external
tables over Hive-partitioned Parquet files (gs://<any bucket>/… is the folder `lake`), with their types checked.

SUPPORT.md says what it cannot show. DELETE, UPDATE and MERGE are checked by ZetaSQL and then evaluated as queries of our making (dml.py). It is the
reference implementation: thousands of rows take seconds. What BigQuery can do and the stand-in cannot is refused ("The stand-in does not run …"),
not ignored.
"""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ci.stand_ins.bigquery.server import serve
from ci.stand_ins.bigquery.statements import run_script
from ci.stand_ins.bigquery.values import python_value
from ci.stand_ins.bigquery.warehouse import Warehouse
from ci.stand_ins.bigquery.zetasql_engine import shared_engine


@dataclass
class BigQueryStandIn:
    # The address of the REST interface: http://127.0.0.1:…
    endpoint: str
    warehouse: Warehouse
    # The text of every query job, in order.
    statements: list[str]

    @property
    def project(self) -> str:
        return self.warehouse.project

    @property
    def location(self) -> str:
        return self.warehouse.location

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query or script, as Python values, past the REST interface."""
        with self.warehouse.lock:
            rows = run_script(self.warehouse, sql).rows
        if not rows:
            return []
        types = [column.type for column in rows.columns]
        return [
            tuple(python_value(cell, type_) for cell, type_ in zip(row.cell, types, strict=True))
            for row in rows.data.row
        ]


@contextlib.contextmanager
def bigquery_stand_in(lake: Path, project: str = "local", location: str = "EU") -> Iterator[BigQueryStandIn]:
    """Start the stand-in with an empty project; it ends with the block, or with the process.

    The first time on a machine ZetaSQL is compiled, which takes up to a minute and is said on standard error.
    """
    warehouse = Warehouse(shared_engine(), project, location, Path(lake))
    statements: list[str] = []
    with serve(warehouse, statements) as endpoint:
        # A client that finds nobody there tries again for minutes.
        address = urlsplit(endpoint)
        socket.create_connection((address.hostname, address.port), timeout=5).close()
        yield BigQueryStandIn(endpoint, warehouse, statements)
