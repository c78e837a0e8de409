"""Writes a range of days in one go and puts each day's file in place by one atomic operation.

A reader sees the old file of a day or the new one, never none and never half of one. Files are first written to the
hidden folder .incoming of the same root, so that raw records never leave the quarantine's root.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession

from spark_prep.contract.storage import hadoop_fs, hadoop_path, hadoop_uri, list_files
from spark_prep.errors import PreparationError
from spark_prep.settings import is_local


class DailyFile(NamedTuple):
    """A file <root>/<folder>/insert_date=D/<name>.parquet for each of the days; rows is its content and insert_date."""

    root: str
    folder: str
    name: str
    days: Sequence[date]
    rows: DataFrame

    def incoming(self) -> str:
        """The same for the same days, so that a run also clears away what a killed run before it left."""
        return f"{self.root}/.incoming/{self.folder}/{self.name}/{self.days[0]}_{self.days[-1]}"

    def target(self, day: date) -> str:
        return f"{self.root}/{self.folder}/insert_date={day}/{self.name}.parquet"


def publish(spark: SparkSession, files: Sequence[DailyFile]) -> None:
    """Write all files and put them in place, day by day and within a day in the given order.

    A run that is killed in between leaves whole files, the first ones new and the later ones old; so the file that
    the others are checked against belongs at the end. A day without rows gets a file with the columns and no rows.
    """
    files = [file for file in files if file.days]
    try:
        ready = [(file, _write_incoming(spark, file)) for file in files]
        for day in sorted({day for file in files for day in file.days}):
            for file, sources in ready:
                if day in sources:
                    put_in_place(spark, sources[day], file.target(day), f"{file.incoming()}/{day}.parquet")
    finally:
        for file in files:
            _delete(spark, file.incoming())


def _write_incoming(spark: SparkSession, file: DailyFile) -> dict[date, str]:
    """Write the rows of all days in one job; returns the written file of each day."""
    _delete(spark, file.incoming())
    written, empty = f"{file.incoming()}/days", f"{file.incoming()}/empty"
    file.rows.repartition("insert_date").write.option("maxRecordsPerFile", 0).partitionBy(
        "insert_date"
    ).parquet(hadoop_uri(written))
    parts = {day: list_files(spark, f"{written}/insert_date={day}", ".parquet") for day in file.days}
    if not all(parts.values()):
        no_rows = spark.createDataFrame([], file.rows.drop("insert_date").schema).coalesce(1)
        no_rows.write.parquet(hadoop_uri(empty))
        no_rows_parts = list_files(spark, empty, ".parquet")
    sources = {}
    for day in file.days:
        (sources[day],) = parts[day] or no_rows_parts
    return sources


def put_in_place(spark: SparkSession, source: str, target: str, aside: str) -> None:
    """Make a copy of the source the target, in one step that readers see as a whole.

    On a local file system the copy is made aside and renamed over the target. An object store shows an object when
    its upload is complete.
    """
    if is_local(target):
        shutil.copyfile(source.removeprefix("file:"), aside)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(aside, target)
        return
    source_system, source_path = hadoop_path(spark, source)
    target_system, target_path = hadoop_path(spark, target)
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    copy = hadoop_fs(spark).FileUtil.copy
    if not copy(source_system, source_path, target_system, target_path, False, True, configuration):
        raise PreparationError(f"{target} could not be written; run the day again")


def _delete(spark: SparkSession, folder: str) -> None:
    file_system, path = hadoop_path(spark, folder)
    file_system.delete(path, True)
