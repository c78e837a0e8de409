"""The line under every title: how fresh the data are, and whether anything needs a look.

Late is what was asked for and did not come: no clock is asked, so the same warehouse gives the same line, and a history that has ended is
not late.
"""

from datetime import date, datetime

from pages.report.figure import counted, text


def status(
    deliveries: list[dict], tests: list[dict], last_run: datetime | None, last_day_asked: date | None
) -> list[dict]:
    """Pieces of the line, each {text, link, is_bad}: of report_deliveries, of each test's last result, when dbt last ran (UTC), and the
    last day of the last run that was for some days; None if every run built whatever was staged."""
    return [
        *_freshness(deliveries, last_day_asked),
        _piece(f"last run {text(last_run, 'time')} UTC" if last_run else "no run recorded", "tests", is_bad=not last_run),
        _tests(tests),
    ]  # fmt: skip


def _freshness(deliveries, last_day_asked) -> list[dict]:
    delivered = [row["insert_date"] for row in deliveries if row["is_delivered"]]
    if not delivered:
        return [_piece("No data delivered", "deliveries", is_bad=True)]
    pieces = [_piece(f"Data delivered to {max(delivered)}", "deliveries")]
    if last_day_asked and last_day_asked > max(delivered):
        late = counted((last_day_asked - max(delivered)).days, "day")
        pieces.append(_piece(f"{late} late: a run was for {last_day_asked}", "deliveries", is_bad=True))
    absent = sum(not row["is_delivered"] for row in deliveries)
    if absent:
        pieces.append(
            _piece(f"{counted(absent, 'delivery', 'deliveries')} missing", "deliveries", is_bad=True)
        )
    return pieces


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
