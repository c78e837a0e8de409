"""The Parquet files behind an external table: which they are, whether they fit the declared types, and their rows.

gs://<any bucket>/… is the folder `lake`. What is done as BigQuery's documentation has it: one `*` in a URI, which also
matches `/`; keys of the path as columns; a file without a declared column gives NULL; a column that is not declared is
ignored; files are looked up at each query, so that a new or replaced file is seen at once. A type that does not match
is an error at the query, in the words BigQuery uses ("… which does not match the target cpp_type …").
A Parquet timestamp is read as TIMESTAMP; one that is not adjusted to UTC also as DATETIME, where the table declares
that. BigQuery's documentation names TIMESTAMP only and says nothing of isAdjustedToUTC; its Python client loads both.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
from zetasql.wasi._pb2.zetasql.local_service.local_service_pb2 import TableData
from zetasql.wasi._pb2.zetasql.public.value_pb2 import ValueProto

from ci.stand_ins.bigquery.errors import BigQueryError
from ci.stand_ins.bigquery.values import Column, cell_of, simple_type, sql_type

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
PARTITION_VALUES: dict[str, Callable[[str], Any]] = {
    "DATE": datetime.date.fromisoformat,
    "INT64": int,
    "STRING": str,
}


@dataclass
class ExternalFiles:
    table: str
    lake: Path
    uris: list[str]
    # The columns declared for the files, and those that are read from the path.
    columns: list[Column]
    partition_columns: list[Column]
    partition_prefix: str | None

    def __post_init__(self):
        if not self.uris:
            raise BigQueryError("External tables need the option uris")
        for uri in self.uris:
            if not uri.startswith("gs://") or uri.count("*") > 1 or "*" in uri.split("/")[2]:
                raise BigQueryError(
                    f"Invalid source URI {uri}: gs://bucket/path with at most one '*' in the path"
                )
        if self.partition_columns and not self.partition_prefix:
            raise BigQueryError("Partition columns need the option hive_partition_uri_prefix")
        if not self.columns:
            self.columns = self._columns_of_first_file()

    def rows(self) -> TableData:
        """The rows of all files as they are now."""
        files = self._files()
        if not files and self.partition_columns:
            raise BigQueryError(
                f"Cannot query hive partitioned data for table {self.table} without any associated files."
            )
        data = TableData()
        for uri, file in files or self._no_files():
            partition = [cell_of(value, c.type) for value, c in self._partition_values(uri)]
            for cells in self._rows_of(uri, file):
                data.row.add(cell=[*cells, *partition])
        return data

    def _columns_of_first_file(self) -> list[Column]:
        files = self._files() or self._no_files()
        keys = {column.name for column in self.partition_columns}
        schema = pq.read_schema(files[0][1])
        return [Column(f.name, simple_type(_types_for(f.type)[0])) for f in schema if f.name not in keys]

    def _files(self) -> list[tuple[str, Path]]:
        files = []
        for uri in self.uris:
            pattern = re.compile(re.escape(uri).replace(re.escape("*"), ".*"))
            bucket = "/".join(uri.split("/")[:3])
            for file in sorted(path for path in self.lake.rglob("*") if path.is_file()):
                file_uri = f"{bucket}/{file.relative_to(self.lake).as_posix()}"
                # Spark leaves checksum files on a local disk, and none in a bucket.
                if pattern.fullmatch(file_uri) and file.suffix != ".crc":
                    files.append((file_uri, file))
        return files

    def _no_files(self) -> NoReturn:
        uri = self.uris[0]
        raise self._error(
            f"Failed to expand table {self.table} with file pattern {uri}: matched no files. File: {uri}"
        )

    def _partition_values(self, uri: str) -> list[tuple[Any, Column]]:
        if not self.partition_columns or not self.partition_prefix:
            return []
        prefix = self.partition_prefix.rstrip("/") + "/"
        if not uri.startswith(prefix):
            raise self._error(f"{uri} does not start with hive_partition_uri_prefix {prefix}")
        found = dict(part.partition("=")[::2] for part in uri.removeprefix(prefix).split("/")[:-1])
        if list(found) != [column.name for column in self.partition_columns]:
            raise self._error(f"the partition keys in the path are not those of the table. File: {uri}")
        return [(self._partition_value(found[c.name], c, uri), c) for c in self.partition_columns]

    def _partition_value(self, text: str, column: Column, uri: str) -> Any:
        if text == HIVE_NULL:
            return None
        try:
            return PARTITION_VALUES[sql_type(column.type)](text)
        except ValueError:
            raise self._error(
                f"partition key {column.name}={text} is no {sql_type(column.type)}. File: {uri}"
            ) from None

    def _rows_of(self, uri: str, file: Path) -> list[list[ValueProto]]:
        try:
            content = pq.read_table(file, partitioning=None)
        except pa.ArrowInvalid:
            raise self._error(f"Input file is not in Parquet format. File: {uri}") from None
        overlap = {column.name for column in self.partition_columns} & set(content.column_names)
        if overlap:
            raise self._error(f"partition key {overlap.pop()} is also a column of the file. File: {uri}")
        columns = []
        for column in self.columns:
            if column.name not in content.column_names:
                columns.append([ValueProto()] * content.num_rows)
                continue
            values = content.column(column.name)
            self._check_type(column, values.type, uri, file)
            columns.append([cell_of(value, column.type) for value in values.to_pylist()])
        return [list(cells) for cells in zip(*columns, strict=True)]

    def _check_type(self, column: Column, actual: pa.DataType, uri: str, file: Path) -> None:
        declared = sql_type(column.type)
        fits = declared in _types_for(actual)
        if fits and column.parameters and pa.types.is_decimal(actual):
            numeric = column.parameters.numeric_type_parameters
            digits = (numeric.precision - numeric.scale, numeric.scale)
            fits = (actual.precision - actual.scale) <= digits[0] and actual.scale <= digits[1]
        if not fits:
            physical = _physical_type(file, column.name)
            raise self._error(
                f"Parquet column '{column.name}' has type {physical} ({actual}) which does not match the target "
                f"cpp_type {'DOUBLE' if declared == 'FLOAT64' else column.sql_type}. File: {uri}"
            )

    def _error(self, message: str) -> BigQueryError:
        return BigQueryError(f"Error while reading table: {self.table}, error message: {message}")


def _types_for(actual: pa.DataType) -> list[str]:
    """The types as which BigQuery reads a Parquet type; the first is the one it takes by default."""
    if pa.types.is_integer(actual):
        return ["INT64"]
    if pa.types.is_floating(actual):
        return ["FLOAT64"]
    if pa.types.is_boolean(actual):
        return ["BOOL"]
    if pa.types.is_string(actual) or pa.types.is_large_string(actual):
        return ["STRING"]
    if pa.types.is_binary(actual):
        return ["BYTES"]
    if pa.types.is_date(actual):
        return ["DATE"]
    if pa.types.is_decimal(actual) and actual.scale <= 9 and actual.precision - actual.scale <= 29:
        return ["NUMERIC"]
    if pa.types.is_timestamp(actual) and actual.unit in ("ms", "us"):
        return ["TIMESTAMP"] if actual.tz else ["TIMESTAMP", "DATETIME"]
    raise BigQueryError(f"the stand-in reads no Parquet column of type {actual}")


def _physical_type(file: Path, column: str) -> str:
    schema = pq.ParquetFile(file).schema
    return next(schema.column(i).physical_type for i in range(len(schema)) if schema.column(i).path == column)
