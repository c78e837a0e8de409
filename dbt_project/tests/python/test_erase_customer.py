"""A customer who is erased is in no table any more, and all tables are as if they had never been there."""

import datetime
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from ci.staged_sample import ROOT, Sample, Warehouse, staged_warehouse

pytestmark = pytest.mark.slow

DAYS = Sample.DAYS
# No other value of the sample is this number, so it can be looked for as a text.
PERSON = 1987654321
STAGED = ("user_purchase", "classified_movie_review", "review_logs")


@pytest.fixture(scope="module")
def person(sample, tmp_path_factory):
    """A lake in which the customer with most reviews has the number PERSON, and a warehouse built from it day by day."""
    folder = tmp_path_factory.mktemp("person")
    for area in ("staging", "quarantine"):
        shutil.copytree(sample.folder / area, folder / area)
    with duckdb.connect() as connection:
        files = f"read_parquet('{folder}/staging/classified_movie_review/*/*/*.parquet')"
        (customer, _), *_ = connection.execute(
            f"select customer_id, count(*) from {files} where customer_id is not null group by 1 order by 2 desc, 1"
        ).fetchall()
        for table in STAGED[:2]:
            for file in (folder / "staging" / table).rglob("*.parquet"):
                connection.execute(
                    f"copy (select * replace (if(customer_id = {customer}, {PERSON}, customer_id)::int as customer_id) "
                    f"from read_parquet('{file}', hive_partitioning = false)) to '{file}.new' (format parquet)"
                )
                shutil.move(f"{file}.new", file)
    warehouse = staged_warehouse(folder / "warehouse", folder / "staging")
    warehouse.run(DAYS[0], DAYS[2])
    warehouse.run(DAYS[3], DAYS[5])
    return folder, warehouse


def tables(warehouse: Warehouse) -> list[tuple[str, str]]:
    return warehouse.query("select schema_name, table_name from duckdb_tables() order by all")


def tables_with_person(warehouse: Warehouse) -> set[str]:
    """All tables in whose rows the number is, whatever the column, also inside of structs."""
    return {
        table
        for schema, table in tables(warehouse)
        if warehouse.query(
            f'select 1 from "{schema}"."{table}" as t where t::varchar ~ \'\\b{PERSON}\\b\' limit 1'
        )
    }


def records_of_person(folder: Path, warehouse: Warehouse) -> int:
    """Staged and rejected ones, found by SQL: purchases, reviews, and the logs of the reviews that the marts say are theirs."""
    reviews = [
        id_
        for (id_,) in warehouse.query(
            f"select review_id from analytics_intermediate.int_attributed_review where customer_id = {PERSON}"
        )
    ]
    counts = {
        "staging/user_purchase": f"customer_id = {PERSON}",
        "staging/classified_movie_review": f"customer_id = {PERSON}",
        "staging/review_logs": f"log_id in {tuple(reviews)}",
        "quarantine/classified_movie_review": f"try_cast(record_id as int) in {tuple(reviews)}",
        "quarantine/review_logs": f"try_cast(record_id as int) in {tuple(reviews)}",
    }
    with duckdb.connect() as connection:
        found = [
            connection.execute(
                f"select count(*) from read_parquet('{folder}/{place}/*/*/*.parquet') where {condition}"
            ).fetchall()[0][0]
            for place, condition in counts.items()
        ]
    assert all(found[:3]), found
    return sum(found)


def declared(manifest: dict, key: str, value: str) -> set[str]:
    return {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and any(column["config"]["meta"].get(key) == value for column in node["columns"].values())
    }


def rows(warehouse: Warehouse) -> dict[str, Counter]:
    """Of all tables but the audit's, which record times; and those of this build alone."""
    return {
        f"{schema}.{table}": Counter(warehouse.query(f'select t::varchar from "{schema}"."{table}" as t'))
        for schema, table in tables(warehouse)
        if not schema.endswith("_audit")
        and table
        not in {
            "stg_delivery",
            "int_day_to_build",
            "int_customer_touched",
            "int_touched_invoice",
            "int_touched_line",
            "int_touched_review",
            "int_month_to_build",
        }
    }


def operation(warehouse: Warehouse, arguments: str) -> subprocess.CompletedProcess:
    """The arguments as YAML, as make gives them."""
    return warehouse.dbt(
        "--quiet", "--log-level-file", "none", "run-operation", "erase_customer", "--args", arguments
    )


def test_every_table_that_holds_a_customer_is_declared(person, manifest):
    """By their values, so that no column that a customer's id is copied to under another name is missed."""
    _, warehouse = person
    found = tables_with_person(warehouse)
    assert {"int_review", "fact_movie_analytics", "user_profile", "customer_history_nested"} <= found
    assert found <= declared(manifest, "personal_data", "identifier")


def test_every_table_with_an_id_of_a_review_and_no_customer_is_declared(person, manifest):
    _, warehouse = person
    with_ids = {
        table
        for (table,) in warehouse.query(
            "select distinct table_name from duckdb_columns() where column_name in ('review_id', 'log_id', 'record_id') "
            "and schema_name not like '%_audit' and table_name in (select table_name from duckdb_tables())"
        )
    }
    customers = declared(manifest, "personal_data", "identifier")
    assert with_ids - customers == declared(manifest, "holds", "review") == {"int_log", "int_record_day"}


def test_erased_everywhere_and_all_else_as_if_they_had_never_been_there(person, tmp_path, monkeypatch):
    folder, warehouse = person
    # an id as people write it
    monkeypatch.setenv("ERASE_CUSTOMER", f" {PERSON}\n")
    counted = operation(warehouse, "{}")
    assert counted.returncode == 0, counted.stdout
    assert "int_attributed_review" in counted.stdout and tables_with_person(warehouse)

    expected = records_of_person(folder, warehouse)
    settings = {
        "STAGING_URI": f"{folder}/staging",
        "QUARANTINE_URI": f"{folder}/quarantine",
        "SUPPRESSION_SECRET": "a-key-for-tests-0123456789",
        "QUARANTINE_SECRET": Sample.QUARANTINE_SECRET,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    erased = subprocess.run(
        [sys.executable, "-m", "spark_prep.erasure.erase_customer", "--customer", str(PERSON), "--yes"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert erased.returncode == 0, erased.stderr
    first, last = (
        datetime.date.fromisoformat(word.split("=")[1]) for word in erased.stdout.splitlines()[-1].split()
    )
    warehouse.build(first, last)
    erased = operation(warehouse, "{confirmed: true}")
    assert erased.returncode == 0, erased.stdout
    assert tables_with_person(warehouse) == set()
    for place in ("logs", "target"):
        for file in (path for path in (warehouse.folder / place).rglob("*") if path.is_file()):
            assert str(PERSON).encode() not in file.read_bytes(), file

    scratch = staged_warehouse(tmp_path / "scratch", folder / "staging")
    scratch.run()
    assert rows(warehouse) == rows(scratch)
    assert warehouse.query("select count(*) from analytics_marts.ledger where not is_balanced") == [(0,)]
    ((counted,),) = warehouse.query(
        "select sum(rejected_records) from analytics_marts.ledger_rejection where rejection_reason = 'erased on request'"
    )
    assert counted == expected
