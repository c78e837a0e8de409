"""Two deliveries of the same days, what the pipeline makes of each undisturbed, and places that are between the two.

A place has staging, quarantine and a warehouse of the old delivery; the feeds and the shop's table are those of the new one. So after
a fault each day of each table must be the old or the new one, whole, and after another run the new one, row for row.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from ci.staged_sample import ROOT, Sample, Warehouse
from demo.sample import generate
from spark_prep.contract.encryption import parquet_file
from spark_prep.contract.object_store import store_and_path
from spark_prep.contract.publish import committed, files_of, rejections
from spark_prep.shop.load_user_purchase import load_user_purchase

DAYS = (date(2021, 1, 6), date(2021, 1, 7), date(2021, 1, 8))
SPAN = ("--from", str(DAYS[0]), "--to", str(DAYS[-1]))
REVIEWS_A_DAY, PURCHASES_A_DAY = 300, 2000
KEY = "only-for-tests-0123456789abcdef"
# Command -> what it runs, and the staging tables that it writes.
COMMANDS = {
    "export": ("spark_prep.shop.export_purchases", ("user_purchase",)),
    "classify": ("spark_prep.reviews.classify_reviews", ("classified_movie_review",)),
    "parse": ("spark_prep.logs.parse_logs", ("review_logs",)),
    "staging": ("spark_prep.prepare_staging", ("user_purchase", "classified_movie_review", "review_logs")),
}
TABLES = COMMANDS["staging"][1]
# A safety net.
TIMEOUT_SECONDS = 1800


class Day(NamedTuple):
    """What a reader sees of a table on a day."""

    rows: Counter[str]
    rejected: Counter[str]
    reasons: dict[str, int]
    delivered: int
    files: int


Content = dict[tuple[str, date], Day]
Marts = dict[str, Counter[tuple[object, ...]]]


class Place:
    """Folders or buckets of a pipeline, its environment, and how its commands are started."""

    def __init__(self, folder: Path, raw: Path, dsn: str, stores: dict[str, str] | None = None):
        self.folder = folder
        self.stores = stores or {
            "STAGING_URI": f"{folder}/staging",
            "QUARANTINE_URI": f"{folder}/quarantine",
        }
        self.environment = {
            "RAW_URI": str(raw),
            "USER_PURCHASE_DSN": dsn,
            "START_DATE": str(DAYS[0]),
            "PSEUDONYM_SECRET": KEY,
            "QUARANTINE_SECRET": Sample.QUARANTINE_SECRET,
            **self.stores,
        }
        self.warehouse = Warehouse(folder / "warehouse", Path(self.stores["STAGING_URI"]))

    def words(
        self, command: str, *, under: Sequence[str] = (), **environment: str
    ) -> tuple[list[str], dict[str, str]]:
        """How the command is started, and its environment; `under` is a module that runs the command's, and its arguments."""
        if command == "build":
            dbt = str(Path(sys.executable).with_name("dbt"))
            words = [dbt, "build", "--exclude-resource-type", "unit_test"]
            own = self.warehouse.settings | {
                "DBT_PROFILES_DIR": str(self.warehouse.folder),
                "DBT_TARGET_PATH": f"{self.warehouse.folder}/target",
                "DBT_LOG_PATH": f"{self.warehouse.folder}/logs",
                "DBT_PROJECT_DIR": f"{ROOT}/dbt_project",
                "DBT_FROM_DATE": str(DAYS[0]),
                "DBT_TO_DATE": str(DAYS[-1]),
            }
        else:
            words, own = [sys.executable, "-m", *under, COMMANDS[command][0], *SPAN], {}
        # of the project, wherever it is started
        python = {"PYTHONPATH": str(ROOT)}
        return words, {**os.environ, **python, **self.environment, **own, **environment}

    def start(self, command: str, *, under: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
        """In a process group of its own, with what it prints on its standard output."""
        words, environment = self.words(command, under=under, **environment)
        return subprocess.Popen(
            words,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *, under: Sequence[str] = (), **environment: str) -> str:
        """To its end, which must be a good one."""
        process = self.start(command, under=under, **environment)
        printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        if process.returncode:
            raise AssertionError(f"{command} ended with exit code {process.returncode}: {printed}")
        return printed

    def content(self, tables: tuple[str, ...] = TABLES) -> Content:
        return {(table, day): self.day(table, day) for table in tables for day in DAYS}

    def day(self, table: str, day: date) -> Day:
        """As readers do it: the delivery row first, then the files of the run that it names."""
        staging, quarantine = self.stores["STAGING_URI"], self.stores["QUARANTINE_URI"]
        delivery = committed(staging, table, day)
        if delivery is None or delivery.run is None:
            return Day(Counter(), Counter(), {}, 0, 0)
        rows, rejected = (
            Counter(
                str(row) for file in files_of(root, table, day, delivery.run) for row in _rows(root, file)
            )
            for root in (staging, quarantine)
        )
        reasons = rejections(staging, table, day, delivery.run)
        return Day(rows, rejected, reasons, delivery.delivered_records, delivery.file_count)

    def copy(self, folder: Path, *, staging_of: Place | None = None) -> Place:
        """Of this place, or of its warehouse beside the staging of another one."""
        shutil.rmtree(folder, ignore_errors=True)
        for area in ("staging", "quarantine"):
            shutil.copytree((staging_of or self).folder / area, folder / area)
        copy = Place(folder, Path(self.environment["RAW_URI"]), self.environment["USER_PURCHASE_DSN"])
        if self.warehouse.file.exists():
            shutil.copyfile(self.warehouse.file, copy.warehouse.file)
        return copy

    def marts(self) -> Marts:
        return self.warehouse.marts()

    def unbalanced(self) -> int:
        with duckdb.connect(str(self.warehouse.file), read_only=True) as connection:
            ((rows,),) = connection.execute(
                "select count(*) from analytics_marts.ledger where not is_balanced"
            ).fetchall()
        return int(rows)


class World(NamedTuple):
    """The old place, and what is expected: of staging before and after, of the marts after. `seconds` is what the commands took."""

    old: Place
    new: Place
    before: Content
    after: Content
    marts: Marts | None
    seconds: dict[str, float]


def deliver(folder: Path, dsn: str, seed: int) -> Path:
    """A sample's feeds in the folder and its purchases in the database; returns RAW_URI."""
    generate(
        folder, DAYS[0], DAYS[-1], reviews_per_day=REVIEWS_A_DAY, purchases_per_day=PURCHASES_A_DAY, seed=seed
    )
    load_user_purchase(dsn, f"{folder}/user_purchase.csv")
    return folder / "raw"


def _rows(root: str, path: str) -> list[dict[str, object]]:
    store, _ = store_and_path(root)
    with store.open_input_file(path) as file:
        rows: list[dict[str, object]] = parquet_file(file).read().to_pylist()
    return rows
