"""The line under every title: what is late, missing or wrong is said, and no clock is asked."""

import datetime

from pages.report.status import status
from pages.report.warehouse import Warehouse

RUN = datetime.datetime(2026, 1, 9, 3, 0)


TABLES = ("user_purchase", "classified_movie_review", "review_logs")
LEDGER = [{"records_delivered": 600, "records_quarantined": 0, "unbalanced_days": 0}]


def delivered(*absent: tuple[int, str]) -> list[dict]:
    """Five days of three tables."""
    return [
        {
            "insert_date": datetime.date(2021, 1, n),
            "table_name": table,
            "is_delivered": (n, table) not in absent,
        }
        for n in range(1, 6)
        for table in TABLES
    ]


def results(*ended: str) -> list[dict]:
    return [{"ended": one} for one in ended]


def said(
    deliveries=None, ledger=LEDGER, tests=("passed",), run: datetime.datetime | None = RUN, asked=None
) -> list[str]:
    pieces = status(delivered() if deliveries is None else deliveries, ledger, results(*tests), run, asked)
    return [("! " if piece["is_bad"] else "") + piece["text"] for piece in pieces]


def test_all_of_the_data_s_health_is_named_and_nothing_is_late_by_the_clock():
    """The run is years after the last day, as of a history that has ended."""
    assert said() == [
        "last day 2021-01-05, not late", "no delivery missing", "ledger balances", "quarantine empty",
        "tests: 1 passed, 0 warned, 0 failed", "last run 2026-01-09 03:00 UTC",
    ]  # fmt: skip
    for asked in (datetime.date(2021, 1, 5), datetime.date(2021, 1, 2)):
        assert said(asked=asked) == said()


def test_late_is_what_was_asked_for_and_did_not_come():
    assert said(asked=datetime.date(2021, 1, 8))[0] == "! last day 2021-01-05, 3 days late"
    fifth = [(5, table) for table in TABLES]
    assert said(delivered(*fifth), asked=datetime.date(2021, 1, 5))[:2] == [
        "! last day 2021-01-04, 1 day late", "! 3 deliveries missing",
    ]  # fmt: skip


def test_one_feed_that_is_late_is_not_hidden_by_another_that_came():
    """Purchases are exported by the run itself: they come on every day, also when no vendor delivers."""
    vendors = [(day, table) for day in (3, 4, 5) for table in TABLES[1:]]
    assert said(delivered(*vendors[2:]))[0] == "! last day 2021-01-05, reviews 2 days late, logs 2 days late"
    assert said(delivered((5, "review_logs")))[0] == "! last day 2021-01-05, logs 1 day late"
    never = delivered(*((day, "review_logs") for day in range(1, 6)))
    assert said(never)[0] == "! last day 2021-01-05, logs never came"
    # one in between is missing, and what came after it is not late
    assert said(delivered((3, "review_logs")))[:2] == [
        "last day 2021-01-05, not late",
        "! 1 delivery missing",
    ]


def test_records_that_do_not_balance_or_were_rejected_are_said():
    tables = [
        {"records_delivered": 600, "records_quarantined": 2, "unbalanced_days": 1},
        {"records_delivered": 400, "records_quarantined": 1, "unbalanced_days": 0},
    ]
    assert said(ledger=tables)[2:4] == [
        "! ledger: 1 day does not balance",
        "quarantine: 3 of 1,000 (0.3 %)",
    ]
    assert said(ledger=[*tables, *tables])[2] == "! ledger: 2 days do not balance"


def test_each_piece_leads_to_where_it_is_explained():
    tests = results("passed", "warned", "failed", "not run")
    pieces = status(delivered((2, "review_logs"), (3, "review_logs")), LEDGER, tests, RUN, None)
    assert {piece["text"]: piece["link"] for piece in pieces} == {
        "last day 2021-01-05, not late": "trust.html#deliveries",
        "2 deliveries missing": "trust.html#deliveries",
        "ledger balances": "trust.html#ledger",
        "quarantine empty": "trust.html#rejections",
        "tests: 1 passed, 1 warned, 1 failed": "trust.html#warnings",
        "last run 2026-01-09 03:00 UTC": "trust.html#tests",
    }


def test_nothing_known_is_said():
    nothing = ["! no data delivered", "! no test has run", "! no run recorded"]
    assert said([], [], [], None) == nothing
    assert (
        said(delivered(*((day, table) for day in range(1, 6) for table in TABLES)), [], [], None) == nothing
    )


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
