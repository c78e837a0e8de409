"""The line under every title: how fresh the data are, and whether anything needs a look.

Late is what was asked for and did not come, of each feed: no clock is asked, so the same warehouse gives the same line, and a history that has ended is
not late.
"""

from datetime import date, datetime

from pages.report.figure import counted, part_of, text
from pages.report.pages.trust import TABLES


def status(
    deliveries: list[dict],
    ledger: list[dict],
    tests: list[dict],
    last_run: datetime | None,
    last_day_asked: date | None,
) -> list[dict]:
    """Pieces of the line, each {text, link, is_bad}: of report_deliveries, of report_ledger, of each test's last result, when dbt last ran
    (UTC), and the last day of the last run that was for some days; None if every run built whatever was staged."""
    return [
        *_freshness(deliveries, last_day_asked),
        *(_records(ledger) if ledger else ()),
        _tests(tests),
        _piece(f"last run {text(last_run, 'time')} UTC" if last_run else "no run recorded", "tests", is_bad=not last_run),
    ]  # fmt: skip


def _freshness(deliveries, last_day_asked) -> list[dict]:
    last: dict[str, date] = {}
    for row in deliveries:
        if row["is_delivered"]:
            last[row["table_name"]] = max(row["insert_date"], last.get(row["table_name"], row["insert_date"]))
    if not last:
        return [_piece("no data delivered", "deliveries", is_bad=True)]
    expected = max(*(row["insert_date"] for row in deliveries), last_day_asked or max(last.values()))
    late = {
        name: f"{counted((expected - last[table]).days, 'day')} late" if table in last else "never came"
        for table, name in TABLES.items()
        if last.get(table) != expected
    }
    if len(late) == len(TABLES) and len(set(late.values())) == 1:
        said = next(iter(late.values()))
    else:
        said = ", ".join(f"{name.lower()} {how}" for name, how in late.items()) or "not late"
    absent = sum(not row["is_delivered"] for row in deliveries)
    return [
        _piece(f"last day {max(last.values())}, {said}", "deliveries", is_bad=bool(late)),
        _piece(
            f"{counted(absent, 'delivery', 'deliveries')} missing" if absent else "no delivery missing",
            "deliveries",
            is_bad=bool(absent),
        ),
    ]


def _records(ledger) -> list[dict]:
    days = sum(row["unbalanced_days"] for row in ledger)
    rejected, delivered = (
        sum(row[f"records_{what}"] for row in ledger) for what in ("quarantined", "delivered")
    )
    return [
        _piece(
            f"ledger: {counted(days, 'day')} {'does' if days == 1 else 'do'} not balance"
            if days
            else "ledger balances",
            "ledger",
            is_bad=bool(days),
        ),
        # What was rejected is accounted for, and a check has asked a person about a day with too much of it.
        _piece(
            f"quarantine: {part_of(rejected, delivered)}" if rejected else "quarantine empty",
            "rejections",
        ),
    ]


def _tests(tests) -> dict:
    counts = {
        status: sum(test["ended"] == status for test in tests) for status in ("passed", "warned", "failed")
    }
    if not any(counts.values()):
        return _piece("no test has run", "tests", is_bad=True)
    said = ", ".join(f"{text(count, 'count')} {status}" for status, count in counts.items())
    is_bad = bool(counts["warned"] or counts["failed"])
    return _piece(f"tests: {said}", "warnings" if is_bad else "tests", is_bad=is_bad)


def _piece(said: str, figure: str, is_bad: bool = False) -> dict:
    return {"text": said, "link": f"trust.html#{figure}", "is_bad": is_bad}
