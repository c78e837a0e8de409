"""`make bench`: this project's commands beside the usual ways, in turn, on feeds that are generated for it; dbt's day after many; and training.

Its options are those of `python -m ci.benchmarks --help`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from ci.benchmarks import costs, feeds, training, warehouse, warehouse_document
from ci.benchmarks.document import publish, terminal
from ci.benchmarks.feeds import ALMOST_EMPTY_DAY, DAY, FEW_RECORDS
from ci.benchmarks.machine import describe
from ci.benchmarks.result import Results, result_of
from ci.benchmarks.run import BenchmarkError, Run, run
from ci.benchmarks.warehouse import History, history_of
from ci.benchmarks.warehouse_document import Days
from ci.benchmarks.ways import FEEDS, Input, Way, ways
from demo.postgres import embedded_postgres

WRITERS = {"reviews": feeds.write_reviews, "logs": feeds.write_logs}
WAREHOUSE, TRAINING = "warehouse", "training"
HISTORIES = ("1x5000", "100x5000", "1000x5000", "1x50000", "100x50000")
# As many as 25,000 movie reviews give.
WEIGHTS = 700_000
SECRET = "only-for-benchmarks-0123456789"


def benchmark(size: int, rounds: int, chosen: list[str], work: Path) -> tuple[Results, dict[str, str]]:
    """The results of the chosen feeds and the machine's description. `work` gets the feeds and, one at a time, what ways write."""
    with ExitStack() as stack:
        inputs, few, sizes, server = {}, {}, {}, None
        environment = {
            "RAW_URI": f"{work}/raw", "START_DATE": str(DAY), "PSEUDONYM_SECRET": SECRET, "QUARANTINE_SECRET": SECRET,
        }  # fmt: skip
        machine = describe()
        for feed in chosen:
            _say(f"making {size:,} {'purchases' if feed == 'export' else feed}")
            if feed == "export":
                dsn = stack.enter_context(embedded_postgres(work / "postgres"))
                environment["USER_PURCHASE_DSN"] = dsn
                inputs[feed], sizes[feed] = Input(dsn, feeds.load_purchases(dsn, size)), 0
                server = psutil.Process(int((work / "postgres/postmaster.pid").read_text().split()[0]))
            else:
                write = WRITERS[feed]
                inputs[feed] = Input(*write(work / "raw", DAY, size))
                few[feed] = Input(*write(work / "raw", ALMOST_EMPTY_DAY, FEW_RECORDS))
                sizes[feed] = Path(inputs[feed].source).stat().st_size
        if "reviews" in chosen:
            feeds.write_model(work / "model", WEIGHTS)
            environment["MODEL_URI"] = f"{work}/model"
        runs = _in_turn(ways(inputs, few), rounds, environment, work, server)
    return Results([result_of(way, of_way) for way, of_way in runs.items()], sizes), machine


def benchmark_warehouse(histories: list[History], rounds: int, work: Path) -> tuple[Days, dict[str, str]]:
    """A further day after each of the histories, and the machine's description."""
    machine = describe()
    return {before: warehouse.measure(before, rounds, work, _say) for before in histories}, machine


def _in_turn(
    compared: list[Way], rounds: int, environment: dict[str, str], work: Path, server: psutil.Process | None
) -> dict[Way, list[Run]]:
    """Round by round, so that what slows the machine down for a while slows all of them down."""
    runs: dict[Way, list[Run]] = {way: [] for way in compared}
    began = time.monotonic()
    # Not counted: the first run reads Java and Python from the disk.
    run(next((way for way in compared if way.is_almost_empty), compared[0]), environment, work)
    for number in range(1, rounds + 1):
        for way, of_way in runs.items():
            of_way.append(run(way, environment, work, server if way.feed == "export" else None))
            cost = of_way[-1].cost
            _say(
                f"round {number}/{rounds}  {way.feed:<8} {way.name:<22} {cost.wall:7.1f} s  CPU {cost.cpu:7.1f} s  "
                f"{cost.peak_bytes / 2**20:6,.0f} MB"
            )
    _say(f"measured in {(time.monotonic() - began) / 60:.0f} minutes")
    return runs


def _say(line: str) -> None:
    print(line, flush=True)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("less than 1")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ci.benchmarks",
        description="Measure the staging commands beside the usual ways, all on the same generated feeds: wall time, CPU and "
        "memory of all processes, tasks of Spark's stages. Then what one more day costs dbt after some days of history. "
        "Prints tables; what missed its target is marked. Linux only.",
    )
    parser.add_argument(
        "--size",
        metavar="N",
        type=_count,
        default=100_000,
        help="reviews, logs, purchases (default %(default)s)",
    )
    parser.add_argument(
        "--rounds",
        metavar="N",
        type=_count,
        default=2,
        help="runs of each way, in turn (default %(default)s)",
    )
    parts = (*FEEDS, WAREHOUSE, TRAINING)
    parser.add_argument(
        "--feeds",
        nargs="+",
        choices=parts,
        default=parts,
        help=f"only these (default: all); {WAREHOUSE}: one more day of dbt; {TRAINING}: make train",
    )
    parser.add_argument(
        "--histories",
        metavar="DAYSxREVIEWS",
        nargs="+",
        type=history_of,
        default=[history_of(text) for text in HISTORIES],
        help=f"days before the one that is measured, and reviews a day (default: {' '.join(HISTORIES)})",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="also write docs/benchmark.md and the figures in README.md (needs the three feeds), docs/benchmark_warehouse.md and docs/costs.md, docs/benchmark_training.md",
    )
    arguments = parser.parse_args()
    if sys.platform != "linux":
        parser.error("processes are measured by means of Linux alone")
    chosen = [feed for feed in FEEDS if feed in arguments.feeds]
    if arguments.publish and chosen and len(chosen) < len(FEEDS):
        parser.error("--publish needs all feeds, or none of them")
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as work:
            if chosen:
                results, machine = benchmark(arguments.size, arguments.rounds, chosen, Path(work))
                print(terminal(results))
                if arguments.publish:
                    publish(results, machine, arguments.size, arguments.rounds)
            if WAREHOUSE in arguments.feeds:
                days, machine = benchmark_warehouse(arguments.histories, arguments.rounds, Path(work))
                print(warehouse_document.terminal(days))
                if arguments.publish:
                    warehouse_document.publish(days, machine, arguments.rounds)
                    costs.publish(days, machine)
            if TRAINING in arguments.feeds:
                machine = describe()
                trainings = {size: training.measure(size, Path(work), _say) for size in training.SIZES}
                print(training.terminal(trainings))
                if arguments.publish:
                    training.publish(trainings, machine)
    except (BenchmarkError, subprocess.SubprocessError, RuntimeError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
