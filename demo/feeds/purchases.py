"""The shop's user_purchase.csv: invoice lines in the order of time, in the exact form of the shop's export.

Header, CRLF, quotes only where needed, dates as `M/d/yyyy H:mm`, empty fields for NULL. Amounts are kept as
whole thousandths, so that sums are exact.
"""

import csv
import datetime
import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from demo.feeds.deliveries import PURCHASES, Deliveries, Purchase
from demo.feeds.plan import Plan, calendar_of_oddities

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
HISTORY_DAYS = 28
LAST_MINUTE = 24 * 60 - 1
COUNTRIES = (
    *("United Kingdom",) * 30,
    "Germany",
    "France",
    "EIRE",
    "Spain",
    "Channel Islands",
    "Unspecified",
)
QUANTITIES = (1, 1, 1, 2, 2, 3, 4, 6, 6, 8, 12, 12, 24, 48, 144)


class Product(NamedTuple):
    stock_code: str
    detail: str
    thousandths: int  # the unit price


class Line(NamedTuple):
    invoice_number: str
    product: Product
    quantity: int
    minute: int  # of the day
    customer_id: int | None
    country: str


_ODDITIES = (
    *("free of charge", "three decimals", "repeated line", "only returns", "another country"),
    *("no detail", "blanks round the detail", "lost pound sign", "inches", "codes that differ by case"),
    *("stock note", "bad debt", "huge and cancelled"),
    *("no date", "infinite date", "price is not a number"),
)
# date as written instead of the line's own -> reason; the run of the first day takes what belongs to no day
_NO_DAY = {"no date": ("", "no invoice_date"), "infinite date": ("infinity", "invoice_date is not finite")}


def write_user_purchase(plan: Plan, delivered: Deliveries) -> None:
    """Write DIR/user_purchase.csv and note in `delivered` what the run of each day is to find in it."""
    rng = plan.chance("purchases")
    catalogue = list(_catalogue(rng))
    invoices = itertools.count(536365)
    open_days = [day for day in plan.days if not plan.is_closed(day)]
    kinds = dict.fromkeys(_ODDITIES, lambda number: True)
    oddities = calendar_of_oddities(rng, kinds, len(open_days), plan.purchases_per_day, share=0.01)
    with open(plan.out / "user_purchase.csv", "w", encoding="utf-8", newline="") as file:
        file.write(f"{HEADER}\r\n")
        rows = csv.writer(file, lineterminator="\r\n")

        def write(day: datetime.date, line_count: int, of_day: dict[int, str]) -> None:
            for kind, line in _day(plan, rng, catalogue, invoices, line_count, of_day):
                rows.writerow(_row(plan, delivered, day, kind, line))

        history = (plan.first_day - datetime.timedelta(n) for n in range(HISTORY_DAYS, 0, -1))
        for day in (day for day in history if not plan.is_closed(day)):
            write(day, plan.purchases_per_day * 2 // HISTORY_DAYS, {})
        for day, of_day in zip(open_days, oddities, strict=True):
            write(day, plan.purchases_per_day, of_day)


def _row(
    plan: Plan, delivered: Deliveries, day: datetime.date, kind: str | None, line: Line
) -> tuple[object, ...]:
    """The fields of one line, once it is noted as staged or quarantined by the run that takes it."""
    insert_date = max(day, plan.first_day)
    code, detail, thousandths = line.product
    date = f"{day.month}/{day.day}/{day.year} {line.minute // 60}:{line.minute % 60:02}"
    price = _price(thousandths)
    if kind in _NO_DAY:
        date, reason = _NO_DAY[kind]
        delivered.quarantine(PURCHASES, plan.first_day, reason)
    elif kind == "price is not a number":
        price = "NaN"
        delivered.quarantine(PURCHASES, insert_date, "unit_price is not a number")
    else:
        amount = line.quantity * thousandths
        invoiced_at = datetime.datetime.combine(day, datetime.time(line.minute // 60, line.minute % 60))
        delivered.purchase(insert_date, line.customer_id, amount)
        delivered.purchases.append(
            Purchase(
                insert_date,
                line.customer_id,
                line.invoice_number,
                code,
                line.country,
                invoiced_at,
                line.quantity,
                amount,
            )
        )
    customer = "" if line.customer_id is None else line.customer_id
    return line.invoice_number, code, detail, line.quantity, date, price, customer, line.country


def _price(thousandths: int) -> str:
    """As the shop writes it: 2550 -> 2.55, 2100 -> 2.1, 0 -> 0."""
    sign, whole, rest = "-" if thousandths < 0 else "", *divmod(abs(thousandths), 1000)
    return f"{sign}{whole}.{rest:03}".rstrip("0").rstrip(".")


def _catalogue(rng: random.Random) -> Iterator[Product]:
    colours = ("RED", "BLUE", "IVORY", "GREEN", "PINK", "COPPER", "STRIPED", "DOTTED")
    tins = ("TEA TIN", "LANTERN", "EGG CUP", "CANDLE, SCENTED")
    cloths = ("CUSHION COVER", "PICNIC BAG", "DOOR MAT", "WALL CLOCK COVER")
    sizes = ("", " SMALL", " LARGE", " SET OF 3", " SET/6", ' 12" WIDE')
    for number, (colour, thing, size) in enumerate(itertools.product(colours, tins + cloths, sizes)):
        blank = " " if rng.random() < 0.2 else ""
        letter = rng.choice(("", "", "A", "B"))
        price = rng.randrange(40, 1500) * 10
        yield Product(f"{21000 + number}{letter}", f"{colour} {thing}{size}{blank}", price)
    yield Product("POST", "POSTAGE", 18000)
    yield Product("M", "Manual", 1250)


def _day(
    plan: Plan,
    rng: random.Random,
    catalogue: list[Product],
    invoices: Iterator[int],
    line_count: int,
    oddities: dict[int, str],
) -> Iterator[tuple[str | None, Line]]:
    """Yield (kind of oddity or None, line), from midnight to the last minute of the day."""
    written = 0
    for invoice, minute in zip(invoices, _minutes(rng, line_count), strict=False):
        lines_left = line_count - written
        if lines_left <= 0:
            return
        size = min(lines_left, 1 + int(rng.random() ** 2 * 28))
        if minute == LAST_MINUTE:
            size = lines_left
        customer, country = _customer(plan, rng)
        cancelled = rng.random() < 0.06
        invoice_number = f"C{invoice}" if cancelled else f"{invoice}"
        for _ in range(size):
            product = catalogue[int(rng.random() ** 2 * len(catalogue))]
            quantity = QUANTITIES[int(rng.random() * len(QUANTITIES))] * (-1 if cancelled else 1)
            line = Line(invoice_number, product, quantity, minute, customer, country)
            kind = oddities.get(written)
            written += 1
            if kind is None:
                yield None, line
                continue
            for odd in _odd_lines(kind, line, plan, rng):
                yield kind, odd


def _minutes(rng: random.Random, line_count: int) -> Iterator[int]:
    """When the day's invoices are made: some ten lines each, most in office hours."""
    yield 0
    yield from sorted(rng.randrange(8 * 60, 18 * 60) for _ in range(max(1, line_count // 10)))
    yield LAST_MINUTE


def _customer(plan: Plan, rng: random.Random) -> tuple[int | None, str]:
    """A quarter of the lines has no customer; of the customers some buy much, most little."""
    if rng.random() < 0.25:
        return None, "United Kingdom"
    customer = plan.shoppers[int(rng.random() ** 2 * len(plan.shoppers))]
    return customer, COUNTRIES[customer % len(COUNTRIES)]


def _odd_lines(kind: str, line: Line, plan: Plan, rng: random.Random) -> list[Line]:
    """The line, made odd; some kinds take two or three lines."""
    number = line.invoice_number.removeprefix("C")
    customer = plan.shoppers[0]

    def of(**changes: Any) -> Line:
        return line._replace(product=line.product._replace(**changes))

    match kind:
        case "free of charge":
            return [of(thousandths=0)]
        case "three decimals":
            return [of(thousandths=line.product.thousandths + rng.randrange(1, 10))]
        case "repeated line":
            return [line] * 3
        case "only returns":
            returner = rng.choice(plan.returners)
            return [line._replace(invoice_number=f"C{number}", quantity=-2, customer_id=returner)]
        case "another country":
            return [line._replace(customer_id=customer, country="European Community")]
        case "no detail":
            return [of(detail="", thousandths=0)._replace(customer_id=None)]
        case "blanks round the detail":
            return [of(detail=f"  {line.product.detail} ")]
        case "lost pound sign":
            return [of(detail="GIFT VOUCHER \ufffd5.00")]
        case "inches":
            return [of(detail='RECORD FRAME 7" SINGLE, BLACK')]
        case "codes that differ by case":
            return [of(stock_code="M"), of(stock_code="m")]
        case "stock note":
            note = of(detail=rng.choice(("damaged", "?", "check", "thrown away")), thousandths=0)
            return [note._replace(invoice_number=number, quantity=-rng.randrange(1, 400), customer_id=None)]
        case "bad debt":
            debt = line._replace(invoice_number=f"A{number}", quantity=1, customer_id=None)
            booked = Product("B", "Adjust bad debt", 11_062_060)
            return [
                debt._replace(product=booked),
                debt._replace(product=booked._replace(thousandths=-11_062_060)),
            ]
        case "huge and cancelled":
            ordered = line._replace(invoice_number=number, quantity=74_215, customer_id=customer)
            return [ordered, ordered._replace(invoice_number=f"C{number}", quantity=-74_215)]
        case "no date" | "infinite date" | "price is not a number":
            return [line]
    raise ValueError(f"no purchase of kind {kind!r}")
