"""A day after many days as tables: on the terminal, and in docs/benchmark_warehouse.md."""

from __future__ import annotations

from pathlib import Path

from ci.benchmarks.document import Row, aligned, table, template_in, verdicts
from ci.benchmarks.history import CUSTOMERS_PER_REVIEW
from ci.benchmarks.result import MB, Target
from ci.benchmarks.warehouse import AT_MOST, Day, History
from ci.benchmarks.ways import ROOT

DOCUMENT = ROOT / "docs/benchmark_warehouse.md"
TEMPLATE = Path(__file__).with_name("warehouse.md.jinja")
NODES_SHOWN = 20

Days = dict[History, Day]


def terminal(days: Days) -> str:
    parts: list[list[Row]] = [
        [*_costs(days)],
        [("Targets", "", ""), *verdicts(targets(days))],
        [*_nodes(days)],
    ]
    return "\n".join(line for part in parts for line in ["", *aligned(part)])


def publish(days: Days, machine: dict[str, str], rounds: int) -> None:
    """Write docs/benchmark_warehouse.md."""
    page = template_in(TEMPLATE).render(
        customers=CUSTOMERS_PER_REVIEW,
        rounds=rounds,
        machine=table([("", ""), *machine.items()]),
        costs=table(_costs(days)),
        targets=table([("target", "measured", ""), *verdicts(targets(days))]),
        longest=_longest(days).text(),
        nodes=table(_nodes(days)),
    )
    DOCUMENT.write_text(page, encoding="utf-8")


def targets(days: Days) -> list[Target]:
    """For each size with a second day and a later one: what the last costs of CPU and reads, by what the second does."""
    found = []
    for before, day in days.items():
        second = second_day(days, before)
        if second is None or before != max(history for history in days if history.reviews == before.reviews):
            continue
        for what, last, first in (
            ("CPU", day.cpu, second.cpu),
            ("bytes read", day.read_bytes, second.read_bytes),
        ):
            ratio = last / first if first else 0.0
            text = f"after {before.text()}: at most {AT_MOST} × the {what} of the second day"
            found.append(Target(text, f"{ratio:.2f} ×", ratio <= AT_MOST if first else None))
    return found


def second_day(days: Days, before: History) -> Day | None:
    """Of the same size; None for the second day itself, and when it was not measured."""
    return days.get(History(1, before.reviews)) if before.days > 1 else None


def _costs(days: Days) -> list[tuple[str, ...]]:
    head = (
        "days before", "reviews a day", "wall s", "CPU s", "× second day", "slope, ms", "nodes s", "peak MB", "read MB",
    )  # fmt: skip
    rows = []
    for before, day in days.items():
        second = second_day(days, before)
        growth = (
            (f"{day.cpu / second.cpu:.2f}", f"{(day.cpu - second.cpu) / (before.days - 1) * 1000:.1f}")
            if second
            else ("", "")
        )
        rows.append(
            (
                f"{before.days:,}",
                f"{before.reviews:,}",
                f"{day.wall:.1f}",
                f"{day.cpu:.1f}",
                *growth,
                f"{day.node_seconds():.1f}",
                f"{day.peak_bytes / MB:,.0f}",
                f"{day.read_bytes / 1e6:,.1f}",
            )
        )
    return [head, *rows]


def _nodes(days: Days) -> list[tuple[str, ...]]:
    longest = _longest(days)
    last, second = days[longest].nodes, second_day(days, longest)
    slowest = sorted(last, key=lambda name: -last[name])[:NODES_SHOWN]
    head = ("node", "second day, s", f"after {longest.text()}, s")
    return [
        head,
        *(
            (name, f"{second.nodes.get(name, 0):.2f}" if second else "", f"{last[name]:.2f}")
            for name in slowest
        ),
    ]


def _longest(days: Days) -> History:
    return max(days, key=lambda before: (before.days, before.reviews))
