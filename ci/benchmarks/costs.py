"""What a day costs on AWS and Google Cloud after three years, computed from measured days and list prices: docs/costs.md.

Two of the measured days are of different sizes; a straight line through them gives a fixed part, and a part for each review of a day. All
else is an assumption, named below and on the page.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import jinja2

from ci.benchmarks.document import table
from ci.benchmarks.warehouse import Day, History
from ci.benchmarks.ways import ROOT

DOCUMENT, TEMPLATE = ROOT / "docs/costs.md", Path(__file__).with_name("costs.md.jinja")
REVIEWS_A_DAY = (10_000, 1_000_000, 10_000_000)
YEARS = 3
DAYS, DAYS_A_MONTH = YEARS * 365, 30

# USD by cloud and item: list prices without tax and discounts.
with (ROOT / "terraform/prices.csv").open() as _rows_of_prices:
    PRICES = {(row["cloud"], row["item"]): float(row["usd"]) for row in csv.DictReader(_rows_of_prices)}
EMR_VCPU_HOUR = PRICES["aws", "EMR Serverless vCPU (ARM64)"]
EMR_GB_HOUR = PRICES["aws", "EMR Serverless memory (ARM64)"]
REDSHIFT_RPU_HOUR, S3_GB_MONTH = PRICES["aws", "Redshift Serverless"], PRICES["aws", "S3"]
DATAPROC_DCU_HOUR, BIGQUERY_TIB = PRICES["gcp", "Dataproc Serverless"], PRICES["gcp", "BigQuery on demand"]
GCS_GB_MONTH = PRICES["gcp", "Cloud Storage"]
FREE_TIB_A_MONTH = 1

# Seconds of one core for a million records beyond the start of a job: docs/benchmark.md, 29 November 2026.
STAGING_SECONDS = {"reviews": 10.0, "logs": 5.5}

# Assumptions. Two Spark jobs, each with a driver and at least one worker of 4 vCPUs with 4 GB for each, two minutes until they work.
JOBS, VCPUS_AT_LEAST, START_SECONDS, GB_PER_VCPU = 2, 8, 120, 4
# Dataproc counts 0.6 units for a vCPU and 0.1 for a GB.
DCU_PER_VCPU = 0.6 + 0.1 * GB_PER_VCPU
# The smallest Redshift Serverless; a unit has two vCPUs. A statement waits a second for plan and commit, four run at a time.
RPUS, VCPUS_PER_RPU, STATEMENT_SECONDS, AT_A_TIME, RPU_SECONDS_AT_LEAST = 8, 2, 1.0, 4, 60
# BigQuery charges at least 10 MB for each table of a query; a node reads two.
BIGQUERY_LEAST_BYTES, TABLES_A_NODE = 10 * 2**20, 2


class Line(NamedTuple):
    """fixed + per_review × reviews a day"""

    fixed: float
    per_review: float

    def at(self, reviews: int) -> float:
        return self.fixed + self.per_review * reviews


class Costs(NamedTuple):
    """USD: of a day's work, and of a month's storage after three years."""

    spark: float
    warehouse: float
    storage_a_month: float

    def a_month(self) -> float:
        return (self.spark + self.warehouse) * DAYS_A_MONTH + self.storage_a_month


def line(small: tuple[int, float], large: tuple[int, float]) -> Line:
    """Through (reviews a day, what was measured) of two sizes; no part is below zero."""
    (fewer, low), (more, high) = small, large
    per_review = max(0.0, (high - low) / (more - fewer))
    return Line(max(0.0, low - per_review * fewer), per_review)


def aws(day: Estimate, reviews: int) -> Costs:
    vcpu_hour = EMR_VCPU_HOUR + GB_PER_VCPU * EMR_GB_HOUR
    seconds = day.nodes * STATEMENT_SECONDS / AT_A_TIME + day.node_seconds.at(reviews) / (
        RPUS * VCPUS_PER_RPU
    )
    rpu_hours = max(seconds, RPU_SECONDS_AT_LEAST) * RPUS / 3600
    # Redshift compresses about as DuckDB does, and its storage costs about as much as S3.
    stored = (day.staged.at(reviews) + day.stored.at(reviews)) * S3_GB_MONTH
    return Costs(_vcpu_hours(reviews) * vcpu_hour, rpu_hours * REDSHIFT_RPU_HOUR, stored * DAYS / 1e9)


def gcp(day: Estimate, reviews: int) -> Costs:
    logical = day.bytes_read.at(reviews) * day.logical_per_stored
    tib_a_month = max(logical, day.nodes * TABLES_A_NODE * BIGQUERY_LEAST_BYTES) * DAYS_A_MONTH / 2**40
    a_day = max(0.0, tib_a_month - FREE_TIB_A_MONTH) * BIGQUERY_TIB / DAYS_A_MONTH
    # BigQuery's storage costs about as much as Cloud Storage, for the bytes that it counts.
    stored = (day.staged.at(reviews) + day.stored.at(reviews) * day.logical_per_stored) * GCS_GB_MONTH
    return Costs(_vcpu_hours(reviews) * DCU_PER_VCPU * DATAPROC_DCU_HOUR, a_day, stored * DAYS / 1e9)


def _vcpu_hours(reviews: int) -> float:
    work = sum(STAGING_SECONDS.values()) * reviews / 1e6
    return (JOBS * VCPUS_AT_LEAST * START_SECONDS + work) / 3600


class Estimate(NamedTuple):
    """What the measured days say of a day of any size: how many nodes dbt has, their seconds, the bytes that they read, the bytes that a
    day leaves in staging and in the warehouse's file, and how many bytes BigQuery counts for one in that file."""

    nodes: int
    node_seconds: Line
    bytes_read: Line
    staged: Line
    stored: Line
    logical_per_stored: float


def estimate(days: dict[History, Day]) -> Estimate:
    """From the days with the longest history of the smallest and of the largest size."""
    (fewer, small), (more, large) = measured(days)

    def through(first: float, second: float) -> Line:
        return line((fewer.reviews, first), (more.reviews, second))

    return Estimate(
        len(small.nodes),
        through(small.node_seconds(), large.node_seconds()),
        through(small.bytes_read, large.bytes_read),
        through(small.staged_bytes / (fewer.days + 1), large.staged_bytes / (more.days + 1)),
        through(small.stored_bytes / (fewer.days + 1), large.stored_bytes / (more.days + 1)),
        large.logical_bytes / large.stored_bytes,
    )


def measured(days: dict[History, Day]) -> tuple[tuple[History, Day], tuple[History, Day]]:
    sizes = sorted({history.reviews for history in days})
    longest = [max(history for history in days if history.reviews == size) for size in (sizes[0], sizes[-1])]
    return (longest[0], days[longest[0]]), (longest[1], days[longest[1]])


def publish(days: dict[History, Day], machine: dict[str, str]) -> None:
    """Write docs/costs.md. Needs days of two sizes."""
    day = estimate(days)
    clouds = {"AWS": aws, "Google Cloud": gcp}
    costs: list[tuple[str, ...]] = [
        ("reviews a day", "cloud", "Spark, a day", "warehouse, a day", "storage, a month", "all, a month")
    ]
    for reviews in REVIEWS_A_DAY:
        for cloud, of_cloud in clouds.items():
            found = of_cloud(day, reviews)
            figures = (found.spark, found.warehouse, found.storage_a_month, found.a_month())
            costs.append((f"{reviews:,}", cloud, *(f"{figure:,.2f}" for figure in figures)))
    lines = [("", "fixed", "for each review of a day"), *_rows(day)]
    names = [
        f"{history.days:,} days of {history.reviews:,} reviews, as many logs, a fifth as many purchase lines"
        for history, _ in measured(days)
    ]
    template = jinja2.Template(
        TEMPLATE.read_text(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    page = template.render(
        globals(), machine=machine, costs=table(costs), lines=table(lines), measured_days=names, estimate=day
    )
    DOCUMENT.write_text(page, encoding="utf-8")


def _rows(day: Estimate) -> list[tuple[str, str, str]]:
    return [
        (
            "seconds of all nodes",
            f"{day.node_seconds.fixed:.1f} s",
            f"{day.node_seconds.per_review * 1e6:.1f} µs",
        ),
        ("bytes read", f"{day.bytes_read.fixed / 1e6:.1f} MB", f"{day.bytes_read.per_review:,.0f} bytes"),
        ("staging, each day", f"{day.staged.fixed / 1e6:.2f} MB", f"{day.staged.per_review:,.0f} bytes"),
        (
            "the warehouse's file, each day",
            f"{day.stored.fixed / 1e6:.2f} MB",
            f"{day.stored.per_review:,.0f} bytes",
        ),
    ]
