"""What `make backfill` says, of an Airflow that shows its runs a page at a time; on a running Airflow: airflow/tests/test_operator.py."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.days import Api, backfill

FIRST = date(2021, 1, 1)
MADE = "2021-12-01T03:00:00Z"


class Airflow(Api):
    """Its answers; a day of `busy` has a run that has not ended, which a backfill leaves alone."""

    address = "http://localhost:8080"

    def __init__(self, days: int, busy: tuple[str, ...] = ()) -> None:
        every = [str(FIRST + timedelta(days=n)) for n in range(days)]
        self.runs = [
            {"partition_key": day, "queued_at": "2021-11-01T03:00:00Z" if day in busy else MADE}
            for day in every
        ]

    def call(self, method, path, body=None):
        parts = urlsplit(path)
        asked = {
            name: int(values[0])
            for name, values in parse_qs(parts.query).items()
            if name in ("limit", "offset")
        }
        if parts.path == "dags/staging/details":
            return {"start_date": f"{FIRST}T00:00:00Z"}
        if parts.path == "backfills":
            return {"created_at": MADE}
        # Airflow's own longest page
        end = asked.get("offset", 0) + min(asked["limit"], 100)
        return {"dag_runs": self.runs[asked.get("offset", 0) : end], "total_entries": len(self.runs)}


@pytest.mark.parametrize("days", [1, 100, 250])
def test_every_day_that_got_a_run_is_printed(capsys, days):
    airflow = Airflow(days)
    made = backfill(airflow, FIRST, FIRST + timedelta(days=days - 1))
    assert made == [run["partition_key"] for run in airflow.runs]
    assert capsys.readouterr().out == ""


def test_a_day_whose_run_has_not_ended_is_named(capsys):
    made = backfill(Airflow(3, busy=("2021-01-02",)), FIRST, date(2021, 1, 3))
    assert made == ["2021-01-01", "2021-01-03"]
    assert capsys.readouterr().out == "not made, since they have runs that have not ended: 2021-01-02\n"
