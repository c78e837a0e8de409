"""What is measured: this project's commands as a user starts them, and beside them the usual ways.

Each way has a check: a query over the rows that it wrote, and what it must give. A fast wrong answer is no answer.
"""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyspark

from ci.benchmarks.feeds import ALMOST_EMPTY_DAY, DAY, Right

ROOT = Path(__file__).parents[2]
PROJECT = "this project"
# Of a way's name, when it is given the almost empty day.
FEW = ", ten records"
FEEDS = ("reviews", "logs", "export")
COMMANDS = {
    "reviews": ("spark_prep.reviews.classify_reviews", "classify_reviews", "classified_movie_review"),
    "logs": ("spark_prep.logs.parse_logs", "parse_logs", "review_logs"),
    "export": ("spark_prep.shop.export_purchases", "export_purchases", "user_purchase"),
}
CHECKS = {
    "reviews": "count(*), sum(review_id), sum(positive_review)",
    "logs": "count(*), sum(log_id), count(*) filter (device = 'Mobile')",
    "export": "count(*), sum(stock_code::int), sum(quantity)",
}
# Where a way applies another rule or none, the rows and the sum of their ids.
IDS = {"reviews": "count(*), sum(review_id)", "logs": "count(*), sum(log_id)"}
# Beside keyword, the default.
CLASSIFIERS = {
    "lexicon": "this project with `--classifier lexicon`",
    "model": "this project with `--classifier model`: 700,000 weights, made up",
}
# What spark_prep.spark.session sets when plain Python starts it; spark-submit wants it from outside.
LOCAL = (
    "spark.ui.enabled=false",
    "spark.driver.memory=2g",
    "spark.driver.host=127.0.0.1",
    "spark.driver.bindAddress=127.0.0.1",
)


class Way(NamedTuple):
    """A command, in which `{out}` stands for the folder of a run; `rows`, the files of its result in there; the check."""

    feed: str
    name: str
    note: str
    command: tuple[str, ...]
    rows: str
    check: str
    right: tuple[int, ...]
    # cores, when it is run to see what they bring
    cores: int | None = None
    is_almost_empty: bool = False


class Input(NamedTuple):
    """What the ways of a feed read, a file or the shop's database, and what they must make of it."""

    source: str
    right: Right


def ways(inputs: dict[str, Input], few: dict[str, Input]) -> list[Way]:
    """The ways in the order in which they take turns; `few` are the files of the almost empty day."""
    found = []
    for feed, input_ in inputs.items():
        found += [_project(feed, input_), *_peers(feed, input_)]
        if feed == "reviews":
            found += [_classified(input_, classifier) for classifier in CLASSIFIERS]
        if feed in few:
            copy = _copy(feed, few[feed])
            found.append(copy._replace(name=f"{copy.name}{FEW}", is_almost_empty=True))
            found += [_with_cores(feed, input_, cores, DAY) for cores in (1, 2)]
            found += [_with_cores(feed, few[feed], cores, ALMOST_EMPTY_DAY) for cores in (1, 2)]
    return found


def _project(feed: str, input_: Input) -> Way:
    module = COMMANDS[feed][0]
    notes = {
        "reviews": "every record checked, rejects kept with their reason, counted, published as one; the rule knows Unicode's words",
        "logs": "XML as XML 1.0 says, dates checked, address and phone as keyed pseudonyms, rejects kept, counted, published as one",
        "export": "one snapshot, exact types, rows that cannot be staged kept with their reason, counted, published as one",
    }
    command = (sys.executable, "-m", module, "--date", str(DAY))
    return Way(feed, PROJECT, notes[feed], command, _staged(feed, DAY), CHECKS[feed], input_.right)


def _classified(input_: Input, classifier: str) -> Way:
    way = _project("reviews", input_)
    command = (*way.command, "--classifier", classifier)
    return way._replace(
        name=classifier,
        note=CLASSIFIERS[classifier],
        command=command,
        check=IDS["reviews"],
        right=input_.right[:2],
    )


def _staged(feed: str, day: date) -> str:
    return f"staging/{COMMANDS[feed][2]}/insert_date={day}/**/*.parquet"


def _peers(feed: str, input_: Input) -> list[Way]:
    peer = partial(_peer, feed, input_)
    machine = "no Spark, no quarantine: the limit of one machine"
    if feed == "reviews":
        return [
            _copy(feed, input_),
            peer(
                "Tokenizer",
                "Tokenizer, StopWordsRemover, array_contains: the usual way; misses “good,” and “good.”",
                "spark",
                "tokenizer",
                follows_rule=False,
            ),
            peer("Python UDF", "a compiled pattern in a plain `udf`", "spark", "python_udf"),
            peer("DuckDB", machine, "duckdb", "reviews"),
        ]
    if feed == "logs":
        return [
            _copy(feed, input_),
            peer("from_xml", "bare: one `from_xml`, addresses and phones in clear", "spark", "from_xml"),
            peer("xpath", "an `xpath_string` for each value, in clear", "spark", "xpath"),
            peer(
                "regexp_extract",
                "a pattern for each value, in clear; takes broken XML for sound",
                "spark",
                "regexp",
            ),
            peer("DuckDB", f"a pattern for each value, in clear; {machine}", "duckdb", "logs"),
        ]
    return [
        peer("bare ADBC", "`fetch_record_batch` into one file; prices stay texts", "adbc"),
        peer("pandas", "a cursor on the server, 100,000 rows at a time", "pandas"),
    ]


def _copy(feed: str, input_: Input) -> Way:
    note = "Spark reads every field (`multiLine`, RFC 4180) and writes as many columns; no rule: the floor for Spark"
    return _peer(feed, input_, "copy job", note, "spark", f"copy_{feed}", follows_rule=False)


def _peer(
    feed: str, input_: Input, name: str, note: str, module: str, *arguments: str, follows_rule: bool = True
) -> Way:
    program = (sys.executable, "-m", f"ci.benchmarks.peers.{module}", *arguments)
    check, right = (CHECKS[feed], input_.right) if follows_rule else (IDS[feed], input_.right[:2])
    return Way(feed, name, note, (*program, input_.source, "{out}/rows"), "rows/*.parquet", check, right)


def _with_cores(feed: str, input_: Input, cores: int, day: date) -> Way:
    """By spark-submit, as clusters start it: the command itself always takes all cores."""
    is_almost_empty = day == ALMOST_EMPTY_DAY
    name = f"local[{cores}]{FEW if is_almost_empty else ''}"
    submit = str(Path(pyspark.__file__).parent / "bin/spark-submit")
    settings = [part for setting in LOCAL for part in ("--conf", setting)]
    program = (submit, "--master", f"local[{cores}]", *settings, str(ROOT / "spark_prep/spark/submit.py"))
    command = (*program, "--job", COMMANDS[feed][1], "--date", str(day))
    note = "this project by `spark-submit`"
    check, right = CHECKS[feed], input_.right
    return Way(feed, name, note, command, _staged(feed, day), check, right, cores, is_almost_empty)
