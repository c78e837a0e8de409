"""A day after many days: history as the jobs would stage it, and the figures that come of building a further day."""

from datetime import date

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from ci.benchmarks import costs
from ci.benchmarks import warehouse_document as document
from ci.benchmarks.history import CUSTOMERS_PER_REVIEW, write_day
from ci.benchmarks.warehouse import Day, History, history_of, measure
from spark_prep.contract import publish, tables

SIZE = 2000
MACHINE = {"date": "2026-11-29", "processor": "2 cores, some processor"}


@pytest.fixture(scope="module")
def staging(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "staging"
    assert [write_day(folder, number, SIZE) for number in range(3)] == [date(2021, 1, n) for n in (1, 2, 3)]
    return folder


def rows_of(staging, table, day):
    delivery = publish.committed(str(staging), table, day)
    assert delivery and delivery.run
    read = ds.dataset(publish.files_of(str(staging), table, day, delivery.run)).to_table()
    assert delivery.delivered_records == len(read) and delivery.is_delivered
    return read


@pytest.mark.parametrize("table", tables.STAGING)
def test_a_day_is_committed_as_the_jobs_commit_it(staging, table):
    day = date(2021, 1, 2)
    assert rows_of(staging, table, day).schema.equals(tables.STAGING[table])


def test_a_day_is_the_same_whenever_it_is_written(staging, tmp_path):
    write_day(tmp_path, 1, SIZE)
    files = [file.relative_to(tmp_path) for file in tmp_path.rglob("*.parquet")]
    assert len(files) == 6
    assert all(pq.read_table(tmp_path / name).equals(pq.read_table(staging / name)) for name in files)


def test_a_day_has_records_of_the_day_before_and_unknown_customers(staging):
    days = [date(2021, 1, number) for number in (1, 2, 3)]
    reviews, logs = (
        [set(rows_of(staging, table, day)[name].to_pylist()) for day in days]
        for table, name in (("classified_movie_review", "review_id"), ("review_logs", "log_id"))
    )
    assert [len(ids) for ids in reviews] == [CUSTOMERS_PER_REVIEW * SIZE, SIZE, SIZE]
    # sent again
    assert len(reviews[1] & reviews[0]) == len(reviews[2] & reviews[1]) == SIZE // 1000
    # late: of one day's reviews, delivered with the next
    assert len(logs[1] & reviews[0]) == SIZE // 100 and not logs[0] - reviews[0]
    customers = rows_of(staging, "classified_movie_review", days[1])["customer_id"]
    assert 5 < customers.null_count < 50
    assert max(customers.drop_null().to_pylist()) <= CUSTOMERS_PER_REVIEW * SIZE
    purchases = rows_of(staging, "user_purchase", days[1])
    assert len(purchases) == SIZE / 5
    assert len(set(purchases["invoice_number"].to_pylist())) == len(purchases) / 5


def test_the_first_load_has_every_customer(staging):
    everyone = set(range(1, CUSTOMERS_PER_REVIEW * SIZE + 1))
    for table, lines in (("classified_movie_review", 1), ("user_purchase", 5)):
        customers = rows_of(staging, table, date(2021, 1, 1))["customer_id"]
        found = customers.drop_null().to_pylist()
        assert len(customers) == lines * len(everyone) and len(found) > 0.98 * len(customers)
        assert len(set(found)) == len(found) / lines


def test_a_history_is_days_times_reviews():
    assert history_of("1000x5000") == History(1000, 5000)
    for text in ("1000", "0x5000", "5000x", "5x1.5"):
        with pytest.raises(ValueError, match="is not DAYSxREVIEWS"):
            history_of(text)


def day(wall, cpu, peak_mb, read_mb, nodes, days=1, reviews=5000) -> Day:
    """Each review of a day leaves 20 bytes in staging and 100 in the warehouse, which BigQuery counts as 300: 255 in the fact, 35 in a
    table that it reads whole, 10 in one that it rewrites whole. The first load is of 20 days. A verification reads 70 bytes for each review."""
    records = (days + 20) * reviews
    logical = {
        "fact_movie_analytics": 255 * records,
        "int_attributed_review": 35 * records,
        "int_customer_opinion": 10 * records,
    }
    verified = {"review_twice": 69 * records, "fact_row_twice": records}
    reads = {"ledger": read_mb * 1e6 - 1e5, "dim_os": 1e5, "int_touched_review": 7e9}
    return Day(
        wall, cpu, peak_mb << 20, read_mb * 1e6, reads, nodes, verified, 20 * records, 100 * records, logical
    )


# 0.3 s + 20 µs for each review of a day + 0.4 µs for each of history; 2 MB + 1,598 bytes + 2 bytes.
DAYS = {
    History(1, 5000): day(15, 20, 400, 10, {"dim_os": 0.1, "ledger": 0.302}),
    History(100, 5000): day(16, 21, 500, 11, {"dim_os": 0.2, "ledger": 0.4}),
    History(1000, 5000): day(18, 29.99, 600, 19.99, {"dim_os": 2.0, "ledger": 0.4}, 1000),
    History(100, 50000): day(30, 40, 700, 91.9, {"dim_os": 2.8, "ledger": 0.5}, 100, 50000),
}


def test_targets_are_of_the_longest_history_of_each_size():
    assert [(goal.text, goal.measured, goal.verdict()) for goal in document.targets(DAYS)] == [
        ("after 1,000 days of 5,000: at most 1.2 × the CPU of the second day", "1.50 ×", "missed"),
        ("after 1,000 days of 5,000: at most 1.2 × the bytes read of the second day", "2.00 ×", "missed"),
    ]


def test_the_page_has_ratios_slopes_and_what_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "DOCUMENT", tmp_path / "page.md")
    document.publish(DAYS, MACHINE, 3)
    page = (tmp_path / "page.md").read_text()
    assert "| 1 | 5,000 | 15.0 | 20.0 |  |  | 0.4 | 400 | 10.0 |" in page
    # 9.99 s in 999 days
    assert "| 1,000 | 5,000 | 18.0 | 30.0 | 1.50 | 10.0 | 2.4 | 600 | 20.0 |" in page
    assert "| dim_os | 0.10 | 2.00 |\n| ledger | 0.30 | 0.40 |" in page
    assert "after 1,000 days of 5,000, beside the second day" in page


def test_costs_follow_from_the_second_day_a_longer_history_and_a_larger_day():
    found = costs.estimate(DAYS)
    assert found.node_seconds == pytest.approx((0.3, 2e-5, 4e-7))
    assert found.bytes_read == pytest.approx((2e6, 1598, 2))
    assert found.stored == pytest.approx((0, 100)) and found.logical_per_stored == 3
    # two jobs of 8 vCPUs for two minutes, and 15.5 s of work
    vcpu_hours = (2 * 8 * 120 + 15.5) / 3600
    small, large = (cloud(found, 1_000_000) for cloud in (costs.aws, costs.gcp))
    assert small.spark == pytest.approx(vcpu_hours * (0.042094 + 4 * 0.004628))
    # 2 nodes, four at a time, and 20.3 s and 0.4 s for each of 1,095 days over 16 vCPUs, are less than a minute of 8 units
    assert small.warehouse == pytest.approx(60 * 8 / 3600 * 0.375)
    # 1,095 days of 20 MB and 100 MB
    assert small.storage_a_month == pytest.approx(1095 * (0.02 + 0.1) * 0.023)
    assert large.spark == pytest.approx(vcpu_hours * 0.06)
    # A day: 1.6 GB, 2.19 GB of history, a seventh of 78.05 GB that a verification reads, three bytes for one. And 50.175 GB that are read whole or rewritten.
    read = 2e6 + 1e6 * (1598 + 1095 * 2) + 1e6 * (1095 + 20) * 70 / 7
    tib = (read * 3 + 1e6 * (1095 + 20) * (35 + 10)) * 30 / 2**40
    assert large.warehouse == pytest.approx((tib - 1) * 6.25 / 30)
    assert large.storage_a_month == pytest.approx(1095 * (0.02 + 0.3) * 0.020)
    work = 0.3 + 1e7 * (2e-5 + 1095 * 4e-7)
    assert costs.aws(found, 10_000_000).warehouse == pytest.approx((0.5 + work / 16) * 8 / 3600 * 0.375)


def test_the_largest_statement_of_bigquery_is_a_read_or_the_rewriting_of_a_table():
    found = costs.estimate(DAYS)
    # all but 0.1 MB of what is read: 1.9 MB + 1,598 bytes for each review of the day + 2 for each of history, three bytes for one
    name, size = found._replace(verified_reads={}, read_whole={}).largest(1_000_000)
    assert name == "ledger" and size == pytest.approx((1.9e6 + 1e6 * (1598 + 1095 * 2)) * 3)
    name, size = found.largest(1_000_000)
    assert name == "review_twice" and size == pytest.approx(1e6 * (1095 + 20) * 69 * 3)
    name, size = found._replace(reads={}, verified_reads={}).largest(1_000_000)
    assert name == "int_touched_review" and size == pytest.approx(1e6 * (1095 + 20) * 35)
    name, size = found._replace(reads={}, verified_reads={}, read_whole={}).largest(1_000_000)
    assert name == "int_customer_opinion" and size == pytest.approx(1e6 * (1095 + 20) * 10)


def test_the_page_of_costs_says_what_is_measured_and_what_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(costs, "DOCUMENT", tmp_path / "costs.md")
    costs.publish(DAYS, MACHINE)
    measured, _, extrapolated = (tmp_path / "costs.md").read_text().partition("## Extrapolated")
    assert "| seconds of all nodes | 0.3 s | 20.0 µs | 400.0 ns |" in measured
    assert "after 1,000 days of 5,000 reviews" in measured and "is 3.0 bytes as BigQuery counts" in measured
    assert "| 10,000 | AWS | 0.03 |" in measured and "| 10,000,000 | Google Cloud |" in measured
    assert "| 1,000,000 | review_twice | 230.8 |" in extrapolated
    assert "None of this has run on a real account" in extrapolated and "0.375 an RPU hour" in extrapolated


@pytest.mark.slow
def test_a_further_day_is_built_and_measured(tmp_path):
    said: list[str] = []
    day = measure(History(2, 200), 2, tmp_path, said.append)
    assert (
        10_000 < day.read_bytes < 50e6
        and day.wall > 0
        and day.cpu > 0
        and day.peak_bytes > 50e6
        and day.node_seconds() > 0
    )
    assert day.staged_bytes > 0 and 0 < day.stored_bytes < 50e6 and 0 < sum(day.logical_bytes.values()) < 50e6
    assert {*costs.REPLACED_WHOLE, *costs.READ_WHOLE.values()} < day.logical_bytes.keys() and sum(
        day.verified.values()
    ) > 10_000
    assert {"fact_movie_analytics", "ledger_does_not_balance", "us_state"} <= day.nodes.keys()
    assert len(said) == 3 and list(tmp_path.iterdir()) == []
