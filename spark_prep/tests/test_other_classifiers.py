"""Several classifiers in one pass: one decides, what the others say lies beside it."""

import argparse
from collections import Counter
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from spark_prep.contract import publish
from spark_prep.errors import PreparationError
from spark_prep.replay_day import replay_day
from spark_prep.reviews import classify_reviews as module
from spark_prep.reviews.classifiers.chosen import (
    add_classifier_options,
    add_other_classifiers_option,
    other_classifiers,
)
from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.reviews.classifiers.lexicon import lexicon, read_words
from spark_prep.reviews.classifiers.model import Model, model
from spark_prep.reviews.classifiers.ngrams import ngrams_of
from spark_prep.reviews.classify_reviews import classify_reviews, review_stage
from spark_prep.spark import stage_feed

TABLE, OTHER = "classified_movie_review", "other_classification"
DAY = date(2021, 1, 1)
GOOD = partial(keyword, words=frozenset({"good"}))
LEXICON = partial(lexicon, words=read_words())
SLOTS = {ngram: slot for slot, ngram in ngrams_of("dull").items()}
MODEL = partial(model, weights=Model(np.array([SLOTS["dull"]], np.int32), np.array([-2.0], np.float32), 1.0))
OTHERS = (LEXICON, MODEL)
REVIEWS = "cid,review_str,id_review\n1,not good at all,10\n2,a wonderful film,11\n,dull,12\n3,,13\n2,a wonderful film,11\n"


def said(lake, day=DAY):
    return sorted(
        (row["classifier"], row["review_id"], row["customer_id"], row["positive_review"])
        for row in lake.staged(OTHER, day)
    )


SAID = [
    ("lexicon", 10, 1, 0), ("lexicon", 11, 2, 1), ("lexicon", 11, 2, 1), ("lexicon", 12, None, 0),
    ("model", 10, 1, 1), ("model", 11, 2, 1), ("model", 11, 2, 1), ("model", 12, None, 0),
]  # fmt: skip


def test_one_decides_and_what_the_others_say_lies_beside_it(spark, lake):
    lake.deliver("movie_review", DAY, REVIEWS)
    classify_reviews(spark, lake.settings, GOOD, [DAY])
    alone = lake.staged(TABLE, DAY)
    assert not (lake.root / "staging" / OTHER).exists()
    assert not (lake.root / f"staging/delivery/insert_date={DAY}/{OTHER}.parquet").exists()

    outcome = classify_reviews(spark, lake.settings, GOOD, [DAY], OTHERS)
    assert lake.staged(TABLE, DAY) == alone and outcome.staged == 4
    assert said(lake) == SAID
    scores = {
        (row["classifier"], row["review_id"]): row["classifier_score"] for row in lake.staged(OTHER, DAY)
    }
    unknown = {
        (row["classifier"], row["review_id"]): row["unknown_ngram_share"] for row in lake.staged(OTHER, DAY)
    }
    # of "a wonderful film" none of six has a weight; the lexicon knows no n-grams
    assert [unknown["model", 11], unknown["model", 12], unknown["lexicon", 11]] == [1, 0, None]
    assert {row["unknown_ngram_share"] for row in alone} == {None}
    assert scores["model", 12] == pytest.approx(1 / (1 + np.exp(1.0)), abs=1e-6)
    assert lake.delivery(OTHER, DAY)["run"] == lake.delivery(TABLE, DAY)["run"]
    # of what is not a feed's there are no rejected records
    assert not (lake.root / "quarantine" / OTHER).exists() and lake.reasons(TABLE, DAY) == ["no review_str"]

    # nobody reads an older run's
    classify_reviews(spark, lake.settings, GOOD, [DAY])
    assert lake.delivery(OTHER, DAY)["run"] is None and lake.staged(TABLE, DAY) == alone


def test_where_the_file_is_cut_changes_nothing(spark, lake, other_lake, monkeypatch):
    lines = "".join(f"{n % 7},{('dull', 'a wonderful film', 'good')[n % 3]} {n},{n}\n" for n in range(5000))
    for each in (lake, other_lake):
        each.deliver("movie_review", DAY, f"cid,review_str,id_review\n{lines}")
    classify_reviews(spark, lake.settings, GOOD, [DAY], OTHERS)
    monkeypatch.setattr(stage_feed, "largest_piece_bytes", lambda: 20_000)
    monkeypatch.setattr(stage_feed, "SMALLEST_PIECE_BYTES", 20_000)
    classify_reviews(spark, other_lake.settings, GOOD, [DAY], OTHERS)
    whole, cut = (
        Counter(tuple(row.values()) for row in each.staged(OTHER, DAY)) for each in (lake, other_lake)
    )
    assert whole == cut and whole.total() == 10_000


def test_a_record_that_comes_back_is_judged_by_the_others_too(spark, lake, monkeypatch):
    lake.deliver("movie_review", DAY, REVIEWS)
    classify_reviews(spark, lake.settings, GOOD, [DAY], OTHERS)
    monkeypatch.setattr(module, "is_blank", lambda values: pa.array([False] * len(values), pa.bool_()))
    assert replay_day(lake.settings, review_stage(GOOD, OTHERS), DAY).came_back == 1
    assert said(lake) == sorted([*SAID, ("lexicon", 13, 3, 0), ("model", 13, 3, 1)])
    # a second replay changes nothing
    files = lake.files()
    assert replay_day(lake.settings, review_stage(GOOD, OTHERS), DAY).came_back == 0
    assert lake.files() == files


def test_a_day_without_them_keeps_none_after_a_replay(spark, lake, monkeypatch):
    lake.deliver("movie_review", DAY, REVIEWS)
    classify_reviews(spark, lake.settings, GOOD, [DAY])
    monkeypatch.setattr(module, "is_blank", lambda values: pa.array([False] * len(values), pa.bool_()))
    assert replay_day(lake.settings, review_stage(GOOD, OTHERS), DAY).came_back == 1
    assert publish.committed(lake.settings["STAGING_URI"], OTHER, DAY) is None


def names(classifiers) -> list[str]:
    return [classifier(pa.array(["a film"])).name for classifier in classifiers]


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_classifier_options(parser)
    add_other_classifiers_option(parser)
    return parser.parse_args(words)


def test_the_setting_names_them_and_an_option_comes_first(monkeypatch):
    assert other_classifiers(options()) == ()
    monkeypatch.setenv("OTHER_CLASSIFIERS", " lexicon, ")
    assert names(other_classifiers(options())) == ["lexicon"]
    assert other_classifiers(options("--other-classifiers", "")) == ()
    chosen = options("--classifier", "lexicon", "--other-classifiers", "keyword,keyword")
    assert names(other_classifiers(chosen)) == ["keyword"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("lexicon,keyword", "the classifier keyword decides already: take it out of --other-classifiers or OTHER_CLASSIFIERS"),
        ("bayes", "there is no classifier 'bayes': --other-classifiers and OTHER_CLASSIFIERS take keyword, lexicon, model"),
        ("model", "the classifier model needs a model: name a folder that make train has written by --model or MODEL_URI"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_before_anything_is_read(names, message, monkeypatch):
    monkeypatch.delenv("MODEL_URI", raising=False)
    with pytest.raises(PreparationError) as refused:
        other_classifiers(options("--other-classifiers", names))
    assert str(refused.value) == message
