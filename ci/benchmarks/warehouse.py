"""What one more day costs dbt, after some days of history: the same command on the same sort of day, whatever came before.

History is staged directly (ci.benchmarks.history) and built in one range. Then further days are staged and built one by one, as
`make run DATE=…` builds them, and measured.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import duckdb

from ci.benchmarks import history
from ci.benchmarks.measure import Cost
from ci.benchmarks.run import BenchmarkError, cost_of
from ci.benchmarks.ways import ROOT

DBT = Path(sys.executable).with_name("dbt")
# What a day of 1,000 days may cost, as a multiple of the second.
AT_MOST = 1.2


class History(NamedTuple):
    """So many days that were built before, the first load among them, of so many reviews (logs, a fifth as many purchase lines) each."""

    days: int
    reviews: int

    def text(self) -> str:
        """Such as: 1,000 days of 5,000"""
        return f"{self.days:,} day{'s' * (self.days > 1)} of {self.reviews:,}"


class Day(NamedTuple):
    """A further day, medians over the rounds: dbt's process, with the bytes that it read beyond those of one that builds nothing; bytes that
    each node read, as DuckDB tells, and each node's time in seconds, by name. Then, of all days up to there: bytes that each data test
    reads (`make verify`), bytes of staging, of the warehouse's file, and of each of its tables as BigQuery counts them."""

    wall: float
    cpu: float
    peak_bytes: float
    read_bytes: float
    reads: dict[str, float]
    nodes: dict[str, float]
    verified: dict[str, int]
    staged_bytes: int
    stored_bytes: int
    logical_bytes: dict[str, int]

    def node_seconds(self) -> float:
        return sum(self.nodes.values())


def history_of(text: str) -> History:
    """From 1000x5000: days times reviews. Raises ValueError for anything else."""
    found = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)", text)
    if not found:
        raise ValueError(f"{text} is not DAYSxREVIEWS, such as 1000x5000")
    return History(int(found[1]), int(found[2]))


def measure(before: History, rounds: int, work: Path, say: Callable[[str], None]) -> Day:
    """Raises BenchmarkError with the end of dbt's output when a build fails or has not all of the day's reviews."""
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        (folder / "profiles.yml").write_text((ROOT / "profiles_template.yml").read_text())
        say(f"{before.days:,} days of {before.reviews:,} reviews: staging and building them")
        days = [history.write_day(folder / "staging", n, before.reviews) for n in range(before.days)]
        _build(folder, str(days[0]), str(days[-1]))
        further, reads = [], []
        for number in range(before.days, before.days + rounds):
            day = history.write_day(folder / "staging", number, before.reviews)
            further.append(_build(folder, str(day), str(day)))
            cost = further[-1][0]
            say(
                f"  one more day: {cost.wall:6.1f} s  CPU {cost.cpu:6.1f} s  {cost.peak_bytes / 2**20:6,.0f} MB  "
                f"nodes {sum(further[-1][1].values()):6.1f} s"
            )
            reads.append(_bytes_read(folder))
            _check(folder, str(day), before.reviews)
        nothing = _dbt(folder, "build --exclude *")
        staged = sum(file.stat().st_size for file in (folder / "staging").rglob("*.parquet"))
        stored, logical = _stored_bytes(folder)
        _dbt(folder, "test")
        verified = _bytes_read(folder)
    costs = [cost for cost, _ in further]
    nodes = {name: median(times.get(name, 0.0) for _, times in further) for name in further[-1][1]}
    return Day(
        median(cost.wall for cost in costs),
        median(cost.cpu for cost in costs),
        median(cost.peak_bytes for cost in costs),
        median(cost.read_bytes for cost in costs) - nothing.read_bytes,
        {name: median(of.get(name, 0.0) for of in reads) for name in reads[-1]},
        nodes,
        verified,
        staged,
        stored,
        logical,
    )


def _build(folder: Path, first: str, last: str) -> tuple[Cost, dict[str, float]]:
    """The cost of the days' build, and the seconds of each node by name."""
    cost = _dbt(folder, "build", {"DBT_FROM_DATE": first, "DBT_TO_DATE": last})
    results = json.loads((folder / "target/run_results.json").read_text())["results"]
    return cost, {result["unique_id"].split(".")[2]: result["execution_time"] for result in results}


def _dbt(folder: Path, command: str, days: dict[str, str] | None = None) -> Cost:
    """Of all days without `days`. Raises BenchmarkError with the end of dbt's output."""
    settings = {
        "DBT_TARGET": "dev",
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": f"{folder}/target",
        "DBT_LOG_PATH": f"{folder}/logs",
        "DUCKDB_PATH": f"{folder}/warehouse.duckdb",
        "STAGING_URI": f"{folder}/staging",
        "DBT_PROJECT_DIR": str(ROOT / "dbt_project"),
        "PYTHONPATH": str(ROOT),
    } | (days or {})
    log = folder / "log"
    foreign = ("DBT_", "DUCKDB_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    what = f"dbt {command} of {' to '.join((days or {}).values()) or 'all days'}"
    words = [str(DBT), "--quiet", *command.split(), "--exclude-resource-type", "unit_test"]
    cost = cost_of(what, words, own | settings, log)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    return cost


def _bytes_read(folder: Path) -> dict[str, int]:
    """By each node of the last run, by name."""
    query = """
        select node_name, bytes_processed from analytics_audit.run_result
        where run_started_at = (select max(run_started_at) from analytics_audit.run_result) and bytes_processed is not null
    """
    with duckdb.connect(f"{folder}/warehouse.duckdb", read_only=True) as connection:
        return dict(connection.execute(query).fetchall())


# As BigQuery counts a value: a text as its bytes and two more.
LOGICAL_BYTES = {
    "BOOLEAN": 1,
    "INTEGER": 8,
    "BIGINT": 8,
    "DOUBLE": 8,
    "DATE": 8,
    "TIMESTAMP": 8,
    "DECIMAL": 16,
}


def _stored_bytes(folder: Path) -> tuple[int, dict[str, int]]:
    """Of the warehouse: what its file uses, and what BigQuery would count for each table, by name. Nested columns count as their text."""
    with duckdb.connect(f"{folder}/warehouse.duckdb", read_only=True) as connection:
        columns: dict[str, list[str]] = {}
        for table, column, type_ in connection.execute(
            "select format('{}.{}', schema_name, table_name), column_name, data_type from duckdb_columns() "
            "where (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"
        ).fetchall():
            fixed = LOGICAL_BYTES.get(type_.split("(")[0])
            width = (
                f"count({column}) * {fixed}" if fixed else f"coalesce(sum(2 + strlen({column}::varchar)), 0)"
            )
            columns.setdefault(table, []).append(width)
        logical = {
            table.partition(".")[2]: int(
                connection.execute(f"select {' + '.join(widths)} from {table}").fetchall()[0][0]
            )
            for table, widths in columns.items()
        }
        used = "select used_blocks * block_size from pragma_database_size()"
        ((stored,),) = connection.execute(used).fetchall()
    return int(stored), logical


def _check(folder: Path, day: str, reviews: int) -> None:
    query = f"select records_staged from analytics_marts.ledger where insert_date = '{day}' and table_name = 'classified_movie_review'"
    with duckdb.connect(f"{folder}/warehouse.duckdb", read_only=True) as connection:
        found = connection.execute(query).fetchall()
    if found != [(reviews,)]:
        raise BenchmarkError(f"{day}: the ledger has {found} reviews; {reviews} is right")
