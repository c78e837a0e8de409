"""One run of one way: started, measured, its rows checked, its folder removed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import psutil

from ci.benchmarks import event_log
from ci.benchmarks.event_log import Stage
from ci.benchmarks.measure import Cost, measured
from ci.benchmarks.ways import ROOT, Way


class BenchmarkError(Exception):
    """A way failed, or its rows are not right."""


class Run(NamedTuple):
    """What a run cost; the stages of Spark, when it has any; seconds of CPU of the database's server for it."""

    cost: Cost
    stages: list[Stage]
    server_cpu: float


def run(way: Way, environment: dict[str, str], work: Path, server: psutil.Process | None = None) -> Run:
    """Raises BenchmarkError with the end of the command's output, or with the rows that are wrong."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        out, log, events = Path(folder, "out"), Path(folder, "log"), Path(folder, "events")
        events.mkdir()
        # read by spark-submit, and so by whatever starts a session
        settings = "".join(f"{name} {value}\n" for name, value in event_log.settings(events).items())
        Path(folder, "spark-defaults.conf").write_text(settings)
        places = {
            "STAGING_URI": f"{out}/staging",
            "QUARANTINE_URI": f"{out}/quarantine",
            "SPARK_CONF_DIR": folder,
        }
        command = [part.replace("{out}", str(out)) for part in way.command]
        before = _cpu_of(server)
        cost = cost_of(f"{way.feed}, {way.name}", command, own_environment() | environment | places, log)
        server_cpu = _cpu_of(server) - before
        check_rows(way, out)
        return Run(cost, event_log.stages(events), server_cpu)


def cost_of(what: str, command: Sequence[str], environment: dict[str, str], log: Path) -> Cost:
    """Raises BenchmarkError with the end of the command's output when it fails."""
    cost = measured(command, environment, log)
    if cost.exit_code:
        output = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise BenchmarkError(f"{what}: exit code {cost.exit_code}\n{output}")
    return cost


def check_rows(way: Way, out: Path) -> None:
    """Raises BenchmarkError when the rows that the way left in its folder are not right."""
    query = f"select {way.check} from read_parquet('{out}/{way.rows}', hive_partitioning = false)"
    # a connection of its own: what one result leaves unread blocks the next query of a connection
    with duckdb.connect() as connection:
        found = connection.execute(query).fetchone()
    if found != tuple(way.right):
        raise BenchmarkError(
            f"{way.feed}, {way.name}: {way.check} gives {found}; {tuple(way.right)} is right"
        )


def own_environment() -> dict[str, str]:
    """The user's own, without the settings of a pipeline that may be loaded; the same Python for Spark's workers."""
    foreign = ("CLASSIFIER", "OTHER_CLASSIFIERS", "MODEL_URI", "PIECE_MB", "PSEUDONYM_", "PYSPARK_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return own | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}


def _cpu_of(server: psutil.Process | None) -> float:
    """Of the sessions so far: each is a process of its own, whose time the server has when it has ended."""
    if server is None:
        return 0.0
    psutil.wait_procs([child for child in server.children() if _is_session(child)], timeout=10)
    times = server.cpu_times()
    return float(times.children_user + times.children_system)


def _is_session(process: psutil.Process) -> bool:
    """Or the remains of one."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE or "[local]" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
