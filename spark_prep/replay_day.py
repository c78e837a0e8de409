"""Takes back what quarantine has of a day, after a rule was mended: `python -m spark_prep.replay_day --date D --table T [--reason R]`.

The rejected records of the run that counts go through the same code as a delivery; the vendor's file is not needed. What is no longer
rejected joins the day's rows in a new run, committed like any other; the rest stays in quarantine, with the reason that holds now. The
number of delivered records stays what it was. If nothing changes there is no new run, so a second replay changes nothing.

Records that could not be cut out of their file (an unclosed quote, an unknown header …) stay: what they are depends on what stood
around them. Neither do records come back that were rejected before quarantine kept the order of the file's columns, nor those of
which only the first part is kept. The shop's purchases are not replayed: run the day again.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from spark_prep.check_day import Limits, read_outcome, require_sound
from spark_prep.contract import tables
from spark_prep.contract.days import iso_day
from spark_prep.contract.encryption import read_batches
from spark_prep.contract.publish import (
    Delivery,
    Run,
    commit,
    committed,
    copy_part,
    files_of,
    new_run,
    optional_part,
    parts,
    rejections,
    remove_run,
    require_unchanged,
)
from spark_prep.erasure.suppression import read_suppression
from spark_prep.errors import PreparationError, not_done, run
from spark_prep.logs.parse_logs import log_stage
from spark_prep.logs.pseudonyms import require_same_key
from spark_prep.reviews.classifiers.chosen import (
    add_classifier_options,
    add_other_classifiers_option,
    chosen_classifier,
    other_classifiers,
)
from spark_prep.reviews.classify_reviews import review_stage
from spark_prep.settings import read_settings
from spark_prep.spark.csv_records import (
    MOST_KEPT_BYTES,
    TEXT_AFTER_QUOTE,
    TOO_LONG,
    UNCLOSED_QUOTE,
    WRONG_NUMBER_OF_FIELDS,
    Block,
    Layout,
    Record,
    is_good,
    layout_of,
    read_record,
)
from spark_prep.spark.pieces import CANNOT_BE_DECOMPRESSED, HEADER_IS_NOT_AS_AGREED
from spark_prep.spark.stage_task import Stage, quarantined, transformed

SETTINGS = ("STAGING_URI", "QUARANTINE_URI")
TABLES = ("classified_movie_review", "review_logs")
# Reasons of the reader, not of a rule.
NOT_CUT_OUT = (
    WRONG_NUMBER_OF_FIELDS, UNCLOSED_QUOTE, TEXT_AFTER_QUOTE, TOO_LONG, HEADER_IS_NOT_AS_AGREED, CANNOT_BE_DECOMPRESSED,
)  # fmt: skip
# A record may have a megabyte.
RECORDS_AT_ONCE = 256
ALL_RIGHT = Limits(max_rejected=1, min_usual=0)


class Replayed(NamedTuple):
    """What became of the rejected records of a day: came back, stay (reason → records), and of these, were not tried for they cannot be
    read without their file."""

    came_back: int
    stay: Counter[str]
    not_tried: int


def replay_day(settings: dict[str, str], stage: Stage, day: date, reason: str | None = None) -> Replayed:
    """Replay the rejected records of the day, or those with this reason.

    Raises PreparationError when nothing was delivered on the day, and when the day's records do not add up before or after.
    """
    require_sound(read_outcome(settings, stage.table, day), ALL_RIGHT)
    before = committed(settings["STAGING_URI"], stage.table, day)
    if before is None or before.run is None:
        raise PreparationError(f"{stage.table} of {day} was not delivered, so there is nothing to replay")
    stage = stage._replace(suppression=read_suppression(settings["STAGING_URI"]))
    new = new_run(settings, stage.table)
    staged = files_of(new.staging_uri, stage.table, day, before.run)
    new_optional, optional_before = _optional(stage, new, day)
    came_back, not_tried, stay = 0, 0, Counter[str]()
    # a part that the run before does not have: its own are copied beside it
    number = 1 + max(map(_number, staged), default=-1)
    with (
        parts(new, day, number) as (staged_rows, rejected_rows),
        optional_part(new_optional, day, number) if new_optional else nullcontext() as optional_rows,
    ):
        for path in files_of(new.quarantine_uri, stage.table, day, before.run):
            for rows in _records(new.quarantine_uri, path):
                for (file_uri, fields), of_file in groupby(
                    rows, key=lambda row: (row["file"], row["fields"])
                ):
                    tried: list[tuple[dict[str, Any], Record]] = []
                    rest: list[dict[str, Any]] = []
                    for row in of_file:
                        is_asked_for = reason in (None, row["reason"])
                        record = _read(row) if is_asked_for else None
                        if record:
                            tried.append((row, record))
                        else:
                            rest.append(row)
                            not_tried += is_asked_for
                    table, optional, rejected = (
                        _again(tried, layout_of(fields), stage) if tried else (None, None, [])
                    )
                    if table:
                        staged_rows.write_table(table)
                        came_back += len(table)
                    if optional and optional_rows:
                        optional_rows.write_table(optional)
                    rejected += [(_raw(row), row["reason"], row["record_id"]) for row in rest]
                    stay.update(why for _, why, _ in rejected)
                    kept = [record for record in rejected if record[1] != tables.ERASED]
                    if kept:
                        layout = layout_of(fields) if fields else None
                        rejected_rows.write_table(quarantined(kept, file_uri, layout))
    # of those who were erased there are no records, only their number
    rejected_before = rejections(new.staging_uri, stage.table, day, before.run)
    stay[tables.ERASED] += rejected_before.get(tables.ERASED, 0)
    stay = +stay
    if came_back + stay.total() != sum(rejected_before.values()):
        _remove(day, new, new_optional)
        raise PreparationError(
            f"{stage.table} of {day}: quarantine has {came_back + stay.total():,} of its {sum(rejected_before.values()):,} rejected "
            "records, the others were deleted (on a platform they are after 90 days); run the day again"
        )
    if stay == rejected_before:
        _remove(day, new, new_optional)
    else:
        for path in staged:
            copy_part(new.staging_uri, new, day, path)
        require_unchanged(new, day, before)
        if new_optional and optional_before:
            for path in files_of(new.staging_uri, new_optional.table, day, str(optional_before.run)):
                copy_part(new.staging_uri, new_optional, day, path)
            require_unchanged(new_optional, day, optional_before)
            commit(new_optional, day, optional_before.file_count, optional_before.delivered_records, {})
        commit(new, day, before.file_count, before.delivered_records, stay)
        require_sound(read_outcome(settings, stage.table, day), ALL_RIGHT)
    return Replayed(came_back, stay, not_tried)


def _optional(stage: Stage, new: Run, day: date) -> tuple[Run | None, Delivery | None]:
    """The run and the delivery row of the stage's optional table, if the day has it and rows for it are wanted."""
    if stage.optional and stage.optional.rows:
        before = committed(new.staging_uri, stage.optional.table, day)
        if before and before.run:
            return new._replace(table=stage.optional.table), before
    return None, None


def _remove(day: date, *runs: Run | None) -> None:
    for new in filter(None, runs):
        remove_run(new, day)


def _number(path: str) -> int:
    return int(path.rpartition("part-")[2].removesuffix(".parquet"))


def _records(root: str, path: str) -> Iterator[list[dict[str, Any]]]:
    for batch in read_batches(root, path, RECORDS_AT_ONCE):
        yield [{"fields": None, **row} for row in batch.to_pylist()]


def _read(row: dict[str, Any]) -> Record | None:
    """The fields of a rejected record, as they were when a rule rejected it; None for what no rule has seen, or is not kept whole."""
    if row["fields"] is None or row["reason"] in NOT_CUT_OUT or len(_raw(row)) >= MOST_KEPT_BYTES:
        return None
    record = read_record(_raw(row), 0, at_end=True)
    return record if is_good(record, layout_of(row["fields"])) else None


def _raw(row: dict[str, Any]) -> bytes:
    raw: bytes = row["raw_record"].encode() if row["raw_bytes"] is None else row["raw_bytes"]
    return raw


def _again(
    tried: Sequence[tuple[dict[str, Any], Record]], layout: Layout, stage: Stage
) -> tuple[pa.Table, pa.Table | None, list[tuple[bytes, str, str | None]]]:
    """As a task does it with a block of a file: rows of the table and of the optional one; raw record, reason and id of those that are rejected again."""
    fields = pa.table(
        {
            name: pa.array([record.fields[layout.positions[name]] for _, record in tried], pa.binary())
            for name in stage.feed.columns
        }
    )
    return transformed(Block(fields, [_raw(row) for row, _ in tried], [], 0, layout), stage)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.replay_day",
        description="Take back the records of a day that are not rejected any more. Takes STAGING_URI, QUARANTINE_URI, and QUARANTINE_SECRET or "
        "QUARANTINE_KEY_ID from the environment; for logs also PSEUDONYM_SECRET or PSEUDONYM_SECRET_ID, and PSEUDONYM_KEY_VERSION.",
    )
    parser.add_argument("--date", required=True, metavar="D", help="the insert_date, as YYYY-MM-DD")
    parser.add_argument("--table", required=True, choices=TABLES, help="the staging table")
    parser.add_argument("--reason", metavar="R", help="only records that were rejected for this reason")
    add_classifier_options(parser)
    add_other_classifiers_option(parser)
    arguments = parser.parse_args()
    day = iso_day("--date", arguments.date)
    settings = read_settings(*SETTINGS)
    if arguments.table == "review_logs":
        stage = log_stage()
        require_same_key(settings)
    else:
        stage = review_stage(chosen_classifier(arguments), other_classifiers(arguments))
    try:
        replayed = replay_day(settings, stage, day, arguments.reason)
    except (OSError, pa.ArrowException) as error:
        raise not_done(
            f"{arguments.table} of {day} cannot be replayed in {settings['STAGING_URI']}", error
        ) from error
    print(
        f"{arguments.table} of {day}: {replayed.came_back:,} records came back, {replayed.stay.total():,} stay rejected"
    )
    for reason, records in sorted(replayed.stay.items(), key=lambda item: (-item[1], item[0])):
        print(f"{records:>9,}  {reason}")
    if replayed.not_tried:
        print(
            f"{replayed.not_tried:,} of them cannot be read without their file: have it in RAW_URI, and run the day again"
        )


if __name__ == "__main__":
    run(main)
