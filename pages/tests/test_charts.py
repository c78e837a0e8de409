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
        intervals([(label, 0.1, 0.2, 0.3, label)], width),
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
        intervals([(label, 0.1, 0.2, 0.3, "20 %")], width),
        grid([Cell(0, 0, 1, "1")], width, [""], [label]),
    ):
        long = [text for text in drawn_texts(chart) if text.startswith("Phone")]
        assert long and all(text.endswith("…") and len(text) * CHARACTER <= width for text in long)


def test_no_text_without_end_is_drawn():
    """Drawing one of 100,000 characters takes half a minute."""
    label = "Phone " * 20_000
    for chart in (
        bars([Bar("Tablet", ((0, 1, "blue"),), label)], 720),
        intervals([("Tablet", 0.1, 0.2, 0.3, label)], 720),
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
