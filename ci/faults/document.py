"""docs/faults.md, from a run of the suite."""

from __future__ import annotations

from collections.abc import Sequence

from ci.benchmarks.machine import describe
from ci.benchmarks.ways import ROOT
from ci.faults.result import Result

DOCUMENT = ROOT / "docs/faults.md"
HEADER = ("fault", "rounds", "it struck in", "records and rows compared", "beside", "outcome")
INTRODUCTION = """\
# What goes wrong, and what happens then

Written by `make test-faults PUBLISH=1`, not by hand. Each fault is done to the real commands, on three days of two deliveries of sample feeds: staging holds the first when the
second comes. After each round, every day of every table must be the one or the other, whole. Then the command runs again, and all rows, rejected records and counts must be those of an undisturbed run, and
delivered = staged + quarantined; after `dbt build`, all marts, and the ledger balances. Moments are random: half of the kills come after a random time, half as soon as a random number of files is there.

Three rows are about load: readers of the marts on the stand-in of Redshift, each read of which has to find a mart as it was or as it is to be (DuckDB's file admits no reader beside the process that
writes); days a hundred times as large, whose marts have to be the generator's answers; ten years of days.

"""
NOT_TRIED = """
## Not tried here

| | |
|---|---|
| power loss, a kernel that dies | What a killed process has written is in the page cache and stays. Nothing is synced to disk before the commit: staging on one machine relies on its file system. |
| wrong bits on disk or on the way | Parquet's checksums are not written; S3 and Cloud Storage have their own. |
| a node or executor of a cluster that dies, a network that splits | Spark is tried in local mode, where driver and tasks are killed together. A task that runs twice writes the same files. |
| S3 and Cloud Storage themselves | The store is moto through Arrow's S3 client, with 503 from a proxy before it. Hadoop's S3A is not used: all files go through Arrow. |
| Redshift and BigQuery that fail in mid-build | dbt is killed on DuckDB. That a day is replaced in one transaction on Redshift is a test of its own (`dbt_project/tests/python/test_warehouses.py`). |
| Airflow's processes that die | Tried in a real scheduler by `airflow/tests/test_scheduler.py`. |
"""


def row(result: Result) -> tuple[str, ...]:
    outcome = "nothing lost" if not result.findings else f"{len(result.findings):,} findings"
    counts = (f"{result.rounds:,}", f"{result.struck:,}", f"{result.compared:,}")
    return (result.fault, *counts, result.note, outcome if result.rounds else "")


def markdown(results: Sequence[Result], seed: int) -> str:
    machine = describe()
    rows = [HEADER, ("---", "---:", "---:", "---:", "---", "---"), *map(row, results)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    ran = f"{machine['processor']}, {machine['memory']}, {machine['date']}, commit {machine['commit']}, seed {seed}:\n\n"
    return INTRODUCTION + ran + table + "\n" + NOT_TRIED


def publish(results: Sequence[Result], seed: int) -> None:
    DOCUMENT.write_text(markdown(results, seed), encoding="utf-8")
