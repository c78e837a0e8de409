"""A sample that Spark has staged, a warehouse that dbt builds from it, and dbt as a user runs it."""

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar

import duckdb

from ci import resident
from demo.answers.marts import answers_for
from demo.postgres import embedded_postgres
from demo.sample import generate
from spark_prep.contract import publish, tables
from spark_prep.shop.load_user_purchase import load_user_purchase

ROOT = Path(__file__).parents[1]
# Where the processes of a test session share what dbt has parsed (set by the fixtures).
MANIFESTS: Path | None = None


def run_dbt(
    *arguments: str, folder: Path, settings: dict[str, str], project: Path = ROOT / "dbt_project"
) -> subprocess.CompletedProcess:
    """Run dbt; profiles.yml, target and logs are in `folder`, so that tests neither see nor leave anything in the
    project. Returns the finished process, output as text."""
    places = {
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    parsed = None
    if MANIFESTS and project == ROOT / "dbt_project" and "parse" not in arguments:
        parsed = resident.parsed_file(MANIFESTS, folder / "profiles.yml", settings, arguments)
    return resident.dbt(
        ["--no-use-colors", *arguments], cwd=project, environment={**os.environ, **settings, **places},
        parsed=parsed,
    )  # fmt: skip


class Sample:
    """A sample as the pipeline staged it: its feeds, its right answers and the staging layer that Spark made of it."""

    SECRET = "only-for-tests-0123456789abcdef"
    QUARANTINE_SECRET = "also-only-for-tests-0123456789abcdef"
    DAYS = tuple(datetime.date(2021, 1, 1) + datetime.timedelta(days=n) for n in range(6))

    def __init__(self, folder: Path):
        self.folder = folder
        self.raw, self.staging, self.quarantine = folder / "raw", folder / "staging", folder / "quarantine"
        self.delivered = generate(
            folder, self.DAYS[0], self.DAYS[-1], reviews_per_day=250, purchases_per_day=250, seed=7,
            has_canaries=True,
        )  # fmt: skip

    def answers(self, days=None) -> dict:
        return answers_for(self.delivered, days)

    def prepare(self) -> subprocess.CompletedProcess:
        with embedded_postgres() as dsn:
            load_user_purchase(dsn, f"{self.folder}/user_purchase.csv")
            settings = {
                "RAW_URI": str(self.raw),
                "STAGING_URI": str(self.staging),
                "QUARANTINE_URI": str(self.quarantine),
                "USER_PURCHASE_DSN": dsn,
                "START_DATE": str(self.DAYS[0]),
                "PSEUDONYM_SECRET": self.SECRET,
                "QUARANTINE_SECRET": self.QUARANTINE_SECRET,
                "OTHER_CLASSIFIERS": "lexicon",
                "PYSPARK_SUBMIT_ARGS": f"{self._event_log()} pyspark-shell",
            }
            span = ["--from", str(self.DAYS[0]), "--to", str(self.DAYS[-1])]
            prepared = subprocess.run(
                [sys.executable, "-m", "spark_prep.prepare_staging", *span],
                cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=1800, check=False,
            )  # fmt: skip
        (self.folder / "prepare_staging.log").write_text(prepared.stdout + prepared.stderr)
        return prepared

    def _event_log(self) -> str:
        """Spark's options that keep its events, and with them its plans, in <folder>/event_log."""
        folder = self.folder / "event_log"
        folder.mkdir(exist_ok=True)
        options = {"enabled": "true", "compress": "false", "dir": folder.as_uri()}
        return " ".join(f"--conf spark.eventLog.{name}={value}" for name, value in options.items())


class Warehouse:
    """A DuckDB warehouse that dbt builds from a staging folder."""

    MARTS = (
        "dim_browser", "dim_date", "dim_devices", "dim_location", "dim_os",
        "fact_movie_analytics", "user_behavior_metric", "ledger", "ledger_rejection",
        "ledger_classifier", "ledger_agreement",
        "user_profile", "customer_cohort_retention", "movie_analytics_obt",
    )  # fmt: skip
    # Set by every command of dbt, beside the days.
    vars: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path, staging: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file = folder, folder / "warehouse.duckdb"
        self.settings = {"DBT_TARGET": "dev", "DUCKDB_PATH": str(self.file), "STAGING_URI": str(staging)}
        (folder / "profiles.yml").write_text((ROOT / "profiles_template.yml").read_text())

    def dbt(
        self, *arguments: str, days: tuple | None = None, project: Path = ROOT / "dbt_project"
    ) -> subprocess.CompletedProcess:
        """Run dbt, for the days (first, last) where there are any."""
        first_last = dict(zip(("from_date", "to_date"), map(str, days), strict=True)) if days else {}
        if variables := {**self.vars, **first_last}:
            arguments = (*arguments, "--vars", json.dumps(variables))
        return run_dbt(*arguments, folder=self.folder, settings=self.settings, project=project)

    def stage_external_sources(self, days: tuple | None = None, **kwargs) -> str:
        """Returns what dbt printed."""
        staged = self.dbt("run-operation", "stage_external_sources", days=days, **kwargs)
        assert staged.returncode == 0, staged.stdout
        return staged.stdout

    def build(self, first=None, last=None, *, without: tuple[str, ...] = ("unit_test",)) -> str:
        """Build the days, or everything, with data tests; returns what dbt printed."""
        days = (first, last or first) if first else None
        built = self.dbt("build", "--exclude-resource-types", *without, days=days)
        assert built.returncode == 0, built.stdout
        return built.stdout

    def run(self, first=None, last=None) -> str:
        """Build without data tests, a quarter to a third of a build: on the way to the warehouse that a test is about."""
        return self.build(first, last, without=("unit_test", "test"))

    def copy(self, folder: Path, staging: Path | None = None) -> "Warehouse":
        """Another one with the same rows, which a test may change; on a staging layer of its own where there is one."""
        copy = Warehouse(folder, staging or Path(self.settings["STAGING_URI"]))
        shutil.copyfile(self.file, copy.file)
        if staging:
            copy.stage_external_sources()
        return copy

    def change(self, *statements: str) -> None:
        """What no build does."""
        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

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


def stage_again(
    staging: Path,
    table: str,
    day: datetime.date,
    sql: str = "select * from staged",
    *,
    is_committed: bool = True,
) -> publish.Run:
    """Write another run of a staged day, as the jobs do: its rows are the outcome of a query over `staged`, the rows of the
    committed run, in two parts, and the same records are rejected. Without a commit it is what a killed run leaves."""
    before = publish.committed(str(staging), table, day)
    assert before and before.run, f"{table} of {day} is not staged"
    rejected = publish.rejections(str(staging), table, day, before.run)
    quarantine = staging.with_name("quarantine")
    schema = (tables.STAGING | tables.OPTIONAL)[table]
    run = publish.new_run({"STAGING_URI": str(staging), "QUARANTINE_URI": str(quarantine)}, table)
    with duckdb.connect() as connection:
        connection.execute(
            "create view staged as from read_parquet("
            f"{publish.files_of(str(staging), table, day, before.run)}, hive_partitioning = false)"
        )
        rows = connection.sql(sql).to_arrow_table().cast(schema)
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        if table in tables.OPTIONAL:
            with publish.optional_part(run, day, number) as rows_of_part:
                rows_of_part.write_table(part)
            continue
        with publish.parts(run, day, number) as (staged_rows, _):
            staged_rows.write_table(part)
    if is_committed:
        publish.commit(run, day, before.file_count, len(rows) + sum(rejected.values()), rejected)
    return run


def staged_warehouse(folder: Path, staging: Path) -> Warehouse:
    """A DuckDB warehouse with its external tables, on which nothing is built yet."""
    warehouse = Warehouse(folder, staging)
    warehouse.stage_external_sources()
    return warehouse
