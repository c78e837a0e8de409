"""Stages a range of days of a vendor's feed: Spark spreads the files' pieces over tasks, each task writes its own parts, and
the days are committed when all parts are there."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

import pyarrow as pa
from pyarrow.fs import FileSelector
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from spark_prep.contract.object_store import store_and_path
from spark_prep.contract.outcome import Outcome, sum_by_reason
from spark_prep.contract.publish import Run, commit, committed, new_run, remove_run
from spark_prep.erasure.suppression import read_suppression, require_nobody_erased_since
from spark_prep.errors import PreparationError, from_worker, not_done
from spark_prep.spark.pieces import File, Report, Task, misread, pieces_of, tasks_of
from spark_prep.spark.stage_task import Feed, Stage, StagedPiece, stage_task

ENDINGS = (".csv", ".csv.gz")
SMALLEST_PIECE_BYTES = 4 << 20
# What a task tells the driver of each of its pieces, flat.
STAGED_PIECE = (
    "number int, start long, end long, records long, note string, staged long, rejected map<string, long>"
)
ARROW_STAGED_PIECE = pa.schema(
    [
        ("number", pa.int32()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("records", pa.int64()),
        ("note", pa.string()),
        ("staged", pa.int64()),
        ("rejected", pa.map_(pa.string(), pa.int64())),
    ]
)


class Folder(NamedTuple):
    """A day's folder of a feed: the files that are read, and the names of what else lies there."""

    uri: str
    files: list[File]
    others: list[str]


def stage_feed(
    spark: SparkSession,
    settings: dict[str, str],
    stage: Stage,
    days: Sequence[date],
    at_least: Mapping[date, int] | None = None,
) -> Outcome:
    """Replace these days of the table, and no others.

    A day without files writes its delivery row only, and nothing at all when it was staged before. A day whose files have fewer records
    than `at_least` says stays as it is, and does not count in the outcome.
    """
    run = new_run(settings, stage.table)
    folders = {day: delivered_files(settings["RAW_URI"], stage.feed, day) for day in days}
    missing = [day for day in days if not folders[day].files]
    try:
        stage = stage._replace(suppression=read_suppression(run.staging_uri))
        staged_before = {
            day for day in missing if (row := committed(run.staging_uri, run.table, day)) and row.is_delivered
        }
        _say_what_is_missing(stage.feed, settings["RAW_URI"], folders, staged_before)
        _say_what_is_not_read(folders.values())
        files = [file for day in days for file in folders[day].files]
        delivered, staged, rejected = _stage_files(spark, stage, run, files)
        require_nobody_erased_since(stage.suppression, run.staging_uri)
        too_few = [day for day, records in (at_least or {}).items() if delivered[day] < records]
        for day in too_few:
            remove_run(run, day)
            del delivered[day], staged[day]
        rejected = Counter({place: n for place, n in rejected.items() if place[0] not in too_few})
        for day in days:
            if day not in staged_before and day not in too_few:
                of_day = {reason: n for (on_day, reason), n in rejected.items() if on_day == day}
                _commit_optional(stage, run, day, len(folders[day].files), delivered[day])
                commit(run, day, len(folders[day].files), delivered[day], of_day)
        require_nobody_erased_since(stage.suppression, run.staging_uri)
    except (OSError, pa.ArrowException) as error:
        raise not_done(
            f"{run.staging_uri} cannot be read or written",
            error,
            "correct the setting or the rights, then run these days again",
        ) from error
    return Outcome(
        table=run.table,
        days=days,
        not_delivered=missing,
        delivered=delivered.total(),
        staged=staged.total(),
        quarantined=sum_by_reason(rejected),
        staging_uri=run.staging_uri,
        quarantine_uri=run.quarantine_uri,
    )


def _commit_optional(stage: Stage, run: Run, day: date, files: int, delivered: int) -> None:
    """Before the table itself, whose day is whole then. A day that had the optional table and has it no more has none of an older run."""
    if not stage.optional:
        return
    optional = run._replace(table=stage.optional.table)
    if stage.optional.rows:
        commit(optional, day, files, delivered, {})
    elif committed(run.staging_uri, optional.table, day):
        commit(optional, day, 0, 0, {})


def delivered_files(raw_uri: str, feed: Feed, day: date) -> Folder:
    """What lies in the day's folder; no file of the feed means that the day was not delivered."""
    name = f"{feed.folder}/insert_date={day}"
    folder = f"{raw_uri}/{name}"
    try:
        store, path = store_and_path(raw_uri)
        found = store.get_file_info(FileSelector(f"{path}/{name}", allow_not_found=True))
        found.sort(key=lambda file: file.base_name)
    except UnicodeDecodeError as error:
        raise PreparationError(
            f"{folder} holds a name that is not UTF-8: {error.object!r}; rename it"
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise not_done(f"{folder} cannot be listed", error, "check RAW_URI") from error
    files, others = [], []
    for file in found:
        if file.is_file and file.base_name.endswith(ENDINGS) and not _is_hidden(file.base_name):
            files.append(File(day, f"{folder}/{file.base_name}", raw_uri, file.path, file.size))
        else:
            others.append(file.base_name)
    return Folder(folder, files, others)


def largest_piece_bytes() -> int:
    """What a task reads, less when there are more cores than whole pieces: PIECE_MB of the environment, or 64 MB.

    Raises PreparationError when PIECE_MB is not a whole number of 1 or more.
    """
    given = os.environ.get("PIECE_MB", "").strip() or "64"
    if not re.fullmatch("[0-9]+", given) or int(given) == 0:
        raise PreparationError(
            f"PIECE_MB is {given!r}; it must be a whole number of megabytes, 1 or more (see .env.example)"
        )
    return int(given) << 20


def _say_what_is_missing(
    feed: Feed, raw_uri: str, folders: dict[date, Folder], staged_before: set[date]
) -> None:
    """A line a day, or one for many days: anyone who loads years of history wants to read on."""
    missing = [day for day, folder in folders.items() if not folder.files]
    for day in missing if len(missing) <= 5 else []:
        there = ", ".join(folders[day].others[:5])
        found = f" (there: {there})" if there else ""
        note = "; what was staged before stays" if day in staged_before else ""
        print(
            f"  {feed.folder} of {day} was not delivered{note}: no *.csv or *.csv.gz in {folders[day].uri}{found}"
        )
    if len(missing) > 5:
        note = f"; what was staged before of {len(staged_before)} of them stays" if staged_before else ""
        print(
            f"  {feed.folder} of {len(missing)} days ({missing[0]} to {missing[-1]}) was not delivered{note}: "
            f"no *.csv or *.csv.gz in {raw_uri}/{feed.folder}"
        )


def _say_what_is_not_read(folders: Iterable[Folder]) -> None:
    """What lies beside files that are read; where there are none, it has been named already."""
    beside = [
        f"{folder.uri}/{name}"
        for folder in folders
        for name in folder.others
        if folder.files and not _is_hidden(name)
    ]
    if beside:
        more = f" and {len(beside) - 5} more" if len(beside) > 5 else ""
        print(f"  not read, as it is no *.csv or *.csv.gz: {', '.join(beside[:5])}{more}")


def _is_hidden(name: str) -> bool:
    """As everywhere in Spark."""
    return name[0] in "_."


def _stage_files(
    spark: SparkSession, stage: Stage, run: Run, files: Sequence[File]
) -> tuple[Counter[date], Counter[date], Counter[tuple[date, str]]]:
    """Write the parts of all files: records that were found and rows that were staged, by day; rejected records by day and reason."""
    share = sum(file.size for file in files) // (2 * spark.sparkContext.defaultParallelism)
    piece_bytes = min(largest_piece_bytes(), max(SMALLEST_PIECE_BYTES, share))
    pieces = pieces_of(files, piece_bytes)
    tasks = tasks_of(pieces, piece_bytes)
    staged = _run_tasks(spark, stage, run, tasks)
    while wrong := misread(pieces, [staged[number].report for number in range(len(pieces))]):
        # with the other pieces in the same part
        again = [task for task in tasks if task.pieces.keys() & wrong.keys()]
        for task in again:
            task.pieces.update((number, wrong[number]) for number in task.pieces.keys() & wrong.keys())
        staged |= _run_tasks(spark, stage, run, again)

    delivered, staged_rows, rejected = Counter[date](), Counter[date](), Counter[tuple[date, str]]()
    for number, piece in enumerate(pieces):
        day, note = piece.file.day, staged[number].report.note
        delivered[day] += staged[number].report.records
        staged_rows[day] += staged[number].staged
        for reason, records in staged[number].rejected.items():
            rejected[day, reason] += records
        if note:
            print(f"  {piece.file.uri}: {note}")
    return delivered, staged_rows, rejected


def _run_tasks(spark: SparkSession, stage: Stage, run: Run, tasks: Sequence[Task]) -> dict[int, StagedPiece]:
    """One Spark task each; what became of the pieces, by their numbers."""
    if not tasks:
        return {}
    work = partial(_work, tasks=tasks, stage=stage, run=run)
    numbers = spark.range(0, len(tasks), 1, len(tasks))
    try:
        rows = numbers.mapInArrow(work, STAGED_PIECE).collect()
    except PythonException as error:
        if told := from_worker(error):
            raise told from error
        raise
    return {
        row.number: StagedPiece(
            row.number, Report(row.start, row.end, row.records, row.note), row.staged, row.rejected
        )
        for row in rows
    }


def _work(
    batches: Iterator[pa.RecordBatch], tasks: Sequence[Task], stage: Stage, run: Run
) -> Iterator[pa.RecordBatch]:
    """In a worker: the tasks whose numbers come in."""
    pa.set_cpu_count(1)
    for batch in batches:
        for place in batch.column(0).to_pylist():
            rows = [
                {"number": piece.number, "staged": piece.staged, "rejected": [*piece.rejected.items()]}
                | piece.report._asdict()
                for piece in stage_task(tasks[place], stage, run)
            ]
            yield pa.RecordBatch.from_pylist(rows, schema=ARROW_STAGED_PIECE)
