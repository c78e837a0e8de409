import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from spark_prep.errors import PreparationError
from spark_prep.reviews import keyword_classifier
from spark_prep.reviews.classify_reviews import classify, classify_reviews
from spark_prep.reviews.keyword_classifier import effective_words, keyword

TABLE = "classified_movie_review"
GOOD = frozenset({"good"})

POSITIVE = [
    "good",
    "A Good film.",
    "GOOD!",
    "good-looking",
    "so,good;really",
    "<br />good<br />",
    "good’s",
    "bad\ngood",
    "(good)",
    "“good”",
    "not good",
]
NEGATIVE = [
    "goodness",
    "goodbye",
    "not_good",
    "good_",
    "good123",
    "3good",
    "goodé",
    "дgood",
    "good\u0301",
    "feelgood",
    "g ood",
    "fine",
]


def verdicts(spark, texts, words=GOOD):
    frame = spark.createDataFrame([(text,) for text in texts], "review string")
    return [row[0] for row in frame.select(keyword(frame.review, words).positive_review).collect()]


def test_good_counts_as_a_word_in_any_case(spark):
    assert verdicts(spark, POSITIVE) == [1] * len(POSITIVE)


def test_good_within_another_word_does_not_count(spark):
    assert verdicts(spark, NEGATIVE) == [0] * len(NEGATIVE)


def test_the_word_rule_does_not_rest_on_the_javas_version(spark):
    # \b and \w are ASCII or Unicode by the version of Java; \p classes are the same everywhere
    plan = spark.createDataFrame([("x",)], "review string").select(
        keyword(F.col("review"), GOOD).positive_review
    )
    pattern = re.search(r"\(\?iu\)\S+", plan._jdf.queryExecution().analyzed().toString())[0]
    assert r"\b" not in pattern and r"\w" not in pattern and r"\p{L}" in pattern


def test_a_words_case_and_other_letters(spark):
    assert verdicts(spark, ["ÉCLATANT", "éclatant!", "eclatant"], frozenset({"éclatant"})) == [1, 1, 0]


def test_the_shipped_words_are_good_alone():
    assert effective_words() == GOOD


def test_the_words_are_found_when_the_package_is_a_zip_file(tmp_path):
    package = Path(keyword_classifier.__file__).parents[1]
    shutil.make_archive(str(tmp_path / "package"), "zip", package.parent, package.name)
    code = "from spark_prep.reviews import keyword_classifier as k; print(k.__file__, *k.effective_words())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "package.zip")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path, *words = ran.stdout.split()
    assert "package.zip" in path and words == ["good"]


def test_stop_words_are_taken_out(tmp_path):
    (tmp_path / "good.txt").write_text("# ours\nGreat\n\n superb \ngood\n")
    (tmp_path / "stop.txt").write_text("GOOD\n")
    assert effective_words(tmp_path / "good.txt", tmp_path / "stop.txt") == {"great", "superb"}


@pytest.mark.parametrize("entry", ["very good", "good!", "good.*", "good-looking"])
def test_an_entry_that_is_not_one_word_is_refused_with_file_and_line(tmp_path, entry):
    (tmp_path / "good.txt").write_text(f"fine\n{entry}\n")
    with pytest.raises(PreparationError, match=r"good\.txt, line 2: .* is not a single word"):
        effective_words(tmp_path / "good.txt")


def test_no_word_left_and_no_file_are_refused(tmp_path):
    (tmp_path / "words.txt").write_text("good\n")
    with pytest.raises(PreparationError, match="holds no word"):
        effective_words(tmp_path / "words.txt", tmp_path / "words.txt")
    with pytest.raises(PreparationError, match=r"missing\.txt cannot be read"):
        effective_words(tmp_path / "missing.txt")


def test_the_version_changes_with_the_words_and_not_with_their_order(spark):
    review = F.lit("")
    one, two = keyword(review, frozenset(["good", "fine"])), keyword(review, frozenset(["fine", "good"]))
    assert one.version == two.version != keyword(review, GOOD).version
    assert re.fullmatch(r"1-[0-9a-f]{8}", one.version) and one.name == "keyword"


def test_reasons_ids_and_columns(spark, lake):
    lake.deliver(
        "movie_review",
        "2021-01-01",
        "cid,review_str,id_review\n"
        "7,good,1\n"
        ",no customer,2\n"
        " 8 ,bad, +3 \n"
        "9,x,\n"
        "9,x,  \n"
        "9,x,4.0\n"
        "9,x,2147483648\n"
        "nine,x,5\n"
        "2147483648,x,6\n"
        '9,"  ",7\n'
        "9,,8\n"
        '9,"x, y",2147483647\n'
        "-9,x,-1\n",
    )
    classify_reviews(spark, lake.settings, GOOD, [date(2021, 1, 1)])
    version = keyword(F.lit(""), GOOD).version
    assert sorted(tuple(row.values()) for row in lake.staged(TABLE, "2021-01-01")) == [
        (-1, -9, 0, "keyword", version, None),
        (1, 7, 1, "keyword", version, None),
        (2, None, 0, "keyword", version, None),
        (3, 8, 0, "keyword", version, None),
        (2147483647, 9, 0, "keyword", version, None),
    ]
    rejected = sorted(
        (row["reason"], row["record_id"] or "") for row in lake.quarantined(TABLE, "2021-01-01")
    )
    assert rejected == [
        ("cid is not an integer", "5"),
        ("cid is not an integer", "6"),
        ("id_review is not an integer", "2147483648"),
        ("id_review is not an integer", "4.0"),
        ("no id_review", ""),
        ("no id_review", ""),
        ("no review_str", "7"),
        ("no review_str", "8"),
    ]
    assert lake.rejections(TABLE, "2021-01-01") == {
        "cid is not an integer": 2,
        "id_review is not an integer": 2,
        "no id_review": 2,
        "no review_str": 2,
    }


def test_a_reason_given_before_stays(spark):
    records = spark.createDataFrame(
        [("1", "good", "x", "wrong number of fields")],
        "cid string, review_str string, id_review string, reason string",
    )
    assert [row.reason for row in classify(records, GOOD).collect()] == ["wrong number of fields"]
