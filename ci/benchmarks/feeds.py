"""Feeds of any size, the same bytes every time, and what a right result of them holds.

Reviews have the lengths of real ones (1.3 KB on average, a few of 10 KB), with commas, doubled quotes, line breaks, and words
that only look like "good". Logs are what the vendor writes. Nothing is broken: what damaged records cost is not measured here.
"""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg

from demo.feeds.log_lines import Written, xml
from demo.feeds.states import STATES
from demo.feeds.vendor_csv import field, vendor_file
from spark_prep.reviews.classifiers.model import CARD, FORMAT_VERSION, Model, write_weights
from spark_prep.reviews.classifiers.ngrams import SLOTS

DAY = date(2021, 1, 1)
# A day of ten records: what a run costs before it has done anything.
ALMOST_EMPTY_DAY = DAY + timedelta(1)
FEW_RECORDS = 10
CUSTOMERS = 20_000
DEVICES = ("Mobile", "Tablet", "Computer")
SYSTEMS = ("Apple iOS", "Apple MacOS", "Google Android", "Linux", "Microsoft Windows")
USER_PURCHASE = Path(__file__).parents[2] / "spark_prep/shop/user_purchase.sql"

_WHO = (
    "The lead",
    "Her brother",
    "My neighbour",
    "The director, of all people,",
    "The man with the lamp",
    "Nobody",
    "The cast",
)
_DOES = ("forgets", "whispers", "repeats", "sells", "films", "explains", "sings about", "misreads")
_WHAT = (
    'the "secret" letter',
    "half of the plot",
    "a harbour at night",
    "the café scene",
    "every single joke",
    "that long chase",
)
_HOW = (
    "twice, without a reason", "and it shows", "while the strings play on", "for what feels like an hour", "<br /><br />",
    "as if the book had never been read", "in front of a painted wall", "(and then some)", "and I said goodbye to the story",
    "though the lighting is lovely",
)  # fmt: skip
_GOOD = (
    "A good evening, all in all.",
    "Good!",
    'They call it "good" on the poster.',
    "So-so/good; see for yourself.",
)
_SENTENCES = [
    f"{who} {does} {what} {how}." for who in _WHO for does in _DOES for what in _WHAT for how in _HOW
]


class Right(NamedTuple):
    """What the rows made of a feed must add up to: their number, the sum of their ids, and how many are positive (reviews), are
    logs of a mobile device, or how many things were sold (purchases)."""

    rows: int
    ids: int
    matches: int


def write_reviews(raw: Path, day: date, size: int) -> tuple[str, Right]:
    """Write RAW/movie_review/insert_date=D/movie_review.csv; returns its path and what is right."""
    rng = random.Random(f"reviews {day}")  # noqa: S311 - a sample
    positive = 0
    header = "cid,review_str,id_review"
    with vendor_file(raw.parent, "movie_review", day, "movie_review.csv", header) as write_line:
        for number in range(1, size + 1):
            sentences = rng.choices(_SENTENCES, k=min(180, 1 + int(rng.lognormvariate(2.72, 0.65))))
            if is_good := rng.random() < 0.5:
                sentences[rng.randrange(len(sentences))] = rng.choice(_GOOD)
            positive += is_good
            text = ("\n\n" if rng.random() < 0.1 else " ").join(sentences)
            write_line(f"{rng.randrange(CUSTOMERS)},{field(text)},{number}")
    return _path(raw, "movie_review", day), Right(size, size * (size + 1) // 2, positive)


def write_logs(raw: Path, day: date, size: int) -> tuple[str, Right]:
    """Write RAW/log_reviews/insert_date=D/log_reviews.csv; returns its path and what is right. Phone numbers hardly repeat, addresses do."""
    rng = random.Random(f"logs {day}")  # noqa: S311 - a sample
    mobile = 0
    with vendor_file(raw.parent, "log_reviews", day, "log_reviews.csv", "id_review,log") as write_line:
        for number in range(1, size + 1):
            log = Written(
                log_id=number,
                log_date=DAY - timedelta(rng.randrange(365)),
                device=rng.choice(DEVICES),
                location=rng.choice(STATES),
                os=rng.choice(SYSTEMS),
                ip=f"10.0.{rng.randrange(20)}.{rng.randrange(256)}",
                phone=f"{rng.randrange(200, 1000)}-555-{rng.randrange(10000):04}",
            )
            mobile += log.device == DEVICES[0]
            write_line(f"{number},{xml(log)}")
    return _path(raw, "log_reviews", day), Right(size, size * (size + 1) // 2, mobile)


def write_model(folder: Path, weights: int) -> None:
    """A model for the classifier `model`, as make train writes it: so many weights, of no meaning."""
    rng = np.random.default_rng(1)
    slots = np.sort(rng.choice(SLOTS, weights, replace=False)).astype(np.int32)
    model = Model(slots, rng.normal(size=weights).astype(np.float32), 0.0)
    write_weights(str(folder), model)
    card = {"format_version": FORMAT_VERSION, "version": model.version, "intercept": model.intercept}
    (folder / CARD).write_text(json.dumps(card))


def _path(raw: Path, feed: str, day: date) -> str:
    return f"{raw}/{feed}/insert_date={day}/{feed}.csv"


def load_purchases(dsn: str, size: int) -> Right:
    """The shop's table user_purchase with `size` lines of DAY, made by the database; stock_code is the line's number."""
    lines = f"""
        insert into user_purchase
        select
            (536365 + number / 12)::text, number::text, 'CUSHION COVER NO ' || number % 4000, 1 + number % 24,
            timestamp '{DAY}' + number % 86400 * interval '1 second', (number % 15000) / 1000.0,
            nullif(number % {CUSTOMERS}, 0), 'United Kingdom'
        from generate_series(1, {size}) as number
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop table if exists user_purchase")
        connection.execute(USER_PURCHASE.read_bytes())
        connection.execute(lines.encode())
        connection.execute("vacuum (analyze) user_purchase")
    rounds, rest = divmod(size, 24)
    sold = rounds * sum(range(1, 25)) + sum(1 + number % 24 for number in range(1, rest + 1))
    return Right(size, size * (size + 1) // 2, sold)
