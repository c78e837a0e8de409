"""Training on more and more labelled reviews: what is learnt from, and the figures that come of it."""

import csv
from collections import Counter

import pyarrow as pa
import pytest

from ci.benchmarks import training
from ci.benchmarks.run import BenchmarkError
from ci.benchmarks.training import Training, measure, publish, targets, terminal, write_labelled
from spark_prep.reviews.classifiers.ngrams import slots_of

SIZE = 1000
TRAININGS = {
    2500: Training(20.0, 30.0, 2 << 30, 10_000, 0.91),
    25_000: Training(301.0, 400.0, 3 << 30, 90_000, 0.95),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    reviews, _ = write_labelled(tmp_path_factory.mktemp("training") / "labelled", SIZE)
    with open(reviews, newline="") as file:
        return [row["review_str"] for row in csv.DictReader(file)]


def test_reviews_are_as_long_as_real_ones_and_share_as_many_ngrams(texts):
    """As 1,000 of the 25,000 labelled movie reviews: 220 words, 560 n-grams, of which almost half are in three reviews or more."""
    assert len(texts) == SIZE
    assert sum(len(text.split()) for text in texts) / SIZE == pytest.approx(220, rel=0.1)
    _, slots = slots_of(pa.array(texts))
    assert len(slots) / SIZE == pytest.approx(560, rel=0.1)
    reviews_of = Counter(slots.tolist())
    assert sum(count for count in reviews_of.values() if count >= 3) / len(slots) == pytest.approx(
        0.5, abs=0.15
    )


def test_labelled_reviews_are_the_same_every_time(tmp_path):
    one, other = (write_labelled(tmp_path / name, 50) for name in ("one", "other"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


@pytest.mark.slow
def test_a_training_is_measured(tmp_path):
    found = measure(SIZE, tmp_path, print)
    assert found.wall > 0 and found.weights > 100 and found.accuracy > 0.7


def test_a_training_that_fails_says_why(tmp_path):
    with pytest.raises(BenchmarkError, match=r"exit code 2\n(.|\n)*too few labelled reviews"):
        measure(10, tmp_path, print)


def test_the_page_has_what_each_review_costs(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "DOCUMENT", tmp_path / "page.md")
    publish(TRAININGS, {"date": "2026-11-30"})
    page = (tmp_path / "page.md").read_text()
    assert "| 2,500 | 20 | 30 | 12.0 | 2,048 | 10,000 | 91.0% |" in page and "| date | 2026-11-30 |" in page
    assert "| 25,000 reviews: at most 5 minutes | 301 s | missed |" in page
    assert "25,000 reviews: at most 5 minutes  301 s  missed" in terminal(TRAININGS)
    assert targets({2500: TRAININGS[2500]}) == []
