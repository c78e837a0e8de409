"""The Redshift stand-in: what it lets through, what it refuses, and the project's dbt on it."""

import contextlib
import datetime
import shutil
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from redshift_connector.error import ProgrammingError

from ci.staged_sample import ROOT
from ci.stand_ins.redshift import RedshiftStandIn, redshift_stand_in
from ci.stand_ins.redshift.gate import problems_of
from ci.stand_ins.redshift.rewrite import rewrite
from ci.stand_ins.redshift.spectrum import File, SpectrumScanError, rows_of_file

DAY, NEXT_DAY = "2021-01-01", "2021-01-02"
CREATE_SCHEMA = (
    "create external schema if not exists lake from data catalog database 'glue' "
    "iam_role 'arn:aws:iam::123456789012:role/spectrum' create external database if not exists"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def redshift(lake):
    with redshift_stand_in(lake) as stand_in:
        stand_in.query(CREATE_SCHEMA)
        yield stand_in


def write(path: Path, **columns: pa.Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def ints(*values: int | None) -> pa.Array:
    return pa.array(values, pa.int32())


def error_of(redshift: RedshiftStandIn, *statements: str) -> dict:
    """The error of the last statement; those before it have to succeed on the same connection."""
    with redshift.connect() as connection, connection.cursor() as cursor:
        for statement in statements[:-1]:
            cursor.execute(statement)
        with pytest.raises(ProgrammingError) as raised:
            cursor.execute(statements[-1])
        return raised.value.args[0]


class TestWire:
    def test_the_real_connector_gets_its_types(self, redshift):
        assert redshift.query(
            "select 1, 'a', cast(1.5 as decimal(8,3)), cast('2021-01-31' as date), true, null"
        ) == [(1, "a", Decimal("1.500"), datetime.date(2021, 1, 31), True, None)]

    def test_tls_is_refused_and_several_statements_fit_into_a_message(self, redshift):
        """psycopg2 asks for TLS first and sends simple queries, as dbt-redshift's older versions did."""
        with psycopg2.connect(
            host=redshift.host, port=redshift.port, user=redshift.user, dbname=redshift.database, sslmode="prefer"
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            assert connection.get_parameter_status("server_version") == "8.0.2"
            cursor.execute(
                "create temp table t (a int) diststyle all; insert into t values (1); select len('abc') + a from t"
            )
            assert cursor.fetchall() == [(4,)]

    def test_connections_run_side_by_side(self, redshift):
        answers = {}

        def ask(n: int) -> None:
            answers[n] = redshift.query(f"select count(*) * {n} from pg_sleep(0.2)")[0][0]

        threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=200)
        assert answers == {n: n for n in range(8)}

    def test_after_a_refused_statement_the_connection_goes_on(self, redshift):
        with redshift.connect() as connection, connection.cursor() as cursor:
            with pytest.raises(ProgrammingError, match="string_agg"):
                cursor.execute("select string_agg('a', ',')")
            cursor.execute("select 1")
            assert list(cursor.fetchall()) == [[1]]

    def test_statements_are_logged_as_they_were_sent(self, redshift):
        redshift.query("select dateadd(day, 1, getdate()) -- logged")
        assert "select dateadd(day, 1, getdate()) -- logged" in redshift.statements

    def test_a_statement_without_a_transaction_is_committed_at_once(self, redshift):
        """As dbt-redshift connects: autocommit, with the transactions that it begins itself."""
        with redshift.connect() as connection, connection.cursor() as cursor:
            for statement in (
                "create table kept (n int)",
                "begin",
                "insert into kept values (1)",
                "rollback",
            ):
                cursor.execute(statement)
            cursor.execute("insert into kept values (2)")
        assert redshift.query("select n from kept") == [(2,)]
        assert "insert into kept values (2)" in redshift.outside_transactions
        assert "insert into kept values (1)" not in redshift.outside_transactions
        redshift.query("drop table kept")

    def test_the_drivers_timeout_ends_a_slow_query(self, redshift):
        """So the profile sets none: redshift_connector keeps it for the whole connection (dbt-redshift#427)."""
        connection = redshift.connect(timeout=1)
        with pytest.raises(TimeoutError), contextlib.closing(connection):
            connection.cursor().execute("select 1 from pg_sleep(60)")

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="the tie to the parent process is Linux's"
    )
    def test_nothing_is_left_when_the_process_is_killed(self, tmp_path):
        serve = (
            "import sys; from ci.stand_ins.redshift import redshift_stand_in\n"
            "with redshift_stand_in(sys.argv[1]) as stand_in: print(stand_in.port, flush=True); input()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", serve, tmp_path],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stand_in = RedshiftStandIn("127.0.0.1", int(process.stdout.readline()))
        with stand_in.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            backend = Path("/proc", str(cursor.fetchone()[0]))
            server = backend.parent / backend.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            command = server.joinpath("cmdline").read_text().split("\0")
            process.kill()
            process.communicate(timeout=200)
        deadline = time.monotonic() + 200
        while server.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not server.exists()
        shutil.rmtree(Path(command[command.index("-D") + 1]).parent)  # which nobody was left to do


class TestRewrite:
    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("select dateadd(day, 1, d)  -- day", "select dateadd('day', 1, d)  -- day"),
            ("select datediff(day, a, b), 'dateadd(day, ''x'')'", "select datediff('day', a, b), 'dateadd(day, ''x'')'"),
            ("select extract(year from d)", "select redshift.extract_part('year', d)"),
            ("select extract(epoch from d)", "select extract(epoch from d)"),
            (
                "select listagg(distinct upper(a), ', ') within group (order by dateadd(day, 1, b)) from t",
                "select string_agg(distinct upper(a), ', ' order by dateadd('day', 1, b)) from t",
            ),
            ("select listagg(a) from t", "select string_agg(a, '') from t"),
            (
                "select try_cast(cast(a as char(9)) as decimal(8, 2)) as b",
                "select cast(redshift.try_cast(cast(a as char(9)) , E'decimal ( 8 , 2 )') as decimal ( 8 , 2 )) as b",
            ),
            (
                "create table t (a int encode zstd, b text) backup no diststyle key distkey(a) compound sortkey(a, b)",
                "create table t (a int , b varchar(256))     ",
            ),
            ("create table t (a varchar, b varchar(9))", "create table t (a varchar(256), b varchar(9))"),
            ("select cast(a as text), b::text, c as text, text", "select cast(a as varchar(256)), b::varchar(256), c as text, text"),
            ("/* é */ select 'day'; select \"sortkey\"", "/* é */ select 'day'; select \"sortkey\""),
        ],
    )  # fmt: skip
    def test_only_what_postgresql_spells_otherwise_is_changed(self, sql, expected):
        assert rewrite(sql) == expected

    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("select extract(year from cast('2021-03-01' as date)) / 2", 1010),
            ("select avg(n) from (select 1 as n union all select 2) as t", 1),
            ("select strtol(substring(md5('tablet'), 1, 15), 16)", 886658981045699336),
            ("select strtol('fffffffffffffff', 16)", 1152921504606846975),
            ("select try_cast('12' as int) + 1", 13),
            ("select try_cast('2021-02-29' as date)", None),
            ("select datediff(month, cast('2020-12-31' as date), cast('2021-01-01' as date))", 1),
            ("select datediff(day, cast('0001-01-01' as date), cast('2021-01-31' as date))", 737820),
            (
                "select cast(dateadd(day, -1, cast('2021-01-01' as date)) as date)",
                datetime.date(2020, 12, 31),
            ),
            ("select len(cast(repeat('x', 300) as text))", 256),
            # Bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
            ("select len(cast(repeat('é', 300) as text))", 128),
            ("select cast('aéé' as varchar(4))", "aé"),
            # Blanks at the end: https://docs.aws.amazon.com/redshift/latest/dg/r_Examples_with_character_types.html
            (
                "select count(distinct a) from (select cast('x' as varchar(3)) as a union all select 'x ') as t",
                1,
            ),
            ("select 'x' = 'x  ' and 'x ' in ('y', 'x')", True),
            ("select len(cast('x  ' as varchar(9)) || 'y')", 4),
            ("select 'a\\\\d'", "a\\d"),
            ("select nvl(null, 7)", 7),
        ],
    )
    def test_functions_give_what_redshift_gives(self, redshift, sql, expected):
        assert redshift.query(sql) == [(expected,)]


# What PostgreSQL lets pass, or would say otherwise, and a part of the message.
WRONG = {
    "select string_agg(a, ',') from t": "string_agg() is no function of Redshift",
    "select array_agg(a) from t": "array_agg() is no function",
    "select n from generate_series(1, 3) as n": "generate_series() is no function",
    "select substr(a, 1, 15) from t": "substr() runs on the leader node",
    "select log(a) from t": "log() runs on the leader node",
    "select factorial(a) from t": "factorial() runs on the leader node",
    "select now()": "now() runs on the leader node",
    "select div(a, 2) from t": "div() is no function",
    "select jsonb_build_object('a', 1)": "jsonb_build_object() is no function",
    "select unnest(a) from t": "unnest() is no function",
    "select count(*) filter (where a > 1) from t": "FILTER",
    "select distinct on (a) a, b from t order by a, b": "DISTINCT ON",
    "select * from (values (1), (2)) as v (a)": "VALUES",
    "with v as (values (1)) select * from v": "VALUES",
    "select * from t, lateral (select t.a) as s": "LATERAL",
    "select concat(a, b, c) from t": "concat() takes two arguments",
    "select cast(a as jsonb) from t": "no type jsonb",
    "select a::uuid from t": "no type uuid",
    "select cast(a as numeric) from t": "numeric(18,0)",
    "create table t (a decimal)": "numeric(18,0)",
    "select cast(a as int[]) from t": "array types",
    "select array[1, 2]": "ARRAY[",
    "select a -> 'b' from t": "operators ->",
    "select a is distinct from b from t": "IS DISTINCT FROM",
    "select sum(a) over (partition by b order by c) from t": "sum() over a window with ORDER BY needs a frame",
    "select first_value(a) over (order by c) from t": "needs a frame",
    "select sum(a) over (order by c range between unbounded preceding and current row) from t": "ROWS only",
    "select sum(a) over w from t window w as (partition by b)": "WINDOW clause",
    "with c as materialized (select 1 as a) select a from c": "MATERIALIZED",
    "select a from t fetch first 3 rows only": "LIMIT",
    "select a from t for update": "FOR UPDATE",
    "insert into t (a) values (1) on conflict do nothing": "ON CONFLICT",
    "delete from t returning a": "RETURNING",
    "with c as (select 'x' as a) select a from c": "column a of c is of type unknown",
    "select a from (select null as a from t) as s": "column a of s is of type unknown",
    "create view s.v as select a from t with no schema binding": "should be qualified when creating views WITH NO SCHEMA",
    "merge into t using s on t.a = s.a when not matched then insert (a) values (s.a)": "MERGE",
    "select * from (select cast(null as int) as n union all select n from t) as m where false limit 0": "n is of type VARCHAR",
    "select * from (with u as (select null::date as d) select d from t union all select d from u) as m where false limit 0":
        "d is of type VARCHAR",
    "create temporary table u as (select n from t union all select cast(null as int) as n)": "n is of type VARCHAR",
    "select from where": "no SQL of Redshift",
}  # fmt: skip

RIGHT = [
    "select row_number() over (partition by a order by b asc nulls last, c desc) from t",
    "select lag(a) over (order by b), rank() over (order by b), ntile(4) over (order by b) from t",
    "select sum(a) over (partition by b), count(*) over () from t",
    "select sum(a) over (partition by b order by c rows between unbounded preceding and current row) from t",
    "select least(a, b), greatest(a, b), md5(a), extract(year from d), mod(a, 7), abs(a), round(a, 2) from t",
    "select strtol(substring(md5(a), 1, 15), 16), func_sha1(a), sha2(a, 256) from t",
    "select is_valid_json(a), json_extract_path_text(a, 'b') from t",
    "select listagg(a, ',') within group (order by b) from t group by c",
    "select cast(a as decimal(18, 5)), cast(b as varchar(20)), cast(c as double precision), d::date from t",
    "select coalesce(a, 'x'), case when b then 'y' else 'z' end, a || 'x' from t",
    "with c as (select cast('x' as varchar(3)) as a, 1 as b, true as d) select a, b, d from c",
    "with c as (select 'x' as a union all select a from t) select a from c",
    "select a from t where b in (select c from s where d = 'x') and exists (select 1 from s)",
    "select 'x' as a, null as b",
    "with updates as (select 'update' as dbt_change_type, a from t) select a, dbt_change_type from updates",
    "with days (d) as (select 1) select d from days",
    "insert into t (a, b) values (1, 'x'), (2, null)",
    "insert into s.t (a) (select a from u)",
    "create table t (a varchar(10) not null, b decimal(18, 5)) diststyle even sortkey (a)",
    "create view s.v as (with c as (select a from s.t) select a from c) with no schema binding",
    "merge into t using s on t.a = s.a when matched then update set b = s.b when not matched then insert (a) values (s.a)",
    "select dateadd(day, 1, d), datediff(day, a, b), date_trunc('month', d), getdate() from t",
    "select a from t where b ilike 'x%' and c ~ '^a' and d between 1 and 2 order by a nulls first limit 3",
    "select any_value(a), median(b), approximate count(distinct c) from t",
    "select cast(null as int) as n union all select n from t",
    "create table u as (select cast(null as int) as n from t)",
    "create table u as (select n from t union all select max(n) as n from t where false)",
    "select * from (select cast(null as int) as n from t) as m where false limit 0",
    "select * from (select cast(null as varchar(9)) as a union all select a from t) as m where false limit 0",
]


class TestGate:
    @pytest.mark.parametrize(("sql", "message"), WRONG.items())
    def test_what_redshift_refuses_is_refused(self, sql, message):
        assert message in "; ".join(problems_of(sql))

    @pytest.mark.parametrize("sql", RIGHT)
    def test_what_redshift_takes_is_taken(self, sql):
        assert problems_of(sql) == []

    def test_catalogue_queries_run_on_the_leader_node(self, redshift):
        assert redshift.query("select string_agg(nspname, ',') <> '' from pg_catalog.pg_namespace") == [
            (True,)
        ]


class TestExternalTables:
    @pytest.fixture
    def table(self, redshift, lake):
        """An external table `lake.t` with a file for two days, of which the first is registered."""
        for n, day in enumerate((DAY, NEXT_DAY)):
            write(lake / f"staging/t/insert_date={day}/t.parquet", n=ints(n, None))
        redshift.query(
            "create external table dev.lake.t (n int) partitioned by (insert_date date) "
            "stored as parquet location 's3://bucket/staging/t'"
        )
        self.add(redshift, DAY)
        yield
        redshift.query("drop table if exists lake.t")
        shutil.rmtree(lake / "staging")

    def add(self, redshift, *days, if_not_exists="if not exists"):
        clauses = [
            f"partition (insert_date='{day}') location 's3://bucket/staging/t/insert_date={day}/'"
            for day in days
        ]
        redshift.query(f"alter table lake.t add {if_not_exists} " + "\n".join(clauses))

    def rows(self, redshift) -> list[tuple]:
        return redshift.query("select insert_date::varchar(10), n from lake.t order by 1, 2")

    def test_only_registered_days_are_seen(self, redshift, table):
        assert self.rows(redshift) == [(DAY, 0), (DAY, None)]
        self.add(redshift, DAY, NEXT_DAY)
        assert self.rows(redshift) == [(DAY, 0), (DAY, None), (NEXT_DAY, 1), (NEXT_DAY, None)]
        redshift.query(f"alter table lake.t drop partition (insert_date='{DAY}')")
        assert self.rows(redshift) == [(NEXT_DAY, 1), (NEXT_DAY, None)]

    def test_a_replaced_file_is_seen_also_by_a_prepared_statement(self, redshift, lake, table):
        with redshift.connect() as connection, connection.cursor() as cursor:
            for values in ((5,), (), (6, 7)):
                write(lake / f"staging/t/insert_date={DAY}/t.parquet", n=ints(*values))
                cursor.execute("select n from lake.t order by n")
                assert [row[0] for row in cursor.fetchall()] == list(values)

    def test_a_day_without_a_file_has_no_rows(self, redshift, table):
        self.add(redshift, "2021-01-03")
        assert self.rows(redshift) == [(DAY, 0), (DAY, None)]

    def test_it_stands_in_the_catalogues_of_spectrum_and_in_no_other(self, redshift, table):
        assert redshift.query("select tablename, location from svv_external_tables") == [
            ("t", "s3://bucket/staging/t")
        ]
        assert redshift.query("select columnname, external_type, part_key from svv_external_columns order by columnnum") == [
            ("n", "int", 0), ("insert_date", "date", 1)
        ]  # fmt: skip
        assert redshift.query("select values, location from svv_external_partitions") == [
            (f'["{DAY}"]', f"s3://bucket/staging/t/insert_date={DAY}/")
        ]
        assert redshift.query("select schemaname, databasename from svv_external_schemas") == [
            ("lake", "glue")
        ]
        for catalogue, schema in (
            ("tables", "table_schema"),
            ("columns", "table_schema"),
            ("views", "table_schema"),
        ):
            assert (
                redshift.query(f"select * from information_schema.{catalogue} where {schema} = 'lake'") == []
            )
        assert redshift.query("select * from pg_tables where schemaname = 'lake'") == []

    @pytest.fixture
    def runs(self, redshift, lake):
        """An external table `lake.r` of days and their runs, two of one day, none registered."""
        for n, run in enumerate(("first", "second")):
            write(lake / f"staging/r/insert_date={DAY}/run={run}/part-00000.parquet", n=ints(n))
        redshift.query(
            "create external table lake.r (n int) partitioned by (insert_date date, run varchar(65535)) "
            "stored as parquet location 's3://bucket/staging/r'"
        )
        yield
        redshift.query("drop table if exists lake.r")
        shutil.rmtree(lake / "staging")

    def test_a_partition_of_two_columns_is_added_seen_and_dropped_by_both(self, redshift, runs):
        seen = "select insert_date::varchar(10), run, n from lake.r order by n"
        location = f"s3://bucket/staging/r/insert_date={DAY}/run="
        redshift.query(
            f"alter table lake.r add if not exists partition (insert_date='{DAY}', run='first') location '{location}first/'"
        )
        assert redshift.query(seen) == [(DAY, "first", 0)]
        # The order in which a clause names them does not matter.
        redshift.query(
            f"alter table lake.r add partition (run='second', insert_date='{DAY}') location '{location}second/'"
        )
        assert redshift.query(seen) == [(DAY, "first", 0), (DAY, "second", 1)]
        assert redshift.query(
            "select values from svv_external_partitions where tablename = 'r' order by 1"
        ) == [(f'["{DAY}","first"]',), (f'["{DAY}","second"]',)]
        assert redshift.query(
            "select columnname, part_key from svv_external_columns where tablename = 'r' order by columnnum"
        ) == [("n", 0), ("insert_date", 1), ("run", 2)]
        redshift.query(f"alter table lake.r drop partition (insert_date='{DAY}', run='first')")
        assert redshift.query(seen) == [(DAY, "second", 1)]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                f"drop partition (insert_date='{DAY}')",
                "partition columns of the table are (insert_date, run)",
            ),
            (f"add partition (insert_date='{DAY}') location 's3://b/u/'", "partition columns of the table"),
            (f"drop partition (insert_date='{DAY}', run='never')", "Partition does not exist"),
        ],
    )
    def test_a_part_of_a_partitions_columns_is_no_partition(self, redshift, runs, change, message):
        assert message in error_of(redshift, f"alter table lake.r {change}")["M"]

    def test_at_most_100_partitions_fit_into_a_statement(self, redshift, table):
        days = [str(datetime.date(2022, 1, 1) + datetime.timedelta(n)) for n in range(101)]
        self.add(redshift, *days[:100])
        with pytest.raises(ProgrammingError, match="at most 100 partitions"):
            self.add(redshift, *days)

    def test_a_partition_exists_once(self, redshift, table):
        self.add(redshift, DAY)
        with pytest.raises(ProgrammingError, match="Partition already exists"):
            self.add(redshift, DAY, if_not_exists="")

    @pytest.mark.parametrize(
        "statement",
        [
            "create external table lake.u (n int) stored as parquet location 's3://bucket/u'",
            "alter table lake.t add partition (insert_date='2021-01-09') location 's3://bucket/x'",
            f"alter table lake.t drop partition (insert_date='{DAY}')",
            "drop table lake.t",
        ],
    )
    def test_ddl_is_refused_inside_a_transaction(self, redshift, table, statement):
        error = error_of(redshift, "begin", statement)
        assert (error["C"], error["M"].partition(" cannot ")[2]) == (
            "25001",
            "run inside a transaction block",
        )

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("create view v as select n from lake.t", "External tables are not supported in views"),
            ("insert into lake.t values (1)", "cannot insert into view"),
            ("create external table public.u (n int) stored as parquet location 's3://b/u'", '"public" is none'),
            ("create external table lake.u (n int) stored as parquet location '/tmp/u'", "has to be in S3"),
            ("create external table lake.u (n json) stored as parquet location 's3://b/u'", "Unsupported data type"),
            ("create external table lake.u (n string) stored as parquet location 's3://b/u'", '"string" does not exist'),
            ("create external table lake.u (n int) stored as textfile location 's3://b/u'", "Parquet only"),
            ("create external table lake.t (n int) stored as parquet location 's3://b/u'", "already exists"),
            ("alter table lake.t add partition (day='2021-01-01') location 's3://b/u'", "partition columns of the table"),
            ("alter table lake.t add partition (insert_date='x') location 's3://b/u'", "invalid input syntax"),
            ("alter table lake.t drop partition (insert_date='1999-01-01')", "Partition does not exist"),
            ("drop table lake.nowhere", "does not exist"),
        ],
    )  # fmt: skip
    def test_what_spectrum_refuses_is_refused(self, redshift, table, statement, message):
        assert message in error_of(redshift, statement)["M"]

    def test_a_late_binding_view_outlives_its_table(self, redshift, lake, table):
        redshift.query("create view v as (select n + 1 as n, insert_date from lake.t) with no schema binding")
        assert redshift.query("select n from v order by 1") == [(1,), (None,)]
        assert redshift.query(
            "select col_name, col_type from pg_get_late_binding_view_cols() "
            "cols(view_schema name, view_name name, col_name name, col_type varchar, ordinal_position int) "
            "where view_name = 'v' order by ordinal_position"
        ) == [("n", "integer"), ("insert_date", "date")]
        assert (
            redshift.query("select column_name from information_schema.columns where table_name = 'v'") == []
        )
        redshift.query("drop table lake.t")
        assert 'relation "lake.t" does not exist' in error_of(redshift, "select n from v")["M"]
        redshift.query(
            "create external table lake.t (n int, insert_date date) stored as parquet location 's3://b/new'"
        )
        write(lake / "new/t.parquet", n=ints(8), insert_date=pa.array([datetime.date(2021, 1, 1)]))
        assert redshift.query("select n from v") == [(9,)]
        redshift.query("drop view v")

    def test_a_reader_of_a_late_binding_view_needs_usage_below_it_and_no_select(self, redshift):
        """https://github.com/aws-samples/amazon-redshift-dynamic-data-masking/issues/2"""
        for statement in (
            "create schema below",
            "create schema above",
            "create table below.t as select 1 as n",
            "create view above.v as select n from below.t with no schema binding",
            "grant usage on schema above to public",
            "grant select on above.v to public",
        ):
            redshift.query(statement)

        def ask(table: str) -> list:
            with redshift.connect(user="reader") as connection, connection.cursor() as cursor:
                cursor.execute(f"select n from {table}")
                return list(cursor.fetchall())

        with pytest.raises(ProgrammingError, match="permission denied for schema below"):
            ask("above.v")
        redshift.query("grant usage on schema below to public")
        assert ask("above.v") == [[1]]
        with pytest.raises(ProgrammingError, match="permission denied for table t"):
            ask("below.t")
        for statement in (
            "drop view above.v",
            "drop table below.t",
            "drop schema above",
            "drop schema below",
        ):
            redshift.query(statement)


ONE = {
    "smallint": pa.array([1], pa.int16()),
    "int": pa.array([1], pa.int32()),
    "bigint": pa.array([1], pa.int64()),
    "float": pa.array([1.5], pa.float32()),
    "double": pa.array([1.5], pa.float64()),
    "boolean": pa.array([True]),
    "date": pa.array([datetime.date(2021, 1, 31)]),
    "timestamp": pa.array([datetime.datetime(2021, 1, 31, 12, 30)], pa.timestamp("us")),
    "decimal(8,3)": pa.array([Decimal("-1.250")], pa.decimal128(8, 3)),
    "decimal(18,5)": pa.array([Decimal("1.25000")], pa.decimal128(18, 5)),
    "varchar(20)": pa.array(["é"]),
}


class TestParquetTypes:
    @pytest.fixture
    def read(self, redshift, lake):
        """Declare a column of a type, write an array to the file and read it."""

        def read_as(declared: str, values: pa.Array) -> list[tuple]:
            write(lake / "typed/t.parquet", value=values)
            redshift.query(
                f"create external table lake.typed (value {declared.replace('double', 'double precision').replace('float', 'real')}) "
                "stored as parquet location 's3://bucket/typed'"
            )
            return redshift.query("select value from lake.typed")

        yield read_as
        redshift.query("drop table lake.typed")

    @pytest.mark.parametrize("declared", ONE)
    def test_a_type_is_read_as_itself(self, read, declared):
        assert read(declared, ONE[declared]) == [tuple(ONE[declared].to_pylist())]

    @pytest.mark.parametrize(
        ("declared", "in_file"),
        [(a, ONE[b]) for a in ONE for b in ONE if a != b]
        + [("timestamp", pa.array([0], pa.timestamp("ns"))), ("varchar(20)", pa.array([[1]]))],
    )
    def test_and_as_no_other(self, tmp_path, declared, in_file):
        write(tmp_path / "t.parquet", value=in_file)
        with pytest.raises(SpectrumScanError, match="incompatible Parquet schema"):
            rows_of_file(File(tmp_path / "t.parquet", "s3://bucket/t.parquet", 0, 0), {"value": declared})

    def test_the_error_names_column_declared_and_actual_type(self, redshift, read):
        with pytest.raises(ProgrammingError) as raised:
            read("bigint", ONE["int"])
        assert raised.value.args[0]["M"] == (
            "Spectrum Scan Error. File 's3://bucket/typed/t.parquet' has an incompatible Parquet schema for column "
            "'s3://bucket/typed.value'. Column type: BIGINT, Parquet schema:\noptional int32 value [i:0 d:1 r:0]"
        )
        assert redshift.query("select value from lake.typed where false") == [], "nothing is scanned"

    def test_a_text_of_more_bytes_than_declared_is_null_or_an_error(self, redshift, lake, read):
        """The default: https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_glue.SurplusCharHandlingAction.html"""
        assert read("varchar(3)", pa.array(["éé", "é"])) == [(None,), ("é",)]
        create = "create external table lake.strict (value varchar(3)) stored as parquet location 's3://bucket/typed' "
        redshift.query(create + "table properties ('surplus_char_handling' = 'FAIL')")
        with pytest.raises(ProgrammingError, match="Table: 3, Data: 4"):
            redshift.query("select value from lake.strict")
        redshift.query("drop table lake.strict")
        assert "no table property" in error_of(redshift, create + "table properties ('numRows' = '1')")["M"]

    def test_a_column_that_the_file_lacks_is_null(self, redshift, lake, read):
        read("int", ONE["int"])
        write(lake / "typed/t.parquet", other=ints(1, 2))
        assert redshift.query("select value from lake.typed") == [(None,), (None,)]
