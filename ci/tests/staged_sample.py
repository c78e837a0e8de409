"""A sample that Spark has staged, a warehouse that dbt builds from it, and dbt as a user runs it."""

import datetime
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb

from ci.embedded_postgres import embedded_postgres, load_user_purchase
from ci.sample_feeds import answers_for, generate

ROOT = Path(__file__).parents[2]
DBT = Path(sys.executable).with_name("dbt")


def dbt(*arguments: str, warehouse: Path, staging: Path) -> subprocess.CompletedProcess:
    """Run dbt in dbt_project against a DuckDB file; returns the finished process, output as text."""
    settings = {
        "DBT_TARGET": "dev",
        "DUCKDB_PATH": str(warehouse),
        "STAGING_URI": str(staging),
        # Beside the warehouse, so that tests neither see nor leave anything in the project.
        "DBT_TARGET_PATH": str(warehouse.parent / "target"),
        "DBT_LOG_PATH": str(warehouse.parent / "logs"),
        "DBT_PROFILES_DIR": str(warehouse.parent),
    }
    (warehouse.parent / "profiles.yml").write_text((ROOT / "profiles_template.yml").read_text())
    return subprocess.run(
        [DBT, "--no-use-colors", *arguments],
        cwd=ROOT / "dbt_project",
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Sample:
    """A sample as the pipeline staged it: its feeds, its right answers and the staging layer that Spark made of it."""

    CANARY_PHONE = "555-019-2837"
    SECRET = "only-for-tests-0123456789abcdef"
    DAYS = tuple(datetime.date(2021, 1, 1) + datetime.timedelta(days=n) for n in range(6))

    def __init__(self, folder: Path):
        self.folder = folder
        self.raw, self.staging, self.quarantine = folder / "raw", folder / "staging", folder / "quarantine"
        self.delivered = generate(
            folder, self.DAYS[0], self.DAYS[-1], reviews_per_day=250, purchases_per_day=250, seed=7,
            canary_phone=self.CANARY_PHONE,
        )  # fmt: skip

    def answers(self, days=None) -> dict:
        return answers_for(self.delivered, days)

    def prepare(self) -> subprocess.CompletedProcess:
        with embedded_postgres() as dsn:
            load_user_purchase(dsn, self.folder / "user_purchase.csv")
            settings = {
                "RAW_URI": str(self.raw),
                "STAGING_URI": str(self.staging),
                "QUARANTINE_URI": str(self.quarantine),
                "USER_PURCHASE_DSN": dsn,
                "START_DATE": str(self.DAYS[0]),
                "PSEUDONYM_SECRET": self.SECRET,
            }
            span = ["--from", str(self.DAYS[0]), "--to", str(self.DAYS[-1])]
            return subprocess.run(
                [sys.executable, "-m", "spark_prep.prepare_staging", *span],
                cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=280, check=False,
            )  # fmt: skip


class Warehouse:
    """A DuckDB warehouse that dbt builds from a staging folder."""

    MARTS = (
        "dim_browser", "dim_date", "dim_devices", "dim_location", "dim_os",
        "fact_movie_analytics", "user_behavior_metric", "ledger",
    )  # fmt: skip

    def __init__(self, folder: Path, staging: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file, self.staging = folder, folder / "warehouse.duckdb", staging

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess:
        return dbt(*arguments, warehouse=self.file, staging=self.staging)

    def stage_external_sources(self) -> None:
        staged = self.dbt("run-operation", "stage_external_sources")
        assert staged.returncode == 0, staged.stdout

    def build(self, first=None, last=None) -> str:
        """Build the days, or everything; returns what dbt printed."""
        if not self.file.exists():
            self.stage_external_sources()
        days = ["--vars", f"{{from_date: {first}, to_date: {last or first}}}"] if first else []
        built = self.dbt("build", "--exclude-resource-type", "unit_test", *days)
        assert built.returncode == 0, built.stdout
        return built.stdout

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def marts(self) -> dict[str, Counter]:
        """The rows of every mart with how often each occurs; equal marts compare equal, whatever the order."""
        return {table: Counter(self.query(f"select * from analytics_marts.{table}")) for table in self.MARTS}

    def columns(self, schema: str, table: str) -> set[str]:
        return {
            name
            for (name,) in self.query(
                "select column_name from information_schema.columns "
                f"where table_schema = '{schema}' and table_name = '{table}'"
            )
        }
