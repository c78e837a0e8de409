"""user_profile, customer_cohort_retention and the history of segments, against demo/answers/profiles.py."""

import csv
import datetime
import re
import shutil
from collections import Counter

import duckdb
import pytest

from ci.staged_sample import ROOT, stage_again, staged_warehouse
from demo.answers.profiles import SEGMENTS, profiles_for, wilson_lower_bound

pytestmark = pytest.mark.slow

KEYS = {"user_profile": ("customer_id",), "customer_cohort_retention": ("cohort_month", "months_since_first")}
HISTORY = "select customer_id, dbt_valid_from, dbt_valid_to, rfm_segment, spend_sentiment_quadrant from analytics_history.user_segment_history"


def rows_of(warehouse, table: str) -> dict[tuple, dict]:
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        found = connection.execute(f"select * from analytics_marts.{table}")
        columns = [column[0] for column in found.description]
        return by_key(table, [dict(zip(columns, row, strict=True)) for row in found.fetchall()])


def by_key(table: str, rows: list[dict]) -> dict[tuple, dict]:
    keyed = {tuple(row[column] for column in KEYS[table]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def assert_right(warehouse, expected: dict[str, list[dict]]) -> None:
    for table, rows in expected.items():
        right, found = by_key(table, rows), rows_of(warehouse, table)
        assert found.keys() == right.keys(), table
        for column in rows[0]:
            wrong = {
                key: (found[key][column], right[key][column])
                for key in right
                if found[key][column] != right[key][column]
            }
            assert wrong == {}, f"{table}.{column}: (found, right)"
        assert all(row.keys() == rows[0].keys() for row in found.values()), table


@pytest.fixture(scope="module")
def right(sample) -> dict[str, list[dict]]:
    return profiles_for(sample.delivered)


def test_every_column_of_every_profile_and_cohort_is_right(built, right):
    assert_right(built, right)


def test_the_sample_has_what_is_hard_about_profiles(right):
    """Otherwise the test above proves little."""
    profiles = right["user_profile"]
    assert len({profile["rfm_segment"] for profile in profiles}) >= 9
    assert len({profile["spend_sentiment_quadrant"] for profile in profiles}) == 5
    assert any(profile["order_count"] == 0 and profile["return_count"] for profile in profiles)
    assert any(profile["review_count"] == 0 for profile in profiles)
    assert any(profile["country_count"] > 1 for profile in profiles)
    assert any(profile["return_rate"] and profile["return_rate"] > 1 for profile in profiles)
    assert any(profile["device_count"] > 1 for profile in profiles)
    assert any(profile["order_count"] % 2 == 0 and profile["order_count"] for profile in profiles)
    assert {0 < row["retention"] < 1 for row in right["customer_cohort_retention"]} == {True, False}


def test_as_of_another_day(built, sample, tmp_path):
    """Days are counted back from the var; months in which no one came back have rows."""
    day = datetime.date(2021, 3, 15)
    warehouse = copy_of(built, sample, tmp_path)
    warehouse.vars = {"as_of_date": str(day)}
    printed = warehouse.dbt("build", "--select", "int_as_of_date+", "--exclude-resource-type", "unit_test")
    assert printed.returncode == 0, printed.stdout
    expected = profiles_for(sample.delivered, as_of=day)
    assert any(row["active_customer_count"] == 0 for row in expected["customer_cohort_retention"])
    assert_right(warehouse, expected)


def test_a_day_before_the_last_activity_is_told(built, sample, tmp_path):
    warehouse = copy_of(built, sample, tmp_path)
    warehouse.vars = {"as_of_date": str(sample.DAYS[0])}
    printed = warehouse.dbt("build", "--select", "int_as_of_date+", "--exclude-resource-type", "unit_test")
    assert re.search(r"WARN [1-9]\d* activity_after_the_as_of_date", printed.stdout), printed.stdout


def copy_of(built, sample, folder):
    warehouse = staged_warehouse(folder, sample.staging)
    shutil.copy(built.file, warehouse.file)
    return warehouse


def test_the_seed_names_each_pair_of_scores(right):
    with open(ROOT / "dbt_project/seeds/rfm_segment.csv", encoding="utf-8") as seed:
        named = {
            (int(row["recency_score"]), int(row["value_score"])): row["segment"]
            for row in csv.DictReader(seed)
        }
    assert named == {
        (5 - row, 1 + column): segment
        for row, of_recency in enumerate(SEGMENTS)
        for column, segment in enumerate(of_recency)
    }


def test_wilsons_lower_bound_is_the_textbooks(built):
    """For every share of up to 60 reviews, and some of very many."""
    compiled = built.dbt(
        "--quiet",
        "compile",
        "--inline",
        "select k, n, {{ wilson_lower_bound('k', 'n') }} as bound from shares",
    )
    assert compiled.returncode == 0, compiled.stdout
    shares = """
        select k, n from range(61) as a(k), range(1, 61) as b(n) where k <= n
        union all
        select 0, 0
        union all
        select k, 1000000000 from (values (0), (1), (333333333), (1000000000)) as c(k)
    """
    answered = built.query(f"with shares as ({shares}) {compiled.stdout}")
    bounds = {(k, n): bound for k, n, bound in answered}
    assert len(bounds) == len(answered) > 1800
    assert bounds.pop((0, 0)) is None
    assert bounds == {(k, n): wilson_lower_bound(k, n) for k, n in bounds}
    assert all(0 <= bound * n <= k for (k, n), bound in bounds.items())


def test_a_segment_changes_once_and_an_old_day_that_is_built_again_writes_nothing(sample, tmp_path):
    shutil.copytree(sample.staging, tmp_path / "staging")
    warehouse = staged_warehouse(tmp_path / "warehouse", tmp_path / "staging")
    warehouse.build(sample.DAYS[0], sample.DAYS[3])
    warehouse.build(sample.DAYS[4], sample.DAYS[5])
    history = warehouse.query(HISTORY)
    expected = history_of(*(profiles_for(sample.delivered, sample.DAYS[:days]) for days in (4, 6)))
    assert Counter(history) == Counter(expected)
    assert any(row[2] for row in expected), "no segment changed"

    # The old day comes again without its purchases: segments change, what was said of them then does not.
    stage_again(
        tmp_path / "staging",
        "user_purchase",
        sample.DAYS[0],
        "select * from staged where customer_id % 2 = 0",
    )
    built = warehouse.dbt("run", "--select", "+user_profile", days=(sample.DAYS[0], sample.DAYS[0]))
    assert built.returncode == 0, built.stdout
    now = warehouse.query(
        "select customer_id, rfm_segment, spend_sentiment_quadrant from analytics_marts.user_profile"
    )
    assert set(now) != {(customer, *segment) for customer, _, end, *segment in history if end is None}
    snapshot = warehouse.dbt("snapshot")
    assert snapshot.returncode == 0, snapshot.stdout
    assert Counter(warehouse.query(HISTORY)) == Counter(history)


def history_of(*steps: dict[str, list[dict]]) -> list[tuple]:
    """What the snapshot holds after profiles were made so, one after the other."""
    history = []
    holds: dict[int, tuple] = {}
    for step in steps:
        for row in step["user_profile"]:
            start = datetime.datetime.combine(row["as_of_date"], datetime.time())
            customer, segment = row["customer_id"], (row["rfm_segment"], row["spend_sentiment_quadrant"])
            since, before = holds.get(customer, (None, None))
            if segment == before:
                continue
            if before:
                history.append((customer, since, start, *before))
            holds[customer] = (start, segment)
    return history + [(customer, since, None, *segment) for customer, (since, segment) in holds.items()]
