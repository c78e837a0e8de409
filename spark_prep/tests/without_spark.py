"""Stages one file as the tasks of a job do, piece by piece and again where a guess was wrong, but without Spark."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple
from unittest import mock

import pyarrow as pa

from spark_prep.contract import tables
from spark_prep.spark import pieces
from spark_prep.spark.pieces import File, Piece, Report
from spark_prep.spark.stage_task import Stage, stage_piece

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
    again: dict[int, Piece] = dict(enumerate(whole))
    found: dict[int, tuple[Report, list[dict], list[dict]]] = {}
    rounds = 0
    while again:
        rounds += 1
        found |= {number: read(piece, stage) for number, piece in again.items()}
        reports = [found[number][0] for number in range(len(whole))]
        again = pieces.misread(whole, reports)
    return Staged(
        [row for number in range(len(whole)) for row in found[number][1]],
        [row for number in range(len(whole)) for row in found[number][2]],
        reports,
        rounds,
    )


def read(piece: Piece, stage: Stage) -> tuple[Report, list[dict], list[dict]]:
    """The piece's report, the rows of the table and those of quarantine; what is counted is what is written."""
    staged, rejected = Rows(tables.STAGING[stage.table]), Rows(tables.QUARANTINE)
    done = stage_piece(0, piece, stage, staged, rejected)
    assert done.staged == len(staged.rows)
    assert done.rejected == Counter(row["reason"] for row in rejected.rows)
    return done.report, staged.rows, rejected.rows


class Rows:
    """Takes what a Parquet writer would write."""

    def __init__(self, schema: pa.Schema):
        self.schema = schema
        self.rows: list[dict] = []

    def write_table(self, table: pa.Table):
        assert table.schema == self.schema
        self.rows += table.to_pylist()
