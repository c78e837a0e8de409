"""Labelled reviews for the demo's model: made up as the sample's texts are, with their verdicts as labels."""

import csv
import random
from pathlib import Path

from demo.feeds.reviews import HEADER
from demo.feeds.texts import review_texts

NOTE = (
    "These reviews were generated from some forty sentences, and a label says whether one of them has the word good: easy to learn. Of real "
    "reviews and people's labels expect less."
)


def write_labelled(folder: Path, count: int, seed: int = 1) -> tuple[Path, Path]:
    """Write reviews.csv (as the vendor's) and labels.csv for make train; the same seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    reviews, labels = folder / "reviews.csv", folder / "labels.csv"
    texts = review_texts(random.Random(f"labelled {seed}"))  # noqa: S311 - nothing secret: the same seed, the same texts
    with (
        reviews.open("w", newline="", encoding="utf-8") as texts_file,
        labels.open("w", newline="", encoding="utf-8") as labels_file,
    ):
        of_texts, of_labels = (
            csv.writer(texts_file, lineterminator="\n"),
            csv.writer(labels_file, lineterminator="\n"),
        )
        of_texts.writerow(HEADER.split(","))
        of_labels.writerow(("id_review", "label"))
        for id_review in range(1, count + 1):
            text, positive = next(texts)
            of_texts.writerow((id_review % 97, text, id_review))
            of_labels.writerow((id_review, "pos" if positive else "neg"))
    return reviews, labels
