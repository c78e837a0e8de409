"""Reads the vendors' CSV files of a range of days, so that no record is lost without a trace.

Spark's CSV reader only cuts the files into records, quoted line breaks included; the fields are then read from each
record's own text. So the text of every record is at hand exactly as it was delivered: for the quarantine, for finding
the records that an unclosed quote has swallowed, and for the count of delivered records, which is made of physical
lines and shows it when the CSV reader drops anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_prep.contract.storage import list_files

HEADER_IS_NOT_AS_AGREED = "header is not as agreed"
WRONG_NUMBER_OF_FIELDS = "wrong number of fields"
UNCLOSED_QUOTE = "unclosed quote"

# RFC 4180. A line ends in \n only; the \r of a CRLF file is dropped at the end of a record and kept inside quotes.
# The CSV reader dies of a line with more than maxColumns (20,480 by default) fields.
DIALECT = {"quote": '"', "escape": '"', "lineSep": "\n", "mode": "PERMISSIVE", "maxColumns": "1000000"}
NOT_BLANK = r"\S"
NON_BLANK_LINE = r"\S[^\n]*"
# a line break before what looks like the first field of a record: a quote was left open further up
SWALLOWED_RECORD = r"\r?\n(?=[0-9]+,)"
OPENED_QUOTE = '(^|,)"'


class Feed(NamedTuple):
    """A vendor's daily feed: files RAW_URI/<folder>/insert_date=D/*.csv with these columns in this order."""

    folder: str
    columns: tuple[str, ...]
    # finds the id in a record's text when its fields cannot be told apart
    id_pattern: str


class LineCount(NamedTuple):
    """What the text reader saw of one file: its first line, and how many lines after it are not blank."""

    insert_date: str
    file: str
    header: str
    lines: int


def delivered_files(
    spark: SparkSession, raw_uri: str, feed: Feed, days: Iterable[date]
) -> dict[date, list[str]]:
    """The files of each day; no file means that the day was not delivered."""
    return {day: list_files(spark, f"{raw_uri}/{feed.folder}/insert_date={day}", ".csv") for day in days}


def count_lines(spark: SparkSession, files: list[str]) -> list[LineCount]:
    """Count the lines of each file, with a reader that knows nothing of records. Files of zero bytes are left out."""
    counted = (
        _lines(spark, files)
        .groupBy("insert_date", "file")
        .agg(
            F.min_by("line", "file_position").alias("header"),
            F.count_if(F.col("line").rlike(NOT_BLANK)).alias("non_blank"),
        )
        .withColumn("lines", F.col("non_blank") - F.col("header").rlike(NOT_BLANK).cast("int"))
    )
    return [LineCount(**row.asDict()) for row in counted.select(*LineCount._fields).collect()]


def has_agreed_header(count: LineCount, feed: Feed) -> bool:
    names = count.header.removeprefix("\ufeff").rstrip("\r").split(",")
    return tuple(name.strip('"') for name in names) == feed.columns


def read_records(spark: SparkSession, files: list[str], feed: Feed, misheaded: list[str]) -> DataFrame:
    """Read every record of the files.

    `misheaded` are the files (as LineCount names them) without the agreed header: each of their lines is rejected.

    Returns: insert_date, file, raw_record, record_id (NULL where it is not known), reason (NULL, or why the record
    could not be read) and the feed's columns, all strings; continuation_lines int, the number of the record's
    non-blank lines after its first.
    """
    fields = F.from_csv(
        "raw_record", _fields_schema(feed), {**DIALECT, "columnNameOfCorruptRecord": "_misfit"}
    )
    records = _records(spark, files, misheaded).withColumn("fields", fields)
    record_id = (
        F.when(F.col("reason") == HEADER_IS_NOT_AS_AGREED, None)
        .when(F.col("reason").isNotNull(), F.regexp_extract("raw_record", feed.id_pattern, 1))
        .otherwise(F.trim("id_review"))
    )
    return (
        records.select("insert_date", "file", "raw_record", _reason(records).alias("reason"), "fields.*")
        .withColumn("record_id", F.nullif(record_id, F.lit("")))
        .withColumn("continuation_lines", _continuation_lines())
        .drop("_misfit")
    )


def is_blank(field: Column) -> Column:
    """Whether a field is NULL or holds nothing but blanks; never NULL."""
    return ~F.coalesce(field, F.lit("")).rlike(NOT_BLANK)


def _continuation_lines() -> Column:
    lines = F.regexp_count("raw_record", F.lit(NON_BLANK_LINE))
    return F.when(F.col("raw_record").contains("\n"), lines - 1).otherwise(0)


def _fields_schema(feed: Feed) -> str:
    return ", ".join(f"{column} STRING" for column in (*feed.columns, "_misfit"))


def _records(spark: SparkSession, files: list[str], misheaded: list[str]) -> DataFrame:
    """insert_date, file, raw_record; is_swallowed for the parts of a record with an unclosed quote; is_misheaded."""
    # No record fits into a lone boolean, so that each one comes back as text. (Spark refuses to read the text alone.)
    cut = spark.read.csv(
        _escape_glob(files),
        schema="fits_nothing BOOLEAN, text STRING",
        columnNameOfCorruptRecord="text",
        header=True,
        multiLine=True,
        **DIALECT,
    )
    text = F.coalesce("text", F.col("fits_nothing").cast("string"))
    # few records have line breaks, and a look for one is cheaper than a regular expression
    pieces = F.when(text.contains("\n"), F.split(text, SWALLOWED_RECORD)).otherwise(F.array(text))
    parts = (
        cut.select(*_origin(), pieces.alias("parts"))
        .where(F.col("parts")[0].rlike(NOT_BLANK) & ~F.col("file").isin(misheaded))
        .select(
            "insert_date",
            "file",
            F.explode("parts").alias("raw_record"),
            (F.size("parts") > 1).alias("is_swallowed"),
            F.lit(False).alias("is_misheaded"),
        )
    )
    return parts.unionByName(_lines_after_header(spark, files, misheaded)) if misheaded else parts


def _lines_after_header(spark: SparkSession, files: list[str], misheaded: list[str]) -> DataFrame:
    header_position = F.min("file_position").over(Window.partitionBy("file"))
    return (
        _lines(spark, files)
        .where(F.col("file").isin(misheaded))
        .withColumn("header_position", header_position)
        .where((F.col("file_position") > F.col("header_position")) & F.col("line").rlike(NOT_BLANK))
        .select(
            "insert_date",
            "file",
            F.rtrim("line", F.lit("\r")).alias("raw_record"),
            F.lit(False).alias("is_swallowed"),
            F.lit(True).alias("is_misheaded"),
        )
    )


def _lines(spark: SparkSession, files: list[str]) -> DataFrame:
    """insert_date, file, line; file_position ascends within a file."""
    position = F.struct(F.col("_metadata.file_block_start"), F.monotonically_increasing_id())
    lines = spark.read.text(_escape_glob(files), lineSep=DIALECT["lineSep"])
    return lines.select(*_origin(), F.col("value").alias("line"), position.alias("file_position"))


def _origin() -> list[Column]:
    file = F.col("_metadata.file_path")
    return [
        F.regexp_extract(file, "insert_date=([0-9-]+)/[^/]*$", 1).alias("insert_date"),
        file.alias("file"),
    ]


def _escape_glob(files: list[str]) -> list[str]:
    """Spark takes paths for patterns; a vendor's file may be called data[1].csv."""
    return [re.sub(r"([\\{}\[\]*?])", r"\\\1", file) for file in files]


def _reason(records: DataFrame) -> Column:
    quotes = F.regexp_count("raw_record", F.lit('"'))
    has_open_quote = F.col("raw_record").rlike(OPENED_QUOTE) & (quotes % 2 == 1)
    is_misfit = F.col("fields._misfit").isNotNull()
    return (
        F.when(F.col("is_misheaded"), HEADER_IS_NOT_AS_AGREED)
        .when(F.col("is_swallowed") | (is_misfit & has_open_quote), UNCLOSED_QUOTE)
        .when(is_misfit, WRONG_NUMBER_OF_FIELDS)
    )
