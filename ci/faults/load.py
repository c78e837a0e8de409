"""Load: many readers of the marts while days are replaced, and ten years of days.

Readers are tried on the stand-in of Redshift, which has real transactions; DuckDB's file admits no reader beside the process that writes.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections import Counter
from pathlib import Path

import yaml
from redshift_connector.core import Connection

from ci.faults.lake import DAYS, World
from ci.faults.result import Result
from ci.staged_sample import Warehouse
from ci.stand_ins.redshift import RedshiftStandIn, redshift_stand_in

READERS = 64
# Between two reads of a reader: they look at what they have read.
MOST_PAUSE_SECONDS = 4.0
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
                    found = _read(connection, queries[mart])
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
