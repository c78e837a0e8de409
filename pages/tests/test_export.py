"""make export: the marts as files that DuckDB, pandas and spreadsheets read, without columns of personal data."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ci.staged_sample import ROOT, Warehouse
from pages.export import TABLES, exported_columns


def run(
    warehouse: Warehouse, folder: Path, manifest: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pages.export", manifest, folder], cwd=ROOT, env={**os.environ, **warehouse.settings, **settings},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def manifest_file(manifest, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("manifest") / "manifest.json"
    file.write_text(json.dumps(manifest))
    return file


@pytest.fixture(scope="module")
def exported(built, manifest_file, made_once) -> Path:
    def build(folder: Path) -> None:
        ended = run(built, folder / "it's", manifest_file)
        assert ended.returncode == 0, ended.stderr
        (folder / "printed").write_text(ended.stdout)

    return made_once("exported", build) / "it's"


def test_it_has_what_readers_see(manifest):
    """Those of Redshift, whose views an administrator writes down column by column."""
    script = (ROOT / "terraform/deploy/databases/redshift.sh").read_text()
    views = {
        name: re.sub(r"\s", "", columns).split(",")
        for name, columns in re.findall(
            r"create view analytics_reading\.(\w+) as\s+select (.*?)\sfrom",
            script.replace("select\n", "select "),
            re.DOTALL,
        )
    }
    assert set(views) == set(TABLES)
    for name, columns in views.items():
        found = exported_columns(manifest["nodes"][f"model.movie_analytics.{name}"])
        assert set(found) == set(columns), name


@pytest.mark.slow
def test_no_column_of_a_customers_rows_is_made_from_the_customer(built, manifest):
    """By the values: one that is different on every row is a key, which can be computed for each customer; one that is equal on all rows of
    a customer, but not of all, links them."""
    for table in ("fact_movie_analytics", "movie_analytics_obt"):
        for column in exported_columns(manifest["nodes"][f"model.movie_analytics.{table}"]):
            ((rows, values),) = built.query(
                f"select count(*), count(distinct {column}) from analytics_marts.{table}"
            )
            ((of_a_customer,),) = built.query(
                f"select max(values) from (select count(distinct {column}) as values from analytics_marts.{table} group by customer_id)"
            )
            assert values < rows and (values <= 1 or of_a_customer > 1), f"{table}.{column}"


@pytest.mark.slow
def test_parquet_and_csv_have_the_rows_of_the_marts(built, exported):
    for table in TABLES:
        parquet = duckdb.read_parquet(str(exported / f"{table}.parquet"))
        columns, rows = parquet.columns, parquet.fetchall()
        marts = built.query(f"select {', '.join(columns)} from analytics_marts.{table}")
        assert "customer_id" not in columns and Counter(rows) == Counter(marts) and marts
        texts = duckdb.read_csv(str(exported / f"{table}.csv"), header=True, all_varchar=True).fetchall()
        assert texts == [tuple(map(as_text, row)) for row in rows]
        frame = pd.read_csv(exported / f"{table}.csv")
        assert list(frame.columns) == columns and len(frame) == len(rows)


def as_text(value: object) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.slow
def test_each_column_is_in_the_dictionary_with_its_meaning(exported):
    rows = list(csv.DictReader((exported / "data_dictionary.csv").open(encoding="utf-8-sig", newline="")))
    assert all(row["description"] and "\n" not in row["description"] for row in rows)
    for table in TABLES:
        header = (exported / f"{table}.csv").open(encoding="utf-8-sig").readline().strip().split(",")
        assert [row["column"] for row in rows if row["table"] == table] == ["", *header]


@pytest.mark.slow
def test_a_formula_is_no_formula_in_csv_and_itself_in_parquet(built, manifest_file, tmp_path):
    own = Warehouse(tmp_path / "own", built.settings["STAGING_URI"])
    shutil.copyfile(built.file, own.file)
    names = {"Tablet": '=HYPERLINK("http://x")', "Mobile": "  @SUM(A1)", "Computer": "\uff1d1+1"}
    with duckdb.connect(str(own.file)) as connection:
        for device, name in names.items():
            connection.execute(
                "update analytics_marts.dim_devices set device = ? where device = ?", [name, device]
            )
    for _ in range(2):  # the second replaces the files of the first
        ended = run(own, tmp_path / "out", manifest_file)
        assert ended.returncode == 0, ended.stderr
    assert not list((tmp_path / "out").glob("*.part"))
    devices = {
        row["device"]
        for row in csv.DictReader((tmp_path / "out/dim_devices.csv").open(encoding="utf-8-sig", newline=""))
    }
    assert {f"'{name}" for name in names.values()} <= devices and not devices & set(names.values())
    kept = {
        name for (name,) in duckdb.sql(f"select device from '{tmp_path}/out/dim_devices.parquet'").fetchall()
    }
    assert set(names.values()) <= kept


@pytest.mark.slow
def test_what_cannot_be_exported_is_one_clear_line(built, manifest_file, tmp_path):
    own = Warehouse(tmp_path / "own", built.settings["STAGING_URI"])
    shutil.copyfile(built.file, own.file)
    for settings, said in (
        ({"DUCKDB_PATH": str(tmp_path / "none.duckdb")}, "there is no warehouse at"),
        ({"DBT_TARGET": "redshift"}, "UNLOAD"),
    ):
        ended = run(own, tmp_path / "out", manifest_file, **settings)
        assert ended.returncode == 1 and said in ended.stderr and "Traceback" not in ended.stderr
    with duckdb.connect(str(own.file)):
        ended = run(own, tmp_path / "out", manifest_file)
        assert (
            ended.returncode == 1
            and "does a run write to it?" in ended.stderr
            and "Traceback" not in ended.stderr
        )
    with duckdb.connect(str(own.file)) as connection:
        connection.execute("drop table analytics_marts.customer_cohort_retention")
    ended = run(own, tmp_path / "out", manifest_file)
    assert ended.returncode == 1 and "lacks a mart" in ended.stderr and "Traceback" not in ended.stderr
