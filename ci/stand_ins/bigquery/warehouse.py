"""What a BigQuery project holds: datasets and their tables, views and external tables, and how each is read.

A table object is never changed, only replaced, so that a copy of the dictionary is a snapshot to which a transaction can
return.
"""

import dataclasses
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

from ci.stand_ins.bigquery.errors import BigQueryError, not_found
from ci.stand_ins.bigquery.metadata_views import is_metadata_view, metadata_columns, metadata_rows
from ci.stand_ins.bigquery.partitions import PartitionQuota
from ci.stand_ins.bigquery.table import Table
from ci.stand_ins.bigquery.values import Column
from ci.stand_ins.bigquery.zetasql_engine import Engine, NamedType, Rows, Variable


@dataclass
class Outcome:
    """What a job reports: BigQuery's name of the statement, the table that was made, the rows of a query."""

    statement_type: str
    table: str | None = None
    rows: Rows | None = None
    affected: int | None = None


class Warehouse:
    def __init__(self, engine: Engine, project: str, location: str, lake: Path):
        self.engine, self.project, self.location, self.lake = engine, project, location, lake
        self.datasets: set[str] = set()
        self.tables: dict[str, Table] = {}
        self.partition_quota = PartitionQuota()
        # For those who use the warehouse from several threads; it does one thing at a time.
        self.lock = threading.Lock()

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise not_found("Table", self.spoken(name), self.location)
        return self.tables[name]

    def put(self, table: Table) -> None:
        self.require_dataset(table.dataset)
        self.tables[table.name] = table

    def write(self, name: str, rows: Rows, *, is_overwritten: bool = False) -> None:
        """Replace the rows of a table by such that have its columns, in order; their values take its types. `is_overwritten` for what is no
        DML."""
        table = self.table(name)
        self.require_kind(table, "TABLE")
        data = self.converted(rows, table.columns).data
        for place, column in enumerate(table.columns):
            if column.is_required and any(row.cell[place].WhichOneof("value") is None for row in data.row):
                raise BigQueryError(f"Required field {column.name} cannot be null", reason="invalid")
        self.partition_quota.count(table, data, is_overwritten=is_overwritten)
        self.tables[name] = dataclasses.replace(table, data=data)

    def converted(self, rows: Rows, columns: Sequence[Column]) -> Rows:
        """The rows with the columns' types, also rounded to their precision; place by place."""
        if all(c.type == r.type and not c.parameters for r, c in zip(rows.columns, columns, strict=True)):
            return Rows(columns, rows.data)
        source = Rows([NamedType(f"c{i}", c.type) for i, c in enumerate(rows.columns)], rows.data)
        casts = (
            f"c{place}" if "<" in column.sql_type else f"cast(c{place} as {column.sql_type})"
            for place, column in enumerate(columns)
        )
        data = self.engine.query(f"select {', '.join(casts)} from source", {"source": source}).data
        return Rows(columns, data)

    def query(self, sql: str, names: Iterable[str], variables: Mapping[str, Variable] | None = None) -> Rows:
        """The rows of a query whose tables go by flat names."""
        return self.engine.query(sql, {name: self.rows(name) for name in names}, variables)

    def columns(self, name: str) -> Sequence[Column]:
        return metadata_columns(name) if is_metadata_view(name) else self.table(name).columns

    def rows(self, name: str) -> Rows:
        if is_metadata_view(name):
            dataset = name.split(".")[1]
            if not dataset.startswith("region-"):
                self.require_dataset(dataset)
            return metadata_rows(name, self.tables.values())
        table = self.table(name)
        if table.files:
            return Rows(table.columns, table.files.rows())
        if table.query is not None:
            return Rows(table.columns, self.query(table.query, table.query_tables).data)
        return Rows(table.columns, table.data)

    def require_dataset(self, dataset: str) -> None:
        if dataset not in self.datasets:
            raise not_found("Dataset", f"{self.project}:{dataset}", self.location)

    def require_kind(self, table: Table, kind: str) -> None:
        if table.kind != kind:
            raise BigQueryError(
                f"{self.spoken(table.name)} is not allowed for this operation because it is currently a {table.kind}."
            )

    def drop_dataset(self, dataset: str) -> None:
        self.require_dataset(dataset)
        self.datasets.remove(dataset)
        self.tables = {name: table for name, table in self.tables.items() if table.dataset != dataset}

    def spoken(self, name: str) -> str:
        """The name as BigQuery's messages spell it: project:dataset.table."""
        return name.replace(".", ":", 1)


def rows_from_texts(records: Iterable[Sequence[str | None]]) -> TableData:
    """Rows of STRING cells."""
    data = TableData()
    for record in records:
        data.row.add(
            cell=[ValueProto() if text is None else ValueProto(string_value=text) for text in record]
        )
    return data
