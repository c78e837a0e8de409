"""CREATE, DROP and ALTER: statements that define tables, views, external tables and datasets."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData
from zetasql.wasi._pb2.zetasql.resolved_ast.resolved_ast_enums_pb2 import (
    ResolvedCreateStatementEnums as CreateMode,
)

from ci.stand_ins.bigquery.errors import BigQueryError, not_emulated, not_found
from ci.stand_ins.bigquery.external_files import ExternalFiles
from ci.stand_ins.bigquery.syntax import attribute, kind, leaf, table_names
from ci.stand_ins.bigquery.table import Table
from ci.stand_ins.bigquery.values import Column, python_value, sql_type
from ci.stand_ins.bigquery.warehouse import Outcome, Warehouse
from ci.stand_ins.bigquery.zetasql_engine import SqlError, Variable

Text = Callable[[Message], str]

TABLE_OPTIONS = {
    "description", "expiration_timestamp", "friendly_name", "kms_key_name", "labels", "partition_expiration_days",
    "require_partition_filter",
}  # fmt: skip
EXTERNAL_TABLE_OPTIONS = {
    "description", "format", "hive_partition_uri_prefix", "labels", "require_hive_partition_filter", "uris",
}  # fmt: skip
# A DATE column by itself, or a column cut to hours, days, months or years.
PARTITION = re.compile(
    r"(?:(?:DATE|DATETIME|TIMESTAMP)_TRUNC\s*\(\s*)?"
    r"`?(?P<column>\w+)`?"
    r"(?:\s*,\s*(?P<unit>HOUR|DAY|MONTH|YEAR)\s*\))?",
    re.IGNORECASE,
)


def define(
    warehouse: Warehouse, text: Text, variables: Mapping[str, Variable], node: Message, resolved: Message
) -> Outcome:
    """Run a statement, given as its syntax tree and as ZetaSQL has resolved it."""
    match kind(resolved):
        case "CreateTableAsSelect" | "CreateTable":
            return _create_table(warehouse, text, variables, node, resolved)
        case "CreateView":
            return _create_view(warehouse, text, node, resolved)
        case "CreateExternalTable":
            return _create_external_table(warehouse, resolved)
        case "CreateSchema":
            return _create_schema(warehouse, resolved)
        case "Drop":
            return _drop(warehouse, resolved)
        case "AlterTable" | "AlterTableSetOptions" | "AlterView" | "AlterExternalTable":
            return _alter(warehouse, resolved)
    raise not_emulated(kind(resolved))


def _create_table(
    warehouse: Warehouse, text: Text, variables: Mapping[str, Variable], node: Message, resolved: Message
) -> Outcome:
    name = _name_to_create(warehouse, resolved, "TABLE")
    if not name:
        return Outcome("CREATE_TABLE")
    columns = [_column(definition) for definition in attribute(resolved, "column_definition_list")]
    table = Table(
        name,
        columns,
        data=TableData(),
        description=_options(resolved, TABLE_OPTIONS).get("description"),
        partition=_partition(node, text, columns),
        cluster=[leaf(column).column.name for column in resolved.cluster_by_list],
    )
    old = warehouse.tables.get(name)
    if old and old.partition != table.partition:
        raise BigQueryError(
            f"Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate "
            f"it. New partitioning spec is {table.partition} and existing spec is {old.partition}",
            reason="invalid",
        )
    if kind(resolved) == "CreateTable":
        warehouse.put(table)
        return Outcome("CREATE_TABLE", table=name)

    query = attribute(node, "query")
    rows = warehouse.query(text(query), table_names(query), variables)
    before = dict(warehouse.tables)
    warehouse.put(table)
    try:
        warehouse.write(name, rows, is_overwritten=True)
    except (BigQueryError, SqlError):
        warehouse.tables = before
        raise
    return Outcome("CREATE_TABLE_AS_SELECT", table=name)


def _partition(node: Message, text: Text, columns: Sequence[Column]) -> dict | None:
    """The partitioning as the REST interface has it. ZetaSQL leaves it to the engine what can be partitioned by."""
    partition_by = attribute(node, "partition_by")
    if not partition_by:
        return None
    expression = text(partition_by.partitioning_expressions[0])
    found = PARTITION.fullmatch(expression)
    if not found:
        raise not_emulated(f"PARTITION BY {expression}")
    types = {column.name.lower(): sql_type(column.type) for column in columns}
    if types[found["column"].lower()] not in (
        ["DATE", "DATETIME", "TIMESTAMP"] if found["unit"] else ["DATE"]
    ):
        raise BigQueryError(
            "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), "
            "DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, "
            "TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), DATE_TRUNC(<date_column>, MONTH/YEAR), or "
            "RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))"
        )
    return {"type": (found["unit"] or "DAY").upper(), "field": found["column"]}


def _create_view(warehouse: Warehouse, text: Text, node: Message, resolved: Message) -> Outcome:
    name = _name_to_create(warehouse, resolved, "VIEW")
    if name:
        outputs = attribute(resolved, "output_column_list")
        query = attribute(node, "query")
        view = Table(
            name,
            [Column(output.name, output.column.type) for output in outputs],
            query=text(query),
            query_tables=frozenset(table_names(query)),
            description=_options(resolved, TABLE_OPTIONS).get("description"),
        )
        warehouse.put(view)
    return Outcome("CREATE_VIEW", table=name)


def _create_external_table(warehouse: Warehouse, resolved: Message) -> Outcome:
    name = _name_to_create(warehouse, resolved, "EXTERNAL")
    if name:
        options = _options(resolved, EXTERNAL_TABLE_OPTIONS)
        if (options.get("format") or "").upper() != "PARQUET":
            raise not_emulated(f"external tables of format {options.get('format')}")
        if options.get("require_hive_partition_filter"):
            raise not_emulated("require_hive_partition_filter = true")
        partition = attribute(resolved, "with_partition_columns")
        files = ExternalFiles(
            warehouse.spoken(name),
            warehouse.lake,
            options.get("uris") or [],
            [_column(definition) for definition in attribute(resolved, "column_definition_list")],
            [_column(definition) for definition in partition.column_definition_list] if partition else [],
            options.get("hive_partition_uri_prefix"),
        )
        columns = [*files.columns, *files.partition_columns]
        warehouse.put(Table(name, columns, files=files, description=options.get("description")))
    return Outcome("CREATE_EXTERNAL_TABLE", table=name)


def _name_to_create(warehouse: Warehouse, resolved: Message, new_kind: str) -> str | None:
    """The name, free to be taken; None when IF NOT EXISTS leaves nothing to do."""
    statement = _create_statement(resolved)
    name = statement.name_path[0]
    if name.count(".") != 2:
        raise not_emulated(f"CREATE {name}: names without project and dataset")
    warehouse.require_dataset(name.split(".")[1])
    if name in warehouse.tables:
        if statement.create_mode == CreateMode.CREATE_IF_NOT_EXISTS:
            return None
        if statement.create_mode != CreateMode.CREATE_OR_REPLACE:
            raise BigQueryError(f"Already Exists: Table {warehouse.spoken(name)}", 409, "duplicate")
        warehouse.require_kind(warehouse.tables[name], new_kind)
    return name


def _create_statement(resolved: Message) -> Message:
    while "create_mode" not in resolved.DESCRIPTOR.fields_by_name:
        resolved = resolved.parent
    return resolved


def _column(definition: Message) -> Column:
    if definition.HasField("default_value"):
        raise not_emulated("DEFAULT of a column")
    annotations = definition.annotations
    options = {option.name: _literal(option) for option in annotations.option_list}
    parameters = annotations.type_parameters
    has_parameters = parameters.HasField("numeric_type_parameters") or parameters.HasField(
        "string_type_parameters"
    )
    return Column(
        definition.name,
        definition.type,
        parameters if has_parameters else None,
        annotations.not_null,
        options.get("description"),
    )


def _options(resolved: Message, known: set[str]) -> dict[str, Any]:
    options = {option.name.lower(): _literal(option) for option in attribute(resolved, "option_list")}
    if unknown := sorted(options.keys() - known):
        raise BigQueryError(f"Unknown option: {unknown[0]}")
    return options


def _literal(option: Message) -> Any:
    """The value of an option; None for one that is computed, as an expiry is."""
    value = leaf(option.value)
    return python_value(value.value.value, value.value.type) if kind(value) == "Literal" else None


def _create_schema(warehouse: Warehouse, resolved: Message) -> Outcome:
    statement = _create_statement(resolved)
    dataset = statement.name_path[-1].split(".")[-1]
    if dataset in warehouse.datasets and statement.create_mode != CreateMode.CREATE_IF_NOT_EXISTS:
        raise BigQueryError(f"Already Exists: Dataset {warehouse.project}:{dataset}", 409, "duplicate")
    warehouse.datasets.add(dataset)
    return Outcome("CREATE_SCHEMA")


def _drop(warehouse: Warehouse, resolved: Message) -> Outcome:
    name, what = resolved.name_path[-1], resolved.object_type
    outcome = Outcome("DROP_" + what.replace(" ", "_"))
    if what == "SCHEMA":
        dataset = name.split(".")[-1]
        if dataset in warehouse.datasets or not resolved.is_if_exists:
            warehouse.drop_dataset(dataset)
    elif name in warehouse.tables:
        warehouse.require_kind(warehouse.tables[name], what.removesuffix(" TABLE"))
        del warehouse.tables[name]
    elif not resolved.is_if_exists:
        raise not_found("Table", warehouse.spoken(name), warehouse.location)
    return outcome


def _alter(warehouse: Warehouse, resolved: Message) -> Outcome:
    table = warehouse.table(attribute(resolved, "name_path")[0])
    is_set_options = kind(resolved) == "AlterTableSetOptions"
    for action in [resolved] if is_set_options else attribute(resolved, "alter_action_list"):
        if not is_set_options and kind(action) != "SetOptionsAction":
            raise not_emulated(f"ALTER TABLE … {kind(action)}")
        options = _options(leaf(action), TABLE_OPTIONS)
        table = dataclasses.replace(table, description=options.get("description", table.description))
    warehouse.put(table)
    return Outcome("ALTER_TABLE", table=table.name)
