"""What becomes of a day's files when the day is run again, with others, without a delivery, or is killed."""

import os
import threading
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_prep.contract import publish
from spark_prep.reviews.classify_reviews import classify_reviews

TABLE = "classified_movie_review"
DAYS = [date(2021, 1, 1), date(2021, 1, 2), date(2021, 1, 3)]
HEADER = "cid,review_str,id_review\n"


def classify(spark, lake, *days):
    return classify_reviews(spark, lake.settings, frozenset({"good"}), list(days))


def ids(lake, day):
    return sorted(row["review_id"] for row in lake.staged(TABLE, day))


def contents(lake):
    areas = {area: (lake.root / area).rglob("*.parquet") for area in ("staging", "quarantine")}
    return {
        str(file.relative_to(lake.root)): sorted(pq.ParquetFile(file).read().to_pylist(), key=str)
        for files in areas.values()
        for file in files
    }


@pytest.mark.slow
def test_a_range_gives_what_its_days_give_one_by_one(spark, lake, other_lake):
    together, apart = lake, other_lake
    for each in (together, apart):
        each.deliver("movie_review", DAYS[0], HEADER + "1,good,1\n2,bad,2\nbroken\n")
        each.deliver("movie_review", DAYS[1], HEADER)
    classify(spark, together, *DAYS)
    for day in reversed(DAYS):
        classify(spark, apart, day)

    found, expected = contents(together), contents(apart)
    for rows in [*found.values(), *expected.values()]:
        for row in rows:
            row.pop("file", None)
    assert found == expected
    # table, quarantine, rejection and delivery of two days, and a delivery of the third: nothing else is left
    assert len(found) == len(together.files()) == 9


def test_a_day_has_one_file_and_an_empty_day_the_columns(spark, lake):
    lake.deliver("movie_review", DAYS[0], HEADER + "1,good,1\n")
    lake.deliver("movie_review", DAYS[1], HEADER)
    classify(spark, lake, *DAYS[:2])
    schemas = [
        pq.read_schema(lake.root / "staging" / TABLE / f"insert_date={day}" / f"{TABLE}.parquet")
        for day in DAYS[:2]
    ]
    assert schemas[0].names == schemas[1].names and "insert_date" not in schemas[0].names
    assert schemas[0].types == schemas[1].types
    assert ids(lake, DAYS[1]) == lake.quarantined(TABLE, DAYS[1]) == []
    assert lake.delivery(TABLE, DAYS[1])["is_delivered"]


def test_a_rerun_replaces_its_day_and_no_other(spark, lake):
    for day in DAYS[:2]:
        lake.deliver("movie_review", day, HEADER + "1,a,1\n2,b,2\n3,,3\n")
    classify(spark, lake, *DAYS[:2])
    before = lake.files()
    # redelivered: less, and clean
    lake.deliver("movie_review", DAYS[1], HEADER + "2,b,2\n")
    classify(spark, lake, DAYS[1])
    assert ids(lake, DAYS[1]) == [2]
    assert lake.quarantined(TABLE, DAYS[1]) == [] and lake.rejections(TABLE, DAYS[1]) == {}
    assert lake.delivery(TABLE, DAYS[1])["delivered_records"] == 1
    after = lake.files()
    assert before.keys() == after.keys()
    assert {name for name in after if before[name] != after[name]} == {n for n in after if "=2021-01-02" in n}


def test_a_day_that_is_not_delivered_has_its_delivery_row_only(spark, lake, capsys):
    lake.deliver("movie_review", DAYS[1], HEADER, name="movie_review.csv.part")
    outcome = classify(spark, lake, *DAYS[:2])
    expected = {"table_name": TABLE, "is_delivered": False, "file_count": 0, "delivered_records": 0}
    assert [lake.delivery(TABLE, day) for day in DAYS[:2]] == [expected, expected]
    assert len(lake.files()) == 2
    assert outcome.not_delivered == DAYS[:2]
    assert "movie_review of 2021-01-02 was not delivered" in capsys.readouterr().out


def test_many_days_that_are_not_delivered_are_one_line(spark, lake, capsys):
    days = [date(2021, 1, day) for day in range(1, 8)]
    lake.deliver("movie_review", days[2], HEADER)
    classify(spark, lake, *days)
    printed = capsys.readouterr().out
    folder = f"{lake.settings['RAW_URI']}/movie_review"
    assert printed == (
        "  movie_review of 6 days (2021-01-01 to 2021-01-07) was not delivered: "
        f"no *.csv or *.csv.gz in {folder}\n"
    )


def test_a_day_whose_delivery_has_gone_stays_as_it_is(spark, lake, capsys):
    file = lake.deliver("movie_review", DAYS[0], HEADER + "1,a,1\n")
    classify(spark, lake, DAYS[0])
    before = lake.files()
    file.unlink()
    lake.deliver("movie_review", DAYS[1], HEADER + "2,b,2\n")
    classify(spark, lake, *DAYS[:2])
    after = lake.files()
    assert {name: after[name] for name in before} == before
    assert ids(lake, DAYS[1]) == [2]
    assert "2021-01-01 was not delivered; what was staged before stays" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_and_the_delivery_of_old(spark, lake, monkeypatch):
    lake.deliver("movie_review", DAYS[0], HEADER + "1,a,1\n,,\n")
    classify(spark, lake, DAYS[0])
    before = lake.files()
    lake.deliver("movie_review", DAYS[0], HEADER + "2,b,2\n3,c,3\n,,\n,,\n")
    replace = os.replace

    order = [f"quarantine/{TABLE}", "staging/rejection", f"staging/{TABLE}", "staging/delivery"]
    for killed_before, folder in enumerate(order):

        def replace_until_killed(source, target, folder=folder):
            if folder in target:
                raise KeyboardInterrupt
            replace(source, target)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "replace", replace_until_killed)
            classify(spark, lake, DAYS[0])
        after = lake.files()
        assert after.keys() == before.keys()
        changed = {name.rsplit("/insert_date", 1)[0] for name in after if after[name] != before[name]}
        assert changed == set(order[:killed_before])

    classify(spark, lake, DAYS[0])
    assert ids(lake, DAYS[0]) == [2, 3] and lake.delivery(TABLE, DAYS[0])["delivered_records"] == 4


def test_what_a_killed_run_has_left_is_cleared_away(spark, lake):
    left = (
        lake.root
        / "staging/.incoming"
        / TABLE
        / TABLE
        / "2021-01-01_2021-01-01"
        / "days/insert_date=2021-01-01"
    )
    left.mkdir(parents=True)
    (left / "part-0.snappy.parquet").write_bytes(b"half a file")
    lake.deliver("movie_review", DAYS[0], HEADER + "1,a,1\n")
    classify(spark, lake, DAYS[0])
    assert ids(lake, DAYS[0]) == [1]
    assert not any(".incoming" in name for name in lake.files())


@pytest.mark.slow
def test_a_reader_never_sees_a_day_missing_or_half(spark, lake):
    lake.deliver("movie_review", DAYS[0], HEADER + "".join(f"1,text {n},{n}\n" for n in range(500)))
    classify(spark, lake, DAYS[0])
    file = lake.root / "staging" / TABLE / f"insert_date={DAYS[0]}" / f"{TABLE}.parquet"
    seen, problems, done = set(), [], threading.Event()

    def poll():
        while not done.wait(0.001):
            try:
                seen.add(pq.ParquetFile(file).read().num_rows)
            except (OSError, pa.ArrowException) as problem:
                problems.append(problem)

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for rows in (300, 500, 300):
            lake.deliver("movie_review", DAYS[0], HEADER + "".join(f"1,text {n},{n}\n" for n in range(rows)))
            classify(spark, lake, DAYS[0])
    finally:
        done.set()
        reader.join()
    assert problems == [] and seen == {500, 300}
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name]


def test_an_object_store_gets_a_copy_over_the_old_object(spark, tmp_path, monkeypatch):
    # Hadoop's copy, which stores without rename are written by, tried on local files
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "target").write_bytes(b"older and longer")
    monkeypatch.setattr(publish, "is_local", lambda location: False)
    publish.put_in_place(spark, f"file://{tmp_path}/source", f"file://{tmp_path}/target", aside="unused")
    assert (tmp_path / "target").read_bytes() == b"new"
