"""Load: many readers of the marts while days are replaced, days a hundred times as large, and ten years of days.

Readers are tried on the stand-in of Redshift, which has real transactions; DuckDB's file admits no reader beside the process that writes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import redshift_connector
import yaml
from redshift_connector.core import Connection

from ci.benchmarks import history
from ci.benchmarks.measure import measured
from ci.faults.lake import DAYS, PURCHASES_A_DAY, REVIEWS_A_DAY, Place, World
from ci.faults.result import Result
from ci.staged_sample import ROOT, Warehouse
from ci.stand_ins.redshift import RedshiftStandIn, redshift_stand_in
from demo.answers.check import differences
from demo.postgres import embedded_postgres
from demo.sample import generate
from spark_prep.shop.load_user_purchase import load_user_purchase

READERS = 64
# Between two reads of a reader: they look at what they have read.
MOST_PAUSE_SECONDS = 4.0
# Of all processes: Spark's heap of 2 GB and its Python workers; DuckDB's limit of 2 GB and dbt.
MOST_BYTES = {"staging": 4_000_000_000, "build": 3_000_000_000}
# 2021 to 2030, a few reviews a day.
TEN_YEARS, REVIEWS_OF_A_SMALL_DAY = 3652, 20
MARTS = ("fact_movie_analytics", "user_behavior_metric", "user_profile", "ledger", "movie_analytics_obt")
NUMBERS = ("integer", "bigint", "numeric", "double precision")
# How many rows a mart has, and the sums of all its numbers.
State = tuple[object, ...]


class OnRedshift(Warehouse):
    """Built by dbt-redshift on the stand-in from a lake's staging layer."""

    def __init__(self, folder: Path, stand_in: RedshiftStandIn):
        super().__init__(folder, folder)
        self.settings = {"DBT_TARGET": "redshift", "STAGING_URI": "s3://lake/staging"}
        outputs = {"movie_analytics": {"target": "redshift", "outputs": {"redshift": stand_in.profile()}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(outputs))


def mart_readers(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    """Each round replaces all days by the other delivery. Each read is of one mart, and finds it as it was or as it is to be."""
    shutil.rmtree(folder, ignore_errors=True)
    lake = folder / "lake"
    shutil.copytree(world.old.folder / "staging", lake / "staging")
    with redshift_stand_in(lake) as stand_in:
        warehouse = OnRedshift(folder / "warehouse", stand_in)
        states: dict[str, list[State]] = {mart: [] for mart in MARTS}
        queries: dict[str, str] = {}
        for place in (world.new, world.old):
            shutil.copytree(place.folder / "staging", lake / "staging", dirs_exist_ok=True)
            warehouse.build(DAYS[0], DAYS[-1])
            queries = {mart: _sums(stand_in, mart) for mart in MARTS}
            for mart in MARTS:
                states[mart].append(tuple(stand_in.query(queries[mart])[0]))
        reads, findings, is_over = Counter[str](), list[str](), threading.Event()

        def read(number: int) -> None:
            with stand_in.connect() as connection:
                while not is_over.is_set():
                    mart = MARTS[(number + reads.total()) % len(MARTS)]
                    try:
                        found = _read(connection, queries[mart])
                    except redshift_connector.error.Error as error:
                        findings.append(f"a reader of {mart} was refused: {str(error)[:200]}")
                        return
                    if found not in states[mart]:
                        findings.append(
                            f"a reader found {mart} neither as it was nor as it is to be: {found}"
                        )
                    reads[mart] += 1
                    is_over.wait(rng.uniform(0, MOST_PAUSE_SECONDS))

        threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            for number in range(n):
                place = (world.new, world.old)[number % 2]
                shutil.copytree(place.folder / "staging", lake / "staging", dirs_exist_ok=True)
                warehouse.build(DAYS[0], DAYS[-1])
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        rows = sum(reads[mart] * int(str(states[mart][0][0])) for mart in MARTS)
    return Result("", n, n, rows, f"{READERS} readers, {reads.total():,} reads of a mart", findings)


def hundredfold(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    """Days a hundred times as large as those of the other faults, beside such days: all marts are the generator's answers, and memory stays
    below what is set for it."""
    shutil.rmtree(folder, ignore_errors=True)
    peaks: dict[str, list[int]] = {command: [] for command in MOST_BYTES}
    findings, rows = [], 0
    for times in (1, 100):
        feeds = folder / f"{times}/feeds"
        with embedded_postgres() as dsn:
            generate(
                feeds,
                DAYS[0],
                DAYS[-1],
                reviews_per_day=REVIEWS_A_DAY * times,
                purchases_per_day=PURCHASES_A_DAY * times,
                seed=rng.randrange(10**6),
            )
            load_user_purchase(dsn, f"{feeds}/user_purchase.csv")
            place = Place(folder / f"{times}/place", feeds / "raw", dsn)
            for command, most in MOST_BYTES.items():
                words, environment = place.words(command)
                log = folder / f"{times}/{command}.log"
                cost = measured(words, environment, log)
                if cost.exit_code:
                    raise AssertionError(
                        f"{command} ended with exit code {cost.exit_code}: {log.read_text()[-2000:]}"
                    )
                peaks[command].append(cost.peak_bytes)
                if cost.peak_bytes > most:
                    findings.append(f"{command} of {times} times a day took {cost.peak_bytes / 1e9:.1f} GB")
        answers = json.loads((feeds / "answers.json").read_text())
        findings += differences(place.warehouse.file, answers)
        rows += sum(row["records_delivered"] for row in answers["ledger"])
    said = (
        f"{command}: {small / 1e9:.1f} and {large / 1e9:.1f} GB, at most {MOST_BYTES[command] / 1e9:.0f}"
        for command, (small, large) in peaks.items()
    )
    return Result("", 1, 1, rows, "memory of " + "; ".join(said), findings)


def many_years(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    """Ten years of small days, straight into staging (ci.benchmarks.history), built in one range, then one day more; with the report."""
    shutil.rmtree(folder, ignore_errors=True)
    days = [
        history.write_day(folder / "staging", number, REVIEWS_OF_A_SMALL_DAY) for number in range(TEN_YEARS)
    ]
    warehouse = Warehouse(folder / "warehouse", folder / "staging")
    warehouse.build(days[0], days[-2])
    warehouse.build(days[-1])
    findings = []
    ledger = warehouse.query(
        "select count(distinct insert_date), count(*), count(*) filter (is_balanced), min(insert_date), max(insert_date), "
        "sum(records_staged) filter (table_name = 'classified_movie_review') from analytics_marts.ledger"
    )[0]
    reviews = (history.CUSTOMERS_PER_REVIEW + TEN_YEARS - 1) * REVIEWS_OF_A_SMALL_DAY
    rows = 3 * TEN_YEARS
    if ledger != (TEN_YEARS, rows, rows, days[0], days[-1], reviews):
        findings.append(f"the ledger of ten years has {ledger}")
    site = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pages.report.build", str(folder / "target"), str(site)],
        cwd=ROOT, env={**os.environ, **warehouse.settings, "DBT_PROFILES_DIR": str(warehouse.folder)}, capture_output=True, check=True,
    )  # fmt: skip
    pages = sorted(site.glob("*.html"), key=lambda page: page.stat().st_size)
    if not any(str(days[-1]) in page.read_text() for page in pages):
        findings.append("the report does not name the last day")
    note = f"{TEN_YEARS:,} days; the report's largest page has {pages[-1].stat().st_size / 1e6:.1f} MB"
    return Result("", 1, 1, rows, note, findings)


def _sums(stand_in: RedshiftStandIn, mart: str) -> str:
    columns = stand_in.query(
        "select column_name from information_schema.columns "
        f"where table_schema = 'analytics_marts' and table_name = '{mart}' and data_type in {NUMBERS} order by column_name"
    )
    sums = "".join(f", sum({column})" for (column,) in columns)
    return f"select count(*){sums} from analytics_marts.{mart}"


def _read(connection: Connection, query: str) -> State:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return tuple(cursor.fetchall()[0])
