"""INFORMATION_SCHEMA and __TABLES__: the views that dbt-bigquery reads, computed from the tables when they are read.

As on BigQuery, COLUMN_FIELD_PATHS has no columns of external tables, so that dbt's catalogue has none of sources either.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData

from ci.stand_ins.bigquery.errors import not_emulated
from ci.stand_ins.bigquery.table import Table
from ci.stand_ins.bigquery.values import Column, cell_of, simple_type
from ci.stand_ins.bigquery.zetasql_engine import Rows

TABLE_KEY = "table_catalog STRING, table_schema STRING, table_name STRING"


def is_metadata_view(name: str) -> bool:
    return "INFORMATION_SCHEMA" in name.upper() or name.endswith(".__TABLES__")


def metadata_columns(name: str) -> list[Column]:
    columns, _ = _view(name)
    pairs = (column.split() for column in columns.split(", "))
    return [Column(column, simple_type(type_)) for column, type_ in pairs]


def metadata_rows(name: str, tables: Iterable[Table]) -> Rows:
    """The rows of `project.dataset.INFORMATION_SCHEMA.VIEW`, or of all datasets for `project.region-x.…`."""
    columns = metadata_columns(name)
    _, records = _view(name)
    dataset = name.split(".")[1]
    data = TableData()
    for table in tables:
        is_listed = not table.dataset.startswith("_")
        if dataset == table.dataset or (dataset.startswith("region-") and is_listed):
            for record in records(table):
                cells = zip(record, columns, strict=True)
                data.row.add(cell=[cell_of(value, column.type) for value, column in cells])
    return Rows(columns, data)


def _view(name: str) -> tuple[str, Callable[[Table], Iterable[tuple[Any, ...]]]]:
    view = name.rsplit(".", 1)[1].upper()
    if view not in VIEWS:
        raise not_emulated(f"INFORMATION_SCHEMA.{view}")
    return VIEWS[view]


def _key(table: Table) -> tuple[str, ...]:
    return tuple(table.name.split("."))


def _legacy_tables(table: Table) -> Iterator[tuple]:
    milliseconds = int(table.created * 1000)
    number = {"TABLE": 1, "VIEW": 2, "EXTERNAL": 3}[table.kind]
    yield (*_key(table), milliseconds, milliseconds, table.row_count, size_in_bytes(table), number)


def _tables(table: Table) -> Iterator[tuple]:
    yield (*_key(table), "BASE TABLE" if table.kind == "TABLE" else table.kind)


def _table_options(table: Table) -> Iterator[tuple]:
    if table.description:
        yield (*_key(table), "description", "STRING", json.dumps(table.description))


def _columns(table: Table) -> Iterator[tuple]:
    partition = (table.partition or {}).get("field")
    for position, column in enumerate(table.columns, 1):
        cluster = table.cluster.index(column.name) + 1 if column.name in table.cluster else None
        nullable = "NO" if column.is_required else "YES"
        partitions = "YES" if column.name == partition else "NO"
        yield (*_key(table), column.name, position, nullable, column.sql_type, partitions, cluster)


def _column_field_paths(table: Table) -> Iterator[tuple]:
    if table.kind != "EXTERNAL":
        for column in table.columns:
            yield (*_key(table), column.name, column.name, column.sql_type, column.description)


def size_in_bytes(table: Table) -> int:
    return table.data.ByteSize() if table.data else 0


VIEWS = {
    "__TABLES__": (
        "project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, "
        + "last_modified_time INT64, row_count INT64, size_bytes INT64, type INT64",
        _legacy_tables,
    ),
    "TABLES": (f"{TABLE_KEY}, table_type STRING", _tables),
    "MATERIALIZED_VIEWS": (TABLE_KEY, lambda table: ()),
    "TABLE_OPTIONS": (
        f"{TABLE_KEY}, option_name STRING, option_type STRING, option_value STRING",
        _table_options,
    ),
    "COLUMNS": (
        f"{TABLE_KEY}, column_name STRING, ordinal_position INT64, is_nullable STRING, "
        + "data_type STRING, is_partitioning_column STRING, clustering_ordinal_position INT64",
        _columns,
    ),
    "COLUMN_FIELD_PATHS": (
        f"{TABLE_KEY}, column_name STRING, field_path STRING, data_type STRING, description STRING",
        _column_field_paths,
    ),
}
