"""What a day costs on AWS and Google Cloud after three years, computed from measured days and list prices: docs/costs.md.

Three of the measured days give a fixed part, a part for each review of a day, and one for each review of history. All else is an
assumption, named below and on the page.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ci.benchmarks.document import table, template_in
from ci.benchmarks.history import CUSTOMERS_PER_REVIEW
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
# What is kept of each customer and has no date to be partitioned by: for its DELETE BigQuery bills the whole table.
REPLACED_WHOLE = (
    "customer_history_nested", "int_customer_favourite", "int_customer_opinion", "int_customer_shopping", "int_customer_spending",
)  # fmt: skip
# What profiles read of every day: nodes, and the table whose rows BigQuery bills them in full. All its columns are counted, which is an upper
# bound; DuckDB compresses it better than other tables, and reports only part of what it reads of it.
READ_WHOLE = {
    "int_touched_review": "int_attributed_review", "int_touched_line": "int_purchase_line", "int_customer_touched": "int_customer_invoice",
}  # fmt: skip
# All data tests are run on the whole warehouse once a week.
DAYS_A_VERIFICATION = 7


class Line(NamedTuple):
    """fixed + per_review × reviews a day"""

    fixed: float
    per_review: float

    def at(self, reviews: int) -> float:
        return self.fixed + self.per_review * reviews


class Plane(NamedTuple):
    """fixed + per_review × reviews a day + per_past_review × reviews of all days before"""

    fixed: float
    per_review: float
    per_past_review: float

    def at(self, reviews: int) -> float:
        return self.fixed + (self.per_review + self.per_past_review * DAYS) * reviews


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


def plane(second: float, small: tuple[History, float], large: tuple[History, float]) -> Plane:
    """Through what was measured on the second day and after a long history of one size, and after a history of a larger size; no part
    is below zero."""
    (before, low), (larger, high) = small, large
    per_past_review = max(0.0, (low - second) / ((before.days - 1) * before.reviews))
    of_the_day = [
        (history.reviews, measured - per_past_review * history.days * history.reviews)
        for history, measured in ((before, low), (larger, high))
    ]
    return Plane(*line(*of_the_day), per_past_review)


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
    read = day.bytes_read.at(reviews) + day.verified.at(reviews) / DAYS_A_VERIFICATION
    whole = sum(table.at(reviews) for table in (*day.read_whole.values(), *day.replaced.values()))
    logical = read * day.logical_per_stored + whole
    tib_a_month = max(logical, day.nodes * TABLES_A_NODE * BIGQUERY_LEAST_BYTES) * DAYS_A_MONTH / 2**40
    a_day = max(0.0, tib_a_month - FREE_TIB_A_MONTH) * BIGQUERY_TIB / DAYS_A_MONTH
    # BigQuery's storage costs about as much as Cloud Storage, for the bytes that it counts.
    stored = (day.staged.at(reviews) + day.stored.at(reviews) * day.logical_per_stored) * GCS_GB_MONTH
    return Costs(_vcpu_hours(reviews) * DCU_PER_VCPU * DATAPROC_DCU_HOUR, a_day, stored * DAYS / 1e9)


def _vcpu_hours(reviews: int) -> float:
    work = sum(STAGING_SECONDS.values()) * reviews / 1e6
    return (JOBS * VCPUS_AT_LEAST * START_SECONDS + work) / 3600


class Estimate(NamedTuple):
    """What the measured days say of a day of any size: how many nodes dbt has, their seconds, the bytes that they read without those of
    READ_WHOLE, all and each, the bytes that a verification reads, all and each test, the bytes that a day leaves in staging and in the warehouse's
    file, how many bytes BigQuery counts for one in that file, for the nodes of READ_WHOLE, and for the tables of REPLACED_WHOLE."""

    nodes: int
    node_seconds: Plane
    bytes_read: Plane
    reads: dict[str, Plane]
    verified: Plane
    verified_reads: dict[str, Plane]
    staged: Line
    stored: Line
    logical_per_stored: float
    read_whole: dict[str, Plane]
    replaced: dict[str, Plane]

    def largest(self, reviews: int) -> tuple[str, float]:
        """The node of which BigQuery bills the most for a single statement, in a day's build or in a verification, and its bytes."""
        reads = {
            name: max(of.at(reviews) for of in (self.reads.get(name), self.verified_reads.get(name)) if of)
            * self.logical_per_stored
            for name in self.reads | self.verified_reads
        } | {name: table.at(reviews) for name, table in self.read_whole.items()}
        # To delete from a table is a statement of its own.
        replaced = {name: table.at(reviews) for name, table in self.replaced.items()}
        billed = {name: max(reads.get(name, 0.0), replaced.get(name, 0.0)) for name in reads | replaced}
        return max(billed.items(), key=lambda node: node[1])


def estimate(days: dict[History, Day]) -> Estimate:
    """From the second day and the days with the longest history of the smallest size, and the longest of the largest."""
    second, (fewer, small), (more, large) = measured(days)

    def through(of: Callable[[Day], float]) -> Plane:
        return plane(of(second), (fewer, of(small)), (more, of(large)))

    def by_name(names: Iterable[str], of: Callable[[Day], Mapping[str, float]]) -> dict[str, Plane]:
        def of_name(name: str) -> Plane:
            return through(lambda day: of(day).get(name, 0))

        return {name: of_name(name) for name in names}

    def each_day(of: Callable[[Day], float]) -> Line:
        """The first load counts as many days as there are customers for each review."""
        return line(
            (fewer.reviews, of(small) / (fewer.days + CUSTOMERS_PER_REVIEW)),
            (more.reviews, of(large) / (more.days + CUSTOMERS_PER_REVIEW)),
        )

    def reads(day: Day) -> dict[str, float]:
        return {name: size for name, size in day.reads.items() if name not in READ_WHOLE}

    read_whole = by_name(READ_WHOLE.values(), lambda day: day.logical_bytes)
    return Estimate(
        len(small.nodes),
        through(Day.node_seconds),
        through(lambda day: sum(reads(day).values())),
        by_name(reads(small), reads),
        through(lambda day: sum(day.verified.values())),
        by_name(small.verified, lambda day: day.verified),
        each_day(lambda day: day.staged_bytes),
        each_day(lambda day: day.stored_bytes),
        sum(large.logical_bytes.values()) / large.stored_bytes,
        {node: read_whole[table] for node, table in READ_WHOLE.items()},
        by_name(REPLACED_WHOLE, lambda day: day.logical_bytes),
    )


def measured(days: dict[History, Day]) -> tuple[Day, tuple[History, Day], tuple[History, Day]]:
    sizes = sorted({history.reviews for history in days})
    longest = [max(history for history in days if history.reviews == size) for size in (sizes[0], sizes[-1])]
    return days[History(1, sizes[0])], (longest[0], days[longest[0]]), (longest[1], days[longest[1]])


def publish(days: dict[History, Day], machine: dict[str, str]) -> None:
    """Write docs/costs.md. Needs days of two sizes, and the second day of the smaller."""
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
    largest = [("reviews a day", "largest statement", "GB"), *_largest(day)]
    lines = [("", "fixed", "for each review of a day", "for each review of history"), *_rows(day)]
    names = [
        f"{history.text()} reviews, as many logs, a fifth as many purchase lines"
        for history, _ in measured(days)[1:]
    ]
    page = template_in(TEMPLATE).render(
        globals(),
        machine=machine,
        costs=table(costs),
        largest=table(largest),
        lines=table(lines),
        measured_days=names,
        estimate=day,
    )
    DOCUMENT.write_text(page, encoding="utf-8")


def _largest(day: Estimate) -> list[tuple[str, str, str]]:
    found = [(reviews, *day.largest(reviews)) for reviews in REVIEWS_A_DAY]
    return [(f"{reviews:,}", name, f"{size / 1e9:,.1f}") for reviews, name, size in found]


def _rows(day: Estimate) -> list[tuple[str, str, str, str]]:
    time, staged, stored = day.node_seconds, day.staged, day.stored
    return [
        (
            "seconds of all nodes",
            f"{time.fixed:.1f} s",
            f"{time.per_review * 1e6:.1f} µs",
            f"{time.per_past_review * 1e9:.1f} ns",
        ),
        *(
            (
                what,
                f"{read.fixed / 1e6:.1f} MB",
                f"{read.per_review:,.0f} bytes",
                f"{read.per_past_review:.1f} bytes",
            )
            for what, read in (
                ("bytes read, without the tables below", day.bytes_read),
                *(
                    (f"{node} of {READ_WHOLE[node]}, as BigQuery counts", table)
                    for node, table in day.read_whole.items()
                ),
                ("bytes that a verification reads", day.verified),
            )
        ),
        ("staging, each day", f"{staged.fixed / 1e6:.2f} MB", f"{staged.per_review:,.0f} bytes", ""),
        (
            "the warehouse's file, each day",
            f"{stored.fixed / 1e6:.2f} MB",
            f"{stored.per_review:,.0f} bytes",
            "",
        ),
    ]
