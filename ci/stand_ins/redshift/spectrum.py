"""What Spectrum does when an external table is read: the Parquet files of its partitions become its rows.

PostgreSQL cannot read Parquet, so the rows are copied into `spectrum.rows_<id>` (spectrum.sql) before they are asked
for. What matters is kept: only registered partitions are seen, a replaced file is seen by the next statement, and a
file's types have to be exactly the declared ones, by Spectrum's rules as far as they are documented or reported:
https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html. Columns are found by their names; one
that a file lacks is NULL.
"""

import re
import threading
from dataclasses import dataclass
from pathlib import Path

import adbc_driver_postgresql.dbapi
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

EXTERNAL_SCHEMAS = "select name from spectrum.external_schema"
PARTITIONS = """
select external_partition.id, external_partition.table_id, external_partition.location
from spectrum.external_partition order by external_partition.id"""
FILE_COLUMNS = """
select columnname, external_type
from svv_external_columns
inner join spectrum.external_table on schemaname = schema_name and tablename = name
where id = $1 and part_key = 0 order by columnnum"""
# SET_TO_NULL is what AWS's documentation has for a table without the property.
SURPLUS_CHAR_HANDLING = """
select coalesce(properties ->> 'surplus_char_handling', 'SET_TO_NULL') from spectrum.external_table where id = $1"""


class SpectrumScanError(Exception):
    """A file that cannot be read as the external table declares it."""


@dataclass(frozen=True)
class File:
    path: Path
    uri: str
    modified: int
    size: int


class Spectrum:
    """Keeps the rows of all external tables of a database as the files in `lake` have them.

    `s3://<any bucket>/<key>` is the file or folder `<lake>/<key>`. Thread-safe.
    """

    def __init__(self, dsn: str, lake: Path):
        self.lake = lake
        self.connection = adbc_driver_postgresql.dbapi.connect(dsn)
        self.lock = threading.Lock()
        self.seen: dict[int, list[File]] = {}

    def external_schemas(self) -> set[str]:
        with self.lock:
            return {name for (name,) in self._rows_of(EXTERNAL_SCHEMAS)}

    def refresh(self) -> None:
        """Read the partitions that were added, and those whose files are others than when they were read."""
        with self.lock:
            for partition, table, location in self._rows_of(PARTITIONS):
                files = self._files_at(location)
                if files != self.seen.get(partition):
                    self._read(partition, table, files)
                    self.seen[partition] = files

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def _files_at(self, location: str) -> list[File]:
        folder = self.lake / location.removeprefix("s3://").partition("/")[2]
        # A location is a prefix: files in folders below it count, hidden ones do not.
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._#")
        stats = [(path, path.stat()) for path in paths]
        bucket = location.removesuffix("/")
        return [
            File(path, f"{bucket}/{path.relative_to(folder)}", stat.st_mtime_ns, stat.st_size)
            for path, stat in stats
        ]

    def _read(self, partition: int, table: int, files: list[File]) -> None:
        declared = dict(self._rows_of(FILE_COLUMNS, [table]))
        ((surplus,),) = self._rows_of(SURPLUS_CHAR_HANDLING, [table])
        scan_error, read = None, []
        try:
            read = [rows_of_file(file, declared, surplus) for file in files]
        except SpectrumScanError as error:
            scan_error = str(error)
        with self.connection.cursor() as cursor:
            cursor.execute(f'delete from spectrum.rows_{table} where "$partition" = {partition}')
            if not scan_error:
                for rows in read:
                    number = pa.array([partition] * len(rows), pa.int32())
                    cursor.adbc_ingest(
                        f"rows_{table}", rows.append_column("$partition", number),
                        mode="append", db_schema_name="spectrum",
                    )  # fmt: skip
            cursor.execute(
                "update spectrum.external_partition set scan_error = $1 where id = $2",
                [scan_error, partition],
            )
        self.connection.commit()

    def _rows_of(self, query: str, parameters: list | None = None) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(query, parameters)
            rows = cursor.fetchall()
        self.connection.commit()
        return rows


def rows_of_file(file: File, declared: dict[str, str], surplus: str = "SET_TO_NULL") -> pa.Table:
    """The file's rows with the declared columns ({name: Glue type}), or a SpectrumScanError. `surplus` is what becomes of a text that is
    longer than declared (surplus_char_handling)."""
    try:
        parquet = pq.ParquetFile(file.path)
    except pa.ArrowInvalid as error:
        raise SpectrumScanError(
            f"Spectrum Scan Error. File '{file.uri}' is not a Parquet file: {error}"
        ) from error
    with parquet:
        leaves = [parquet.schema.column(position) for position in range(len(parquet.schema))]
        in_file = {leaf.path.partition(".")[0].lower(): leaf for leaf in leaves}
        for name, external_type in declared.items():
            if name in in_file and redshift_type(in_file[name]) != without_length(external_type):
                raise SpectrumScanError(incompatible_schema(file, parquet, in_file[name], external_type))
        rows = parquet.read()
    columns = {name.lower(): rows.column(position) for position, name in enumerate(rows.column_names)}
    for name, external_type in declared.items():
        if (length := re.fullmatch(r"(?:var)?char\((\d+)\)", external_type)) and name in columns:
            columns[name] = fitting(name, columns[name], int(length[1]), surplus)
    nothing = pa.nulls(len(rows))
    return pa.table({name: columns.get(name, nothing.cast(arrow_type(declared[name]))) for name in declared})


def redshift_type(column: pq.ColumnSchema) -> str:
    """The one type that a Parquet column can be declared as, in Glue's words; empty when there is none."""
    logical, physical = column.logical_type.type, column.physical_type
    if "." in column.path:
        return ""  # a part of a list, map or struct
    if logical == "DECIMAL":
        return f"decimal({column.precision},{column.scale})"
    if logical == "INT":
        return {"INT_16": "smallint", "INT_32": "int", "INT_64": "bigint"}.get(column.converted_type, "")
    if logical == "TIMESTAMP" and '"nanoseconds"' in column.logical_type.to_json():
        return ""
    return {
        ("NONE", "INT32"): "int",
        ("DATE", "INT32"): "date",
        ("NONE", "INT64"): "bigint",
        ("TIMESTAMP", "INT64"): "timestamp",
        ("NONE", "INT96"): "timestamp",
        ("NONE", "FLOAT"): "float",
        ("NONE", "DOUBLE"): "double",
        ("NONE", "BOOLEAN"): "boolean",
        ("STRING", "BYTE_ARRAY"): "varchar",
        ("NONE", "BYTE_ARRAY"): "varchar",
    }.get((logical, physical), "")


def without_length(external_type: str) -> str:
    """varchar(20) and char(20) are both any text to a Parquet file; decimal(8,3) is a type of its own."""
    return re.sub(r"^(var)?char(\(\d+\))?$", "varchar", external_type)


def incompatible_schema(
    file: File, parquet: pq.ParquetFile, column: pq.ColumnSchema, external_type: str
) -> str:
    """Spectrum's own message, which Redshift cuts off; here it is whole."""
    position = parquet.schema.names.index(column.name)
    levels = f"[i:{position} d:{column.max_definition_level} r:{column.max_repetition_level}]"
    presence = "optional" if column.max_definition_level else "required"
    annotation = "" if column.logical_type.type == "NONE" else f" ({column.logical_type})"
    return (
        f"Spectrum Scan Error. File '{file.uri}' has an incompatible Parquet schema for column "
        f"'{file.uri.rpartition('/')[0]}.{column.name}'. Column type: {external_type.upper()}, Parquet schema:\n"
        f"{presence} {column.physical_type.lower()} {column.name} {levels}{annotation}"
    )


def fitting(name: str, values: pa.ChunkedArray, length: int, surplus: str) -> pa.ChunkedArray:
    """The texts, of at most so many bytes."""
    longest = pc.max(pc.binary_length(values)).as_py() if len(values) else None
    if not longest or longest <= length:
        return values
    if surplus == "SET_TO_NULL":
        return pc.if_else(pc.greater(pc.binary_length(values), length), None, values)
    raise SpectrumScanError(
        f"Spectrum Scan Error. The length of the data column {name} is longer than the length defined in the table. "
        f"Table: {length}, Data: {longest}"
    )


def arrow_type(external_type: str) -> pa.DataType:
    if decimal := re.fullmatch(r"decimal\((\d+),(\d+)\)", external_type):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return {
        "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64(), "float": pa.float32(), "double": pa.float64(),
        "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    }.get(external_type, pa.string())  # fmt: skip
