"""Learns a model from labelled reviews: `python -m spark_prep.reviews.train --reviews FILE --labels FILE --model FOLDER`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from spark_prep.contract.object_store import require_writable, store_and_path
from spark_prep.errors import run
from spark_prep.reviews.training.card import card_of, write_model
from spark_prep.reviews.training.fit import matrix_of
from spark_prep.reviews.training.labelled import add_labelled_options, read_labelled
from spark_prep.reviews.training.learn import memory_wanted, train
from spark_prep.reviews.training.measure import blocks_of
from spark_prep.reviews.training.measured import MEASURED, SEED
from spark_prep.reviews.training.words import telling_ngrams
from spark_prep.settings import location
from spark_prep.spark.session import start_spark


@contextmanager
def _scratch(spark: SparkSession, model_uri: str) -> Iterator[str]:
    """On a cluster only the model's own folder is known to be read by all."""
    if str(spark.sparkContext.master).startswith("local"):
        with tempfile.TemporaryDirectory() as folder:
            yield folder
        return
    folder = f"{model_uri}/_ngrams"
    store, path = store_and_path(folder)
    try:
        yield folder
    finally:
        store.delete_dir_contents(path, missing_dir_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.reviews.train",
        description="Learn from labelled reviews which words, pairs and triples of words speak for a review and which against it, and write "
        "the model into a folder, with a card that says how often it is right and where it is wrong. Use it by --classifier model --model "
        "FOLDER of the other commands, or CLASSIFIER=model and MODEL_URI=FOLDER.",
    )
    add_labelled_options(parser)
    parser.add_argument(
        "--model", metavar="FOLDER", required=True, help="where the model is written, a path or a URI"
    )
    parser.add_argument(
        "--blocks-by",
        metavar="COLUMN",
        help="of the labels, or cid of the reviews: reviews of one value (a film, a customer) are all learnt from, or all held back, when "
        "the model is validated (default: neighbours in the file are)",
    )
    parser.add_argument(
        "--note",
        metavar="TEXT",
        default="",
        help="what readers of the card have to know of these reviews and labels",
    )
    arguments = parser.parse_args()
    reviews_uri, labels_uri, model_uri = (
        location(f"--{name}", getattr(arguments, name)) for name in ("reviews", "labels", "model")
    )
    require_writable({"--model": model_uri}, "--model")
    print(f"reading {reviews_uri} and {labels_uri}", flush=True)
    labelled = read_labelled(reviews_uri, labels_uri, arguments.blocks_by)
    print(f"{len(labelled.ids)} labelled reviews, {labelled.is_positive.sum()} of them positive", flush=True)
    for why, count in labelled.left_out.items():
        print(f"not learnt from: {count} {why}", flush=True)
    matrix = matrix_of(labelled, blocks_of(labelled.is_positive, labelled.groups))
    spark = start_spark("train", memory_wanted(matrix))
    with _scratch(spark, model_uri) as scratch:
        trained = train(spark, matrix, scratch)
    card = card_of(
        trained,
        labelled,
        matrix,
        arguments.blocks_by,
        arguments.note,
        telling_ngrams(trained.model, matrix, labelled.ids, reviews_uri),
    )
    write_model(model_uri, trained.model, card)
    figures = card["figures"]
    print(
        f"right in {figures['accuracy']:.1%} of reviews that were not learnt from ({figures['accuracy_low']:.1%} to "
        f"{figures['accuracy_high']:.1%})\nmodel       {model_uri} (version {trained.model.version})\ncard        {model_uri}/card.md\n"
        f"figures     {model_uri}/{MEASURED}: add its second line to {SEED}, and the warehouse shows them beside each share"
    )


if __name__ == "__main__":
    run(main)
