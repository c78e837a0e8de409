"""Charts of labels that a vendor wrote: every text is drawn as it is, or visibly cut or replaced, and nothing breaks."""

import datetime
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import vl_convert

from ci.staged_sample import ROOT
from pages.report.charts import CHARACTER, Bar, Cell, bars, days, grid, intervals, picture


def drawn_texts(chart) -> list[str]:
    """The texts of the drawn chart, as an XML parser reads them."""
    drawn = ElementTree.fromstring(picture(chart, "title", "description"))  # noqa: S314 - drawn here
    return [text.text or "" for text in drawn.findall(".//{*}text")]


def charts_with(label: str, width: int = 720) -> list:
    return [
        bars([Bar(label), Bar(label, ((0, 1, "blue"),), label)], width),
        intervals([(label, 0.1, 0.2, 0.3, label, False)], width),
        grid([Cell(0, 0, 1, label), Cell(1, 0, 2, "x", label)], width, [label, label], [label]),
    ]


@pytest.mark.parametrize(
    "label",
    [
        'x="#0101ff"',
        'fill="#010100"',
        'a class="b',
        "Firefox 128.0123456",
        "10.1.2.345",
        "<b>&amp;</b>",
        '<path/><g></g> d="1.2345"',
        "\u202eright to left",
    ],
)
def test_a_label_is_drawn_as_it_is(label):
    for chart in charts_with(label):
        texts = drawn_texts(chart)
        assert texts.count(label) >= 2, texts


def test_nothing_changes_a_drawing():
    """A pattern that runs over it sees the vendors' text as well."""
    for chart in charts_with('fill="var(--blue)" 1.23456 class="a'):
        drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
        assert picture(chart, 'a "title"', "<b>") == (
            f'<div role="img" aria-label="a &quot;title&quot;. &lt;b&gt;">{drawn}</div>'
        )


def test_a_character_that_xml_forbids_is_drawn_as_a_replacement():
    """In a process of its own: the drawing library ends the process that hands it one."""
    forbidden = [*map(chr, {*range(32)} - {9, 10, 13}), "\ufffe", "\uffff"]
    code = (
        "from pages.tests.test_charts import charts_with, drawn_texts\n"
        f"for character in {forbidden!a}:\n"
        "    for chart in charts_with(f'Tab{character}phone'):\n"
        "        texts = drawn_texts(chart)\n"
        "        assert texts.count('Tab\\ufffdphone') >= 2, (character, texts)\n"
        "print('drawn')\n"
    )
    drawn = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (drawn.returncode, drawn.stdout) == (0, "drawn\n"), drawn.stderr[-2000:]


@pytest.mark.parametrize("width", [330, 720])
def test_a_label_without_end_is_cut_to_the_width(width):
    label = "Phone " * 20_000
    for chart in (
        bars([Bar(label), Bar(label, ((0, 1, "blue"),), "1")], width),
        intervals([(label, 0.1, 0.2, 0.3, "20 %", False)], width),
        grid([Cell(0, 0, 1, "1")], width, [""], [label]),
    ):
        long = [text for text in drawn_texts(chart) if text.startswith("Phone")]
        assert long and all(text.endswith("…") and len(text) * CHARACTER <= width for text in long)


def test_no_text_without_end_is_drawn():
    """Drawing one of 100,000 characters takes half a minute."""
    label = "Phone " * 20_000
    for chart in (
        bars([Bar("Tablet", ((0, 1, "blue"),), label)], 720),
        intervals([("Tablet", 0.1, 0.2, 0.3, label, False)], 720),
        grid([Cell(0, 0, 1, label, label)], 720, [label], [""]),
    ):
        long = [text for text in drawn_texts(chart) if text.startswith("Phone")]
        assert long and all(text.endswith("…") and len(text) == 200 for text in long)


def test_a_label_that_is_too_long_stands_above_its_bar():
    short, long = (
        picture(bars([Bar(label, ((0, 1, "blue"),), "1")], 330), "a", "b") for label in ("ab", "ab " * 13)
    )
    assert ("ab " * 13).strip() in long and "…" not in long
    assert re.search(r'text-anchor="end"[^>]*>ab<', short) and 'text-anchor="end"' not in long


def test_what_is_drawn_has_colours_of_the_look():
    counts = {datetime.date(2021, 1, 1) + datetime.timedelta(days=n): n * n for n in range(30)}
    look = (ROOT / "pages/look/look.css").read_text()
    for chart in (*charts_with("Tablet"), days(counts, 720)):
        colors = set(re.findall(r'(?:fill|stroke)="([^"]*)"', picture(chart, "title", "description")))
        assert len(colors - {"none", "transparent"}) > 1
        for color in colors - {"none", "transparent"}:
            variable = re.fullmatch(r"var\((--[a-z0-9-]+)\)", color)
            assert variable and f"{variable[1]}: #" in look, color


def luminance(color: str) -> float:
    """As WCAG 2.2 defines it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_shape_is_told_from_the_page_by_its_fill_or_its_outline(scheme):
    """WCAG 2.2, 1.4.11: 3 to 1. A day's bar has its outline along the top, as a line of its own."""
    look = re.findall(r":root \{(.*?)\}", (ROOT / "pages/look/look.css").read_text(), re.DOTALL)[scheme]
    colors = {
        name: color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])
        for name, color in re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]+);", look)
    }
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    names = [*(f"step-{step}" for step in range(5)), "pale", "page", "blue", "orange", "red", "gray"]
    shades = [step if step < 5 else name for step, name in enumerate(names)]
    for chart in (
        bars([Bar("a", ((0, 1, name),), "1") for name in names], 720),
        grid([Cell(n, 0, shade, "1") for n, shade in enumerate(shades)], 720, [""] * len(shades), [""]),
        intervals([("a", 0.1, 0.2, 0.3, "1", is_few) for is_few in (False, True)], 720),
    ):
        drawn = ElementTree.fromstring(picture(chart, "title", "description"))  # noqa: S314 - drawn here
        shapes = [path.attrib for path in drawn.findall(".//{*}path") if "var" in path.get("fill", "")]
        assert len(shapes) >= 2
        for shape in shapes:
            seen = [
                colors[paint[4:-1]]
                for name in ("fill", "stroke")
                if (paint := shape.get(name, ""))[:4] == "var("
            ]
            assert max(contrast(color, colors["--page"]) for color in seen) >= 3, shape
    of_days = picture(
        days({datetime.date(2021, 1, 1): 3, datetime.date(2021, 1, 2): 5}, 720), "title", "description"
    )
    assert 'stroke="var(--edge)"' in of_days and contrast(colors["--edge"], colors["--page"]) >= 3


def test_an_axis_of_shares_is_near_the_intervals_and_few_are_hollow():
    close = [("a", 0.37, 0.386, 0.39, "a", False), ("b", 0.41, 0.42, 0.44, "b", True)]
    assert [text for text in drawn_texts(intervals(close, 720)) if "%" in text] == ["30 %", "40 %", "50 %"]
    wide = [("a", 0.0, 0.386, 1.0, "a", False)]
    assert [text for text in drawn_texts(intervals(wide, 720)) if "%" in text] == ["0 %", "50 %", "100 %"]
    fills = re.findall(
        r'fill="(var\(--(?:page|blue)\))" stroke="var\(--blue\)"', picture(intervals(close, 720), "t", "d")
    )
    assert fills == ["var(--blue)", "var(--page)"]


@pytest.mark.parametrize(
    ("first", "count", "named"),
    [
        ("2021-01-01", 5, ["2021-01-01", "2021-01-02", "2021-01-03", "2021-01-04", "2021-01-05"]),
        ("2021-01-15", 150, ["2021-02", "2021-03", "2021-04", "2021-05", "2021-06"]),
        ("2021-01-01", 304, ["2021-01", "2021-03", "2021-05", "2021-07", "2021-09"]),
        ("2019-01-01", 1096, ["2019-01", "2019-07", "2020-01", "2020-07", "2021-01", "2021-07"]),
        ("2001-01-01", 7670, ["2001-01", "2004-01", "2007-01", "2010-01", "2013-01", "2016-01", "2019-01"]),
    ],
)  # fmt: skip
def test_days_are_named_by_the_first_of_months(first, count, named):
    start = datetime.date.fromisoformat(first)
    counts = {start + datetime.timedelta(days=n): 1 for n in range(count)}
    assert [text for text in drawn_texts(days(counts, 720)) if text.count("-")] == named
