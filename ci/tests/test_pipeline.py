"""The whole way, from sample feeds through Spark and dbt to the marts, against the sample's right answers."""

import random
import shutil
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow.parquet as pq
import pytest

from ci.staged_sample import Sample, stage_again, staged_warehouse
from demo.answers.check import differences
from spark_prep.contract import publish, tables

pytestmark = pytest.mark.slow

DAYS = Sample.DAYS


@pytest.fixture
def own_staging(sample, tmp_path):
    """A copy of the staging layer that a test may change."""
    return shutil.copytree(sample.staging, tmp_path / "staging")


def files_of(staging, table: str, day) -> list[str]:
    """The files with the rows of a staged day."""
    committed = publish.committed(str(staging), table, day)
    assert committed and committed.run, f"{table} was not delivered on {day}"
    return publish.files_of(str(staging), table, day, committed.run)


def test_the_marts_are_the_right_answers(sample, built):
    assert differences(built.file, sample.answers()) == []


def test_wrong_marts_are_noticed(sample, built):
    """The comparison itself: one figure off in each part of the answers is found."""
    for table, figure in [
        ("user_behavior_metric", "review_score"),
        ("fact_movie_analytics", "review_count"),
        ("ledger", "records_duplicate"),
        ("quarantine", "records"),
    ]:
        answers = sample.answers()
        answers[table][0][figure] += 1
        assert any(line.startswith(table) for line in differences(built.file, answers)), table
    answers = sample.answers()
    for row in answers["fact_movie_analytics"]:
        row["amount_spent_min"] = row["amount_spent_max"] = "0.00001"
    assert any("no fair share" in line for line in differences(built.file, answers))


def test_money_and_reviews_are_right_in_any_slice(built):
    """Property of an additive fact: whatever it is grouped by, the sums are the same."""
    columns = ["insert_date", "customer_id", "id_dim_date", "id_dim_devices", "id_dim_location", "id_dim_os"]
    ((money, reviews),) = built.query(
        "select sum(amount_spent), sum(review_count) from analytics_marts.user_behavior_metric"
    )
    shuffled = random.Random(1)
    for _ in range(10):
        slice_ = ", ".join(shuffled.sample(columns, shuffled.randint(1, len(columns))))
        ((sliced_money, sliced_reviews),) = built.query(
            "select sum(money), sum(reviews) from (select sum(amount_spent) as money, sum(review_count) as reviews "
            f"from analytics_marts.fact_movie_analytics group by {slice_})"
        )
        assert (sliced_money, sliced_reviews) == (money, reviews), slice_


def test_everything_at_once_is_the_same_as_a_range(sample, built, tmp_path):
    """A developer's plain `dbt build`, unit tests included."""
    warehouse = staged_warehouse(tmp_path / "all", sample.staging)
    plain = warehouse.dbt("build")
    assert plain.returncode == 0, plain.stdout
    assert "unit tests" in plain.stdout
    assert warehouse.marts() == built.marts()
    # And again, on top of what is there.
    warehouse.build()
    assert warehouse.marts() == built.marts()


def test_days_one_by_one_in_any_order_are_the_same_as_a_range(sample, built, tmp_path):
    """With repeats across days, late logs, and a day that is run twice. No test of dbt's minds a gap between days, either."""
    order = [*DAYS, DAYS[2]]
    random.Random(3).shuffle(order)
    warehouse = staged_warehouse(tmp_path / "days", sample.staging)
    for number, day in enumerate(order, start=1):
        (warehouse.build if number in (2, len(order)) else warehouse.run)(day)
        assert differences(warehouse.file, sample.answers(order[:number])) == []
    assert warehouse.marts() == built.marts()


def test_a_new_delivery_of_a_day_changes_the_days_that_it_touched(built, own_staging, tmp_path):
    """An early day is delivered again without its records: the repeats on later days come into their own, and reviews
    lose the logs that came late. The marts are those of a warehouse that never saw the first delivery."""
    warehouse = built.copy(tmp_path / "redelivered", own_staging)
    for table in ("classified_movie_review", "review_logs", "user_purchase"):
        stage_again(own_staging, table, DAYS[1], "select * from staged where false")
    warehouse.build(DAYS[1])
    fresh = staged_warehouse(tmp_path / "fresh", own_staging)
    fresh.run()
    assert warehouse.marts() == fresh.marts() != built.marts()


def test_a_day_that_lost_records_is_made_up_for_also_when_its_build_failed(built, own_staging, tmp_path):
    """A build ends after it has read a delivery that repeats records of later days; the next delivery has none of them. The
    days that had them too are built again, and then nothing is left of what the day once delivered."""
    warehouse = built.copy(tmp_path / "failed", own_staging)
    tables_of_ids = ("classified_movie_review", "review_logs")
    for table in tables_of_ids:
        repeated = f"read_parquet({files_of(own_staging, table, DAYS[-1])}, hive_partitioning = false)"
        stage_again(own_staging, table, DAYS[1], f"select * from {repeated}")
    failed = warehouse.dbt("run", "--exclude", "user_behavior_metric+", days=(DAYS[1], DAYS[1]))
    assert failed.returncode == 0, failed.stdout
    for table in tables_of_ids:
        stage_again(own_staging, table, DAYS[1], "select * from staged where false")
    warehouse.build(DAYS[1])
    fresh = staged_warehouse(tmp_path / "fresh", own_staging)
    fresh.run()
    assert warehouse.marts() == fresh.marts()
    record_days = "select * from analytics_intermediate.int_record_day"
    assert Counter(warehouse.query(record_days)) == Counter(fresh.query(record_days))


def test_a_review_that_an_earlier_day_turns_out_to_have_moves_there(built, own_staging, tmp_path):
    """The reverse: an early day is delivered again with a record that so far only a far later day had."""
    later = f"read_parquet({files_of(own_staging, 'classified_movie_review', DAYS[-1])}, hive_partitioning = false)"
    moved = f"select * from {later} where review_id = (select min(review_id) from {later})"
    warehouse = built.copy(tmp_path / "moved", own_staging)
    stage_again(own_staging, "classified_movie_review", DAYS[0], f"select * from staged union all {moved}")
    warehouse.build(DAYS[0])
    fresh = staged_warehouse(tmp_path / "fresh", own_staging)
    fresh.run()
    assert warehouse.marts() == fresh.marts()
    ((duplicates,),) = warehouse.query(
        "select records_duplicate from analytics_marts.ledger "
        f"where table_name = 'classified_movie_review' and insert_date = date '{DAYS[-1]}'"
    )
    assert duplicates >= 1


def test_older_and_killed_runs_of_a_day_are_in_no_mart(built, own_staging, tmp_path):
    """Beside the committed run there are the one before and what a killed run has left."""
    for table in tables.STAGING:
        stage_again(own_staging, table, DAYS[0])
        stage_again(own_staging, table, DAYS[0], "from staged union all from staged", is_committed=False)
        assert len([*own_staging.glob(f"{table}/insert_date={DAYS[0]}/run=*/part-00001.parquet")]) >= 2
    warehouse = staged_warehouse(tmp_path / "runs", own_staging)
    warehouse.run(DAYS[0], DAYS[-1])
    assert warehouse.marts() == built.marts()


def test_a_run_that_is_committed_while_a_build_goes_on_waits_for_the_next_build(built, own_staging, tmp_path):
    """All models of a build follow the same runs: those that its first model found."""
    warehouse = staged_warehouse(tmp_path / "meanwhile", own_staging)
    begun = warehouse.dbt("run", "--select", "stg_delivery")
    assert begun.returncode == 0, begun.stdout
    for table in tables.STAGING:
        stage_again(own_staging, table, DAYS[0], "from staged limit 3")
    rest = warehouse.dbt("build", "--exclude", "stg_delivery", "--exclude-resource-type", "unit_test")
    assert rest.returncode == 0, rest.stdout
    assert warehouse.marts() == built.marts()
    warehouse.build(DAYS[0])
    assert warehouse.query(
        "select distinct records_staged from analytics_marts.ledger "
        f"where insert_date = date '{DAYS[0]}' and is_balanced"
    ) == [(3,)]


def test_a_reader_sees_one_whole_run_while_others_are_written_and_committed(built, own_staging, tmp_path):
    """Never none, two, or a part of one. What a build does to stg_delivery (replace_days) is done here beside the readers:
    another process could not read the file meanwhile."""
    warehouse = built.copy(tmp_path / "switch", own_staging)
    day = f"insert_date = date '{DAYS[0]}'"
    seen: Counter[tuple] = Counter()
    done = threading.Event()

    def read(connection: duckdb.DuckDBPyConnection) -> None:
        while not done.is_set():
            query = f"select device, count(*) from analytics_staging.stg_review_logs where {day} group by all"
            seen[tuple(connection.execute(query).fetchall())] += 1

    with duckdb.connect(str(warehouse.file)) as connection, ThreadPoolExecutor() as readers:
        stage_again(own_staging, "review_logs", DAYS[0], "select * replace ('run 0' as device) from staged")
        follow(connection, day)
        readings = [readers.submit(read, connection.cursor()) for _ in range(2)]
        for number in range(1, 60):
            changed = f"select * replace ('run {number}' as device) from staged"
            stage_again(own_staging, "review_logs", DAYS[0], changed)
            follow(connection, day)
        done.set()
        for reading in readings:
            reading.result()
        ((records,),) = connection.execute(
            f"select count(*) from analytics_staging.stg_review_logs where {day}"
        ).fetchall()
    assert len(seen) > 5
    assert [rows for rows in seen if len(rows) != 1 or rows[0][1] != records] == []


def follow(connection: duckdb.DuckDBPyConnection, day: str) -> None:
    """Replace the day in stg_delivery."""
    connection.execute(
        f"begin; delete from analytics_staging.stg_delivery where {day}; "
        "insert into analytics_staging.stg_delivery by name select * exclude delivered_records, "
        f"delivered_records as records_delivered from analytics_external.delivery where {day}; commit"
    )


def test_a_record_lost_on_the_way_fails_the_build(own_staging, tmp_path):
    file = files_of(own_staging, "review_logs", DAYS[0])[0]
    pq.write_table(pq.read_table(file, partitioning=None)[1:], file)
    warehouse = staged_warehouse(tmp_path / "lost", own_staging)
    built = warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    assert built.returncode != 0
    assert "fail ledger_does_not_balance: 1 rows." in built.stdout
    ((table, day),) = warehouse.query(
        "select table_name, insert_date from analytics_marts.ledger where not is_balanced"
    )
    assert (table, day) == ("review_logs", DAYS[0])


def test_a_run_reads_only_its_own_days_of_staging(built, own_staging, tmp_path):
    """What a day costs must not grow with the history: files of other days are not opened. (But for the first file of
    all, from which DuckDB takes the columns.)"""
    warehouse = built.copy(tmp_path / "history", own_staging)
    for day in DAYS[1:-1]:
        for file in own_staging.glob(f"*/insert_date={day}/**/*.parquet"):
            file.write_bytes(b"this is no Parquet file")
    warehouse.run(DAYS[-1])
    assert warehouse.marts() == built.marts()
