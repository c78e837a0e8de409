"""Stages a range of days of a vendor's feed: read, transform, write, account for every record."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JJavaError
from pyarrow.fs import FileSelector
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from spark_prep.contract import tables
from spark_prep.contract.object_store import require_writable, store_and_path
from spark_prep.contract.outcome import Outcome, sum_by_reason
from spark_prep.contract.publish import DailyFile, publish
from spark_prep.contract.storage import exists
from spark_prep.errors import PreparationError
from spark_prep.spark.csv_records import Rejected
from spark_prep.spark.pieces import (
    CANNOT_BE_DECOMPRESSED,
    HEADER_IS_NOT_AS_AGREED,
    File,
    Piece,
    Report,
    misread,
    pieces_of,
    read_piece,
    tasks_of,
)

ENDINGS = (".csv", ".csv.gz")
SMALLEST_PIECE_BYTES = 4 << 20
# Records are handed on when they fill so much memory: a compressed file is one piece, however large.
HELD_BYTES = 64 << 20


class Feed(NamedTuple):
    """A vendor's daily feed: files RAW_URI/<folder>/insert_date=D/*.csv or *.csv.gz with these columns."""

    folder: str
    columns: tuple[str, ...]
    # finds the id in a record's text when its fields cannot be told apart
    id_pattern: str


class Stage(NamedTuple):
    """A staging table made from a feed. `transform` takes the feed's columns as binary, for some records, and gives the table's
    columns, record_id (string), and reason (string): why a record has no place in the table, or NULL."""

    table: str
    feed: Feed
    transform: Callable[[pa.Table], pa.Table]


class Folder(NamedTuple):
    """A day's folder of a feed: the files that are read, and the names of what else lies there."""

    uri: str
    files: list[File]
    others: list[str]


class Records(NamedTuple):
    """The records of some days: insert_date, the columns of quarantine and of the table; and their numbers."""

    frame: DataFrame
    staged: int
    # (insert_date, reason) -> records
    rejected: dict[tuple[str, str], int]
    # insert_date -> records, as the pieces of the files counted them
    delivered: dict[str, int]
    cached: list[DataFrame]


def stage_feed(spark: SparkSession, settings: dict[str, str], stage: Stage, days: Sequence[date]) -> Outcome:
    """Replace these days of the table, and no others.

    A day without files writes its delivery row only, and nothing at all when it was staged before.
    """
    table, staging_uri, quarantine_uri = stage.table, settings["STAGING_URI"], settings["QUARANTINE_URI"]
    require_writable(settings, "STAGING_URI", "QUARANTINE_URI")
    folders = {day: delivered_files(settings["RAW_URI"], stage.feed, day) for day in days}
    files = {day: folder.files for day, folder in folders.items()}
    delivered_days = [day for day in days if files[day]]
    with _java_errors_in_one_line(settings):
        staged_before = {
            day
            for day in days
            if not files[day] and exists(spark, f"{staging_uri}/{table}/insert_date={day}/{table}.parquet")
        }
    _say_what_is_missing(stage.feed, settings["RAW_URI"], folders, staged_before)
    records = _read(spark, stage, [file for day in days for file in files[day]])
    rejected = records.frame.where("reason IS NOT NULL").select("insert_date", *tables.QUARANTINE.names)
    staged = records.frame.where("reason IS NULL").select("insert_date", *tables.STAGING[table].names)
    rejections = [(day, table, reason, n) for (day, reason), n in records.rejected.items()]
    deliveries = [
        (str(day), table, bool(files[day]), len(files[day]), records.delivered.get(str(day), 0))
        for day in days
    ]
    # The delivery last: a run that is killed before leaves a day that does not balance, and the ledger says so.
    with _java_errors_in_one_line(settings):
        publish(
            spark,
            [
                DailyFile(quarantine_uri, table, table, delivered_days, rejected),
                DailyFile(
                    staging_uri,
                    "rejection",
                    table,
                    delivered_days,
                    _rows(spark, rejections, tables.REJECTION),
                ),
                DailyFile(staging_uri, table, table, delivered_days, staged),
                DailyFile(
                    staging_uri,
                    "delivery",
                    table,
                    [day for day in days if day not in staged_before],
                    _rows(spark, deliveries, tables.DELIVERY),
                ),
            ],
        )
    for frame in records.cached:
        frame.unpersist()
    return Outcome(
        table=table,
        days=days,
        not_delivered=[day for day in days if not files[day]],
        delivered=sum(records.delivered.values()),
        staged=records.staged,
        quarantined=sum_by_reason(records.rejected),
        staging_uri=staging_uri,
        quarantine_uri=quarantine_uri,
    )


def _say_what_is_missing(
    feed: Feed, raw_uri: str, folders: dict[date, Folder], staged_before: set[date]
) -> None:
    """A line a day, or one for many days: anyone who loads years of history wants to read on."""
    missing = [day for day, folder in folders.items() if not folder.files]
    for day in missing if len(missing) <= 5 else []:
        there = ", ".join(folders[day].others[:5])
        found = f" (there: {there})" if there else ""
        note = "; what was staged before stays" if day in staged_before else ""
        print(
            f"  {feed.folder} of {day} was not delivered{note}: no *.csv or *.csv.gz in {folders[day].uri}{found}"
        )
    if len(missing) > 5:
        note = f"; what was staged before of {len(staged_before)} of them stays" if staged_before else ""
        print(
            f"  {feed.folder} of {len(missing)} days ({missing[0]} to {missing[-1]}) was not delivered{note}: "
            f"no *.csv or *.csv.gz in {raw_uri}/{feed.folder}"
        )


@contextmanager
def _java_errors_in_one_line(settings: dict[str, str]) -> Iterator[None]:
    """What the store says to Hadoop, for people: its last cause."""
    try:
        yield
    except Py4JJavaError as error:
        cause = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        raise PreparationError(
            f"{settings['STAGING_URI']} or {settings['QUARANTINE_URI']} cannot be written: "
            f"{' '.join(str(cause.getMessage()).split())}; correct the setting or the rights, then run these days again"
        ) from error


def delivered_files(raw_uri: str, feed: Feed, day: date) -> Folder:
    """What lies in the day's folder; no file of the feed means that the day was not delivered."""
    folder = f"{raw_uri}/{feed.folder}/insert_date={day}"
    try:
        store, path = store_and_path(folder)
        found = store.get_file_info(FileSelector(path, allow_not_found=True))
    except (OSError, pa.ArrowException) as error:
        raise PreparationError(
            f"{folder} cannot be listed: {' '.join(str(error).split())}; check RAW_URI"
        ) from error
    files, others = [], []
    for file in sorted(found, key=lambda file: file.base_name):
        # as everywhere in Spark, a name that begins with _ or . is hidden
        if file.is_file and file.base_name.endswith(ENDINGS) and file.base_name[0] not in "_.":
            files.append(File(day, f"{folder}/{file.base_name}", raw_uri, file.path, file.size))
        else:
            others.append(file.base_name)
    return Folder(folder, files, others)


def largest_piece_bytes() -> int:
    """What a task reads, less when there are more cores than whole pieces: PIECE_MB of the environment, or 64 MB.

    Raises PreparationError when PIECE_MB is not a whole number of 1 or more.
    """
    given = os.environ.get("PIECE_MB", "").strip() or "64"
    if not re.fullmatch("[0-9]+", given) or int(given) == 0:
        raise PreparationError(
            f"PIECE_MB is {given!r}; it must be a whole number of megabytes, 1 or more (see .env.example)"
        )
    return int(given) << 20


def _read(spark: SparkSession, stage: Stage, files: Sequence[File]) -> Records:
    columns = [*tables.QUARANTINE.fields, *tables.STAGING[stage.table].fields]
    if not files:
        return Records(_rows(spark, [], T.StructType(columns)), 0, {}, {}, [])
    share = sum(file.size for file in files) // (2 * spark.sparkContext.defaultParallelism)
    piece_bytes = min(largest_piece_bytes(), max(SMALLEST_PIECE_BYTES, share))
    pieces = pieces_of(files, piece_bytes)
    frame = _read_pieces(spark, stage, dict(enumerate(pieces)), piece_bytes)
    cached = [frame]
    reports = _reports(frame)
    while wrong := misread(pieces, [reports[number] for number in range(len(pieces))]):
        again = _read_pieces(spark, stage, wrong, piece_bytes)
        cached.append(again)
        reports |= _reports(again)
        frame = frame.where(~F.col("piece").isin([*wrong])).unionByName(again)
    _say_what_headers_are_like(pieces, reports)

    staged = 0
    rejected: dict[tuple[str, str], int] = {}
    delivered: dict[str, int] = {}
    for number, piece in enumerate(pieces):
        day = str(piece.file.day)
        delivered[day] = delivered.get(day, 0) + reports[number].records
    records = frame.where("records IS NULL")
    for row in records.groupBy("insert_date", "reason").agg(F.count("*").alias("records")).collect():
        if row.reason is None:
            staged += row.records
        else:
            rejected[row.insert_date, row.reason] = row.records
    return Records(records, staged, rejected, delivered, cached)


def _read_pieces(spark: SparkSession, stage: Stage, pieces: dict[int, Piece], piece_bytes: int) -> DataFrame:
    """insert_date, the columns of quarantine and table, and `piece`; beside the records a row for each piece, its report."""
    numbers = [*pieces]
    tasks = [
        [(numbers[place], pieces[numbers[place]]) for place in task]
        for task in tasks_of([*pieces.values()], piece_bytes)
    ]
    schema = piece_schema(stage.table)
    work = partial(_work, tasks=tasks, stage=stage, schema=to_arrow_schema(schema))
    return spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(work, schema).persist()


def piece_schema(table: str) -> T.StructType:
    """What a task hands on: staged records, rejected ones, and a report for each piece, with NULL for the others' columns."""
    return T.StructType(
        [
            T.StructField("insert_date", T.StringType()),
            *tables.QUARANTINE.fields,
            *tables.STAGING[table].fields,
            T.StructField("piece", T.IntegerType()),
            *(T.StructField(name, T.LongType()) for name in ("start", "end", "records")),
            T.StructField("note", T.StringType()),
        ]
    )


def _reports(frame: DataFrame) -> dict[int, Report]:
    try:
        rows = frame.where("records IS NOT NULL").select("piece", *Report._fields).collect()
    except PythonException as error:
        if told := re.search(r"PreparationError: (.+)", str(error)):
            raise PreparationError(told[1]) from error
        raise
    return {row.piece: Report(row.start, row.end, row.records, row.note) for row in rows}


def _work(
    batches: Iterator[pa.RecordBatch], tasks: list[list[tuple[int, Piece]]], stage: Stage, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """In a worker: the tasks whose numbers come in. A task's memory is bounded by its piece, its threads by its core."""
    pa.set_cpu_count(1)
    for batch in batches:
        for task in batch.column(0).to_pylist():
            for number, piece in tasks[task]:
                try:
                    yield from staged_piece(number, piece, stage, schema)
                except (OSError, pa.ArrowException) as error:
                    told = " ".join(str(error).split())
                    raise PreparationError(
                        f"{piece.file.uri} cannot be read: {told}; nothing was written"
                    ) from error


def staged_piece(number: int, piece: Piece, stage: Stage, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The piece's records and its report, as batches of piece_schema; needs no Spark."""
    staged: list[pa.Table] = []
    rejected: list[tuple[bytes, str, str | None]] = []
    held_bytes = 0
    columns = [name for name in schema.names if name in tables.STAGING[stage.table].names]
    same = {"insert_date": str(piece.file.day), "piece": number}
    for part in read_piece(piece, stage.feed.columns):
        if isinstance(part, Report):
            break
        found = [(record.raw, record.reason, _record_id(record, stage.feed)) for record in part.rejected]
        if len(part.raw):
            table = stage.transform(part.fields)
            staged.append(table.filter(pc.is_null(table.column("reason"))).select(columns))
            for place in pc.indices_nonzero(pc.is_valid(table.column("reason"))).to_pylist():
                id_, reason = (table.column(name)[place].as_py() for name in ("record_id", "reason"))
                found.append((part.raw[place], reason, id_.strip(" ") or None))
        rejected += found
        held_bytes += part.fields.nbytes + sum(len(raw) for raw, _, _ in found)
        if held_bytes > HELD_BYTES:
            yield from _handed_on(staged, rejected, piece.file, same, schema)
            staged, rejected, held_bytes = [], [], 0
    yield from _handed_on(staged, rejected, piece.file, same, schema)
    report = pa.table({name: [value] for name, value in part._asdict().items()})
    yield _batch(report, same, schema)


def _handed_on(
    staged: list[pa.Table],
    rejected: list[tuple[bytes, str, str | None]],
    file: File,
    same: dict[str, object],
    schema: pa.Schema,
) -> Iterator[pa.RecordBatch]:
    if rejected:
        yield _batch(_quarantined(rejected, file), same, schema)
    if staged:
        yield _batch(pa.concat_tables(staged), same, schema)


def _record_id(record: Rejected, feed: Feed) -> str | None:
    if record.reason in (HEADER_IS_NOT_AS_AGREED, CANNOT_BE_DECOMPRESSED):
        return None
    found = re.search(feed.id_pattern.encode(), record.raw)
    return found[1].decode() if found else None


def _quarantined(rejected: list[tuple[bytes, str, str | None]], file: File) -> pa.Table:
    """A raw record that is no UTF-8 is kept twice: to be read, and as it was."""
    raws = [raw for raw, _, _ in rejected]
    readable = [raw.decode("utf-8", "replace") for raw in raws]
    return pa.table(
        {
            "raw_record": readable,
            "raw_bytes": pa.array(
                [None if text.encode() == raw else raw for text, raw in zip(readable, raws, strict=True)],
                pa.binary(),
            ),
            "reason": pa.array([reason for _, reason, _ in rejected], pa.string()),
            "file": pa.repeat(file.uri, len(rejected)),
            "record_id": pa.array([id_ for _, _, id_ in rejected], pa.string()),
        }
    )


def _batch(table: pa.Table, same: dict[str, object], schema: pa.Schema) -> pa.RecordBatch:
    """With all columns: those of the table, those that are the same in all rows, and NULL for the others."""
    columns = []
    for field in schema:
        if field.name in table.column_names:
            columns.append(table.column(field.name).combine_chunks().cast(field.type))
        elif field.name in same:
            columns.append(pa.repeat(same[field.name], len(table)).cast(field.type))
        else:
            columns.append(pa.nulls(len(table), field.type))
    return pa.record_batch(columns, schema=schema)


def _say_what_headers_are_like(pieces: Sequence[Piece], reports: dict[int, Report]) -> None:
    for number, piece in enumerate(pieces):
        if note := reports[number].note:
            print(f"  {piece.file.uri}: {note}")


def _rows(spark: SparkSession, rows: Sequence[tuple[object, ...]], schema: T.StructType) -> DataFrame:
    """The rows as a frame; the first value of each is its insert_date."""
    return spark.createDataFrame(
        rows, T.StructType([T.StructField("insert_date", T.StringType()), *schema.fields])
    )
