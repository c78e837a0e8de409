"""Thousands of generated files, valid and damaged, in pieces of a few bytes, against a reader that shares no code.

`FUZZ_RECORDS=1000000 FUZZ_SEED=7 pytest spark_prep/tests/test_csv_fuzz.py` reads more of them, and others.
"""

import csv
import io
import os
import random
from collections import Counter
from contextlib import AbstractContextManager
from itertools import count
from unittest import mock

import pytest

from spark_prep.spark import csv_records, pieces
from spark_prep.spark.csv_records import Block
from spark_prep.spark.pieces import Piece, Report, read_piece
from spark_prep.tests.without_spark import file_of, in_memory

RECORDS = int(os.environ.get("FUZZ_RECORDS", "10000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
COLUMNS = ("cid", "review_str", "id_review")
HEADER = b"cid,review_str,id_review\n"

# What texts are made of: mostly what hurts.
TEXTS = ["a", "good", " ", ",", '"', "\n", "\r\n", "\r", "1,", "7,x,8", "\n2,y,3\n", "é", "\u2028", "\x00", "\U00020000", "x" * 9, "\ufeff"]  # fmt: skip
SPLINTERS = [b"a", b" ", b",", b'"', b"\n", b"\r\n", b"\r", b"1,", b"7", b'""', b'",', b',"', b'"\n', b"\n2,b,3\n", b'\n2,"b",3\n', b"\xef\xbb\xbf", b"\xff", b"\0", b"x" * 40, b"\n\n"]  # fmt: skip


# The reference. From `place`, a record is read by the letter of RFC 4180: its fields, where it ends, and whether it is one.


def record_at(data: bytes, place: int) -> tuple[list[bytes], int, bool]:
    fields: list[bytes] = []
    while True:
        field = bytearray()
        if data[place : place + 1] == b'"':
            place += 1
            while data[place : place + 2] == b'""' or (place < len(data) and data[place] != ord('"')):
                field.append(data[place])
                place += 2 if data[place] == ord('"') else 1
            if place == len(data):
                return fields, place, False
            place += 1
            fields.append(bytes(field))
            if data[place : place + 1] == b",":
                place += 1
                continue
            for line_end in (b"\r\n", b"\n"):
                if data[place:].startswith(line_end):
                    return fields, place + len(line_end), True
            return fields, len(data), data[place:] in (b"", b"\r")
        while place < len(data) and data[place] not in b",\n":
            field.append(data[place])
            place += 1
        if data[place : place + 1] == b",":
            fields.append(bytes(field))
            place += 1
            continue
        fields.append(bytes(field).removesuffix(b"\r"))
        return fields, min(place + 1, len(data)), True


def whole_record(data: bytes, place: int) -> tuple[list[bytes], int] | None:
    fields, end, is_record = record_at(data, place)
    return (fields, end) if is_record and len(fields) == len(COLUMNS) else None


def can_go_on(data: bytes, place: int) -> bool:
    """Behind damage: a whole record begins here, and none of its own later lines is one by itself."""
    found = whole_record(data, place)
    if found is None:
        return False
    later_lines = data[place : found[1]].removesuffix(b"\n").split(b"\n")[1:]
    return not any(whole_record(line, 0) for line in later_lines)


def reference(data: bytes, place: int) -> tuple[list[list[bytes]], list[bytes]]:
    """The good records' fields, and the stretches of text that are none."""
    good, damaged = [], []
    while place < len(data):
        fields, end, is_record = record_at(data, place)
        start = place
        if is_record and len(fields) == len(COLUMNS):
            good.append(fields)
            place = end
            continue
        if is_record and b"\n" not in data[start : end - 1]:
            place = end
        else:
            last = end if is_record else len(data)
            line_ends = [n for n in range(start, last) if data[n] == ord("\n")]
            place = next((n + 1 for n in line_ends if n + 1 < last and can_go_on(data, n + 1)), last)
        damaged.append(data[start:place])
    return good, damaged


# What is compared with it.


def read(data: bytes, piece_bytes: int) -> tuple[list[list[bytes]], list[bytes], list[bytes], int]:
    """The good records' fields and raw texts, the rejected raw texts, and how often pieces were read again."""
    with in_memory(data):
        whole = pieces.pieces_of([file_of(data)], piece_bytes)
        found = [blocks_and_report(piece) for piece in whole]
        rounds = 0
        while wrong := pieces.misread(whole, [report for _, report in found]):
            rounds += 1
            for number, piece in wrong.items():
                found[number] = blocks_and_report(piece)
    blocks = [block for blocks, _ in found for block in blocks]
    good = [[row[column] for column in COLUMNS] for block in blocks for row in block.fields.to_pylist()]
    raw = [block.raw[n] for block in blocks for n in range(len(block.raw))]
    rejected = [record.raw for block in blocks for record in block.rejected]
    assert len(good) == len(raw)
    assert sum(report.records for _, report in found) == len(raw) + len(rejected)
    return good, raw, rejected, rounds


def blocks_and_report(piece: Piece) -> tuple[list[Block], Report]:
    parts = [*read_piece(piece, COLUMNS)]
    (report,) = (part for part in parts if isinstance(part, Report))
    return [part for part in parts if isinstance(part, Block)], report


def lines_of(*texts: bytes) -> Counter[bytes]:
    """The lines that are not blank: what no reader may lose or make up."""
    lines = (line.rstrip(b"\r") for text in texts for line in text.split(b"\n"))
    return Counter(line for line in lines if line.strip())


def valid_file(rng: random.Random) -> tuple[bytes, list[list[str]]]:
    rows = [
        [str(rng.randrange(99)), "".join(rng.choices(TEXTS, k=rng.randrange(9))), str(number)]
        for number in range(rng.randint(1, 12))
    ]
    text = io.StringIO()
    # Python's writer leaves a lone CR without quotes, its reader takes that for a line end
    is_quoted = any("\r" in row[1] for row in rows) or rng.random() < 0.5
    line_end = rng.choice(["\n", "\r\n"])
    csv.writer(
        text, lineterminator=line_end, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    ).writerows(rows)
    data = text.getvalue().encode()
    return (data.rstrip(b"\r\n") if rng.random() < 0.2 else data), rows


def damaged_file(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return b"".join(rng.choices(SPLINTERS, k=rng.randrange(60)))
    data = bytearray(valid_file(rng)[0])
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(data))
        if rng.random() < 0.5:
            data[place:place] = rng.choice(SPLINTERS)
        else:
            del data[place : place + 1]
    return bytes(data)


def small_sizes(rng: random.Random) -> AbstractContextManager:
    """What is looked at and fetched at a time, in bytes."""
    return mock.patch.multiple(
        csv_records,
        BLOCK_BYTES=rng.choice([2, 7, 16, 64, 1 << 20]),
        SLOW_BYTES=rng.choice([1, 8, 1 << 16]),
        READ_BYTES=rng.choice([1, 5, 1 << 20]),
    )


def files(make, seed: int):
    """(number, chance, file) until RECORDS records have been made."""
    made = 0
    for number in count():
        if made >= RECORDS:
            return
        rng = random.Random(f"{SEED} {seed} {number}")
        content = make(rng)
        data = content if isinstance(content, bytes) else content[0]
        made += max(1, data.count(b"\n"))
        yield rng, content


@pytest.mark.slow
def test_valid_files_are_read_as_by_pythons_csv():
    for rng, (data, rows) in files(valid_file, seed=1):
        strict = [*csv.reader(io.StringIO(data.decode(), newline=""), strict=True)]
        assert strict == rows
        with small_sizes(rng):
            good, raw, rejected, _ = read(HEADER + data, rng.choice([9, 11, 37, 1 << 30]))
        assert [[field.decode() for field in fields] for fields in good] == rows, data
        assert rejected == [] and lines_of(*raw) == lines_of(data), data


@pytest.mark.slow
def test_damaged_files_are_read_as_the_reference_does_however_they_are_cut():
    for rng, data in files(damaged_file, seed=2):
        expected, damaged = reference(HEADER + data, len(HEADER))
        with small_sizes(rng):
            good, raw, rejected, _ = read(HEADER + data, rng.choice([9, 11, 37, 1 << 30]))
        assert good == expected, data
        assert lines_of(*rejected) == lines_of(*damaged), data
        assert lines_of(*raw, *rejected) == lines_of(data), data


@pytest.mark.slow
def test_records_that_are_too_long_are_the_same_however_a_file_is_cut():
    """With a limit of some bytes (the header has 24). Of a line that is too long only the beginning is kept, all others whole."""
    for rng, data in files(damaged_file, seed=3):
        limit = rng.choice([25, 30, 50])
        with mock.patch.object(csv_records, "MOST_RECORD_BYTES", limit):
            whole = read(HEADER + data, 1 << 30)
            with small_sizes(rng):
                good, raw, rejected, _ = read(HEADER + data, rng.choice([9, 11, 37]))
        assert (good, raw, rejected) == whole[:3], data
        kept, delivered = lines_of(*raw, *rejected), lines_of(data)
        assert kept.total() == delivered.total(), data
        assert {line: n for line, n in (delivered - kept).items() if len(line) <= limit} == {}, data


@pytest.mark.slow
def test_guesses_that_a_text_misleads_are_mended():
    """Texts that hold many whole records: a piece that begins in one has no way to know."""
    misled = 0
    for number in range(max(20, RECORDS // 500)):
        rng = random.Random(f"{SEED} 4 {number}")
        rows = []
        for review_id in range(20):
            quoted = "\n".join(f"{n},fine,{n}" for n in range(rng.randrange(40)))
            rows.append([str(review_id), f"list:\n{quoted}\nend", str(review_id)])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        good, _, rejected, rounds = read(HEADER + data, rng.choice([64, 100, 300]))
        assert [[field.decode() for field in fields] for fields in good] == rows
        assert rejected == []
        misled += rounds > 0
    assert misled > 10
