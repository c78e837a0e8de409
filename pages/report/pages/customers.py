"""Who the customers are: segments, spend against what they write, and who comes back."""

from pages.report.charts import Bar, Cell, bars, grid, shade
from pages.report.figure import Figure, Page, Shown, counted, largest_part, part_of, text
from pages.report.pages.reviews import is_keyword

# (spend, sentiment) -> (column, row) of the map
QUADRANTS = {
    "big spender, not positive": (0, 0), "big spender, positive": (1, 0),
    "small spender, not positive": (0, 1), "small spender, positive": (1, 1),
}  # fmt: skip
# The marts say "positive"; by the keyword rule it means this.
GOOD = {"positive": "more “good”", "not positive": "less “good”"}
POSITIVE = {"positive": "more positive", "not positive": "less positive"}
MONTHS_SHOWN, COUNTRIES_SHOWN = 13, 10
DAYS_OF_A_YEAR = 365


def money_by_segment(rows, ledger) -> Shown:
    total, customers = (
        sum(row["amount_spent"] for row in rows),
        sum(row["invoiced_customer_count"] for row in rows),
    )
    money = {row["rfm_segment"]: row["amount_spent"] for row in rows}
    first = sum(row["customer_count"] for row in rows if row["amount_spent"] == max(money.values()))
    return Shown(
        sentence=f"{counted(customers, 'customer')} with a purchase or return spent {text(total, 'money')} net. {largest_part(money, 'net money', 'money')}, "
        f"from {counted(first, 'customer')}. {without_customer(ledger)}",
        columns=[
            ("Segment", "text"), ("Customers", "count"), ("Net money", "money"), ("Money for each", "money"),
            ("Share of money", "share"),
        ],
        rows=[
            (
                row["rfm_segment"], row["customer_count"], row["amount_spent"],
                row["amount_spent"] / row["customer_count"], row["amount_spent"] / total if total else None,
            )
            for row in rows
        ],
        chart=lambda width: bars(
            [
                Bar(row["rfm_segment"], (_money_bar(row["amount_spent"]),), text(row["amount_spent"], "whole money"))
                for row in rows
            ],
            width,
        ),
    )  # fmt: skip


def without_customer(ledger) -> str:
    """What of the purchases belongs to nobody, as a sentence, of report_ledger."""
    lines = next((row for row in ledger if row["table_name"] == "user_purchase"), None)
    if not lines or not lines["records_unattributable"]:
        return "Every purchase line has a customer."
    staged = lines["records_in_marts"] + lines["records_unattributable"]
    return (
        f"Not in it: purchase lines without a customer, {part_of(lines['records_unattributable'], staged)}, with "
        f"{part_of(lines['amount_unattributable'], lines['amount_staged'], 'money')} of the net money."
    )


def _money_bar(amount) -> tuple:
    return (0, amount, "blue") if amount > 0 else (amount, 0, "orange")


def rfm_map(rows, days) -> Shown:
    as_of, last = days[0]["as_of_date"], days[0]["last_invoice_date"]
    largest = max(row["customer_count"] for row in rows)
    counts = {(row["recency_score"], row["value_score"]): row["customer_count"] for row in rows}
    segments = {(row["recency_score"], row["value_score"]): row["rfm_segment"] for row in rows}
    by_segment: dict[str, int] = {}
    for row in rows:
        by_segment[row["rfm_segment"]] = by_segment.get(row["rfm_segment"], 0) + row["customer_count"]

    def chart(width):
        cells = []
        for recency in range(1, 6):
            for value in range(1, 6):
                count = counts.get((recency, value), 0)
                below = segments.get((recency, value), "") if width > 600 else ""
                cells.append(Cell(recency - 1, 5 - value, shade(count, largest), text(count, "count"), below))
        return grid(
            cells,
            width,
            [f"recency {n}" if width > 600 else f"rec. {n}" for n in range(1, 6)],
            [f"value {n}" for n in range(5, 0, -1)],
            height=52,
        )

    return Shown(
        sentence=f"{largest_part(by_segment, 'customers who ordered')}."
        + (
            f" The last purchase of all is from {last}, {counted((as_of - last).days, 'day')} before the day of the profiles: who is “recent” "
            "is recent among these customers only."
            if (as_of - last).days > DAYS_OF_A_YEAR
            else ""
        ),
        columns=[
            ("Recency score", "count"), ("Value score", "count"), ("Segment", "text"), ("Customers", "count"),
            ("Net money", "money"),
        ],
        rows=[
            (row["recency_score"], row["value_score"], row["rfm_segment"], row["customer_count"], row["amount_spent"])
            for row in rows
        ],
        chart=chart,
        legend=_lightest_and_darkest([counts.get((recency, value), 0) for recency in range(1, 6) for value in range(1, 6)]),
    )  # fmt: skip


def _lightest_and_darkest(counts: list[int]) -> tuple:
    """The legend of a map whose colour is a number of customers: the smallest number in it and the largest."""
    few, many = min(counts), max(counts)
    ends = {f"step-{shade(many, many)}": counted(many, "customer")}
    return tuple(({f"step-{shade(few, many)}": counted(few, "customer")} | ends).items())


def spend_and_good(rows, classifiers) -> Shown:
    names, what, counted_as = (
        (GOOD, "reviews with “good”", "Contain “good”")
        if is_keyword(classifiers)
        else (POSITIVE, "positive reviews", "Called positive")
    )
    found = {row["spend_sentiment_quadrant"]: row for row in rows}
    inside = [row for name, row in found.items() if name in QUADRANTS]
    largest = max((row["customer_count"] for row in inside), default=0)
    outside = sum(row["customer_count"] for name, row in found.items() if name not in QUADRANTS)
    both = sum(row["customer_count"] for row in inside)
    cells = []
    for name, (across, down) in QUADRANTS.items():
        count = found[name]["customer_count"] if name in found else 0
        money = found[name]["amount_spent"] if name in found else 0
        cells.append(
            Cell(
                across,
                down,
                shade(count, largest),
                f"{text(count, 'count')} customers",
                f"{text(money, 'whole money')} net money",
            )
        )
    less, more = (
        found[f"big spender, {said}"]["customer_count"] if f"big spender, {said}" in found else 0
        for said in ("not positive", "positive")
    )
    return Shown(
        sentence=f"Both a purchase or return and a review: {counted(both, 'customer')}; only one of the two: {text(outside, 'count')}. "
        f"Of the big spenders with both, {part_of(less, less + more)} have a smaller share of {what} than all customers "
        "together.",
        columns=[
            ("Spend", "text"), ("Their reviews", "text"), ("Customers", "count"), ("Net money", "money"),
            ("Reviews", "count"), (counted_as, "count"),
        ],
        rows=[
            (*_named(name, names), row["customer_count"], row["amount_spent"], row["review_count"], row["review_score"])
            for name in (*QUADRANTS, None)
            if (row := found.get(name))
        ],
        chart=lambda width: grid(
            cells, min(width, 640), list(names.values())[::-1], ["big", "small"], height=76
        ),
        legend=_lightest_and_darkest([found[name]["customer_count"] if name in found else 0 for name in QUADRANTS]),
    )  # fmt: skip


def cohorts(rows, days) -> Shown:
    first, last = days[0]["first_invoice_date"], days[0]["last_invoice_date"]
    months = sorted({row["cohort_month"] for row in rows})
    shown = months[-MONTHS_SHOWN:]
    by_cell = {(row["cohort_month"], row["months_since_first"]): row for row in rows}
    # Only what can be compared: whole months, and of customers who are known to be new.
    after_one = [
        row
        for row in rows
        if row["months_since_first"] == 1 and row["is_complete"] and not row["is_left_censored"]
    ]
    started = sum(row["customer_count"] for row in after_one)
    back = sum(row["active_customer_count"] for row in after_one)

    # The first month is all of them, whatever comes after: how many.
    later = [row for row in rows if row["months_since_first"] and row["cohort_month"] in shown]
    highest = max((float(row["retention"]) for row in later if row["is_complete"]), default=0.0)

    def cell(after, number, row):
        if after == 0:
            return Cell(after, number, "page", text(row["customer_count"], "count"))
        step = shade(float(row["retention"]), highest) if row["is_complete"] else "page"
        return Cell(after, number, step, f"{100 * float(row['retention']):.0f} %")

    def chart(width):
        across = max(
            1, min(MONTHS_SHOWN, (width - 70) // 46, max(row["months_since_first"] for row in rows) + 1)
        )
        cells = [
            cell(after, number, row)
            for number, month in enumerate(shown)
            for after in range(across)
            if (row := by_cell.get((month, after)))
        ]
        fitting = min(width, 74 + 60 * across)
        return grid(
            cells,
            fitting,
            [f"+{n}" if n else "new" for n in range(across)],
            [text(m, "month") for m in shown],
            30,
        )

    return Shown(
        sentence=f"Purchases run from {first} to {last}. {counted(sum(row['customer_count'] for row in rows if row['months_since_first'] == 0), 'customer')} "
        f"ordered for the first time, in {counted(len(months), 'month')}. "
        + (
            f"Of {text(started, 'count')} new ones with a whole month behind them, {text(back, 'count')} ({text(back / started, 'share')}) ordered again in the month after."
            if started
            else "No month after a cohort's own is over yet."
        ),
        columns=[
            ("First order in", "month"), ("Months after", "count"), ("Month", "text"), ("Customers", "count"), ("Ordered", "count"),
            ("Share", "share"), ("Net money", "money"),
        ],
        rows=[
            (
                row["cohort_month"], row["months_since_first"], "whole" if row["is_complete"] else "not over",
                row["customer_count"], row["active_customer_count"],
                row["retention"], row["amount_spent"],
            )
            for row in rows
        ],
        chart=chart,
        legend=(
            *((("step-0", "few came back"), ("step-4", f"up to {100 * highest:.0f} % came back")) if highest else ()),
            ("page", "how many were new; or the month is not over"),
        ),
    )  # fmt: skip


def by_country(rows) -> Shown:
    total = sum(row["customer_count"] for row in rows)
    return Shown(
        sentence=f"{largest_part({row['country']: row['customer_count'] for row in rows}, 'customers')}. It is the country of their "
        "purchases; reviews are from states of the USA.",
        columns=[("Country", "text"), ("Customers", "count"), ("Share of customers", "share"), ("Net money", "money")],
        rows=[(row["country"], row["customer_count"], row["customer_count"] / total, row["amount_spent"]) for row in rows],
        chart=lambda width: bars(
            [Bar(row["country"], ((0, row["customer_count"], "blue"),), text(row["customer_count"], "count")) for row in rows[:COUNTRIES_SHOWN]],
            width,
        ),
    )  # fmt: skip


def _named(quadrant: str | None, names: dict[str, str]) -> tuple[str, str]:
    if quadrant not in QUADRANTS:
        return ("no purchase or no review", "")
    spend, sentiment = quadrant.split(", ")
    return spend, names[sentiment]


EMPTY = "No customer with a purchase or a review is in the warehouse."
PAGE = Page(
    name="customers",
    title="Customers",
    lead="Segments by when and how much they order, spend against what they write, and who comes back.",
    figures=(
        Figure(
            name="segments",
            explore=("count=customers&rows=segment",),
            title="Money by segment",
            queries=("report_customers_by_segment", "report_ledger"),
            show=money_by_segment,
            definition=(
                "Net money of each segment: returns count as negative. A segment is a name for a pair of scores, from the seed "
                "rfm_segment; in “No order” are customers who only wrote, or only returned."
            ),
            empty=EMPTY,
        ),
        Figure(
            name="countries",
            title="Customers by country",
            queries=("report_customers_by_country",),
            show=by_country,
            definition=(
                "The country on a customer's latest purchase line; Unknown without one. Countries of fewer than 5 customers are together, with the next "
                f"smallest if these are fewer than 5 in all, so that none tells what one of them spent. The picture has the first {COUNTRIES_SHOWN}, the table all."
            ),
            empty="There are fewer than five customers.",
        ),
        Figure(
            name="rfm",
            title="Recency and value",
            queries=("report_customers_by_rfm_score", "report_customer_days"),
            show=rfm_map,
            definition=(
                "Scores from 1 to 5 by fifths of the customers with an order. Recency, from left to right: 5 ordered last. Value: the mean of the "
                "scores for how often and how much. Customers who are equal have the same score."
            ),
            empty="No customer has ordered anything.",
        ),
        Figure(
            name="quadrants",
            explore=("count=customers&rows=spend",),
            title="Spend against what they write",
            queries=("report_customers_by_quadrant", "report_classifiers"),
            show=spend_and_good,
            definition=(
                "Big spenders are the upper half by net money, of those with both a purchase or return and a review (on Explore: of all with a purchase). The colour is the number of customers. More “good”, or more positive by another classifier: the customer's "
                "share of such reviews is at least that of all reviews."
            ),
            empty=EMPTY,
            metrics=("positive_review_share",),
            is_about_sentiment=True,
        ),
        Figure(
            name="cohorts",
            title="Who orders again",
            queries=("report_customer_cohorts", "report_customer_days"),
            show=cohorts,
            definition=(
                "Customers by the month of their first order, and the share of them who ordered in a month after it, up to the month of the "
                "last purchase, which may not be over. The first cohort has whoever bought in the first month of the data, new or not. The sentence "
                f"above leaves both out. The picture has the last {MONTHS_SHOWN} cohorts, on a narrow screen their first months; the table has all."
            ),
            empty="No customer has ordered anything.",
        ),
    ),
)
