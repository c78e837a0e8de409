"""How the business stands: period, money, people and reviews; by month; and by which classifier a review is positive."""

from datetime import timedelta

from pages.report.charts import Bar, bars, intervals
from pages.report.figure import FEW, Figure, Page, Shown, counted, listed, part_of, text
from pages.report.pages.customers import without_customer
from pages.report.pages.reviews import wilson_interval

# In the sentence; the table has all.
CLASSIFIERS_SAID = 2
CORRECTED = ("corrected_positive_share", "corrected_positive_share_low", "corrected_positive_share_high")
# In a picture: a month, and the same month of the year before.
MONTHS_SHOWN = 13


def at_a_glance(rows, ledger) -> Shown:
    (all_,) = rows
    purchases = (
        f"Purchases and returns from {all_['first_invoice_date']} to {all_['last_invoice_date']}: {counted(all_['invoice_count'], 'invoice')} of "
        f"{counted(all_['invoiced_customer_count'], 'customer')}, {text(all_['amount_spent'], 'money')} net. Among them "
        f"{counted(all_['order_count'], 'order')} by {counted(all_['ordering_customer_count'], 'customer')}. {without_customer(ledger)}"
        if all_["first_invoice_date"]
        else "No purchase line has a customer."
    )
    reviews = (
        f"Reviews from {all_['first_review_date']} to {all_['last_review_date']}, by the day in the log but never one after the delivery: "
        f"{text(all_['review_count'], 'count')} by {counted(all_['reviewer_count'], 'customer')}."
        if all_["first_review_date"]
        else "No review has a customer."
    )
    return Shown(
        sentence=f"{purchases} {reviews}",
        columns=[("What", "text"), ("From", "day"), ("To", "day"), ("Number", "count"), ("Customers", "count"), ("Net money", "money")],
        rows=[
            (
                "Invoices, returns included", all_["first_invoice_date"], all_["last_invoice_date"], all_["invoice_count"],
                all_["invoiced_customer_count"], all_["amount_spent"],
            ),
            # Without the money: that is also of customers who only returned something.
            (
                "Orders", all_["first_order_date"], all_["last_order_date"], all_["order_count"],
                all_["ordering_customer_count"], None,
            ),
            ("Reviews", all_["first_review_date"], all_["last_review_date"], all_["review_count"], all_["reviewer_count"], None),
        ],
        is_open=True,
    )  # fmt: skip


def sales_by_month(rows, overview) -> Shown:
    """The months are those of customers since their first order; with a row for the rest they add up to the whole period's money."""
    (all_,) = overview
    months = _months(rows, all_["first_invoice_date"], all_["last_invoice_date"], ("amount_spent",))
    rest = all_["amount_spent"] - sum(money for _, _, money in months)
    in_no_month = f" In no month: {text(rest, 'money')}, of customers without an order and from before the month of a customer's first order."
    return Shown(
        sentence=_last_whole_month(months, "net", "money") + (in_no_month if rest else ""),
        columns=[("Month", "month"), ("Note", "text"), ("Net money", "money")],
        rows=[
            *((month, _whole(is_whole), money) for month, is_whole, money in months),
            *([(None, "without an order, or before the first", rest)] if rest else []),
        ],
        chart=lambda width: bars([_bar(row, text(row[2], "whole money")) for row in months[-MONTHS_SHOWN:]], width),
        legend=LEGEND,
    )  # fmt: skip


def orders_by_month(rows, overview) -> Shown:
    (all_,) = overview
    measures = ("order_count", "ordering_customer_count")
    months = _months(rows, all_["first_invoice_date"], all_["last_invoice_date"], measures)
    return Shown(
        sentence=_last_whole_month(months, "orders", "count"),
        columns=[("Month", "month"), ("Note", "text"), ("Orders", "count"), ("Customers who ordered", "count")],
        rows=[(month, _whole(is_whole), *counts) for month, is_whole, *counts in months],
        chart=lambda width: _counts_by_month(months, width),
        legend=LEGEND,
    )  # fmt: skip


def reviews_by_month(rows, overview, deliveries) -> Shown:
    (all_,) = overview
    measures = ("review_count", "reviewer_count", "review_score", "delivery_dated_count")
    delivered = [
        row["insert_date"]
        for row in deliveries
        if row["table_name"] == "classified_movie_review" and row["is_delivered"]
    ]
    months = _months(
        rows, all_["first_review_date"], all_["last_review_date"], measures, min(delivered, default=None)
    )
    moved = sum(row["delivery_dated_count"] for row in rows)
    elsewhere = f" Of all, {text(moved, 'count')} are in the month of their delivery, since their log is missing or names a later day; Reviews and Explore go by the log alone."
    return Shown(
        sentence=_last_whole_month(months, "reviews", "count") + (elsewhere if moved else ""),
        columns=[
            ("Month", "month"), ("Note", "text"), ("Reviews", "count"), ("Customers who wrote", "count"), ("Called positive", "count"),
            ("Reviews by the day of delivery", "count"),
        ],
        rows=[(month, _whole(is_whole), *counts) for month, is_whole, *counts in months],
        chart=lambda width: _counts_by_month(months, width),
        legend=LEGEND,
    )  # fmt: skip


def positive_share(rows) -> Shown:
    said = " ".join(
        f"{_version(row)} calls {part_of(row['positive_reviews'], row['classified_reviews'])} reviews positive; {_correction(row)}."
        for row in rows[-CLASSIFIERS_SAID:]
    )
    return Shown(
        sentence=said + (" Each has errors of its own: their raw shares are not to be compared." if len(rows) > 1 else ""),
        columns=[
            ("Classifier and version", "text"), ("From day", "day"), ("To day", "day"), ("Reviews", "count"), ("Called positive", "count"),
            ("Raw share", "share"), ("Lower bound", "share"), ("Upper bound", "share"), ("Corrected share", "share"),
            ("Lower bound, corrected", "share"), ("Upper bound, corrected", "share"), ("Right on labelled reviews", "share"),
            ("Unsure (score 0.4 to 0.6)", "count"),
        ],
        rows=[
            (
                _version(row), row["first_day"], row["last_day"], row["classified_reviews"], row["positive_reviews"], *_raw_share(row),
                *(row[name] for name in CORRECTED), row["accuracy"], row["unsure_reviews"] if row["scored_reviews"] else None,
            )
            for row in rows
        ],
        chart=lambda width: intervals([interval for row in rows for interval in _shares(row)], width),
    )  # fmt: skip


def agreement(rows) -> Shown:
    said = " ".join(
        f"{_pair(row)} say the same of {part_of(_agreed(row), row['compared_reviews'])} reviews, {_beyond_chance(row['kappa'])}."
        for row in rows[:CLASSIFIERS_SAID]
    )
    return Shown(
        sentence=f"{said} Two that agree may both be wrong. Right on labelled reviews: {_how_right(rows)}.",
        columns=[
            ("Classifier and version", "text"), ("Other classifier and version", "text"), ("From day", "day"), ("To day", "day"),
            ("Reviews of both", "count"), ("Both positive", "count"), ("Only the first", "count"), ("Only the other", "count"),
            ("Both negative", "count"), ("Agreement", "share"), ("Kappa", "number"), ("Kappa, lowest day", "number"),
            ("Kappa, highest day", "number"),
        ],
        rows=[
            (
                _version(row), f"{row['other_classifier']} {row['other_classifier_version']}", row["first_day"], row["last_day"],
                row["compared_reviews"], row["both_positive_reviews"], row["positive_reviews"] - row["both_positive_reviews"],
                row["other_positive_reviews"] - row["both_positive_reviews"], row["both_negative_reviews"],
                _agreed(row) / row["compared_reviews"], row["kappa"], row["lowest_kappa"], row["highest_kappa"],
            )
            for row in rows
        ],
        chart=lambda width: bars([_agreement_bar(row) for row in rows], width),
        legend=(("blue", "both say the same"), ("pale", "they differ")),
    )  # fmt: skip


def _pair(row) -> str:
    return f"{row['classifier']} and {row['other_classifier']}"


def _how_right(rows) -> str:
    """How often each classifier is right, once."""
    accuracies = {}
    for row in rows:
        accuracies[row["classifier"], row["classifier_version"]] = row["accuracy"]
        accuracies[row["other_classifier"], row["other_classifier_version"]] = row["other_accuracy"]
    return listed(
        f"{name} {'not measured' if accuracy is None else text(accuracy, 'share')}"
        for (name, _), accuracy in accuracies.items()
    )


def _agreed(row):
    return row["both_positive_reviews"] + row["both_negative_reviews"]


def _beyond_chance(kappa) -> str:
    if kappa is None:
        return "which chance alone would make them do"
    if round(kappa, 2) <= 0:
        return f"no more than by chance (kappa {text(kappa, 'number')})"
    return f"{text(kappa, 'number')} of the way from chance to always (kappa)"


def _agreement_bar(row) -> Bar:
    agreed, compared = _agreed(row), row["compared_reviews"]
    kappa = "" if row["kappa"] is None else f", kappa {text(row['kappa'], 'number')}"
    return Bar(
        _pair(row),
        ((0, agreed, "blue"), (agreed, compared, "pale")),
        f"{text(agreed / compared, 'share')}{kappa}",
    )


def _version(row) -> str:
    return f"{row['classifier']} {row['classifier_version']}"


def _raw_share(row) -> tuple[float, float, float]:
    """With its bounds."""
    positive, count = int(row["positive_reviews"]), int(row["classified_reviews"])
    return positive / count, *wilson_interval(positive, count)


def _correction(row) -> str:
    if row["accuracy"] is None:
        return "how often it is right was not measured, so that nothing can be corrected"
    # As in dbt_project/macros/with_corrected_share.sql.
    hardly_tells = float(row["sensitivity"] or 0) + float(row["specificity"] or 0) < 1.1
    if row["corrected_positive_share"] is None and not hardly_tells:
        return "its known error cannot be right for these reviews: corrected for it, fewer than none of them or more than all would be positive"
    if row["corrected_positive_share"] is None:
        return "that cannot be corrected for its error, since it hardly tells positive from negative"
    share, low, high = (text(row[name], "share") for name in CORRECTED)
    return f"corrected for its known error: {share} (95 % interval: {low} to {high})"


def _shares(row) -> list[tuple]:
    """For the picture, which cuts a long name at its end: the raw share, and the corrected one where there is one."""
    share, low, high = _raw_share(row)
    shares = [
        (f"raw, {_version(row)}", low, share, high, f"{text(share, 'share')} of {text(row['classified_reviews'], 'count')}",
         row["classified_reviews"] < FEW)
    ]  # fmt: skip
    if row["corrected_positive_share"] is not None:
        share, low, high = (float(row[name]) for name in CORRECTED)
        shares.append(
            (
                f"corrected, {_version(row)}",
                low,
                share,
                high,
                text(share, "share"),
                row["classified_reviews"] < FEW,
            )
        )
    return shares


def _months(rows, first, last, measures: tuple[str, ...], delivered_from=None) -> list[tuple]:
    """(month, whether the data have all of its days, measures…) of each month between the first day and the last, also of one in
    which nothing happened. What is dated before the first delivery came late and alone: its month is not whole."""
    whole_from = max((day for day in (first, delivered_from) if day), default=None)
    found = {row["active_month"]: row for row in rows}
    months: list[tuple] = []
    month = first and first.replace(day=1)
    while month and month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        is_whole = whole_from <= month and following - timedelta(days=1) <= last
        months.append((month, is_whole, *(found[month][name] if month in found else 0 for name in measures)))
        month = following
    return months


def _last_whole_month(months: list[tuple], what: str, kind: str) -> str:
    """The last whole month beside the one before, as far as that is whole."""
    number = next((n for n in reversed(range(len(months))) if months[n][1]), None)
    if number is None:
        return "No month is whole yet."
    month, _, now, *_ = months[number]
    sentence = f"{text(month, 'month')}, the last whole month: {text(now, kind)} {what}"
    if number == 0 or not months[number - 1][1]:
        return f"{sentence}. The month before is not whole."
    return (
        f"{sentence}, {change(now, months[number - 1][2], kind)} in {text(months[number - 1][0], 'month')}."
    )


def change(now, before, kind: str) -> str:
    """12.3 % more than; without a share when there is none: of nothing, or of money below zero."""
    if now == before:
        return "as"
    if before <= 0:
        return f"after {text(before, kind)}"
    share = text(abs(now - before) / before, "share")
    return f"{'under 0.1 %' if share == '0.0 %' else share} {'more' if now > before else 'less'} than"


def _counts_by_month(months: list[tuple], width: int):
    """Of months that begin with two measures: how many, and by how many customers."""
    shown = months[-MONTHS_SHOWN:]
    return bars(
        [_bar(row, f"{text(row[2], 'count')} by {counted(row[3], 'customer')}") for row in shown], width
    )


def _bar(row: tuple, said: str) -> Bar:
    month, is_whole, amount, *_ = row
    color = "blue" if is_whole else "pale"
    return Bar(text(month, "month"), ((min(0, amount), max(0, amount), color),), said)


def _whole(is_whole: bool) -> str:
    return "" if is_whole else "not whole"


LEGEND = (("blue", "whole month"), ("pale", "days of it are missing"))
EMPTY = "No customer with a purchase or a review is in the warehouse."
BY_MONTH = (
    "A month is whole if the first purchase or review is not after its first day, and the last not before its last. "
    f"The picture has the last {MONTHS_SHOWN} months, the table all."
)
# As in the model int_touched_review.
REVIEW_DAY = "A review has the day in its log or that of its delivery, whichever is earlier; without a log, that of its delivery."
IN_LOGS = (
    "The pages Reviews and Explore go by the day in the log alone, so a month may have another number there."
)
PAGE = Page(
    name="index",
    title="Overview",
    lead="How the business stands, by month, and how far to trust it.",
    figures=(
        Figure(
            name="glance",
            explore=("count=customers", "count=reviews"),
            title="The whole period",
            queries=("report_overview", "report_ledger"),
            show=at_a_glance,
            definition=(
                f"An order is an invoice on which something was bought; other invoices are returns and credits. The net money is of all invoices "
                f"with a customer. Purchases have the days of their invoices. {REVIEW_DAY}"
            ),
            empty=EMPTY,
        ),
        Figure(
            name="sales",
            title="Net money by month",
            queries=("report_sales_by_month", "report_overview"),
            show=sales_by_month,
            definition=(
                "Of customers with an order, from the month of their first on, by the day of the invoice; the table's last row is what remains of "
                f"the whole period's net money. {BY_MONTH}"
            ),
            empty=EMPTY,
        ),
        Figure(
            name="orders",
            title="Orders and customers by month",
            queries=("report_sales_by_month", "report_overview"),
            show=orders_by_month,
            definition=f"Orders, and by how many customers; a customer counts once in a month. {BY_MONTH}",
            empty=EMPTY,
        ),
        Figure(
            name="reviews",
            explore=("rows=month&sort=0&up=",),
            title="Reviews and reviewers by month",
            queries=("report_reviews_by_month", "report_overview", "report_deliveries"),
            show=reviews_by_month,
            definition=(
                f"Reviews of customers, and by how many of them. {REVIEW_DAY} {IN_LOGS} {BY_MONTH} A month that began before the first day on which reviews were "
                "delivered is not whole."
            ),
            empty=EMPTY,
            is_about_sentiment=True,
        ),
        Figure(
            name="positive",
            title="Positive reviews, by classifier",
            queries=("report_classifiers",),
            show=positive_share,
            definition=(
                "Staged reviews, repeats included, by the classifier and version that judged them. The raw share, with Wilson's 95 % interval, is what "
                "the classifier calls positive. The corrected share is what that means if the classifier errs as it does on labelled reviews (Rogan "
                "and Gladen; interval by Lang and Reiczigel): (raw share + specificity − 1) / (sensitivity + specificity − 1)."
            ),
            empty="No review has been judged.",
            is_about_sentiment=True,
        ),
        Figure(
            name="agreement",
            title="Do the classifiers agree?",
            queries=("report_agreement",),
            show=agreement,
            definition=(
                "Of classifiers that ran in the same pass (setting OTHER_CLASSIFIERS); a review that came twice counts once. Cohen's kappa is how far two "
                "agree beyond chance: (agreement − chance) / (1 − chance), where chance is how often two would agree who call as many positive, without "
                "reading. A kappa that falls over the days, with the same versions, means that other reviews come than before. By day: ledger_agreement."
            ),
            empty="Only one classifier judged the reviews: OTHER_CLASSIFIERS names others to run beside it.",
            metrics=("classifier_agreement",),
            is_about_sentiment=True,
        ),
    ),
)
