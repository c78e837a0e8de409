"""A figure of the report: what it asks, and what it shows of the answers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

# In a sentence; the table below it has all, in full.
NAMES_LISTED, LONGEST_NAME = 4, 60
# Below it, counts are too small to tell chance from anything.
SMALLEST_MEAN = 5
# A share of fewer is marked: chance moves it widely.
FEW = 30


@dataclass
class Shown:
    """What a figure says. `chart` makes the picture in a given width; columns are (heading, kind of value)."""

    sentence: str
    columns: list[tuple[str, str]]
    rows: list[tuple]
    chart: Callable[[int], Any] | None = None
    # (colour, what it means)
    legend: tuple = ()
    # An id of each row, for links to it.
    row_ids: tuple = ()
    # Whether the table is shown without being opened.
    is_open: bool = False


@dataclass
class Figure:
    name: str
    title: str
    # Names of analyses; `show` gets the rows of each.
    queries: tuple[str, ...]
    show: Callable[..., Shown]
    definition: str
    # What is said when the first query has no rows.
    empty: str
    # Metrics whose descriptions appear below the definition.
    metrics: tuple[str, ...] = ()
    # The same on the page Explore, to be filtered: what its address keeps.
    explore: tuple[str, ...] = ()
    is_about_sentiment: bool = False
    # `show` gets the model's card first (pages/report/card.py); without a card only the page's first figure is there, and says why.
    is_of_card: bool = False


@dataclass
class Page:
    name: str
    title: str
    lead: str
    figures: tuple[Figure, ...]


def text(value, kind: str) -> str:
    """A value as people read it; z: what rounds to nothing has no sign."""
    if value is None:
        return "–"
    match kind:
        case "count":
            return f"{int(value):,}".replace("-", "−")
        case "short count":
            return f"{value / 1000:,.1f}k" if value >= 1000 else str(int(value))
        case "money":
            return f"{value:z,.2f}".replace("-", "−")
        case "whole money":
            return f"{value:z,.0f}".replace("-", "−")
        case "share":
            return f"{100 * float(value):z.1f} %".replace("-", "−")
        case "number":
            return f"{float(value):z.2f}".replace("-", "−")
        case "seconds":
            return f"{float(value):,.2f} s" if value < 10 else f"{float(value):,.0f} s"
        case "bytes":
            return _bytes(float(value))
        case "time":
            return f"{value:%Y-%m-%d %H:%M}"
        case "month":
            return f"{value:%Y-%m}"
        case _:
            return str(value)


def listed(names) -> str:
    """Names as in a sentence: a, b and c. Of many, the first and how many more; "none" without any."""
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    if len(names) > NAMES_LISTED:
        names[NAMES_LISTED - 1 :] = [f"{text(len(names) - NAMES_LISTED + 1, 'count')} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names) or "none"


def counted(count, one: str, many: str = "") -> str:
    """1 review, 2 reviews."""
    return f"{text(count, 'count')} {one if count == 1 else many or one + 's'}"


def part_of(part, whole, kind: str = "count") -> str:
    """3 of 4 (75.0 %). Without a share where there is none: of nothing, or of money below zero."""
    if whole <= 0 or not 0 <= part <= whole:
        return f"{text(part, kind)} of {text(whole, kind)}"
    share = text(part / whole, "share")
    # A share that rounding alone makes all or nothing.
    if share == "100.0 %" and part < whole:
        share = "over 99.9 %"
    if share == "0.0 %" and part > 0:
        share = "under 0.1 %"
    return f"{text(part, kind)} of {text(whole, kind)} ({share})"


def largest_part(amounts: dict[str, int], what: str, kind: str = "count") -> str:
    """Who has the largest part of `what`, as a sentence without its stop: "Most of the reviews: Mobile, 3 of 4 (75.0 %)". Several if
    they tie.

    Nothing else in the report writes "most", which is more than half.
    """
    whole, largest = sum(amounts.values()), max(amounts.values())
    first = [name for name, amount in amounts.items() if amount == largest]
    if min(amounts.values()) < 0 or whole <= 0:
        words = "The largest amount"
    elif largest == whole:
        words = "All"
    else:
        words = "Most" if 2 * largest > whole else "The largest part"
    each = " each" if len(first) > 1 else ""
    return f"{words} of the {what}: {listed(first)}, {part_of(largest, whole, kind)}{each}"


def chance(counts: list[int], among: str) -> str:
    """A sentence if the counts differ no more than equal groups would by chance; else nothing. Chi-squared at 5 %, by Wilson and
    Hilferty's approximation (its limit is within 3 % of the table's); small groups say nothing."""
    if len(counts) < 2 or sum(counts) < SMALLEST_MEAN * len(counts):
        return ""
    mean, free = sum(counts) / len(counts), len(counts) - 1
    found = sum((count - mean) ** 2 for count in counts) / mean
    limit = free * (1 - 2 / (9 * free) + 1.645 * sqrt(2 / (9 * free))) ** 3
    return (
        f" The differences between {among} are no larger than chance alone would make them."
        if found <= limit
        else ""
    )


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
