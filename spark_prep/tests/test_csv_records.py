"""Nasty files: every record has to be somewhere, and the damage of one is no other's. Without Spark."""

import subprocess
import sys
from functools import partial
from unittest import mock

import pytest

from ci.staged_sample import ROOT
from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, classify
from spark_prep.spark import csv_records
from spark_prep.spark.stage_task import Stage
from spark_prep.tests.without_spark import stage_text

HEADER = "cid,review_str,id_review\n"
REVIEWS = Stage(
    "classified_movie_review",
    MOVIE_REVIEW,
    partial(classify, classifier=partial(keyword, words=frozenset({"good"}))),
)
FIELDS, QUOTE, AFTER = "wrong number of fields", "unclosed quote", "text after a closing quote"
LIST = '1,"My list:\n1, Alien\n2, Jaws\n1999, and it was good",10\n'

# name -> (records after the header, ids staged, (reason, record_id, raw_record) quarantined)
FILES: dict[str, tuple[str | bytes, list[int], list[tuple]]] = {
    "plain": ('1,fine,10\n2,"a, b",11\n3,"say ""hi""",12\n', [10, 11, 12], []),
    "no newline at the end": ("1,a,10\n2,b,11", [10, 11], []),
    "line breaks in quotes": ('1,"a\nb\n\n \n7 is\nc",10\n2,x,11\n', [10, 11], []),
    "line break first and last in quotes": ('1,"\na\n",10\n2,"\n\nb",11\n', [10, 11], []),
    "a line in quotes that begins like a record": (LIST + "2,x,11\n", [10, 11], []),
    "a line in quotes that is a record": ('1,"quoted:\n5,fine,99\nend",10\n2,x,11\n', [10, 11], []),
    "a line in quotes that begins like a record, CRLF": (LIST.replace("\n", "\r\n"), [10], []),
    "a line in quotes that begins like a record, all quoted": (
        '"1","10,000,000\n10,000,000","10"\n"2","x","11"\n',
        [10, 11],
        [],
    ),
    "CRLF": ('1,"a\nb\n\nc",10\n\n2,x,11\n'.replace("\n", "\r\n"), [10, 11], []),
    "CRLF in quotes of a LF file": ('1,"a\r\n\r\nb",10\n2,x,11\n', [10, 11], []),
    "lone CR": ('1,"a\rb",10\n2,x\ry,11\n', [10, 11], []),
    "other line ends": ("1,a\u2028b\u0085c\x0b\x0cd,10\n2,x,11\n", [10, 11], []),
    "NUL": ('1,"a\x00b",10\n\x001,x,11\n', [10, 11], []),
    "a byte order mark in front of a record": ("\ufeff1,a,10\n2,b,11\n", [11], [("cid is not an integer", "10", "\ufeff1,a,10")]),
    "blank lines": ("\n1,a,10\n\n\n  \t\n2,b,11\n   \n\n", [10, 11], []),
    "quote within a text": ('1,he said "hi",10\n3,6" disc,12\n', [10, 12], []),
    "backslash": ('1,"a\\",10\n2,b\\,11\n', [10, 11], []),
    "lone quote lines": ('1,a,10\n"\n2 b 11\n"\n3,c,12\n', [10, 12], [(FIELDS, None, '"\n2 b 11\n"')]),
    "two quotes and nothing else": ('1,a,10\n""\n2,b,11\n', [10, 11], [(FIELDS, None, '""')]),
    "lines that fit into a boolean": (
        'TRUE\nFalse\n"true"\n1,a,10\n',
        [10],
        [(FIELDS, None, "TRUE"), (FIELDS, None, "False"), (FIELDS, None, '"true"')],
    ),
    "broken lines": (
        "1,a\n2\n3,a,b,12\n4,d,13\nfalse\n,,,\n",
        [13],
        [
            (FIELDS, None, "1,a"),
            (FIELDS, None, "2"),
            (FIELDS, "12", "3,a,b,12"),
            (FIELDS, None, "false"),
            (FIELDS, None, ",,,"),
        ],
    ),
    "text after a closing quote": (
        '1,a,10\n2,"he said "hi" ok",11\n3,"good"",12\n4,c,13\n',
        [10, 13],
        [(AFTER, "11", '2,"he said "hi" ok",11'), (QUOTE, "12", '3,"good"",12')],
    ),
    "quote left open, a quoted record with a comma later": (
        '1,a,10\n2,"open,11\n3,plain,12\n4,"quoted, text",13\n5,e,14\n',
        [10, 12, 13, 14],
        [(QUOTE, "11", '2,"open,11')],
    ),
    # Spark's reader takes this for one whole record
    "quote left open, a quoted record without a comma later": (
        '2,"open,11\n3,plain,12\n4,"quoted text",13\n5,e,14\n',
        [12, 13, 14],
        [(QUOTE, "11", '2,"open,11')],
    ),
    "quote left open to the end": (
        '1,a,10\n2,"open,11\n\n3,x\ry,12\n',
        [10, 12],
        [(QUOTE, "11", '2,"open,11\n')],
    ),
    "quote left open in the last record": ('1,a,10\n2,"open,11', [10], [(QUOTE, "11", '2,"open,11')]),
    "quote left open, CRLF": (
        '2,"open,11\n3,plain,12\n'.replace("\n", "\r\n"),
        [12],
        [(QUOTE, "11", '2,"open,11')],
    ),
    "quote left open in a file without other quotes": (
        '1,"open,10\n' + "".join(f"{n},plain text,{n}\n" for n in range(11, 62)),
        [*range(11, 62)],
        [(QUOTE, "10", '1,"open,10')],
    ),
    # the text of the second must never be judged under the first one's customer
    "quote left open, no customer": (
        '1,"open,10\n,"x",11\n3,c,12\n',
        [11, 12],
        [(QUOTE, "10", '1,"open,10')],
    ),
    "quote left open, a negative customer": (
        '1,"open,10\n-2,"x",11\n3,c,12\n',
        [11, 12],
        [(QUOTE, "10", '1,"open,10')],
    ),
    "quote left open, a blank before the customer": (
        '1,"open,10\n 2,"x",11\n3,c,12\n',
        [11, 12],
        [(QUOTE, "10", '1,"open,10')],
    ),
    "quote left open, a quoted customer": (
        '1,"open,10\n"2","x",11\n3,c,12\n',
        [11, 12],
        [(QUOTE, "10", '1,"open,10')],
    ),
    "one quote too many, no customer": (
        '1,"good"",10\n,"x",11\n3,c,12\n',
        [11, 12],
        [(QUOTE, "10", '1,"good"",10')],
    ),
    "not UTF-8": (
        b"1,caf\xe9,10\n2,caf\xe9\n",
        [10],
        [(FIELDS, None, "2,caf\ufffd")],
    ),
    "header again": (
        "1,a,10\n" + HEADER,
        [10],
        [("id_review is not an integer", None, HEADER.rstrip())],
    ),
    "a million fields": ("," * 1_000_000 + "\n1,a,10\n", [10], [(FIELDS, None, "," * 1_000_000)]),
}  # fmt: skip


@pytest.mark.parametrize("piece_bytes", [1 << 30, 16])
@pytest.mark.parametrize("name", FILES)
def test_every_record_is_staged_or_quarantined(name, piece_bytes):
    content, ids, rejected = FILES[name]
    data = content if isinstance(content, bytes) else content.encode()
    if len(data) > 10_000 and piece_bytes < 10_000:
        piece_bytes = 100_000
    found = stage_text(HEADER.encode() + data, REVIEWS, piece_bytes)
    assert [row["review_id"] for row in found.staged] == ids
    quarantined = [(row["reason"], row["record_id"], row["raw_record"]) for row in found.quarantined]
    assert sorted(quarantined, key=repr) == sorted(rejected, key=repr)
    assert found.delivered() == len(ids) + len(rejected)


def test_a_review_is_judged_by_its_own_text_alone():
    (row, _) = stage_text(HEADER + '1,"a good film,10\n,"x",11\n3,c,12\n', REVIEWS).staged
    assert (row["review_id"], row["customer_id"], row["positive_review"]) == (11, None, 0)


def test_a_raw_record_that_is_no_utf_8_is_kept_as_it_was_delivered():
    found = stage_text(HEADER.encode() + b"1,caf\xe9\n2,tea\n", REVIEWS)
    assert [(row["raw_record"], row["raw_bytes"]) for row in found.quarantined] == [
        ("1,caf\ufffd", b"1,caf\xe9"),
        ("2,tea", None),
    ]


class Zeros:
    """A file of one record that is larger than what a task may hold: made where it is read."""

    def __init__(self, size: int, line_end: bytes = b"\n1,a,10\n"):
        self.line_end = line_end
        self.length = size
        self.largest = 0

    def size(self) -> int:
        return self.length + len(self.line_end)

    def read_at(self, nbytes: int, offset: int) -> bytes:
        self.largest = max(self.largest, nbytes)
        text = self.content(max(0, min(nbytes, self.length - offset)))
        behind = max(0, offset - self.length)
        return text + self.line_end[behind : behind + nbytes - len(text)]

    def content(self, size: int) -> bytes:
        return b"x" * size


class Quotes(Zeros):
    def content(self, size: int) -> bytes:
        return b'"' * size


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a process's peak memory is Linux's to say")
@pytest.mark.parametrize("source", ["Zeros(500_000_000)", "Quotes(50_000_000)"], ids=["a line", "quotes"])
def test_a_record_without_end_is_rejected_by_name_and_takes_no_memory(source):
    """In a process of its own, whose peak can be seen."""
    code = f"""if True:
        from pathlib import Path
        from spark_prep.spark import csv_records
        from spark_prep.tests.test_csv_records import Quotes, Zeros
        source, layout = {source}, csv_records.Layout(3, dict(cid=0, review_str=1, id_review=2))
        found = [*csv_records.blocks(source, 0, source.size(), layout)]
        (rejected,) = [record for block in found for record in block.rejected]
        assert rejected.reason == "record is too long" and len(rejected.raw) == csv_records.MOST_KEPT_BYTES
        assert sum(block.fields.num_rows for block in found) == 1 and found[-1].end == source.size()
        # what is fetched at a time, and hence held, is bounded by a record
        assert source.largest <= 2 * csv_records.MOST_RECORD_BYTES + 2
        print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    """
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )
    assert ran.returncode == 0, ran.stderr
    # in kB: the imports take a third of it
    assert int(ran.stdout) < 350_000


def test_a_damaged_stretch_without_a_whole_record_is_rejected_in_one_go(monkeypatch):
    """By lines it would take a look at the whole stretch for each of its lines."""
    monkeypatch.setattr(csv_records, "MOST_RECORD_BYTES", 1_000)
    monkeypatch.setattr(csv_records, "BLOCK_BYTES", 1_000)
    read_record = mock.Mock(wraps=csv_records.read_record)
    monkeypatch.setattr(csv_records, "read_record", read_record)
    lines = 5_000
    found = stage_text(HEADER + '1,"open,3\n' * lines, REVIEWS)
    assert (len(found.staged), len(found.quarantined)) == (0, lines)
    assert read_record.call_count < 30 * lines
