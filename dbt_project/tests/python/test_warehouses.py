"""The same dbt project on three warehouses: on DuckDB, and through the real adapters on stand-ins of Redshift and BigQuery.

What the stand-ins cannot show is said in ci/stand_ins/SUPPORT.md. A build takes a minute there, so that few have to show much: all days but
the first, of which one has other records than it will have; the first day; then the old day with the records that stay, beside what a
killed run has left. After the second and the third build every table has to hold the same rows as on DuckDB, where everything is built at
once.
"""

import contextlib
import datetime
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from ci.benchmarks import costs
from ci.staged_sample import ROOT, Sample, Warehouse, stage_again, staged_warehouse
from ci.stand_ins.bigquery import bigquery_stand_in
from ci.stand_ins.redshift import redshift_stand_in
from ci.stand_ins.redshift.gate import problems_of
from spark_prep.contract import publish, tables

pytestmark = pytest.mark.slow

DAYS = Sample.DAYS
# Beside the marts.
INTERMEDIATE = (
    "int_review", "int_log", "int_log_member", "int_purchase_line", "int_customer_purchase", "int_delivery", "int_record_day",
    "int_attributed_review", "int_classification",
)  # fmt: skip
# What a vendor, or the shop, delivers for the second day at first: fewer records, ids of the last day, and texts that end in blanks.
OTHER_RECORDS = {
    "classified_movie_review": "from staged where review_id % 3 <> 0 union all from last_day where review_id % 5 = 0",
    "review_logs": "from staged where log_id % 3 <> 1 union all from last_day where log_id % 5 = 0",
    "user_purchase": "select * replace (country || repeat(' ', coalesce(customer_id, 0) % 2) as country) from staged where customer_id % 3 <> 0",
}


POLICY_TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2"


class StandIn(Warehouse):
    """A warehouse behind a real adapter, with a copy of the sample's staging layer in its bucket `lake`."""

    # BigQuery's reference implementation is slow: a short calendar is enough.
    vars: ClassVar = {"calendar_start": "2020-12-01", "calendar_end": "2021-01-31"}

    def __init__(self, name: str, folder: Path, staging_uri: str, profile: dict, stand_in, query):
        self.name, self.folder, self.stand_in, self._query = name, folder, stand_in, query
        self.settings = {
            "DBT_TARGET": name,
            "STAGING_URI": staging_uri,
            "BIGQUERY_CUSTOMER_POLICY_TAG": POLICY_TAG,
        }
        outputs = {"movie_analytics": {"target": name, "outputs": {name: profile}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(outputs))

    def query(self, sql: str) -> list[tuple]:
        return self._query(sql)

    def registered_runs(self, table: str, day) -> set[str]:
        """Of Redshift: the partitions of the day."""
        partitions = self.query(
            "select values from svv_external_partitions "
            f"where schemaname = 'analytics_external' and tablename = '{table}'"
        )
        values = [json.loads(values) for (values,) in partitions]
        return {run for of_day, run in values if of_day == str(day)}


@contextlib.contextmanager
def on_redshift(lake: Path, folder: Path):
    with redshift_stand_in(lake) as stand_in:
        yield StandIn("redshift", folder, "s3://lake/staging", stand_in.profile(), stand_in, stand_in.query)


@contextlib.contextmanager
def on_bigquery(lake: Path, folder: Path):
    with bigquery_stand_in(lake, project="my-project-12c1") as stand_in:
        profile = {
            "type": "bigquery", "method": "oauth-secrets", "token": "none", "job_retries": 0, "threads": 2,
            "api_endpoint": stand_in.endpoint, "project": stand_in.project, "location": stand_in.location,
            "dataset": "analytics",
        }  # fmt: skip

        def query(sql: str) -> list[tuple]:
            # The stand-in knows tables by their full name only.
            return stand_in.query(re.sub(r"(?<![`.])\b(analytics_\w+\.)", rf"`{stand_in.project}`.\1", sql))

        yield StandIn("bigquery", folder, "gs://lake/staging", profile, stand_in, query)


@pytest.fixture(scope="session")
def at_first(sample, made_once) -> Warehouse:
    """On DuckDB, all days at once while the second one has its other records; its staging layer is the folder `staging`."""

    def build(folder: Path) -> None:
        shutil.copytree(sample.staging, folder / "staging")
        for table, records in OTHER_RECORDS.items():
            stage_again(folder / "staging", table, DAYS[1], with_last_day(sample, table) + records)
        staged_warehouse(folder, folder / "staging").build()

    folder = made_once("at_first", build)
    return Warehouse(folder, folder / "staging")


@pytest.fixture(scope="module", params=[on_redshift, on_bigquery], ids=["redshift", "bigquery"])
def empty_warehouse(request, at_first, tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake")
    shutil.copytree(at_first.folder / "staging", lake / "staging")
    with request.param(lake, tmp_path_factory.mktemp("stand_in")) as warehouse:
        warehouse.lake = lake / "staging"
        yield warehouse


@pytest.fixture(scope="module")
def statements(empty_warehouse) -> str:
    """What stage_external_sources would run on an empty warehouse, for two days."""
    printed = empty_warehouse.dbt(
        "--quiet", "run-operation", "stage_external_sources", "--args", "{dry_run: true}", days=DAYS[:2]
    )
    assert printed.returncode == 0, printed.stdout
    return printed.stdout


@pytest.fixture(scope="module")
def warehouse(sample, empty_warehouse, statements) -> StandIn:
    """Built as the head of this file says, at first with unit tests, at last with data tests: as `make run` and Airflow build days, by dbt's
    command with the days in its vars and no other before it."""
    warehouse = empty_warehouse
    first = warehouse.dbt("build", days=(DAYS[1], DAYS[-1]))
    assert first.returncode == 0, first.stdout
    warehouse.first_staging = first.stdout
    warehouse.run(DAYS[0])
    warehouse.at_first = rows_of(warehouse)
    warehouse.runs_of_logs = [run_of_logs(warehouse)]
    warehouse.shown = [staged(warehouse, DAYS[1])]
    for table in tables.STAGING | tables.OPTIONAL:
        stage_again(warehouse.lake, table, DAYS[1], f"from {files_of(sample.staging, table, DAYS[1])}")
        stage_again(warehouse.lake, table, DAYS[1], "from staged union all from staged", is_committed=False)
    warehouse.runs_of_logs.append(run_of_logs(warehouse))
    warehouse.shown.append(staged(warehouse, DAYS[1]))
    warehouse.statements_for_logs = [dry_run(warehouse, "review_logs", DAYS[1], DAYS[1])]
    warehouse.build(DAYS[1])
    warehouse.shown.append(staged(warehouse, DAYS[1]))
    warehouse.statements_for_logs.append(dry_run(warehouse, "review_logs", DAYS[1], DAYS[1]))
    warehouse.stage_external_sources(days=(DAYS[0], DAYS[-1]))
    return warehouse


@pytest.fixture
def redshift(warehouse) -> StandIn:
    """For a test of what only Redshift has."""
    return only("redshift", warehouse)


@pytest.fixture
def bigquery(warehouse) -> StandIn:
    """For a test of what only BigQuery has."""
    return only("bigquery", warehouse)


def only(name: str, warehouse: StandIn) -> StandIn:
    return warehouse if warehouse.name == name else pytest.skip(f"of {name} alone")


def with_last_day(sample: Sample, table: str) -> str:
    return f"with last_day as (from {files_of(sample.staging, table, DAYS[-1])}) "


def files_of(staging: Path, table: str, day) -> str:
    """The rows of a staged day, to be read by DuckDB."""
    committed = publish.committed(str(staging), table, day)
    assert committed and committed.run
    files = publish.files_of(str(staging), table, day, committed.run)
    return f"read_parquet({files}, hive_partitioning = false)"


def staged(warehouse: Warehouse, day) -> dict[str, Counter]:
    """What the staging views show of a day."""
    return {
        table: without_zones(
            warehouse.query(f"select * from analytics_staging.stg_{table} where insert_date = date '{day}'")
        )
        for table in (*tables.STAGING, *tables.OPTIONAL, "rejection")
    }


def rows_of(warehouse: Warehouse) -> dict[str, Counter]:
    """Of every table whose rows do not depend on what was run when."""
    intermediate = {
        table: without_zones(warehouse.query(f"select * from analytics_intermediate.{table}"))
        for table in INTERMEDIATE
    }
    return warehouse.marts() | intermediate


def without_zones(rows: list[tuple]) -> Counter:
    """BigQuery's timestamps are of UTC, the others' of no zone."""
    return Counter(
        tuple(value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value for value in row)
        for row in rows
    )


def dry_run(warehouse, tables: str, first, last) -> str:
    """What stage_external_sources would run for these days."""
    printed = warehouse.dbt(
        "--quiet", "run-operation", "stage_external_sources",
        "--args", json.dumps({"select": tables, "dry_run": True}), days=(first, last),
    )  # fmt: skip
    assert printed.returncode == 0, printed.stdout
    return printed.stdout


def run_of_logs(warehouse) -> str:
    committed = publish.committed(str(warehouse.lake), "review_logs", DAYS[1])
    assert committed and committed.run
    return committed.run


def test_the_statements_that_make_external_tables_are_the_reviewed_ones(empty_warehouse, statements):
    """Golden DDL, read by people when it changes."""
    assert (
        statements
        == (ROOT / f"dbt_project/tests/python/golden/{empty_warehouse.name}_external_sources.ddl").read_text()
    )


def test_partitions_are_added_a_hundred_at_a_time(empty_warehouse):
    """Redshift takes no more in a statement; BigQuery finds the days automatically."""
    printed = dry_run(empty_warehouse, "delivery", "2021-01-01", "2021-09-07")
    added = [statement.count("partition (") for statement in printed.split("alter table")[1:]]
    assert added == ([100, 100, 50] if empty_warehouse.name == "redshift" else [])


def test_a_day_that_is_staged_again_shows_the_same_rows_before_and_after_it_is_built(warehouse, built):
    """The older run until a build follows the newer one, and never what a killed run has left."""
    before, committed, after = warehouse.shown
    assert before == committed != after == staged(built, DAYS[1])
    assert all(before[table] for table in ("classified_movie_review", "review_logs", "rejection"))
    assert len(set(warehouse.runs_of_logs)) == 2
    ((run,),) = warehouse.query(
        "select run from analytics_staging.stg_delivery "
        f"where insert_date = date '{DAYS[1]}' and table_name = 'review_logs'"
    )
    assert run == warehouse.runs_of_logs[-1]


def test_a_run_gets_its_partition_when_it_is_committed_and_loses_it_when_no_build_follows_it(warehouse):
    """So an older one has its own until the day is staged after a build of the newer one; the killed run never has one."""
    if warehouse.name == "bigquery":
        assert warehouse.statements_for_logs == ["", ""]
        return
    older, newer = (f"partition (insert_date='{DAYS[1]}', run='{run}')" for run in warehouse.runs_of_logs)
    logs = '"dev"."analytics_external"."review_logs"'
    location = f"s3://lake/staging/review_logs/insert_date={DAYS[1]}/run={warehouse.runs_of_logs[-1]}/"
    assert warehouse.statements_for_logs == [
        f"alter table {logs} add if not exists\n{newer} location '{location}';\n\n",
        f"alter table {logs} drop {older};\n\n",
    ]
    assert warehouse.registered_runs("review_logs", DAYS[1]) == {warehouse.runs_of_logs[-1]}
    rejections = warehouse.registered_runs("rejection", DAYS[1])
    assert (
        len(rejections) == len(tables.STAGING | tables.OPTIONAL) and warehouse.runs_of_logs[-1] in rejections
    )


def test_a_dry_run_says_of_which_days_it_cannot_know_the_runs(warehouse):
    """Redshift has to ask delivery, in which a dry run registers no day."""
    next_day = DAYS[-1] + datetime.timedelta(days=1)
    printed = dry_run(warehouse, "delivery review_logs rejection", DAYS[-1], next_day)
    said = re.findall(r"^-- (\w+): no partitions for (\S+) to (\S+), since delivery", printed, re.MULTILINE)
    expected = [(table, str(next_day), str(next_day)) for table in ("rejection", "review_logs")]
    assert said == (expected if warehouse.name == "redshift" else [])


@pytest.mark.parametrize("is_first", [False, True], ids=["as delivered", "with another second day"])
def test_every_table_has_the_same_rows_as_on_duckdb(warehouse, built, at_first, is_first):
    found = warehouse.at_first if is_first else rows_of(warehouse)
    expected = rows_of(at_first if is_first else built)
    # The calendars differ in length: the days that both have.
    shared = {row[0] for row in expected["dim_date"]} & {row[0] for row in found["dim_date"]}
    for marts in (expected, found):
        marts["dim_date"] = Counter({row: n for row, n in marts["dim_date"].items() if row[0] in shared})
    assert len(shared) > 60
    for table in (*Warehouse.MARTS, *INTERMEDIATE):
        assert found[table] == expected[table], table
        assert found[table], table


def test_the_nested_histories_are_the_same_as_on_duckdb(warehouse, built):
    if warehouse.name == "redshift":
        assert warehouse.query(
            "select table_name from information_schema.tables where table_name = 'customer_history_nested'"
        ) in ([], ())
        return
    for array, columns in (
        ("invoices", "invoice_number, item.invoice_date, item.amount_spent, item.item_count"),
        ("reviews", "review_id, item.review_date, item.positive_review, item.device, item.location"),
    ):
        history = "{{ ref('customer_history_nested') }}"
        rows = []
        for each in (warehouse, built):
            sql = (
                f"select history.customer_id, item.{columns} from {history} as history "
                f"cross join {{{{ unnest_structs('history.{array}', 'item') }}}}"
            )
            compiled = each.dbt("--quiet", "compile", "--inline", sql)
            assert compiled.returncode == 0, compiled.stdout
            rows.append(Counter(each.query(compiled.stdout)))
        assert rows[0] == rows[1] and len(rows[0]) > 100, array


def test_the_history_of_segments_is_the_same_as_on_duckdb(warehouse, built):
    """Which was built in one go, in a warehouse that was built in several runs."""
    history = "select * from analytics_history.user_segment_history"
    found = Counter(warehouse.query(history))
    assert found == Counter(built.query(history)) and len(found) > 50


def test_staging_again_changes_nothing(warehouse):
    assert "(unchanged)" not in warehouse.first_staging
    again = warehouse.stage_external_sources(days=(DAYS[0], DAYS[-1]))
    assert again.count("(unchanged)") == 6, again


def test_staging_without_days_says_that_no_day_is_added(warehouse):
    """BigQuery finds new days automatically."""
    said = warehouse.stage_external_sources().count("(no days given: no new day)")
    assert said == (6 if warehouse.name == "redshift" else 0)


def test_a_changed_declaration_makes_that_table_anew_and_no_other(warehouse, own_project):
    sources = own_project / "models/staging/sources.yml"
    sources.write_text(sources.read_text().replace("name: reason, data_type", "name: why, data_type"))
    changed = warehouse.stage_external_sources(project=own_project)
    assert changed.count("(unchanged)") == 5
    assert re.search(r"table rejection: [^()]+( \(no days given: no new day\))?$", changed, re.MULTILINE)
    # And back, with all its days.
    assert warehouse.stage_external_sources().count("(unchanged)") == 5
    assert warehouse.stage_external_sources().count("(unchanged)") == 6
    ((days,),) = warehouse.query("select count(distinct insert_date) from analytics_external.rejection")
    assert days > 1


def test_no_day_is_forgotten_when_a_run_dies_after_it_dropped_an_external_table(redshift):
    """External tables are never changed in a transaction: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_TABLE.html
    (BigQuery finds the days itself.)"""
    partitions = "select tablename, values from svv_external_partitions where schemaname = 'analytics_external' order by 1, 2"
    before = redshift.query(partitions)
    assert len({values for table, values in before if table == "delivery"}) == len(DAYS)
    redshift.query("drop table analytics_external.review_logs")
    for killed in (
        "drop table analytics_external.delivery",
        f"alter table analytics_external.delivery drop partition (insert_date='{DAYS[0]}')",
    ):
        redshift.query(killed)
        redshift.stage_external_sources(days=(DAYS[-1], DAYS[-1]))
        assert redshift.query(partitions) == before


def test_a_wrong_type_in_the_declaration_is_refused_by_the_warehouse(warehouse, own_project):
    """quantity declared with a fraction, while the files hold integers. (DuckDB's view would try to cast them.)"""
    sources = own_project / "models/staging/sources.yml"
    declared, wrong = "name: quantity, data_type: int,", "name: quantity, data_type: double,"
    assert declared in sources.read_text()
    sources.write_text(sources.read_text().replace(declared, wrong))
    day = (DAYS[0], DAYS[0])
    try:
        warehouse.stage_external_sources(project=own_project)
        models = ("stg_user_purchase", "int_customer_purchase")
        built = warehouse.dbt("run", "--select", *models, days=day, project=own_project)
        assert built.returncode != 0
        message = r"incompatible .*quantity|quantity.* does not match"
        assert re.search(message, built.stdout), built.stdout
    finally:
        warehouse.stage_external_sources()
        assert warehouse.dbt("run", "--select", *models, days=day).returncode == 0


def test_the_docs_are_generated(warehouse):
    generated = warehouse.dbt("docs", "generate")
    assert generated.returncode == 0, generated.stdout
    nodes = json.loads((warehouse.folder / "target/catalog.json").read_text())["nodes"]
    # A view of BigQuery has no precision.
    types = {"redshift": ("numeric(18,5)", "numeric(18,5)"), "bigquery": ("NUMERIC(18, 5)", "NUMERIC")}
    columns = [("user_behavior_metric", "amount_spent"), ("stg_user_purchase", "amount")]
    found = tuple(nodes[f"model.movie_analytics.{model}"]["columns"][name]["type"] for model, name in columns)
    assert found == types[warehouse.name]


def test_the_questions_have_the_same_answers_as_on_duckdb(warehouse, built):
    for each in (warehouse, built):
        compiled = each.dbt("compile", "--select", "resource_type:analysis")
        assert compiled.returncode == 0, compiled.stdout
    folder = built.folder / "target/compiled/movie_analytics/analyses"
    questions, asked = sorted(folder.glob("*.sql")), sorted((folder / "report").glob("*.sql"))
    assert len(questions) == 5
    # What dbt itself did is another thing in each warehouse.
    of_runs = {
        "report_footer_failing_rows",
        "report_footer_tables",
        "report_footer_tests",
        "report_model_times",
        "report_runs",
        "report_test_history",
    }
    analyses = [*questions, *(file for file in asked if file.stem not in of_runs)]
    assert len(analyses) == 5 + len(asked) - len(of_runs)
    for analysis in analyses:
        theirs = warehouse.folder / analysis.relative_to(built.folder)
        said, expected = warehouse.query(theirs.read_text()), built.query(analysis.read_text())
        assert Counter(said) == Counter(expected), analysis.stem
        # The warehouses put NULL in different places; only queries of the report have it.
        assert said == expected or analysis in asked, analysis.stem


def test_the_compiled_sql_is_of_redshifts_dialect(redshift):
    """sqlfluff can parse all of it, and the allow-list of functions and syntax holds. (BigQuery's own parser has read what ran there.)"""
    compiled = redshift.folder / "target/compiled/movie_analytics"
    models = [file for layer in ("models", "analyses") for file in (compiled / layer).rglob("*.sql")]
    assert len(models) > 25
    linted = subprocess.run(
        [Path(sys.executable).with_name("sqlfluff"), "lint", "--templater", "raw", "--dialect", "redshift",
         "--rules", "convention.casting_style", "--disable-progress-bar", "--ignore-local-config", *models],
        cwd=redshift.folder, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout
    assert {str(file): found for file in models if (found := problems_of(file.read_text()))} == {}


PERSONAL = {
    "customer_id",
    "id_fact_movie_analytics",
    "first_invoice_date",
    "last_invoice_date",
    "invoice_count",
}


def test_bigquerys_readers_have_views_without_customers_and_tables_keep_their_tag(bigquery):
    """Those of Redshift's readers (which the administrator makes), but for the one that joins by customer."""
    tables = bigquery.stand_in.warehouse.tables
    of_marts = [
        table for table in tables.values() if table.dataset == "analytics_marts" and table.kind == "TABLE"
    ]
    tags = {
        table.id: column.policy_tags
        for table in of_marts
        for column in table.columns
        if column.name == "customer_id"
    }
    assert len(tags) > 3 and set(tags.values()) == {(POLICY_TAG,)}
    views = {table.id: table for table in tables.values() if table.dataset == "analytics_reading"}
    script = (ROOT / "terraform/deploy/databases/redshift.sh").read_text()
    assert views.keys() == set(re.findall(r"view analytics_reading\.(\w+)", script)) - {"movie_analytics_obt"}
    for view in views.values():
        assert view.kind == "VIEW" and not PERSONAL & set(re.findall(r"\w+", view.query))
        assert bigquery.query(f"select count(*) from analytics_reading.{view.id}") == bigquery.query(
            f"select count(*) from analytics_marts.{view.id}"
        )


def test_staging_is_as_fresh_as_its_last_day(warehouse):
    """dbt looks at the warehouse's own tables first, and at nothing else if these cannot be read."""
    looked = warehouse.dbt("source", "freshness")
    results = json.loads((warehouse.folder / "target/sources.json").read_text())["results"]
    assert len(results) == 1, looked.stdout
    (result,) = results
    assert result["status"] == "error" and result["max_loaded_at"].startswith(str(DAYS[-1]))


def test_no_table_of_bigquery_is_rewritten_in_all_its_partitions(warehouse):
    """Each would count against 30,000 a day: https://docs.cloud.google.com/bigquery/quotas#partitioned_tables"""
    nodes = json.loads((warehouse.folder / "target/manifest.json").read_text())["nodes"].values()
    partitioned = [node for node in nodes if node["config"].get("partition_by")]
    assert {node["config"]["materialized"] for node in partitioned} <= {"incremental"}
    if warehouse.name == "bigquery":
        assert len(partitioned) > 8
        by_day = [node for node in partitioned if "granularity" not in node["config"]["partition_by"]]
        assert {node["config"]["sort"] for node in by_day} == {"insert_date"}, "what prunes on Redshift"
        # Three builds, each of which deletes a day at most once, and inserts it.
        changes = warehouse.stand_in.warehouse.partition_quota.changes
        of_days = {node["name"]: changes[node["relation_name"].replace("`", "")] for node in by_day}
        assert min(of_days.values()) > 0 and max(of_days.values()) <= 3 * 2 * len(DAYS), of_days


def test_bigquery_deletes_by_literal_dates_from_every_table_that_has_any(bigquery):
    """It bills the partitions that a literal leaves, or the whole table: https://docs.cloud.google.com/bigquery/docs/best-practices-costs"""
    nodes = json.loads((bigquery.folder / "target/manifest.json").read_text())["nodes"].values()
    replaced = {
        node["name"]: node["config"].get("partition_by")
        for node in nodes
        if node["config"]["materialized"] == "incremental"
        and (node["config"].get("incremental_strategy") or "").startswith("replace_")
    }
    without = {name for name, partition_by in replaced.items() if not partition_by}
    # which has three rows a day
    assert without - {"stg_delivery"} == set(costs.REPLACED_WHOLE)
    seen = set()
    for sql in bigquery.stand_in.statements:
        deleted = re.search(r"delete from `?[\w-]+`?\.`?\w+`?\.`?(\w+)`?\s+where (.*?);", sql, re.DOTALL)
        if deleted and replaced.get(deleted[1]):
            field = replaced[deleted[1]]["field"]
            literal = rf"{field} (between|>=) cast\('[\d-]+' as date\)"
            assert re.search(literal, deleted[2]) or deleted[2].strip() in ("true", "false"), sql
            seen |= {deleted[1]} if re.search(literal, deleted[2]) else set()
    assert {"fact_movie_analytics", "int_customer_active_day", "int_customer_invoice"} <= seen


def test_a_day_is_deleted_and_inserted_in_one_transaction(warehouse):
    """Which dbt-redshift begins (a flag in dbt_project.yml), and the strategy itself on BigQuery."""
    sent = warehouse.stand_in.statements
    replaced = [sql for sql in sent if "insert into" in sql and "__dbt_tmp" in sql]
    assert len(replaced) > 50
    if warehouse.name == "bigquery":
        assert all(
            re.search(r"begin transaction;.*delete from.*insert into.*commit transaction", sql, re.DOTALL)
            for sql in replaced
        )
    else:
        # A temporary table's name has no schema.
        changes = [
            sql
            for sql in warehouse.stand_in.outside_transactions
            if re.search(r'(delete from|insert into)\s+"\w+"\.', sql)
        ]
        assert changes == []


def test_rows_that_a_test_found_are_kept(warehouse, built):
    """Of the tests that only warn; the sample has devices that no seed knows."""
    kept = (
        "select distinct node_name, row_text, left_out from analytics_audit.failing_row "
        "where node_name in ('device_never_seen_before', 'location_that_is_no_us_state')"
    )
    found = Counter(warehouse.query(kept))
    assert ("device_never_seen_before", "value_field: SmartTV, n_records: 1", None) in found
    assert found == Counter(built.query(kept))


def test_what_dbt_did_is_recorded_and_told(warehouse, built):
    """Run by run; and a day's summary says what it says on DuckDB."""
    days = warehouse.query("select distinct from_date, to_date from analytics_audit.run_result")
    assert {(DAYS[1], DAYS[-1]), (DAYS[0], DAYS[0]), (DAYS[1], DAYS[1])} <= set(days)
    ((rows,),) = warehouse.query(
        "select max(rows_affected) from analytics_audit.run_result where node_name = 'fact_movie_analytics'"
    )
    assert rows > 0
    summary = ("--quiet", "run-operation", "day_summary", "--args", json.dumps({"day": str(DAYS[1])}))
    told, expected = (json.loads(each.dbt(*summary).stdout) for each in (warehouse, built))
    if warehouse.name == "redshift":
        expected["tests"]["pass"] -= 1  # the one of customer_history_nested
    assert told == expected and len(told["ledger"]) == 3 and told["tests"]["pass"] > 20
    if warehouse.name == "redshift":
        log = (warehouse.folder / "logs/dbt.log").read_text()
        entries = re.split(r"^\d\d:\d\d:\d\d\.\d+ \[", log, flags=re.MULTILINE)
        sent = [e.partition("*/")[2] for e in entries if "*/" in e and '"analytics_audit"."run_result"' in e]
        assert len(sent) > 4
        assert {sql: problems_of(sql) for sql in sent if problems_of(sql)} == {}


def test_a_customer_is_erased_from_every_table(warehouse, monkeypatch):
    """At the end, as what it erases is missed by the tests of rows. Where a customer is, is tried on DuckDB (test_erase_customer)."""
    ((customer, reviews),) = warehouse.query(
        "select customer_id, count(*) as reviews from analytics_intermediate.int_attributed_review "
        "where customer_id is not null group by customer_id order by reviews desc, customer_id limit 1"
    )

    monkeypatch.setenv("ERASE_CUSTOMER", str(customer))

    def operation(**arguments) -> str:
        ran = warehouse.dbt("--quiet", "run-operation", "erase_customer", "--args", json.dumps(arguments))
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    counted = dict(re.findall(r"(\w+)[`\"]?  (\d+)$", operation(), re.MULTILINE))
    assert counted["int_attributed_review"] == str(reviews)
    assert {"int_log", "int_record_day", "fact_movie_analytics", "user_profile"} <= counted.keys()
    logs = int(counted["int_log"])
    ((before,),) = warehouse.query("select count(*) from analytics_intermediate.int_log")
    assert "no table of the warehouse holds a row of the customer" in operation(confirmed=True)
    assert warehouse.query("select count(*) from analytics_intermediate.int_log") == [(before - logs,)]
    assert warehouse.query(f"select 1 from analytics_marts.user_profile where customer_id = {customer}") == []
    assert "holds 0 rows" in operation()


def test_a_line_with_longer_texts_may_be_added_to_a_seed(warehouse, own_project):
    added = {
        "measured_classifier": f"model,1-0123456789abcdef,9,2,1,8{',2' * 10},the reviews that it learnt from,0.612345",
        "misspelt_location": "Southern part of the State of North Carolina,North Carolina",
    }
    for seed, line in added.items():
        with (own_project / f"seeds/{seed}.csv").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    seeded = warehouse.dbt("seed", "--select", *added, project=own_project)
    assert seeded.returncode == 0, seeded.stdout
