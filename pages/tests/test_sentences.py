"""The sentences of the report are true of any data: ties, one row, shares around one half, what never came, names without end."""

import ast
import datetime
import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from ci.staged_sample import ROOT
from pages.report.build import MIXED, WIDTHS, _classifier_agreement, unbroken_days
from pages.report.charts import picture
from pages.report.csv_file import csv_text
from pages.report.figure import chance, counted, largest_part, listed, part_of, text
from pages.report.pages.customers import (
    QUADRANTS,
    by_country,
    money_by_segment,
    rfm_map,
    spend_and_good,
    without_customer,
)
from pages.report.pages.overview import PAGE as OVERVIEW
from pages.report.pages.overview import (
    agreement,
    at_a_glance,
    change,
    orders_by_month,
    positive_share,
    reviews_by_month,
    sales_by_month,
)
from pages.report.pages.questions import (
    apple_in_three_states,
    devices_by_coast,
    most_and_fewest,
    most_computer_reviews_in_chrome,
)
from pages.report.pages.reviews import (
    COMPANYS_RULE,
    TILES,
    by_day,
    by_device,
    by_state,
    fifths,
    is_keyword,
    last_days,
    positive_by_group,
)
from pages.report.pages.runs import bytes_of_models, time_of_models, time_of_runs
from pages.report.pages.trust import deliveries, rejections, where_money_went, where_records_went
from spark_prep.reviews.classifiers.keyword import effective_words, keyword

DAY = datetime.date(2021, 1, 1)
TABLES = ("user_purchase", "classified_movie_review", "review_logs")


KEYWORD = [dict(zip(("classifier", "classifier_version"), COMPANYS_RULE, strict=True))]
BOTH = [*KEYWORD, {"classifier": "lexicon", "classifier_version": "1-e"}]


def day(number: int) -> datetime.date:
    return DAY + datetime.timedelta(days=number)


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({"a": 51, "b": 49}, "Most of the x: a, 51 of 100 (51.0 %)"),
        ({"a": 50, "b": 50}, "The largest part of the x: a and b, 50 of 100 (50.0 %) each"),
        ({"a": 50, "b": 49, "c": 1}, "The largest part of the x: a, 50 of 100 (50.0 %)"),
        ({"a": 50_001, "b": 49_999}, "Most of the x: a, 50,001 of 100,000 (50.0 %)"),
        ({"a": 49_999, "b": 1, "c": 50_000}, "The largest part of the x: c, 50,000 of 100,000 (50.0 %)"),
        ({"b": 1, "a": 3}, "Most of the x: a, 3 of 4 (75.0 %)"),
        ({"a": 1}, "All of the x: a, 1 of 1 (100.0 %)"),
        ({"a": 7, "b": 0}, "All of the x: a, 7 of 7 (100.0 %)"),
        ({"a": 9_999_999, "b": 1}, "Most of the x: a, 9,999,999 of 10,000,000 (over 99.9 %)"),
        # no share of nothing, nor of what is below zero
        ({"a": 0, "b": 0}, "The largest amount of the x: a and b, 0 of 0 each"),
        ({"a": 80, "b": -30}, "The largest amount of the x: a, 80 of 50"),
        ({"a": 40, "b": 30, "c": -20}, "The largest amount of the x: a, 40 of 50 (80.0 %)"),
    ],
)  # fmt: skip
def test_most_is_more_than_half(amounts, said):
    assert largest_part(amounts, "x") == said


@pytest.mark.parametrize(
    ("counts", "is_chance"),
    [
        # chi-squared by hand; the table's limit for two degrees of freedom is 5.99, for one 3.84
        ([8434, 8333, 8233], True),  # 2.4
        ([110, 100, 90], True),  # 2.0
        ([120, 100, 80], False),  # 8.0
        ([114, 86], False),  # 3.92
        ([113, 87], True),  # 3.38
        ([3, 2, 4], False),  # too few to say
        ([50], False),
    ],
)
def test_what_is_no_more_than_chance_is_said(counts, is_chance):
    assert bool(chance(counts, "them")) == is_chance


def test_nothing_else_writes_most():
    written = {}
    for file in (ROOT / "pages/report").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and function.name != "largest_part":
                docstring = ast.get_docstring(function, clean=False)
                found = [
                    node.value
                    for node in ast.walk(function)
                    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != docstring
                    # the answer's name in the query
                    and node.value != "most" and re.search(r"\bmost(ly)?\b", node.value, re.IGNORECASE)
                ]  # fmt: skip
                if found:
                    written[f"{file.name}: {function.name}"] = found
    assert written == {}


def test_a_list_of_names_ends():
    assert listed([]) == "none"
    assert listed("ab") == "a and b"
    assert listed("abcd") == "a, b, c and d"
    assert listed(f"n{n}" for n in range(1003)) == "n0, n1, n2 and 1,000 more"
    assert listed(["PC " * 100]) == ("PC " * 100)[:59] + "…"


def test_below_zero_has_one_sign_everywhere():
    amounts = {"count": "−1,235", "money": "−1,234.60", "whole money": "−1,235", "share": "−123460.0 %"}
    assert {
        kind: text(Decimal("-1234.6") if "money" in kind else -1235 if kind == "count" else -1234.6, kind)
        for kind in amounts
    } == amounts


def test_parts_and_counts():
    assert (counted(1, "day"), counted(0, "day"), counted(2, "delivery", "deliveries")) == (
        "1 day", "0 days", "2 deliveries",
    )  # fmt: skip
    assert (part_of(0, 0), part_of(0, 4), part_of(1, 10_000)) == (
        "0 of 0", "0 of 4 (0.0 %)", "1 of 10,000 (under 0.1 %)",
    )  # fmt: skip


def reviewed(**counts: int) -> list[dict]:
    return [
        {"device": name.replace("_", " "), "location": name.replace("_", " "), "region": "South", "review_count": count, "review_score": 0}
        for name, count in counts.items()
    ]  # fmt: skip


def test_devices():
    assert by_device(reviewed(Mobile=5, Tablet=4, Computer=3)).sentence == (
        "The largest part of the reviews: Mobile, 5 of 12 (41.7 %). Then Tablet 33.3 % and Computer 25.0 %."
    )
    assert by_device(reviewed(Mobile=1)).sentence == "All of the reviews: Mobile, 1 of 1 (100.0 %)."
    assert by_device(reviewed(Mobile=5, Tablet=5)).sentence.startswith(
        "The largest part of the reviews: Mobile and Tablet, 5 of 10 (50.0 %) each."
    )


def test_states():
    assert by_state(reviewed(Texas=2, Ohio=2, Unknown=1)).sentence == (
        "The largest part of the reviews from states: Texas and Ohio, 2 of 4 (50.0 %) each. "
        "Reviews from 2 of 51 states (with D.C.): 4; from no known state: 1."
    )
    assert (
        by_state(reviewed(Unknown=3)).sentence
        == "Reviews from 0 of 51 states (with D.C.): 0; from no known state: 3."
    )


def test_days():
    """Two busiest days of equal height, and one in between on which nothing was written."""
    rows = [{"log_date": day(n), "review_count": count} for n, count in ((0, 4), (1, 4), (3, 1))]
    assert by_day([*rows, {"log_date": None, "review_count": 7}]).sentence == (
        "9 reviews written from 2021-01-01 to 2021-01-04. The highest number of a day is 4, on 2021-01-01 and 2021-01-02; the mean is "
        "2.2, with 1 day in between that has none. Without a log, and so without a day: 7 more."
    )
    assert by_day([{"log_date": day(0), "review_count": 1}]).sentence == (
        "1 review written from 2021-01-01 to 2021-01-01. The highest number of a day is 1, on 2021-01-01; the mean is 1.0."
    )
    assert "No review has a day" in by_day([{"log_date": None, "review_count": 7}]).sentence


def test_under_a_sparse_history_the_picture_has_the_last_days():
    """100 days with one review each, then 10 with 20: half of all 300 are from the last 8, so the picture has twice as many."""
    counts = {day(n): 1 if n < 100 else 20 for n in range(110)}
    shown = by_day([{"log_date": date, "review_count": count} for date, count in counts.items()])
    assert shown.sentence.endswith(
        "The picture begins on 2021-04-05: half of the reviews are from its last days."
    )
    assert len(shown.rows) == 110
    assert list(last_days(counts)) == [day(n) for n in range(94, 110)]
    # at least two weeks, and all where nothing is sparse
    burst = {day(0): 1, day(299): 50, day(300): 50}
    assert list(last_days(burst)) == [day(299), day(300)]
    even = {day(n): 1 for n in range(300)}
    assert last_days(even) == even and last_days({}) == {}


def test_what_positive_means_depends_on_the_classifier():
    for score, said in ((0, "0.0 %"), (1, "100.0 %")):
        row = {"device": "Tablet", "region": "South", "review_count": 1, "review_score": score}
        good, called = (
            ("contain the word “good”", "Contain “good”"),
            ("are called positive", "Called positive"),
        )
        for classifiers, (means, heading) in (([], good), (KEYWORD, good), (BOTH, called)):
            shown = positive_by_group([row], [row], classifiers)
            assert shown.sentence.startswith(f"{said} of 1 review {means} (95 % interval"), means
            assert shown.columns[3][0] == heading


def segments(**money: int) -> list[dict]:
    return [
        {
            "rfm_segment": name, "customer_count": 2, "invoiced_customer_count": 1, "amount_spent": Decimal(amount), "review_count": 0,
            "review_score": 0,
        }
        for name, amount in money.items()
    ]  # fmt: skip


def ledger(**purchases) -> list[dict]:
    row = {
        "records_delivered": 8, "records_quarantined": 0, "records_duplicate": 0, "records_unattributable": 0,
        "records_in_marts": 8, "amount_staged": Decimal(100), "amount_unattributable": Decimal(0),
        "amount_in_marts": Decimal(100), "unbalanced_days": 0,
    }  # fmt: skip
    return [{"table_name": "user_purchase", **row, **purchases}]


LOST = {
    "records_unattributable": 2,
    "records_in_marts": 6,
    "amount_unattributable": Decimal(15),
    "amount_in_marts": Decimal(85),
}


def test_money_and_whose_it_is():
    assert money_by_segment(segments(Champions=41, Loyal=40, Lost=19), ledger(**LOST)).sentence == (
        "3 customers with a purchase or return spent 100.00 net. The largest part of the net money: Champions, 41.00 of 100.00 (41.0 %), from 2 customers. "
        "Not in it: purchase lines without a customer, 2 of 8 (25.0 %), with 15.00 of 100.00 (15.0 %) of the net money."
    )
    assert (
        "Most of the net money: Champions, 80.00 of 100.00 (80.0 %), from 2 customers. Every purchase line has a customer"
        in (money_by_segment(segments(Champions=80, Lost=20), ledger()).sentence)
    )
    # more was returned than bought: no share of it
    for loss in (Decimal(-20), Decimal(120)):
        assert without_customer(ledger(**{**LOST, "amount_unattributable": loss})).endswith(
            f"with {loss:,.2f} of 100.00 of the net money.".replace("-", "−")
        )


def quadrants(**counts):
    return [
        {"spend_sentiment_quadrant": name, "customer_count": count, "amount_spent": 0, "review_count": 1, "review_score": 0}
        for name, count in counts.items()
    ]  # fmt: skip


def test_scores_and_quadrants():
    def scored(*counts):
        return [
            {
                "recency_score": n,
                "value_score": 1,
                "rfm_segment": f"s{n}",
                "customer_count": count,
                "amount_spent": 0,
            }
            for n, count in enumerate(counts, 1)
        ]

    fresh = [{"as_of_date": day(365), "last_invoice_date": DAY}]
    old = [{"as_of_date": day(366), "last_invoice_date": DAY}]
    assert "The last purchase of all is from 2021-01-01, 366 days before" in rfm_map(scored(1), old).sentence
    assert rfm_map(scored(2, 2), fresh).sentence.startswith(
        "The largest part of the customers who ordered: s1 and s2, 2 of 4"
    )
    assert rfm_map(scored(3, 1), fresh).sentence == "Most of the customers who ordered: s1, 3 of 4 (75.0 %)."

    found = quadrants(**{"big spender, not positive": 3, "big spender, positive": 1})
    said = "Of the big spenders with both, 3 of 4 (75.0 %) have a smaller share of {} than all customers together."
    assert said.format("reviews with “good”") in spend_and_good(found, KEYWORD).sentence
    assert said.format("positive reviews") in spend_and_good(found, BOTH).sentence
    assert [row[1] for row in spend_and_good(found, BOTH).rows] == ["less positive", "more positive"]
    assert "0 of 0 have" in spend_and_good(quadrants(**{"small spender, positive": 1}), KEYWORD).sentence


def test_the_questions():
    rows = [
        {"location": "Texas", "device": "iPad", "review_count": 4, "apple_review_count": 1},
        {"location": "Ohio", "device": "iPad", "review_count": 1, "apple_review_count": 1},
    ]
    assert apple_in_three_states(rows).sentence == (
        "From an Apple device came 2 of 5 (40.0 %): 1 of 4 (25.0 %) in Texas and 1 of 1 (100.0 %) in Ohio."
    )
    states = [{"answer": "most", "location": f"S{n}", "review_count": 2} for n in range(50)]
    places = [{"location": f"S{n}", "region": "South", "review_count_2021": 2} for n in range(50)]
    assert most_and_fewest(states, places).sentence == (
        "No state has more than another: S0, S1, S2 and 47 more, 2 reviews each."
    )
    states.append({"answer": "fewest", "location": "Ohio", "review_count": 1})
    places += [
        {"location": "Ohio", "region": "Midwest", "review_count_2021": 1},
        {"location": "Utah", "region": "West", "review_count_2021": 0},
        {"location": "Guam", "region": "Unknown", "review_count_2021": 9},
    ]
    shown = most_and_fewest(states, places)
    assert shown.sentence.endswith("The lowest: Ohio, 1 review.")
    assert shown.rows[-1] == ("fewest", "Ohio", 1) and len(shown.rows) == 51
    west = {"kind_of_area": "coast", "area": "West", "device": "iPad", "review_count": 3, "place": 1}
    tied = [west, {**west, "device": "PC"}]
    assert devices_by_coast([*tied, {**west, "device": "TV", "review_count": 2, "place": 3}]).sentence == (
        "In the east: no device of a review is known. In the west: iPad and PC, 3 of 8 (37.5 %) reviews each."
    )


def test_an_answer_is_shown_with_what_comes_next():
    """51 beside 46 of eight is no more than chance makes; 510 beside 46 is more."""
    places = [
        {"location": f"S{n}", "region": "South", "computer_chrome_review_count": count}
        for n, count in enumerate((45, 51, 46, 46, 44, 43, 0))
    ]
    answer = [{"location": "S1", "review_count": 51}]
    shown = most_computer_reviews_in_chrome(answer, places)
    assert shown.sentence == (
        "S1, with 51 reviews. Next: S2 and S3, 46. The differences between the places are no larger than chance alone would make them."
    )
    assert [row[:2] for row in shown.rows] == [
        ("most", "S1"),
        ("", "S2"),
        ("", "S3"),
        ("", "S0"),
        ("", "S4"),
        ("", "S5"),
    ]
    places[1]["computer_chrome_review_count"] = 510
    assert (
        "chance"
        not in most_computer_reviews_in_chrome([{"location": "S1", "review_count": 510}], places).sentence
    )
    assert most_computer_reviews_in_chrome(answer, places[1:2]).sentence == "S1, with 51 reviews."


def test_colours_of_the_map_are_fifths():
    assert fifths([5, 1, 4, 2, 3]) == [2, 3, 4, 5]
    assert fifths(list(range(100))) == [20, 40, 60, 80]
    counts = {f"{state}": 2 + number // 25 for number, state in enumerate(list(TILES)[:50])}
    shown = by_state(
        [{"location": state, "region": "", "review_count": count} for state, count in counts.items()]
    )
    # Of two values there are two colours, and none without its meaning.
    assert shown.legend == (("page", "none"), ("step-2", "from 2"), ("step-4", "from 3"))
    assert by_state(reviewed(Texas=2, Ohio=2)).legend == ()
    # What has none looks like the page in both schemes, not like one of the steps.
    assert colours_of(shown)["FL"] == "page" and set(colours_of(shown).values()) == {
        "page",
        "step-2",
        "step-4",
    }


def colours_of(shown) -> dict[str, str]:
    """What each cell of a map is filled with, by its first line."""
    drawn = picture(shown.chart(720), "t", "d")
    cells = re.findall(r'fill="var\(--(step-\d|page)\)" stroke="', drawn)
    return dict(zip(re.findall(r'font-weight="bold"[^>]*>([^<]+)</text>', drawn), cells, strict=True))


def test_a_map_of_customers_has_the_colours_of_its_legend():
    counts = {"big spender, positive": 25, "big spender, not positive": 11, "small spender, positive": 14}
    shown = spend_and_good(quadrants(**counts, **{"small spender, not positive": 22}), KEYWORD)
    assert shown.legend == (("step-2", "11 customers"), ("step-4", "25 customers"))
    for color, meaning in shown.legend:
        assert colours_of(shown)[meaning] == color
    # of two in one colour, the larger
    assert spend_and_good(quadrants(**dict.fromkeys(QUADRANTS, 3)), KEYWORD).legend == (
        ("step-4", "3 customers"),
    )
    assert spend_and_good(quadrants(**counts), KEYWORD).legend[0] == ("step-0", "0 customers")
    scores = [
        {"recency_score": 1, "value_score": 1, "rfm_segment": "s", "customer_count": 1, "amount_spent": 0},
    ]
    assert rfm_map(scores, [{"as_of_date": DAY, "last_invoice_date": DAY}]).legend == (
        ("step-0", "0 customers"), ("step-4", "1 customer"),
    )  # fmt: skip


def test_countries():
    rows = [
        {"country": name, "customer_count": count, "amount_spent": Decimal(1)}
        for name, count in (("France", 9), ("Unknown", 6))
    ]
    shown = by_country(rows)
    assert shown.sentence.startswith(
        "Most of the customers: France, 9 of 15 (60.0 %). It is the country of their purchases"
    )
    assert shown.rows[1] == ("Unknown", 6, 0.4, 1)


def test_a_ledger_shows_shares_of_what_each_table_was():
    """A small table's bars are as long as a large one's, and what did not happen has none."""
    small = ledger(table_name="review_logs", records_delivered=2, records_in_marts=2)
    rows = [*ledger(records_delivered=1000, records_in_marts=750, records_quarantined=250), *small]
    chart = where_records_went(rows).chart
    assert chart
    drawn = picture(chart(720), "t", "d")
    texts = re.findall(r">([^<>]+)</text>", drawn)
    assert [text for text in texts if "%" in text] == ["−250 (25.0 %)", "750 (75.0 %)", "2 (100.0 %)"]
    assert "repeated" not in texts and "no customer" not in texts
    widths = re.findall(r'd="M0,[\d.]+h([\d.]+)v16h-[\d.]+Z"[^>]*fill="var\(--(pale|blue)\)"', drawn)
    full = [float(width) for width, color in widths if color == "pale"]
    assert len(full) == 2 and full[0] == full[1]


def test_groups_of_few_are_marked():
    def legend(count):
        row = {"device": "a", "region": "b", "review_count": count, "review_score": 1}
        return positive_by_group([row], [row], KEYWORD).legend

    assert legend(30) == (("blue", "share, with its 95 % interval"),)
    assert legend(29)[1:] == (("page", "of fewer than 30 reviews"),)


def test_records_and_rejections():
    sentence = where_records_went(ledger(**LOST)).sentence
    assert sentence.startswith(
        "6 of 8 (75.0 %) delivered records are in the tables for analysts. Every other record is accounted for"
    )
    assert where_money_went(ledger(**LOST)).sentence == (
        "Of the net money of purchase lines, 85.00 of 100.00 (85.0 %) is of known customers, 15.00 nobody's."
    )
    # a day of logs alone, and nobody's money: less than nothing, of which there is no share
    for rows, said in (
        (ledger(table_name="review_logs"), "0.00 of 0.00 is of known customers."),
        (
            ledger(amount_staged=None, amount_unattributable=None, amount_in_marts=None),
            "0.00 of 0.00 is of known customers.",
        ),
        (
            ledger(
                amount_staged=Decimal(70), amount_unattributable=Decimal(-15), amount_in_marts=Decimal(85)
            ),
            "85.00 of 70.00 is of known customers, −15.00 nobody's.",
        ),
    ):
        shown = where_money_went(rows)
        assert shown.sentence.endswith(said) and shown.chart and picture(shown.chart(720), "t", "d")
    assert where_records_went(
        ledger(records_delivered=0, records_in_marts=0)
    ).sentence.startswith("0 of 0 delivered")  # fmt: skip
    # the largest of one table (4) is not the largest reason (6)
    rejected = [
        {"table_name": table, "reason": reason, "rejected_records": count}
        for table, reason, count in (
            ("review_logs", "broken XML", 4), ("review_logs", "unclosed quote", 3), ("classified_movie_review", "unclosed quote", 3),
        )
    ]  # fmt: skip
    assert rejections(rejected).sentence == (
        "10 records could not be used. Most of the rejections: unclosed quote, 6 of 10 (60.0 %)."
    )


def delivered(*absent: tuple[int, str], days: int = 3) -> list[dict]:
    return [
        {
            "insert_date": day(n),
            "table_name": table,
            "is_delivered": (n, table) not in absent,
            "records_delivered": 1,
        }
        for n in range(days)
        for table in TABLES
    ]


def test_what_did_not_come():
    assert deliveries(delivered()).sentence == "The last day is 2021-01-03. All 9 deliveries came."
    # not on the last day
    assert deliveries(delivered((1, "review_logs"))).sentence == (
        "The last day is 2021-01-03. 1 of 9 (11.1 %) deliveries did not come: Logs of 2021-01-02."
    )
    sentence = deliveries(delivered(*((n, "review_logs") for n in range(3)), days=3)).sentence
    assert "3 of 9 (33.3 %) deliveries did not come" in sentence and sentence.endswith("Logs never came.")
    # a row that is not there has not come either
    assert "1 of 3 (33.3 %) deliveries did not come" in deliveries(delivered(days=1)[:2]).sentence


def test_runs():
    run = {
        "run_started_at": datetime.datetime(2021, 1, 1), "from_date": None, "to_date": None, "bytes_processed": None,
        "tables_built": 1, "table_seconds": Decimal("1.5"), "tests_run": 2, "test_seconds": Decimal(11),
    }  # fmt: skip
    assert time_of_runs([run]).sentence == (
        "In the last run 1 table took 1.50 s and 2 tests 11 s, added up. Several ran at a time: the clock showed less."
    )
    models = [
        {
            "node_name": name, "resource_type": "model", "last_run_at": None, "last_status": "success", "last_seconds": Decimal(2),
            "mean_seconds": 2, "run_count": 1, "last_rows_affected": None, "last_bytes_processed": size,
        }
        for name, size in (("a", 600), ("b", 600))
    ]  # fmt: skip
    assert time_of_models(models).sentence == "The longest time of a table in its last run: a and b, 2.00 s."
    assert (
        "The largest part of the bytes read in the last runs: a and b, 600 B of 1.2 kB (50.0 %) each"
        in bytes_of_models(models).sentence
    )


def overview(**changed) -> list[dict]:
    row = {
        "first_invoice_date": datetime.date(2020, 11, 1), "last_invoice_date": datetime.date(2021, 2, 9),
        "first_order_date": datetime.date(2020, 12, 1), "last_order_date": datetime.date(2021, 2, 8),
        "first_review_date": None, "last_review_date": None, "amount_spent": Decimal(129), "invoice_count": 3,
        "invoiced_customer_count": 2, "order_count": 1, "ordering_customer_count": 1, "review_count": 0, "reviewer_count": 0,
    }  # fmt: skip
    return [{**row, **changed}]


def months(*money: int) -> list[dict]:
    """From November 2020."""
    return [
        {
            "active_month": datetime.date(2020 + (10 + n) // 12, (10 + n) % 12 + 1, 1),
            "amount_spent": Decimal(amount),
        }
        for n, amount in enumerate(money)
    ]


def test_only_whole_months_are_compared():
    """February ends on its 9th, so January is the last whole one."""
    assert sales_by_month(months(5, 10, 15, 99), overview()).sentence == (
        "2021-01, the last whole month: 15.00 net, 50.0 % more than in 2020-12."
    )
    # December had nothing, which is a month as well
    rows = months(5, 10, 15, 99)
    del rows[1]
    without_it = {"amount_spent": Decimal(119)}
    assert sales_by_month(rows, overview(**without_it)).sentence.endswith("15.00 net, after 0.00 in 2020-12.")
    assert [row[1:] for row in sales_by_month(rows, overview(**without_it)).rows] == [
        ("", 5),
        ("", 0),
        ("", 15),
        ("not whole", 99),
    ]
    late = overview(first_invoice_date=datetime.date(2020, 12, 2), amount_spent=Decimal(114))
    assert sales_by_month(rows, late).sentence.endswith("15.00 net. The month before is not whole.")
    short = overview(
        first_invoice_date=datetime.date(2021, 1, 2),
        last_invoice_date=datetime.date(2021, 1, 31),
        amount_spent=Decimal(15),
    )
    assert sales_by_month(rows, short).sentence == "No month is whole yet."
    whole = overview(last_invoice_date=datetime.date(2021, 2, 28), amount_spent=Decimal(45))
    assert sales_by_month(months(5, 10, 15, 15), whole).sentence.endswith("15.00 net, as in 2021-01.")


def test_money_outside_of_the_months_is_said_and_adds_up():
    shown = sales_by_month(months(5, 10, 15, 99), overview(amount_spent=Decimal("126.50")))
    assert shown.sentence.endswith(
        " In no month: −2.50, of customers without an order and from before the month of a customer's first order."
    )
    assert shown.rows[-1] == (None, "without an order, or before the first", Decimal("-2.50"))
    assert sum(money for _, _, money in shown.rows) == Decimal("126.50")
    assert csv_text(shown).splitlines()[0] == "Month,Note,Net money"


def test_parts_of_a_row_are_about_the_same_customers():
    """Two customers have three invoices and the money; one of them has the only order."""
    assert at_a_glance(overview(), []).rows[:2] == [
        (
            "Invoices, returns included",
            datetime.date(2020, 11, 1),
            datetime.date(2021, 2, 9),
            3,
            2,
            Decimal(129),
        ),
        ("Orders", datetime.date(2020, 12, 1), datetime.date(2021, 2, 8), 1, 1, None),
    ]


def test_the_day_of_a_review_is_described_as_it_is_computed():
    """As in the model int_touched_review and the query of the months: the earlier of log and delivery."""
    wrote = {"first_review_date": DAY, "last_review_date": DAY, "review_count": 2, "reviewer_count": 1}
    assert at_a_glance(overview(**wrote), []).sentence.endswith(
        f"Reviews from {DAY} to {DAY}, by the day in the log but never one after the delivery: 2 by 1 customer."
    )
    figures = {figure.name: figure for figure in OVERVIEW.figures}
    said = "the day in its log or that of its delivery, whichever is earlier; without a log, that of its delivery."
    assert said in figures["glance"].definition and said in figures["reviews"].definition


def test_a_month_before_the_first_delivery_is_not_whole():
    """Deliveries began with 2021; a log of March 2020 and some of December came late, and are not all of theirs."""
    wrote = {"first_review_date": datetime.date(2020, 3, 5), "last_review_date": datetime.date(2021, 2, 28)}
    rows = [
        {"active_month": month, "review_count": count, "reviewer_count": 1, "review_score": 0, "delivery_dated_count": 0}
        for month, count in (
            (datetime.date(2020, 3, 1), 1), (datetime.date(2020, 11, 1), 5), (datetime.date(2020, 12, 1), 40),
            (datetime.date(2021, 1, 1), 90), (datetime.date(2021, 2, 1), 99),
        )
    ]  # fmt: skip

    def shown(*deliveries):
        columns = ("table_name", "insert_date", "is_delivered")
        return reviews_by_month(
            rows, overview(**wrote), [dict(zip(columns, row, strict=True)) for row in deliveries]
        )

    # Neither another table's delivery counts, nor one that did not come.
    others = [
        ("user_purchase", datetime.date(2020, 3, 1), True),
        ("classified_movie_review", datetime.date(2020, 12, 1), False),
    ]
    first = ("classified_movie_review", datetime.date(2021, 1, 1), True)
    found = shown(*others, first)
    assert {row[0] for row in found.rows if not row[1]} == {
        datetime.date(2021, 1, 1),
        datetime.date(2021, 2, 1),
    }
    assert found.sentence == "2021-02, the last whole month: 99 reviews, 10.0 % more than in 2021-01."
    # The first of them that came within January leaves February alone.
    late = shown(*others, ("classified_movie_review", datetime.date(2021, 1, 2), True))
    assert late.sentence == "2021-02, the last whole month: 99 reviews. The month before is not whole."
    # What another page counts elsewhere is said.
    rows[1]["delivery_dated_count"], rows[2]["delivery_dated_count"] = 2, 3
    assert shown(first).sentence.endswith(
        " Of all, 5 are in the month of their delivery, since their log is missing or names a later day; Reviews and Explore go by the log alone."
    )


def test_a_change_is_a_share_of_what_there_was():
    assert change(Decimal(9), Decimal(10), "money") == "10.0 % less than"
    assert change(10_001, 10_000_000, "count") == "99.9 % less than"
    assert change(10_001, 10_000, "count") == "under 0.1 % more than"
    assert change(Decimal(9), Decimal(-10), "money") == "after −10.00"


def test_no_purchases_or_no_reviews():
    nothing = overview(first_invoice_date=None, last_invoice_date=None, amount_spent=Decimal(0))
    assert at_a_glance(nothing, []).sentence == "No purchase line has a customer. No review has a customer."
    for shown in (
        sales_by_month([], nothing),
        orders_by_month([], nothing),
        reviews_by_month([], nothing, []),
    ):
        assert shown.sentence == "No month is whole yet."
    assert at_a_glance(overview(), ledger(**LOST)).sentence == (
        "Purchases and returns from 2020-11-01 to 2021-02-09: 3 invoices of 2 customers, 129.00 net. Among them 1 order by 1 customer. "
        "Not in it: purchase lines without a customer, 2 of 8 (25.0 %), with 15.00 of 100.00 (15.0 %) of the net money. No review has a customer."
    )


def judged(classifier="keyword", **figures):
    """A version of a classifier that judged three reviews, and was not measured unless `figures` say so."""
    row = {"classifier": classifier, "classifier_version": "1-a", "first_day": DAY, "last_day": DAY}
    row |= {"classified_reviews": 3, "positive_reviews": 1, "scored_reviews": 0, "unsure_reviews": 0}
    row |= dict.fromkeys(("accuracy", "sensitivity", "specificity", "labelled_reviews", "measured_on"))
    row |= dict.fromkeys(f"corrected_positive_share{end}" for end in ("", "_low", "_high"))
    return row | figures


MEASURED = {
    "accuracy": 0.9,
    "sensitivity": 0.88,
    "specificity": 0.92,
    "labelled_reviews": 2000,
    "measured_on": "films",
}
HARDLY = MEASURED | {
    "accuracy": 0.5,
    "sensitivity": 0.4,
    "specificity": 0.6,
}
CORRECTED = dict(
    zip(
        ("corrected_positive_share", "corrected_positive_share_low", "corrected_positive_share_high"),
        (0.3, 0.1, 0.8),
        strict=True,
    )
)


def test_a_share_is_shown_with_the_classifier_and_its_error():
    raw = "calls 1 of 3 (33.3 %) reviews positive"
    assert positive_share([judged()]).sentence == (
        f"keyword 1-a {raw}; how often it is right was not measured, so that nothing can be corrected."
    )
    assert positive_share([judged(**HARDLY)]).sentence == (
        f"keyword 1-a {raw}; that cannot be corrected for its error, since it hardly tells positive from negative."
    )
    assert positive_share([judged(**MEASURED)]).sentence == (
        f"keyword 1-a {raw}; its known error cannot be right for these reviews: corrected for it, fewer than none of them or more than all "
        "would be positive."
    )
    shown = positive_share(
        [judged(**HARDLY), judged("model", scored_reviews=3, unsure_reviews=2, **MEASURED, **CORRECTED)]
    )
    assert shown.sentence == (
        f"keyword 1-a {raw}; that cannot be corrected for its error, since it hardly tells positive from negative. "
        f"model 1-a {raw}; corrected for its known error: 30.0 % (95 % interval: 10.0 % to 80.0 %). "
        "Each has errors of its own: their raw shares are not to be compared."
    )
    assert [row[8:] for row in shown.rows] == [(None, None, None, 0.5, None), (0.3, 0.1, 0.8, 0.9, 2)]
    assert shown.chart and all(shown.chart(width) for width in WIDTHS.values())


def test_two_classifiers_are_said_to_agree_with_what_chance_would_do():
    """10 reviews, 3 and 4 of one mind: as a table of 2 by 2, kappa 0.4."""
    row: dict[str, Any] = {
        "classifier": "keyword",
        "classifier_version": "2-c",
        "other_classifier": "lexicon",
        "other_classifier_version": "1-e",
        "accuracy": Decimal("0.49676"),
        "other_accuracy": None,
    }
    row |= {
        "first_day": DAY,
        "last_day": DAY,
        "compared_reviews": 10,
        "both_positive_reviews": 3,
        "both_negative_reviews": 4,
    }
    row |= {
        "positive_reviews": 4,
        "other_positive_reviews": 5,
        "kappa": 0.4,
        "lowest_kappa": 0.4,
        "highest_kappa": 0.4,
    }
    same = "keyword and lexicon say the same of 7 of 10 (70.0 %) reviews"
    assert agreement([row]).sentence == (
        f"{same}, 0.40 of the way from chance to always (kappa). Two that agree may both be wrong. "
        "Right on labelled reviews: keyword 49.7 % and lexicon not measured."
    )
    for kappa, said in (
        (0.001, "no more than by chance (kappa 0.00)"),
        (-0.001, "no more than by chance (kappa 0.00)"),
        (-0.2, "no more than by chance (kappa −0.20)"),
        (None, "which chance alone would make them do"),
    ):
        assert f"{same}, {said}." in agreement([row | {"kappa": kappa}]).sentence
    (shown,) = agreement([row]).rows
    assert shown[4:10] == (10, 3, 1, 2, 4, 0.7)
    chart = agreement([row]).chart
    assert chart and all(chart(width) for width in WIDTHS.values())


def test_positive_is_never_said_without_what_it_is_worth():
    def said(*rows):
        manifest = {
            "metadata": {"project_name": "p"},
            "docs": {"doc.p.classifier_agreement": {"block_contents": "A coin."}},
        }
        warehouse: Any = SimpleNamespace(answers={"report_classifiers": rows}, manifest=manifest)
        return _classifier_agreement(warehouse)

    measured = (
        "“Positive” is what model 1-a decided, which was right on 90.0 % of 2,000 labelled reviews (films): of the positive ones it finds "
        "88.0 %, of the negative ones 92.0 %."
    )
    rule = judged(**MEASURED | KEYWORD[0])
    assert said() == said(rule) == "A coin."
    assert said(judged("model", **MEASURED)) == measured
    assert said(rule, judged("model", **MEASURED)) == f"{measured} On other days: A coin. {MIXED}"
    new = judged("model", classifier_version="1-b", **MEASURED)
    assert said(judged("model", **MEASURED), new) == f"{measured} {measured.replace('1-a', '1-b')} {MIXED}"
    # with other words, of which the company's figure says nothing
    assert (
        said(judged()) == "“Positive” is what keyword 1-a decided; how often that is right is not measured."
    )
    assert said(judged(**MEASURED)) == measured.replace("model", "keyword")


def test_positive_means_good_only_by_the_companys_rule():
    assert ("keyword", keyword(pa.array(["a text"]), effective_words()).version) == COMPANYS_RULE
    assert is_keyword([]) and is_keyword(KEYWORD)
    assert not is_keyword([judged()]) and not is_keyword(BOTH)


def test_a_number_does_not_break_before_its_unit():
    assert unbroken_days("0.70 s. 2 states, 5.4 MB, 3 B and 48.6 % of 25,000 (1.0 %)") == (
        "0.70&nbsp;s. 2 states, 5.4&nbsp;MB, 3&nbsp;B and 48.6&nbsp;% of 25,000 (1.0&nbsp;%)"
    )


def test_a_day_does_not_break_at_its_hyphens_and_text_stays_text():
    assert unbroken_days('<b> "x" & from 2021-01-05 to 2021-02, 12021-01-05') == (
        '&lt;b&gt; &quot;x&quot; &amp; from <span class="day">2021-01-05</span> to <span class="day">2021-02</span>, 12021-01-05'
    )
