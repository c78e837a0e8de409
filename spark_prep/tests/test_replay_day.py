"""Rejected records come back when the rule that rejected them was mended, through the same code as a delivery and without its file."""

import shutil
import sys
from collections import Counter
from datetime import date
from functools import partial

import pyarrow as pa
import pytest

from spark_prep import replay_day as module
from spark_prep.check_day import Limits, read_outcome, require_sound
from spark_prep.contract import publish
from spark_prep.erasure.suppression import suppress_customer
from spark_prep.errors import PreparationError
from spark_prep.logs import parse_logs, review_log
from spark_prep.reviews import classify_reviews
from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.spark import csv_records
from spark_prep.spark.pieces import pieces_of, tasks_of
from spark_prep.spark.stage_feed import delivered_files
from spark_prep.spark.stage_task import stage_task

DAY = date(2021, 1, 1)
GOOD = partial(keyword, words=frozenset({"good"}))
LOG = (
    "<reviewlog><log><logDate>{}</logDate><device>{}</device><location>Texas</location><os>iOS</os>"
    "<ipAddress>1.2.3.4</ipAddress><phoneNumber>555-0100</phoneNumber></log></reviewlog>"
)
LONG = "x" * 300
# 1 is fine; 2 and 3 have a value that is too long, 3 in a log that is written in another way; 4 has no date; 5 cannot be cut out
LOGS = "\n".join(
    (
        "id_review,log",
        "1," + LOG.format("01-01-2021", "Phone"),
        "2," + LOG.format("01-01-2021", LONG),
        '3,"' + LOG.format("01-01-2021", LONG + "\u00e9").replace("<log>", "<log >") + '"',
        "4," + LOG.format("2021-01-01", "Phone"),
        "5,a,b",
        "",
    )
)


# What rules are mended to.
def of_any_text(texts):
    return pa.array([DAY] * len(texts), pa.date32())


def never(values):
    return pa.array([False] * len(values), pa.bool_())


def always_seven(values):
    return pa.array([7] * len(values), pa.int32())


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("PSEUDONYM_SECRET", "key-for-tests-0123456789")
    monkeypatch.setenv("SUPPRESSION_SECRET", "another-key-for-tests-9876543210")


def deliver(lake, stage, **files):
    """The day's files, staged as the Spark jobs do it, each file in a part of its own."""
    for name, content in files.items():
        lake.deliver(stage.feed.folder, DAY, content, f"{name}.csv")
    run = publish.new_run(lake.settings, stage.table)
    found = delivered_files(lake.settings["RAW_URI"], stage.feed, DAY).files
    tasks = tasks_of(pieces_of(found, 1 << 20), 1)
    staged = [piece for task in tasks for piece in stage_task(task, stage, run)]
    rejected = Counter[str]()
    for piece in staged:
        rejected.update(piece.rejected)
    publish.commit(run, DAY, len(found), sum(piece.report.records for piece in staged), rejected)


def replay(lake, stage, reason=None):
    replayed = module.replay_day(lake.settings, stage, DAY, reason)
    require_sound(read_outcome(lake.settings, stage.table, DAY), Limits(1, 0))
    return replayed


def seen(lake, table):
    """All that a reader sees of the day, in no order."""
    records = (map(str, rows) for rows in (lake.staged(table, DAY), lake.quarantined(table, DAY)))
    delivery = lake.delivery(table, DAY)
    return (
        [sorted(rows) for rows in records],
        lake.rejections(table, DAY),
        delivery["delivered_records"],
        delivery["file_count"],
    )


@pytest.fixture
def logs(lake):
    """Delivered, and then without the vendor's file."""
    deliver(lake, parse_logs.log_stage(), a=LOGS)
    shutil.rmtree(lake.root / "raw")
    return lake


def test_after_a_rule_was_mended_the_day_is_as_if_it_had_been_delivered_then(logs, other_lake, monkeypatch):
    assert logs.rejections("review_logs", DAY) == {
        "a value is longer than 255 bytes": 2, "logDate is not a MM-dd-yyyy date": 1, "wrong number of fields": 1,
    }  # fmt: skip
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    replayed = replay(logs, parse_logs.log_stage())
    assert (replayed.came_back, replayed.not_tried) == (2, 1)
    assert replayed.stay == {"logDate is not a MM-dd-yyyy date": 1, "wrong number of fields": 1}

    deliver(other_lake, parse_logs.log_stage(), a=LOGS)
    rows, *counts = seen(other_lake, "review_logs")
    folder = str(other_lake.root)
    rows = [[row.replace(folder, str(logs.root)) for row in area] for area in rows]
    assert seen(logs, "review_logs") == (rows, *counts)


def test_a_second_replay_changes_nothing(logs, monkeypatch):
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    replay(logs, parse_logs.log_stage())
    files = logs.files()
    again = replay(logs, parse_logs.log_stage())
    assert again.came_back == 0 and again.stay.total() == 2
    assert logs.files() == files


def test_a_day_whose_rejected_records_were_deleted_is_left_as_it_is(logs, monkeypatch):
    for name in logs.files():
        if "quarantine/" in name:
            (logs.root / name).unlink()
    files = logs.files()
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    with pytest.raises(
        PreparationError, match=r"quarantine has 0 of its 4 rejected records.*run the day again"
    ):
        replay(logs, parse_logs.log_stage())
    assert logs.files() == files
    require_sound(read_outcome(logs.settings, "review_logs", DAY), Limits(1, 0))


def test_without_a_mended_rule_nothing_changes(logs):
    files = logs.files()
    assert replay(logs, parse_logs.log_stage()).came_back == 0
    assert logs.files() == files


def test_of_a_long_record_the_first_part_is_kept_whatever_rejected_it(lake, monkeypatch):
    """So that many of them can be read at once; and it is not taken for the whole record when the rule is mended."""
    for place in (csv_records, module):
        monkeypatch.setattr(place, "MOST_KEPT_BYTES", 400)
    deliver(lake, parse_logs.log_stage(), a=f"id_review,log\n9,{'x' * 500}\n")
    (row,) = lake.quarantined("review_logs", DAY)
    assert row["raw_record"] == "9," + "x" * 398
    replayed = replay(lake, parse_logs.log_stage())
    assert (replayed.came_back, replayed.not_tried) == (0, 1)


def test_only_the_records_of_a_reason(logs, monkeypatch):
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    monkeypatch.setattr(parse_logs, "dates", of_any_text)
    replayed = replay(logs, parse_logs.log_stage(), "logDate is not a MM-dd-yyyy date")
    assert replayed.came_back == 1
    assert sorted(row["log_id"] for row in logs.staged("review_logs", DAY)) == [1, 4]


def test_columns_in_the_files_own_order_are_not_mistaken(lake, monkeypatch):
    """A review's text may be a number: only the header of its file says which field is which."""
    stage = classify_reviews.review_stage(GOOD)
    deliver(
        lake, stage, a="id_review,stars,review_str,cid\n10,5,,20\n", b="cid,review_str,id_review\n30,,40\n"
    )
    assert lake.reasons("classified_movie_review", DAY) == ["no review_str"] * 2
    monkeypatch.setattr(classify_reviews, "is_blank", never)
    assert replay(lake, classify_reviews.review_stage(GOOD)).came_back == 2
    ids = {(row["review_id"], row["customer_id"]) for row in lake.staged("classified_movie_review", DAY)}
    assert ids == {(10, 20), (40, 30)}


def test_who_was_erased_does_not_come_back(lake, monkeypatch):
    stage = classify_reviews.review_stage(GOOD)
    deliver(lake, stage, a="cid,review_str,id_review\n30,,40\n31,,41\n")
    suppress_customer(lake.settings["STAGING_URI"], 30, [40], [DAY])
    monkeypatch.setattr(classify_reviews, "is_blank", never)
    replayed = replay(lake, classify_reviews.review_stage(GOOD))
    assert (replayed.came_back, replayed.stay) == (1, {"erased on request": 1})
    assert lake.quarantined("classified_movie_review", DAY) == []
    # counted once, however often
    assert replay(lake, classify_reviews.review_stage(GOOD)).stay == {"erased on request": 1}


def test_a_record_that_is_no_utf_8_comes_back_as_it_was_delivered(lake, monkeypatch):
    stage = classify_reviews.review_stage(GOOD)
    deliver(lake, stage, a=b'cid,review_str,id_review\nx,"caf\xe9, good",40\n')
    monkeypatch.setattr(classify_reviews, "integers", always_seven)
    assert replay(lake, classify_reviews.review_stage(GOOD)).came_back == 1
    ((row),) = lake.staged("classified_movie_review", DAY)
    assert row["positive_review"] == 1


def test_a_day_that_is_staged_meanwhile_keeps_what_was_staged(logs, monkeypatch):
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    copy_part = publish.copy_part

    def commit_of_another_run(*arguments):
        copy_part(*arguments)
        deliver(
            logs, parse_logs.log_stage(), b="id_review,log\n9," + LOG.format("01-01-2021", "Phone") + "\n"
        )

    monkeypatch.setattr(module, "copy_part", commit_of_another_run)
    with pytest.raises(PreparationError, match="staged again meanwhile"):
        replay(logs, parse_logs.log_stage())
    assert [row["log_id"] for row in logs.staged("review_logs", DAY)] == [9]


def test_the_command_says_what_came_back_and_what_stays(logs, monkeypatch, capsys):
    monkeypatch.setattr(review_log, "MOST_BYTES", 400)
    for name, value in logs.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["replay_day", "--date", str(DAY), "--table", "review_logs"])
    module.main()
    assert capsys.readouterr().out.splitlines() == [
        "review_logs of 2021-01-01: 2 records came back, 2 stay rejected",
        "        1  logDate is not a MM-dd-yyyy date",
        "        1  wrong number of fields",
        "1 of them cannot be read without their file: have it in RAW_URI, and run the day again",
    ]


def test_a_day_that_was_not_staged_or_not_delivered_is_refused(lake):
    stage = parse_logs.log_stage()
    with pytest.raises(PreparationError, match="was never staged"):
        replay(lake, stage)
    publish.commit(publish.new_run(lake.settings, "review_logs"), DAY, 0, 0, {})
    with pytest.raises(PreparationError, match="was not delivered, so there is nothing to replay"):
        replay(lake, stage)
