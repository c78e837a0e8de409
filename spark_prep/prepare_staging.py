"""Prepares all of staging in one process: `python -m spark_prep.prepare_staging --date D`."""

from __future__ import annotations

import argparse
from datetime import date

from spark_prep.contract.days import add_day_options, days_of
from spark_prep.contract.encryption import key_id
from spark_prep.contract.outcome import print_outcomes
from spark_prep.errors import run
from spark_prep.logs import parse_logs
from spark_prep.logs.pseudonyms import require_key, require_same_key
from spark_prep.reviews import classify_reviews
from spark_prep.reviews.classifiers.chosen import (
    add_classifier_options,
    add_other_classifiers_option,
    chosen_classifier,
    other_classifiers,
)
from spark_prep.settings import read_settings
from spark_prep.shop import export_purchases
from spark_prep.spark.session import start_spark


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.prepare_staging",
        description="Export the purchases, classify the reviews and parse the logs of one day or a range. The settings "
        "of the three commands come from the environment (see .env.example).",
    )
    add_day_options(parser)
    add_classifier_options(parser)
    add_other_classifiers_option(parser)
    arguments = parser.parse_args()
    days = days_of(arguments)
    # whatever can be found wrong is found before anything is written
    settings = read_settings(
        *dict.fromkeys(parse_logs.SETTINGS + classify_reviews.SETTINGS + export_purchases.SETTINGS)
    )
    classifier, others = chosen_classifier(arguments), other_classifiers(arguments)
    export_purchases.require_start(settings, days)
    require_key()
    key_id()
    require_same_key(settings)

    span = _span(days)
    print(f"exporting purchases of {span}", flush=True)
    purchases = export_purchases.export_purchases(settings, days)
    print("starting Spark", flush=True)
    spark = start_spark("prepare staging")
    print(f"classifying reviews of {span}", flush=True)
    reviews = classify_reviews.classify_reviews(spark, settings, classifier, days, others)
    print(f"parsing logs of {span}", flush=True)
    logs = parse_logs.parse_logs(spark, settings, days)
    print_outcomes([purchases, reviews, logs])


def _span(days: list[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"


if __name__ == "__main__":
    run(main)
