"""Stages a range of days of a vendor's feed: read, transform, write, account for every record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from spark_prep.contract import tables
from spark_prep.contract.outcome import Outcome, sum_by_reason
from spark_prep.contract.publish import DailyFile, publish
from spark_prep.contract.storage import exists
from spark_prep.spark.vendor_csv import Feed, count_lines, delivered_files, has_agreed_header, read_records


class Stage(NamedTuple):
    """A staging table made from a feed. `transform` takes the frame of vendor_csv.read_records, adds the table's
    columns and sets the reason of the records that have no place in the table."""

    table: str
    feed: Feed
    transform: Callable[[DataFrame], DataFrame]


class Records(NamedTuple):
    """The records of some days: insert_date, the columns of quarantine and of the table; and their numbers."""

    frame: DataFrame
    staged: int
    # (insert_date, reason) -> records
    rejected: dict[tuple[str, str], int]
    # insert_date -> records, counted by lines
    delivered: dict[str, int]


def stage_feed(spark: SparkSession, settings: dict[str, str], stage: Stage, days: Sequence[date]) -> Outcome:
    """Replace these days of the table, and no others.

    A day without files writes its delivery row only, and nothing at all when it was staged before.
    """
    table, staging_uri, quarantine_uri = stage.table, settings["STAGING_URI"], settings["QUARANTINE_URI"]
    files = delivered_files(spark, settings["RAW_URI"], stage.feed, days)
    delivered_days = [day for day in days if files[day]]
    staged_before = {
        day
        for day in days
        if not files[day] and exists(spark, f"{staging_uri}/{table}/insert_date={day}/{table}.parquet")
    }
    _say_what_is_missing(stage.feed, [day for day in days if not files[day]], staged_before)
    records = _read(spark, stage, [file for day in days for file in files[day]])
    rejected = records.frame.where("reason IS NOT NULL").select("insert_date", *tables.QUARANTINE.names)
    staged = records.frame.where("reason IS NULL").select("insert_date", *tables.STAGING[table].names)
    rejections = [(day, table, reason, n) for (day, reason), n in records.rejected.items()]
    deliveries = [
        (str(day), table, bool(files[day]), len(files[day]), records.delivered.get(str(day), 0))
        for day in days
    ]
    # The delivery last: a run that is killed before leaves a day that does not balance, and the ledger says so.
    publish(
        spark,
        [
            DailyFile(quarantine_uri, table, table, delivered_days, rejected),
            DailyFile(
                staging_uri, "rejection", table, delivered_days, _rows(spark, rejections, tables.REJECTION)
            ),
            DailyFile(staging_uri, table, table, delivered_days, staged),
            DailyFile(
                staging_uri,
                "delivery",
                table,
                [day for day in days if day not in staged_before],
                _rows(spark, deliveries, tables.DELIVERY),
            ),
        ],
    )
    records.frame.unpersist()
    return Outcome(
        table=table,
        days=days,
        not_delivered=[day for day in days if not files[day]],
        delivered=sum(records.delivered.values()),
        staged=records.staged,
        quarantined=sum_by_reason(records.rejected),
        staging_uri=staging_uri,
        quarantine_uri=quarantine_uri,
    )


def _say_what_is_missing(feed: Feed, missing: Sequence[date], staged_before: set[date]) -> None:
    """A line a day, or one for many days: anyone who loads years of history wants to read on."""
    for day in missing if len(missing) <= 5 else []:
        note = "; what was staged before stays" if day in staged_before else ""
        print(f"  {feed.folder} of {day} was not delivered{note}")
    if len(missing) > 5:
        note = f"; what was staged before of {len(staged_before)} of them stays" if staged_before else ""
        print(
            f"  {feed.folder} of {len(missing)} days ({missing[0]} to {missing[-1]}) was not delivered{note}"
        )


def _read(spark: SparkSession, stage: Stage, files: list[str]) -> Records:
    columns = [*tables.QUARANTINE.fields, *tables.STAGING[stage.table].fields]
    if not files:
        return Records(_rows(spark, [], T.StructType(columns)), 0, {}, {})
    line_counts = count_lines(spark, files)
    misheaded = [count.file for count in line_counts if not has_agreed_header(count, stage.feed)]
    # All that is heavy is done once, here; of the raw records only the rejected ones are kept.
    frame = (
        stage.transform(read_records(spark, files, stage.feed, misheaded))
        .withColumn("raw_record", F.when(F.col("reason").isNotNull(), F.col("raw_record")))
        .select("insert_date", "continuation_lines", *[column.name for column in columns])
        .persist()
    )
    staged = 0
    rejected: dict[tuple[str, str], int] = {}
    delivered: dict[str, int] = {}
    for count in line_counts:
        delivered[count.insert_date] = delivered.get(count.insert_date, 0) + count.lines
    for row in (
        frame.groupBy("insert_date", "reason")
        .agg(F.count("*").alias("records"), F.sum("continuation_lines").alias("continuation_lines"))
        .collect()
    ):
        delivered[row.insert_date] -= row.continuation_lines
        if row.reason is None:
            staged += row.records
        else:
            rejected[row.insert_date, row.reason] = row.records
    return Records(frame, staged, rejected, delivered)


def _rows(spark: SparkSession, rows: Sequence[tuple[object, ...]], schema: T.StructType) -> DataFrame:
    """The rows as a frame; the first value of each is its insert_date."""
    return spark.createDataFrame(
        rows, T.StructType([T.StructField("insert_date", T.StringType()), *schema.fields])
    )
