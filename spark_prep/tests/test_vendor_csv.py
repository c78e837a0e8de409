"""Nasty files: each is the delivery of one day, all are read in one run, and every record has to be somewhere."""

from datetime import date, timedelta

import pytest

from spark_prep.reviews.classify_reviews import classify_reviews
from spark_prep.spark import stage_feed
from spark_prep.spark.vendor_csv import read_records

HEADER = "cid,review_str,id_review\n"
TABLE = "classified_movie_review"
HEADER_REASON, FIELDS, QUOTE = "header is not as agreed", "wrong number of fields", "unclosed quote"

# name -> (content, ids staged, (reason, record_id, raw_record) quarantined)
FILES: dict[str, tuple[str | bytes, list[int], list[tuple]]] = {
    "plain": (HEADER + '1,fine,10\n2,"a, b",11\n3,"say ""hi""",12\n', [10, 11, 12], []),
    "no newline at the end": (HEADER + "1,a,10\n2,b,11", [10, 11], []),
    "line breaks in quotes": (HEADER + '1,"a\nb\n\n \n7 is\nc",10\n2,x,11\n', [10, 11], []),
    "line break first and last in quotes": (HEADER + '1,"\na\n",10\n2,"\n\nb",11\n', [10, 11], []),
    "CRLF": ((HEADER + '1,"a\nb\n\nc",10\n\n2,x,11\n').replace("\n", "\r\n"), [10, 11], []),
    "CRLF in quotes of a LF file": (HEADER + '1,"a\r\n\r\nb",10\n2,x,11\n', [10, 11], []),
    "lone CR": (HEADER + '1,"a\rb",10\n2,x\ry,11\n', [10, 11], []),
    "other line ends": (HEADER + "1,a\u2028b\u0085c\x0b\x0cd,10\n2,x,11\n", [10, 11], []),
    "NUL": (HEADER + '1,"a\x00b",10\n\x001,x,11\n', [10, 11], []),
    "BOM": ("\ufeff" + HEADER + "1,a,10\n2,b,11\n", [10, 11], []),
    "quoted header": ('"cid","review_str","id_review"\n1,a,10\n', [10], []),
    "blank lines": (HEADER + "\n1,a,10\n\n\n  \t\n2,b,11\n   \n\n", [10, 11], []),
    "not UTF-8": (HEADER.encode() + b"1,caf\xe9,10\n2,b,11\n", [10, 11], []),
    "header only": (HEADER, [], []),
    "header without newline": (HEADER.rstrip(), [], []),
    "nothing": ("", [], []),
    "BOM only": ("\ufeff", [], []),
    "quote within a text": (
        HEADER + '1,he said "hi",10\n2,"he said "hi" ok",11\n3,6" disc,12\n',
        [10, 11, 12],
        [],
    ),
    "backslash": (HEADER + '1,"a\\",10\n2,b\\,11\n', [10, 11], []),
    "lone quote lines": (
        HEADER + '1,a,10\n"\n2 b 11\n"\n3,c,12\n',
        [10, 12],
        [(FIELDS, None, '"\n2 b 11\n"')],
    ),
    "broken lines": (
        HEADER + "1,a\n2\n3,a,b,12\n4,d,13\nfalse\n,,,\n",
        [13],
        [
            (FIELDS, None, "1,a"),
            (FIELDS, None, "2"),
            (FIELDS, "12", "3,a,b,12"),
            (FIELDS, None, "false"),
            (FIELDS, None, ",,,"),
        ],
    ),
    "quote left open, a quoted record with a comma later": (
        HEADER + '1,a,10\n2,"open,11\n3,plain,12\n4,"quoted, text",13\n5,e,14\n',
        [10, 14],
        [(QUOTE, "11", '2,"open,11'), (QUOTE, "12", "3,plain,12"), (QUOTE, "13", '4,"quoted, text",13')],
    ),
    # Spark takes this for one whole record
    "quote left open, a quoted record without a comma later": (
        HEADER + '2,"open,11\n3,plain,12\n4,"quoted text",13\n5,e,14\n',
        [14],
        [(QUOTE, "11", '2,"open,11'), (QUOTE, "12", "3,plain,12"), (QUOTE, "13", '4,"quoted text",13')],
    ),
    "quote left open to the end": (
        HEADER + '1,a,10\n2,"open,11\n\n3,x\ny,12\n',
        [10],
        [(QUOTE, "11", '2,"open,11\n'), (QUOTE, "12", "3,x\ny,12")],
    ),
    "quote left open in the last record": (
        HEADER + '1,a,10\n2,"open,11',
        [10],
        [(QUOTE, "11", '2,"open,11')],
    ),
    "quote left open, CRLF": (
        (HEADER + '2,"open,11\n3,plain,12\n').replace("\n", "\r\n"),
        [],
        [(QUOTE, "11", '2,"open,11'), (QUOTE, "12", "3,plain,12")],
    ),
    "header in another order": (
        'id_review,cid,review_str\n10,1,"a\n\nb"\n11,2,c\n',
        [],
        [(HEADER_REASON, None, '10,1,"a'), (HEADER_REASON, None, 'b"'), (HEADER_REASON, None, "11,2,c")],
    ),
    "no header": ("1,a,10\n2,b,11\n", [], [(HEADER_REASON, None, "2,b,11")]),
    "blank line before the header": (
        "\r\n" + HEADER + "1,a,10\n",
        [],
        [(HEADER_REASON, None, HEADER.rstrip()), (HEADER_REASON, None, "1,a,10")],
    ),
    "header again": (
        HEADER + "1,a,10\n" + HEADER,
        [10],
        [("id_review is not an integer", "id_review", HEADER.rstrip())],
    ),
    "thirty thousand fields": (HEADER + "," * 30_000 + "\n1,a,10\n", [10], [(FIELDS, None, "," * 30_000)]),
}
DAYS = {name: date(2021, 1, 1) + timedelta(days=number) for number, name in enumerate(FILES)}


@pytest.fixture(scope="module")
def nasty(spark, module_lake):
    for name, (content, _, _) in FILES.items():
        # a name that Spark would take for a pattern
        module_lake.deliver("movie_review", DAYS[name], content, "reviews [1] {a}.csv")
    module_lake.outcome = classify_reviews(
        spark, module_lake.settings, frozenset({"good"}), sorted(DAYS.values())
    )
    return module_lake


@pytest.mark.parametrize("name", FILES)
def test_every_record_is_staged_or_quarantined(nasty, name):
    _, ids, rejected = FILES[name]
    day = DAYS[name]
    assert sorted(row["review_id"] for row in nasty.staged(TABLE, day)) == ids
    quarantine = nasty.quarantined(TABLE, day)
    found = {(row["reason"], row["record_id"], row["raw_record"]) for row in quarantine}
    assert found == set(rejected) and len(quarantine) == len(rejected)
    assert nasty.delivery(TABLE, day) == {
        "table_name": TABLE,
        "is_delivered": True,
        "file_count": 1,
        "delivered_records": len(ids) + len(rejected),
    }
    assert sum(nasty.rejections(TABLE, day).values()) == len(rejected)


def test_the_outcome_adds_up(nasty):
    outcome = nasty.outcome
    assert outcome.delivered == outcome.staged + sum(outcome.quarantined.values())
    assert outcome.staged == sum(len(ids) for _, ids, _ in FILES.values())


def test_the_quarantine_names_the_file(nasty):
    (row,) = nasty.quarantined(TABLE, DAYS["no header"])
    assert row["file"].endswith("/insert_date=" + str(DAYS["no header"]) + "/reviews%20%5B1%5D%20%7Ba%7D.csv")


def test_a_record_that_the_csv_reader_loses_is_missed(spark, lake, monkeypatch):
    lake.deliver("movie_review", "2021-01-01", HEADER + '1,"a\nb",10\n2,"c\nd",11\n3,e,12\n')
    monkeypatch.setattr(stage_feed, "read_records", lambda *a: read_records(*a).where("id_review != '11'"))
    outcome = classify_reviews(spark, lake.settings, frozenset({"good"}), [date(2021, 1, 1)])
    # two lines of it are in no record: more than were staged, so that the ledger cannot balance
    assert outcome.staged == 2
    assert lake.delivery(TABLE, "2021-01-01")["delivered_records"] == 4


def test_several_files_and_other_names(spark, lake):
    lake.deliver("movie_review", "2021-01-01", HEADER + "1,a,10\n", "a.csv")
    lake.deliver("movie_review", "2021-01-01", "\ufeff" + HEADER + "2,b,11\n", "b.csv")
    lake.deliver("movie_review", "2021-01-01", "id_review,cid,review_str\n12,3,c\n", "c.csv")
    lake.deliver("movie_review", "2021-01-01", "not ours", "notes.txt")
    lake.deliver("movie_review", "2021-01-01", HEADER + "4,d,13\n", "_uploading.csv")
    classify_reviews(spark, lake.settings, frozenset({"good"}), [date(2021, 1, 1)])
    assert sorted(row["review_id"] for row in lake.staged(TABLE, "2021-01-01")) == [10, 11]
    assert lake.reasons(TABLE, "2021-01-01") == [HEADER_REASON]
    assert lake.delivery(TABLE, "2021-01-01")["file_count"] == 3
