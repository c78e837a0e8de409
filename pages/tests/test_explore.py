"""The page Explore, driven in Chromium with the network cut: what it shows is what SQL finds in the warehouse."""

import base64
import csv
import datetime
import gzip
import json
import re
from collections import Counter
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from ci.staged_sample import Warehouse
from pages.browser import NARROW, WIDE, opened
from pages.report.explore import packed, what_is_here
from pages.tests.browser import accessibility_violations, is_wider_than_the_window, screenshot

DAY = datetime.date(2021, 1, 1)


def review(day: datetime.date | None = DAY, count: int = 1, **names: str) -> dict:
    row = dict.fromkeys(
        ("location", "region", "device", "os", "browser", "segment", "spend", "classifier"), "a"
    )
    return {"log_date": day, **row, **names, "review_count": Decimal(count), "review_score": Decimal(0)}


def customer(**names: str) -> dict:
    row = dict.fromkeys(("location", "region", "device", "segment", "spend"), "a")
    return {**row, **names, "customer_count": 2}


def unpacked(text: str) -> dict:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_rows_are_packed_by_column_in_one_order():
    rows = [review(DAY, 3, device="b"), review(None, 2), review(DAY, 1)]
    cube = unpacked(packed(rows, [customer(location="b")]))
    assert cube["names"]["log_date"] == ["2021-01-01", None]
    assert (cube["names"]["device"], cube["names"]["location"]) == (["a", "b"], ["a", "b"])
    assert cube["reviews"]["log_date"] == [0, 0, 1]
    assert cube["reviews"]["device"] == [0, 1, 0] and cube["reviews"]["review_count"] == [1, 3, 2]
    assert cube["customers"] == {
        "location": [1], "region": [0], "device": [0], "segment": [0], "spend": [0], "customer_count": [2],
    }  # fmt: skip
    assert packed(rows, [customer()]) == packed(rows[::-1], [customer()])
    assert unpacked(packed(rows, []))["customers"] == {name: [] for name in cube["customers"]}


def test_what_was_cut_is_said():
    by_day = [
        {"log_date": DAY, "review_count": 4},
        {"log_date": DAY + datetime.timedelta(1), "review_count": 3},
        {"log_date": None, "review_count": 1},
    ]
    whole = [review(DAY, 4), review(DAY + datetime.timedelta(1), 3), review(None)]
    assert what_is_here(whole, [customer()], by_day).sentence == (
        "All 8 reviews are here. 1 review without a log can be in no period. Customers are all 2 with a profile."
    )
    assert what_is_here(whole[1:], [customer()], by_day).sentence.startswith(
        "The page holds the latest days that fit into it, from 2021-01-02 on, 1 of 2 (50.0 %) days with 4 of 8 (50.0 %) reviews. The other pages "
    )


pytestmark = pytest.mark.slow


def answer(page) -> str:
    return page.locator("#answer").inner_text()


def figures(page) -> list[tuple]:
    """The rows of the table: the name, and counts, shares and money as they are shown."""
    return [
        tuple(cell.replace(",", "") for cell in line.locator("td").all_text_contents())
        for line in page.locator("#explore tbody tr").all()
    ]


def by_name(page) -> dict[str, tuple[int, int]]:
    return {name: (int(first), int(second)) for name, first, _, second, _ in figures(page)}


def asked(built: Warehouse, columns: str, where: str = "true") -> dict[str, tuple[int, int]]:
    """Reviews and positive ones in SQL, by what the columns say."""
    rows = built.query(
        f"select {columns}, sum(fact.review_count), sum(fact.review_score) from analytics_marts.movie_analytics_obt as fact "
        "left join analytics_marts.user_profile as profile using (customer_id) "
        f"left join (select customer_id, spend from ({CUSTOMERS})) using (customer_id) where fact.review_count > 0 and {where} group by 1"
    )
    return {name: (int(count), int(positive)) for name, count, positive in rows}


@pytest.mark.parametrize("width", [1440, NARROW])
def test_reviews_by_device_in_texas_in_the_last_week_take_three_clicks(browser, report_site, built, width):
    """The numbers beside the devices answer it; a fourth makes rows of them."""
    ((last,),) = built.query(
        "select max(log_date) from analytics_marts.movie_analytics_obt where review_count > 0"
    )
    first = last - datetime.timedelta(days=6)
    with opened(browser, report_site / "index.html", width=width) as page:
        page.get_by_role("link", name="Explore").click()
        page.get_by_label("Texas").check()
        page.get_by_role("button", name="Last 7 days").click()
        expected = asked(built, "device", f"location = 'Texas' and log_date between '{first}' and '{last}'")
        devices = page.locator("details[data-name=device] label").all()
        offered = {
            device.locator(".name").inner_text(): int(device.locator(".amount").inner_text())
            for device in devices
        }
        assert {name: count for name, count in offered.items() if count} == {
            name: count for name, (count, _) in expected.items()
        }
        page.get_by_label("Rows by").select_option("Device")
        shown = by_name(page)
        assert shown == expected
        assert len(shown) > 1
        total = sum(count for count, _ in shown.values())
        assert answer(page).startswith(f"{total} of ")
        assert f"Texas, {first} to {last}" in answer(page)
        drawn = page.locator("#by-rows svg text").all_text_contents()
        assert {str(count) for count, _ in shown.values()} <= set(drawn)


# Of customers, in SQL of its own: the upper half by money are those of whom no more than half of all buyers have more.
CUSTOMERS = """
with profile as (select * from analytics_marts.user_profile), buyers as (select amount_spent from profile where invoice_count > 0),
ranked as (
    select *,
        (select count(*) from buyers where buyers.amount_spent < profile.amount_spent) as below,
        (select count(*) from buyers where buyers.amount_spent > profile.amount_spent) as above
    from profile
)
select
    coalesce(region, 'Unknown') as region, coalesce(favourite_location, 'Unknown') as location,
    coalesce(favourite_device, 'Unknown') as device, rfm_segment as segment,
    case when invoice_count = 0 then 'No purchase' when below >= above then 'Big spender' else 'Small spender' end as spend,
    customer_id, review_count, spend_sentiment_quadrant
from ranked left join analytics_marts.dim_location on location = favourite_location
"""


def customers_by(warehouse: Warehouse, columns: str, where: str = "true") -> dict:
    """Counts of customers in SQL, by what the columns say."""
    rows = warehouse.query(f"select {columns}, count(*) from ({CUSTOMERS}) where {where} group by all")
    return {row[0] if len(row) == 2 else row[:-1]: row[-1] for row in rows}


def compiled(warehouse: Warehouse, analysis: str) -> str:
    ended = warehouse.dbt("compile", "--select", analysis)
    assert ended.returncode == 0, ended.stdout
    return (warehouse.folder / f"target/compiled/movie_analytics/analyses/report/{analysis}.sql").read_text()


def test_every_customer_is_counted_in_every_combination(built):
    rows = built.query(
        f"select region, location, device, segment, spend, customer_count from ({compiled(built, 'report_explore_customers')})"
    )
    assert {row[:-1]: row[-1] for row in rows} == customers_by(
        built, "region, location, device, segment, spend"
    )
    # Some customers are alone in theirs: nothing is merged.
    assert min(row[-1] for row in rows) == 1
    for place, dimension in enumerate(("region", "location", "device", "segment", "spend")):
        sums: Counter = Counter()
        for row in rows:
            sums[row[place]] += row[-1]
        assert sums == customers_by(built, dimension), dimension


def test_money_alone_makes_a_big_spender(built, tmp_path):
    """Not whether somebody wrote: if the same customers had written nothing, the same would be big spenders."""
    # Where there is a quadrant of spend and sentiment, its half is the same.
    halves = "lower(spend), split_part(spend_sentiment_quadrant, ',', 1)"
    assert set(customers_by(built, halves, "spend_sentiment_quadrant is not null")) == {
        ("big spender", "big spender"), ("small spender", "small spender"),
    }  # fmt: skip
    silenced = "update analytics_marts.user_profile set review_count = 0, spend_sentiment_quadrant = null"
    own = built.copy(tmp_path)
    own.change(silenced)
    sql = compiled(own, "report_explore_customers")
    found = dict(own.query(f"select spend, sum(customer_count) from ({sql}) group by 1"))
    assert found == customers_by(built, "spend") and found["Big spender"] > 1 < found["No purchase"]


@pytest.mark.parametrize("width", [1440, NARROW])
def test_the_states_of_big_spenders_at_risk_take_three_clicks_from_the_first_page(
    browser, report_site, built, width
):
    expected = customers_by(built, "location", "segment = 'At risk' and spend = 'Big spender'")
    with opened(browser, report_site / "index.html", width=width) as page:
        page.get_by_role("link", name="Filter customers of The whole period").click()
        page.get_by_label("At risk").check()
        page.get_by_label("Big spender").check()
        assert {name: int(count) for name, count, _ in figures(page)} == expected != {}
        # Customers have no day; their reviews' share is not shown, so neither is what it is worth.
        assert not page.locator("#period").is_visible() and not page.locator("#caveat").is_visible()
        assert answer(page).startswith(f"{sum(expected.values())} of ") and "money" not in answer(page)
        # On a phone, too, what was found is in sight beside the filter that found it.
        page.get_by_label("Big spender").scroll_into_view_if_needed()
        assert page.locator("#answer").evaluate(IN_SIGHT) or width == 1440


def test_how_many_have_no_state_is_said_where_rows_are_states(browser, report_site, built):
    expected = customers_by(built, "location")
    total, unknown = sum(expected.values()), expected["Unknown"]
    assert 0 < unknown < total
    with opened(browser, report_site / "explore.html", "#count=customers&rows=location") as page:
        assert answer(page).endswith(f". State unknown: {unknown} ({100 * unknown / total:.1f}\u00a0%).")
        page.get_by_label("Rows by").select_option("Segment")
        assert "unknown" not in answer(page)


IN_SIGHT = (
    "node => node.getBoundingClientRect().top >= 0 && node.getBoundingClientRect().bottom <= innerHeight"
)


def test_a_link_of_a_figure_shows_the_same_to_be_filtered(browser, report_site, built):
    """Each leads to the rows that its figure is about, in an order that suits them."""
    reviews, customers = ({"count": "reviews"}, {"count": "customers"})
    expected = {
        "index": [customers, reviews, {"rows": "month"}],
        "customers": [{**customers, "rows": "segment"}, {**customers, "rows": "spend"}],
        "reviews": [{"rows": "log_date"}, {"rows": "device"}, {"rows": "location"}],
    }
    for name, kept in expected.items():
        html = (report_site / f"{name}.html").read_text()
        links = [unescape(link) for link in re.findall(r'href="(explore.html#[^"]*)"', html)]
        assert [
            {k: v for k, v in parse_qsl(urlsplit(link).fragment) if k in ("count", "rows")} for link in links
        ] == kept
        for link in links:
            with opened(
                browser, report_site / "explore.html", fragment=link.removeprefix("explore.html")
            ) as page:
                asked_for = dict(parse_qsl(urlsplit(link).fragment))
                assert page.locator("#rows").input_value() == asked_for.get("rows", "location")
                names = [row[0] for row in figures(page)]
                assert names == sorted(names) or asked_for.get("rows") not in ("month", "log_date")


def test_two_counts_of_a_month_are_explained_where_they_are(browser, report_site, built):
    """A review without a log has its delivery's month on Overview, and none here."""
    by_log, by_either = (
        dict(
            built.query(
                f"select coalesce(strftime({day}, '%Y-%m'), 'Unknown day'), sum(review_count)::int from analytics_marts.movie_analytics_obt "
                "where review_count > 0 group by 1"
            )
        )
        for day in ("log_date", "least(coalesce(log_date, insert_date), insert_date)")
    )
    ((moved,),) = built.query(
        "select sum(review_count)::int from analytics_marts.movie_analytics_obt where review_count > 0 and (log_date is null or log_date > insert_date)"
    )
    assert by_log != by_either and moved
    with opened(browser, report_site / "explore.html", fragment="#rows=month") as page:
        assert {name: count for name, (count, _) in by_name(page).items()} == by_log
        assert "By the day in the log" in page.locator("#period").inner_text()
        assert "Overview" in page.locator("#period").inner_text()
    with opened(browser, report_site / "index.html") as page:
        rows = [row.locator("td").all_text_contents() for row in page.locator("#reviews tbody tr").all()]
        assert {row[0]: int(row[2].replace(",", "")) for row in rows if row[2] != "0"} == by_either
        assert sum(int(row[5].replace(",", "")) for row in rows) == moved
        assert (
            f"{moved:,} are in the month of their delivery" in page.locator("#reviews .answer").inner_text()
        )


@pytest.mark.parametrize("rows", ["location", "region", "device", "segment", "spend"])
def test_customers_of_a_dimension_add_up_to_all_with_a_profile(browser, report_site, built, rows):
    """A sort by a column that only reviews have is given up for one that is there."""
    fragment = f"#count=customers&rows={rows}&sort=4&up="
    with opened(browser, report_site / "explore.html", fragment=fragment) as page:
        shown = {name: int(count) for name, count, _ in figures(page)}
        assert shown == customers_by(built, rows)
        assert list(shown.values()) == sorted(shown.values(), reverse=True)
        headings = page.locator("#explore th").all()
        assert [heading.inner_text() for heading in headings if heading.is_visible()][1:] == [
            "Customers",
            "Share",
        ]
        assert page.locator("#explore tfoot td").count() == 3
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as CSV").click()
        file = list(csv.reader(saved.value.path().open(encoding="utf-8-sig", newline="")))
    assert file[0][1:] == ["Customers", "Share"] and {row[0]: int(row[1]) for row in file[1:]} == shown


def test_no_money_of_customers_is_in_the_page(report_site):
    html = (report_site / "explore.html").read_text()
    cube = unpacked(re.search('id="cube">([^<]+)<', html)[1])
    assert set(cube["customers"]) == {
        "location", "region", "device", "segment", "spend", "customer_count",
    }  # fmt: skip
    assert "Net money" not in html.split('id="cube"')[0]


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ("location", "location"), ("region", "region"), ("device", "device"), ("os", "os"), ("browser", "browser"),
        ("segment", "rfm_segment"), ("log_date", "coalesce(strftime(log_date, '%Y-%m-%d'), 'Unknown day')"),
        ("month", "coalesce(strftime(log_date, '%Y-%m'), 'Unknown day')"),
        ("spend", "spend"),
    ],
)  # fmt: skip
def test_every_row_is_what_sql_finds_under_a_filter(browser, report_site, built, rows, column):
    with opened(
        browser, report_site / "explore.html", fragment=f"#rows={rows}&device=Mobile&region=South&region=West"
    ) as page:
        assert by_name(page) == asked(built, column, "device = 'Mobile' and region in ('South', 'West')")


def test_filters_offer_what_the_others_leave(browser, report_site, built):
    """A count beside a device is of the chosen state, also for a device that is not chosen."""
    with opened(browser, report_site / "explore.html", fragment="#location=Texas&device=Mobile") as page:
        offered = {}
        for option in page.locator("details[data-name=device] label:not([hidden])").all():
            name, count = option.locator("span").all_text_contents()[:2]
            offered[name] = int(count)
    assert offered == {
        name: count for name, (count, _) in asked(built, "device", "location = 'Texas'").items()
    }


def test_a_link_keeps_what_is_chosen(browser, report_site):
    with opened(browser, report_site / "explore.html") as page:
        page.get_by_label("Texas").check()
        page.get_by_label("Ohio").check()
        page.get_by_label("Rows by").select_option("Segment")
        page.get_by_role("button", name="Called positive").click()
        page.get_by_label("Search names").fill("LO")
        link, shown = page.url, figures(page)
    with opened(browser, report_site / "explore.html", fragment=link[link.index("#") :]) as page:
        assert figures(page) == shown and len(shown) == 3, "Lost, Loyal customers, Potential loyalists"
        assert page.get_by_label("Search names").input_value() == "LO"
        page.get_by_role("button", name="Clear all filters").click()
        assert len(figures(page)) > 20 and page.url.endswith("#")
    # What nobody wrote is not believed.
    for fragment in ("#rows=x&sort=9&count=y&from=z&location=Nowhere", "#%E0%A4%A", "#rows=constructor"):
        with opened(browser, report_site / "explore.html", fragment=fragment) as page:
            assert page.locator("#explore").is_visible()
            assert bool(figures(page)) == ("Nowhere" not in fragment)


def test_a_heading_sorts_both_ways_by_keyboard(browser, report_site):
    with opened(browser, report_site / "explore.html") as page:
        heading = page.get_by_role("columnheader", name="Positive share")
        for way in ("descending", "ascending"):
            heading.get_by_role("button").focus()
            page.keyboard.press("Enter")
            assert heading.get_attribute("aria-sort") == way
            shares = [float(row[4].removesuffix(" %")) for row in figures(page)]
            assert shares == sorted(shares, reverse=way == "descending")
            assert heading.get_by_role("button").evaluate("node => node === document.activeElement")


def test_the_keyboard_reaches_every_filter_and_stays_there(browser, report_site):
    with opened(browser, report_site / "explore.html", width=NARROW) as page:
        page.locator("details[data-name=device] summary").focus()
        while not page.evaluate("document.activeElement.matches('details[data-name=device] input')"):
            page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.parentNode.querySelector('.name').textContent")
        page.keyboard.press("Space")
        assert f"reviews: {name}." in answer(page)
        assert page.evaluate("document.activeElement.matches('details[data-name=device] input:checked')")


def test_the_file_has_the_rows_that_are_shown(browser, report_site, built):
    with opened(browser, report_site / "explore.html", fragment="#rows=device&region=South") as page:
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as CSV").click()
        assert saved.value.suggested_filename == "explore-reviews-by-device.csv"
        rows = list(csv.reader(saved.value.path().open(encoding="utf-8-sig", newline="")))
    assert rows[0] == ["Device", "Reviews", "Share", "Called positive", "Positive share"]
    expected = asked(built, "device", "region = 'South'")
    total = sum(count for count, _ in expected.values())
    assert {row[0]: (int(row[1]), int(row[3])) for row in rows[1:]} == expected
    for _, count, share, positive, ratio in rows[1:]:
        assert float(share) == pytest.approx(int(count) / total, abs=1e-6)
        assert float(ratio) == pytest.approx(int(positive) / int(count), abs=1e-6)


@pytest.fixture(scope="module")
def large_page(report_site, tmp_path_factory):
    """More of everything than is shown at once: 250 systems, the last of them rare, on 700 days; a device with 30 reviews and one with 29."""
    days = [DAY + datetime.timedelta(days=n) for n in range(700)]
    reviews = [
        review(day, 2 if n == 650 else 1, os=f"os {n % 250:03}", device="a" * 100)
        for n, day in enumerate(days)
    ]
    reviews += [review(DAY, 30, device="many", os="os 000"), review(DAY, 29, device="few", os="os 001")]
    html = (report_site / "explore.html").read_text()
    page = tmp_path_factory.mktemp("large") / "explore.html"
    page.write_text(re.sub('(id="cube">)[^<]+', lambda found: found[1] + packed(reviews, [customer()]), html))
    return page


def test_what_is_too_much_to_show_is_cut_and_said_and_in_the_file(browser, large_page):
    with opened(browser, large_page, fragment="#rows=os") as page:
        options = page.locator("details[data-name=os]")
        # 200 to 249 are on two days alone.
        assert options.locator(".name").all_text_contents() == [f"os {n:03}" for n in range(200)]
        assert options.locator(".cut").inner_text() == "The 200 most frequent of 250; the table has all."
        assert len(figures(page)) == 250
        assert page.locator("#by-rows figcaption").inner_text() == "Reviews by operating system, 15 of 250"
        assert page.locator("#by-rows svg .mark-rect path").count() == 15
        page.get_by_label("Rows by").select_option("Day")
        names = [row[0] for row in figures(page)]
        assert names == [str(DAY + datetime.timedelta(days=n)) for n in range(500)]
        assert page.locator("#shown").inner_text() == "The first 500 of 700 rows; the file has all."
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as CSV").click()
        assert len(list(csv.reader(saved.value.path().open(encoding="utf-8-sig", newline="")))) == 701


def test_the_picture_over_time_has_a_bar_for_each_day_or_month_as_high_as_its_count(browser, large_page):
    heights = "bars => bars.map(bar => bar.getBoundingClientRect().height)"
    for fragment, unit, count, of_smallest in (
        ("", "month", 24, (31 + 59) / 1),
        ("#from=2022-10-01&to=2022-12-31", "day", 62, 2 / 1),
        ("#from=2021-01-01&to=2021-04-02", "day", 92, (1 + 59) / 1),
        ("#from=2021-01-01&to=2021-04-04", "month", 4, (31 + 59) / 4),
    ):
        with opened(browser, large_page, fragment=fragment) as page:
            bars = page.locator("#by-time svg .mark-rect path")
            bars.first.wait_for()
            assert page.locator("#by-time figcaption").inner_text() == f"Reviews by {unit}"
            drawn = bars.evaluate_all(heights)
            assert len(drawn) == count
            assert max(drawn) / min(drawn) == pytest.approx(of_smallest, rel=0.1)


def test_shares_of_few_are_marked_and_the_last_line_is_all(browser, large_page):
    with opened(browser, large_page, fragment="#rows=device") as page:
        marked = {
            line.locator("td").first.inner_text(): line.locator("td.few").count()
            for line in page.locator("#explore tbody tr").all()
        }
        assert (marked["many"], marked["few"]) == (0, 1)
        total = page.locator("#explore tfoot td").all_text_contents()
        assert total[1].replace(",", "") == "760" and answer(page).startswith("760 of 760 reviews")
        page.locator("details[data-name=device] label", has_text="a" * 100).locator("input").check()
        assert answer(page).startswith(f"701 of 760 reviews: {'a' * 60}….")
        page.evaluate("location.hash = '#rows=device&device=few'")
        expect(page.locator("#answer")).to_contain_text("29 of 760 reviews: few.")


def test_what_customers_do_not_have_is_not_asked_of_them(browser, report_site, built):
    """A link for reviews by month, with the other count: by state, as without a link."""
    with opened(browser, report_site / "explore.html", fragment="#rows=month&sort=0&up=") as page:
        page.get_by_role("radio", name="Customers").check()
        assert page.get_by_label("Rows by").input_value() == "location"
        assert {name: int(count) for name, count, _ in figures(page)} == customers_by(built, "location")


def test_names_of_vendors_are_text_and_nothing_else(browser, hostile_site, hostile_names):
    html = (hostile_site / "explore.html").read_text()
    assert (
        html.count("<script") == html.count("</script") == 3 and "onerror" not in html.split('id="cube"')[0]
    )
    for width in (WIDE, NARROW):
        with opened(browser, hostile_site / "explore.html", fragment="#rows=device", width=width) as page:
            assert set(hostile_names.values()) <= {row[0] for row in raw_rows(page)}
            assert page.title().startswith("Explore") and page.locator("#explore img").count() == 0
            assert not is_wider_than_the_window(page)
            assert all(len(text) < 60 for text in page.locator("#by-rows svg text").all_text_contents())
    with opened(browser, hostile_site / "explore.html", fragment="#rows=device") as page:
        for name in ("HYPERLINK", "onerror"):
            page.locator("details[data-name=device] label", has_text=name).locator("input").check()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as CSV").click()
        rows = list(csv.reader(saved.value.path().open(encoding="utf-8-sig", newline="")))
    assert {row[0] for row in rows[1:]} == {hostile_names["Tablet"], "'" + hostile_names["Mobile"]}


def raw_rows(page) -> list[list[str]]:
    return [line.locator("td").all_text_contents() for line in page.locator("#explore tbody tr").all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_works_in_every_scheme_and_width(browser, report_site, scheme):
    customers, nothing = "#count=customers&segment=At+risk", "#location=Nowhere"
    for width, fragment in ((1440, ""), (768, customers), (NARROW, ""), (360, nothing)):
        with opened(
            browser, report_site / "explore.html", fragment=fragment, scheme=scheme, width=width
        ) as page:
            if fragment != nothing:
                page.locator("#by-rows svg").wait_for()
            screenshot(page, f"report-explore-{scheme}-{width}")
            assert accessibility_violations(page) == []
            assert not is_wider_than_the_window(page)


def test_without_a_script_it_says_so_and_links_to_the_rest(browser, report_site):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((report_site / "explore.html").resolve().as_uri())
    assert "The other pages show the same data without one" in page.locator("#needs-script").text_content()
    assert page.locator("#needs-script").is_visible() and not page.locator("#explore").is_visible()
    assert page.get_by_role("link", name="Overview").is_visible()
    context.close()


def test_no_other_script_runs(browser, report_site, tmp_path):
    """The policy names the two by their digests: a script that is smuggled in does nothing, and no text becomes code."""
    html = (report_site / "explore.html").read_text()
    assert (
        re.search(r"script-src 'sha256-[^']{44}' 'sha256-[^']{44}'\"", html)
        and "unsafe-eval" not in html.split("<body>")[0]
    )
    (tmp_path / "page.html").write_text(
        html.replace('<div id="explore"', '<script>document.title = "x"</script><div id="explore"')
    )
    with (
        pytest.raises(RuntimeError, match="Content Security Policy"),
        opened(browser, tmp_path / "page.html") as page,
    ):
        assert page.title().startswith("Explore")
        assert page.locator("#explore").is_visible()


def test_of_more_rows_than_a_page_holds_the_latest_days_are_kept(built):
    counts = {}
    for rows in (400_000, 500):
        ended = built.dbt(
            "compile", "--select", "report_explore_reviews", "--vars", json.dumps({"explore_rows": rows})
        )
        assert ended.returncode == 0, ended.stdout
        file = built.folder / "target/compiled/movie_analytics/analyses/report/report_explore_reviews.sql"
        counts[rows] = built.query(f"select log_date, count(*) from ({file.read_text()}) group by 1")
    everything, kept = (dict(counts[rows]) for rows in (400_000, 500))
    expected, room = {}, 500
    for day in sorted((day for day in everything if day), reverse=True):
        room -= everything[day]
        if room < 0:
            break
        expected[day] = everything[day]
    assert kept == {**expected, None: everything[None]} and 1 < len(kept) < len(everything)


def test_the_page_is_small(report_site):
    assert (report_site / "explore.html").stat().st_size < 2_000_000
