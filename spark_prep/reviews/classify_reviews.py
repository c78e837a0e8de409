"""Classifies movie_review.csv into classified_movie_review: `python -m spark_prep.reviews.classify_reviews --date D`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.encryption import key_id
from spark_prep.contract.outcome import Outcome, print_outcomes
from spark_prep.errors import run
from spark_prep.reviews.classifiers.chosen import add_classifier_options, chosen_classifier
from spark_prep.reviews.classifiers.classification import Classifier
from spark_prep.settings import read_settings
from spark_prep.spark.fields import first_reason, integers, is_blank, texts
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import stage_feed
from spark_prep.spark.stage_task import Feed, Stage

SETTINGS = ("RAW_URI", "STAGING_URI", "QUARANTINE_URI")
MOVIE_REVIEW = Feed("movie_review", ("cid", "review_str", "id_review"), id_pattern=r",\s*([0-9]+)\s*$")


def classify_reviews(
    spark: SparkSession, settings: dict[str, str], classifier: Classifier, days: Sequence[date]
) -> Outcome:
    """Stage the reviews of the days."""
    return stage_feed(spark, settings, review_stage(classifier), days)


def review_stage(classifier: Classifier) -> Stage:
    return Stage("classified_movie_review", MOVIE_REVIEW, partial(classify, classifier=classifier))


def classify(fields: pa.Table, classifier: Classifier) -> pa.Table:
    """From the binary columns cid, review_str, id_review: the columns of classified_movie_review; record_id, the id as it was
    delivered; reason, why a record has no place in the table, or NULL."""
    cid, review, id_review = (texts(fields.column(name).combine_chunks()) for name in MOVIE_REVIEW.columns)
    review_id, customer_id = integers(id_review), integers(cid)
    classification = classifier(review)
    return pa.table(
        {
            "review_id": review_id,
            "customer_id": customer_id,
            "positive_review": classification.positive_review,
            "classifier": pa.repeat(classification.name, len(fields)),
            "classifier_version": pa.repeat(classification.version, len(fields)),
            "classifier_score": classification.score,
            "record_id": id_review,
            "reason": first_reason(
                (is_blank(id_review), "no id_review"),
                (pc.is_null(review_id), "id_review is not an integer"),
                (pc.and_(pc.is_null(customer_id), pc.invert(is_blank(cid))), "cid is not an integer"),
                (is_blank(review), "no review_str"),
            ),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.reviews.classify_reviews",
        description="Classify the vendor's reviews of one day or a range into the staging table "
        "classified_movie_review. Takes RAW_URI, STAGING_URI, QUARANTINE_URI, and QUARANTINE_SECRET or QUARANTINE_KEY_ID from "
        "the environment.",
    )
    add_day_options(parser)
    add_classifier_options(parser)
    arguments = parser.parse_args()
    days = days_of(arguments)
    classifier = chosen_classifier(arguments)
    settings = read_settings(*SETTINGS)
    key_id()
    print_outcomes([classify_reviews(start_spark("classify reviews"), settings, classifier, days)])


if __name__ == "__main__":
    run(main)
