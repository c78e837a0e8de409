"""Stages one file as the tasks of a job do, piece by piece and again where a guess was wrong, but without Spark."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple
from unittest import mock

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from spark_prep.contract import tables
from spark_prep.spark import pieces
from spark_prep.spark.pieces import File, Piece, Report
from spark_prep.spark.stage_feed import Stage, piece_schema, staged_piece

DAY = date(2021, 1, 1)


class Staged(NamedTuple):
    """`staged` and `quarantined` are rows in the order of the file; `rounds` is how often pieces had to be read."""

    staged: list[dict]
    quarantined: list[dict]
    reports: list[Report]
    rounds: int

    def delivered(self) -> int:
        return sum(report.records for report in self.reports)

    def note(self) -> str | None:
        return self.reports[0].note


def file_of(data: bytes, path: str = "delivery.csv") -> File:
    return File(DAY, f"/raw/{path}", "/raw", path, len(data))


@contextmanager
def in_memory(data: bytes) -> Iterator[None]:
    """Whatever file is opened holds these bytes."""

    @contextmanager
    def opened(_file: File) -> Iterator[tuple[pa.BufferReader, None]]:
        yield pa.BufferReader(data), None

    with mock.patch.object(pieces, "opened", opened):
        yield


def stage_text(content: str | bytes, stage: Stage, piece_bytes: int = 1 << 30) -> Staged:
    data = content if isinstance(content, bytes) else content.encode()
    with in_memory(data):
        return stage_file(file_of(data), stage, piece_bytes)


def stage_file(file: File, stage: Stage, piece_bytes: int = 1 << 30) -> Staged:
    whole = pieces.pieces_of([file], piece_bytes)
    found: dict[int, list[dict]] = {}
    again: dict[int, Piece] = dict(enumerate(whole))
    rounds = 0
    while again:
        rounds += 1
        found |= {number: rows_of(number, piece, stage) for number, piece in again.items()}
        reports = [report_of(found[number]) for number in range(len(whole))]
        again = pieces.misread(whole, reports)
    records = [row for number in range(len(whole)) for row in found[number] if row["records"] is None]
    return Staged(
        [
            {name: row[name] for name in tables.STAGING[stage.table].names}
            for row in records
            if row["reason"] is None
        ],
        [{name: row[name] for name in tables.QUARANTINE.names} for row in records if row["reason"]],
        reports,
        rounds,
    )


def rows_of(number: int, piece: Piece, stage: Stage) -> list[dict]:
    schema = to_arrow_schema(piece_schema(stage.table))
    return [row for batch in staged_piece(number, piece, stage, schema) for row in batch.to_pylist()]


def report_of(rows: list[dict]) -> Report:
    (report,) = (row for row in rows if row["records"] is not None)
    return Report(*(report[name] for name in Report._fields))
