"""The line under every title: what is late, missing or wrong is said, and by the clock of the last run."""

import datetime

from pages.report.status import status

RUN = datetime.datetime(2021, 1, 9, 3, 0)


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


def test_late_is_counted_to_the_last_day_that_was_over():
    """At 03:00 on the 9th the 8th is over: three days after the 5th."""
    assert said(delivered(), results("passed"), RUN) == [
        "Data delivered to 2021-01-05", "! 3 days late at the last run", "last run 2021-01-09 03:00 UTC",
        "tests: 1 passed, 0 warned, 0 failed",
    ]  # fmt: skip
    for on_time in (datetime.datetime(2021, 1, 6, 0, 1), datetime.datetime(2021, 1, 5, 23, 0)):
        assert not [piece for piece in said(delivered(), results("passed"), on_time) if "late" in piece]
    assert "! 1 day late at the last run" in said(
        delivered(5), results("passed"), datetime.datetime(2021, 1, 6)
    )


def test_what_is_missing_or_wrong_leads_to_where_it_is_explained():
    pieces = status(delivered(2, 3), results("passed", "warned", "failed", "not run"), RUN)
    by_text = {piece["text"]: piece["link"] for piece in pieces if piece["is_bad"]}
    assert by_text["2 deliveries missing"] == "trust.html#deliveries"
    assert by_text["tests: 1 passed, 1 warned, 1 failed"] == "trust.html#warnings"


def test_nothing_known_is_said():
    assert said([], [], None) == ["! No data delivered", "! no run recorded", "! no test has run"]
    assert said(delivered(*range(1, 6)), [], None)[0] == "! No data delivered"
