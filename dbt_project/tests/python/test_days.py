"""Which days a run reads, builds and tests: literals in its SQL, and no more than that."""

import re

import pytest

from ci.staged_sample import Sample, Warehouse

pytestmark = pytest.mark.slow

DAYS = Sample.DAYS


@pytest.fixture(scope="module")
def last_day(built, tmp_path_factory) -> Warehouse:
    """Everything is built, and then the last day again."""
    own = built.copy(tmp_path_factory.mktemp("last_day"))
    own.run(DAYS[-1])
    return own


def days_to_build(warehouse: Warehouse) -> list:
    return [
        day
        for (day,) in warehouse.query(
            "select insert_date from analytics_intermediate.int_day_to_build order by 1"
        )
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], "false"),
        (["2021-01-31"], "d between 2021-01-31 and 2021-01-31"),
        (["2020-12-31", "2021-01-01", "2021-01-02"], "d between 2020-12-31 and 2021-01-02"),
        (
            ["2021-01-01", "2021-01-03", "2021-01-04", "2021-03-01"],
            """(d between 2021-01-01 and 2021-03-01 and (d between 2021-01-01 and 2021-01-01
            or d between 2021-01-03 and 2021-01-04 or d between 2021-03-01 and 2021-03-01))""",
        ),
    ],
    ids=["none", "one", "in a row", "with gaps"],
)
def test_days_in_a_row_are_one_range(last_day, days, expected):
    given = ", ".join(f"modules.datetime.date.fromisoformat('{day}')" for day in days)
    compiled = last_day.dbt("--quiet", "compile", "--inline", f"{{{{ is_one_of_days('d', [{given}]) }}}}")
    assert compiled.returncode == 0, compiled.stdout
    written = re.sub(r"cast\('([\d-]+)' as date\)", r"\1", compiled.stdout)
    assert " ".join(written.split()) == " ".join(expected.split())


def test_a_run_writes_its_days_and_ids_as_literals(last_day):
    """Of every model that is built by days: no subquery, and the days that the warehouse has in int_day_to_build."""
    days = days_to_build(last_day)
    assert DAYS[-1] in days and len(days) < len(DAYS)
    models = ("int_attributed_review", "fact_movie_analytics", "user_behavior_metric", "ledger")
    others = ("int_month_to_build", "int_customer_activity")
    compiled = last_day.dbt("compile", "--select", *models, *others, days=(DAYS[-1], DAYS[-1]))
    assert compiled.returncode == 0, compiled.stdout
    files = {
        file.stem: file.read_text()
        for file in (last_day.folder / "target/compiled/movie_analytics/models").rglob("*.sql")
    }
    for model in models:
        assert "int_day_to_build" not in files[model]
        between = re.search(
            r"between cast\('([\d-]+)' as date\) and cast\('([\d-]+)' as date\)", files[model]
        )
        assert between and between.groups() == (str(days[0]), str(days[-1])), model
    for column in ("active_date", "as_of_date"):
        first_day = re.search(rf"{column} >= cast\('([\d-]+)' as date\)", files["int_month_to_build"])
        assert first_day and first_day[1] > "2020", column
    assert re.search(
        r"active_date > cast\(\s*\S*cast\('\d{4}-\d\d-\d\d' as date\)", files["int_customer_activity"]
    )
    ((first, last),) = last_day.query(
        "select min(review_id), max(review_id) from analytics_intermediate.int_review "
        "where insert_date in (from analytics_intermediate.int_day_to_build)"
    )
    assert files["int_attributed_review"].count(f"_id between {first} and {last}") == 2


def test_a_test_looks_at_the_days_that_a_run_builds_and_at_all_of_them_without_a_range(last_day, tmp_path):
    own = last_day.copy(tmp_path / "own")
    untouched = next(day for day in DAYS if day not in days_to_build(own))
    twice = {
        "analytics_marts.fact_movie_analytics": ("fact_row_twice", "fact_and_user_behavior_metric_disagree"),
        "analytics_marts.user_behavior_metric": ("customer_twice_on_a_day",),
        "analytics_intermediate.int_review": ("review_copy_numbered_twice",),
    }
    own.change(
        *(
            f"insert into {table} select * from {table} where insert_date = date '{untouched}' limit 1"
            for table in twice
        )
    )
    tests = sorted(name for names in twice.values() for name in names)
    assert not failed_tests(own, tests, (DAYS[-1], DAYS[-1]))
    assert failed_tests(own, tests, None) == tests
    assert own.dbt("run", "--select", "int_day_to_build", days=(untouched, untouched)).returncode == 0
    assert failed_tests(own, tests, (untouched, untouched)) == tests


def test_the_segments_of_a_month_that_a_run_does_not_make_are_tested_without_a_range(last_day, tmp_path):
    own = last_day.copy(tmp_path / "own")
    table, test = "analytics_history.user_segment_history", "customer_month_with_two_segments"
    own.change(
        f"insert into {table} select * from {table} order by as_of_date limit 1",
        "delete from analytics_intermediate.int_month_to_build",
    )
    ((month,),) = own.query(f"select min(as_of_date) from {table}")
    assert not failed_tests(own, [test], (DAYS[-1], DAYS[-1]))
    assert failed_tests(own, [test], None) == [test]
    own.change(f"insert into analytics_intermediate.int_month_to_build values ('{month}', true)")
    assert failed_tests(own, [test], (DAYS[-1], DAYS[-1])) == [test]


def test_a_review_that_counts_on_a_day_to_build_and_on_another_is_found(last_day, tmp_path):
    """A test of a key without the day looks at all days near the ids of those that the run builds."""
    own = last_day.copy(tmp_path / "own")
    own.change(
        "insert into analytics_intermediate.int_attributed_review "
        f"select * replace (date '{DAYS[0]}' as insert_date) "
        f"from analytics_intermediate.int_attributed_review where insert_date = date '{DAYS[-1]}' limit 1"
    )
    name = "review_that_counts_twice"
    assert failed_tests(own, [name], (DAYS[-1], DAYS[-1])) == [name]


def failed_tests(warehouse: Warehouse, tests: list[str], days) -> list[str]:
    """Which of these tests find something."""
    tested = warehouse.dbt("test", "--select", *tests, days=days)
    ran = re.findall(r"(?:PASS|FAIL \d+) (\w+) \.", tested.stdout)
    assert sorted(set(ran)) == sorted(tests), tested.stdout
    return sorted(set(re.findall(r"FAIL \d+ (\w+) \.", tested.stdout)))


def test_duckdb_writes_a_table_of_many_days_in_the_order_of_its_days(built, manifest):
    """A day's rows lie together, so that the row groups of other days are skipped, however many days a build has."""
    sorted_by_day = {
        node["relation_name"].replace('"', "").split(".", 1)[1]: node["config"]["sort"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("sort") not in (None, "customer_id")
    }
    assert {"insert_date", "active_date", "invoice_date", "as_of_date"} == set(sorted_by_day.values())
    assert len(sorted_by_day) >= 15
    for table, column in sorted_by_day.items():
        days = [day for (day,) in built.query(f"select {column} from {table} order by rowid")]
        assert days == sorted(days), table


@pytest.fixture(scope="module")
def touched(last_day, tmp_path_factory) -> Warehouse:
    """The customers of the last day are made again, and nobody else."""
    own = last_day.copy(tmp_path_factory.mktemp("touched"))
    own.change(
        f"delete from analytics_intermediate.int_customer_day_profiled where insert_date = date '{DAYS[-1]}'"
    )
    own.run(DAYS[-1])
    return own


def test_customers_days_are_read_for_a_month_that_ended_before_the_as_of_date_alone(last_day, tmp_path):
    """Segments at the end of the month in which the as-of date lies, also if it is its last day, need none of them."""

    def bound(month_end: str) -> str:
        own.change(
            "delete from analytics_intermediate.int_month_to_build",
            f"insert into analytics_intermediate.int_month_to_build select {month_end}, true",
        )
        compiled = own.dbt(
            "--quiet", "compile", "--select", "int_customer_standing", days=(DAYS[-1], DAYS[-1])
        )
        assert compiled.returncode == 0, compiled.stdout
        return re.findall(r"active_date <= (.*)", compiled.stdout)[0]

    own = last_day.copy(tmp_path / "own")
    as_of = "(select as_of_date from analytics_intermediate.int_as_of_date)"
    assert bound(as_of) == "cast(null as date)"
    ((before,),) = own.query(f"select {as_of} - 1")
    assert bound(f"date '{before}'") == f"cast('{before}' as date)"


@pytest.mark.parametrize(
    ("change", "found_in_a_range"),
    [
        ("update analytics_marts.user_profile set review_count = review_count + 1 where {touched}", True),
        ("update analytics_marts.user_profile set gross_amount = gross_amount + 1 where {touched}", True),
        ("update analytics_marts.user_behavior_metric set review_score = review_score + 1 where {today} and {touched}", True),
        ("delete from analytics_marts.user_behavior_metric where {today} and {touched}", True),
        # Nothing that the run has written: of other days the run read what profiles are made from, of other customers nothing.
        ("update analytics_marts.user_behavior_metric set review_score = review_score + 1 where not {today} and {touched}", False),
        ("update analytics_marts.user_profile set review_count = review_count + 1 where not {touched}", False),
    ],
)  # fmt: skip
def test_a_profile_is_compared_with_the_metric_of_the_days_to_build(
    touched, tmp_path, change, found_in_a_range
):
    own = touched.copy(tmp_path / "own")
    test = "profile_and_user_behavior_metric_disagree"
    assert failed_tests(own, [test], (DAYS[-1], DAYS[-1])) == []
    is_touched = "customer_id in (select customer_id from analytics_intermediate.int_customer_touched)"
    today = "insert_date in (from analytics_intermediate.int_day_to_build)"
    own.change(change.format(touched=is_touched, today=today))
    assert failed_tests(own, [test], None) == [test]
    assert failed_tests(own, [test], (DAYS[-1], DAYS[-1])) == [test] * found_in_a_range


def test_a_healthy_warehouse_of_which_a_part_is_built_again_raises_no_alarm(touched, tmp_path):
    """Nobody is touched any more, while the reviews and lines are still those of the customers who were."""
    own = touched.copy(tmp_path / "own")
    built = own.dbt("run", "--select", "+int_customer_touched", days=(DAYS[-1], DAYS[-1]))
    assert built.returncode == 0, built.stdout
    assert own.query("from analytics_intermediate.int_customer_touched") == []
    assert own.query("select count(*) > 0 from analytics_intermediate.int_touched_review") == [(True,)]
    assert failed_tests(own, ["profile_and_user_behavior_metric_disagree"], (DAYS[-1], DAYS[-1])) == []


def test_a_build_without_rows_has_no_date_of_no_text(last_day, tmp_path):
    """What `dbt build --empty` sends: other warehouses refuse it."""
    own = last_day.copy(tmp_path / "own")
    built = own.dbt("run", "--empty", "--select", "int_customer_activity", days=(DAYS[-1], DAYS[-1]))
    assert built.returncode == 0, built.stdout
    (sql,) = (own.folder / "target/run").rglob("int_customer_activity.sql")
    assert "limit 0" in sql.read_text() and "cast('' as date)" not in sql.read_text()


def test_a_run_looks_for_double_days_from_the_first_on_that_it_has_written(touched, tmp_path):
    own, test = touched.copy(tmp_path / "own"), "customer_active_day_twice"
    table = "analytics_intermediate.int_customer_active_day"
    first = "(select min(first_active_date) from analytics_intermediate.int_customer_touched)"
    ((before, after),) = own.query(
        f"select count(*) filter (active_date < {first}), count(*) filter (active_date >= {first}) from {table}"
    )
    assert before and after
    own.change(f"insert into {table} select * from {table} where active_date < {first} limit 1")
    assert failed_tests(own, [test], (DAYS[-1], DAYS[-1])) == []
    assert failed_tests(own, [test], None) == [test]
    own.change(f"insert into {table} select * from {table} where active_date >= {first} limit 1")
    assert failed_tests(own, [test], (DAYS[-1], DAYS[-1])) == [test]
