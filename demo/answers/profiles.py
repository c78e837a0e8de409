"""What a right pipeline says about each customer of a sample: user_profile, customer_cohort_retention and user_segment_history.

    profiles_for(delivered, days)   # {"user_profile": [...], "customer_cohort_retention": [...], "user_segment_history": [...]}

Computed from what the generator knows it has delivered, as the answers are (demo/answers/marts.py); rows are dicts with
the tables' columns, figures are exact (int, Decimal), dates are dates. What each column means is said in the project's docs
(dbt_project/models/docs/customers.md).
"""

import calendar
import datetime
import math
import statistics
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from demo.answers.marts import Row, belongs, browser_of, location_of, log_order, review_order, winners
from demo.feeds.deliveries import Deliveries, Log, Purchase
from demo.feeds.states import region_of

# A row for each recency score from 5 to 1, in it a segment for each value score from 1 to 5.
SEGMENTS = (
    ("New customers", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
    ("Promising", "Potential loyalists", "Potential loyalists", "Loyal customers", "Champions"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal customers", "Loyal customers"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "At risk"),
    ("Lost", "Lost", "At risk", "Cannot lose them", "Cannot lose them"),
)
# What the shop books under these is no article.
NO_ARTICLES = (
    *("POST", "DOT", "C2", "M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"),
    *(f"GIFT_0001_{amount}" for amount in (10, 20, 30, 40, 50)),
)
Ranked = TypeVar("Ranked", int, datetime.date)
Z = Decimal("1.959963984540054")


class Written(NamedTuple):
    """A review that counts, with what is known about it."""

    customer_id: int
    positive_review: int
    review_date: datetime.date
    # whatever it says: review_date is not after the delivery
    log_date: datetime.date | None = None
    device: str | None = None
    os: str | None = None
    browser: str | None = None
    location: str | None = None
    region: str | None = None
    season: str | None = None
    weekday: str | None = None


class Invoice(NamedTuple):
    day: datetime.date
    gross: int  # thousandths
    returned: int
    credited: int
    items: int


def profiles_for(
    delivered: Deliveries,
    days: Iterable[datetime.date] | None = None,
    as_of: datetime.date | None = None,
) -> dict[str, list[Row]]:
    """The tables when exactly `days` (default: all) are run; `as_of` as the var as_of_date."""
    run = sorted(set(delivered.days if days is None else days))
    purchases = [
        line for line in delivered.purchases if line.insert_date in run and line.customer_id is not None
    ]
    reviews = winners((review for review in delivered.reviews if review.insert_date in run), review_order)
    logs = winners((log for log in delivered.logs if log.insert_date in run), log_order)
    written = [
        written_on(
            review.customer_id,
            review.positive_review,
            review.insert_date,
            log if belongs(log, review) else None,
        )
        for review_id, review in reviews.items()
        if review.customer_id is not None
        for log in [logs.get(review_id)]
    ]
    return tables(purchases, written, as_of or max(run))


def written_on(customer_id: int, positive: int, insert_date: datetime.date, log: Log | None) -> Written:
    if log is None:
        return Written(customer_id, positive, insert_date)
    location = location_of(log)
    return Written(
        customer_id, positive, min(log.log_date, insert_date), log.log_date, log.device, log.os, browser_of(log), location, region_of(location),
        ("Winter", "Spring", "Summer", "Fall")[log.log_date.month % 12 // 3], f"{log.log_date:%A}",
    )  # fmt: skip


def tables(purchases: list[Purchase], reviews: list[Written], as_of: datetime.date) -> dict[str, list[Row]]:
    profiles, invoices_of = profiles_as_of(purchases, reviews, as_of)
    active = [line.invoiced_at.date() for line in purchases] + [review.review_date for review in reviews]
    ends = sorted({_end_of_month(day) for day in active if _end_of_month(day) <= as_of})
    return {
        "user_profile": profiles,
        "customer_cohort_retention": _cohorts(invoices_of),
        "user_segment_history": [
            {
                column: row[column]
                for column in ("customer_id", "as_of_date", "rfm_segment", "spend_sentiment_quadrant")
            }
            for end in ends
            for row in profiles_as_of(purchases, reviews, end)[0]
        ],
    }


def profiles_as_of(
    purchases: list[Purchase], reviews: list[Written], as_of: datetime.date
) -> tuple[list[Row], dict[int, list[Invoice]]]:
    """The profiles of a day, from nothing that came after it; and the invoices by then."""
    lines_of: defaultdict[int, list[Purchase]] = defaultdict(list)
    reviews_of: defaultdict[int, list[Written]] = defaultdict(list)
    for line in purchases:
        if line.customer_id is not None and line.invoiced_at.date() <= as_of:
            lines_of[line.customer_id].append(line)
    for review in reviews:
        if review.review_date <= as_of:
            reviews_of[review.customer_id].append(review)
    invoices_of = {customer: _invoices(lines) for customer, lines in lines_of.items()}
    scores = _scores(invoices_of)
    quadrants = _quadrants(invoices_of, reviews_of)
    return [
        {
            "customer_id": customer,
            "as_of_date": as_of,
            **_times(invoices_of.get(customer, []), reviews_of[customer], as_of),
            **_countries(lines_of[customer]),
            **_money(invoices_of.get(customer, []), lines_of[customer], as_of),
            **scores.get(customer, _NO_SCORES),
            **_reviews(reviews_of[customer]),
            "spend_sentiment_quadrant": quadrants.get(customer),
            **_completeness(invoices_of.get(customer, []), lines_of[customer], reviews_of[customer]),
        }
        for customer in sorted(lines_of.keys() | reviews_of.keys())
    ], invoices_of


def _end_of_month(day: datetime.date) -> datetime.date:
    return datetime.date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])


def is_article(line: Purchase) -> bool:
    return line.stock_code.upper() not in NO_ARTICLES


def _invoices(lines: list[Purchase]) -> list[Invoice]:
    by_number = defaultdict(list)
    for line in lines:
        by_number[line.invoice_number].append(line)
    return [
        Invoice(
            min(line.invoiced_at for line in lines).date(),
            sum(line.thousandths for line in lines if line.thousandths > 0),
            -sum(line.thousandths for line in lines if line.thousandths < 0 and is_article(line)),
            -sum(line.thousandths for line in lines if line.thousandths < 0 and not is_article(line)),
            sum(line.quantity for line in lines if line.thousandths > 0 and is_article(line)),
        )
        for lines in by_number.values()
    ]


def _times(invoices: list[Invoice], reviews: list[Written], as_of: datetime.date) -> Row:
    bought, wrote = {invoice.day for invoice in invoices}, {review.review_date for review in reviews}
    ordered = {invoice.day for invoice in invoices if invoice.gross > 0}
    active = bought | wrote
    ages = [(as_of - day).days for day in active]
    return {
        "first_invoice_date": min(bought, default=None),
        "last_invoice_date": max(bought, default=None),
        "first_order_date": min(ordered, default=None),
        "last_order_date": max(ordered, default=None),
        "first_review_date": min(wrote, default=None),
        "last_review_date": max(wrote, default=None),
        "tenure_days": max(ages),
        "days_since_last_invoice": (as_of - max(bought)).days if bought else None,
        "days_since_last_order": (as_of - max(ordered)).days if ordered else None,
        "days_since_last_review": (as_of - max(wrote)).days if wrote else None,
        **{f"active_days_{days}": sum(0 <= age < days for age in ages) for days in (7, 30, 365)},
    }


def _countries(lines: list[Purchase]) -> Row:
    latest = max((line.invoiced_at for line in lines), default=None)
    return {
        "country": min((line.country for line in lines if line.invoiced_at == latest), default=None),
        "country_count": len({line.country for line in lines}),
    }


def _money(invoices: list[Invoice], lines: list[Purchase], as_of: datetime.date) -> Row:
    orders = [invoice.gross for invoice in invoices if invoice.gross > 0]
    gross, returned = sum(orders), sum(invoice.returned for invoice in invoices)
    credited = sum(invoice.credited for invoice in invoices)
    products: Counter[str] = Counter()
    for line in lines:
        if line.thousandths > 0 and is_article(line):
            products[line.stock_code] += line.thousandths

    def net(days: int) -> int:
        return _net([invoice for invoice in invoices if (as_of - invoice.day).days < days])

    return {
        "gross_amount": _amount(gross),
        "return_amount": _amount(returned),
        "other_credit_amount": _amount(credited),
        "amount_spent": _amount(gross - returned - credited),
        "return_rate": _rounded(Fraction(returned, gross)) if gross else None,
        "invoice_count": len(invoices),
        "order_count": len(orders),
        "return_count": sum(invoice.returned > 0 for invoice in invoices),
        "item_count": sum(invoice.items for invoice in invoices),
        "average_basket": _rounded(Fraction(gross, 1000 * len(orders))) if orders else None,
        "median_basket": _rounded(statistics.median(map(Fraction, orders)) / 1000) if orders else None,
        "top_product": min(products, key=lambda code: (-products[code], code), default=None),
        **{f"amount_spent_{days}_days": _amount(net(days)) for days in (30, 90, 365)},
    }


_NO_SCORES: Row = {
    **dict.fromkeys(("recency_score", "frequency_score", "monetary_score", "value_score")),
    "rfm_segment": "No order",
    "is_at_risk": False,
}


def _scores(invoices_of: dict[int, list[Invoice]]) -> dict[int, Row]:
    orders_of = {
        customer: orders
        for customer, invoices in invoices_of.items()
        if (orders := [invoice for invoice in invoices if invoice.gross > 0])
    }
    recency = _parts(
        {customer: max(order.day for order in orders) for customer, orders in orders_of.items()}, 5
    )
    frequency = _parts({customer: len(orders) for customer, orders in orders_of.items()}, 5)
    monetary = _parts({customer: _net(invoices_of[customer]) for customer in orders_of}, 5)
    scores = {}
    for customer in orders_of:
        value = math.floor(Fraction(frequency[customer] + monetary[customer], 2) + Fraction(1, 2))
        segment = SEGMENTS[5 - recency[customer]][value - 1]
        scores[customer] = {
            "recency_score": recency[customer],
            "frequency_score": frequency[customer],
            "monetary_score": monetary[customer],
            "value_score": value,
            "rfm_segment": segment,
            "is_at_risk": segment in ("At risk", "Cannot lose them"),
        }
    return scores


def _net(invoices: list[Invoice]) -> int:
    return sum(invoice.gross - invoice.returned - invoice.credited for invoice in invoices)


def _parts(values: dict[int, Ranked], parts: int) -> dict[int, int]:
    """For each customer, which of so many equal parts their value falls into; equal values fall into the same."""
    ordered = sorted(values.values())
    middles = {
        customer: Fraction(bisect_left(ordered, value) + bisect_right(ordered, value), 2)
        for customer, value in values.items()
    }
    return {customer: 1 + math.floor(parts * middle / len(ordered)) for customer, middle in middles.items()}


def _quadrants(invoices_of: dict[int, list[Invoice]], reviews_of: dict[int, list[Written]]) -> dict[int, str]:
    halves = _parts({customer: _net(invoices) for customer, invoices in invoices_of.items()}, 2)
    every = [review.positive_review for reviews in reviews_of.values() for review in reviews]
    quadrants = {}
    for customer in halves.keys() & {customer for customer, reviews in reviews_of.items() if reviews}:
        own = [review.positive_review for review in reviews_of[customer]]
        is_positive = Fraction(sum(own), len(own)) >= Fraction(sum(every), len(every))
        size = "big" if halves[customer] == 2 else "small"
        quadrants[customer] = f"{size} spender, {'positive' if is_positive else 'not positive'}"
    return quadrants


def _reviews(reviews: list[Written]) -> Row:
    score, count = sum(review.positive_review for review in reviews), len(reviews)
    dates = [review.review_date for review in reviews]
    between = Fraction((max(dates) - min(dates)).days, count - 1) if count > 1 else None
    return {
        "review_count": count,
        "review_score": score,
        "positive_share": _rounded(Fraction(score, count)) if count else None,
        "positive_share_lower_bound": wilson_lower_bound(score, count) if count else None,
        "days_between_reviews": None if between is None else _rounded(between),
        **{
            column: value
            for kind in ("device", "os", "browser", "location", "region", "season", "weekday")
            for column, value in _favourite(reviews, kind).items()
        },
        "device_count": len({review.device for review in reviews} - {None}),
        "location_count": len({review.location for review in reviews} - {None}),
    }


def wilson_lower_bound(positive: int, total: int) -> Decimal:
    """Of Wilson's 95 % score interval, in its textbook form, with fifty digits."""
    exact = Context(prec=50)
    p, n = exact.divide(Decimal(positive), Decimal(total)), Decimal(total)
    root = exact.sqrt(exact.add(exact.divide(p * (1 - p), n), exact.divide(Z * Z, 4 * n * n)))
    centre = exact.add(p, exact.divide(Z * Z, 2 * n))
    bound = exact.divide(exact.subtract(centre, exact.multiply(Z, root)), 1 + exact.divide(Z * Z, n))
    return bound.quantize(Decimal("0.00001"), ROUND_HALF_UP)


def _favourite(reviews: list[Written], kind: str) -> Row:
    used = defaultdict(list)
    for review in reviews:
        if (choice := getattr(review, kind)) is not None:
            used[choice].append(review.log_date or review.review_date)
    favourite = min(
        used, key=lambda choice: (-len(used[choice]), -max(used[choice]).toordinal(), choice), default=None
    )
    return {f"favourite_{kind}": favourite, f"favourite_{kind}_reviews": len(used.get(favourite, ()))}


def _completeness(invoices: list[Invoice], lines: list[Purchase], reviews: list[Written]) -> Row:
    known = (
        any(invoice.gross > 0 for invoice in invoices),
        bool(reviews),
        any(review.device for review in reviews),
        any(review.location for review in reviews),
        _countries(lines)["country"] not in (None, "Unspecified"),
    )
    return {"profile_completeness": _rounded(Fraction(sum(known), 5))}


def _cohorts(invoices_of: dict[int, list[Invoice]]) -> list[Row]:
    days = [invoice.day for invoices in invoices_of.values() for invoice in invoices]
    members = defaultdict(list)
    for customer, invoices in invoices_of.items():
        if orders := [_month(invoice.day) for invoice in invoices if invoice.gross > 0]:
            members[min(orders)].append(customer)
    rows = []
    for cohort, customers in sorted(members.items()):
        for month in range(cohort, _month(max(days)) + 1):
            in_month = {
                customer: [invoice for invoice in invoices_of[customer] if _month(invoice.day) == month]
                for customer in customers
            }
            active = sum(any(invoice.gross > 0 for invoice in invoices) for invoices in in_month.values())
            rows.append(
                {
                    "cohort_month": datetime.date(cohort // 12, cohort % 12 + 1, 1),
                    "months_since_first": month - cohort,
                    "active_month": datetime.date(month // 12, month % 12 + 1, 1),
                    "is_complete": month < _month(max(days)) or max(days) == _end_of_month(max(days)),
                    "is_left_censored": cohort == _month(min(days)),
                    "customer_count": len(customers),
                    "active_customer_count": active,
                    "retention": _rounded(Fraction(active, len(customers))),
                    "amount_spent": _amount(sum(map(_net, in_month.values()))),
                    "order_count": sum(
                        invoice.gross > 0 for invoices in in_month.values() for invoice in invoices
                    ),
                }
            )
    return rows


def _month(day: datetime.date) -> int:
    return 12 * day.year + day.month - 1


def _amount(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


def _rounded(value: Fraction) -> Decimal:
    """Five decimals, rounded half up; the value is not negative."""
    return Decimal(math.floor(value * 100_000 + Fraction(1, 2))).scaleb(-5)
