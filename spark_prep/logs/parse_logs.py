"""Parses log_reviews.csv into the staging table review_logs: `python -m spark_prep.logs.parse_logs --date D`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.encryption import key_id
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.errors import run
from spark_prep.logs.pseudonyms import key_version, pseudonyms, require_key, require_same_key, secret_id
from spark_prep.logs.review_log import TAGS, read_logs
from spark_prep.settings import read_settings
from spark_prep.spark.fields import first_reason, integers, is_blank, texts
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import stage_feed
from spark_prep.spark.stage_task import Feed, Stage

SETTINGS = ("RAW_URI", "STAGING_URI", "QUARANTINE_URI")
LOG_REVIEWS = Feed(folder="log_reviews", columns=("id_review", "log"), id_pattern=r"^\s*([0-9]+)\s*,")


def parse_logs(
    spark: SparkSession,
    settings: dict[str, str],
    days: Sequence[date],
    at_least: Mapping[date, int] | None = None,
) -> Outcome:
    """Stage the logs of the days, as stage_feed says. Refuses a key that is missing, too short, or not that of its version before it does
    anything."""
    stage = log_stage()
    require_same_key(settings)
    return stage_feed(spark, settings, stage, days, at_least)


def log_stage() -> Stage:
    """Raises PreparationError when there is no key for the pseudonyms."""
    require_key()
    return Stage("review_logs", LOG_REVIEWS, partial(parse, secret_id=secret_id(), key_version=key_version()))


def parse(fields: pa.Table, secret_id: str, key_version: str) -> pa.Table:
    """From the binary columns id_review and log: the columns of review_logs; record_id, the id as it was delivered; reason, why
    a record has no place in the table, or NULL."""
    id_review = texts(fields.column("id_review").combine_chunks())
    log = fields.column("log").combine_chunks()
    log_id, read = integers(id_review), read_logs(log)
    values = {tag: read.column(tag).combine_chunks() for tag in TAGS}
    log_date = dates(values["logDate"])
    xml_reason = read.column("reason").combine_chunks()
    return pa.table(
        {
            "log_id": log_id,
            "log_date": log_date,
            "device": values["device"],
            "os": values["os"],
            "location": values["location"],
            "browser": values["browser"],
            "ip": pseudonyms(values["ipAddress"], secret_id),
            "phone_number": pseudonyms(values["phoneNumber"], secret_id),
            "pseudonym_key_version": pa.repeat(key_version, len(fields)),
            "record_id": id_review,
            "reason": pc.coalesce(
                first_reason(
                    (is_blank(id_review), "no id_review"),
                    (pc.is_null(log_id), "id_review is not an integer"),
                    (is_blank(log), "no log"),
                ),
                xml_reason,
                first_reason(
                    (pc.is_null(values["logDate"]), "no logDate"),
                    (pc.is_null(log_date), "logDate is not a MM-dd-yyyy date"),
                ),
            ),
        }
    )


def dates(texts: pa.Array) -> pa.Array:
    """MM-dd-yyyy as date32; NULL for what is no day of the years 1 to 9999. There are few days, so each is read once."""
    distinct = texts.dictionary_encode()
    days = [_date(text) for text in distinct.dictionary.to_pylist()]
    return pa.array(days, pa.date32()).take(distinct.indices)


def _date(text: str) -> date | None:
    match = re.fullmatch(r"([0-9]{2})-([0-9]{2})-([0-9]{4})", text)
    try:
        return date(int(match[3]), int(match[1]), int(match[2])) if match else None
    except ValueError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.logs.parse_logs",
        description="Parse the vendor's logs of one day or a range into the staging table review_logs. Takes RAW_URI, "
        "STAGING_URI, QUARANTINE_URI, QUARANTINE_SECRET or QUARANTINE_KEY_ID, PSEUDONYM_SECRET or PSEUDONYM_SECRET_ID, and "
        "PSEUDONYM_KEY_VERSION (default 1) from the environment.",
    )
    add_day_options(parser)
    days = days_of(parser.parse_args())
    settings = read_settings(*SETTINGS)
    require_key()
    key_id()
    print_outcomes([parse_logs(start_spark("parse logs"), settings, days)])


if __name__ == "__main__":
    run(main)
