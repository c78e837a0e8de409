"""What dbt did is in the warehouse: each run's nodes and tests, and the summary of a day. (The stand-ins of Redshift and
BigQuery: test_warehouses.)"""

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ci.staged_sample import Sample, Warehouse, staged_warehouse
from spark_prep.contract import tables
from spark_prep.contract.publish import Delivery, committed, delivery_file

pytestmark = pytest.mark.slow

DAYS = Sample.DAYS
# A reason as a person may type it.
SAID = "it's \\' or C:\\new\n-- the vendor's {{ file }}"
AUDIT = "analytics_audit.run_result"


@pytest.fixture(scope="module")
def began() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)


@pytest.fixture(scope="module")
def warehouse(sample, began, tmp_path_factory) -> Warehouse:
    """The first three days, then the others."""
    warehouse = staged_warehouse(tmp_path_factory.mktemp("audited"), sample.staging)
    warehouse.build(DAYS[0], DAYS[2])
    warehouse.build(DAYS[3], DAYS[5])
    return warehouse


@pytest.fixture
def own(warehouse, tmp_path) -> Warehouse:
    """A copy that a test may change."""
    return warehouse.copy(tmp_path / "own")


def runs(warehouse: Warehouse) -> list[tuple]:
    """(invocation, from_date, to_date, rows) of each run, in order."""
    return warehouse.query(
        f"select invocation_id, from_date, to_date, count(*) from {AUDIT} "
        "group by invocation_id, from_date, to_date, run_started_at order by run_started_at"
    )


def summary(warehouse: Warehouse, day) -> dict:
    printed = warehouse.dbt(
        "--quiet", "run-operation", "day_summary", "--args", json.dumps({"day": str(day)})
    )
    assert printed.returncode == 0, printed.stdout
    (line,) = printed.stdout.splitlines()
    return json.loads(line)


def test_each_node_of_a_run_is_recorded_as_dbt_reports_it(warehouse):
    report = json.loads((warehouse.folder / "target/run_results.json").read_text())
    reported = {
        (result["unique_id"], result["status"], result["failures"], round(result["execution_time"], 3))
        for result in report["results"]
        if result["unique_id"].split(".")[0] not in ("operation", "exposure", "saved_query")
    }
    invocation = report["metadata"]["invocation_id"]
    recorded = warehouse.query(
        f"select unique_id, status, failures, cast(seconds as double) from {AUDIT} where invocation_id = '{invocation}'"
    )
    assert {row[0].split(".")[0] for row in recorded} == {"model", "seed", "test"}
    assert len(recorded) == len(set(recorded)) and set(recorded) == reported


def test_rows_that_a_test_found_are_kept_without_what_tells_of_a_person(own):
    """By a test of a customer's column, one of another column, and one of the project's own, of several columns."""
    (customer,) = own.query(
        "select min(customer_id) from analytics_marts.user_profile where customer_id > 0"
    )[0]
    before = own.query("select count(*) from analytics_audit.failing_row")
    own.change(
        f"insert into analytics_marts.user_profile from analytics_marts.user_profile where customer_id = {customer}",
        "insert into analytics_marts.dim_os from analytics_marts.dim_os where os = 'Linux'",
        f"update analytics_marts.user_behavior_metric set amount_spent = amount_spent + 1 where customer_id = {customer}",
    )
    tested = own.dbt("test", "--select", "user_profile", "dim_os", "fact_and_user_behavior_metric_disagree")
    assert tested.returncode != 0
    kept = own.query(
        "select node_name, row_text, left_out from analytics_audit.failing_row "
        "where invocation_id = (select arg_max(invocation_id, run_started_at) from analytics_audit.run_result)"
    )
    ((linux,),) = own.query("select distinct id_dim_os from analytics_marts.dim_os where os = 'Linux'")
    of = {name: (text, left_out) for name, text, left_out in kept}
    assert of["customer_with_two_profiles"] == ("n_records: 2", "unique_field")
    assert of["dim_os_key_used_twice"] == (f"unique_field: {linux}, n_records: 2", None)
    text, left_out = of["fact_and_user_behavior_metric_disagree"]
    assert left_out == "customer_id" and text.startswith("insert_date: 2021-01-0")
    assert not any(str(customer) in text for _, text, _ in kept)
    assert len(kept) <= 20 * len(of) and before != own.query(
        "select count(*) from analytics_audit.failing_row"
    )


def test_bytes_are_those_that_each_node_read(warehouse):
    """Staging is read by the first models that need it, the small seeds from memory."""
    files = [
        file.stat().st_size
        for day in DAYS[3:]
        for file in Path(warehouse.settings["STAGING_URI"]).glob(f"review_logs/insert_date={day}/*/*.parquet")
    ]
    recorded = dict(
        warehouse.query(
            f"select node_name, bytes_processed from {AUDIT} where from_date = '{DAYS[3]}' and resource_type <> 'test'"
        )
    )
    assert 0.5 * sum(files) < recorded["int_log"] < 3 * sum(files)
    assert all(read is not None and read < 20e6 for read in recorded.values())


def test_a_day_that_reads_more_than_its_cap_warns_then_fails(own):
    day = {"from_date": str(DAYS[1]), "to_date": str(DAYS[1])}
    outcomes = {}
    for caps in (
        {"bytes_per_day_warn": 10**9, "bytes_per_day_fail": 10**10},
        {"bytes_per_day_warn": 1, "bytes_per_day_fail": 10**10},
        {"bytes_per_day_warn": 1, "bytes_per_day_fail": 2},
    ):
        ran = own.dbt("run", "--select", "int_log", "--vars", json.dumps(day | caps))
        outcomes[caps["bytes_per_day_fail"], caps["bytes_per_day_warn"]] = (
            ran.returncode,
            " ".join(ran.stdout.split()),
        )
    said = "bytes for each of its days, most of them for int_log"
    (within, none), (warned, warning), (failed, failure) = outcomes.values()
    assert within == 0 and said not in none
    assert warned == 0 and said in warning and "bytes_per_day_warn is 1." in warning
    assert failed != 0 and said in failure and "bytes_per_day_fail allows 2" in failure


def test_a_run_has_its_days_and_its_time(warehouse, began):
    assert [run[1:3] for run in runs(warehouse)] == [(DAYS[0], DAYS[2]), (DAYS[3], DAYS[5])]
    ((first, last),) = warehouse.query(f"select min(run_started_at), max(run_started_at) from {AUDIT}")
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert began <= first < last < now


def test_a_test_says_what_it_is_about_and_how_grave_it_is(warehouse):
    rows = {
        row[0]: row[1:]
        for row in warehouse.query(
            f"select distinct node_name, model_name, severity from {AUDIT} where resource_type = 'test'"
        )
    }
    assert rows["ledger_does_not_balance"] == ("ledger", "error")
    assert rows["device_never_seen_before"] == ("dim_devices", "warn")
    # about two models
    assert rows["fact_and_user_behavior_metric_disagree"] == (None, "error")
    ((models,),) = warehouse.query(
        f"select count(*) from {AUDIT} where resource_type <> 'test' and node_name <> model_name"
    )
    assert models == 0


def test_a_run_is_recorded_in_one_statement(warehouse):
    """Up to five hundred rows fit into one, so that recording takes no time worth telling."""
    results = json.loads((warehouse.folder / "target/run_results.json").read_text())["results"]
    hook = next(result for result in results if result["unique_id"].endswith("on-run-end-1"))
    assert hook["status"] == "success"
    assert len(inserts(warehouse)) == len(runs(warehouse)) == 2


def inserts(warehouse: Warehouse) -> list[str]:
    """The statements that recorded, from the log."""
    log = (warehouse.folder / "logs/dbt.log").read_text()
    return [
        part.split(";")[0] for part in log.split('insert into "warehouse"."analytics_audit"."run_result"')[1:]
    ]


def test_a_statement_stays_below_a_megabyte(warehouse):
    """BigQuery's limit, for five hundred rows of the size of these."""
    ((rows,),) = warehouse.query(f"select count(*) from {AUDIT}")
    assert sum(map(len, inserts(warehouse))) / rows * 500 < 1_000_000


@pytest.mark.parametrize(
    "command", [("run", "--empty"), ("compile",), ("docs", "generate")], ids=lambda command: " ".join(command)
)
def test_what_builds_nothing_records_nothing(own, command):
    before = runs(own)
    ran = own.dbt(*command, "--select", "stg_delivery")
    assert ran.returncode == 0, ran.stdout
    assert runs(own) == before


def test_staging_is_as_fresh_as_the_feed_that_is_furthest_behind(own, tmp_path):
    """A look at it is not recorded as a build."""
    before, today = runs(own), datetime.datetime.now(datetime.UTC).date()
    own.settings["STAGING_URI"] = str(tmp_path / "staging")

    def deliver(table: str, days_ago: int, is_delivered: bool = True) -> None:
        file = tmp_path / "staging" / delivery_file(table, today - datetime.timedelta(days_ago))
        file.parent.mkdir(parents=True, exist_ok=True)
        row = Delivery(table, "run", is_delivered, int(is_delivered), 1)
        pq.write_table(pa.Table.from_pylist([row._asdict()], schema=tables.DELIVERY), file)

    def status() -> str:
        own.dbt("source", "freshness")
        (result,) = json.loads((own.folder / "target/sources.json").read_text())["results"]
        return result["status"]

    deliver("user_purchase", 1)
    deliver("classified_movie_review", 1)
    own.stage_external_sources()
    # logs never came
    assert status() == "error"
    deliver("review_logs", 4)
    assert status() == "error"
    # the run was there, and the file was not
    deliver("review_logs", 1, is_delivered=False)
    assert status() == "error"
    deliver("review_logs", 1)
    assert status() == "pass"
    assert runs(own) == before


def test_a_column_that_the_table_lacks_is_added(own):
    """The table outlives the version of the project that made it."""
    before = runs(own)
    own.change(f"alter table {AUDIT} drop column seconds")
    assert own.dbt("run", "--select", "stg_delivery").returncode == 0
    assert own.query(f"select count(seconds), count(*) from {AUDIT}") == [
        (1, 1 + sum(run[3] for run in before))
    ]
    assert own.query(f"select typeof(seconds) from {AUDIT} limit 1") == [("DECIMAL(12,3)",)]


def test_a_failing_test_is_recorded_and_told_with_its_day(own):
    day = DAYS[1]
    own.change(f"update analytics_marts.ledger set is_balanced = false where insert_date = '{day}'")
    before = summary(own, day)
    assert before["tests"]["fail"] == 0 and before["tests"]["pass"] > 20
    tested = own.dbt("test", "--select", "ledger", "stg_delivery", days=(day, day))
    assert tested.returncode == 1, tested.stdout
    after = summary(own, day)
    # that one, all others as the build of the day left them
    assert after["tests"] == {**before["tests"], "fail": 1, "pass": before["tests"]["pass"] - 1}
    failed = {
        "name": "ledger_does_not_balance",
        "model": "ledger",
        "status": "fail",
        "severity": "error",
        "failures": 1,
    }
    assert failed in after["not_passed"]
    assert summary(own, DAYS[3])["tests"]["fail"] == 0


class TestDaySummary:
    def test_the_ledger_of_the_day_with_the_reasons_of_what_was_rejected(self, warehouse):
        day = DAYS[1]
        told = summary(warehouse, day)
        names = [
            "table_name", "is_delivered", "is_balanced", "records_delivered", "records_quarantined", "records_staged",
            "records_in_marts", "records_duplicate", "records_unattributable",
        ]  # fmt: skip
        amounts = ["amount_staged", "amount_in_marts", "amount_unattributable"]
        expected = warehouse.query(
            f"select {', '.join(names)}, {', '.join(f'cast({name} as varchar)' for name in amounts)} "
            f"from analytics_marts.ledger where insert_date = '{day}' order by table_name"
        )
        assert [tuple(row[name] for name in names + amounts) for row in told["ledger"]] == expected
        assert len(expected) == 3
        for row in told["ledger"]:
            assert sum(row["rejected"].values()) == row["records_quarantined"]
        assert {row["table_name"]: row["rejected"] for row in told["ledger"]} == {
            row["table_name"]: dict(
                warehouse.query(
                    "select reason, records from analytics_external.rejection "
                    f"where insert_date = '{day}' and table_name = '{row['table_name']}'"
                )
            )
            for row in told["ledger"]
        }

    def test_its_lines_are_those_that_a_build_prints_with_the_reasons_of_what_was_rejected(self, own):
        day = DAYS[1]
        printed = own.dbt("--quiet", "run", "--select", "ledger", days=(day, day))
        assert printed.returncode == 0, printed.stdout
        told = summary(own, day)
        heading, *figures = told["ledger_lines"]
        assert heading == f"Ledger of {day}"
        reasons = [line for line in figures if " rejected: " in line]
        assert reasons == [
            f"    {records} rejected: {reason}"
            for table in told["ledger"]
            for reason, records in sorted(table["rejected"].items())
        ]
        in_build = printed.stdout.splitlines()
        start = in_build.index(f"Ledger of {day} to {day}") + 1
        without_reasons = [line for line in figures if line not in reasons]
        assert in_build[start : start + len(without_reasons)] == without_reasons

    def test_a_run_of_everything_is_one_of_each_day(self, own):
        """And tests that the project no longer has are history."""
        own.change(
            f"insert into {AUDIT} (invocation_id, run_started_at, unique_id, resource_type, node_name, status, failures) "
            "select 'all', timestamp '2100-01-01', unique_id, resource_type, node_name, 'warn', 3 "
            f"from {AUDIT} where node_name = 'ledger_does_not_balance' limit 1",
            f"insert into {AUDIT} (unique_id, resource_type, node_name, status, failures) "
            "values ('test.movie_analytics.dropped', 'test', 'dropped', 'fail', 1)",
        )
        not_passed = {test["name"]: test for test in summary(own, DAYS[0])["not_passed"]}
        assert not_passed["ledger_does_not_balance"]["failures"] == 3
        assert "dropped" not in not_passed

    def test_a_day_that_was_never_built_has_no_rows_and_no_tests(self, warehouse):
        told = summary(warehouse, "2019-01-01")
        assert told["ledger"] == [] and sum(told["tests"].values()) == 0

    def test_no_day_is_a_clear_error(self, warehouse):
        refused = warehouse.dbt("run-operation", "day_summary", "--args", "{day: yesterday}")
        assert refused.returncode != 0
        assert "the day is 'yesterday'; write it as YYYY-MM-DD" in refused.stdout


def runs_of(warehouse: Warehouse, day) -> dict[str, str | None]:
    """{table: run} as the day's delivery rows name them."""
    staging = warehouse.settings["STAGING_URI"]
    rows = {table: committed(staging, table, day) for table in tables.STAGING | tables.OPTIONAL}
    return {table: row.run for table, row in rows.items() if row}


def built_days(warehouse: Warehouse, **arguments: str) -> dict[str, dict[str, str | None]]:
    printed = warehouse.dbt("--quiet", "run-operation", "built_days", "--args", json.dumps(arguments))
    assert printed.returncode == 0, printed.stdout
    (line,) = printed.stdout.splitlines()
    return json.loads(line)


def test_a_build_records_which_runs_each_day_was_built_from(warehouse):
    assert built_days(warehouse) == {str(day): runs_of(warehouse, day) for day in DAYS}
    assert built_days(warehouse, day=str(DAYS[1])) == {str(DAYS[1]): runs_of(warehouse, DAYS[1])}


def test_nothing_is_built_before_the_first_build(sample, tmp_path):
    assert built_days(staged_warehouse(tmp_path, sample.staging)) == {}


def test_what_is_not_a_whole_build_that_ended_well_is_no_build(own):
    """A model of many, and a build of which a test failed: what is recorded stays what it was."""
    before = own.query("select count(*) from analytics_audit.day_built")
    day = DAYS[5]
    assert own.dbt("run", "--select", "stg_delivery", "ledger", days=(day, day)).returncode == 0
    own.settings["DBT_CHECKED_RUNS"] = json.dumps(runs_of(own, day) | {"review_logs": "another"})
    assert own.dbt("build", "--exclude-resource-type", "unit_test", days=(day, day)).returncode == 1
    assert own.query("select count(*) from analytics_audit.day_built") == before


def test_an_ephemeral_model_keeps_no_day_from_being_recorded(own, own_project):
    """dbt never builds one."""
    mine = own_project / "models/intermediate/mine.sql"
    mine.write_text("{{ config(materialized='ephemeral') }}\nselect 1 as n\n")
    recorded = "select count(*) from analytics_audit.day_built"
    ((before,),) = own.query(recorded)
    assert own.dbt("run", days=(DAYS[5], DAYS[5]), project=own_project).returncode == 0
    assert own.query(recorded)[0][0] > before


def test_a_build_of_anything_but_what_was_checked_stops_before_the_marts(own):
    day = DAYS[5]
    own.change(f"delete from analytics_marts.ledger where insert_date = '{day}'")
    own.settings["DBT_CHECKED_RUNS"] = json.dumps(runs_of(own, day) | {"review_logs": "another"})
    stopped = own.dbt("build", "--exclude-resource-type", "unit_test", days=(day, day))
    assert stopped.returncode == 1 and "delivery_is_not_what_was_checked" in stopped.stdout
    assert own.query(f"select * from analytics_marts.ledger where insert_date = '{day}'") == []
    own.settings["DBT_CHECKED_RUNS"] = json.dumps(runs_of(own, day))
    own.settings["DBT_ACCEPTED"] = json.dumps(
        [{"table": "review_logs", "by": "Mary O'Neil", "because": SAID}]
    )
    own.build(day)
    assert len(own.query(f"select * from analytics_marts.ledger where insert_date = '{day}'")) == 3
    accepted = "select table_name, accepted_by, accepted_because from analytics_audit.day_built where accepted_by is not null"
    assert own.query(accepted) == [("review_logs", "Mary O'Neil", SAID)]
