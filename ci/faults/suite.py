"""Does each fault in many rounds, and holds what is there afterwards against an undisturbed run.

After each round: every day of every table is as it was or as it is to be, whole; the command run again ends well; all rows, rejected
records and counts are then those of the undisturbed run. A difference is a finding.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import boto3
from moto.server import ThreadedMotoServer

from ci.faults import faults
from ci.faults.lake import COMMANDS, Content, Place, World, deliver
from ci.faults.load import hundredfold, many_years, mart_readers
from ci.faults.result import Result
from demo.postgres import embedded_postgres

READERS = 4
NOBODY_MOUNTS = Result("", 0, 0, 0, "not tried: this machine lets nobody mount a file system", [])
# Does a fault to a command in a place, which takes so many seconds undisturbed; whether it struck.
Strike = Callable[[Place, str, float, random.Random], bool]


class Fault(NamedTuple):
    """`is_quick`: a round takes a second or two, so there are five for each that is asked for."""

    name: str
    title: str
    is_quick: bool
    rounds: Callable[[World, Path, int, random.Random], Result]


def run(names: Sequence[str], rounds: int, seed: int) -> Iterator[Result]:
    with made_world(names) as (world, folder):
        yield from try_faults(world, folder, names, rounds, seed)


def try_faults(world: World, folder: Path, names: Sequence[str], rounds: int, seed: int) -> Iterator[Result]:
    for fault in FAULTS:
        if fault.name in names:
            # its own seed, so that a fault alone repeats what it did among others
            rng = random.Random(f"{seed} {fault.name}")  # noqa: S311 - no secret
            n = rounds * 5 if fault.is_quick else rounds
            yield fault.rounds(world, folder / fault.name, n, rng)._replace(fault=fault.title)


@contextlib.contextmanager
def made_world(names: Sequence[str]) -> Iterator[tuple[World, Path]]:
    """With all that these faults need, and a folder for their places."""
    with tempfile.TemporaryDirectory(prefix="faults-") as made, embedded_postgres() as dsn:
        folder = Path(made)
        yield make_world(folder, dsn, names), folder


def make_world(folder: Path, dsn: str, names: Sequence[str]) -> World:
    seconds: dict[str, float] = {}

    def timed(place: Place, command: str) -> None:
        began = time.monotonic()
        place.run(command)
        seconds[command] = time.monotonic() - began

    old = Place(folder / "old", deliver(folder / "first", dsn, seed=1), dsn)
    timed(old, "staging")
    is_built = any("build" in name for name in names)
    if is_built:
        timed(old, "build")
    raw = deliver(folder / "second", dsn, seed=2)
    old = Place(folder / "old", raw, dsn)
    new = Place(folder / "new", raw, dsn)
    timed(new, "staging")
    timed(new, "export")
    for command in ("classify", "parse"):
        if any(name.endswith(f"-{command}") for name in names):
            timed(new, command)
    if is_built:
        timed(new, "build")
    before, after = old.content(), new.content()
    # the sample's shop is closed on one of the days
    if any(before[key] == after[key] and before[key].delivered for key in before):
        raise AssertionError("the two deliveries have a day in common: a fault could not be seen")
    return World(old, new, before, after, new.marts() if is_built else None, seconds)


def compared(content: Content) -> int:
    return sum(day.rows.total() + day.rejected.total() for day in content.values())


def check(world: World, place: Place, tables: Sequence[str], again: Callable[[], object] | None) -> list[str]:
    """The findings after a round; `again` runs the command once more, after which all has to be new."""
    findings = []
    found = place.content()
    for (table, day), content in found.items():
        allowed = [world.before[table, day], *([world.after[table, day]] if table in tables else [])]
        if content not in allowed:
            findings.append(f"{table} of {day} is neither the old nor the new delivery after the fault")
    if again:
        again()
        found = place.content()
    for (table, day), content in found.items():
        expected = (world.after if table in tables else world.before)[table, day]
        if content != expected:
            findings.append(f"{table} of {day} differs from the undisturbed run")
    for (table, day), content in found.items():
        if content.delivered != content.rows.total() + sum(content.reasons.values()):
            findings.append(f"{table} of {day}: delivered is not staged + quarantined")
    return findings


def done_to(
    command: str, strike: Strike, *, runs_again: bool
) -> Callable[[World, Path, int, random.Random], Result]:
    """A round is a fresh place, the fault done to the command there, and if it is to run again, that."""

    def rounds(world: World, folder: Path, n: int, rng: random.Random) -> Result:
        tables, struck, findings = COMMANDS[command][1], 0, list[str]()
        for _ in range(n):
            place = world.old.copy(folder)
            struck += strike(place, command, world.seconds[command], rng)
            findings += check(world, place, tables, partial(place.run, command) if runs_again else None)
        return Result("", n, struck, n * compared(world.after), "", findings)

    return rounds


kill = partial(done_to, strike=faults.killed, runs_again=True)
two_at_once = partial(done_to, strike=faults.twice_at_once, runs_again=False)


def done_to_build(strike: Strike) -> Callable[[World, Path, int, random.Random], Result]:
    """Of the second delivery, over a warehouse of the first. A round is a fresh place, the fault, and a build after it."""

    def rounds(world: World, folder: Path, n: int, rng: random.Random) -> Result:
        struck, rows, findings, expected = 0, 0, list[str](), world.marts or {}
        for _ in range(n):
            place = world.old.copy(folder, staging_of=world.new)
            struck += strike(place, "build", world.seconds["build"], rng)
            place.run("build")
            found = place.marts()
            rows += sum(table.total() for table in found.values())
            findings += [
                f"{name} differs from the undisturbed build"
                for name in found
                if found[name] != expected[name]
            ]
            if unbalanced := place.unbalanced():
                findings.append(f"{unbalanced} rows of the ledger do not balance")
        return Result("", n, struck, rows, "", findings)

    return rounds


def readers(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    """Each round commits the days once more; readers read all the while."""
    place, table, findings = world.old.copy(folder), "user_purchase", list[str]()
    reads, records, is_over = [0] * READERS, [0] * READERS, threading.Event()

    def read(number: int) -> None:
        while not is_over.is_set():
            for key in [key for key in world.before if key[0] == table]:
                found = place.day(*key)
                reads[number] += 1
                records[number] += found.rows.total() + found.rejected.total()
                if found not in (world.before[key], world.after[key]):
                    findings.append(f"a reader saw a mixture of two runs of {key[0]} of {key[1]}")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(n):
            place.run("export")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    findings += check(world, place, (table,), None)
    return Result("", n, n, sum(records), f"{READERS} readers, {sum(reads):,} reads of a day", findings)


def database_gone(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    place = world.old.copy(folder)
    with faults.cut_connection(place.environment["USER_PURCHASE_DSN"], None) as (dsn, counts):
        place.run("export", USER_PURCHASE_DSN=dsn)
    struck, findings = 0, list[str]()
    for _ in range(n):
        place = world.old.copy(folder)
        struck += faults.without_database(place, sum(counts), rng)
        findings += check(world, place, ("user_purchase",), partial(place.run, "export"))
    return Result("", n, struck, n * compared(world.after), f"cut within {sum(counts):,} bytes", findings)


def store_unavailable(world: World, folder: Path, n: int, rng: random.Random) -> Result:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    struck, answers, findings, table = 0, 0, list[str](), "user_purchase"
    with _environment(settings):
        s3 = boto3.client("s3")
        for _ in range(n):
            bucket = f"lake-{uuid.uuid4()}"
            s3.create_bucket(Bucket=bucket)
            stores = {"STAGING_URI": f"s3://{bucket}/staging", "QUARANTINE_URI": f"s3://{bucket}/quarantine"}
            for area in ("staging", "quarantine"):
                for file in (world.old.folder / area).rglob("*.parquet"):
                    s3.upload_file(str(file), bucket, f"{area}/{file.relative_to(world.old.folder / area)}")
            place = Place(
                folder,
                Path(world.old.environment["RAW_URI"]),
                world.old.environment["USER_PURCHASE_DSN"],
                stores,
            )
            is_ended = rng.random() < 0.5
            share, good = (0.0, rng.randint(0, 30)) if is_ended else (rng.uniform(0.05, 0.6), None)
            with faults.moody_store(settings["AWS_ENDPOINT_URL"], rng, share=share, good_requests=good) as (
                endpoint,
                refused,
            ):
                process = place.start("export", AWS_ENDPOINT_URL=endpoint)
                faults.failed_clearly(process)
            struck += bool(refused)
            answers += len(refused)
            findings += check(world, place, (table,), partial(place.run, "export"))
    server.stop()
    return Result("", n, struck, n * compared(world.after), f"{answers:,} answers of 503", findings)


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def disk_full(command: str) -> Callable[[World, Path, int, random.Random], Result]:
    def rounds(world: World, folder: Path, n: int, rng: random.Random) -> Result:
        struck, findings = 0, list[str]()
        for _ in range(n):
            place = world.old.copy(folder)
            with faults.nearly_full(folder / "staging", faults.JOB_BYTES, rng) as ballast:
                if not ballast:
                    return NOBODY_MOUNTS
                struck += faults.failed_clearly(place.start(command))

                def again(place: Place = place, ballast: Path = ballast) -> None:
                    ballast.unlink()
                    place.run(command)

                findings += check(world, place, COMMANDS[command][1], again)
        return Result("", n, struck, n * compared(world.after), "", findings)

    return rounds


FAULTS = (
    Fault("kill-export", "SIGKILL in the export", True, kill("export")),
    Fault("kill-classify", "SIGKILL in the Spark job that classifies reviews", False, kill("classify")),
    Fault("kill-parse", "SIGKILL in the Spark job that parses logs", False, kill("parse")),
    Fault(
        "kill-staging",
        "SIGKILL in or between export and Spark jobs (`prepare_staging`)",
        False,
        kill("staging"),
    ),
    Fault("build", "SIGKILL in `dbt build`", False, done_to_build(faults.killed)),
    Fault("two-exports", "two exports of the same days at the same time", True, two_at_once("export")),
    Fault(
        "two-classify",
        "two Spark jobs that classify reviews of the same days at the same time",
        False,
        two_at_once("classify"),
    ),
    Fault(
        "two-parse",
        "two Spark jobs that parse logs of the same days at the same time",
        False,
        two_at_once("parse"),
    ),
    Fault(
        "two-builds",
        "two `dbt build` of the same days at the same time: DuckDB lets one write",
        False,
        done_to_build(faults.builds_at_once),
    ),
    Fault(
        "clock",
        "a clock that jumps by up to two months between exports",
        True,
        done_to("export", faults.at_another_time, runs_again=True),
    ),
    Fault("readers", "readers in a loop while days change", True, readers),
    Fault(
        "mart-readers",
        "readers of the marts in a loop while `dbt build` replaces days (stand-in of Redshift)",
        False,
        mart_readers,
    ),
    Fault("hundredfold", "days a hundred times as large", False, hundredfold),
    Fault("many-years", "ten years of days in warehouse, ledger and report", False, many_years),
    Fault("database", "the shop's database is gone in mid-export", True, database_gone),
    Fault(
        "store",
        "the object store answers 503: now and then, or from some request on",
        True,
        store_unavailable,
    ),
    Fault("disk", "the disk of staging is full in the export", True, disk_full("export")),
    Fault("disk-classify", "the disk of staging is full in a Spark job", False, disk_full("classify")),
    Fault(
        "disk-build",
        "the disk of the warehouse is full in `dbt build`",
        False,
        done_to_build(faults.disk_full_in_build),
    ),
)
NAMES = tuple(fault.name for fault in FAULTS)
