"""Cuts a piece of a vendor's CSV file into records, so that every byte belongs to one record, to a blank line or to the header.

    for block in blocks(source, start, stop, layout):   # source: anything with size() and read_at(bytes, offset)
        block.fields, block.rejected, block.end

A record that RFC 4180 allows is taken as it is, also when a line inside its quotes looks like a record. Where the strict
reading fails (a quote that never closes, text after a closing quote, a wrong number of fields), reading goes on at the next
line from which a whole record can be read; only what lies before it is rejected. What a record is depends on the bytes from its
start on and on nothing before: so a file gives the same records however it is cut, as long as each piece starts where the
last record of the piece before ended.

A block of strict text goes the fast way: numpy finds the records, pyarrow.csv makes their fields. From the first byte that
strict text cannot hold, records are read one by one. One departure from the letter of RFC 4180, as in Python's csv and all
warehouses: a quote inside a field that does not begin with one is a quote. A line ends in LF or CRLF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv

WRONG_NUMBER_OF_FIELDS = "wrong number of fields"
UNCLOSED_QUOTE = "unclosed quote"
TEXT_AFTER_QUOTE = "text after a closing quote"
TOO_LONG = "record is too long"

# A longer record is rejected: that bounds what a task holds in memory, and how far an unclosed quote is followed.
MOST_RECORD_BYTES = 16 << 20
# Of a rejected record, at most so much is kept.
MOST_KEPT_BYTES = 1 << 20
# What is looked at as a whole. After damage, so much is read record by record before the fast way is tried again.
BLOCK_BYTES = 1 << 21
SLOW_BYTES = 64 << 10
# What is fetched from the store at a time.
READ_BYTES = 8 << 20

LF, CR, COMMA, QUOTE = b"\n"[0], b"\r"[0], b","[0], b'"'[0]
BOM = b"\xef\xbb\xbf"
TO_CLOSING_QUOTE = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')
# In a damaged stretch: a line that begins like a record of either feed.
NEXT_RECORD = re.compile(rb"\n(?=[0-9]+,)")


class Source(Protocol):
    """A file that can be read at any place; Arrow's RandomAccessFile is one."""

    def size(self) -> int: ...

    def read_at(self, nbytes: int, offset: int) -> bytes: ...


class Layout(NamedTuple):
    """How many fields a record of a file has, and which of them the feed's columns are."""

    number_of_fields: int
    positions: dict[str, int]


def layout_text(layout: Layout) -> str:
    """As quarantine keeps it."""
    names = dict(zip(layout.positions.values(), layout.positions, strict=True))
    return ",".join(names.get(position, "") for position in range(layout.number_of_fields))


def layout_of(text: str) -> Layout:
    names = text.split(",")
    return Layout(len(names), {name: position for position, name in enumerate(names) if name})


class Rejected(NamedTuple):
    raw: bytes
    reason: str


class Block(NamedTuple):
    """`fields`: the feed's columns as binary, a row for each good record; `raw[i]` is the text of the i-th, as it was delivered.
    `end` is the place in the file behind the block's last record. `layout` is how the file's records are made up, where that is known."""

    fields: pa.Table
    raw: Sequence[bytes] | Slices
    rejected: list[Rejected]
    end: int
    layout: Layout | None = None


class Slices:
    """The texts of records, cut out of the block only when they are asked for."""

    def __init__(self, data: bytes, starts: list[int], ends: list[int]):
        self.data, self.starts, self.ends = data, starts, ends

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, record: int) -> bytes:
        return without_line_end(self.data[self.starts[record] : self.ends[record]])


class NeedsMore(Exception):
    """The text breaks off before it is clear what it is."""


def blocks(source: Source, start: int, stop: int, layout: Layout) -> Iterator[Block]:
    """The records that start in [start, stop), where `start` is the start of a record. The last block's `end` is where the
    first record of the next piece starts; there is always a block, also when it is empty."""
    text = Forward(source, start)
    # every line of the first half can be read as far as a record may go
    most = 2 * MOST_RECORD_BYTES + 2
    position, length = start, min(BLOCK_BYTES, most)
    yield Block(no_fields(layout), Slices(b"", [], []), [], start)
    while position < min(stop, source.size()):
        data = text.at(position, length)
        try:
            block = cut(data, stop - position, position + len(data) == source.size(), layout)
        except NeedsMore:
            if length < most:
                length = min(2 * length, most)
                continue
            block = no_records(data, text, position, layout)
        length = min(BLOCK_BYTES, most)
        position += block.end
        yield block._replace(end=position)


def no_records(data: bytes, text: Forward, position: int, layout: Layout) -> Block:
    """No line far and wide begins a whole record: all of them are rejected, or one, if it is longer than a record may be."""
    end = data.rfind(b"\n", 0, MOST_RECORD_BYTES) + 1
    if end:
        rejected = rejected_parts(data[:end])
    else:
        end = text.next_line(position) - position
        rejected = [Rejected(kept(data[:end]), TOO_LONG)]
    return Block(no_fields(layout), Slices(b"", [], []), rejected, end)


def cut(data: bytes, stop: int, at_end: bool, layout: Layout) -> Block:
    """The first records of the data, those that start before `stop`; `end` counts from the data's start, and is not 0."""
    # The fast way takes some forty bytes of memory for each quote; a record for which a block is too short goes without it.
    if len(data) <= BLOCK_BYTES:
        strict = strict_records(data, stop, at_end, layout)
        if strict.end:
            return strict
    return damaged_records(data, min(stop, SLOW_BYTES), at_end, layout)


def strict_records(data: bytes, stop: int, at_end: bool, layout: Layout) -> Block:
    """The records up to the first one that is not strict."""
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == QUOTE)
    ends = outside(quotes, np.flatnonzero(text == LF)) + 1
    if at_end and (not len(ends) or ends[-1] < len(data)) and len(quotes) % 2 == 0:
        ends = np.append(ends, len(data))
    ends = ends[: np.searchsorted(ends, first_fault(text, quotes, at_end), side="right")]
    starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
    within = np.searchsorted(starts, stop)
    starts, ends = starts[:within], ends[:within]

    commas = outside(quotes, np.flatnonzero(text == COMMA))
    fields = np.diff(np.searchsorted(commas, np.concatenate((starts[:1], ends)))) + 1
    is_good = fields == layout.number_of_fields
    is_good &= ends - starts <= MOST_RECORD_BYTES
    rejected = []
    for record in np.flatnonzero(~is_good):
        raw = data[starts[record] : ends[record]]
        if not raw.strip():
            continue
        if b"\n" in raw[:-1] or len(raw) > MOST_RECORD_BYTES:
            # perhaps two records between which a quote is missing
            starts, ends, is_good = starts[:record], ends[:record], is_good[:record]
            break
        rejected.append(Rejected(kept(raw), WRONG_NUMBER_OF_FIELDS))
    if not len(ends):
        return Block(no_fields(layout), Slices(data, [], []), [], 0)
    good = starts[is_good], ends[is_good]
    whole = data[: ends[-1]] if is_good.all() else b"".join(data[s:e] for s, e in runs(*good))
    table = fields_of(whole, layout)
    if table.num_rows != len(good[0]):
        return damaged_records(data, int(ends[-1]), at_end, layout)
    return Block(table, Slices(data, good[0].tolist(), good[1].tolist()), rejected, int(ends[-1]))


def outside(quotes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The places that are in no quotes: behind an even number of them."""
    found: np.ndarray = places[np.searchsorted(quotes, places) % 2 == 0]
    return found


def first_fault(text: np.ndarray, quotes: np.ndarray, at_end: bool) -> int:
    """The place of the first byte that strict text cannot hold there, or the length of the text: a quote in the middle of a
    field, anything but a comma, a line end or another quote behind a closing one, a CR that ends no line, and, because
    pyarrow.csv would drop it, a mark of the byte order."""
    # what follows the text's end is not known; a record that ends there is not whole unless the file ends there as well
    around = np.concatenate(([LF], text, [LF, LF] if at_end else [COMMA, COMMA])).astype(np.uint8)
    before, after, second = (
        around[quotes],
        around[quotes + 2],
        around[np.minimum(quotes + 3, len(around) - 1)],
    )
    ends_line = (after == LF) | ((after == CR) & (second == LF))
    is_fault = np.where(
        np.arange(len(quotes)) % 2 == 0,  # an opening quote
        (before != COMMA) & (before != LF) & (before != QUOTE),
        (after != COMMA) & (after != QUOTE) & ~ends_line,
    )
    faults = [quotes[is_fault][:1]]
    returns = outside(quotes, np.flatnonzero(text == CR))
    faults.append(returns[around[returns + 2] != LF][:1])
    marks = np.flatnonzero(text == BOM[0])
    faults.append(marks[around[marks] == LF][:1])
    return min((int(fault[0]) for fault in faults if len(fault)), default=len(text))


def runs(starts: np.ndarray, ends: np.ndarray) -> Iterator[tuple[int, int]]:
    """Neighbouring records as one stretch."""
    breaks = np.flatnonzero(starts[1:] != ends[:-1]) + 1
    for records in np.split(np.arange(len(starts)), breaks):
        if len(records):
            yield int(starts[records[0]]), int(ends[records[-1]])


def fields_of(data: bytes, layout: Layout) -> pa.Table:
    if not data:
        return no_fields(layout)
    names = [str(position) for position in range(layout.number_of_fields)]
    table = pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(
            column_names=names, use_threads=False, block_size=max(len(data) + 1, 1 << 16)
        ),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()),
            include_columns=[names[position] for position in layout.positions.values()],
            strings_can_be_null=False,
        ),
    )
    return table.rename_columns(list(layout.positions)).combine_chunks()


def no_fields(layout: Layout) -> pa.Table:
    return pa.table({name: pa.array([], pa.binary()) for name in layout.positions})


def damaged_records(data: bytes, stop: int, at_end: bool, layout: Layout) -> Block:
    """Record by record, at least one; as many as are whole."""
    starts, ends, rows, rejected = [], [], [], []
    position = 0
    try:
        while position < min(stop, len(data)):
            start = position
            record = read_record(data, start, at_end)
            if is_good(record, layout):
                position = record.end
                starts.append(start)
                ends.append(position)
                rows.append([record.fields[index] for index in layout.positions.values()])
            elif record.fault is None and b"\n" not in data[start : record.end - 1]:
                position = record.end
                if data[start:position].strip():
                    rejected.append(Rejected(kept(data[start:position]), WRONG_NUMBER_OF_FIELDS))
            else:
                position = next_whole_record(data, start, record, at_end, layout)
                rejected += rejected_parts(data[start:position])
    except NeedsMore:
        if not position:
            raise
    columns = [pa.array(column, pa.binary()) for column in zip(*rows, strict=True)] or no_fields(
        layout
    ).columns
    return Block(
        pa.table(dict(zip(layout.positions, columns, strict=True))),
        Slices(data, starts, ends),
        rejected,
        position,
    )


class Record(NamedTuple):
    """`fault` is why the text is no record, or None; `end` is where the record ends, or where the fault showed."""

    fields: list[bytes]
    end: int
    fault: str | None


def is_good(record: Record, layout: Layout) -> bool:
    return record.fault is None and len(record.fields) == layout.number_of_fields


def read_record(data: bytes, start: int, at_end: bool) -> Record:
    """Read strictly from `start`, no further than a record may be long. Raises NeedsMore when the data ends before that, and
    before the record does."""
    limit = min(len(data), start + MOST_RECORD_BYTES + 1)
    is_file_end = at_end and limit == len(data)
    fields: list[bytes] = []
    position, line_end = start, -1

    def unfinished(fault: str) -> Record:
        if limit <= start + MOST_RECORD_BYTES and not is_file_end:
            raise NeedsMore
        return Record(fields, limit, fault)

    while True:
        if data[position : position + 1] == b'"':
            closed = TO_CLOSING_QUOTE.match(data, position + 1, limit)
            if closed is None or (closed.end() == limit and not is_file_end):
                return unfinished(UNCLOSED_QUOTE)
            fields.append(closed[0][:-1].replace(b'""', b'"'))
            position = closed.end()
            follows = data[position : min(position + 2, limit)]
            if follows[:1] == b",":
                position += 1
            elif follows == b"\r" and not is_file_end:
                return unfinished(UNCLOSED_QUOTE)
            elif follows in (b"", b"\r", b"\r\n") or follows[:1] == b"\n":
                return Record(fields, position + (1 if follows[:1] == b"\n" else len(follows)), None)
            else:
                return Record(fields, position, TEXT_AFTER_QUOTE)
        else:
            if line_end < position:
                line_end = data.find(b"\n", position, limit)
                if line_end < 0 and not is_file_end:
                    return unfinished(TOO_LONG)
            stop = line_end if line_end >= 0 else limit
            comma = data.find(b",", position, stop)
            if comma < 0:
                fields.append(data[position:stop].removesuffix(b"\r"))
                return Record(fields, min(stop + 1, limit), None)
            fields.append(data[position:comma])
            position = comma + 1


def next_whole_record(data: bytes, start: int, damaged: Record, at_end: bool, layout: Layout) -> int:
    """The start of the first line behind `start` from which a whole record can be read; when there is none, the end of the
    file, or of a record that only has the wrong number of fields."""
    last = len(data) if damaged.fault else damaged.end
    line = start
    while True:
        line = data.find(b"\n", line) + 1
        if not line or line >= last:
            if damaged.fault and not at_end:
                raise NeedsMore
            return last
        record = read_record(data, line, at_end)
        if is_good(record, layout) and not holds_a_record(data[line : record.end], layout):
            return line


def holds_a_record(text: bytes, layout: Layout) -> bool:
    """Whether a line behind the first is a record by itself. Next to damage, the quotes around it may not be its own."""
    lines = text.removesuffix(b"\n").split(b"\n")[1:]
    return any(is_good(read_record(line, 0, at_end=True), layout) for line in lines)


def rejected_parts(text: bytes) -> list[Rejected]:
    """A damaged stretch as records, cut where a line begins like one; each with what is wrong with it by itself."""
    parts, start = [], 0
    for match in NEXT_RECORD.finditer(text):
        parts.append(text[start : match.end()])
        start = match.end()
    parts.append(text[start:])
    rejected = []
    for part in parts:
        if part.strip():
            fault = read_record(part, 0, at_end=True).fault
            rejected.append(Rejected(kept(part), fault or WRONG_NUMBER_OF_FIELDS))
    return rejected


def kept(raw: bytes) -> bytes:
    return without_line_end(raw)[:MOST_KEPT_BYTES]


def without_line_end(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


class Forward:
    """A source that is read from front to back, each byte once."""

    def __init__(self, source: Source, start: int):
        self.source, self.base, self.data = source, start, b""

    def at(self, position: int, length: int) -> bytes:
        """So many bytes from a position that is not before an earlier one; fewer at the end of the file."""
        loaded = self.base + len(self.data)
        if position + length > loaded and loaded < self.source.size():
            behind = self.data[position - self.base :]
            self.base, self.data = (
                position,
                behind + self.source.read_at(max(READ_BYTES, length - len(behind)), loaded),
            )
        offset = position - self.base
        return self.data[offset : offset + length]

    def next_line(self, position: int) -> int:
        """Where the line behind that of the position begins, however far that is."""
        while found := self.at(position, READ_BYTES):
            line_end = found.find(b"\n")
            if line_end >= 0:
                return position + line_end + 1
            position += len(found)
        return position
