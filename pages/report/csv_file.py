"""A figure's table as a CSV file within the page: a link that any browser saves, without a script and without a network.

Numbers as they are in the warehouse (0.337, not 33.7 %), days as ISO writes them, an empty field for NULL; UTF-8 with a byte order mark,
by which spreadsheets recognise it. Vendors' text is hostile: a spreadsheet would run "=HYPERLINK(…)" as a formula, so a text that begins
like one has an apostrophe before it.
"""

import csv
import io
from decimal import Decimal
from urllib.parse import quote

from pages.report.figure import Shown

# What spreadsheets take for the beginning of a formula, and the wide forms that some of them take for the same.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_link(shown: Shown) -> str:
    """The file as a data: URL."""
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + csv_text(shown), safe=",:/()")


def csv_text(shown: Shown) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([heading for heading, _ in shown.columns])
    writer.writerows([_field(value) for value in row] for row in shown.rows)
    return file.getvalue()


def _field(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA) else value
    if isinstance(value, Decimal):
        # never 1E+3
        return f"{value:f}"
    return "" if value is None else value
