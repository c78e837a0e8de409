"""What a reader sees of a day that is run again, by two at once, or by a run that is killed."""

import os
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_prep.contract import object_store, publish, tables
from spark_prep.contract.publish import commit, committed, files_of, new_run, parts
from spark_prep.errors import PreparationError

TABLE = "classified_movie_review"
DAY, NEXT = date(2021, 1, 1), date(2021, 1, 2)
OLD, OLDER = "20200101T000001-00000001", "20200101T000000-00000000"


def write(run, *parts_of_ids, day=DAY):
    """A part for each list of ids; of quarantine, a record for each part."""
    for number, ids in enumerate(parts_of_ids):
        with parts(run, day, number) as (staged, rejected):
            staged.write_table(pa.Table.from_pylist([{"review_id": n} for n in ids], tables.STAGING[TABLE]))
            rejected.write_table(pa.Table.from_pylist([{"reason": "no log"}], tables.QUARANTINE))


def stage(lake, *parts_of_ids, day=DAY, id_=None):
    run = new_run(lake.settings, TABLE)
    run = run._replace(id=id_) if id_ else run
    write(run, *parts_of_ids, day=day)
    n = len(parts_of_ids)
    commit(run, day, file_count=1, delivered=sum(map(len, parts_of_ids)) + n, rejected={"no log": n})
    return run


def seen(lake, day=DAY):
    """All that a reader gets to know of the day."""
    delivery = lake.delivery(TABLE, day)
    ids = [row["review_id"] for row in lake.staged(TABLE, day)]
    rejected = len(lake.quarantined(TABLE, day))
    return ids, rejected, lake.rejections(TABLE, day), delivery["delivered_records"], delivery["file_count"]


def test_a_committed_run_is_the_day(lake):
    run = stage(lake, [1, 2], [3])
    assert seen(lake) == ([1, 2, 3], 2, {"no log": 2}, 5, 1)
    assert committed(lake.settings["STAGING_URI"], TABLE, DAY) == (TABLE, run.id, True, 1, 5)
    # what the documents and every other reader rely on
    day = f"insert_date={DAY}"
    assert sorted(lake.files()) == [
        f"quarantine/{TABLE}/{day}/run={run.id}/part-00000.parquet",
        f"quarantine/{TABLE}/{day}/run={run.id}/part-00001.parquet",
        f"staging/{TABLE}/{day}/run={run.id}/part-00000.parquet",
        f"staging/{TABLE}/{day}/run={run.id}/part-00001.parquet",
        f"staging/delivery/{day}/{TABLE}.parquet",
        f"staging/rejection/{day}/run={run.id}/{TABLE}.parquet",
    ]


def test_a_run_has_an_id_of_its_own_that_begins_with_its_start(lake):
    before = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    ids = [new_run(lake.settings, TABLE).id for _ in range(100)]
    assert len({*ids}) == 100
    started = datetime.strptime(ids[0].partition("-")[0], "%Y%m%dT%H%M%S")
    assert before <= started <= before + timedelta(minutes=1)


def test_a_part_that_is_written_again_is_replaced(lake):
    run = new_run(lake.settings, TABLE)
    write(run, [1, 2], [3])
    write(run, [1])
    commit(run, DAY, 1, 2, {})
    assert seen(lake)[0] == [1, 3]


def test_a_day_that_is_run_again_has_the_rows_of_the_last_run_only(lake):
    stage(lake, [1, 2], [3])
    stage(lake, [9], day=NEXT)
    stage(lake, [4])
    assert seen(lake) == ([4], 1, {"no log": 1}, 2, 1)
    assert seen(lake, NEXT)[0] == [9]


@pytest.mark.parametrize("first_to_commit", [0, 1])
def test_of_two_runs_at_once_the_last_to_commit_is_the_day(lake, first_to_commit):
    one, other = new_run(lake.settings, TABLE), new_run(lake.settings, TABLE)
    write(one, [1, 2])
    write(other, [1], [3])
    write(one, [1, 2], [4])
    runs = [(one, [1, 2, 4]), (other, [1, 3])]
    for run, ids in (runs[first_to_commit], runs[1 - first_to_commit]):
        commit(run, DAY, 1, len(ids), {})
        assert seen(lake) == (ids, 2, {}, len(ids), 1)


@contextmanager
def killed(where, name, step, half_written=False):
    """A run that is killed at the given call of where.name: before it, or when it has written half a file."""
    calls = count()
    real = getattr(where, name)

    def until_killed(*arguments):
        if next(calls) != step:
            return real(*arguments)
        if half_written:
            file = real(*arguments)
            file.__enter__().write(b"PAR1 half a fi")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, name, until_killed)
        # two parts of table and quarantine, then the rejections, then the delivery
        yield


@pytest.mark.parametrize("half_written", [False, True])
@pytest.mark.parametrize(
    ("where", "name", "step"),
    [
        *((publish, "create", step) for step in range(4)),
        *((object_store, "create", step) for step in range(2)),
        *((os, "replace", step) for step in range(6)),
    ],
)
def test_a_run_that_is_killed_at_any_step_is_never_seen(lake, where, name, step, half_written):
    stage(lake, [1, 2], [3])
    before = seen(lake)
    with killed(where, name, step, half_written and name == "create"):
        stage(lake, [5], [6, 7])
    assert seen(lake) == before
    stage(lake, [8])
    assert seen(lake) == ([8], 1, {"no log": 1}, 2, 1)


def test_no_file_has_its_name_before_it_is_whole(lake):
    """DuckDB opens every *.parquet of a day, whichever run counts."""
    with parts(new_run(lake.settings, TABLE), DAY, 0):
        assert [name for name in lake.files() if name.endswith(".parquet")] == []
    assert len(lake.files()) == 2 and all(name.endswith(".parquet") for name in lake.files())


def test_a_write_that_fails_leaves_nothing(lake):
    run = publish.new_run(lake.settings, TABLE)
    with pytest.raises(OSError, match="disk"), object_store.create(run.staging_uri, "a/b.parquet") as file:
        file.write(b"half")
        raise OSError("no space left on the disk")
    assert not lake.files()


def test_the_steps_above_are_all_there_are(lake, monkeypatch):
    calls = Counter[tuple[str, str]]()
    for where, name in ((publish, "create"), (object_store, "create"), (os, "replace")):
        real = getattr(where, name)

        def counted(*arguments, key=(where.__name__, name), real=real):
            calls[key] += 1
            return real(*arguments)

        monkeypatch.setattr(where, name, counted)
    stage(lake, [5], [6, 7])
    assert [*calls.values()] == [4, 6, 2]


def test_a_reader_during_the_switch_sees_one_run_or_the_other(lake):
    stage(lake, [*range(500)])
    whole = {(tuple(range(n)), n + 1) for n in (300, 500)}
    found, problems, done = set(), [], threading.Event()

    def poll():
        while not done.is_set():
            delivery = committed(lake.settings["STAGING_URI"], TABLE, DAY)
            assert delivery and delivery.run
            try:
                rows = [
                    row["review_id"]
                    for file in files_of(lake.settings["STAGING_URI"], TABLE, DAY, delivery.run)
                    for row in pq.ParquetFile(file).read(["review_id"]).to_pylist()
                ]
            except (OSError, pa.ArrowException) as problem:
                problems.append(problem)
            found.add((tuple(rows), delivery.delivered_records))

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for rows in (300, 500) * 20:
            stage(lake, [*range(rows)])
    finally:
        done.set()
        reader.join()
    assert problems == [] and found == whole


def test_files_of_old_runs_go_once_a_newer_run_is_committed(lake):
    for id_ in (OLDER, OLD):
        stage(lake, [1], id_=id_)
    # of another table, whose run of this id may be the day's, and not of a run at all
    beside = lake.root / f"staging/rejection/insert_date={DAY}/run={OLDER}/review_logs.parquet"
    notes = lake.root / f"staging/{TABLE}/insert_date={DAY}/notes.txt"
    for file in (beside, notes):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kept")
    stage(lake, [1], day=NEXT, id_=OLDER)
    newest = stage(lake, [2])
    # the one that was the day's until now may still be read
    assert lake.runs(TABLE, DAY) == [OLD, newest.id]
    of_run = [name for name in lake.files() if f"run={OLDER}/" in name and str(NEXT) not in name]
    assert of_run == [str(beside.relative_to(lake.root))]
    assert beside.exists() and notes.exists() and lake.runs(TABLE, NEXT) == [OLDER]
    # and a moment later it still may
    stage(lake, [3])
    assert OLD in lake.runs(TABLE, DAY) and len(lake.runs(TABLE, DAY)) == 3
    assert seen(lake)[0] == [3]


def test_a_killed_run_that_wrote_to_quarantine_only_goes_too(lake):
    stage(lake, [1])
    left = lake.root / f"quarantine/{TABLE}/insert_date={DAY}/run={OLD}/part-00000.parquet"
    left.parent.mkdir(parents=True)
    left.write_text("half a fi")
    stage(lake, [1], id_=OLDER)
    stage(lake, [1])
    assert lake.runs(TABLE, DAY)[0] == OLDER and not any(OLD in str(path) for path in lake.root.rglob("*"))


def test_files_of_young_runs_stay(lake, monkeypatch):
    """They may be of a run that still goes on."""
    now = datetime.now(UTC)
    young, old, older = (f"{now - timedelta(hours=hours):%Y%m%dT%H%M%S}-{7:08x}" for hours in (5, 7, 8))
    for id_ in (young, old, older):
        write(new_run(lake.settings, TABLE)._replace(id=id_), [1])
    monkeypatch.setenv("KEEP_RUNS_HOURS", "6")
    stage(lake, [2])
    assert {young, old} < {*lake.runs(TABLE, DAY)} and older not in lake.runs(TABLE, DAY)


def test_a_run_that_cannot_clear_away_has_still_replaced_its_day(lake, monkeypatch, capsys):
    for id_ in (OLDER, OLD):
        stage(lake, [1], id_=id_)

    delete = publish._delete_folder

    def refuse_quarantine(root, name):
        if root == lake.settings["QUARANTINE_URI"]:
            raise PermissionError("Access\nDenied")
        delete(root, name)

    monkeypatch.setattr(publish, "_delete_folder", refuse_quarantine)
    stage(lake, [2])
    assert seen(lake)[0] == [2]
    assert capsys.readouterr().out == (
        f"  warning: old runs of {TABLE} of {DAY} could not be removed: Access Denied\n"
    )
    # where the next run finds what is left
    assert f"quarantine/{TABLE}/insert_date={DAY}/run={OLDER}/part-00000.parquet" in lake.files()
    assert OLDER not in lake.runs(TABLE, DAY)


def test_a_day_without_a_file_has_its_delivery_row_only(lake):
    commit(new_run(lake.settings, TABLE), DAY, 0, 0, {})
    assert committed(lake.settings["STAGING_URI"], TABLE, DAY) == (TABLE, None, False, 0, 0)
    assert len(lake.files()) == 1


def test_a_day_that_was_never_staged_has_no_delivery(lake):
    assert committed(lake.settings["STAGING_URI"], TABLE, DAY) is None


def test_a_delivery_row_of_another_version_is_refused(lake):
    stage(lake, [1])
    file = lake.root / f"staging/delivery/insert_date={DAY}/{TABLE}.parquet"
    pq.write_table(pq.ParquetFile(file).read().drop(["run"]), file)
    with pytest.raises(
        PreparationError, match="is no delivery row of this version: empty STAGING_URI, all but suppression/"
    ):
        stage(lake, [2])


@pytest.mark.parametrize("given", ["a day", "0", "-1", "1.5"])
def test_a_retention_that_is_no_number_of_hours_is_named_before_anything_is_written(lake, monkeypatch, given):
    monkeypatch.setenv("KEEP_RUNS_HOURS", given)
    with pytest.raises(PreparationError, match=f"^KEEP_RUNS_HOURS is '{given}'; it must be a whole number"):
        new_run(lake.settings, TABLE)


def test_the_same_in_a_bucket(lake, bucket):
    """S3 as Arrow's file system speaks it; a folder is a prefix there, and a file appears when it is complete."""
    lake.settings |= {"STAGING_URI": f"s3://{bucket}/staging", "QUARANTINE_URI": f"s3a://{bucket}/quarantine"}
    for id_ in (OLDER, OLD):
        stage(lake, [1], id_=id_)
    run = new_run(lake.settings, TABLE)
    write(run, [2], [3])
    staging_uri = lake.settings["STAGING_URI"]
    assert committed(staging_uri, TABLE, DAY).run == OLD
    commit(run, DAY, 1, 4, {"no log": 2})
    assert committed(staging_uri, TABLE, DAY) == (TABLE, run.id, True, 1, 4)
    assert publish.rejections(staging_uri, TABLE, DAY, run.id) == {"no log": 2}
    folder = f"{bucket}/staging/{TABLE}/insert_date={DAY}/run={run.id}"
    assert files_of(staging_uri, TABLE, DAY, run.id) == [
        f"{folder}/part-00000.parquet",
        f"{folder}/part-00001.parquet",
    ]
    assert files_of(staging_uri, TABLE, DAY, OLD) and not files_of(staging_uri, TABLE, DAY, OLDER)
