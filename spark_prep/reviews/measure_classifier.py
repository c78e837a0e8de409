"""How often a classifier is right, on labelled reviews: `python -m spark_prep.reviews.measure_classifier --reviews FILE --labels FILE`."""

from __future__ import annotations

import argparse
import posixpath
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from spark_prep.errors import PreparationError, run
from spark_prep.reviews.classifiers.chosen import add_classifier_options, chosen_classifier
from spark_prep.reviews.classifiers.classification import Classifier
from spark_prep.reviews.training.labelled import add_labelled_options, good_reviews, read_labels
from spark_prep.reviews.training.measure import BINS, confusion, tenths, wilson
from spark_prep.reviews.training.measured import SEED, measured_csv
from spark_prep.settings import location


class Verdicts(NamedTuple):
    """A classifier's verdicts on labelled reviews, and the labels, in the order of the file; scores is None for one that has none; the mean
    share of unknown n-grams, None for one that knows none."""

    name: str
    version: str
    said: np.ndarray
    is_positive: np.ndarray
    scores: np.ndarray | None
    unknown_ngram_share: float | None


def judge(reviews_uri: str, labels_uri: str, classifier: Classifier) -> Verdicts:
    """Of each review that has a label, once. Raises PreparationError for files that cannot be read, and without a review of either label."""
    labels = read_labels(labels_uri).is_positive
    seen: set[int] = set()
    said, is_positive, scores, unknown = ([np.empty(0, kind)] for kind in (bool, bool, float, float))
    name = version = ""
    for reviews in good_reviews(reviews_uri, Counter()):
        rows = []
        for row, id_ in enumerate(reviews["review_id"]):
            if id_ in labels and id_ not in seen:
                seen.add(id_)
                rows.append(row)
        found = classifier(reviews["text"].take(pa.array(rows, pa.int64())))
        name, version = found.name, found.version
        said.append(found.positive_review.to_numpy(zero_copy_only=False).astype(bool))
        is_positive.append(np.array([labels[reviews["review_id"][row]] for row in rows], bool))
        # NULL becomes NaN
        scores.append(found.score.to_numpy(zero_copy_only=False))
        if found.unknown_ngrams is not None:
            unknown.append(found.unknown_ngrams.to_numpy(zero_copy_only=False))
    shares = np.concatenate(unknown)
    shares = shares[~np.isnan(shares)]
    all_scores, labelled = np.concatenate(scores), np.concatenate(is_positive)
    if labelled.all() or not labelled.any():
        raise PreparationError(
            f"{labelled.sum()} positive and {(~labelled).sum()} negative reviews of {reviews_uri} have a label in {labels_uri}: there must be "
            "some of each to measure by"
        )
    return Verdicts(
        name,
        version,
        np.concatenate(said),
        labelled,
        None if np.isnan(all_scores).all() else all_scores,
        float(shares.mean()) if len(shares) else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.reviews.measure_classifier",
        description="Say how often a classifier is right on labelled reviews, and print the line for "
        f"{SEED} by which the warehouse knows it. For a model take reviews that it has not learnt from: what it says of those that it has is in "
        "its card.",
    )
    add_labelled_options(parser)
    add_classifier_options(parser)
    arguments = parser.parse_args()
    classifier = chosen_classifier(arguments)
    reviews_uri, labels_uri = (
        location(f"--{name}", getattr(arguments, name)) for name in ("reviews", "labels")
    )
    found = judge(reviews_uri, labels_uri, classifier)
    counts = confusion(found.said, found.is_positive)
    right, reviews = counts["true_positive"] + counts["true_negative"], len(found.said)
    low, high = wilson(right, reviews)
    by_tenth = None if found.scores is None else np.bincount(tenths(found.scores), minlength=BINS).tolist()
    measured_on = f"{posixpath.basename(reviews_uri)}, {datetime.now(UTC).date()}"
    print(
        f"{found.name} {found.version} is right in {right / reviews:.1%} of {reviews} labelled reviews ({low:.1%} to {high:.1%})\n"
        f"of the positive ones it calls {counts['true_positive'] / found.is_positive.sum():.1%} positive (sensitivity), of the negative ones "
        f"{counts['true_negative'] / (~found.is_positive).sum():.1%} negative (specificity)\n"
        f"for {SEED}:\n{measured_csv(found.name, found.version, counts, by_tenth, measured_on, found.unknown_ngram_share)}",
        end="",
    )


if __name__ == "__main__":
    run(main)
