"""The line under every title: what is late, missing or wrong is said, and no clock is asked."""

import datetime

from pages.report.status import status
from pages.report.warehouse import Warehouse

RUN = datetime.datetime(2026, 1, 9, 3, 0)


def delivered(*absent: int) -> list[dict]:
    return [
        {
            "insert_date": datetime.date(2021, 1, n),
            "table_name": "review_logs",
            "is_delivered": n not in absent,
        }
        for n in range(1, 6)
    ]


def results(*ended: str) -> list[dict]:
    return [{"ended": one} for one in ended]


def said(*arguments) -> list[str]:
    return [("! " if piece["is_bad"] else "") + piece["text"] for piece in status(*arguments)]


def test_late_is_what_was_asked_for_and_did_not_come():
    """The run is years after the last day, as of a history that has ended."""
    assert said(delivered(), results("passed"), RUN, datetime.date(2021, 1, 8)) == [
        "Data delivered to 2021-01-05", "! 3 days late: a run was for 2021-01-08", "last run 2026-01-09 03:00 UTC",
        "tests: 1 passed, 0 warned, 0 failed",
    ]  # fmt: skip
    for asked in (None, datetime.date(2021, 1, 5), datetime.date(2021, 1, 2)):
        assert not [piece for piece in said(delivered(), results("passed"), RUN, asked) if "late" in piece]
    assert "! 1 day late: a run was for 2021-01-05" in said(
        delivered(5), results("passed"), RUN, datetime.date(2021, 1, 5)
    )


def test_what_is_missing_or_wrong_leads_to_where_it_is_explained():
    pieces = status(delivered(2, 3), results("passed", "warned", "failed", "not run"), RUN, None)
    by_text = {piece["text"]: piece["link"] for piece in pieces if piece["is_bad"]}
    assert by_text["2 deliveries missing"] == "trust.html#deliveries"
    assert by_text["tests: 1 passed, 1 warned, 1 failed"] == "trust.html#warnings"


def test_nothing_known_is_said():
    assert said([], [], None, None) == ["! No data delivered", "! no run recorded", "! no test has run"]
    assert said(delivered(*range(1, 6)), [], None, None)[0] == "! No data delivered"


def test_a_day_that_was_mistyped_counts_until_the_next_run():
    def run(hour: int, to_date: datetime.date | None) -> dict:
        return {"run_started_at": datetime.datetime(2026, 1, 9, hour), "to_date": to_date}

    asked = datetime.date(2021, 1, 5)
    for runs, last in (
        ([run(3, asked), run(2, datetime.date(2201, 1, 5)), run(1, datetime.date(2021, 1, 4))], asked),
        ([run(1, asked), run(4, None)], asked),
        ([run(4, None)], None),
        ([], None),
    ):
        answers = {"report_footer_tables": [], "report_footer_tests": [], "report_runs": runs}
        assert Warehouse(answers, {"nodes": {}}).last_day_asked == last
