"""What a job makes of a day of several files, in Spark: the rest is tried without it."""

import gzip
import os
import re
from datetime import date
from functools import partial

import pytest

from spark_prep.contract.encryption import read_batches
from spark_prep.erasure.suppression import suppress_customer
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, classify_reviews
from spark_prep.reviews.classify_reviews import classify as classify_fields
from spark_prep.spark import stage_feed
from spark_prep.spark.pieces import pieces_of
from spark_prep.spark.stage_task import Stage

TABLE = "classified_movie_review"
HEADER = "cid,review_str,id_review\n"
GOOD = partial(keyword, words=frozenset({"good"}))
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
    return classify_reviews(spark, lake.settings, GOOD, list(days))


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
    delivery = staged.delivery(TABLE, DAY)
    assert (delivery["is_delivered"], delivery["file_count"]) == (True, len(FILES))
    assert delivery["delivered_records"] == len(ids) + len(rejected)


def test_the_outcome_and_the_counts_by_reason_agree(staged):
    outcome = staged.outcome
    assert outcome.delivered == outcome.staged + sum(outcome.quarantined.values())
    assert outcome.quarantined == staged.rejections(TABLE, DAY)
    assert outcome.quarantined == {"wrong number of fields": 2, "header is not as agreed": 2}


def test_who_was_erased_is_counted_and_kept_nowhere(spark, lake):
    """Whether the record is right, has no text, or is no record: then any number in it may be theirs."""
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n2,b,11\n2,,12\n2\n3\n")
    suppress_customer(lake.settings["STAGING_URI"], 2, [11], [DAY])
    outcome = classify(spark, lake, DAY)
    assert [row["review_id"] for row in lake.staged(TABLE, DAY)] == [10]
    assert [row["raw_record"] for row in lake.quarantined(TABLE, DAY)] == ["3"]
    assert outcome.quarantined == {"erased on request": 3, "wrong number of fields": 1}
    assert outcome.delivered == 5


def test_the_quarantine_names_the_file(staged):
    files = {row["raw_record"]: row["file"] for row in staged.quarantined(TABLE, DAY)}
    folder = f"{staged.settings['RAW_URI']}/movie_review/insert_date={DAY}"
    assert files["3"] == f"{folder}/a.csv"
    assert files["1,caf\ufffd,17"] == f"{folder}/latin-1.csv"


def test_each_task_writes_its_own_parts(staged):
    """So no task, and not the driver either, handles what others have read."""
    run = staged.delivery(TABLE, DAY)["run"]
    places = [
        staged.root / area / TABLE / f"insert_date={DAY}/run={run}" for area in ("staging", "quarantine")
    ]
    in_table, in_quarantine = (sorted(file.name for file in place.iterdir()) for place in places)
    assert in_table == in_quarantine == [f"part-{number:05}.parquet" for number in range(len(in_table))]
    size = sum(file.stat().st_size for file in (staged.root / "raw").rglob("*.csv*"))
    assert len(in_table) >= size // 40_000


@pytest.mark.parametrize("megabytes", [1, 2])
def test_there_are_as_many_tasks_as_pieces(spark, lake, monkeypatch, megabytes):
    content = HEADER + "".join(f'1,"{"text " * 200}",{n}\n' for n in range(10_000))
    lake.deliver("movie_review", DAY, content)
    monkeypatch.setattr(stage_feed, "SMALLEST_PIECE_BYTES", 1)
    monkeypatch.setenv("PIECE_MB", str(megabytes))
    group = f"tasks-{megabytes}"
    spark.sparkContext.setJobGroup(group, "")
    classify(spark, lake, DAY)
    tracker = spark.sparkContext.statusTracker()
    tasks = [
        tracker.getStageInfo(stage).numTasks
        for job in tracker.getJobIdsForGroup(group)
        for stage in tracker.getJobInfo(job).stageIds
    ]
    # one stage, which reads and writes
    assert tasks == [-(-len(content) // (megabytes << 20))]


def test_a_record_that_is_lost_on_the_way_is_missed(spark, lake):
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n2,b,11\n")

    def losing(fields):
        return classify_fields(fields, GOOD).slice(1)

    outcome = stage_feed.stage_feed(spark, lake.settings, Stage(TABLE, MOVIE_REVIEW, losing), [DAY])
    # the reader counted it where it found it, so the ledger cannot balance
    assert outcome.staged == 1 and lake.delivery(TABLE, DAY)["delivered_records"] == 2


def test_a_day_of_fewer_records_than_asked_for_stays_and_does_not_count(spark, lake):
    for day in (DAY, NEXT):
        lake.deliver("movie_review", day, HEADER + "1,a,10\n2,b,11\n3\n")
    classify(spark, lake, DAY, NEXT)
    before, of_day = (
        lake.delivery(TABLE, DAY),
        {file for file in lake.files() if f"insert_date={DAY}" in file},
    )
    for day in (DAY, NEXT):
        lake.deliver("movie_review", day, HEADER + "1,a,10\n3\n")
    stage = Stage(TABLE, MOVIE_REVIEW, partial(classify_fields, classifier=GOOD))
    outcome = stage_feed.stage_feed(spark, lake.settings, stage, [DAY, NEXT], at_least={DAY: 3, NEXT: 2})
    assert (outcome.delivered, outcome.staged, outcome.quarantined) == (2, 1, {"wrong number of fields": 1})
    assert lake.delivery(TABLE, DAY) == before and lake.delivery(TABLE, NEXT)["delivered_records"] == 2
    assert {file for file in lake.files() if f"insert_date={DAY}" in file} == of_day


def contents(lake):
    """Staging and quarantine as readers see them: the rows by path, without the id of the run."""
    return {
        re.sub(r"/run=[^/]*", "", str(file.relative_to(lake.root))): sorted(
            (
                {**row, "run": None, "file": None}
                for batch in read_batches("/", str(file))
                for row in batch.to_pylist()
            ),
            key=str,
        )
        for area in ("staging", "quarantine")
        for file in (lake.root / area).rglob("*.parquet")
    }


@pytest.mark.slow
def test_a_range_gives_what_its_days_give_one_by_one(spark, lake, other_lake):
    together, apart = lake, other_lake
    for each in (together, apart):
        each.deliver("movie_review", DAY, HEADER + "1,good,1\n2,bad,2\nbroken\n")
        each.deliver("movie_review", NEXT, HEADER)
    days = [DAY, NEXT, date(2021, 1, 3)]
    classify(spark, together, *days)
    for day in reversed(days):
        classify(spark, apart, day)
    found = contents(together)
    assert found == contents(apart)
    # table, quarantine, rejection and delivery of two days, and a delivery of the third: nothing else is left
    assert len(found) == len(together.files()) == 9


def test_a_delivered_day_without_records_is_a_day_with_no_rows(spark, lake):
    lake.deliver("movie_review", DAY, HEADER)
    classify(spark, lake, DAY)
    assert lake.staged(TABLE, DAY) == lake.quarantined(TABLE, DAY) == []
    assert lake.delivery(TABLE, DAY)["is_delivered"] and lake.rejections(TABLE, DAY) == {}


def test_a_rerun_replaces_its_day_and_no_other(spark, lake):
    for day in (DAY, NEXT):
        lake.deliver("movie_review", day, HEADER + "1,a,1\n2,b,2\n3,,3\n")
    classify(spark, lake, DAY, NEXT)
    before = lake.files()
    # redelivered: less, and clean
    lake.deliver("movie_review", NEXT, HEADER + "2,b,2\n")
    classify(spark, lake, NEXT)
    assert [row["review_id"] for row in lake.staged(TABLE, NEXT)] == [2]
    assert lake.quarantined(TABLE, NEXT) == [] and lake.rejections(TABLE, NEXT) == {}
    assert lake.delivery(TABLE, NEXT)["delivered_records"] == 1
    after = lake.files()
    assert {name: after[name] for name in before if f"={DAY}/" in name} == {
        name: content for name, content in before.items() if f"={DAY}/" in name
    }


def test_a_day_that_is_not_delivered_has_its_delivery_row_only(spark, lake, capsys):
    lake.deliver("movie_review", NEXT, HEADER, name="movie_review.csv.part")
    outcome = classify(spark, lake, DAY, NEXT)
    nothing = {
        "table_name": TABLE,
        "run": None,
        "is_delivered": False,
        "file_count": 0,
        "delivered_records": 0,
    }
    assert [lake.delivery(TABLE, day) for day in (DAY, NEXT)] == [nothing, nothing]
    assert len(lake.files()) == 2
    assert outcome.not_delivered == [DAY, NEXT]
    assert f"movie_review of {NEXT} was not delivered" in capsys.readouterr().out


def test_many_days_that_are_not_delivered_are_one_line(spark, lake, capsys):
    days = [date(2021, 1, day) for day in range(1, 8)]
    lake.deliver("movie_review", days[2], HEADER)
    classify(spark, lake, *days)
    folder = f"{lake.settings['RAW_URI']}/movie_review"
    assert capsys.readouterr().out == (
        "  movie_review of 6 days (2021-01-01 to 2021-01-07) was not delivered: "
        f"no *.csv or *.csv.gz in {folder}\n"
    )


def test_a_day_whose_delivery_has_gone_stays_as_it_is(spark, lake, capsys):
    file = lake.deliver("movie_review", DAY, HEADER + "1,a,1\n")
    classify(spark, lake, DAY)
    before = lake.files()
    file.unlink()
    lake.deliver("movie_review", NEXT, HEADER + "2,b,2\n")
    classify(spark, lake, DAY, NEXT)
    after = lake.files()
    assert {name: after[name] for name in before} == before
    assert [row["review_id"] for row in lake.staged(TABLE, NEXT)] == [2]
    assert f"{DAY} was not delivered; what was staged before stays" in capsys.readouterr().out


def test_what_was_not_delivered_is_named_with_its_folder_and_what_lies_there(spark, lake, capsys):
    for name, content in HIDDEN.items():
        lake.deliver("movie_review", DAY, content, name)
    classify(spark, lake, DAY)
    folder = f"{lake.settings['RAW_URI']}/movie_review/insert_date={DAY}"
    assert capsys.readouterr().out == (
        f"  movie_review of {DAY} was not delivered: no *.csv or *.csv.gz in {folder} "
        "(there: UPPER.CSV, _uploading.csv, notes.txt)\n"
    )


def test_what_lies_beside_the_files_and_is_not_read_is_named(spark, lake, capsys):
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n")
    for name, content in HIDDEN.items():
        lake.deliver("movie_review", DAY, content, name)
    folder = lake.deliver("movie_review", NEXT, HEADER + "1,a,11\n").parent
    for number in range(9):
        lake.deliver("movie_review", NEXT, "", f"{number}.CSV")
    classify(spark, lake, DAY)
    beside = f"{lake.settings['RAW_URI']}/movie_review/insert_date={DAY}"
    assert (
        capsys.readouterr().out
        == f"  not read, as it is no *.csv or *.csv.gz: {beside}/UPPER.CSV, {beside}/notes.txt\n"
    )
    classify(spark, lake, NEXT)
    told = capsys.readouterr().out
    assert f"{folder}/4.CSV and 4 more" in told and "5.CSV" not in told


def test_a_file_whose_name_is_no_text_is_named(lake):
    folder = lake.deliver("movie_review", DAY, HEADER).parent
    with open(os.fsencode(folder) + b"/caf\xe9.csv", "wb"):
        pass
    with pytest.raises(PreparationError, match=r"caf\\xe9\.csv.*rename it"):
        stage_feed.delivered_files(lake.settings["RAW_URI"], MOVIE_REVIEW, DAY)


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
    ],
)
@pytest.mark.parametrize("setting", ["STAGING_URI", "QUARANTINE_URI"])
def test_a_place_where_nothing_can_be_written_is_one_clear_line(spark, lake, setting, place, reason):
    lake.deliver("movie_review", DAY, HEADER + "1,a,10\n")
    with pytest.raises(PreparationError) as refusal:
        classify_reviews(spark, {**lake.settings, setting: place}, GOOD, [DAY, NEXT])
    told = str(refusal.value)
    assert place in told and reason in told and "\n" not in told
    assert lake.files() == {}


def test_a_file_that_cannot_be_read_is_named_and_the_day_stays_as_it_was(spark, lake, monkeypatch):
    file = lake.deliver("movie_review", DAY, HEADER + "1,a,10\n")

    def and_gone(*arguments):
        os.remove(file)
        return pieces_of(*arguments)

    monkeypatch.setattr(stage_feed, "pieces_of", and_gone)
    # which may be there again when the folder is listed again
    with pytest.raises(ConnectionLost, match=r"cannot be read: .*its day stays as it was") as refusal:
        classify(spark, lake, DAY)
    assert str(file) in str(refusal.value) and "\n" not in str(refusal.value)
    assert not (lake.root / "staging/delivery").exists()


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
