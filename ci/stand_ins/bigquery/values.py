"""Types and values: ZetaSQL's protocol buffers, and the forms in which BigQuery's REST interface shows them."""

import base64
import datetime
import decimal
from dataclasses import dataclass
from typing import Any

from zetasql.wasi._pb2.zetasql.public.type_parameters_pb2 import TypeParametersProto
from zetasql.wasi._pb2.zetasql.public.type_pb2 import TypeKind, TypeProto
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

EPOCH_DATE = datetime.date(1970, 1, 1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# Where BigQuery's name of a type is not ZetaSQL's, and where the REST interface has a name of its own.
SQL_NAMES = {"DOUBLE": "FLOAT64"}
REST_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}


@dataclass
class Column:
    name: str
    type: TypeProto
    # Precision and scale, as in NUMERIC(18, 5); None for the plain type.
    parameters: TypeParametersProto | None = None
    is_required: bool = False
    description: str | None = None
    # No statement of SQL sets or keeps them: https://docs.cloud.google.com/bigquery/docs/column-level-security#set_policy
    policy_tags: tuple[str, ...] = ()

    @property
    def sql_type(self) -> str:
        """The declared type: `NUMERIC(18, 5)`."""
        sql = sql_type(self.type)
        if not self.parameters:
            return sql
        if self.parameters.HasField("numeric_type_parameters"):
            numeric = self.parameters.numeric_type_parameters
            return f"{sql}({numeric.precision}, {numeric.scale})"
        return f"{sql}({self.parameters.string_type_parameters.max_length})"


def simple_type(name: str) -> TypeProto:
    """`simple_type("INT64")`, also by the REST interface's names ("INTEGER")."""
    sql = {rest: sql for sql, rest in REST_NAMES.items()}.get(name, name)
    return TypeProto(type_kind=TypeKind.Value("TYPE_" + {v: k for k, v in SQL_NAMES.items()}.get(sql, sql)))


def sql_type(type_: TypeProto) -> str:
    """`ARRAY<STRUCT<a INT64>>`"""
    name = TypeKind.Name(type_.type_kind).removeprefix("TYPE_")
    if name == "ARRAY":
        return f"ARRAY<{sql_type(type_.array_type.element_type)}>"
    if name == "STRUCT":
        fields = (f"{field.field_name} {sql_type(field.field_type)}" for field in type_.struct_type.field)
        return f"STRUCT<{', '.join(fields)}>"
    return SQL_NAMES.get(name, name)


def rest_field(column: Column) -> dict:
    """A column as the REST interface describes it (TableFieldSchema)."""
    field = _rest_type(column.name, column.type)
    if column.is_required:
        field["mode"] = "REQUIRED"
    if column.description:
        field["description"] = column.description
    if column.policy_tags:
        field["policyTags"] = {"names": list(column.policy_tags)}
    if column.parameters and column.parameters.HasField("numeric_type_parameters"):
        numeric = column.parameters.numeric_type_parameters
        field |= {"precision": str(numeric.precision), "scale": str(numeric.scale)}
    return field


def _rest_type(name: str, type_: TypeProto) -> dict:
    sql = sql_type(type_)
    if sql.startswith("ARRAY"):
        return _rest_type(name, type_.array_type.element_type) | {"mode": "REPEATED"}
    if sql.startswith("STRUCT"):
        fields = [_rest_type(field.field_name, field.field_type) for field in type_.struct_type.field]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields}
    return {"name": name, "type": REST_NAMES.get(sql, sql), "mode": "NULLABLE"}


def rest_value(cell: ValueProto, type_: TypeProto) -> Any:
    """A value as the REST interface gives it: nearly everything is text."""
    value = python_value(cell, type_)
    sql = sql_type(type_)
    if sql.startswith("ARRAY"):
        element = type_.array_type.element_type
        return [{"v": rest_value(item, element)} for item in cell.array_value.element]
    if value is None:
        return None
    if sql.startswith("STRUCT"):
        pairs = zip(cell.struct_value.field, type_.struct_type.field, strict=True)
        return {"f": [{"v": rest_value(item, field.field_type)} for item, field in pairs]}
    match value:
        case bool():
            return "true" if value else "false"
        case datetime.datetime() if value.tzinfo:
            return str((value - EPOCH) // datetime.timedelta(microseconds=1))
        case datetime.date():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case decimal.Decimal():
            return format(value.normalize(), "f")
    return str(value)


def python_value(cell: ValueProto, type_: TypeProto) -> Any:
    """A value as Python has it; arrays are lists, structs are dicts."""
    member = cell.WhichOneof("value")
    if member is None:
        return None
    value = getattr(cell, member)
    match member:
        case "array_value":
            return [python_value(item, type_.array_type.element_type) for item in value.element]
        case "struct_value":
            pairs = zip(value.field, type_.struct_type.field, strict=True)
            return {field.field_name: python_value(item, field.field_type) for item, field in pairs}
        case "date_value":
            return EPOCH_DATE + datetime.timedelta(days=value)
        case "timestamp_value":
            return EPOCH + datetime.timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
        case "datetime_value":
            bits = value.bit_field_datetime_seconds
            day = (bits >> 26, bits >> 22 & 0b1111, bits >> 17 & 0b11111)
            time = (bits >> 12 & 0b11111, bits >> 6 & 0b111111, bits & 0b111111)
            return datetime.datetime(*day, *time, value.nanos // 1000)
        case "numeric_value":
            return _decimal(value, scale=9)
        case "bignumeric_value":
            return _decimal(value, scale=38)
    return value


def cell_of(value: Any, type_: TypeProto) -> ValueProto:
    """A Python value as a cell of the type; for the simple types, which is what Parquet files and seeds hold."""
    if value is None:
        return ValueProto()
    match sql_type(type_):
        case "INT64":
            return ValueProto(int64_value=value)
        case "FLOAT64":
            return ValueProto(double_value=value)
        case "BOOL":
            return ValueProto(bool_value=value)
        case "STRING":
            return ValueProto(string_value=value)
        case "BYTES":
            return ValueProto(bytes_value=value)
        case "DATE":
            return ValueProto(date_value=(value - EPOCH_DATE).days)
        case "NUMERIC":
            return ValueProto(numeric_value=_decimal_bytes(value))
        case "TIMESTAMP":
            # A value without a zone counts as UTC.
            value = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value
            microseconds = (value - EPOCH) // datetime.timedelta(microseconds=1)
            cell = ValueProto()
            cell.timestamp_value.seconds, rest = divmod(microseconds, 1_000_000)
            cell.timestamp_value.nanos = rest * 1000
            return cell
        case "DATETIME":
            bits = (value.year << 26) | (value.month << 22) | (value.day << 17)
            bits |= (value.hour << 12) | (value.minute << 6) | value.second
            cell = ValueProto()
            cell.datetime_value.bit_field_datetime_seconds = bits
            cell.datetime_value.nanos = value.microsecond * 1000
            return cell
    raise NotImplementedError(f"the stand-in holds no values of type {sql_type(type_)}")


def _decimal(value: bytes, scale: int) -> decimal.Decimal:
    # The largest BIGNUMERIC has 77 digits, more than Python's default context keeps.
    with decimal.localcontext(prec=80):
        return decimal.Decimal(int.from_bytes(value, "little", signed=True)).scaleb(-scale)


def _decimal_bytes(value: decimal.Decimal) -> bytes:
    with decimal.localcontext(prec=80):
        units = int(value.scaleb(9))
    return units.to_bytes(units.bit_length() // 8 + 1, "little", signed=True)
