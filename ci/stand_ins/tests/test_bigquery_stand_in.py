"""The BigQuery stand-in: refuses what BigQuery refuses, reads external tables as it does, and answers the real adapter."""

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from ci.staged_sample import run_dbt
from ci.stand_ins.bigquery import bigquery_stand_in
from ci.stand_ins.bigquery.errors import BigQueryError

# The first start on a machine compiles ZetaSQL.
pytestmark = pytest.mark.slow

JANUARY_1, JANUARY_2 = datetime.date(2021, 1, 1), datetime.date(2021, 1, 2)

WRONG = {
    "select 'a' = 1": "No matching signature for operator =",
    "select 'a' + 1.5": "No matching signature for operator +",
    "select coalesce(1, 'x')": "No matching signature for function COALESCE",
    "select sum(id > 1) from local.shop.sale": "No matching signature for aggregate function SUM",
    "select concat('x', 1)": "No matching signature for function CONCAT",
    "select strtol('ff', 16)": "Function not found: strtol",
    "select md5('x') || 'y'": "No matching signature for operator ||",
    "select id::string from local.shop.sale": "Syntax error",
    "select id % 2 from local.shop.sale": "Syntax error",
    "select id from local.shop.sale union select 1": "Syntax error: Expected keyword ALL or keyword DISTINCT",
    "select price from local.shop.sale union all select 'x'": "incompatible types",
    "select id, count(*) from local.shop.sale": "neither grouped nor aggregated",
    "select amount from local.shop.sale": "Unrecognized name: amount",
    "select * from local.shop.missing": "Not found: Table local:shop.missing",
    "select * from local.nowhere.sale": "Not found: Table local:nowhere.sale",
    "select cast('x' as varchar)": "Type not found: varchar",
    "create table local.shop.t as select 1": "CREATE TABLE columns must be named",
    "create table local.shop.t (a string) partition by a": "PARTITION BY expression must be",
    "create table local.nowhere.t as select 1 as a": "Not found: Dataset local:nowhere",
    "create table local.shop.sale as select 1 as a": "Already Exists: Table local:shop.sale",
    "create or replace view local.shop.sale as select 1 as a": "because it is currently a TABLE",
    "create table local.shop.t (a string) options (colour = 'red')": "Unknown option: colour",
    "insert into local.shop.sale (id) values ('x')": "Value has type STRING which cannot be inserted into column id",
    "insert into local.shop.sale (day) values (date '2021-01-01')": "Required field id cannot be null",
    "insert into local.shop.sale (id, price) values (9, 12345678901234)": "is not in range",
    "delete from local.shop.sale": "WHERE",
    "drop view local.shop.sale": "because it is currently a TABLE",
    "begin transaction; drop table local.shop.sale; commit transaction": "DDL statements are not supported in a",
    "commit transaction": "no active transaction",
    "set x = 1": "Undeclared variable: x",
}  # fmt: skip

RIGHT = {
    "select cast(1 as bigint) + cast('2' as int)": [(3,)],
    "select cast(concat('0x', 'fffffffffffffff') as int64)": [(1152921504606846975,)],
    "select sale.id from `local.shop.sale` where sale.price > 2": [(2,)],
    "select sale.id from `local`.`shop`.`sale` join (select 1 as id) as one on sale.id = one.id": [(1,)],
    "select div(9007199254740993, 1), mod(7, 2)": [(9007199254740993, 1)],
    "select row_number() over (order by day asc nulls last, id) from local.shop.sale where id = 1": [(1,)],
    "select id from local.shop.sale qualify row_number() over (order by id desc) = 1": [(2,)],
    "select to_hex(md5('a'))": [("0cc175b9c0f1b6a831c399e269772661",)],
    "select array_agg(struct(id, price) order by id) from local.shop.sale": [
        ([{"id": 1, "price": Decimal("1.23457")}, {"id": 2, "price": Decimal(3)}],)
    ],
    "select date_diff(date '2021-03-01', date '2021-02-01', day)": [(28,)],
    "select 'local.shop.sale' -- local.shop.missing": [("local.shop.sale",)],
}


@pytest.fixture
def stand_in(tmp_path):
    with bigquery_stand_in(lake=tmp_path) as stand_in:
        stand_in.query("create schema local.shop")
        stand_in.query(
            "create table local.shop.sale (id int64 not null, price numeric(18, 5), day date) partition by day as "
            "select 1 as id, numeric '1.234565' as price, date '2021-01-01' as day union all select 2, 3, null"
        )
        yield stand_in


@pytest.mark.parametrize("sql", WRONG)
def test_what_bigquery_refuses_is_refused_with_its_words(stand_in, sql):
    sales = stand_in.query("select * from local.shop.sale")
    with pytest.raises(BigQueryError) as refused:
        stand_in.query(sql)
    assert WRONG[sql] in str(refused.value)
    assert stand_in.query("select * from local.shop.sale") == sales


@pytest.mark.parametrize("sql", RIGHT)
def test_what_is_right_is_evaluated(stand_in, sql):
    assert stand_in.query(sql) == RIGHT[sql]


def test_money_is_exact_and_takes_the_declared_scale(stand_in):
    stand_in.query(
        "insert into local.shop.sale (id, price) values (3, 0.1), (4, numeric '1234567890123.99999')"
    )
    stand_in.query("insert into local.shop.sale (id, day) values (5, null), (6, null)")
    stand_in.query("delete from local.shop.sale where id > 4")
    stand_in.query("update local.shop.sale set price = price + numeric '0.000004' where id = 3")
    assert stand_in.query("select price from local.shop.sale order by id") == [
        (Decimal("1.23457"),), (Decimal(3),), (Decimal("0.1"),), (Decimal("1234567890123.99999"),),
    ]  # fmt: skip
    ((total,),) = stand_in.query("select sum(price) from local.shop.sale")
    assert total == Decimal("1234567890128.33456")


# Limits


def test_a_job_changes_at_most_4000_partitions(stand_in):
    """https://docs.cloud.google.com/bigquery/quotas#partitioned_tables"""
    days = "select day from unnest(generate_date_array('2020-01-01', date_add('2020-01-01', interval {} day))) as day"
    by_day = "create or replace table local.shop.daily partition by day as "
    stand_in.query(by_day + days.format(3999))
    with pytest.raises(BigQueryError, match="allowed 4000, query produces at least 4001"):
        stand_in.query(by_day + days.format(4000))
    monthly = "create table local.shop.monthly partition by date_trunc(day, month) as "
    stand_in.query(monthly + days.format(4000))
    assert stand_in.warehouse.partition_quota.changes["local.shop.monthly"] == 132


def test_overwriting_a_table_counts_all_its_partitions_and_dml_those_it_changes(stand_in):
    days = "select day from unnest(generate_date_array('2020-01-01', date_add('2020-01-01', interval 3999 day))) as day"
    overwrite = f"create or replace table local.shop.daily partition by day as {days}"
    for _ in range(7):
        stand_in.query(overwrite)
    stand_in.query("delete from local.shop.daily where day between '2020-01-01' and '2020-01-03'")
    assert stand_in.warehouse.partition_quota.changes["local.shop.daily"] == 7 * 4000 + 3
    with pytest.raises(BigQueryError, match="Number of partition modifications"):
        stand_in.query(overwrite)


# Policy tags


def test_a_policy_tag_stays_with_dml_and_goes_when_the_table_is_replaced(stand_in):
    """https://docs.cloud.google.com/bigquery/docs/column-level-security#set_policy: with SQL there is no way to set one."""
    client = bigquery.Client(
        stand_in.project, AnonymousCredentials(), client_options=ClientOptions(api_endpoint=stand_in.endpoint)
    )

    def tags() -> list:
        table = client.get_table("local.shop.sale")
        return [field.policy_tags.names for field in table.schema if field.policy_tags]

    table = client.get_table("local.shop.sale")
    tag = bigquery.PolicyTagList(["projects/p/locations/eu/taxonomies/1/policyTags/2"])
    first, *others = table.schema
    table.schema = [bigquery.SchemaField(first.name, first.field_type, first.mode, policy_tags=tag), *others]
    client.update_table(table, ["schema"])
    assert tags() == [tag.names]
    stand_in.query("insert into local.shop.sale (id) values (7); delete from local.shop.sale where id = 7")
    assert tags() == [tag.names]
    stand_in.query(
        "create or replace table local.shop.sale partition by day as select * from local.shop.sale"
    )
    assert tags() == []


# Scripts


def test_a_script_replaces_whole_days_also_such_that_become_empty(stand_in):
    stand_in.query("insert into local.shop.sale (id, day) values (5, '2021-01-02'), (6, '2021-01-03')")
    stand_in.query("create table local.shop.new as select 7 as id, date '2021-01-01' as day")
    stand_in.query(
        """
        declare days array<date>;
        set days = [date '2021-01-01', date '2021-01-02'];
        begin transaction;
        delete from local.shop.sale where day in unnest(days);
        insert into local.shop.sale (id, day) select id, day from local.shop.new;
        commit transaction;
        """
    )
    assert stand_in.query("select id, day from local.shop.sale order by id") == [
        (2, None), (6, datetime.date(2021, 1, 3)), (7, JANUARY_1),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["select 1 / 0", "rollback transaction", ""])
def test_a_transaction_that_does_not_reach_its_commit_changes_nothing(stand_in, end):
    script = f"begin transaction; delete from local.shop.sale where true; {end}"
    if "0" in end:
        with pytest.raises(BigQueryError, match="division by zero"):
            stand_in.query(script)
    else:
        stand_in.query(script)
    assert stand_in.query("select count(*) from local.shop.sale") == [(2,)]


def test_a_merge_updates_inserts_and_deletes(stand_in):
    stand_in.query(
        """
        merge into local.shop.sale as target
        using (select 1 as id, numeric '9' as price union all select 3, numeric '4') as source
        on target.id = source.id
        when matched then update set price = source.price
        when not matched by source and target.day is null then delete
        when not matched then insert (`id`, `price`) values (`id`, `price`)
        """
    )
    assert stand_in.query("select * from local.shop.sale order by id") == [
        (1, Decimal(9), JANUARY_1), (3, Decimal(4), None),
    ]  # fmt: skip


def test_a_row_that_a_merge_matches_twice_is_changed_by_the_clause_that_applies(stand_in):
    stand_in.query(
        "merge into local.shop.sale as t using (select 1 as id, 5 as price union all select 1, 6) as s on t.id = s.id "
        "when matched and s.price = 6 then update set price = s.price"
    )
    assert stand_in.query("select price from local.shop.sale order by id") == [(Decimal(6),), (Decimal(3),)]


def test_a_merge_takes_one_source_row_for_a_target_row(stand_in):
    with pytest.raises(BigQueryError, match="must match at most one source row"):
        stand_in.query(
            "merge into local.shop.sale as t using (select 1 as id union all select 1) as s on t.id = s.id "
            "when matched then update set price = 0"
        )


# External tables

SCHEMA = pa.schema(
    [("id", pa.int32()), ("price", pa.decimal128(8, 3)), ("at", pa.timestamp("us")), ("on", pa.date32())]
)
NOON = datetime.datetime(2021, 1, 1, 12, 0, 0, 123456)


def write_day(lake: Path, day: datetime.date, rows: list[tuple], schema: pa.Schema = SCHEMA) -> None:
    folder = lake / "staging" / "event" / f"insert_date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    records = [dict(zip(schema.names, row, strict=True)) for row in rows]
    pq.write_table(pa.Table.from_pylist(records, schema=schema), folder / "event.parquet")


def create_event(
    stand_in, columns="(id int64, price numeric(8, 3), `at` timestamp, `on` date)", uri="event/*"
):
    stand_in.query(
        f"create or replace external table local.shop.event {columns} "
        "with partition columns (insert_date date) "
        f"options (format = 'PARQUET', uris = ['gs://lake/staging/{uri}'], "
        "hive_partition_uri_prefix = 'gs://lake/staging/event', require_hive_partition_filter = false)"
    )


def test_an_external_table_shows_its_files_with_the_day_of_their_folder(stand_in, tmp_path):
    write_day(tmp_path, JANUARY_1, [(1, Decimal("12345.678"), NOON, JANUARY_2), (None, None, None, None)])
    write_day(tmp_path, JANUARY_2, [])
    create_event(stand_in)
    assert stand_in.query("select * from local.shop.event") == [
        (1, Decimal("12345.678"), NOON.replace(tzinfo=datetime.UTC), JANUARY_2, JANUARY_1),
        (None, None, None, None, JANUARY_1),
    ]


def test_files_that_are_added_or_replaced_later_are_seen(stand_in, tmp_path):
    write_day(tmp_path, JANUARY_1, [(1, None, None, None)])
    create_event(stand_in)
    stand_in.query("create view local.shop.seen as select id, insert_date from local.shop.event")
    write_day(tmp_path, JANUARY_1, [(7, None, None, None)])
    write_day(tmp_path, JANUARY_2, [(8, None, None, None)])
    assert stand_in.query("select * from local.shop.seen order by id") == [(7, JANUARY_1), (8, JANUARY_2)]


def write_run(lake: Path, folder: str, number: int) -> None:
    path = lake / "staging" / "runs" / folder
    path.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array([number], pa.int32())}), path / "part-00000.parquet")


def create_run(stand_in) -> None:
    stand_in.query(
        "create or replace external table local.shop.runs (id int64) with partition columns (insert_date date, run string) "
        "options (format = 'PARQUET', uris = ['gs://lake/staging/runs/*'], "
        "hive_partition_uri_prefix = 'gs://lake/staging/runs', require_hive_partition_filter = false)"
    )


def test_folders_in_folders_are_two_partition_columns_and_a_new_one_is_seen(stand_in, tmp_path):
    write_run(tmp_path, "insert_date=2021-01-01/run=20210101T000000-1a2b3c4d", 1)
    create_run(stand_in)
    write_run(tmp_path, "insert_date=2021-01-01/run=20210102T000000-00000000", 2)
    assert stand_in.query("select id, insert_date, run from local.shop.runs order by id") == [
        (1, JANUARY_1, "20210101T000000-1a2b3c4d"), (2, JANUARY_1, "20210102T000000-00000000"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "folder",
    ["insert_date=2021-01-01", "run=x/insert_date=2021-01-01", "insert_date=2021-01-01/run=x/part=1"],
)
def test_all_paths_have_the_same_keys_in_the_same_order(stand_in, tmp_path, folder):
    write_run(tmp_path, "insert_date=2021-01-01/run=x", 1)
    write_run(tmp_path, folder, 2)
    create_run(stand_in)
    with pytest.raises(BigQueryError, match="the partition keys in the path are not those of the table"):
        stand_in.query("select id from local.shop.runs")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("(id string)", "Parquet column 'id' has type INT32 .* does not match the target cpp_type STRING"),
        ("(id numeric)", "Parquet column 'id'"),
        ("(price float64)", "Parquet column 'price' .* target cpp_type DOUBLE"),
        ("(price numeric(6, 2))", r"target cpp_type NUMERIC\(6, 2\)"),
        ("(`at` date)", "Parquet column 'at'"),
        ("(`on` timestamp)", "Parquet column 'on'"),
    ],
)
def test_a_file_that_has_another_type_than_declared_is_an_error(stand_in, tmp_path, columns, message):
    write_day(tmp_path, JANUARY_1, [(1, Decimal(1), NOON, JANUARY_1)])
    create_event(stand_in, columns)
    with pytest.raises(BigQueryError, match=f"(?s)Error while reading table: local:shop.event.*{message}"):
        stand_in.query("select * from local.shop.event")


def test_a_timestamp_without_zone_can_be_declared_as_datetime(stand_in, tmp_path):
    write_day(tmp_path, JANUARY_1, [(1, None, NOON, None)])
    create_event(stand_in, "(`at` datetime, not_in_the_file string)")
    assert stand_in.query("select `at`, not_in_the_file from local.shop.event") == [(NOON, None)]


def test_without_declared_columns_the_files_give_them(stand_in, tmp_path):
    write_day(tmp_path, JANUARY_1, [])
    create_event(stand_in, "")
    columns = stand_in.query("select column_name, data_type from local.shop.INFORMATION_SCHEMA.COLUMNS "
                             "where table_name = 'event' order by ordinal_position")  # fmt: skip
    assert columns == [
        ("id", "INT64"), ("price", "NUMERIC"), ("at", "TIMESTAMP"), ("on", "DATE"), ("insert_date", "DATE"),
    ]  # fmt: skip


def test_without_files_the_query_fails_and_the_definition_only_when_it_has_no_columns(stand_in):
    create_event(stand_in)
    with pytest.raises(
        BigQueryError, match=r"Cannot query hive partitioned data .* without any associated files"
    ):
        stand_in.query("select * from local.shop.event")
    with pytest.raises(BigQueryError, match="matched no files"):
        create_event(stand_in, "")


def test_only_one_wildcard_is_allowed(stand_in):
    with pytest.raises(BigQueryError, match="at most one"):
        create_event(stand_in, uri="event/*/*.parquet")


def test_an_external_table_is_dropped_as_one(stand_in, tmp_path):
    write_day(tmp_path, JANUARY_1, [])
    create_event(stand_in)
    with pytest.raises(BigQueryError, match="because it is currently a EXTERNAL"):
        stand_in.query("delete from local.shop.event where true")
    stand_in.query("drop external table local.shop.event")
    with pytest.raises(BigQueryError, match="Not found"):
        stand_in.query("select * from local.shop.event")


# The real client and the real adapter


def test_the_real_client_gets_every_type_and_the_errors(stand_in):
    client = bigquery.Client(
        project=stand_in.project,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=stand_in.endpoint),
    )
    row = next(
        iter(
            client.query(
                "select 1 as i, 1.5 as f, true as b, 'é' as s, b'x' as y, numeric '0.10' as n, date '2021-01-31' as d, "
                "datetime '2021-01-31 12:00:00.5' as dt, timestamp '2021-01-31 12:00:00+02' as ts, [1, 2] as a, "
                "struct('x' as k) as st, cast(null as int64) as missing, cast('inf' as float64) as inf"
            ).result()
        )
    )
    assert dict(row) == {
        "i": 1, "f": 1.5, "b": True, "s": "é", "y": b"x", "n": Decimal("0.1"), "d": datetime.date(2021, 1, 31),
        "dt": datetime.datetime(2021, 1, 31, 12, 0, 0, 500000),
        "ts": datetime.datetime(2021, 1, 31, 10, tzinfo=datetime.UTC), "a": [1, 2], "st": {"k": "x"},
        "missing": None, "inf": float("inf"),
    }  # fmt: skip
    with pytest.raises(Exception, match="Function not found: strtol"):
        client.query("select strtol('ff', 16)", job_retry=None).result()
    assert stand_in.statements[-1] == "select strtol('ff', 16)"


DBT_PROJECT = {
    "dbt_project.yml": "{name: lab, version: 1.0.0, profile: lab, flags: {send_anonymous_usage_stats: false}, "
    "models: {+persist_docs: {relation: true, columns: true}}}",
    "seeds/colour.csv": "id,colour,since\n1,red,2021-01-01\n2,,\n",
    "models/event.sql": "select 1 as id, date '2021-01-01' as day, timestamp '2021-01-01 10:00:00' as made_at "
    "union all select 2, date '2021-01-02', timestamp '2021-01-02 10:00:00'",
    "models/merged.sql": "{{ config(materialized='incremental', unique_key='id') }} select * from {{ ref('event') }}",
    "models/static_days.sql": "{{ config(materialized='incremental', incremental_strategy='insert_overwrite', "
    "partition_by={'field': 'day', 'data_type': 'date'}, partitions=[\"'2021-01-01'\", \"'2021-01-02'\"]) }} "
    "select * from {{ ref('event') }}",
    "models/dynamic_days.sql": "{{ config(materialized='incremental', incremental_strategy='insert_overwrite', "
    "partition_by={'field': 'day', 'data_type': 'date'}, on_schema_change='fail') }} select * from {{ ref('event') }}",
    "models/batches.sql": "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='made_at', "
    "begin='2021-01-01', batch_size='day', "
    "partition_by={'field': 'made_at', 'data_type': 'timestamp', 'granularity': 'day'}) }} select * from {{ ref('event') }}",
    "models/contract.sql": "{{ config(materialized='table') }} select cast(id as numeric) / 3 as third from "
    "{{ ref('event') }}",
    "models/models.yml": """
models:
  - {name: event, config: {event_time: made_at}, columns: [{name: id, description: A number., data_tests: [unique, not_null]}]}
  - name: contract
    config: {contract: {enforced: true}}
    columns: [{name: third, data_type: "numeric(18, 5)", constraints: [{type: not_null}]}]
unit_tests:
  - name: a_third
    model: contract
    given: [{input: ref('event'), rows: [{id: 6}]}]
    expect: {rows: [{third: 2}]}
""",
}


def test_dbt_builds_with_every_strategy_of_its_adapter(tmp_path):
    for path, content in DBT_PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    with bigquery_stand_in(lake=tmp_path) as stand_in:
        (tmp_path / "profiles.yml").write_text(
            "{lab: {target: dev, outputs: {dev: {type: bigquery, method: oauth-secrets, token: none, job_retries: 0, "
            f"project: {stand_in.project}, location: {stand_in.location}, dataset: lab, threads: 2, "
            f'api_endpoint: "{stand_in.endpoint}"' + "}}}}"
        )
        days = ["--event-time-start", "2021-01-01", "--event-time-end", "2021-01-03"]
        for arguments in (["build", *days], ["build", *days], ["docs", "generate"]):
            finished = run_dbt(*arguments, folder=tmp_path, settings={}, project=tmp_path)
            assert finished.returncode == 0, finished.stdout
        for model in ("merged", "static_days", "dynamic_days", "batches"):
            assert stand_in.query(f"select id from local.lab.{model} order by id") == [(1,), (2,)], model
        assert stand_in.query("select third from local.lab.contract order by third") == [
            (Decimal("0.33333"),), (Decimal("0.66667"),),
        ]  # fmt: skip
        assert stand_in.query("select * from local.lab.colour order by id") == [
            (1, "red", JANUARY_1),
            (2, "", None),
        ]
        assert any("dbt_partitions_for_replacement" in statement for statement in stand_in.statements)
        catalogue = (tmp_path / "target" / "catalog.json").read_text()
        assert '"NUMERIC(18, 5)"' in catalogue and "A number." in catalogue
