"""The results as tables: on the terminal, in docs/benchmark.md, and the few figures of README.md."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2

from ci.benchmarks.event_log import Stage, share_in_single_tasks
from ci.benchmarks.result import MB, SPLIT_BYTES, Result, Results, Target
from ci.benchmarks.ways import PROJECT, ROOT

DOCUMENT, README = ROOT / "docs/benchmark.md", ROOT / "README.md"
TEMPLATE = Path(__file__).with_name("benchmark.md.jinja")
FIGURES = re.compile(r"(<!-- make bench PUBLISH=1 writes from here -->\n).*(<!-- to here -->\n)", re.DOTALL)
FIGURE = re.compile(r"[0-9,. ]*(s|×|%|GB)?")
TITLES = {"reviews": "Reviews", "logs": "Logs", "export": "Purchases"}
CORES = (1, 2, 4, 8, 16)
DAYS_GB = (1, 10, 100)
# A day is to be staged in so many minutes.
WITHIN_MINUTES = 10
WORKER_VCPUS = 4

Row = Sequence[str]


def terminal(results: Results) -> str:
    lines: list[str] = []
    for feed in results.feeds:
        lines += ["", *aligned(_rows(results, feed, TITLES[feed]))]
    targets = verdicts(results.targets())
    return "\n".join([*lines, "", *aligned([("Targets", "", ""), *targets])])


def publish(results: Results, machine: dict[str, str], size: int, rounds: int) -> None:
    """Write docs/benchmark.md, and README.md's figures between its two comments."""
    DOCUMENT.write_text(markdown(results, machine, size, rounds), encoding="utf-8")
    figures = readme_figures(results, machine, size, rounds)
    text = README.read_text(encoding="utf-8")
    README.write_text(FIGURES.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", text), encoding="utf-8")


def readme_figures(results: Results, machine: dict[str, str], size: int, rounds: int) -> str:
    """A sentence and a table of few rows."""

    def seconds(feed: str, way: str = PROJECT) -> str:
        return f"{results.wall(feed, way):.0f} s"

    reviews, logs = (f"one file of {results.sizes[feed] / 1e9:.2f} GB" for feed in ("reviews", "logs"))
    copy, tokenizer = seconds("reviews", "copy job"), seconds("reviews", "Tokenizer")
    adbc, pandas = seconds("export", "bare ADBC"), seconds("export", "pandas")
    cells = [
        (
            f"{size:,} reviews, {reviews}, classified and staged",
            f"{seconds('reviews')}; a Spark job that only copies: {copy}; Tokenizer and StopWordsRemover: {tokenizer}",
        ),
        (
            f"{size:,} logs, {logs}, parsed, pseudonymised and staged",
            f"{seconds('logs')}; a bare `from_xml` job: {seconds('logs', 'from_xml')}",
        ),
        (
            f"{size:,} purchases exported",
            f"{seconds('export')}; bare ADBC: {adbc}; pandas in chunks: {pandas}",
        ),
    ]
    further = [
        f"{results.beyond_start_up(feed):.2f} × the time ({feed})" for feed in results.tell_what_cores_bring()
    ]
    if further:
        cells.append(("two cores instead of one, start-up aside", ", ".join(further)))
    where = f"{machine['processor']}, {machine['memory']}, {machine['date']}; medians of {rounds} rounds, all ways in turn"
    return f"{where}:\n\n{table([('', ''), *cells])}"


def markdown(results: Results, machine: dict[str, str], size: int, rounds: int) -> str:
    """docs/benchmark.md, whole."""
    feeds = [
        {
            "name": feed,
            "title": TITLES[feed],
            "bytes": results.sizes[feed],
            "table": table(_noted(results, feed)),
        }
        for feed in results.feeds
    ]
    targets = verdicts(results.targets())
    scalable = results.tell_what_cores_bring()
    return template_in(TEMPLATE).render(
        size=size,
        rounds=rounds,
        machine=table([("", ""), *machine.items()]),
        feeds=feeds,
        targets=table([("target", "measured", ""), *targets]),
        scaling=_scaling(results, scalable) if scalable else None,
    )


def _noted(results: Results, feed: str) -> list[Row]:
    head, *rows = _rows(results, feed, "way")
    notes = [result.way.note for result in results.ways(feed)]
    return [(*head, "what it is"), *((*row, note) for row, note in zip(rows, notes, strict=True))]


def _rows(results: Results, feed: str, title: str) -> list[Row]:
    last = ("server s",) if feed == "export" else ("tasks", "alone")
    head = (title, "wall s", "CPU s", "peak MB", f"× {PROJECT}", *last)
    return [head, *(_figures(results, feed, result) for result in results.ways(feed))]


def _figures(results: Results, feed: str, result: Result) -> Row:
    times = result.wall / results.wall(feed)
    last = (f"{result.server_cpu:.1f}",) if feed == "export" else _tasks(result.stages)
    peak = f"{result.peak_bytes / MB:,.0f}"
    return (result.way.name, f"{result.wall:.1f}", f"{result.cpu:.1f}", peak, f"{times:.2f}", *last)


def _tasks(stages: list[Stage]) -> tuple[str, str]:
    """The tasks of the stages that matter, and the share of those that have but one."""
    total = sum(stage.seconds for stage in stages)
    heavy = [str(stage.tasks) for stage in stages if stage.seconds >= 0.1 * total]
    return (", ".join(heavy), f"{share_in_single_tasks(stages):.0%}") if stages else ("", "")


def _scaling(results: Results, feeds: list[str]) -> dict[str, object]:
    measured, per_core = [], []
    cores: list[Row] = [
        ("", *(f"{number} core{'s' * (number > 1)}" for number in CORES), "serial", "ten records")
    ]
    clusters: list[Row] = [
        ("feed", "a day of", "splits", "cores", f"workers of {WORKER_VCPUS} vCPUs", "memory")
    ]
    for feed in feeds:
        law, size = results.law(feed), results.sizes[feed]
        one, two = (results.of[feed, f"local[{number}]"] for number in (1, 2))
        memory_gb = two.peak_bytes / 2 / 2**30
        measured.append(f"{feed} {one.wall:.1f} s and {two.wall:.1f} s")
        byte_ns = law.parallel_per_byte * 1e9
        per_core.append(
            f"{feed} take {byte_ns:.1f} ns of a core per byte, and {memory_gb:.1f} GB of memory per core"
        )
        times = (f"{law.seconds(size, number):.0f} s" for number in CORES)
        cores.append((feed, *times, f"{law.serial_share(size):.0%}", f"{law.fixed:.1f} s"))
        for gb in DAYS_GB:
            splits = math.ceil(gb * 10**9 / SPLIT_BYTES)
            needed = law.cores_for(gb * 10**9, WITHIN_MINUTES * 60)
            if needed is None or needed > splits:
                sized = ("no number does", "", "")
            else:
                workers = math.ceil(needed / WORKER_VCPUS)
                sized = (f"{needed}", f"{workers} and the driver", f"{math.ceil(needed * memory_gb)} GB")
            clusters.append((feed, f"{gb} GB", f"{splits:,}", *sized))
    return {
        "measured": "; ".join(measured),
        "per_core": "; ".join(per_core),
        "cores": table(cores),
        "clusters": table(clusters),
        "minutes": WITHIN_MINUTES,
        "worker_vcpus": WORKER_VCPUS,
    }


def template_in(file: Path) -> jinja2.Template:
    """Of Markdown, not HTML: what is filled in is the benchmark's own."""
    return jinja2.Template(file.read_text(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True)


def verdicts(targets: Sequence[Target]) -> list[Row]:
    return [(target.text, target.measured, target.verdict()) for target in targets]


def table(rows: Sequence[Row]) -> str:
    """In Markdown, figures aligned to the right."""
    head, *body = rows
    columns = list(zip(*body, strict=True))
    is_figure = [all(re.fullmatch(FIGURE, cell) for cell in column) for column in columns]
    rule = ["--:" if figure and place else "---" for place, figure in enumerate(is_figure)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *figures in rows:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *cells]).rstrip())
    return lines
