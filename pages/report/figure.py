"""A figure of the report: what it asks, and what it shows of the answers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Shown:
    """What a figure says. `chart` makes the picture in a given width; columns are (heading, kind of value)."""

    sentence: str
    columns: list[tuple[str, str]]
    rows: list[tuple]
    chart: Callable[[int], object] | None = None
    # (colour, what it means)
    legend: tuple = ()


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
    is_about_sentiment: bool = False


@dataclass
class Page:
    name: str
    title: str
    lead: str
    figures: tuple[Figure, ...]


def text(value, kind: str) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    match kind:
        case "count":
            return f"{int(value):,}"
        case "short count":
            return f"{value / 1000:,.1f}k" if value >= 1000 else str(int(value))
        case "money":
            return f"{value:,.2f}"
        case "share":
            return f"{100 * float(value):.1f} %"
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
    """Names as in a sentence: a, b and c."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"
