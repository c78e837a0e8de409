"""Headers, compressed files, and pieces that begin anywhere. Without Spark."""

import gzip
from functools import partial
from pathlib import Path

import pytest

from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, classify
from spark_prep.spark import csv_records, stage_task
from spark_prep.spark.pieces import File, Piece, Report, misread, pieces_of, tasks_of
from spark_prep.spark.stage_task import Stage
from spark_prep.tests.without_spark import DAY, Rows, file_of, stage_file, stage_text

REVIEWS = Stage(
    "classified_movie_review",
    MOVIE_REVIEW,
    partial(classify, classifier=partial(keyword, words=frozenset({"good"}))),
)
HEADER = "cid,review_str,id_review\n"
HEADER_REASON, GZIP_REASON = "header is not as agreed", "the file cannot be decompressed"

# name -> (file, ids staged, note)
AGREED = {
    "as agreed": (HEADER + "1,a,10\n", [10], None),
    "CRLF": ("cid,review_str,id_review\r\n1,a,10\r\n", [10], None),
    "a byte order mark": ("\ufeff" + HEADER + "1,a,10\n", [10], None),
    "quoted": ('"cid","review_str","id_review"\n1,a,10\n', [10], None),
    "a byte order mark, quoted": ('\ufeff"cid","review_str","id_review"\n1,a,10\n', [10], None),
    "alone": (HEADER, [], None),
    "alone, without a line end": (HEADER.rstrip(), [], None),
    "another order": ('id_review,cid,review_str\n10,1,"a\n\nb"\n11,2,c\n', [10, 11], "columns in another order"),
    "a value among the names": (
        'cid,review_str,id_review,"555-010-0199"\n1,a,10,5\n', [10], "additional columns: (one that is no name)",
    ),
    "one column more": (HEADER.rstrip() + ",stars\n1,a,10,5\n2,b,11,\n", [10, 11], "additional columns: stars"),
    "one column more, in between": (
        "review_str,stars,cid,id_review\na,5,1,10\n",
        [10],
        "columns in another order; additional columns: stars",
    ),
    "nothing": ("", [], None),
    "a byte order mark alone": ("\ufeff", [], None),
}  # fmt: skip


@pytest.mark.parametrize("name", AGREED)
def test_columns_are_found_by_their_names(name):
    content, ids, note = AGREED[name]
    found = stage_text(content, REVIEWS)
    assert [row["review_id"] for row in found.staged] == ids
    assert found.quarantined == [] and found.delivered() == len(ids)
    assert found.note() == note


def test_the_columns_of_another_order_are_those_of_their_names():
    (row,) = stage_text("review_str,stars,cid,id_review\ngood,5,1,10\n", REVIEWS).staged
    assert (row["review_id"], row["customer_id"], row["positive_review"]) == (10, 1, 1)


# name -> (file, raw records quarantined)
MISHEADED: dict[str, tuple[str | bytes, list[str]]] = {
    "a column is missing": ("cid,id_review\n1,10\n2,11\n", ["1,10", "2,11"]),
    "a column has another name": ('cid,texte,id_review\n1,"a\n\nb",10\n', ['1,"a', 'b",10']),
    "a column is there twice": ("cid,review_str,cid,id_review\n1,a,2,10\n", ["1,a,2,10"]),
    "other case": ("CID,review_str,id_review\n1,a,10\n", ["1,a,10"]),
    "blanks": ("cid, review_str, id_review\n1,a,10\n", ["1,a,10"]),
    "semicolons": ("cid;review_str;id_review\n1;a;10\n", ["1;a;10"]),
    "a quote that never closes": ('"cid,review_str,id_review\n1,a,10\n2,b,11\n', ["1,a,10", "2,b,11"]),
    "a quote that never closes at the end": ('cid,review_str,"id_review\n1,a,10\n', ["1,a,10"]),
    "a blank line before it": ("\r\n" + HEADER + "1,a,10\n", [HEADER.rstrip(), "1,a,10"]),
    # what may be a record counts as one
    "none": ("1,a,10\n2,b,11\n", ["1,a,10", "2,b,11"]),
    "none, one record": ("1,a,10\n", ["1,a,10"]),
    "none, all quoted": ('"1","a","10"\n', ['"1","a","10"']),
    "none, a byte order mark": ("\ufeff1,a,10\n", ["\ufeff1,a,10"]),
    "one line that is anything": ("not for us\n", ["not for us"]),
    "line ends of another kind": (
        "cid,review_str,id_review\r1,a,10\r2,b,11\r",
        ["cid,review_str,id_review\r1,a,10\r2,b,11"],
    ),
    "another encoding": (
        b"cid,texte,id_review\n1,caf\xe9,10\n",
        ["1,caf\ufffd,10"],
    ),
    "UTF-16": (
        (HEADER + "1,a,10\n").encode("utf-16-le"),
        ["\x001\x00,\x00a\x00,\x001\x000\x00", "\x00"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("piece_bytes", [1 << 30, 16])
@pytest.mark.parametrize("name", MISHEADED)
def test_a_file_without_the_agreed_header_is_rejected_line_by_line(name, piece_bytes):
    content, raws = MISHEADED[name]
    found = stage_text(content, REVIEWS, piece_bytes)
    assert found.staged == [] and found.delivered() == len(raws)
    assert sorted(row["raw_record"] for row in found.quarantined) == sorted(raws)
    assert {(row["reason"], row["record_id"]) for row in found.quarantined} == {(HEADER_REASON, None)}


def test_a_rejected_record_that_is_no_utf_8_can_be_read_and_is_kept():
    (row,) = stage_text(b"cid,texte,id_review\n1,caf\xe9,10\n", REVIEWS).quarantined
    assert (row["raw_record"], row["raw_bytes"]) == ("1,caf\ufffd,10", b"1,caf\xe9,10")


def test_the_pieces_of_a_rejected_file_fit_together_at_once():
    """Otherwise the second would have to be read again, then the third, and so on."""
    content = "cid,texte,id_review\n" + "".join(f"{n},text,{n}\n" for n in range(10_000))
    found = stage_text(content, REVIEWS, piece_bytes=5_000)
    assert len(found.reports) > 20 and found.rounds == 1
    assert (found.delivered(), len(found.quarantined)) == (10_000, 10_000)


def test_a_line_longer_than_a_piece_is_read_once():
    content = HEADER + "1," + "x" * 600_000 + ",10\n2,b,11\n"
    found = stage_text(content, REVIEWS, piece_bytes=100_000)
    assert [row["review_id"] for row in found.staged] == [10, 11] and found.rounds == 2


def deliver(folder: Path, data: bytes, name: str = "reviews.csv.gz") -> File:
    file = folder / name
    file.write_bytes(data)
    return File(DAY, str(file), str(folder), str(file), len(data))


RECORDS = HEADER + "".join(f'{n},"text {n * 7919 % 1000}\n",{n}\n' for n in range(1000))


def test_a_compressed_file_is_read_whole(tmp_path):
    found = stage_file(deliver(tmp_path, gzip.compress(RECORDS.encode())), REVIEWS, piece_bytes=100)
    assert [row["review_id"] for row in found.staged] == [*range(1000)]
    assert (found.delivered(), len(found.reports)) == (1000, 1)


def test_a_compressed_file_of_two_members_is_one_file(tmp_path):
    half = len(HEADER)
    members = gzip.compress(RECORDS[:half].encode()) + gzip.compress(RECORDS[half:].encode())
    assert stage_file(deliver(tmp_path, members), REVIEWS).delivered() == 1000


def test_a_large_file_is_written_bit_by_bit(tmp_path, monkeypatch):
    monkeypatch.setattr(stage_task, "HELD_BYTES", 1_000)
    found = stage_file(deliver(tmp_path, gzip.compress((RECORDS + "x\n" * 1000).encode())), REVIEWS)
    assert (len(found.staged), len(found.quarantined), found.delivered()) == (1000, 1000, 2000)


@pytest.mark.parametrize("line", ["x\n", "1,a,b\n"], ids=["no record", "no id"])
def test_short_rejected_records_do_not_pile_up(line, monkeypatch):
    """A piece of 64 MB may hold 32 million of them, and Python takes hundreds of bytes for each."""
    written = []
    write_table = Rows.write_table

    def noted(rows, table):
        written.append(len(table))
        write_table(rows, table)

    monkeypatch.setattr(Rows, "write_table", noted)
    monkeypatch.setattr(csv_records, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(stage_task, "HELD_BYTES", 100_000)
    found = stage_text(HEADER + line * 50_000, REVIEWS)
    assert len(found.quarantined) == 50_000
    assert max(written) < 10_000


def cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2]


def wrong_checksum(data: bytes) -> bytes:
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


@pytest.mark.parametrize("damage", [cut_off, wrong_checksum])
def test_nothing_of_a_damaged_compressed_file_is_staged(tmp_path, damage):
    """Its last record may be half of one, and what comes before it may be wrong."""
    found = stage_file(deliver(tmp_path, damage(gzip.compress(RECORDS.encode()))), REVIEWS)
    assert found.staged == [] and found.delivered() == len(found.quarantined) > 100
    assert {row["reason"] for row in found.quarantined} == {GZIP_REASON}
    assert found.note().startswith("it cannot be decompressed (")


def test_what_is_not_compressed_at_all_is_one_rejected_record(tmp_path):
    found = stage_file(deliver(tmp_path, RECORDS.encode()), REVIEWS)
    (row,) = found.quarantined
    assert row["reason"] == GZIP_REASON and "gzip" in row["raw_record"] and found.delivered() == 1


def test_a_compressed_file_by_another_name_is_rejected(tmp_path):
    found = stage_file(deliver(tmp_path, gzip.compress(RECORDS.encode()), "reviews.csv"), REVIEWS)
    assert found.staged == [] and found.delivered() == len(found.quarantined) > 0


def test_files_are_cut_but_not_compressed_ones():
    plain, empty, compressed = file_of(b"x" * 25), file_of(b""), file_of(b"x" * 25, "a.csv.gz")
    cuts = [(p.begin, p.end) for p in pieces_of([plain, empty, compressed], 10)]
    assert cuts == [(0, 10), (10, 20), (20, 25), (0, 0), (0, 25)]


def test_small_files_share_a_task_and_large_pieces_do_not():
    pieces = [Piece(file_of(b""), 0, size) for size in (10, 3, 3, 3, 3, 10, 1)]
    assert [[*task.pieces] for task in tasks_of(pieces, 10)] == [[0], [1, 2, 3], [4], [5], [6]]


def test_a_piece_is_misread_when_it_did_not_begin_where_the_one_before_it_ended():
    first, other = file_of(b"x" * 30), file_of(b"x" * 10, "other.csv")
    pieces = pieces_of([first, other], 10)
    right = [Report(0, 12, 1, None), Report(12, 21, 1, None), Report(21, 30, 1, None), Report(0, 10, 1, None)]
    assert misread(pieces, right) == {}
    wrong = [right[0], Report(15, 21, 1, None), right[2], right[3]]
    assert misread(pieces, wrong) == {1: pieces[1]._replace(start=12)}
    # a record of the first piece that reaches into the third: nothing starts in the second
    long = [Report(0, 25, 1, None), Report(12, 21, 1, None), Report(21, 30, 1, None), right[3]]
    assert misread(pieces, long) == {1: pieces[1]._replace(start=25), 2: pieces[2]._replace(start=25)}
