"""Classifies movie_review.csv into classified_movie_review: `python -m spark_prep.reviews.classify_reviews --date D`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.errors import run
from spark_prep.reviews.keyword_classifier import GOOD_WORDS, STOP_WORDS, effective_words, keyword
from spark_prep.settings import read_settings
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import Stage, stage_feed
from spark_prep.spark.vendor_csv import Feed, is_blank

SETTINGS = ("RAW_URI", "STAGING_URI", "QUARANTINE_URI")
MOVIE_REVIEW = Feed("movie_review", ("cid", "review_str", "id_review"), id_pattern=r",\s*([0-9]+)\s*$")


def classify_reviews(
    spark: SparkSession, settings: dict[str, str], words: frozenset[str], days: Sequence[date]
) -> Outcome:
    """Stage the reviews of the days, classified by the words."""
    stage = Stage("classified_movie_review", MOVIE_REVIEW, lambda records: classify(records, words))
    return stage_feed(spark, settings, stage, days)


def classify(records: DataFrame, words: frozenset[str]) -> DataFrame:
    """Add the columns of classified_movie_review to records with the strings cid, review_str and id_review, and the
    reasons to reject them."""
    classification = keyword(F.col("review_str"), words)
    return (
        records.withColumn("review_id", F.col("id_review").try_cast("int"))
        .withColumn("customer_id", F.col("cid").try_cast("int"))
        .withColumn("reason", _reason())
        .withColumn("positive_review", classification.positive_review)
        .withColumn("classifier", F.lit(classification.name))
        .withColumn("classifier_version", F.lit(classification.version))
        .withColumn("classifier_score", classification.score)
    )


def _reason() -> Column:
    return (
        F.when(F.col("reason").isNotNull(), F.col("reason"))
        .when(is_blank(F.col("id_review")), "no id_review")
        .when(F.col("review_id").isNull(), "id_review is not an integer")
        .when(F.col("customer_id").isNull() & ~is_blank(F.col("cid")), "cid is not an integer")
        .when(is_blank(F.col("review_str")), "no review_str")
    )


def add_word_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--good-words",
        metavar="FILE",
        type=Path,
        default=GOOD_WORDS,
        help="one word a line (default: %(default)s)",
    )
    parser.add_argument(
        "--stop-words",
        metavar="FILE",
        type=Path,
        default=STOP_WORDS,
        help="one word a line (default: %(default)s)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.reviews.classify_reviews",
        description="Classify the vendor's reviews of one day or a range into the staging table "
        "classified_movie_review. Takes RAW_URI, STAGING_URI and QUARANTINE_URI from the environment.",
    )
    add_day_options(parser)
    add_word_options(parser)
    arguments = parser.parse_args()
    days = days_of(arguments)
    words = effective_words(arguments.good_words, arguments.stop_words)
    settings = read_settings(*SETTINGS)
    print_outcomes([classify_reviews(start_spark("classify reviews"), settings, words, days)])


if __name__ == "__main__":
    run(main)
