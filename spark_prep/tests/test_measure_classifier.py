"""How often a classifier is right on labelled reviews. All reviews are made up here."""

import csv
import io
import sys

import numpy as np
import pyarrow as pa
import pytest

from spark_prep.errors import PreparationError
from spark_prep.reviews import measure_classifier
from spark_prep.reviews.classifiers.classification import Classification
from spark_prep.reviews.training.measure import tenths
from spark_prep.reviews.training.measured import COLUMNS

REVIEWS = """cid,review_str,id_review
7,Good,1
7,bad,2
7,"not good, though",3
7,fine,4
7,,5
7,bad,2
7,good and unlabelled,6
"""
LABELS = "id_review,label\n1,pos\n2,neg\n3,neg\n4,pos\n5,pos\n99,neg\n"


@pytest.fixture
def files(tmp_path) -> tuple[str, str]:
    for name, content in (("reviews", REVIEWS), ("labels", LABELS)):
        (tmp_path / f"{name}.csv").write_text(content)
    return f"{tmp_path}/reviews.csv", f"{tmp_path}/labels.csv"


def by_length(reviews: pa.Array) -> Classification:
    """Positive from five letters on; the score is a tenth for each letter."""
    lengths = np.array([len(text) for text in reviews.to_pylist()])
    return Classification(
        pa.array((lengths >= 5).astype(np.int32)), pa.array(np.minimum(lengths / 10, 1.0)), "length", "1"
    )


def test_each_labelled_review_counts_once(files):
    reviews, labels = files
    found = measure_classifier.judge(reviews, labels, by_length)
    assert (found.name, found.version) == ("length", "1")
    assert found.said.tolist() == [False, False, True, False]
    assert found.is_positive.tolist() == [True, False, False, True]
    assert found.scores is not None and found.scores.tolist() == [0.4, 0.3, 1.0, 0.4]


def test_the_line_for_the_seed(files, monkeypatch, capsys):
    reviews, labels = files
    monkeypatch.setattr(
        sys, "argv", ["", "--reviews", reviews, "--labels", labels, "--classifier", "keyword"]
    )
    measure_classifier.main()
    printed = capsys.readouterr().out
    assert "is right in 50.0% of 4 labelled reviews" in printed
    assert "of the positive ones it calls 50.0% positive" in printed
    (row,) = csv.DictReader(io.StringIO("".join(printed.splitlines(keepends=True)[-2:])))
    assert tuple(row) == COLUMNS and row["classifier"] == "keyword"
    kinds = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert [row[kind] for kind in kinds] == ["1", "1", "1", "1"]
    assert {row[f"tenth_{tenth}"] for tenth in range(10)} == {""}
    assert row["measured_on"].startswith("reviews.csv, ")


def test_a_score_lies_in_the_tenth_that_begins_with_it():
    scores = np.array([0, 0.05, 0.1, 0.29, 0.3, 0.6, 0.7, 0.99, 1])
    assert tenths(scores).tolist() == [0, 0, 1, 2, 3, 6, 7, 9, 9]


def test_labels_of_one_kind_are_refused(files):
    reviews, labels = files
    with open(labels, "w", encoding="utf-8") as file:
        file.write("id_review,label\n1,pos\n4,pos\n")
    with pytest.raises(
        PreparationError, match=r"2 positive and 0 negative reviews of .* there must be some of each"
    ):
        measure_classifier.judge(reviews, labels, by_length)
