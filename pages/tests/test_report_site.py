"""The report's pages in a real browser with the network cut."""

import csv
import re

import pytest

from pages.browser import NARROW, WIDE, opened
from pages.report.pages import PAGES
from pages.tests.browser import accessibility_violations, broken_links, is_wider_than_the_window, screenshot

pytestmark = pytest.mark.slow
NAMES = [page.name for page in PAGES]
SMALL, MIDDLE = 360, 640


# Days that could break at a hyphen.
BREAKING_DAYS = """() => [...document.querySelectorAll(".answer, .status, .about summary")].flatMap(node => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll(".day").forEach(day => day.remove());
    return copy.textContent.match(/\\d{4}-\\d\\d/g) ?? [];
})"""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_everyone_can_use_a_page(browser, report_site, name, scheme, width):
    with opened(browser, report_site / f"{name}.html", scheme=scheme, width=width) as page:
        screenshot(page, f"report-{name}-{scheme}-{width}")
        assert accessibility_violations(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_every_width(browser, report_site, name):
    for width in (WIDE, MIDDLE, NARROW, SMALL):
        with opened(browser, report_site / f"{name}.html", width=width) as page:
            assert not is_wider_than_the_window(page), width
            assert page.evaluate(BREAKING_DAYS) == []
            for section in page.locator("section:has(svg)").all():
                # one of the pictures of a chart
                assert [svg.is_visible() for svg in section.locator("svg").all()].count(True) == 1, width


def texts_outside(page) -> list[str]:
    """Texts of charts that reach out of their picture or over another text."""
    return page.evaluate(
        """() => [...document.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
            const frame = svg.getBoundingClientRect(), boxes = [...svg.querySelectorAll("text")].filter(text => text.textContent)
                .map(text => [text.textContent, text.getBoundingClientRect()]);
            const outside = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1);
            const over = boxes.filter(([, a], n) => boxes.slice(n + 1).some(([, b]) =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3));
            return [...outside, ...over].map(([text]) => svg.parentNode.ariaLabel + ": " + text);
        })"""
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_chart_is_cut_off_or_lies_over_another(browser, report_site, name):
    for width in (WIDE, MIDDLE, NARROW):
        with opened(browser, report_site / f"{name}.html", width=width) as page:
            assert texts_outside(page) == []
            # It takes the width that there is, as far as one of its sizes has it.
            room, drawn = page.evaluate("""() => {
                const shown = [...document.querySelectorAll(".picture")].find(picture => picture.offsetWidth);
                return [shown.offsetWidth, shown.querySelector("svg").getBoundingClientRect().width];
            }""")
            assert drawn >= 0.8 * min(room, 720), (width, room, drawn)


def test_that_check_sees_texts_that_are_cut_off_or_lie_over_another(browser, tmp_path):
    (tmp_path / "page.html").write_text(
        '<div aria-label="a"><svg width="100" height="50"><text x="5" y="20">one</text><text x="8" y="20">two</text>'
        '<text x="90" y="45">outside</text></svg></div>'
    )
    with opened(browser, tmp_path / "page.html") as page:
        assert texts_outside(page) == ["a: outside", "a: one"]


def test_charts_are_drawn_in_the_colours_of_the_scheme(browser, report_site):
    drawn = {}
    for scheme in ("light", "dark"):
        with opened(browser, report_site / "index.html", scheme=scheme) as page:
            drawn[scheme] = page.evaluate(
                "[document.querySelector('svg text'), document.body].map(node => "
                "getComputedStyle(node)[node.matches('text') ? 'fill' : 'backgroundColor'])"
            )
    assert drawn == {
        "light": ["rgb(28, 37, 48)", "rgb(255, 255, 255)"],
        "dark": ["rgb(228, 233, 238)", "rgb(18, 24, 31)"],
    }


def test_the_keyboard_reaches_the_content_and_the_tables(browser, report_site):
    with opened(browser, report_site / "questions.html") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        summary = page.locator("summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("section table").first.is_visible()


def test_a_table_is_saved_as_csv_without_a_network(browser, report_site):
    for name in NAMES:
        with opened(browser, report_site / f"{name}.html") as page:
            links = page.locator("a[download]").all()
            assert len(links) == page.locator("section table").count() > 0
            for number, link in enumerate(links):
                with page.expect_download() as saved:
                    link.click()
                assert re.fullmatch(rf"{name}-[a-z-]+-\d{{4}}-\d\d-\d\d\.csv", saved.value.suggested_filename)
                saved_rows = list(csv.reader(saved.value.path().open(encoding="utf-8-sig", newline="")))
                shown = page.locator("section table").nth(number)
                assert len(saved_rows) == shown.locator("tr").count()
                assert saved_rows[0][-1] == shown.locator("th").last.text_content()


def test_on_paper_the_tables_are_open_and_nothing_is_cut_off(browser, report_site):
    for name in NAMES:
        with opened(browser, report_site / f"{name}.html", scheme="dark", width=WIDE) as page:
            page.set_viewport_size({"width": 700, "height": 900})
            page.emulate_media(media="print")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
            assert not page.locator("nav").is_visible()
            assert all(table.bounding_box()["height"] > 20 for table in page.locator("section table").all())
            assert not is_wider_than_the_window(page)


def test_on_paper_no_heading_is_without_what_it_announces(browser, report_site):
    """The queries are not printed; all else about a figure is."""
    empty = """() => [...document.querySelectorAll("dt")].filter(heading => heading.getBoundingClientRect().height
        && !heading.nextElementSibling.innerText.trim()).map(heading => heading.textContent)"""
    for name in NAMES:
        with opened(browser, report_site / f"{name}.html", width=WIDE) as page:
            page.emulate_media(media="print")
            assert page.locator("dt:visible").count() > 2 and page.evaluate(empty) == [], name
            assert not page.get_by_text("The queries").first.is_visible()


# Of thirteen columns.
WIDER = {("index", "positive"), ("index", "agreement")}


def test_tables_are_as_wide_as_their_boxes(browser, report_site):
    for width in (1440, WIDE, NARROW, SMALL):
        for name in (*NAMES, "explore"):
            with opened(browser, report_site / f"{name}.html", width=width) as page:
                page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
                wider = page.evaluate("""() => [...document.querySelectorAll("div.scroll")]
                    .filter(box => box.scrollWidth > box.clientWidth).map(box => box.closest("section, #explore").id)""")
                assert {(name, figure) for figure in wider} <= (WIDER if width > MIDDLE else set()), (
                    width,
                    name,
                )


def test_on_a_phone_each_number_of_a_long_row_has_its_heading(browser, report_site):
    with opened(browser, report_site / "trust.html", width=NARROW) as page:
        page.get_by_text("The numbers as a table of Where every record went").click()
        table = page.get_by_role("region", name="Table: Where every record went")
        headings = table.locator("th").all_text_contents()
        assert len(headings) == 7
        for row in table.locator("tbody tr").all():
            cells = row.locator("td")
            said = cells.evaluate_all(
                "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
            )
            assert said == [f'"{heading}"' for heading in headings]
            # one below the other
            tops = [box["y"] for cell in cells.all() if (box := cell.bounding_box())]
            assert len(tops) == 7 and tops == sorted(set(tops))


def test_links_lead_to_pages_and_to_tables_of_the_docs(browser, docs_site):
    with opened(browser, docs_site / "index.html") as page:
        assert (
            page.get_by_role("link", name="Report", exact=True).get_attribute("href") == "report/index.html"
        )
    with opened(browser, docs_site / "report/trust.html") as page:
        trusted = set(page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)"))
    for name in NAMES:
        with opened(browser, docs_site / f"report/{name}.html") as page:
            assert broken_links(page) == []
            assert page.locator("dl a[href^='../tables/']").count() > 0
            tests = page.eval_on_selector_all(
                "a[href^='trust.html#']", "links => links.map(link => link.hash.slice(1))"
            )
            assert tests and set(tests) <= trusted
