"""The usual Spark jobs: `python -m ci.benchmarks.peers.spark JOB FILE OUT`. The session is the project's own, so that memory,
cores and Java's settings are the same for all."""

from __future__ import annotations

import re
import sys

from pyspark.ml.feature import StopWordsRemover, Tokenizer
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_prep.spark.session import start_spark

TAGS = ("logDate", "device", "location", "os", "ipAddress", "phoneNumber")
TO_COLUMNS = ("log_date", "device", "location", "os", "ip", "phone_number")
XML_SCHEMA = f"log STRUCT<{', '.join(f'{tag}: STRING' for tag in TAGS)}>"
WORD = re.compile(r"\bgood\b", re.IGNORECASE)


def copy_reviews(raw: DataFrame) -> DataFrame:
    """Every byte is read and every field is made; the text's length stands for what a rule makes of it."""
    constants = (
        F.lit("none").alias("classifier"),
        F.lit(1).alias("classifier_version"),
        F.lit(None).cast("double").alias("score"),
    )
    return raw.select(*_ids(), F.length("review_str").alias("positive_review"), *constants)


def tokenizer(raw: DataFrame) -> DataFrame:
    tokens = Tokenizer(inputCol="review_str", outputCol="tokens").transform(raw)
    words = StopWordsRemover(inputCol="tokens", outputCol="words").transform(tokens)
    return words.select(*_ids(), F.array_contains("words", "good").cast("int").alias("positive_review"))


def python_udf(raw: DataFrame) -> DataFrame:
    is_positive = F.udf(lambda text: int(WORD.search(text) is not None), "int")
    return raw.select(*_ids(), is_positive("review_str").alias("positive_review"))


def copy_logs(raw: DataFrame) -> DataFrame:
    lengths = (F.lit("none").alias(column) for column in TO_COLUMNS[1:])
    return raw.select(
        _log_id(), F.length("log").alias("log_date"), *lengths, F.lit("1").alias("pseudonym_key_version")
    )


def from_xml(raw: DataFrame) -> DataFrame:
    read = raw.select(_log_id(), F.from_xml("log", XML_SCHEMA).alias("read"))
    return read.select(
        "log_id",
        *(F.col(f"read.log.{tag}").alias(column) for tag, column in zip(TAGS, TO_COLUMNS, strict=True)),
    )


def xpath(raw: DataFrame) -> DataFrame:
    def value(tag: str) -> Column:
        return F.xpath_string("log", F.lit(f"/reviewlog/log/{tag}"))

    return raw.select(
        _log_id(), *(value(tag).alias(column) for tag, column in zip(TAGS, TO_COLUMNS, strict=True))
    )


def regexp(raw: DataFrame) -> DataFrame:
    def value(tag: str) -> Column:
        return F.regexp_extract("log", f"<{tag}>([^<]*)</{tag}>", 1)

    return raw.select(
        _log_id(), *(value(tag).alias(column) for tag, column in zip(TAGS, TO_COLUMNS, strict=True))
    )


def _ids() -> tuple[Column, Column]:
    return F.col("id_review").cast("int").alias("review_id"), F.col("cid").cast("int").alias("customer_id")


def _log_id() -> Column:
    return F.col("id_review").cast("int").alias("log_id")


JOBS = {
    job.__name__: job for job in (copy_reviews, tokenizer, python_udf, copy_logs, from_xml, xpath, regexp)
}


def main(job: str, file: str, out: str) -> None:
    spark = start_spark(job)
    raw = spark.read.options(header=True, multiLine=True, quote='"', escape='"').csv(file)
    JOBS[job](raw).write.parquet(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
