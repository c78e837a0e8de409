"""Classifies movie_review.csv into classified_movie_review: `python -m spark_prep.reviews.classify_reviews --date D`.

One classifier decides. Others may run in the same pass: what they say goes to other_classification, so that they can be compared.
"""

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
from spark_prep.reviews.classifiers.chosen import (
    add_classifier_options,
    add_other_classifiers_option,
    chosen_classifier,
    other_classifiers,
)
from spark_prep.reviews.classifiers.classification import Classification, Classifier
from spark_prep.settings import read_settings
from spark_prep.spark.fields import first_reason, integers, is_blank, texts
from spark_prep.spark.session import start_spark
from spark_prep.spark.stage_feed import stage_feed
from spark_prep.spark.stage_task import Feed, Optional, Stage

SETTINGS = ("RAW_URI", "STAGING_URI", "QUARANTINE_URI")
# Of the columns with what the others say.
OTHER = "other_"
MOVIE_REVIEW = Feed("movie_review", ("cid", "review_str", "id_review"), id_pattern=r",\s*([0-9]+)\s*$")


def classify_reviews(
    spark: SparkSession,
    settings: dict[str, str],
    classifier: Classifier,
    days: Sequence[date],
    others: Sequence[Classifier] = (),
) -> Outcome:
    """Stage the reviews of the days."""
    return stage_feed(spark, settings, review_stage(classifier, others), days)


def review_stage(classifier: Classifier, others: Sequence[Classifier] = ()) -> Stage:
    return Stage(
        "classified_movie_review",
        MOVIE_REVIEW,
        partial(classify, classifier=classifier, others=others),
        optional=Optional("other_classification", other_rows if others else None),
    )


def classify(fields: pa.Table, classifier: Classifier, others: Sequence[Classifier] = ()) -> pa.Table:
    """From the binary columns cid, review_str, id_review: the columns of classified_movie_review; record_id, the id as it was
    delivered; reason, why a record has no place in the table, or NULL; and what each of the others says, as a structure."""
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
            "unknown_ngram_share": _unknown(classification),
            "record_id": id_review,
            "reason": first_reason(
                (is_blank(id_review), "no id_review"),
                (pc.is_null(review_id), "id_review is not an integer"),
                (pc.and_(pc.is_null(customer_id), pc.invert(is_blank(cid))), "cid is not an integer"),
                (is_blank(review), "no review_str"),
            ),
        }
        | {f"{OTHER}{number}": _structure(other(review)) for number, other in enumerate(others)}
    )


def _structure(said: Classification) -> pa.Array:
    fields = {
        "positive_review": said.positive_review,
        "classifier": pa.repeat(said.name, len(said.score)),
        "classifier_version": pa.repeat(said.version, len(said.score)),
        "classifier_score": said.score,
        "unknown_ngram_share": _unknown(said),
    }
    return pa.StructArray.from_arrays([*fields.values()], names=[*fields])


def _unknown(said: Classification) -> pa.Array:
    return pa.nulls(len(said.score), pa.float64()) if said.unknown_ngrams is None else said.unknown_ngrams


def other_rows(classified: pa.Table) -> pa.Table:
    """Of reviews that are staged: the rows of other_classification, one for each of the others."""
    whose = classified.select(["review_id", "customer_id"])
    tables = []
    for name in classified.column_names:
        if name.startswith(OTHER):
            said = pa.Table.from_struct_array(classified.column(name).combine_chunks())
            tables.append(
                pa.table([*whose.columns, *said.columns], [*whose.column_names, *said.column_names])
            )
    return pa.concat_tables(tables)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.reviews.classify_reviews",
        description="Classify the vendor's reviews of one day or a range into the staging table "
        "classified_movie_review. Takes RAW_URI, STAGING_URI, QUARANTINE_URI, and QUARANTINE_SECRET or QUARANTINE_KEY_ID from "
        "the environment.",
    )
    add_day_options(parser)
    add_classifier_options(parser)
    add_other_classifiers_option(parser)
    arguments = parser.parse_args()
    days = days_of(arguments)
    classifier, others = chosen_classifier(arguments), other_classifiers(arguments)
    settings = read_settings(*SETTINGS)
    key_id()
    print_outcomes([classify_reviews(start_spark("classify reviews"), settings, classifier, days, others)])


if __name__ == "__main__":
    run(main)
