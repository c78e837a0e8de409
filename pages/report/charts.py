"""The charts, drawn by Altair as SVG: bars, intervals, days and grids.

Colours are CSS variables (pages/look/look.css), so that one picture reads in light, dark and print: Vega writes them down as they
are. The layout is worked out here and not by Vega, which cannot know how wide a reader's font is: a character is taken as wide as in
a wide font. Labels are text of the vendors: they are made fit before they are drawn, and nothing changes a drawing afterwards.
"""

import datetime
import re
from dataclasses import dataclass, replace
from html import escape
from math import ceil, floor
from typing import Any

import altair as alt
import vl_convert

CHARACTER, ROW, GAP, FONT = 7.7, 30, 8, 12
FAMILY = "Arial, Helvetica, sans-serif"
# The drawing library ends the whole process at a character that XML 1.0 does not allow.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A longer text is cut. Drawing takes time in proportion.
MOST_CHARACTERS = 200
# Too near to the page's colour to be seen without an outline.
PALE = {"pale", "page", "step-0", "step-1", "step-2", "step-3"}


@dataclass
class Bar:
    """A row of bars: (from, to, colour) each, from < to, and what is written behind them. A heading has none."""

    label: str
    parts: tuple = ()
    text: str = ""


def bars(rows: list[Bar], width: int) -> alt.Chart:
    """Labels are before their bars, or above them if that leaves too little room. None is longer than the width."""
    rows = [replace(row, label=_short(row.label, width - GAP)) for row in rows]
    named = [(y, row) for y, row in enumerate(rows) if row.parts or row.text]
    left = max((_width(row.label) for _, row in named), default=0) + GAP
    is_above = left > width * 0.4
    if is_above:
        left = 0
    down, up = (7, -12) if is_above else (0, 0)
    right = max(_width(row.text) for row in rows) + GAP
    low, high = (
        choose([float(edge) for row in rows for part in row.parts for edge in part[:2]], default=0)
        for choose in (min, max)
    )
    headings = [{"y": y, "label": row.label} for y, row in enumerate(rows) if not (row.parts or row.text)]
    labels = [{"y": y, "label": row.label} for y, row in named]
    parts = [
        {
            "y": y,
            "start": float(start),
            "end": float(end),
            "color": css(color),
            "outline": css(_outline(color)),
        }
        for y, row in named
        for start, end, color in row.parts
        if end > start
    ]
    texts = [
        {"y": y, "x": float(max((end for _, end, _ in row.parts), default=0)), "label": row.text}
        for y, row in named
    ]
    y = _rows(len(rows))
    x = alt.Scale(domain=[min(0, low), high or 1], nice=False)
    layers = [
        _chart([{"y": -0.4, "x": 0}, {"y": len(rows) - 0.6, "x": 0}]).mark_line(color=css("line")).encode(
            y=y, x=alt.X("x:Q", scale=x, axis=None)
        ),
        _chart(parts).mark_bar(height=16, strokeWidth=1, yOffset=down, y2Offset=down).encode(
            y=y, x=alt.X("start:Q", scale=x, axis=None), x2="end:Q",
            color=alt.Color("color:N", scale=None), stroke=alt.Stroke("outline:N", scale=None),
        ),
        _chart(labels).mark_text(
            align="left" if is_above else "right", dx=GAP / 2 if is_above else -GAP, dy=up, color=css("text")
        ).encode(y=y, x=alt.value(0), text="label:N"),
        _chart(headings).mark_text(
            align="left", dx=GAP / 2 if is_above else -left, fontWeight="bold", color=css("text")
        ).encode(y=y, x=alt.value(0), text="label:N"),
        _chart(texts).mark_text(align="left", dx=GAP, dy=down, color=css("text")).encode(
            y=y, x=alt.X("x:Q", scale=x, axis=None), text="label:N"
        ),
    ]  # fmt: skip
    return _view(layers, width, (46 if is_above else ROW) * len(rows), left=left, right=right)


def intervals(rows: list[tuple], width: int) -> alt.Chart:
    """(label, low, middle, high, text, whether it rests on few) in a share each: a point on a line, hollow on few, over an axis of
    percents that begins and ends near the intervals: what is compared is their places, not their lengths."""
    rows = [(_short(label, 0.4 * width), *rest) for label, *rest in rows]
    left = max(_width(row[0]) for row in rows) + GAP
    right = max(_width(row[4]) for row in rows) + GAP
    data = [
        {
            "y": y,
            "label": label,
            "low": low,
            "middle": middle,
            "high": high,
            "text": said,
            "fill": css("page" if is_few else "blue"),
        }
        for y, (label, low, middle, high, said, is_few) in enumerate(rows)
    ]
    first, last = floor(10 * min(row[1] for row in rows)), ceil(10 * max(row[3] for row in rows))
    step = 1 if last - first <= 3 else 2 if last - first <= 6 else 5
    y = _rows(len(rows))
    axis = alt.Axis(
        values=[tenth / 10 for tenth in range(-(-first // step) * step, last + 1, step)], labelExpr="format(100 * datum.value, 'd') + ' %'", title=None, domain=False, ticks=False, labelPadding=8,
        gridColor=css("line"), labelColor=css("quiet"), labelFontSize=FONT, labelFont=FAMILY, labelFlush=False,
    )  # fmt: skip
    scale = alt.Scale(domain=[first / 10, last / 10], nice=False, zero=False)
    layers = [
        _chart(data).mark_rule(strokeWidth=3, color=css("blue")).encode(
            y=y, x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
        ),
        _chart(data).mark_point(filled=True, size=70, stroke=css("blue"), strokeWidth=2, opacity=1).encode(
            y=y, x=alt.X("middle:Q", scale=scale), fill=alt.Fill("fill:N", scale=None)
        ),
        _chart(data).mark_text(align="right", dx=-GAP, color=css("text")).encode(y=y, x=alt.value(0), text="label:N"),
        _chart(data).mark_text(align="left", dx=GAP, color=css("text")).encode(
            y=y, x=alt.value(width - left - right), text="text:N"
        ),
    ]  # fmt: skip
    return _view(layers, width, ROW * len(rows), left=left, right=right, bottom=28)


def days(counts: dict[datetime.date, int], width: int) -> alt.Chart:
    """A bar for each day; over more than two weeks also the mean of seven days as a line."""
    first, last = min(counts), max(counts)
    dates = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    values = [int(counts.get(date, 0)) for date in dates]
    steps = [{"start": n, "count": value} for n, value in enumerate([*values, values[-1]])]
    means = [
        {"middle": n + 0.5, "mean": sum(values[n - 6 : n + 1]) / 7} for n in range(6, len(dates))
    ] if len(dates) > 14 else []  # fmt: skip
    left, right = _width(f"{max(values):,}") + GAP, 24
    marked = [
        {"middle": n + 0.5, "label": label} for n, label in _marked(dates, max(2, (width - left) // 96))
    ]
    axis = alt.Axis(
        tickCount=4, format=",d", tickMinStep=1, gridColor=css("line"), labelColor=css("quiet"), labelFontSize=FONT,
        labelFont=FAMILY, labelPadding=8, title=None, domain=False, ticks=False,
    )  # fmt: skip
    x, y = alt.Scale(domain=[0, len(dates)], nice=False), alt.Y("count:Q", axis=axis)
    layers = [
        # One shape, however many days.
        _chart(steps).mark_area(interpolate="step-after", color=css("pale"), opacity=1).encode(
            x=alt.X("start:Q", scale=x, axis=None), y=y
        ),
        _chart(steps).mark_line(interpolate="step-after", color=css("edge"), strokeWidth=1).encode(
            x=alt.X("start:Q", scale=x, axis=None), y=y
        ),
        _chart(means).mark_line(color=css("blue"), strokeWidth=2).encode(
            x=alt.X("middle:Q", scale=x, axis=None), y="mean:Q"
        ),
        _chart(marked).mark_text(dy=16, color=css("quiet")).encode(
            x=alt.X("middle:Q", scale=x, axis=None), y=alt.value(200), text="label:N"
        ),
    ]  # fmt: skip
    return _view(layers, width, 200, left=max(left, 40), right=right, top=8, bottom=28)


def _marked(dates: list[datetime.date], most: int) -> list[tuple[int, str]]:
    """Which days are named below: the first of months, if there are two of them, as many as there is room for; else days."""
    months = [n for n, date in enumerate(dates) if date.day == 1]
    if len(months) < 3:
        every = -(-len(dates) // most)
        return [(n, f"{dates[n]:%Y-%m-%d}") for n in range(0, len(dates), every)]
    # Only steps that lead to the same months in each year.
    every = next(
        (step for step in (1, 2, 3, 4, 6) if len(months) <= step * most), 12 * -(-len(months) // (12 * most))
    )
    return [
        (n, f"{dates[n]:%Y-%m}") for n in months if (12 * dates[n].year + dates[n].month - 1) % every == 0
    ]


def curve(
    points: list[tuple[float, float, str]],
    width: int,
    x_ends: tuple[float, float],
    y_ends: tuple[float, float],
    *,
    has_counts: bool = False,
    has_diagonal: bool = False,
) -> alt.Chart:
    """(x, a share, what is written above the point): a line through points, over shares or counts."""
    left, right = _width("100 %") + 2 * GAP, 28
    look: dict[str, Any] = {
        "title": None, "domain": False, "ticks": False, "labelPadding": GAP, "gridColor": css("line"), "labelColor": css("quiet"),
        "labelFontSize": FONT, "labelFont": FAMILY,
    }  # fmt: skip
    percent = "format(100 * datum.value, 'd') + ' %'"
    x_axis = alt.Axis(
        **look,
        tickCount=4,
        labelExpr="format(datum.value, ',d')" if has_counts else percent,
        labelFlush=False,
    )
    x = alt.Scale(domain=list(x_ends), nice=False)
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=list(y_ends), nice=False),
        axis=alt.Axis(**look, tickCount=4, labelExpr=percent),
    )
    at = alt.X("x:Q", scale=x, axis=x_axis)
    data = [{"x": x, "y": y, "label": label} for x, y, label in points]
    layers = [
        _chart([{"x": end, "y": end} for end in x_ends] if has_diagonal else []).mark_line(color=css("line"), strokeWidth=2).encode(x=at, y=y),
        _chart(data).mark_line(color=css("blue"), strokeWidth=2).encode(x=at, y=y),
        _chart(data).mark_point(filled=True, size=60, color=css("blue"), opacity=1).encode(x=at, y=y),
        _chart(data).mark_text(dy=-12, color=css("text")).encode(x=at, y=y, text="label:N"),
    ]  # fmt: skip
    return _view(layers, width, 220, left=left, right=right, top=24, bottom=28)


@dataclass
class Cell:
    """A cell of a grid: column and row from 0, how dark (0 to 4, or a colour), and up to two lines of text."""

    column: int
    row: int
    shade: int | str
    text: str
    below: str = ""


def grid(cells: list[Cell], width: int, columns: list[str], rows: list[str], height: int = 44) -> alt.Chart:
    """Cells with the columns' names above and the rows' names on the left; names may be empty."""
    rows = [_short(name, 0.4 * width) for name in rows]
    left = max(map(_width, rows)) + GAP if any(rows) else 0
    top = 22 if any(columns) else 0
    across, down = len(columns), len(rows)
    data = [
        {
            "x": cell.column + 0.5, "x0": cell.column, "x1": cell.column + 1,
            "y": cell.row + 0.5, "y0": cell.row, "y1": cell.row + 1,
            "fill": css(color := f"step-{cell.shade}" if isinstance(cell.shade, int) else cell.shade),
            "outline": css(_outline(color)),
            "ink": css(f"on-{color}" if isinstance(cell.shade, int) else "text" if cell.shade == "page" else "page"),
            "text": cell.text, "below": cell.below,
        }
        for cell in cells
    ]  # fmt: skip
    x, y = alt.Scale(domain=[0, across]), alt.Scale(domain=[0, down], reverse=True)
    middle_x, middle_y = alt.X("x:Q", scale=x, axis=None), alt.Y("y:Q", scale=y, axis=None)
    one_line, two_lines = ([row for row in data if bool(row["below"]) == is_two] for is_two in (False, True))
    layers = [
        # With a gap between them, so that each has its own outline.
        _chart(data).mark_rect(strokeWidth=1, xOffset=1.5, x2Offset=-1.5, yOffset=1.5, y2Offset=-1.5).encode(
            x=alt.X("x0:Q", scale=x, axis=None), x2="x1:Q", y=alt.Y("y0:Q", scale=y, axis=None), y2="y1:Q",
            color=alt.Color("fill:N", scale=None), stroke=alt.Stroke("outline:N", scale=None),
        ),
        *(
            _chart(some).mark_text(dy=dy, fontWeight="bold" if is_bold else "normal").encode(
                x=middle_x, y=middle_y, text=f"{line}:N", color=alt.Color("ink:N", scale=None)
            )
            for some, line, dy, is_bold in (
                (one_line, "text", 0, True), (two_lines, "text", -8, True), (two_lines, "below", 8, False),
            )
        ),
        _chart([{"x": n + 0.5, "label": name} for n, name in enumerate(columns) if name]).mark_text(
            dy=-12, color=css("quiet")
        ).encode(x=middle_x, y=alt.value(0), text="label:N"),
        _chart([{"y": n + 0.5, "label": name} for n, name in enumerate(rows) if name]).mark_text(
            align="right", dx=-GAP, color=css("quiet")
        ).encode(x=alt.value(0), y=middle_y, text="label:N"),
    ]  # fmt: skip
    return _view(layers, width, height * down, left=left, right=1, top=top)


def shade(value, largest) -> int:
    """Which of the five steps a value takes."""
    return min(4, int(5 * value / largest)) if largest else 0


def picture(chart: alt.Chart, title: str, description: str) -> str:
    """The chart as an element of a page, with what a screen reader says about it."""
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    return f'<div role="img" aria-label="{escape(f"{title}. {description}")}">{drawn}</div>'


def css(color: str) -> str:
    return f"var(--{color})"


def _outline(color: str) -> str:
    return "edge" if color in PALE else color


def _chart(data: list[dict]) -> alt.Chart:
    return alt.Chart(
        alt.Data(values=[{name: _drawable(value) for name, value in row.items()} for row in data])
    )


def _drawable(value):
    return NOT_IN_XML.sub("\ufffd", _cut(value, MOST_CHARACTERS)) if isinstance(value, str) else value


def _rows(count: int) -> alt.Y:
    return alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, count - 0.5], reverse=True, nice=False), axis=None)


def _view(layers, width, height, left=0, right=0, top=0, bottom=0) -> alt.Chart:
    return (
        alt.layer(*layers)
        .properties(
            width=width - left - right, height=height, autosize="none", background="transparent",
            padding={"left": left, "right": right, "top": top, "bottom": bottom},
        )
        .configure(aria=False)
        .configure_mark(aria=False)
        .configure_view(stroke=None)
        .configure_text(font=FAMILY, fontSize=FONT, baseline="middle")
    )  # fmt: skip


def _width(text: str) -> int:
    return round(CHARACTER * len(text))


def _short(label: str, room: float) -> str:
    """The label, cut where it takes more than this many pixels."""
    return _cut(label, int(room / CHARACTER))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
