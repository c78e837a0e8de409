"""The generated feeds: the same every time, like real ones, and holding what they are said to hold."""

import csv
import re
from datetime import date
from statistics import mean, median
from xml.etree import ElementTree

import psycopg
import pytest

from ci.benchmarks.feeds import load_purchases, write_logs, write_reviews
from demo.postgres import embedded_postgres

DAY = date(2021, 1, 1)


def records(file):
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, strict=True))


def test_reviews_are_as_long_as_real_ones_and_hold_what_is_said(tmp_path):
    file, right = write_reviews(tmp_path / "raw", DAY, 4000)
    reviews = records(file)
    texts = [review["review_str"] for review in reviews]
    assert 1150 < mean(map(len, texts)) < 1450
    assert median(map(len, texts)) < mean(map(len, texts)) < max(map(len, texts)) / 5
    for piece in ('"', ",", "\n\n", "goodbye", "café"):
        assert any(piece in text for text in texts), piece
    positive = sum(bool(re.search(r"(?<!\w)good(?!\w)", text, re.IGNORECASE)) for text in texts)
    ids = sum(int(review["id_review"]) for review in reviews)
    assert (len(reviews), ids, positive) == right


def test_logs_are_sound_and_hold_what_is_said(tmp_path):
    file, right = write_logs(tmp_path / "raw", DAY, 3000)
    logs = records(file)
    devices = [ElementTree.fromstring(log["log"]).findtext("log/device") for log in logs]  # noqa: S314 - generated here
    assert (len(logs), sum(int(log["id_review"]) for log in logs), devices.count("Mobile")) == right
    assert 190 < mean(len(log["log"]) for log in logs) < 240


def test_feeds_are_the_same_every_time(tmp_path):
    for folder in ("one", "other"):
        write_reviews(tmp_path / folder / "raw", DAY, 50)
        write_logs(tmp_path / folder / "raw", DAY, 50)
    files = [file for file in sorted((tmp_path / "one").rglob("*.csv"))]
    assert len(files) == 2
    for file in files:
        assert file.read_bytes() == (tmp_path / "other" / file.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize("size", [1, 23, 24, 100])
def test_purchases_hold_what_is_said(size):
    with embedded_postgres() as dsn:
        right = load_purchases(dsn, size)
        with psycopg.connect(dsn) as connection:
            query = "select invoice_date, stock_code, quantity from user_purchase"
            rows = connection.execute(query).fetchall()
    assert {moment.date() for moment, _, _ in rows} == {DAY}
    assert (len(rows), sum(int(code) for _, code, _ in rows), sum(quantity for *_, quantity in rows)) == right
