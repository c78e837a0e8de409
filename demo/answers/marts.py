"""What a right pipeline makes of a sample, computed from what the generator knows it has delivered.

`answers_for(delivered, days)` returns, and answers.json holds, an object with these parts. Dates are ISO
texts, amounts are decimals as texts, a NULL is null.

- `days`: the days that were run. Only what they deliver counts: a log or a repeat on another day is as if not
  there.
- `user_behavior_metric`: customer_id, insert_date, amount_spent, review_score, review_count.
- `fact_movie_analytics`: insert_date, customer_id, log_date, device, location (spelt correctly), os, browser,
  is_browser_derived, review_count, review_score, amount_spent_min, amount_spent_max. Values that no dimension
  may know ("SmartTV") stay as they are. Reviews without a log have nulls, as has the one row of a customer
  who bought and wrote nothing (0 reviews); a null browser is not derived. amount_spent must lie in [min,
  max], which is the fair share give or take 0.00001 x review_count, and must add up to user_behavior_metric's
  amount_spent to the last digit.
- `ledger`: table_name, insert_date, is_delivered, records_delivered = records_staged + records_quarantined,
  records_staged = records_in_marts + records_duplicate + records_unattributable; amount_staged,
  amount_in_marts, amount_unattributable (null but for user_purchase).
- `quarantine`: table_name, insert_date, reason, records.
- `questions`: the five questions of the business over the whole fact, see `_questions`.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from demo.feeds.deliveries import LOGS, PURCHASES, REVIEWS, Deliveries, Log, Review
from demo.feeds.plan import LOOKBACK_DAYS
from demo.feeds.states import STATES, VENDOR_SPELLING, WEST

Row = dict[str, Any]
Record = TypeVar("Record", Review, Log)
_CustomerDay = tuple[datetime.date, int]
_Attributes = tuple[datetime.date | None, str | None, str | None, str | None, str | None, bool]

_CORRECT_SPELLING: dict[str | None, str] = {wrong: right for right, wrong in VENDOR_SPELLING.items()}
_BROWSER_OF: dict[str | None, str] = {
    "Linux": "Firefox",
    "Google Android": "Chrome",
    "Apple iOS": "Safari",
    "Apple MacOS": "Safari",
    "Microsoft Windows": "Edge",
}
_QUESTION_STATES = ("California", "New York", "Texas")
_APPLE = ("Apple iOS", "Apple MacOS")


def answers_for(delivered: Deliveries, days: Iterable[datetime.date] | None = None) -> dict[str, Any]:
    """The answers when exactly `days` (default: all) are run. ValueError for a day not in the sample."""
    run = sorted(set(delivered.days if days is None else days))
    if unknown := set(run) - set(delivered.days):
        raise ValueError(f"the sample has no {', '.join(map(str, sorted(unknown)))}")
    reviews = winners((review for review in delivered.reviews if review.insert_date in run), review_order)
    logs = winners((log for log in delivered.logs if log.insert_date in run), log_order)
    attributable = {
        review_id: review for review_id, review in reviews.items() if review.customer_id is not None
    }
    joined = {log_id: log for log_id, log in logs.items() if belongs(log, attributable.get(log_id))}

    amounts = {key: amount for key, amount in _bought(delivered) if key[0] in run}
    totals = _customer_days(attributable, amounts)
    fact = _fact(attributable, joined, totals)
    return {
        "days": [str(day) for day in run],
        "user_behavior_metric": [
            {
                "customer_id": customer,
                "insert_date": str(day),
                "amount_spent": _amount(thousandths),
                "review_score": score,
                "review_count": count,
            }
            for (day, customer), (thousandths, score, count) in sorted(totals.items())
        ],
        "fact_movie_analytics": fact,
        "ledger": [
            *(_purchases_of_day(delivered, day) for day in run),
            *_records_by_day(delivered, run, REVIEWS, delivered.reviews, reviews, attributable),
            *_records_by_day(delivered, run, LOGS, delivered.logs, logs, joined),
        ],
        "quarantine": [
            {"table_name": table, "insert_date": str(day), "reason": reason, "records": records}
            for (table, day, reason), records in sorted(delivered.quarantined.items())
            if day in run
        ],
        "questions": _questions(fact),
    }


def winners(records: Iterable[Record], order: Callable[[Record], tuple[Any, ...]]) -> dict[int, Record]:
    """Of all records with the same id the first in order, by id."""
    winners: dict[int, Record] = {}
    for record in records:
        rival = winners.get(record[1])
        if rival is None or order(record) < order(rival):
            winners[record[1]] = record
    return winners


def review_order(review: Review) -> tuple[Any, ...]:
    without_customer = review.customer_id is None
    return review.insert_date, without_customer, review.customer_id or 0, -review.positive_review


def log_order(log: Log) -> tuple[Any, ...]:
    return log.insert_date, log.log_date, *_nulls_last((log.device, log.os, log.location, log.browser))


def belongs(log: Log | None, review: Review | None) -> bool:
    return (
        log is not None
        and review is not None
        and (log.insert_date - review.insert_date).days <= LOOKBACK_DAYS
    )


def _bought(delivered: Deliveries) -> Iterable[tuple[_CustomerDay, int]]:
    return (
        ((day, customer), amount)
        for (day, customer), amount in delivered.purchase_thousandths.items()
        if customer is not None
    )


def _customer_days(
    attributable: dict[int, Review], amounts: dict[_CustomerDay, int]
) -> dict[_CustomerDay, tuple[int, int, int]]:
    """(insert_date, customer_id) -> amount in thousandths, review_score, review_count."""
    scores: Counter[_CustomerDay] = Counter()
    counts: Counter[_CustomerDay] = Counter()
    for review in attributable.values():
        scores[_customer_day(review)] += review.positive_review
        counts[_customer_day(review)] += 1
    return {key: (amounts.get(key, 0), scores[key], counts[key]) for key in amounts.keys() | counts.keys()}


def _customer_day(review: Review) -> _CustomerDay:
    if review.customer_id is None:
        raise ValueError(f"review {review.review_id} has no customer")
    return review.insert_date, review.customer_id


def _fact(
    attributable: dict[int, Review],
    joined: dict[int, Log],
    totals: dict[_CustomerDay, tuple[int, int, int]],
) -> list[Row]:
    counts: Counter[tuple[_CustomerDay, _Attributes]] = Counter()
    scores: Counter[tuple[_CustomerDay, _Attributes]] = Counter()
    for review in attributable.values():
        grain = (_customer_day(review), _attributes(joined.get(review.review_id)))
        counts[grain] += 1
        scores[grain] += review.positive_review
    for (day, customer), (_, _, count) in totals.items():
        if count == 0:
            counts[(day, customer), _attributes(None)] = 0
    rows = []
    for grain in sorted(counts, key=lambda grain: (grain[0], _nulls_last(grain[1]))):
        (day, customer), (log_date, device, location, os, browser, derived) = grain
        thousandths, _, customer_count = totals[day, customer]
        least, most = _fair_share(thousandths, counts[grain], customer_count)
        rows.append(
            {
                "insert_date": str(day),
                "customer_id": customer,
                "log_date": log_date and str(log_date),
                "device": device,
                "location": location,
                "os": os,
                "browser": browser,
                "is_browser_derived": derived,
                "review_count": counts[grain],
                "review_score": scores[grain],
                "amount_spent_min": least,
                "amount_spent_max": most,
            }
        )
    return rows


def _nulls_last(values: Sequence[object]) -> list[tuple[bool, Any]]:
    return [(value is None, "" if value is None else value) for value in values]


def _attributes(log: Log | None) -> _Attributes:
    """log_date, device, location, os, browser, is_browser_derived."""
    if log is None:
        return None, None, None, None, None, False
    browser = browser_of(log)
    is_derived = browser is not None and log.browser is None
    return log.log_date, log.device, location_of(log), log.os, browser, is_derived


def location_of(log: Log) -> str | None:
    return _CORRECT_SPELLING.get(log.location, log.location)


def browser_of(log: Log) -> str | None:
    return log.browser or _BROWSER_OF.get(log.os)


def _fair_share(thousandths: int, count: int, customer_count: int) -> tuple[str, str]:
    """The least and the most that a row with `count` of the customer's reviews may get."""
    if count == customer_count:
        return _amount(thousandths), _amount(thousandths)
    scaled = thousandths * count * 10_000  # in units of 0.0000001, of which the tolerance is 100 a review
    least, most = scaled // customer_count - 100 * count, -(-scaled // customer_count) + 100 * count
    return str(Decimal(least).scaleb(-7)), str(Decimal(most).scaleb(-7))


def _amount(thousandths: int) -> str:
    return str(Decimal(thousandths).scaleb(-3))


def _purchases_of_day(delivered: Deliveries, day: datetime.date) -> Row:
    lines = {customer: n for (of_day, customer), n in delivered.purchase_lines.items() if of_day == day}
    amounts = {
        customer: n for (of_day, customer), n in delivered.purchase_thousandths.items() if of_day == day
    }
    nobodys_lines, nobodys_amount = lines.get(None, 0), amounts.get(None, 0)
    staged, amount = sum(lines.values()), sum(amounts.values())
    return {
        **_ledger_row(delivered, PURCHASES, day, staged, staged - nobodys_lines, 0),
        "amount_staged": _amount(amount),
        "amount_in_marts": _amount(amount - nobodys_amount),
        "amount_unattributable": _amount(nobodys_amount),
    }


def _records_by_day(
    delivered: Deliveries,
    run: list[datetime.date],
    table: str,
    records: list[Record],
    winners: dict[int, Record],
    in_marts: dict[int, Record],
) -> list[Row]:
    staged = Counter(record.insert_date for record in records)
    won = Counter(record.insert_date for record in winners.values())
    kept = Counter(record.insert_date for record in in_marts.values())
    no_amounts = dict.fromkeys(("amount_staged", "amount_in_marts", "amount_unattributable"))
    return [
        {**_ledger_row(delivered, table, day, staged[day], kept[day], staged[day] - won[day]), **no_amounts}
        for day in run
    ]


def _ledger_row(
    delivered: Deliveries, table: str, day: datetime.date, staged: int, in_marts: int, duplicate: int
) -> Row:
    quarantined = sum(
        n for (name, of_day, _), n in delivered.quarantined.items() if (name, of_day) == (table, day)
    )
    return {
        "table_name": table,
        "insert_date": str(day),
        "is_delivered": (table, day) not in delivered.not_delivered,
        "records_delivered": staged + quarantined,
        "records_quarantined": quarantined,
        "records_staged": staged,
        "records_in_marts": in_marts,
        "records_duplicate": duplicate,
        "records_unattributable": staged - in_marts - duplicate,
    }


def _questions(fact: list[Row]) -> dict[str, Any]:
    """The five questions. Every figure is a number of reviews, every `most` and `fewest` a list (of ties).

    - `reviews_by_state`: California, New York and Texas.
    - `apple_reviews_by_state`, `apple_reviews_by_state_and_device`, `reviews_by_state_and_device`: the same
      states, on Apple iOS or Apple MacOS, and by device type ("" where the log names none).
    - `computer_chrome_reviews_by_location` and `..._most`: device Computer, browser Chrome, any location that
      is known.
    - `reviews_by_state_in_2021`, `..._most`, `..._fewest`: the fifty states by log_date; states without a
      review are not among the fewest.
    - `reviews_by_device_east`, `..._west` and `..._most`: west is the Census region West, east all other
      states.
    """

    def reviews(*columns: str, where: Callable[[Row], object]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for row in fact:
            if row["review_count"] and where(row):
                counts[" / ".join(row[column] or "" for column in columns)] += row["review_count"]
        return dict(sorted(counts.items()))

    def asked(row: Row) -> bool:
        return row["location"] in _QUESTION_STATES

    def apple(row: Row) -> bool:
        return asked(row) and row["os"] in _APPLE

    chrome = reviews(
        "location",
        where=lambda row: row["location"] and (row["device"], row["browser"]) == ("Computer", "Chrome"),
    )
    in_2021 = reviews(
        "location", where=lambda row: row["location"] in STATES and row["log_date"].startswith("2021-")
    )
    west = reviews("device", where=lambda row: row["device"] and row["location"] in WEST)
    east = reviews(
        "device",
        where=lambda row: row["device"] and row["location"] in STATES and row["location"] not in WEST,
    )
    return {
        "reviews_by_state": reviews("location", where=asked),
        "apple_reviews_by_state": reviews("location", where=apple),
        "apple_reviews_by_state_and_device": reviews("location", "device", where=apple),
        "reviews_by_state_and_device": reviews("location", "device", where=asked),
        "computer_chrome_reviews_by_location": chrome,
        "computer_chrome_reviews_most": _keys_of(max, chrome),
        "reviews_by_state_in_2021": in_2021,
        "reviews_by_state_in_2021_most": _keys_of(max, in_2021),
        "reviews_by_state_in_2021_fewest": _keys_of(min, in_2021),
        "reviews_by_device_east": east,
        "reviews_by_device_east_most": _keys_of(max, east),
        "reviews_by_device_west": west,
        "reviews_by_device_west_most": _keys_of(max, west),
    }


def _keys_of(choose: Callable[[Iterable[int]], int], counts: dict[str, int]) -> list[str]:
    return [key for key, count in counts.items() if count == choose(counts.values())]
