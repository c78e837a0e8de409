"""Runs days again in Airflow: what `make backfill FROM=… TO=…` and `make rerun DATE=…` do.

    python -m demo.days backfill 2021-01-30 2021-01-31
    python -m demo.days rerun 2021-01-31

`staging` runs for each of the days, one at a time, and `analytics` follows it. The days are those of the data, the first and the last
included. The Airflow is that of `make airflow` (data/airflow), or the one at AIRFLOW, for AIRFLOW_USER with AIRFLOW_PASSWORD.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.days", description="Run days again in Airflow.")
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "data/airflow",
        help="that of make airflow (default: data/airflow)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    backfill_days = commands.add_parser("backfill", help="all days from the first to the last")
    backfill_days.add_argument("first", type=_day)
    backfill_days.add_argument("last", type=_day)
    rerun_day = commands.add_parser("rerun", help="one day")
    rerun_day.add_argument("day", type=_day)
    arguments = parser.parse_args()
    api = Api(arguments.folder)
    if arguments.command == "backfill":
        days = backfill(api, arguments.first, arguments.last)
        print(*days, sep="\n")
        what = f"{len(days)} {'day' if len(days) == 1 else 'days'}, one at a time"
    else:
        print(rerun(api, arguments.day))
        what = "1 day"
    print(f"{what}: staging, then analytics; see {api.address}/dags/staging")
    if paused := [dag for dag in ("staging", "analytics") if api.call("GET", f"dags/{dag}")["is_paused"]]:
        print(f"paused, and so nothing runs until you unpause it: {', '.join(paused)}")


class Api:
    """Airflow's REST API, for someone who is logged in."""

    def __init__(self, folder: Path) -> None:
        self.token = ""
        if address := os.environ.get("AIRFLOW"):
            user, password = os.environ.get("AIRFLOW_USER", ""), os.environ.get("AIRFLOW_PASSWORD", "")
        elif (folder / "airflow").exists():
            settings = (folder / "airflow").read_text()
            (address,) = re.findall(r"^export AIRFLOW__API__BASE_URL=(\S+)$", settings, re.MULTILINE)
            user, password = "admin", json.loads((folder / "secrets.json").read_text())["password"]
        else:
            sys.exit(
                f"error: there is no Airflow in {folder}: start it with make airflow, or name another with AIRFLOW=http://…"
            )
        self.address = address.rstrip("/")
        login = self._send("POST", "/auth/token", {"username": user, "password": password})
        self.token = login["access_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._send(method, f"/api/v2/{path}", body)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the user's own
            f"{self.address}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310 - likewise
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            sys.exit(f"error: Airflow refuses it ({error.code}): {_detail(said)}")
        except OSError as error:
            sys.exit(f"error: no Airflow answers at {self.address}: {error}. Is it running (make airflow)?")


def backfill(api: Api, first: date, last: date) -> list[str]:
    """The days that got a run."""
    if first > last:
        sys.exit(f"error: FROM={first} is after TO={last}; swap them")
    _require_day_of_the_pipeline(api, first, last)
    made = api.call(
        "POST",
        "backfills",
        {
            "dag_id": "staging",
            "from_date": f"{first}T00:00:00Z",
            # A run stands at its hour of the day: a bare date would leave the last day out.
            "to_date": f"{last}T23:59:59Z",
            "reprocess_behavior": "completed",
            # Airflow's own is 10: so many days of Spark at once
            "max_active_runs": 1,
            "run_backwards": False,
            "dag_run_conf": {},
        },
    )
    days = sorted(
        run["partition_key"]
        for run in _backfilled(api)
        if str(first) <= run["partition_key"] <= str(last)
        and run["queued_at"]
        and run["queued_at"] >= made["created_at"]
    )
    asked_for = [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    if not days:
        sys.exit(
            f"error: Airflow made no run for {first} to {last}: no day of them is on or after its START_DATE, or they are running"
        )
    if left_out := [day for day in asked_for if day not in days]:
        print(f"not made, since they have runs that have not ended: {', '.join(left_out)}")
    return days


def _backfilled(api: Api) -> list[dict[str, Any]]:
    """All runs of `staging` that backfills have made; Airflow shows a hundred at a time, or what its settings say."""
    runs: list[dict[str, Any]] = []
    while page := api.call(
        "GET", f"dags/staging/dagRuns?run_type=backfill&order_by=id&limit=1000&offset={len(runs)}"
    )["dag_runs"]:
        runs += page
    return runs


def rerun(api: Api, day: date) -> str:
    _require_day_of_the_pipeline(api, day, day)
    run = api.call("POST", "dags/staging/dagRuns", {"logical_date": None, "partition_key": str(day)})
    return str(run["partition_key"])


def _require_day_of_the_pipeline(api: Api, first: date, last: date) -> None:
    """Airflow itself would make runs for any days."""
    start = str(api.call("GET", "dags/staging/details")["start_date"])[:10]
    if str(first) < start:
        sys.exit(f"error: {first} is before START_DATE, {start}")
    if last >= datetime.now(UTC).date():
        sys.exit(f"error: {last} has not ended yet (UTC)")


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write YYYY-MM-DD") from None


def _detail(said: str) -> str:
    try:
        detail = json.loads(said)["detail"]
    except (ValueError, KeyError, TypeError):
        return said[:500]
    return str(detail[0].get("msg", detail[0]) if isinstance(detail, list) else detail)


if __name__ == "__main__":
    main()
