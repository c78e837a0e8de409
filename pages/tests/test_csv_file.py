"""A figure's table as a file: raw values, and no text of a vendor that a spreadsheet would run."""

import csv
import datetime
import io
from decimal import Decimal
from urllib.parse import unquote

import duckdb
import pytest

from pages.report.csv_file import csv_link, csv_text
from pages.report.figure import Shown


def saved(*values) -> list[str]:
    shown = Shown("", [(f"c{n}", "text") for n in range(len(values))], [values])
    return list(csv.reader(io.StringIO(csv_text(shown), newline="")))[1]


def test_values_are_as_in_the_warehouse():
    assert saved(
        8434, Decimal("0.33736"), Decimal("-1E+3"), Decimal("0E-5"), None, datetime.date(2021, 8, 9),
        datetime.datetime(2021, 8, 9, 20, 53, 1), "Ünï, \"x\"\nline",
    ) == [
        "8434", "0.33736", "-1000", "0.00000", "", "2021-08-09", "2021-08-09 20:53:01", "Ünï, \"x\"\nline",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        '=HYPERLINK("http://x")',
        "  =1+1",
        "\uff1d1+1",
        "-",
    ],
)
def test_a_text_that_is_a_formula_for_a_spreadsheet_is_kept_from_being_one(text):
    assert saved(text, 'Tablet 7"', "a=b", -1) == [f"'{text}", 'Tablet 7"', "a=b", "-1"]


def test_the_link_is_utf_8_and_cannot_leave_its_attribute():
    link = csv_link(Shown("", [("Name", "text"), ("Réviews", "count")], [("\"'><script>&%41#?\u202e", 1)]))
    assert link.isascii() and not set(link) & set("\"'<>&#? \n")
    kind, _, text = link.partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    assert unquote(text) == '\ufeffName,Réviews\r\n"""\'><script>&%41#?\u202e",1\r\n'


def test_duckdb_reads_it(tmp_path):
    shown = Shown(
        "",
        [("Day", "text"), ("Reviews", "count")],
        [(datetime.date(2021, 1, 1), 2), (datetime.date(2021, 1, 2), 3)],
    )
    (tmp_path / "a.csv").write_bytes(("\ufeff" + csv_text(shown)).encode())
    found = duckdb.connect().execute(f"select Day, Reviews from read_csv('{tmp_path / 'a.csv'}')").fetchall()
    assert found == shown.rows
