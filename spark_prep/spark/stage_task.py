"""What a task does: turns pieces of delivered files into part files of a run. Needs no Spark.

All work on a record is done here: its fields, the transformation, its place in the table or in quarantine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from itertools import groupby
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spark_prep.contract import tables
from spark_prep.contract.publish import Run, optional_part, parts
from spark_prep.erasure.suppression import NOBODY, Suppression, is_suppressed, names_suppressed
from spark_prep.errors import not_done
from spark_prep.spark.csv_records import Block, Layout, Rejected, kept, layout_text
from spark_prep.spark.fields import integer
from spark_prep.spark.pieces import (
    CANNOT_BE_DECOMPRESSED,
    HEADER_IS_NOT_AS_AGREED,
    Piece,
    Report,
    Task,
    read_piece,
)

# Records are written when they fill so much memory: a compressed file is one piece, however large.
HELD_BYTES = 64 << 20
# What Python takes for a rejected record beside its text, which may be a single letter.
REJECTED_BYTES = 256


class Feed(NamedTuple):
    """A vendor's daily feed: files RAW_URI/<folder>/insert_date=D/*.csv or *.csv.gz with these columns."""

    folder: str
    columns: tuple[str, ...]
    # finds the id in a record's text when its fields cannot be told apart
    id_pattern: str


class Optional(NamedTuple):
    """A table that is written with another one, if `rows` says how: from the table's transformed records that are staged, its rows."""

    table: str
    rows: Callable[[pa.Table], pa.Table] | None


class Stage(NamedTuple):
    """A staging table made from a feed. `transform` takes the feed's columns as binary, for some records, and gives the table's
    columns, record_id (string), and reason (string): why a record has no place in the table, or NULL. Records of those who were
    erased are counted, and kept nowhere."""

    table: str
    feed: Feed
    transform: Callable[[pa.Table], pa.Table]
    suppression: Suppression = NOBODY
    optional: Optional | None = None


class StagedPiece(NamedTuple):
    """What became of a piece; `rejected` is reason → records."""

    number: int
    report: Report
    staged: int
    rejected: dict[str, int]


def stage_task(task: Task, stage: Stage, run: Run) -> Iterator[StagedPiece]:
    """Write the task's part of each of its days, and say what became of its pieces.

    Memory is bounded by HELD_BYTES and the longest record. A task that is done again writes the same files again. Raises
    PreparationError when a file cannot be read or a part cannot be written.
    """
    try:
        for day, of_day in groupby(task.pieces.items(), key=lambda item: item[1].file.day):
            with (
                parts(run, day, task.number) as (staged, rejected),
                optional_rows(run, day, task.number, stage) as optional,
            ):
                for number, piece in of_day:
                    yield stage_piece(number, piece, stage, staged, rejected, optional)
    except (OSError, pa.ArrowException) as error:
        raise not_done(
            f"{run.staging_uri} or {run.quarantine_uri} cannot be written",
            error,
            "correct the setting or the rights, then run these days again",
        ) from error


def optional_rows(
    run: Run, day: date, number: int, stage: Stage
) -> AbstractContextManager[pq.ParquetWriter | None]:
    """A writer for the stage's optional table, None when it is not wanted."""
    if not stage.optional or not stage.optional.rows:
        return nullcontext()
    return optional_part(run._replace(table=stage.optional.table), day, number)


def stage_piece(
    number: int,
    piece: Piece,
    stage: Stage,
    staged_rows: pq.ParquetWriter,
    rejected_rows: pq.ParquetWriter,
    optional_rows: pq.ParquetWriter | None = None,
) -> StagedPiece:
    """Write the piece's records by the writers."""
    staged, reasons = 0, Counter[str]()
    good: list[pa.Table] = []
    optional: list[pa.Table] = []
    bad: list[tuple[bytes, str, str | None]] = []

    def write() -> None:
        if good:
            staged_rows.write_table(pa.concat_tables(good))
        if optional and optional_rows:
            optional_rows.write_table(pa.concat_tables(optional))
        if bad:
            rejected_rows.write_table(quarantined(bad, piece.file.uri, layout))
        for held in (good, optional, bad):
            held.clear()

    held_bytes, layout = 0, None
    for block in _read(piece, stage.feed):
        if isinstance(block, Report):
            report = block
            break
        layout = block.layout
        table, beside, found = transformed(block, stage)
        good.append(table)
        if beside is not None:
            optional.append(beside)
            held_bytes += beside.nbytes
        bad += [record for record in found if record[1] != tables.ERASED]
        staged += len(table)
        reasons.update(reason for _, reason, _ in found)
        held_bytes += table.nbytes + sum(REJECTED_BYTES + len(raw) for raw, _, _ in found)
        if held_bytes > HELD_BYTES:
            write()
            held_bytes = 0
    write()
    return StagedPiece(number, report, staged, dict(reasons))


def _read(piece: Piece, feed: Feed) -> Iterator[Block | Report]:
    try:
        yield from read_piece(piece, feed.columns)
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{piece.file.uri} cannot be read", error, "its day stays as it was") from error


def transformed(
    block: Block, stage: Stage
) -> tuple[pa.Table, pa.Table | None, list[tuple[bytes, str, str | None]]]:
    """The rows for the table; those for the optional table if there is one; and what is rejected: the raw record, why, and its id
    where one can be found."""
    rejected = [_rejected(record, stage) for record in block.rejected]
    table = stage.transform(block.fields)
    if stage.suppression.digests:
        person = tables.PERSON[stage.table]
        is_erased = is_suppressed(table.column(person.column), person.kind, stage.suppression)
        reason = pc.if_else(is_erased, tables.ERASED, table.column("reason"))
        table = table.set_column(table.schema.get_field_index("reason"), "reason", reason)
    has_reason = pc.is_valid(table.column("reason"))
    # of no record at all, pyarrow 21 and older, which a cluster may bring, end the process
    for place in pc.indices_nonzero(has_reason).to_pylist() if len(table) else ():
        id_, reason = (table.column(name)[place].as_py() for name in ("record_id", "reason"))
        rejected.append((kept(block.raw[place]), reason, _safe_id(id_)))
    good = table.filter(pc.is_null(table.column("reason")))
    rows = _as_declared(good, tables.STAGING[stage.table])
    if not stage.optional or not stage.optional.rows:
        return rows, None, rejected
    beside = _as_declared(stage.optional.rows(good), tables.OPTIONAL[stage.optional.table])
    return rows, beside, rejected


def _as_declared(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.select(schema.names).cast(schema)


def _rejected(record: Rejected, stage: Stage) -> tuple[bytes, str, str | None]:
    id_ = _record_id(record, stage.feed)
    if stage.suppression.digests and names_suppressed(stage.table, record.raw, id_, stage.suppression):
        return record.raw, tables.ERASED, id_
    return record.raw, record.reason, id_


def _record_id(record: Rejected, feed: Feed) -> str | None:
    if record.reason in (HEADER_IS_NOT_AS_AGREED, CANNOT_BE_DECOMPRESSED):
        return None
    found = re.search(feed.id_pattern.encode(), record.raw)
    return _safe_id(found[1].decode()) if found else None


def _safe_id(text: str) -> str | None:
    """What may be an id. It is kept in the clear, so of shifted fields no phone number or log must pass for one."""
    return text.strip(" ") if integer(text) is not None else None


def quarantined(
    rejected: Sequence[tuple[bytes, str, str | None]], file_uri: str | None, layout: Layout | None
) -> pa.Table:
    """A raw record that is no UTF-8 is kept twice: to be read, and as it was."""
    raws, reasons, ids = zip(*rejected, strict=True)
    readable = [raw.decode("utf-8", "replace") for raw in raws]
    as_they_were = [None if text.encode() == raw else raw for text, raw in zip(readable, raws, strict=True)]
    fields = layout_text(layout) if layout else None
    columns = [readable, as_they_were, reasons, [file_uri] * len(raws), ids, [fields] * len(raws)]
    return pa.table(columns, schema=tables.QUARANTINE)
