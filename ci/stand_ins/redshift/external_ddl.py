"""DDL on external schemas and tables as calls of the procedures in spectrum.sql."""

import json
from collections.abc import Callable, Collection

from ci.stand_ins.redshift.statement import Reader, Refused, literal

# Table properties that make a difference here, of https://docs.aws.amazon.com/redshift/latest/dg/t_setting-data-handling-options.html.
PROPERTIES = {"surplus_char_handling": ("SET_TO_NULL", "FAIL")}


def external_ddl(reader: Reader, external_schemas: Collection[str]) -> tuple[str, str] | None:
    """(what it is, the call of a procedure of spectrum.sql) for DDL on external schemas and tables, None for others."""
    if reader.skip("create", "external"):
        if reader.skip("schema"):
            return "CREATE EXTERNAL SCHEMA", create_external_schema(reader)
        reader.expect("table")
        return "CREATE EXTERNAL TABLE", create_external_table(reader)

    is_drop = reader.skip("drop", "table")
    if not is_drop and not reader.skip("alter", "table"):
        return None
    if_exists = reader.skip("if", "exists")
    schema, table = reader.qualified_name()
    if schema not in external_schemas:
        return None
    if is_drop:
        reader.skip("cascade") or reader.skip("restrict")
        reader.end()
        return "DROP EXTERNAL TABLE", call("drop_external_table", schema, table, if_exists)
    return "ALTER EXTERNAL TABLE", alter_external_table(reader, schema, table)


def create_external_schema(reader: Reader) -> str:
    if_not_exists = reader.skip("if", "not", "exists")
    schema = reader.identifier()
    reader.expect("from", "data", "catalog", "database")
    database = reader.text()
    if reader.skip("region"):
        reader.text()
    reader.expect("iam_role")
    if not reader.skip("default"):
        reader.text()
    if reader.skip("create", "external", "database"):
        reader.expect("if", "not", "exists")
    reader.end()
    return call("create_external_schema", schema, database, if_not_exists)


def create_external_table(reader: Reader) -> str:
    schema, table = reader.qualified_name()
    columns, partition_columns = reader.parenthesised(), None
    if reader.skip("partitioned", "by"):
        partition_columns = reader.parenthesised()
    reader.expect("stored", "as")
    if not reader.skip("parquet"):
        raise Refused(f"the stand-in reads Parquet only, not {reader.identifier()}", "0A000")
    reader.expect("location")
    location = reader.text()
    properties: dict[str, str] = {}
    if reader.skip("table", "properties"):
        properties = named_texts(reader, reader.text)
    for name, value in properties.items():
        if value not in PROPERTIES.get(name, ()):
            raise Refused(f"the stand-in knows no table property {name} = {value}", "0A000")
    reader.end()
    return call("create_external_table", schema, table, columns, partition_columns, location, properties)


def alter_external_table(reader: Reader, schema: str, table: str) -> str:
    if reader.skip("drop", "partition"):
        values = partition_values(reader)
        reader.end()
        return call("drop_partition", schema, table, values)
    reader.expect("add")
    if_not_exists = reader.skip("if", "not", "exists")
    partitions: list[dict] = []
    while not partitions or reader.words():
        reader.expect("partition")
        values = partition_values(reader)
        reader.expect("location")
        partitions.append({"values": values, "location": reader.text()})
    return call("add_partitions", schema, table, partitions, if_not_exists)


def partition_values(reader: Reader) -> dict[str, str]:
    """(insert_date='2021-01-31') as {"insert_date": "2021-01-31"}."""
    return named_texts(reader, reader.identifier)


def named_texts(reader: Reader, name_of: Callable[[], str]) -> dict[str, str]:
    reader.expect("(")
    values: dict[str, str] = {}
    while not values or reader.skip(","):
        name = name_of()
        reader.expect("=")
        values[name] = reader.text()
    reader.expect(")")
    return values


def call(procedure: str, *arguments: str | bool | dict | list | None) -> str:
    texts = []
    for argument in arguments:
        if argument is None or isinstance(argument, bool):
            texts.append({None: "null", True: "true", False: "false"}[argument])
        else:
            texts.append(literal(argument if isinstance(argument, str) else json.dumps(argument)))
    return f"call spectrum.{procedure}({', '.join(texts)})"
