"""Days of staging as the jobs leave them, straight from numpy: what a warehouse of many days is built from.

The files, folders and delivery rows are those of spark_prep.contract.publish. The first day is the first load: a review, a log and an
invoice of each customer, so that days are all that grows. Later reviews, logs and purchases are spread evenly over the customers. As in real feeds some reviews are sent again, some logs come a day late, and some customers are not known.
Nothing is rejected. A day is the same whenever it is written.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ci.benchmarks.feeds import DEVICES, SYSTEMS
from demo.feeds.states import STATES
from spark_prep.contract import publish, tables
from spark_prep.contract.publish import Delivery

FIRST_DAY = date(2021, 1, 1)
RUN = "20210101T000000-00000000"
# Customers for each review of a day: most of them write a few times a month.
CUSTOMERS_PER_REVIEW = 20
# One in so many reviews has no customer, is sent again the day after; one in so many logs comes a day late.
WITHOUT_CUSTOMER, SENT_AGAIN, LATE = 100, 1000, 100
# Purchase lines for each review of a day.
LINES_PER_REVIEW = 0.2
LINES_PER_INVOICE = 5
ARTICLES = 4000
COUNTRIES = ("United Kingdom", "France", "Germany", "EIRE")


def write_day(staging: Path, number: int, size: int) -> date:
    """Write day `number` of `size` reviews, as many logs, and a fifth as many purchase lines; returns the day.

    Number 0, FIRST_DAY, is the first load.
    """
    day = FIRST_DAY + timedelta(number)
    rng = np.random.default_rng((number, size))
    customers = np.arange(1, CUSTOMERS_PER_REVIEW * size + 1)
    if number:
        reviewers = rng.choice(customers, size)
        buyers = rng.choice(customers, max(1, int(size * LINES_PER_REVIEW) // LINES_PER_INVOICE))
    else:
        reviewers = buyers = customers
    reviews_before = (CUSTOMERS_PER_REVIEW + number - 1) * size if number else 0
    ids = reviews_before + np.arange(1, len(reviewers) + 1)
    _write(staging, day, "classified_movie_review", _reviews(number, ids, reviewers, rng))
    _write(staging, day, "review_logs", _logs(number, ids, rng))
    _write(staging, day, "user_purchase", _purchases(number, buyers, rng))
    return day


def _reviews(
    number: int, ids: np.ndarray, customers: np.ndarray, rng: np.random.Generator
) -> dict[str, object]:
    size = len(ids)
    if number:
        ids = ids.copy()
        again = size // SENT_AGAIN
        ids[:again] = ids[0] - 1 - np.arange(again)
    return {
        "review_id": ids,
        "customer_id": _some_missing(customers, rng),
        "positive_review": rng.integers(0, 2, size),
        "classifier": _chosen(("keyword",), np.zeros(size, int)),
        "classifier_version": _chosen(("1",), np.zeros(size, int)),
        "classifier_score": pa.nulls(size, pa.float64()),
        "unknown_ngram_share": pa.nulls(size, pa.float64()),
    }


def _logs(number: int, ids: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    """Of the day's reviews; the last of them came with the next day."""
    size = len(ids)
    if number:
        ids = ids - size // LATE
    written = np.datetime64(FIRST_DAY + timedelta(number)) - rng.integers(0, 3, size)
    return {
        "log_id": ids,
        "log_date": written.astype("datetime64[D]"),
        "device": _chosen(DEVICES, rng.integers(0, len(DEVICES), size)),
        "os": _chosen(SYSTEMS, rng.integers(0, len(SYSTEMS), size)),
        "location": _chosen(STATES, rng.integers(0, len(STATES), size)),
        "browser": pa.nulls(size, pa.string()),
        "ip": _pseudonyms(rng, size),
        "phone_number": _pseudonyms(rng, size),
        "pseudonym_key_version": _chosen(("1",), np.zeros(size, int)),
    }


def _purchases(number: int, buyers: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    """Invoices of five lines, one for each buyer; one invoice in fifty takes things back."""
    invoices = len(buyers)
    of_line = np.repeat(np.arange(invoices), LINES_PER_INVOICE)
    lines = len(of_line)
    articles = (ARTICLES * rng.random(lines) ** 2).astype(int)
    is_return = (rng.random(invoices) < 0.02)[of_line]
    quantities = rng.integers(1, 25, lines) * np.where(is_return, -1, 1)
    numbers = [
        f"{'C' if back else ''}{number}-{invoice}" for back, invoice in zip(is_return, of_line, strict=True)
    ]
    midnight = np.datetime64(FIRST_DAY + timedelta(number), "us")
    seconds = rng.integers(8 * 3600, 18 * 3600, invoices)[of_line]
    who = _some_missing(buyers, rng)
    return {
        "invoice_number": numbers,
        "stock_code": (10000 + articles).astype(str),
        "detail": _chosen([f"CUSHION COVER NO {n}" for n in range(ARTICLES)], articles),
        "quantity": quantities,
        "invoice_date": midnight + seconds.astype("timedelta64[s]"),
        "unit_price": _prices(rng, lines),
        "customer_id": who.take(pa.array(of_line)),
        "country": _chosen(COUNTRIES, np.zeros(lines, int) + of_line % 50 // 47),
    }


def _some_missing(ids: np.ndarray, rng: np.random.Generator) -> pa.Array:
    return pa.array(ids, pa.int32(), mask=rng.random(len(ids)) < 1 / WITHOUT_CUSTOMER)


def _chosen(choices: tuple[str, ...] | list[str], places: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), list(choices)).dictionary_decode()


def _pseudonyms(rng: np.random.Generator, size: int) -> pa.Array:
    """As long as real ones, 64 hexadecimal digits."""
    digits = rng.bytes(32 * size).hex()
    return pa.array([digits[start : start + 64] for start in range(0, len(digits), 64)])


def _prices(rng: np.random.Generator, size: int) -> pa.Array:
    """0.001 to 14.999"""
    thousandths = pa.array(rng.integers(1, 15000, size)).cast(pa.decimal128(19, 0))
    return pc.multiply(thousandths, pa.scalar("0.001").cast(pa.decimal128(4, 3)))


def _write(staging: Path, day: date, table: str, columns: dict[str, object]) -> None:
    schema = tables.STAGING[table]
    rows = pa.table(
        {name: pa.array(values).cast(schema.field(name).type) for name, values in columns.items()}
    )
    delivery = Delivery(table, RUN, True, 1, len(rows))
    files = {
        f"{publish.run_folder(table, day, RUN)}/part-00000.parquet": rows.cast(schema),
        publish.delivery_file(table, day): pa.Table.from_pylist([delivery._asdict()], schema=tables.DELIVERY),
    }
    for name, content in files.items():
        file = staging / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, file)
