"""Holds the marts of a DuckDB warehouse against a sample's right answers.

    python -m demo.answers.check data/demo/warehouse.duckdb data/demo/answers.json

The answers come from the generator (demo/answers/marts.py), which shares nothing with the pipeline.
"""

import argparse
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Answers = dict[str, Any]
Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]

USER_BEHAVIOR_METRIC = """
select customer_id, cast(insert_date as varchar), amount_spent, review_score, review_count
from analytics_marts.user_behavior_metric
"""

FACT = """
select
    cast(fact.insert_date as varchar), fact.customer_id, cast(dim_date.log_date as varchar),
    case when fact.id_dim_devices <> -1 then dim_devices.device end,
    case when fact.id_dim_location <> -1 then dim_location.location end,
    case when fact.id_dim_os <> -1 then dim_os.os end,
    case when fact.id_dim_browser <> -1 then dim_browser.browser end,
    dim_browser.is_derived,
    fact.review_count, fact.review_score, fact.amount_spent
from analytics_marts.fact_movie_analytics as fact
join analytics_marts.dim_date using (id_dim_date)
join analytics_marts.dim_devices using (id_dim_devices)
join analytics_marts.dim_location using (id_dim_location)
join analytics_marts.dim_os using (id_dim_os)
join analytics_marts.dim_browser using (id_dim_browser)
"""

LEDGER_FIGURES = [
    "is_delivered",
    *(
        f"records_{what}"
        for what in ("delivered", "quarantined", "staged", "in_marts", "duplicate", "unattributable")
    ),
    *(f"amount_{what}" for what in ("staged", "in_marts", "unattributable")),
]

REJECTIONS = """
select table_name, cast(insert_date as varchar), rejection_reason, rejected_records
from analytics_staging.stg_rejection
"""


def differences(warehouse: str | Path, answers: Answers) -> list[str]:
    """Where the warehouse differs from the answers, one line each; an empty list if all is right."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:

        def query(sql: str) -> Rows:
            return connection.execute(sql).fetchall()

        return [
            *_compare("user_behavior_metric", *_user_behavior_metric(query, answers)),
            *_compare("fact_movie_analytics", *_fact(query, answers)),
            *_unfair_shares(query, answers),
            *_compare("ledger", *_ledger(query, answers)),
            *_compare("quarantine", *_quarantine(query, answers)),
        ]


def _compare(table: str, found: Rows, expected: Rows) -> list[str]:
    """Whether both lists hold the same rows equally often; names the first few that differ."""
    found, expected = sorted(found, key=repr), sorted(expected, key=repr)
    if found == expected:
        return []
    surplus, missing = list(found), []
    for row in expected:
        if row in surplus:
            surplus.remove(row)
        else:
            missing.append(row)
    return [
        f"{table}: {len(found)} rows, {len(expected)} expected",
        *(f"{table}: missing {row}" for row in missing[:5]),
        *(f"{table}: surplus {row}" for row in surplus[:5]),
    ]


def _user_behavior_metric(query: Query, answers: Answers) -> tuple[Rows, Rows]:
    columns = ("customer_id", "insert_date", "amount_spent", "review_score", "review_count")
    expected = [
        tuple(Decimal(row[c]) if c == "amount_spent" else row[c] for c in columns)
        for row in answers["user_behavior_metric"]
    ]
    # Decimals of another scale are equal but print differently: one scale for both.
    return (
        [
            (customer, day, amount.normalize(), *counts)
            for customer, day, amount, *counts in query(USER_BEHAVIOR_METRIC)
        ],
        [(customer, day, amount.normalize(), *counts) for customer, day, amount, *counts in expected],
    )


def _fact(query: Query, answers: Answers) -> tuple[Rows, Rows]:
    columns = (
        "insert_date", "customer_id", "log_date", "device", "location", "os", "browser", "is_browser_derived",
        "review_count", "review_score",
    )  # fmt: skip
    return (
        [row[:-1] for row in query(FACT)],
        [tuple(row[column] for column in columns) for row in answers["fact_movie_analytics"]],
    )


def _unfair_shares(query: Query, answers: Answers) -> list[str]:
    bounds = {
        tuple(row[c] for c in ("insert_date", "customer_id", "log_date", "device", "location", "os", "browser", "is_browser_derived")):
        (Decimal(row["amount_spent_min"]), Decimal(row["amount_spent_max"]))
        for row in answers["fact_movie_analytics"]
    }  # fmt: skip
    unfair = []
    for *grain, _, _, amount in query(FACT):
        least, most = bounds.get(tuple(grain), (amount, amount))
        if not least <= amount <= most:
            unfair.append(f"fact_movie_analytics: {amount} is no fair share ({least} to {most}) of {grain}")
    return unfair[:5]


def _ledger(query: Query, answers: Answers) -> tuple[Rows, Rows]:
    figures = ", ".join(LEDGER_FIGURES)
    found = query(
        f"select table_name, cast(insert_date as varchar), {figures} from analytics_marts.ledger"  # noqa: S608 - our names
    )
    expected = [
        (row["table_name"], row["insert_date"], *(row[figure] for figure in LEDGER_FIGURES))
        for row in answers["ledger"]
    ]
    return [_plain(row) for row in found], [_plain(row) for row in expected]


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Money as plain decimals; no money is zero money."""
    money = len(row) - 3
    return (*row[:money], *(Decimal(value or 0).normalize() for value in row[money:]))


def _quarantine(query: Query, answers: Answers) -> tuple[Rows, Rows]:
    return query(REJECTIONS), [
        (row["table_name"], row["insert_date"], row["reason"], row["records"])
        for row in answers["quarantine"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.answers.check",
        description="Compare the marts of a DuckDB warehouse with a sample's right answers.",
    )
    parser.add_argument("warehouse", help="the DuckDB file")
    parser.add_argument("answers", help="answers.json of the sample")
    arguments = parser.parse_args()
    answers = json.loads(Path(arguments.answers).read_text(encoding="utf-8"))
    wrong = differences(arguments.warehouse, answers)
    for line in wrong:
        print(line)
    if wrong:
        sys.exit("error: the warehouse differs from the sample's right answers")
    print(
        f"all right: {len(answers['fact_movie_analytics']):,} fact rows, "
        f"{len(answers['user_behavior_metric']):,} customer days and {len(answers['ledger'])} ledger rows "
        "equal the sample's right answers"
    )


if __name__ == "__main__":
    main()
