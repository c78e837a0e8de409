"""user_profile, customer_cohort_retention and user_segment_history, against demo/answers/profiles.py."""

import csv
import datetime
import re
import shutil
from collections import Counter

import duckdb
import pytest

from ci.staged_sample import ROOT, stage_again, staged_warehouse
from demo.answers.profiles import NO_ARTICLES, SEGMENTS, profiles_for, wilson_lower_bound

pytestmark = pytest.mark.slow

KEYS = {
    "user_profile": ("customer_id",),
    "customer_cohort_retention": ("cohort_month", "months_since_first"),
    "user_segment_history": ("customer_id", "as_of_date"),
}

STATES = (
    "int_customer_invoice", "int_customer_shopping", "int_customer_spending", "int_customer_opinion", "int_customer_favourite",
    "int_customer_active_day", "int_customer_day_profiled", "int_name_profiled",
)  # fmt: skip


def rows_of(warehouse, table: str) -> dict[tuple, dict]:
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        schema = "analytics_history" if table == "user_segment_history" else "analytics_marts"
        found = connection.execute(f"select * from {schema}.{table}")
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
    assert any(profile["days_since_last_order"] != profile["days_since_last_invoice"] for profile in profiles)
    assert any(profile["order_count"] % 2 == 0 and profile["order_count"] for profile in profiles)
    for column in ("is_complete", "is_left_censored"):
        assert {row[column] for row in right["customer_cohort_retention"]} == {True, False}, column
    assert {0 < row["retention"] < 1 for row in right["customer_cohort_retention"]} == {True, False}


@pytest.mark.parametrize("day", [datetime.date(2020, 12, 31), datetime.date(2021, 1, 3)])
def test_a_profile_of_a_past_day_knows_nothing_of_what_came_after_it(built, sample, tmp_path, right, day):
    """Purchases and reviews of another date do not count, whenever they were delivered; the run after it is as of today again."""
    warehouse = built.copy(tmp_path)
    warehouse.vars = {"as_of_date": str(day)}
    build_profiles(warehouse)
    expected = profiles_for(sample.delivered, as_of=day)
    assert 0 < len(expected["user_profile"]) < len(right["user_profile"])
    assert_right(warehouse, expected)
    warehouse.vars = {}
    warehouse.build(sample.DAYS[-1])
    assert_right(warehouse, right)
    # Of the other days too: else a customer who is taken off one of them later would not be found.
    for table in STATES:
        state = f"select * from analytics_intermediate.{table}"
        assert Counter(warehouse.query(state)) == Counter(built.query(state)), table


def build_profiles(warehouse) -> str:
    printed = warehouse.dbt("build", "--select", "int_as_of_date+", "--exclude-resource-type", "unit_test")
    assert printed.returncode == 0, printed.stdout
    return printed.stdout


def test_the_history_of_segments_ends_before_the_past_day_whatever_was_built_last(built, sample, tmp_path):
    """The run before it has changed no customer, and so left no month that may be another."""
    warehouse = built.copy(tmp_path)
    warehouse.run(sample.DAYS[-1])
    months = "select distinct as_of_date from analytics_history.user_segment_history"
    assert (datetime.date(2020, 12, 31),) in warehouse.query(months)
    day = datetime.date(2020, 12, 30)
    warehouse.vars = {"as_of_date": str(day)}
    build_profiles(warehouse)
    assert_right(warehouse, profiles_for(sample.delivered, as_of=day))


def test_profiles_of_a_past_day_that_died_half_way_leave_nothing_behind(built, sample, tmp_path, right):
    warehouse = built.copy(tmp_path)
    warehouse.vars = {"as_of_date": str(sample.DAYS[2])}
    died = warehouse.dbt("run", "--select", "int_as_of_date+", "--exclude", "int_customer_opinion+")
    assert died.returncode == 0, died.stdout
    warehouse.vars = {}
    warehouse.build(sample.DAYS[-1])
    assert_right(warehouse, right)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"as_of_date": "2021-01-07"}, "the latest day that was delivered is 2021-01-06"),
        ({"as_of_date": "9999-12-31"}, "the latest day that was delivered is 2021-01-06"),
        ({"as_of_date": "2021-02-29"}, "The var as_of_date is '2021-02-29'. Give a day as YYYY-MM-DD"),
        ({"as_of_date": "31.12.2020"}, "The var as_of_date is '31.12.2020'. Give a day as YYYY-MM-DD"),
        (
            {"as_of_date": "2021-01-03", "from_date": "2021-01-06", "to_date": "2021-01-06"},
            "The var as_of_date goes with neither from_date nor to_date",
        ),
    ],
)
def test_an_as_of_date_that_cannot_be_is_refused(built, tmp_path, variables, said):
    warehouse = built.copy(tmp_path)
    warehouse.vars = variables
    printed = warehouse.dbt("run", "--select", "int_as_of_date", "user_profile")
    assert printed.returncode != 0
    assert said in " ".join(printed.stdout.split()), printed.stdout
    profiles = "select * from analytics_marts.user_profile"
    assert Counter(warehouse.query(profiles)) == Counter(built.query(profiles))


def test_a_log_of_a_wrong_year_moves_no_profile(sample, tmp_path):
    """The logs of a day say the year 9999: a warning, and their reviews count on the day they were delivered."""
    shutil.copytree(sample.staging, tmp_path / "staging")
    stage_again(
        tmp_path / "staging",
        "review_logs",
        sample.DAYS[-1],
        "select * replace (date '9999-12-31' as log_date) from staged",
    )
    warehouse = staged_warehouse(tmp_path / "warehouse", tmp_path / "staging")
    printed = warehouse.build()
    assert re.search(r"WARN [1-9]\d* review_dated_after_its_delivery", printed), printed
    ((first, last, latest_review),) = warehouse.query(
        "select min(as_of_date), max(as_of_date), max(last_review_date) from analytics_marts.user_profile"
    )
    assert first == last == sample.DAYS[-1] >= latest_review
    assert warehouse.query("select count(*) from analytics_marts.dim_date where year = 9999") == [(1,)]


def test_the_seed_has_the_codes_that_are_no_articles():
    with open(ROOT / "dbt_project/seeds/non_product_code.csv", encoding="utf-8") as seed:
        assert sorted(row["stock_code"] for row in csv.DictReader(seed)) == sorted(NO_ARTICLES)


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


def test_the_history_of_segments_does_not_depend_on_the_order_of_runs(sample, tmp_path):
    """Two days first, then those before them one by one; an old day comes again without half of its purchases; and all in one go."""
    shutil.copytree(sample.staging, tmp_path / "staging")
    warehouse = staged_warehouse(tmp_path / "warehouse", tmp_path / "staging")
    warehouse.run(sample.DAYS[4], sample.DAYS[5])
    for day in sample.DAYS[3::-1]:
        warehouse.run(day)
    assert_right(warehouse, profiles_for(sample.delivered))
    before = rows_of(warehouse, "user_segment_history")

    stage_again(
        tmp_path / "staging",
        "user_purchase",
        sample.DAYS[0],
        "select * from staged where customer_id % 2 = 0",
    )
    warehouse.build(sample.DAYS[0])
    at_once = staged_warehouse(tmp_path / "at_once", tmp_path / "staging")
    at_once.run()
    assert rows_of(warehouse, "user_segment_history") == rows_of(at_once, "user_segment_history") != before
    assert warehouse.marts() == at_once.marts()


def test_an_invoice_over_the_end_of_a_month_counts_in_the_month_in_which_it_began(sample, tmp_path):
    """Its second line comes with a later day, and goes when that day is delivered again. With it 7 has spent more than 8, and without it less."""
    staging = tmp_path / "staging"
    shutil.copytree(sample.staging, staging)
    line = (
        "select '{customer}' as invoice_number, 'A' as stock_code, 'CUSHION' as detail, {quantity} as quantity, "
        "timestamp '{at}' as invoice_date, 9.5 as unit_price, {customer} as customer_id, 'EIRE' as country"
    )
    first = [line.format(customer=c, quantity=c, at="2020-12-31 23:59:00") for c in (7, 8)]
    second = line.format(customer=7, quantity=900, at="2021-01-01 00:01:00")
    stage_again(staging, "user_purchase", sample.DAYS[1], " union all by name ".join(["from staged", *first]))
    stage_again(staging, "user_purchase", sample.DAYS[4], f"from staged union all by name {second}")
    warehouse = staged_warehouse(tmp_path / "warehouse", staging)
    warehouse.run(sample.DAYS[0], sample.DAYS[1])
    warehouse.run(sample.DAYS[2], sample.DAYS[5])
    with_it = rows_of(warehouse, "user_segment_history")
    at_once = staged_warehouse(tmp_path / "at_once", staging)
    at_once.run()
    second_line_first = staged_warehouse(tmp_path / "second_line_first", staging)
    second_line_first.run(sample.DAYS[2], sample.DAYS[5])
    second_line_first.run(sample.DAYS[0], sample.DAYS[1])
    for other in (at_once, second_line_first):
        assert rows_of(other, "user_segment_history") == with_it

    stage_again(
        staging, "user_purchase", sample.DAYS[4], "from staged where invoice_number is distinct from '7'"
    )
    without = staged_warehouse(tmp_path / "without", staging)
    without.run()
    assert rows_of(without, "user_segment_history") != with_it
    # A build dies before it has written segments: the invoices must be as they were until then.
    died = second_line_first.dbt(
        "run", "--exclude", "user_segment_history+", days=(sample.DAYS[4], sample.DAYS[4])
    )
    assert died.returncode == 0, died.stdout
    for each in (warehouse, at_once, second_line_first):
        each.build(sample.DAYS[4])
        assert rows_of(each, "user_segment_history") == rows_of(without, "user_segment_history")
        assert each.marts() == without.marts()
        for table in STATES:
            state = f"select * from analytics_intermediate.{table}"
            assert Counter(each.query(state)) == Counter(without.query(state)), table


def test_only_customers_whose_days_changed_are_made_again(built, sample, tmp_path):
    """Those who lost their rows too; and a build that died before its profiles is made up for when it is repeated."""
    staging = shutil.copytree(sample.staging, tmp_path / "staging")
    warehouse = built.copy(tmp_path / "warehouse", staging)
    touched = "select customer_id from analytics_intermediate.int_customer_touched"
    assert warehouse.query(touched) == [(None,)], "all of them, the first time"
    warehouse.run(sample.DAYS[2])
    assert warehouse.query(touched) == []
    assert warehouse.marts() == built.marts()

    day = sample.DAYS[2]
    buyers = {
        line.customer_id
        for line in sample.delivered.purchases
        if line.insert_date == day and line.customer_id is not None and line.customer_id % 2
    }
    stage_again(staging, "user_purchase", day, "select * from staged where customer_id % 2 = 0")
    # The build dies when some states are written.
    died = warehouse.dbt("run", "--select", "+int_customer_spending", days=(day, day))
    assert died.returncode == 0, died.stdout
    warehouse.build(day)
    assert {customer for (customer,) in warehouse.query(touched)} == buyers != set()
    at_once = staged_warehouse(tmp_path / "at_once", staging)
    at_once.run()
    assert warehouse.marts() == at_once.marts() != built.marts()
    for table in STATES:
        state = f"select * from analytics_intermediate.{table}"
        assert Counter(warehouse.query(state)) == Counter(at_once.query(state)), table
    history = "select customer_id, invoices::text, reviews::text from analytics_marts.customer_history_nested"
    assert Counter(warehouse.query(history)) == Counter(at_once.query(history))


def test_a_name_that_changes_is_changed_for_all_customers(built, sample, own_project, tmp_path):
    """A region in the seed: the favourites of customers of other days have it too."""
    warehouse = built.copy(tmp_path / "warehouse")
    seed = own_project / "seeds/us_state.csv"
    seed.write_text(seed.read_text().replace(",South", ",Sunny"))
    assert warehouse.query(
        "select count(*) from analytics_marts.user_profile where favourite_region = 'South'"
    ) > [(9,)]
    seeded = warehouse.dbt("seed", project=own_project)
    assert seeded.returncode == 0, seeded.stdout
    built_again = warehouse.dbt(
        "run", "--select", "+user_profile", days=(sample.DAYS[0], sample.DAYS[0]), project=own_project
    )
    assert built_again.returncode == 0, built_again.stdout
    regions = {
        region for (region,) in warehouse.query("select favourite_region from analytics_marts.user_profile")
    }
    assert "Sunny" in regions and "South" not in regions


def test_cohorts_know_when_the_last_month_is_none_any_more_and_when_a_customer_is_gone(
    sample, tmp_path, monkeypatch
):
    """Months before those that changed are not made again, unless they are others all the same."""
    staging = tmp_path / "staging"
    shutil.copytree(sample.staging, staging)
    first, *others, last = sample.DAYS
    nothing = "select * from staged where false"
    stage_again(staging, "user_purchase", first, "select * from staged where invoice_date < '2020-12-31'")
    for day in (*others, last):
        # a review of last year would have all months since then made again, a purchase of the days before the last those of December
        stage_again(staging, "classified_movie_review", day, nothing)
        if day != last:
            stage_again(staging, "user_purchase", day, nothing)
    warehouse = staged_warehouse(tmp_path / "warehouse", staging)
    warehouse.run()

    def cohorts():
        return rows_of(warehouse, "customer_cohort_retention")

    def made_at_once():
        made = warehouse.dbt("run", "--select", "customer_cohort_retention", "--full-refresh")
        assert made.returncode == 0, made.stdout
        return cohorts()

    # Erased from the warehouse alone, as when staging of their days is gone.
    before, december = cohorts(), datetime.date(2020, 12, 1)
    ((customer,),) = warehouse.query(
        "select min(customer_id) from analytics_marts.user_profile "
        "where first_order_date is not null and last_invoice_date < '2021-01-01'"
    )
    monkeypatch.setenv("ERASE_CUSTOMER", str(customer))
    erased = warehouse.dbt("run-operation", "erase_customer", "--args", "{confirmed: true}")
    assert erased.returncode == 0, erased.stdout
    # whose rows are still staged here, so that the ledger does not balance
    ran = warehouse.dbt("run", days=(last, last))
    assert ran.returncode == 0, ran.stdout
    assert cohorts() == made_at_once() != before

    # December was over by the purchases of January, and is not without them.
    assert {row["is_complete"] for row in cohorts().values() if row["active_month"] == december} == {True}
    stage_again(staging, "user_purchase", last, nothing)
    ran = warehouse.dbt("run", days=(last, last))
    assert ran.returncode == 0, ran.stdout
    without_january = cohorts()
    assert {row["is_complete"] for row in without_january.values() if row["active_month"] == december} == {
        False
    }
    assert without_january == made_at_once()
