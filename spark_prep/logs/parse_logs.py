"""Parses log_reviews.csv into the staging table review_logs: `python -m spark_prep.logs.parse_logs --date D`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.errors import run
from spark_prep.logs.pseudonyms import key_version, pseudonym, require_key
from spark_prep.settings import read_settings
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import Stage, stage_feed
from spark_prep.spark.vendor_csv import Feed, is_blank

SETTINGS = ("RAW_URI", "STAGING_URI", "QUARANTINE_URI")
LOG_REVIEWS = Feed(folder="log_reviews", columns=("id_review", "log"), id_pattern=r"^\s*([0-9]+)\s*,")

TAGS = ("logDate", "device", "location", "os", "browser", "ipAddress", "phoneNumber")
# Arrays, as from_xml would silently take the last one of a tag that is repeated.
LOG = "STRUCT<" + ", ".join(f"{tag}: ARRAY<STRING>" for tag in TAGS) + ">"
REVIEWLOG = f"log ARRAY<{LOG}>, _broken STRING"
# from_xml ignores what comes after the root, and takes any root.
ENVELOPE = r"(?s)^\s*(<\?xml[^>]*\?>\s*)?<reviewlog(\s[^>]*)?(/>|>.*</reviewlog\s*>)\s*$"
OPENED_ENVELOPE = r"<reviewlog[\s/>]"


def parse_logs(spark: SparkSession, settings: dict[str, str], days: Sequence[date]) -> Outcome:
    """Stage the logs of the days. Refuses a key that is missing or too short before it does anything."""
    require_key()
    return stage_feed(spark, settings, Stage("review_logs", LOG_REVIEWS, parse), days)


def parse(records: DataFrame) -> DataFrame:
    """Add the columns of review_logs to records with the strings id_review and log, and the reasons to reject them."""
    xml = F.from_xml("log", REVIEWLOG, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_broken"})
    parsed = records.withColumn("log_id", F.col("id_review").try_cast("int")).withColumn("xml", xml)
    log_date = F.when(
        _value("logDate").rlike("^[0-9]{2}-[0-9]{2}-[0-9]{4}$"),
        F.try_to_timestamp(_value("logDate"), F.lit("MM-dd-yyyy")),
    )
    return (
        parsed.withColumn("log_date", log_date.cast("date"))
        .withColumn("reason", _reason())
        .withColumn("device", _value("device"))
        .withColumn("os", _value("os"))
        .withColumn("location", _value("location"))
        .withColumn("browser", _value("browser"))
        .withColumn("ip", pseudonym(_value("ipAddress")))
        .withColumn("phone_number", pseudonym(_value("phoneNumber")))
        .withColumn("pseudonym_key_version", F.lit(key_version()))
    )


def _value(tag: str) -> Column:
    """The text of the log's first such tag, trimmed; NULL when it is missing or blank."""
    return F.nullif(F.trim(F.get(F.get(F.col("xml.log"), 0)[tag], 0)), F.lit(""))


def _reason() -> Column:
    is_whole = F.col("log").rlike(ENVELOPE) & (F.regexp_count("log", F.lit(OPENED_ENVELOPE)) == 1)
    repeats_a_tag = F.lit(False)
    for tag in TAGS:
        repeats_a_tag |= F.coalesce(F.size(F.get(F.col("xml.log"), 0)[tag]) > 1, F.lit(False))
    return (
        F.when(F.col("reason").isNotNull(), F.col("reason"))
        .when(is_blank(F.col("id_review")), "no id_review")
        .when(F.col("log_id").isNull(), "id_review is not an integer")
        .when(is_blank(F.col("log")), "no log")
        .when(F.col("xml._broken").isNotNull() | ~is_whole, "broken XML")
        .when(F.coalesce(F.size("xml.log"), F.lit(0)) != 1, "not exactly one <log>")
        .when(repeats_a_tag, "a tag is repeated")
        .when(_value("logDate").isNull(), "no logDate")
        .when(F.col("log_date").isNull(), "logDate is not a MM-dd-yyyy date")
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.logs.parse_logs",
        description="Parse the vendor's logs of one day or a range into the staging table review_logs. Takes RAW_URI, "
        "STAGING_URI, QUARANTINE_URI, PSEUDONYM_SECRET or PSEUDONYM_SECRET_ID, and PSEUDONYM_KEY_VERSION (default 1) "
        "from the environment.",
    )
    add_day_options(parser)
    days = days_of(parser.parse_args())
    settings = read_settings(*SETTINGS)
    require_key()
    print_outcomes([parse_logs(start_spark("parse logs"), settings, days)])


if __name__ == "__main__":
    run(main)
