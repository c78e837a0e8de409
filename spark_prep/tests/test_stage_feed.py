"""What a job makes of a day of several files, in Spark: the rest is tried without it."""

import gzip
import os
from datetime import date

import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from spark_prep.errors import PreparationError
from spark_prep.reviews.classify_reviews import classify_reviews
from spark_prep.spark import stage_feed
from spark_prep.spark.pieces import pieces_of

TABLE = "classified_movie_review"
HEADER = "cid,review_str,id_review\n"
DAY, NEXT = date(2021, 1, 1), date(2021, 1, 2)
# many whole records in one text: wherever a piece begins in it, it cannot know
MISLEADING = '9,"' + "".join(f"{n},text,{n}\n" for n in range(10_000)) + '",99\n'
# name -> (content, ids staged, raw records rejected)
FILES = {
    "a.csv": (HEADER + '1,a,10\n2,"b, b",11\n3\n', [10, 11], ["3"]),
    "at 10:30 [1] {a} %20 #?.csv": (HEADER + "4,d,13\n", [13], []),
    "byte order mark.csv": ("\ufeff" + HEADER + "2,b,14\n", [14], []),
    "another order.csv": ("id_review,stars,cid,review_str\n15,5,3,c\n", [15], []),
    "compressed.csv.gz": (gzip.compress((HEADER + "4,d,16\n").encode()), [16], []),
    "compressed.csv": (b"\x1f\x8b\x08\x00 not text \xff\n\xfe\n", [], ["\ufffd"]),
    "misleading.csv": (HEADER + MISLEADING + "1,end,100\n", [99, 100], []),
    "too large for one piece.csv": (HEADER + "".join(f"1,text,{n}\n" for n in range(1000, 9000)), [*range(1000, 9000)], []),
    "latin-1.csv": (b"cid,texte,id_review\n1,caf\xe9,17\n", [], ["1,caf\ufffd,17"]),
    "nothing.csv": ("", [], []),
    "a million fields.csv": (HEADER + "," * 1_000_000 + "\n", [], ["," * 1_000_000]),
}  # fmt: skip
HIDDEN = {"notes.txt": "not ours", "_uploading.csv": HEADER + "4,d,18\n", "UPPER.CSV": HEADER + "4,d,19\n"}


def classify(spark, lake, *days):
    return classify_reviews(spark, lake.settings, frozenset({"good"}), list(days))


@pytest.fixture(scope="module")
def staged(spark, module_lake):
    for name, (content, _, _) in FILES.items():
        module_lake.deliver("movie_review", DAY, content, name)
    for name, content in HIDDEN.items():
        module_lake.deliver("movie_review", DAY, content, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_feed, "largest_piece_bytes", lambda: 40_000)
        patch.setattr(stage_feed, "SMALLEST_PIECE_BYTES", 40_000)
        module_lake.outcome = classify(spark, module_lake, DAY)
    return module_lake


def test_each_file_is_read_by_its_own_whatever_lies_beside_it(staged):
    ids = [id_ for _, ids, _ in FILES.values() for id_ in ids]
    assert sorted(row["review_id"] for row in staged.staged(TABLE, DAY)) == sorted(ids)
    rejected = [raw for _, _, raws in FILES.values() for raw in raws]
    assert sorted(row["raw_record"] for row in staged.quarantined(TABLE, DAY)) == sorted(rejected)
    assert staged.delivery(TABLE, DAY) == {
        "table_name": TABLE,
        "is_delivered": True,
        "file_count": len(FILES),
        "delivered_records": len(ids) + len(rejected),
    }


def test_the_outcome_and_the_counts_by_reason_agree(staged):
    outcome = staged.outcome
    assert outcome.delivered == outcome.staged + sum(outcome.quarantined.values())
    assert outcome.quarantined == staged.rejections(TABLE, DAY)
    assert outcome.quarantined == {"wrong number of fields": 2, "header is not as agreed": 2}


def test_the_quarantine_names_the_file(staged):
    files = {row["raw_record"]: row["file"] for row in staged.quarantined(TABLE, DAY)}
    folder = f"{staged.settings['RAW_URI']}/movie_review/insert_date={DAY}"
    assert files["3"] == f"{folder}/a.csv"
    assert files["1,caf\ufffd,17"] == f"{folder}/latin-1.csv"


def test_a_record_that_is_lost_on_the_way_is_missed(spark, lake, monkeypatch):
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n2,b,11\n")
    real = stage_feed.staged_piece

    def losing(*arguments):
        for batch in real(*arguments):
            yield batch.slice(1) if batch.column("review_id").null_count == 0 else batch

    monkeypatch.setattr(stage_feed, "staged_piece", losing)
    # in this process: Spark's workers have functions of their own
    monkeypatch.setattr(stage_feed, "_read_pieces", read_here)
    outcome = classify(spark, lake, DAY)
    # the pieces counted it where they found it, so the ledger cannot balance
    assert outcome.staged == 1 and lake.delivery(TABLE, DAY)["delivered_records"] == 2


def read_here(spark, stage, pieces, _piece_bytes):
    schema = stage_feed.piece_schema(stage.table)
    arrow = to_arrow_schema(schema)
    rows = [
        tuple(row.values())
        for number, piece in pieces.items()
        for batch in stage_feed.staged_piece(number, piece, stage, arrow)
        for row in batch.to_pylist()
    ]
    return spark.createDataFrame(rows, schema)


def test_what_was_not_delivered_is_named_with_its_folder_and_what_lies_there(spark, lake, capsys):
    for name, content in HIDDEN.items():
        lake.deliver("movie_review", DAY, content, name)
    classify(spark, lake, DAY)
    folder = f"{lake.settings['RAW_URI']}/movie_review/insert_date={DAY}"
    assert capsys.readouterr().out == (
        f"  movie_review of {DAY} was not delivered: no *.csv or *.csv.gz in {folder} "
        "(there: UPPER.CSV, _uploading.csv, notes.txt)\n"
    )


def test_what_is_special_about_a_file_is_printed(spark, lake, capsys):
    file = lake.deliver("movie_review", DAY, "id_review,stars,cid,review_str\n15,5,3,c\n")
    classify(spark, lake, DAY)
    assert capsys.readouterr().out == f"  {file}: columns in another order; additional columns: stars\n"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/dev/null/staging", "Not a directory"),
        ("/proc/staging", "No such file or directory"),
        ("ftp://host/staging", "Unrecognized filesystem type in URI"),
        # Spark comes without S3's driver
        ("s3a://bucket/staging", "Class org.apache.hadoop.fs.s3a.S3AFileSystem not found"),
    ],
)
@pytest.mark.parametrize("setting", ["STAGING_URI", "QUARANTINE_URI"])
def test_a_place_where_nothing_can_be_written_is_one_clear_line(spark, lake, setting, place, reason):
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n")
    with pytest.raises(PreparationError) as refusal:
        classify_reviews(spark, {**lake.settings, setting: place}, frozenset({"good"}), [DAY, NEXT])
    told = str(refusal.value)
    assert place in told and reason in told and "\n" not in told
    assert lake.files() == {}


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(spark, lake, monkeypatch):
    file = lake.deliver("movie_review", DAY, HEADER + "1,a,10\n")

    def and_gone(*arguments):
        os.remove(file)
        return pieces_of(*arguments)

    monkeypatch.setattr(stage_feed, "pieces_of", and_gone)
    with pytest.raises(PreparationError, match=r"cannot be read: .*nothing was written") as refusal:
        classify(spark, lake, DAY)
    assert str(file) in str(refusal.value) and "\n" not in str(refusal.value)
    assert lake.files() == {}


@pytest.mark.parametrize(("given", "expected"), [(None, 67_108_864), ("", 67_108_864), ("8", 8_388_608)])
def test_the_size_of_a_piece_is_a_setting(monkeypatch, given, expected):
    monkeypatch.delenv("PIECE_MB", raising=False)
    if given is not None:
        monkeypatch.setenv("PIECE_MB", given)
    assert stage_feed.largest_piece_bytes() == expected


@pytest.mark.parametrize("given", ["sixty", "0", "-1", "1.5", "64MB"])
def test_a_size_that_is_no_number_of_megabytes_is_named(monkeypatch, given):
    monkeypatch.setenv("PIECE_MB", given)
    with pytest.raises(
        PreparationError, match=f"^PIECE_MB is '{given}'; it must be a whole number of megabytes"
    ):
        stage_feed.largest_piece_bytes()
