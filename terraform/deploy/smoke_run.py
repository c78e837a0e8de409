"""Run tasks of a deployed Airflow, then a day of sample data if there is one, and end with exit code 1 at the first that fails.

`make deploy` gives this text to a Python in the scheduler's pod. Environment: SMOKE_DAGS, the DAGs that must be there;
SMOKE_TASKS, words DAG.TASK; SMOKE_DAY, YYYY-MM-DD; SMOKE_SAMPLE, the sample's purchases below raw_uri, and then on standard
input what the marts must hold of that day: {"ledger": {table: [delivered, quarantined, staged, in marts]}, "fact": [reviews,
positive reviews, amount spent]}. `airflow tasks test` ends with 0 whatever becomes of its task, so the state is read from what
it prints.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

# After an installation the DAGs are there when they have been parsed once.
PARSED_WITHIN_SECONDS = float(os.environ.get("SMOKE_WAIT_SECONDS", "600"))
# Minutes, even where a cluster has to start. A deployment from GitHub has two hours for everything.
RUN_WITHIN_SECONDS = float(os.environ.get("SMOKE_WAIT_SECONDS", "3600"))
# As the DAGs know them.
JOBS_PYTHON = Path(os.environ.get("JOBS_PYTHON", "/opt/pipeline/.venv/bin/python"))
DBT_PROJECT_DIR = os.environ.get("DBT_PROJECT_DIR", "/opt/pipeline/dbt_project")

LEDGER = """
select table_name, records_delivered, records_quarantined, records_staged, records_in_marts
from {{ ref('ledger') }} where insert_date = cast('DAY' as date)
"""
FACT = """
select sum(review_count) as reviews, sum(review_score) as positive, cast(sum(amount_spent) as {{ dbt.type_string() }}) as amount
from {{ ref('fact_movie_analytics') }} where insert_date = cast('DAY' as date)
"""


def main() -> None:
    for dag in os.environ["SMOKE_DAGS"].split():
        wait_for(dag, time.monotonic() + PARSED_WITHIN_SECONDS)
    day = os.environ["SMOKE_DAY"]
    for task in os.environ["SMOKE_TASKS"].split():
        run(task, day)
    if sample := os.environ.get("SMOKE_SAMPLE"):
        sample_day(day, sample, json.load(sys.stdin))


def wait_for(dag: str, deadline: float) -> None:
    while airflow("dags", "details", dag).returncode:
        if time.monotonic() > deadline:
            print(airflow("dags", "list-import-errors").stdout)
            sys.exit(
                f"error: Airflow has no DAG {dag} after {PARSED_WITHIN_SECONDS:.0f} s; see above, or its dag-processor"
            )
        time.sleep(5)
    print(f"{dag} is there", flush=True)


def run(task: str, day: str, *options: str) -> None:
    ran = airflow("tasks", "test", *options, *task.split("."), day)
    print(ran.stdout, flush=True)
    states = re.findall(r"\bnew_state=(\w+)", ran.stdout)
    if ran.returncode or states[-1:] != ["success"]:
        ended = states[-1] if states else f"without a state, exit code {ran.returncode}"
        sys.exit(f"error: {task} of {day} ended {ended}: its log is above")
    print(f"{task} of {day}: success", flush=True)


def sample_day(day: str, purchases: str, expected: dict[str, Any]) -> None:
    """Load the shop's table, let the scheduler run `staging` for the day and `analytics` after it, and look into the marts."""
    run("user_purchase_load.load_user_purchase", day, "--task-params", json.dumps({"file": purchases}))
    began = datetime.now(UTC)
    for dag in ("staging", "analytics"):
        must("dags", "unpause", "--yes", dag)
    # Once more, too, and beside a run of another day that waits for its files.
    must(
        "backfill", "create", "--dag-id", "staging", "--from-date", day, "--to-date", f"{day}T23:59:59",
        "--max-active-runs", "1", "--reprocess-behavior", "completed",
    )  # fmt: skip
    wait_for_run("staging", began, f"__{day}__")
    wait_for_run("analytics", began, "")
    compare(day, expected)


def wait_for_run(dag: str, began: datetime, in_its_id: str) -> None:
    """For the newest run that started after that time."""
    deadline = time.monotonic() + RUN_WITHIN_SECONDS
    while True:
        runs = [
            one
            for one in must_answer("dags", "list-runs", dag, "--output", "json")
            if in_its_id in one["run_id"]
            and one["start_date"]
            and datetime.fromisoformat(one["start_date"]) >= began
        ]
        newest = max(runs, key=lambda one: one["start_date"], default={"state": "not started", "run_id": ""})
        print(f"{dag} {newest['run_id']}: {newest['state']}", flush=True)
        if newest["state"] == "success":
            return
        if newest["state"] == "failed":
            print(airflow("tasks", "states-for-dag-run", dag, newest["run_id"]).stdout)
            sys.exit(f"error: {dag} failed on the sample's day; the states of its tasks are above")
        if time.monotonic() > deadline:
            sys.exit(f"error: {dag} is {newest['state']} after {RUN_WITHIN_SECONDS:.0f} s")
        time.sleep(15)


def compare(day: str, expected: dict[str, Any]) -> None:
    ledger = {str(row.pop("table_name")): [int(value) for value in row.values()] for row in show(LEDGER, day)}
    (row,) = show(FACT, day)
    fact = [int(row["reviews"]), int(row["positive"]), Decimal(str(row["amount"]))]
    wanted = [*expected["fact"][:2], Decimal(expected["fact"][2])]
    print(f"ledger of {day}: {ledger}; fact: {fact}", flush=True)
    if ledger != expected["ledger"] or fact != wanted:
        sys.exit(f"error: the marts of the sample's day are not what they must be: {expected}")
    print("the marts hold what the sample's answers say", flush=True)


def show(query: str, day: str) -> list[dict[str, Any]]:
    """The rows of a query in the warehouse, asked as the jobs ask it."""
    warehouse = must_answer("variables", "get", "warehouse")
    with tempfile.TemporaryDirectory() as folder:
        places = {"DBT_PROFILES_DIR": DBT_PROJECT_DIR, "DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder}
        asked = subprocess.run(
            [
                JOBS_PYTHON.with_name("dbt"), "--quiet", "show", "--project-dir", DBT_PROJECT_DIR,
                "--output", "json", "--inline", query.replace("DAY", day),
            ],
            env={**os.environ, **{name: str(value) for name, value in warehouse.items()}, **places},
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    found = re.search(r"\{.*\}", asked.stdout, re.DOTALL)
    if asked.returncode or not found:
        sys.exit(f"error: the warehouse does not answer: {asked.stdout}")
    rows: list[dict[str, Any]] = json.loads(found[0])["show"]
    return rows


def must_answer(*arguments: str) -> Any:
    """The JSON that Airflow prints, behind what it logs on the same stream."""
    return json.loads(must(*arguments).splitlines()[-1])


def must(*arguments: str) -> str:
    asked = subprocess.run(["airflow", *arguments], check=False, text=True, capture_output=True)
    if asked.returncode:
        what = f"airflow {' '.join(arguments)} ended with exit code {asked.returncode}"
        sys.exit(f"error: {what}: {asked.stdout}{asked.stderr}")
    return asked.stdout


def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["airflow", *arguments], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


if __name__ == "__main__":
    main()
