"""What the generator knows that it has delivered: the only basis of the answers."""

import datetime
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

PURCHASES, REVIEWS, LOGS = "user_purchase", "classified_movie_review", "review_logs"


class Review(NamedTuple):
    insert_date: datetime.date
    review_id: int
    customer_id: int | None
    positive_review: int


class Log(NamedTuple):
    """The values that are meant: trimmed, None where blank or missing, locations in the vendor's spelling."""

    insert_date: datetime.date
    log_id: int
    log_date: datetime.date
    device: str | None
    os: str | None
    location: str | None
    browser: str | None


class Purchase(NamedTuple):
    """A line of an invoice; its amount, quantity × unit price, in thousandths."""

    insert_date: datetime.date
    customer_id: int | None
    invoice_number: str
    stock_code: str
    country: str
    invoiced_at: datetime.datetime
    quantity: int
    thousandths: int


@dataclass
class Deliveries:
    """All sound records, and how many of the others there are for which reason.

    Purchases are kept line by line and as sums by (insert_date, customer_id), amounts in thousandths; customer_id may be
    None.
    """

    days: list[datetime.date]
    reviews: list[Review] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    purchase_lines: Counter[tuple[datetime.date, int | None]] = field(default_factory=Counter)
    purchase_thousandths: Counter[tuple[datetime.date, int | None]] = field(default_factory=Counter)
    # by (table_name, insert_date, reason)
    quarantined: Counter[tuple[str, datetime.date, str]] = field(default_factory=Counter)
    # (table_name, insert_date)
    not_delivered: set[tuple[str, datetime.date]] = field(default_factory=set)

    def purchase(self, day: datetime.date, customer_id: int | None, thousandths: int) -> None:
        self.purchase_lines[day, customer_id] += 1
        self.purchase_thousandths[day, customer_id] += thousandths

    def quarantine(self, table: str, day: datetime.date, reason: str, records: int = 1) -> None:
        self.quarantined[table, day, reason] += records
