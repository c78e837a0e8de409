"""Delivered files as pieces that tasks read side by side, each record once, whichever piece it starts in.

A piece begins in the middle of a file, where nobody can know whether a quote is open. So each task guesses where the first
record of its piece starts, and reports where the last one ended. Where that is not where the next piece began, the next piece
is read again from the right place. In files as vendors write them no guess is wrong.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from typing import NamedTuple

import pyarrow as pa

from spark_prep.contract.object_store import store_and_path
from spark_prep.spark.csv_records import (
    BOM,
    Block,
    Forward,
    Layout,
    NeedsMore,
    Rejected,
    Slices,
    Source,
    blocks,
    is_good,
    kept,
    no_fields,
    read_record,
)

HEADER_IS_NOT_AS_AGREED = "header is not as agreed"
CANNOT_BE_DECOMPRESSED = "the file cannot be decompressed"
COMPRESSED = ".gz"
LONGEST_HEADER = 1 << 20
COLUMN_NAME = re.compile(r"[^\W\d][\w -]{0,62}")
# A place is taken for the start of a record when so many good records follow it, or as many as there are in the window.
GUESS_RECORDS = 10
GUESS_BYTES = 1 << 18
COPY_BYTES = 1 << 20


class File(NamedTuple):
    """A delivered file: its day, its URI for people, and the path by which the store of `root` opens it."""

    day: date
    uri: str
    root: str
    path: str
    size: int


class Piece(NamedTuple):
    """The records of a file that start in [begin, end). `start` is where the first one does, or None: guess."""

    file: File
    begin: int
    end: int
    start: int | None = None


class Report(NamedTuple):
    """Of a piece that was read: where its first record started, where its last one ended, how many there were; and how the
    file's header differs from the agreed one without harm, or None."""

    start: int
    end: int
    records: int
    note: str | None


class Task(NamedTuple):
    """What is read in one go: a number, and some pieces by theirs."""

    number: int
    pieces: dict[int, Piece]


class Header(NamedTuple):
    """Where the file's records begin. `layout` is None when the file cannot be read by it; all lines are then rejected for
    `reason`, and `rejected` is the first line, when it is a record rather than a header."""

    layout: Layout | None
    end: int
    note: str | None = None
    rejected: Sequence[Rejected] = ()
    reason: str = HEADER_IS_NOT_AS_AGREED


def pieces_of(files: Iterable[File], piece_bytes: int) -> list[Piece]:
    """In the order of the files. A compressed file can only be read from its start, so it is one piece."""
    pieces = []
    for file in files:
        step = max(file.size, 1) if file.path.endswith(COMPRESSED) else piece_bytes
        pieces += [
            Piece(file, begin, min(begin + step, file.size)) for begin in range(0, max(file.size, 1), step)
        ]
    return pieces


def tasks_of(pieces: Sequence[Piece], piece_bytes: int) -> list[Task]:
    """The pieces, so many to a task as make a whole one: a day may come in thousands of small files."""
    tasks: list[Task] = []
    filled = piece_bytes
    for number, piece in enumerate(pieces):
        size = piece.end - piece.begin
        if filled + size > piece_bytes:
            tasks.append(Task(len(tasks), {}))
            filled = 0
        tasks[-1].pieces[number] = piece
        filled += size
    return tasks


def misread(pieces: Sequence[Piece], reports: Sequence[Report]) -> dict[int, Piece]:
    """The pieces that did not begin where the piece before them ended, by their numbers, with the right start."""
    wrong = {}
    numbered = zip(range(len(pieces)), pieces, reports, strict=True)
    for _, of_file in groupby(numbered, key=lambda item: item[1].file):
        (_, _, first), *others = of_file
        right = first.end
        for number, piece, report in others:
            if report.start != right:
                wrong[number] = piece._replace(start=right)
            right = max(right, report.end)
    return wrong


def read_piece(piece: Piece, columns: Sequence[str]) -> Iterator[Block | Report]:
    """The piece's records by blocks, and its report at the end."""
    with opened(piece.file) as (source, fault):
        header = damaged_file(source, fault) if fault else read_header(source, columns)
        end = source.size() if piece.file.path.endswith(COMPRESSED) else piece.end
        is_first = piece.begin == 0
        rejected = [*header.rejected] if is_first else []
        records = len(rejected)
        nothing = Layout(len(columns), {column: position for position, column in enumerate(columns)})
        if rejected:
            yield Block(no_fields(nothing), Slices(b"", [], []), rejected, header.end)
        start = header.end if is_first else piece.start
        if start is None:
            start = max(guess(source, piece.begin, header.layout), header.end)
        last = start
        if start < end:
            found = (
                blocks(source, start, end, header.layout)
                if header.layout
                else lines(source, start, end, nothing, header.reason)
            )
            for block in found:
                records += len(block.raw) + len(block.rejected)
                last = block.end
                yield block._replace(layout=header.layout)
        yield Report(start, last, records, header.note if is_first else None)


@contextmanager
def opened(file: File) -> Iterator[tuple[Source, str | None]]:
    """The file, and why it could not be decompressed to its end."""
    store, _ = store_and_path(file.root)
    if not file.path.endswith(COMPRESSED):
        with store.open_input_file(file.path) as source:
            yield source, None
        return
    with tempfile.NamedTemporaryFile() as copy:
        fault = None
        with (
            store.open_input_stream(file.path, compression=None) as compressed,
            gzip.open(compressed) as text,
        ):
            try:
                while chunk := text.read1(COPY_BYTES):
                    copy.write(chunk)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                fault = str(error)
        copy.flush()
        with pa.OSFile(copy.name) as source:
            yield source, fault


def read_header(source: Source, columns: Sequence[str]) -> Header:
    """Columns are found by their names: also in another order and beside others."""
    text = bytes(source.read_at(LONGEST_HEADER, 0))
    line_end = text.find(b"\n") + 1
    line = text[:line_end] if line_end else text
    names = names_in(line.removeprefix(BOM))
    if not all(names.count(column) == 1 for column in columns):
        is_only_line = len(text) == source.size() and not text[len(line) :].strip()
        return without_header(line, is_only_line) if len(line) < LONGEST_HEADER else Header(None, 0)
    # what does not look like a name may be a value, which is not for a log
    others = [
        name if COLUMN_NAME.fullmatch(name) else "(one that is no name)"
        for name in names
        if name not in columns
    ]
    note = f"additional columns: {', '.join(others)}" if others else None
    if [name for name in names if name in columns] != list(columns):
        note = "; ".join(filter(None, ["columns in another order", note]))
    return Header(Layout(len(names), {column: names.index(column) for column in columns}), len(line), note)


def names_in(line: bytes) -> list[str]:
    record = read_record(line, 0, at_end=True)
    return (
        []
        if record.fault or record.end < len(line)
        else [name.decode("utf-8", "replace") for name in record.fields]
    )


def without_header(line: bytes, is_only_line: bool) -> Header:
    """The first line counts as a record when it may be one: a number in a field, line ends of another kind, or nothing
    else in the file."""
    text = line.removeprefix(BOM).strip()
    has_number = any(field.strip(b' "').isdigit() for field in text.split(b","))
    is_record = has_number or b"\r" in text or (is_only_line and text)
    return Header(
        None, len(line), rejected=[Rejected(kept(line), HEADER_IS_NOT_AS_AGREED)] if is_record else []
    )


def damaged_file(source: Source, fault: str) -> Header:
    """What could be decompressed may be wrong or end anywhere, so none of it is believed."""
    nothing_else = [] if source.size() else [Rejected(fault.encode(), CANNOT_BE_DECOMPRESSED)]
    return Header(None, 0, f"it cannot be decompressed ({fault})", nothing_else, CANNOT_BE_DECOMPRESSED)


def lines(source: Source, start: int, stop: int, layout: Layout, reason: str) -> Iterator[Block]:
    """Each line that starts in [start, stop), rejected."""
    text = Forward(source, start)
    position = start
    while position < stop:
        data = text.at(position, COPY_BYTES)
        ends = (data.find(b"\n", stop - position - 1) + 1) or (data.rfind(b"\n") + 1)
        if not ends:
            ends = text.next_line(position) - position
        data = data[:ends]
        rejected = [Rejected(kept(line), reason) for line in data.split(b"\n") if line.strip()]
        position += ends
        yield Block(no_fields(layout), Slices(b"", [], []), rejected, position)


def guess(source: Source, begin: int, layout: Layout | None) -> int:
    """Where the first record starts that starts at `begin` or later."""
    text = bytes(source.read_at(GUESS_BYTES, begin - 1))
    is_file_end = begin - 1 + len(text) >= source.size()
    candidates, place = [], text.find(b"\n")
    while place >= 0:
        candidates.append(place + 1)
        place = text.find(b"\n", place + 1)
    if layout:
        for place in candidates[:1000]:
            if begins_records(text, place, layout, is_file_end):
                return begin - 1 + place
    return begin - 1 + candidates[0] if candidates else begin


def begins_records(text: bytes, place: int, layout: Layout, is_file_end: bool) -> bool:
    for number in range(GUESS_RECORDS):
        if place >= len(text):
            return True
        try:
            record = read_record(text, place, is_file_end)
        except NeedsMore:
            return number > 0
        if not is_good(record, layout) and text[place : record.end].strip():
            return False
        place = record.end
    return True
