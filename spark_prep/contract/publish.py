"""Where a day of a staging table lies, and how it is replaced in one step.

    STAGING_URI/<table>/insert_date=D/run=R/part-00000.parquet …     its rows
    QUARANTINE_URI/<table>/insert_date=D/run=R/part-00000.parquet …  its rejected records
    STAGING_URI/rejection/insert_date=D/run=R/<table>.parquet        how many were rejected, by reason
    STAGING_URI/delivery/insert_date=D/<table>.parquet               one row, which names R: the commit
    STAGING_URI/staged/insert_date=D/day.parquet                     the runs of all tables that may go to the warehouse (release_day)

A run R writes to folders of its own. Nobody reads them until the day's delivery row, written last, names R; from then on
everybody does. So a day of many files changes at once. A killed run is never seen, and of two runs at the same time
the one that commits last is the day; the other's files are read by no one.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector

from spark_prep.contract import encryption, tables
from spark_prep.contract.object_store import create, replace, require_writable, store_and_path
from spark_prep.errors import PreparationError
from spark_prep.settings import is_local

STARTED = "%Y%m%dT%H%M%S"
RUN_FOLDER = re.compile(r"run=(?P<id>(?P<started>[0-9]{8}T[0-9]{6})-[0-9a-f]{8})")
PART_PLACE = re.compile(
    rf"/insert_date=(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/{RUN_FOLDER.pattern}/[^/]+$"
)


class Run(NamedTuple):
    """A run over some days of a table. Its id begins with its start in UTC, and no other run has it."""

    table: str
    id: str
    staging_uri: str
    quarantine_uri: str
    # how long the files of a run that is not the day's stay at least
    keep: timedelta
    # which key of the cloud's key service encrypts raw records; empty for QUARANTINE_SECRET
    quarantine_key_id: str


class Delivery(NamedTuple):
    """What came of a table on a day: the row that commits it. `run` is None when nothing was delivered."""

    table_name: str
    run: str | None
    is_delivered: bool
    file_count: int
    delivered_records: int


def new_run(settings: dict[str, str], table: str) -> Run:
    """Raises PreparationError when there is no key for raw records, and for places where nothing can be written."""
    require_writable(settings, "STAGING_URI", "QUARANTINE_URI")
    id_ = f"{datetime.now(UTC):{STARTED}}-{secrets.token_hex(4)}"
    return Run(
        table, id_, settings["STAGING_URI"], settings["QUARANTINE_URI"], keep_runs(), encryption.key_id()
    )


@contextmanager
def parts(run: Run, day: date, number: int) -> Iterator[tuple[pq.ParquetWriter, pq.ParquetWriter]]:
    """Writers of a part of the day's table and of its quarantine. Whoever writes this number again replaces both."""
    name = f"{run_folder(run.table, day, run.id)}/part-{number:05}.parquet"
    with (
        create(run.staging_uri, name) as staged,
        create(run.quarantine_uri, name) as rejected,
        pq.ParquetWriter(staged, tables.STAGING[run.table]) as staged_rows,
        encryption.rejected_writer(rejected, tables.QUARANTINE, run.quarantine_key_id) as rejected_rows,
    ):
        yield staged_rows, rejected_rows


@contextmanager
def optional_part(run: Run, day: date, number: int) -> Iterator[pq.ParquetWriter]:
    """A writer of a part of a table that has no quarantine."""
    name = f"{run_folder(run.table, day, run.id)}/part-{number:05}.parquet"
    with (
        create(run.staging_uri, name) as file,
        pq.ParquetWriter(file, tables.OPTIONAL[run.table]) as rows,
    ):
        yield rows


def commit(run: Run, day: date, file_count: int, delivered: int, rejected: Mapping[str, int]) -> None:
    """Make what the run has written the day's content, and remove what older runs of the day have left.

    Without files nothing was delivered, and the day has no content. `rejected` is reason → records; of a table without a quarantine
    there is none.
    """
    before = committed(run.staging_uri, run.table, day)
    if file_count and run.table in tables.STAGING:
        rows = [{"table_name": run.table, "reason": reason, "records": n} for reason, n in rejected.items()]
        _write(run.staging_uri, rejection_file(run.table, day, run.id), tables.REJECTION, rows)
    delivery = Delivery(run.table, run.id if file_count else None, file_count > 0, file_count, delivered)
    _write(run.staging_uri, delivery_file(run.table, day), tables.DELIVERY, [delivery._asdict()])
    _remove_old_runs(run, day, before.run if before else None)


def committed(staging_uri: str, table: str, day: date) -> Delivery | None:
    """The day's delivery row; None when the day was never staged."""
    store, path = store_and_path(staging_uri)
    name = delivery_file(table, day)
    try:
        with store.open_input_file(f"{path}/{name}") as file:
            found = pq.ParquetFile(file).read()
    except FileNotFoundError:
        return None
    if found.schema.names != tables.DELIVERY.names or len(found) != 1:
        raise PreparationError(
            f"{staging_uri}/{name} is no delivery row of this version: empty STAGING_URI, all but suppression/ (who was erased), and "
            "QUARANTINE_URI, all but read/ (who read what), then stage all days again"
        )
    return Delivery(**found.to_pylist()[0])


def files_of(root: str, table: str, day: date, run_id: str) -> list[str]:
    """The paths of a run's files, in the store of the root."""
    store, path = store_and_path(root)
    folder = FileSelector(f"{path}/{run_folder(table, day, run_id)}", allow_not_found=True)
    return sorted(file.path for file in store.get_file_info(folder) if file.is_file)


def require_unchanged(run: Run, day: date, before: Delivery) -> None:
    """Before the commit of a run that was made from another one: raise PreparationError if that is not the day's any more. What the run has
    written is removed then: it may hold a customer who was erased meanwhile."""
    if committed(run.staging_uri, run.table, day) != before:
        remove_run(run, day)
        raise PreparationError(
            f"{run.table} of {day} was staged again meanwhile; it stays as it is now: wait until no job stages that day, then try again"
        )


def part_files(root: str, table: str) -> list[tuple[date, str, str]]:
    """All files of a table's runs, committed or not: day, run, and the path in the store of the root, in this order."""
    store, path = store_and_path(root)
    selector = FileSelector(f"{path}/{table}", allow_not_found=True, recursive=True)
    found = []
    for file in store.get_file_info(selector):
        place = PART_PLACE.search(file.path)
        if file.is_file and place:
            found.append((date.fromisoformat(place["day"]), place["id"], file.path))
    return sorted(found)


def remove_run(run: Run, day: date) -> None:
    """Remove what a run has of a day, of the rejections this table's only. Not for a run that `delivery` names."""
    for root in (run.staging_uri, run.quarantine_uri):
        _delete_folder(root, run_folder(run.table, day, run.id))
    store, path = store_and_path(run.staging_uri)
    with suppress(FileNotFoundError):
        store.delete_file(f"{path}/{rejection_file(run.table, day, run.id)}")


def copy_part(root: str, run: Run, day: date, source: str) -> None:
    """Take a file of another run of the day as it is. Nobody reads the copy before the commit, so it may be half there."""
    store, path = store_and_path(root)
    folder = f"{path}/{run_folder(run.table, day, run.id)}"
    if is_local(root):
        os.makedirs(folder, exist_ok=True)
    store.copy_file(source, f"{folder}/{source.rpartition('/')[2]}")


def rejections(staging_uri: str, table: str, day: date, run_id: str) -> dict[str, int]:
    """Of a run: how many records were rejected, by reason; none when nothing says so."""
    store, path = store_and_path(staging_uri)
    try:
        with store.open_input_file(f"{path}/{rejection_file(table, day, run_id)}") as file:
            rows = pq.ParquetFile(file).read().to_pylist()
    except FileNotFoundError:
        return {}
    return {row["reason"]: row["records"] for row in rows}


def run_folder(table: str, day: date, run_id: str) -> str:
    return f"{table}/insert_date={day}/run={run_id}"


def rejection_file(table: str, day: date, run_id: str) -> str:
    return f"{run_folder('rejection', day, run_id)}/{table}.parquet"


def delivery_file(table: str, day: date) -> str:
    return f"delivery/insert_date={day}/{table}.parquet"


def staged_file(day: date) -> str:
    return f"staged/insert_date={day}/day.parquet"


def keep_runs() -> timedelta:
    """KEEP_RUNS_HOURS of the environment, or a day.

    Raises PreparationError when it is not a whole number of 1 or more.
    """
    given = os.environ.get("KEEP_RUNS_HOURS", "").strip() or "24"
    if not re.fullmatch("[0-9]+", given) or int(given) == 0:
        raise PreparationError(
            f"KEEP_RUNS_HOURS is {given!r}; it must be a whole number of hours, 1 or more (see .env.example)"
        )
    return timedelta(hours=int(given))


def _write(root: str, name: str, schema: pa.Schema, rows: list[dict[str, object]]) -> None:
    content = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), content)
    replace(root, name, content.getvalue())


def _remove_old_runs(run: Run, day: date, before: str | None) -> None:
    """Remove the files of runs that are neither the day's nor so young that they may still be written or read.

    The one that was the day's until now stays, or if that one is young, the last one before.
    """
    youngest = datetime.now(UTC).replace(tzinfo=None) - run.keep
    try:
        runs = {
            found for root in (run.staging_uri, run.quarantine_uri) for found in _runs(root, run.table, day)
        }
    except (OSError, pa.ArrowException) as error:
        _warn_of_old_runs(run, day, error)
        return
    old = sorted(id_ for id_, started in runs if started < youngest and id_ != run.id)
    for id_ in old:
        if id_ == (before if before in old else old[-1]):
            continue
        try:
            remove_run(run._replace(id=id_), day)
        except (OSError, pa.ArrowException) as error:
            _warn_of_old_runs(run, day, error)


def _warn_of_old_runs(run: Run, day: date, error: Exception) -> None:
    """The day is committed, and nobody reads those files."""
    print(f"  warning: old runs of {run.table} of {day} could not be removed: {' '.join(str(error).split())}")


def _runs(root: str, table: str, day: date) -> set[tuple[str, datetime]]:
    """The runs that have files of the day: id and start."""
    store, path = store_and_path(root)
    # recursive, since of Cloud Storage Arrow lists objects only
    selector = FileSelector(f"{path}/{table}/insert_date={day}", allow_not_found=True, recursive=True)
    folders = {file.path.split("/")[-2] for file in store.get_file_info(selector) if file.is_file}
    runs = filter(None, map(RUN_FOLDER.fullmatch, folders))
    return {(run["id"], datetime.strptime(run["started"], STARTED)) for run in runs}


def _delete_folder(root: str, name: str) -> None:
    store, path = store_and_path(root)
    try:
        store.delete_dir(f"{path}/{name}")
    except FileNotFoundError:
        # another run has done it; or it is done, and Cloud Storage misses an object for the folder itself
        return
