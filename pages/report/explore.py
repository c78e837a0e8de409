"""The page Explore: reviews and customers with filters, charts and a table that follow each other, in one file without a network.

The page carries the rows of two analyses, compressed, and two scripts: Vega's, as vl_convert bundles it, and explore.js. The page's policy
names both by their digests, so no other script runs, and base64 leaves no vendor's text in the HTML.
"""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import vl_convert

from pages.look.render import script_policy
from pages.report.figure import Figure, Page, Shown, counted, part_of, text

QUERIES = ("report_explore_reviews", "report_explore_customers", "report_reviews_by_day")
# What can be filtered by: (column of the analyses, heading).
DIMENSIONS = (
    ("location", "State"), ("region", "Region"), ("device", "Device"), ("os", "Operating system"), ("browser", "Browser"),
    ("segment", "Segment"), ("spend", "Spend"), ("classifier", "Classifier"),
)  # fmt: skip
OF_CUSTOMERS = ["location", "region", "device", "segment", "spend"]


def what_is_here(reviews, customers, by_day) -> Shown:
    """Says of how many days and reviews the page has the rows."""
    here = sum(row["review_count"] for row in reviews)
    everything = sum(row["review_count"] for row in by_day)
    days = {row["log_date"] for row in reviews} - {None}
    all_days = {row["log_date"] for row in by_day} - {None}
    without_day = sum(row["review_count"] for row in reviews if row["log_date"] is None)
    profiled = sum(row["customer_count"] for row in customers)
    profiles = f"Customers are all {text(profiled, 'count')} with a profile."
    unknown = f" {counted(without_day, 'review')} without a log can be in no period." if without_day else ""
    if here == everything:
        return Shown(f"All {counted(here, 'review')} are here.{unknown} {profiles}", [], [])
    since = f"from {min(days)} on, " if days else ""
    return Shown(
        f"The page holds the latest days that fit into it, {since}{part_of(len(days), len(all_days))} days with "
        f"{part_of(here, everything)} reviews. The other pages count all.{unknown} {profiles}",
        [],
        [],
    )


def parts(answers: dict[str, list[dict]]) -> dict[str, Any]:
    """What the template needs beside the figure: the scripts, their digests for the page's policy, and the rows as base64."""
    library = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return {
        "dimensions": DIMENSIONS,
        "library": library,
        "script": script,
        "policy": script_policy(library, script),
        "cube": packed(answers["report_explore_reviews"], answers["report_explore_customers"]),
    }


def packed(reviews: list[dict], customers: list[dict]) -> str:
    """The rows column by column as JSON, gzip and base64: `names` has the values of each dimension, the columns of `reviews` and `customers`
    have their places there. The reviews have rows; customers may be too few for any."""
    columns = ["log_date", *(name for name, _ in DIMENSIONS)]
    names = {
        column: sorted({_name(row[column]) for row in (*reviews, *customers) if column in row}, key=lambda name: (name is None, name))
        for column in columns
    }  # fmt: skip
    places = {column: {name: place for place, name in enumerate(values)} for column, values in names.items()}

    def table(rows: list[dict], dimensions: list[str], measures: tuple[str, ...]) -> dict[str, list]:
        # In one order, so that equal warehouses give equal pages; and neighbours that are alike take less room.
        coded = sorted(
            [
                *(places[name][_name(row[name])] for name in dimensions),
                *(_number(row[measure]) for measure in measures),
            ]
            for row in rows
        )
        return {
            heading: [row[place] for row in coded] for place, heading in enumerate((*dimensions, *measures))
        }

    cube = {
        "names": names,
        "reviews": table(reviews, columns, ("review_count", "review_score")),
        "customers": table(customers, OF_CUSTOMERS, ("customer_count",)),
    }
    # No time in it: the same rows give the same page.
    return base64.b64encode(gzip.compress(json.dumps(cube, separators=(",", ":")).encode(), mtime=0)).decode()


def _name(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> int | float:
    return int(value) if int(value) == value else float(value)


PAGE = Page(
    name="explore",
    title="Explore",
    lead="Filter, compare, follow a link that keeps the filters, and take the rows with you.",
    figures=(
        Figure(
            name="counted",
            title="What is counted here",
            queries=QUERIES,
            show=what_is_here,
            definition=(
                "Reviews have the day, place, device, operating system and browser of their log, and the segment and spend that their customer has "
                "today. Customers have the place and device that they write from most; Unknown if they wrote nothing, or no log tells. Customers are only "
                "counted: their money is on the page Customers. Days, operating systems, browsers and classifiers are of reviews only. Spend goes by net "
                "money alone, whether someone has written a review or not: Big spenders are the upper half of all customers with a purchase, Small "
                "spenders the lower half. The classifier is the one that judged the day's reviews."
            ),
            empty="No review of a customer is in the warehouse.",
        ),
    ),
)
