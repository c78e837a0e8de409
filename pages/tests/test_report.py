"""The report: what its pages say about the sample, against the sample's right answers, and what they say when something is missing."""

import csv
import datetime
import re
from collections import Counter
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from ci.staged_sample import Warehouse, staged_warehouse
from pages.report import pages
from pages.report.build import NAVIGATION, WIDTHS
from pages.report.charts import picture
from pages.report.pages.customers import cohorts
from pages.report.pages.reviews import wilson_interval
from pages.tests.build import build_report

pytestmark = pytest.mark.slow
NAMES = [page.name for page in pages.PAGES]
RECORDS = {
    "Reviews (classified_movie_review)": "classified_movie_review",
    "Logs (review_logs)": "review_logs",
    "Purchase lines (user_purchase)": "user_purchase",
}


class Reader(HTMLParser):
    """The sections of a page: each a dict of its elements, tables and text."""

    def __init__(self, html: str):
        super().__init__()
        self.sections: dict[str, dict] = {}
        self._open: dict | None = None
        self._row: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "section":
            self._open = {"text": "", "tags": Counter(), "pictures": [], "rows": []}
            self.sections[attributes["id"]] = self._open
        if self._open is None:
            return
        self._open["tags"][tag] += 1
        if attributes.get("role") == "img":
            self._open["pictures"].append(attributes)
        if tag == "tr":
            self._row = []
            self._open["rows"].append(self._row)
        if tag in ("td", "th") and self._row is not None:
            self._row.append("")

    def handle_endtag(self, tag):
        if tag == "section":
            self._open = None
        if tag == "tr":
            self._row = None

    def handle_data(self, data):
        if self._open is not None:
            self._open["text"] += data
            if self._row:
                self._row[-1] += data


def read(site, name) -> dict[str, dict]:
    return Reader((site / f"{name}.html").read_text()).sections


def numbers(section) -> list[tuple]:
    """The rows of the table without its head, counts as numbers."""
    return [
        tuple(int(cell.replace(",", "")) if re.fullmatch(r"[\d,]+", cell) else cell for cell in row)
        for row in section["rows"][1:]
    ]


@pytest.fixture(scope="module")
def changed_site(built, tmp_path_factory):
    """The report on a warehouse with a failed test, rows that tests found, missing days and small countries, of which none changes
    what is told of another."""
    folder = tmp_path_factory.mktemp("changed")
    (never_staged,), (never_built,) = missing_days(built)
    countries = [country for country, size in CUSTOMERS.items() for _ in range(size)]
    own = built.copy(folder / "warehouse")
    own.change(
        "delete from analytics_audit.failing_row",
        "insert into analytics_audit.failing_row select invocation_id, run_started_at, unique_id, node_name, "
        "'row: ' || number || '<b>', 'customer_id' from analytics_audit.run_result, range(5) as numbers(number) "
        "where node_name in ('device_never_seen_before', 'table_twice_on_a_day_in_the_ledger')",
        "insert into analytics_audit.run_result select * replace ('fail' as status, 7 as failures, "
        "run_started_at + interval 1 hour as run_started_at, 'later' as invocation_id) from analytics_audit.run_result "
        "where node_name = 'ledger_does_not_balance'",
        f"delete from analytics_marts.ledger where insert_date = '{never_staged}'",
        f"delete from analytics_audit.day_built where insert_date = '{never_built}'",
        "delete from analytics_marts.user_profile where customer_id not in "
        f"(select customer_id from analytics_marts.user_profile order by 1 limit {len(countries)})",
        f"update analytics_marts.user_profile set country = ({countries}::varchar[])[place] from "
        "(select customer_id as id, row_number() over (order by customer_id) as place from analytics_marts.user_profile) where id = customer_id",
    )
    reported = build_report(own, folder / "site")
    assert reported.returncode == 0, reported.stderr
    return folder / "site"


# Country -> its customers.
CUSTOMERS = {"A": 1, "B": 1, "C": 5, "D": 6}


def missing_days(built: Warehouse) -> list[tuple]:
    """Of which one is not staged, the other not built."""
    return built.query("select distinct insert_date from analytics_marts.ledger order by insert_date")[1:4:2]


def test_the_five_answers_are_the_samples(report_site, sample):
    asked, page = sample.answers()["questions"], read(report_site, "questions")
    assert dict(numbers(page["three-states"])) == asked["reviews_by_state"]
    apple: Counter[str] = Counter()
    for state, _device, _count, of_apple in numbers(page["apple"]):
        apple[state] += of_apple
    assert apple == asked["apple_reviews_by_state"]
    ranked = numbers(page["chrome"])
    assert [place for answer, place, _ in ranked if answer] == asked["computer_chrome_reviews_most"]
    assert {place: count for _, place, count in ranked} == asked["computer_chrome_reviews_by_location"]
    for answer in ("most", "fewest"):
        states = [state for said, state, _ in numbers(page["most-and-fewest"]) if said == answer]
        assert states == asked[f"reviews_by_state_in_2021_{answer}"]
        assert all(state in page["most-and-fewest"]["text"] for state in states)
    ranked = numbers(page["most-and-fewest"])
    assert {state: count for _, state, count in ranked} == asked["reviews_by_state_in_2021"]
    assert [count for _, _, count in ranked] == sorted((count for _, _, count in ranked), reverse=True)
    for coast in ("East", "West"):
        of_coast = [row for row in numbers(page["devices"]) if row[1:3] == ("coast", coast)]
        assert [row[3] for row in of_coast if row[0]] == asked[f"reviews_by_device_{coast.lower()}_most"]
        counts = {
            device or "Unknown": count
            for device, count in asked[f"reviews_by_device_{coast.lower()}"].items()
        }
        assert {row[3]: row[4] for row in of_coast} == {
            device: count for device, count in counts.items() if device != "Unknown"
        }


def test_the_ledger_and_what_was_rejected_are_the_samples(report_site, sample):
    answers, page = sample.answers(), read(report_site, "trust")
    expected: dict[str, Counter[str]] = {}
    for row in answers["ledger"]:
        sums = expected.setdefault(row["table_name"], Counter())
        for what in ("delivered", "quarantined", "duplicate", "unattributable", "in_marts"):
            sums[what] += row[f"records_{what}"]
    found = {RECORDS[table]: counts[:5] for table, *counts in numbers(page["ledger"])}
    assert found == {table: list(sums.values()) for table, sums in expected.items()}
    money = sum(Decimal(row["amount_in_marts"] or 0) for row in answers["ledger"])
    assert page["money"]["rows"][-1] == ["in the tables", f"{money:,.2f}"]
    rejected: Counter[tuple[str, str]] = Counter()
    for row in answers["quarantine"]:
        rejected[row["table_name"], row["reason"]] += row["records"]
    assert {
        (RECORDS[table], reason): count for table, reason, count in numbers(page["rejections"])
    } == rejected
    delivered = {
        (row["insert_date"], row["table_name"]): (
            "yes" if row["is_delivered"] else "no",
            row["records_delivered"],
        )
        for row in answers["ledger"]
    }
    assert {(row[0], RECORDS[row[1]]): row[2:] for row in numbers(page["deliveries"])} == delivered


def test_customers_and_reviews_add_up_to_the_samples(report_site, sample, built):
    days = sample.answers()["user_behavior_metric"]
    money = sum(Decimal(row["amount_spent"]) for row in days)
    customers = len({row["customer_id"] for row in days})
    page = read(report_site, "customers")
    ((buyers,),) = built.query(
        "select count(distinct customer_id) from analytics_intermediate.int_purchase_line where customer_id is not null"
    )
    said = f"{buyers:,} customers with a purchase or return spent {money:,.2f} net"
    assert said in page["segments"]["text"] and 0 < buyers < customers
    assert [(row[0], row[1]) for row in numbers(page["countries"])] == built.query(
        "with each as (select coalesce(country, 'Unknown') as country, count(*) as n from analytics_marts.user_profile group by 1) "
        "select case when n < 5 then 'Other (small countries)' else country end as named, sum(n) from each group by 1 "
        "order by 2 desc, 1"
    )
    assert sum(row[1] for row in numbers(page["segments"])) == customers
    assert sum(row[2] for row in numbers(page["quadrants"])) == customers
    reviews = sum(row["review_count"] for row in days)
    page = read(report_site, "reviews")
    for figure, column in (("by-day", 1), ("by-device", 1), ("by-state", 2)):
        assert sum(row[column] for row in numbers(page[figure])) == reviews, figure
    good = sum(row["review_score"] for row in days)
    assert numbers(page["positive"])[0][2:4] == (reviews, good)


def test_months_are_those_of_the_purchase_lines_and_reviews(report_site, built):
    """From the lines and the attributed reviews themselves, not from what the report asks."""
    money = dict(
        built.query(
            "with lines as (select *, min(invoiced_at) over (partition by customer_id, invoice_number) as booked_at, "
            "max(amount) over (partition by customer_id, invoice_number) > 0 as is_order from analytics_intermediate.int_purchase_line), "
            "firsts as (select customer_id, date_trunc('month', min(booked_at)) as first_month from lines where is_order group by all) "
            "select strftime(booked_at, '%Y-%m'), sum(amount) from lines join firsts using (customer_id) "
            "where booked_at >= first_month group by all"
        )
    )
    page = read(report_site, "index")
    shown = {row[0]: amount_of(row[2]) for row in page["sales"]["rows"][1:] if row[0] != "–"}
    assert {month: amount for month, amount in shown.items() if amount} == {
        month: round(amount, 2) for month, amount in money.items() if amount
    }
    orders = built.query(
        "select strftime(first, '%Y-%m'), count(*), count(distinct customer_id) from (select customer_id, min(invoiced_at) as first "
        "from analytics_intermediate.int_purchase_line group by customer_id, invoice_number having max(amount) > 0) group by all order by 1"
    )
    assert [(month, *counts) for month, _, *counts in numbers(page["orders"]) if counts[0]] == orders
    reviews = built.query("select count(*), count(distinct customer_id), sum(positive_review) from "
                          "analytics_intermediate.int_attributed_review where customer_id is not null")  # fmt: skip
    found = numbers(page["reviews"])
    assert (sum(row[2] for row in found), sum(row[4] for row in found)) == (reviews[0][0], reviews[0][2])
    glance = {row[0]: row for row in page["glance"]["rows"]}
    invoices = built.query(
        "select count(*), count(distinct customer_id) from (select distinct customer_id, invoice_number "
        "from analytics_intermediate.int_purchase_line)"
    )
    assert glance["Invoices, returns included"][3:5] == [f"{count:,}" for count in invoices[0]]
    assert glance["Reviews"][3:5] == [f"{count:,}" for count in reviews[0][:2]]
    ordering = built.query(
        "select count(distinct customer_id) from analytics_intermediate.int_purchase_line where amount > 0"
    )
    assert glance["Orders"][3:] == [f"{sum(row[1] for row in orders):,}", f"{ordering[0][0]:,}", "–"]
    ((total,),) = built.query("select sum(amount) from analytics_intermediate.int_purchase_line")
    assert amount_of(glance["Invoices, returns included"][5]) == round(total, 2)
    # As in the file, which has every digit: the months and what is in none are all of it.
    file = csv.DictReader(files(report_site, "index")["sales"].splitlines())
    assert sum(Decimal(row["Net money"]) for row in file) == total


def amount_of(shown: str) -> Decimal:
    return Decimal(shown.replace(",", "").replace("−", "-"))


def files(site, name) -> dict[str, str]:
    """The CSV files of a page, by figure."""
    html = (site / f"{name}.html").read_text()
    links = re.findall(
        rf'download="{name}-([a-z-]+?)-[^"]*" href="data:text/csv;charset=utf-8,([^"]*)"', html
    )
    return {figure: unquote(unescape(link)).removeprefix("\ufeff") for figure, link in links}


def test_every_column_of_a_file_has_its_name(report_site):
    for name in NAMES:
        for figure, file in files(report_site, name).items():
            headings = next(csv.reader(file.splitlines()))
            assert all(headings) and len(set(headings)) == len(headings), (name, figure, headings)
            assert name == "questions" or "Answer" not in headings, (name, figure)


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_has_what_it_takes_to_be_believed(report_site, manifest, name):
    owner = manifest["exposures"][f"exposure.movie_analytics.report_{name}"]["owner"]["name"]
    for figure, section in read(report_site, name).items():
        text = section["text"]
        assert "Definition" in text, figure
        # of what the day is, beside the tables that have one
        if figure not in ("sizes", "rejections"):
            assert re.search(r"(?:Delivered to|Profiles as of|Last run|Measured) \d{4}-\d\d-\d\d", text), (
                figure
            )
        assert re.search(rf"Owner\s+{owner}\s", text), figure
        # all of the model but the days that it judged is in its card
        if "card.json" not in text:
            assert "Tables behind it, with their rows" in text, figure
            assert re.search(r"The quer(y|ies)\s+(select|with|--)", text), figure
            assert re.search(r"\d+ passed.*\d+ failed|No tests of them", text, re.DOTALL), figure
        # bytes are not told by DuckDB, no day is missing here, and three are tables alone
        if figure not in ("bytes", "missing", "glance", "warnings", "limits"):
            assert len(section["pictures"]) == section["tags"]["svg"] == len(WIDTHS), figure
            assert all("The table below" in chart["aria-label"] for chart in section["pictures"]), figure
            assert section["tags"]["th"] > 1 and section["tags"]["td"] > 1, figure


def test_nothing_says_positive_without_how_often_that_is_right(report_site):
    said = {
        (page, figure)
        for page in NAMES
        for figure, section in read(report_site, page).items()
        # which is about another classifier, and begins with how often that is right
        if page != "model"
        and re.search("positive|“good”", section["text"], re.IGNORECASE)
        and "49.7 %" not in section["text"]
    }
    assert said == set()
    right = read(report_site, "model")["card"]["text"].replace("\u00a0", " ")
    assert "91.2 % (89.3 % to 92.8 %)" in right
    for page in NAMES:
        assert "happy" not in (report_site / f"{page}.html").read_text().lower()


def test_the_pages_are_small_and_ask_for_nothing(report_site):
    # Explore, which has a script, has tests of its own
    sizes = [file.stat().st_size for file in report_site.iterdir() if file.stem != "explore"]
    assert len(sizes) == len(NAMES) and max(sizes) < 300_000 and sum(sizes) < 1_000_000
    for name in NAMES:
        html = unescape((report_site / f"{name}.html").read_text())
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
        assert "<script" not in html and "@import" not in html and "url(" not in html
        allowed = r"data:,|data:text/csv;charset=utf-8,|#|\.\./index\.html|\.\./tables/[a-z_]+\.html\"|[a-z]+\.html\"|(?:trust|explore)\.html#"
        assert not re.search(rf'(?:src|href)="(?!{allowed})', html)
        assert not re.search(r"#0101[0-9a-f]{2}", html), "a colour that no variable took the place of"


def test_exposures_depend_on_exactly_what_the_pages_ask(manifest):
    analyses = {
        node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "analysis"
    }
    for page in NAVIGATION:
        exposure = manifest["exposures"][f"exposure.movie_analytics.report_{page.name}"]
        asked = {
            table
            for figure in page.figures
            for query in figure.queries
            for table in analyses[query]["depends_on"]["nodes"]
        }
        assert set(exposure["depends_on"]["nodes"]) == asked, page.name
    assert len(manifest["exposures"]) == len(NAVIGATION)


def test_a_failed_test_shows_as_failed(changed_site):
    page = read(changed_site, "trust")
    assert "failed: ledger does not balance" in page["ledger"]["text"]
    assert re.search(r"✗\s+1 failed", page["ledger"]["text"])
    assert "1 failed, 0 warned" in page["tests"]["text"]
    # what it means, in the words of the project, where the names of tests lead to
    warnings = page["warnings"]
    assert warnings["text"].count("1 test failed: ledger does not balance.") == 1
    (row,) = [row for row in warnings["rows"] if row[0] == "ledger does not balance"]
    assert row[2:5] == ["7", "failed", "ledger"] and "run their days again" in row[1]
    html = (changed_site / "trust.html").read_text()
    assert (
        'id="test-ledger_does_not_balance"' in html
        and 'href="trust.html#test-ledger_does_not_balance"' in html
    )
    assert re.search(r"tests: \d+ passed, 3 warned, 1 failed", html)


def test_every_test_that_warned_is_explained(built, report_site, manifest):
    """In the order of the run's own record, which is asked here in another way than the report's."""
    found = built.query(
        "select node_name, arg_max(status, run_started_at), arg_max(failures, run_started_at) from analytics_audit.run_result "
        "where resource_type = 'test' group by node_name having arg_max(status, run_started_at) <> 'pass' order by node_name"
    )
    assert found
    rows = read(report_site, "trust")["warnings"]["rows"][1:]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        (name.replace("_", " "), str(failures), "warned") for name, _, failures in found
    ]
    described = {
        node["name"]: " ".join(node["description"].split())
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    assert [row[1] for row in rows] == [described[name] for name, *_ in found]
    assert all(described.values()), "a test without a description cannot be explained"


def test_the_state_of_the_data_is_on_every_page(built, report_site):
    ((delivered, absent),) = built.query(
        "select max(insert_date) filter (is_delivered), count(*) filter (not is_delivered) from analytics_marts.ledger"
    )
    ((run, asked),) = built.query("select max(run_started_at), max(to_date) from analytics_audit.run_result")
    assert asked == delivered, "a history that has ended, run years later, is not late"
    ((rejected, records, unbalanced),) = built.query(
        "select sum(records_quarantined), sum(records_delivered), count(*) filter (not is_balanced) from analytics_marts.ledger"
    )
    assert rejected and not unbalanced
    for name in NAMES:
        html = (report_site / f"{name}.html").read_text()
        line = " ".join(re.sub("<[^>]*>", "", html.split('<ul class="status"')[1].split("</ul>")[0]).split())
        for said in (
            f"last day {delivered}, not late",
            "ledger balances",
            f"quarantine: {rejected:,} of {records:,} (",
            f"last run {run:%Y-%m-%d %H:%M} UTC",
        ):
            assert said in line and "days late" not in line, name
        assert bool(absent) == ("no delivery missing" not in line) and (
            not absent or f"{absent} deliver" in line
        )


def test_rows_that_a_test_found_are_shown_with_it(changed_site):
    """Three of them, and none once the test has passed."""
    shown = read(changed_site, "reviews")["by-device"]["text"]
    (found,) = re.findall(r"warned: device never seen before\s+(.*?)\s+last at", shown, re.DOTALL)
    assert found.split("\n") == [f"row: {number}<b>, customer_id: not kept" for number in range(3)]
    assert "row: 3" not in shown and "row: " not in read(changed_site, "trust")["ledger"]["text"]


def test_names_from_the_data_are_text_and_nothing_else(hostile_site, hostile_names):
    html = (hostile_site / "reviews.html").read_text()
    assert "<script" not in html and "<img" not in html
    assert html.count("&lt;script&gt;") >= 3
    shown = {row[0] for row in read(hostile_site, "reviews")["by-device"]["rows"]}
    assert set(hostile_names.values()) <= shown, "the table has names in full"


def test_what_is_missing_is_said_in_a_sentence(built, tmp_path):
    # The wide table is a view that reads user_profile: without the one there is no other.
    own = built.copy(tmp_path / "warehouse")
    own.change(
        "drop table analytics_audit.run_result", "drop view analytics_marts.movie_analytics_obt",
        "drop table analytics_marts.user_profile", "delete from analytics_marts.fact_movie_analytics",
    )  # fmt: skip
    reported = build_report(own, tmp_path / "site")
    assert reported.returncode == 0 and "Traceback" not in reported.stderr, reported.stderr
    assert "the warehouse has no user_profile" in read(tmp_path / "site", "customers")["segments"]["text"]
    assert "No review by a customer" in read(tmp_path / "site", "reviews")["by-day"]["text"]
    page = read(tmp_path / "site", "trust")
    assert "the warehouse has no run_result" in page["tests"]["text"]
    assert re.search(r"[1-9]\d* not run", page["ledger"]["text"]) and page["ledger"]["pictures"]


def test_days_that_are_missing_are_listed(built, report_site, changed_site):
    assert "No day between the first and the last is missing" in read(report_site, "runs")["missing"]["text"]
    (never_staged,), (never_built,) = missing_days(built)
    missing = read(changed_site, "runs")["missing"]
    assert (
        f"2 days are missing between the first and the last: {never_built} and {never_staged}."
        in missing["text"]
    )
    assert missing["rows"][1:] == [
        [str(never_built), "no build of it has ended well"],
        [str(never_staged), "not staged"],
    ]


def test_a_warehouse_without_marts_is_one_clear_line(sample, tmp_path):
    refused = build_report(staged_warehouse(tmp_path / "empty", sample.staging), tmp_path / "site")
    assert refused.returncode == 1 and not (tmp_path / "site").exists()
    assert refused.stderr.strip().splitlines()[-1].startswith("error: ") and "make run" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_empty_day_is_a_report_without_numbers(tmp_path):
    warehouse = staged_warehouse(tmp_path / "nothing", tmp_path / "staging")
    warehouse.build()
    built = build_report(warehouse, tmp_path / "site", MODEL_URI="")
    assert built.returncode == 0, built.stderr
    assert all(not section["pictures"] for section in read(tmp_path / "site", "questions").values())
    assert "No customer with a purchase" in read(tmp_path / "site", "index")["sales"]["text"]
    # nor a model
    ((name, section),) = read(tmp_path / "site", "model").items()
    assert name == "card" and "No model was named" in section["text"]


def test_the_same_warehouse_gives_the_same_pages(built, report_site, tmp_path):
    model = str(report_site.with_name("model"))
    assert build_report(built, tmp_path / "again", MODEL_URI=model).returncode == 0
    for name in NAMES:
        assert (tmp_path / "again" / f"{name}.html").read_text() == (report_site / f"{name}.html").read_text()


@pytest.mark.parametrize(
    ("positives", "count", "low", "high"),
    # worked out by hand with z = 1.96 (0/10: z²/(n+z²) is the upper bound)
    [(0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (5, 10, 0.23659, 0.76341)],
)
def test_wilsons_interval(positives, count, low, high):
    assert wilson_interval(positives, count) == pytest.approx((low, high), abs=1e-4)


def test_who_orders_again_is_counted_in_whole_months_of_new_customers():
    """Of 20 new customers 4 came back. The first cohort may have old ones, and January's month after is not over."""
    first, second, third = (datetime.date(*month, 1) for month in ((2020, 11), (2020, 12), (2021, 1)))
    rows = [
        {
            "cohort_month": month, "months_since_first": after, "is_complete": is_complete, "is_left_censored": month == first,
            "customer_count": count, "active_customer_count": active, "retention": active / count, "amount_spent": 1,
        }
        for month, after, count, active, is_complete in (
            (first, 0, 10, 10, True), (first, 1, 10, 9, True), (second, 0, 20, 20, True), (second, 1, 20, 4, True),
            (second, 2, 20, 20, False), (third, 0, 5, 5, True), (third, 1, 5, 5, False),
        )
    ]  # fmt: skip
    days = [{"first_invoice_date": first, "last_invoice_date": datetime.date(2021, 2, 9)}]
    shown = cohorts(rows, days)
    assert (
        "Of 20 new ones with a whole month behind them, 4 (20.0 %) ordered again in the month after"
        in shown.sentence
    )
    assert [row[2] for row in shown.rows].count("not over") == 2
    # The highest share of a whole later month is the darkest; the size of a cohort, and a month that is not over, have no colour.
    assert shown.chart
    drawn = picture(shown.chart(720), "t", "d")
    cells = re.findall(r'fill="var\(--(step-\d|page)\)" stroke="', drawn)
    texts = re.findall(r'font-weight="bold"[^>]*>([^<]+)</text>', drawn)
    assert dict(zip(texts, cells, strict=True)) == {
        "10": "page", "90 %": "step-4", "20": "page", "20 %": "step-1", "100 %": "page", "5": "page",
    }  # fmt: skip
    assert ("step-4", "up to 90 % came back") in shown.legend
    young = cohorts([row for row in rows if row["is_left_censored"]], days)
    assert "No month after a cohort's own is over yet" in young.sentence


def test_no_country_tells_of_few_customers_and_nobody_is_left_out(changed_site):
    """Two customers alone in their countries go with the next smallest country, which has five."""
    assert [row[:2] for row in numbers(read(changed_site, "customers")["countries"])] == [
        ("Other (small countries)", 7), ("D", 6),
    ]  # fmt: skip
