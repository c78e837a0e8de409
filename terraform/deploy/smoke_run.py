"""Run tasks of a deployed Airflow, and end with exit code 1 at the first that does not succeed.

`make deploy` gives this text to a Python in the scheduler's pod. Environment: SMOKE_DAGS, the DAGs that must be there;
SMOKE_TASKS, words DAG.TASK; SMOKE_DAY, YYYY-MM-DD. `airflow tasks test` ends with 0 whatever becomes of its task, so the
state is read from what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

# After an installation the DAGs are there when they have been parsed once.
PARSED_WITHIN_SECONDS = float(os.environ.get("SMOKE_WAIT_SECONDS", "600"))


def main() -> None:
    for dag in os.environ["SMOKE_DAGS"].split():
        wait_for(dag, time.monotonic() + PARSED_WITHIN_SECONDS)
    for task in os.environ["SMOKE_TASKS"].split():
        run(task, os.environ["SMOKE_DAY"])


def wait_for(dag: str, deadline: float) -> None:
    while airflow("dags", "details", dag).returncode:
        if time.monotonic() > deadline:
            print(airflow("dags", "list-import-errors").stdout)
            sys.exit(
                f"error: Airflow has no DAG {dag} after {PARSED_WITHIN_SECONDS:.0f} s; see above, or its dag-processor"
            )
        time.sleep(5)
    print(f"{dag} is there", flush=True)


def run(task: str, day: str) -> None:
    ran = airflow("tasks", "test", *task.split("."), day)
    print(ran.stdout, flush=True)
    states = re.findall(r"\bnew_state=(\w+)", ran.stdout)
    if ran.returncode or states[-1:] != ["success"]:
        ended = states[-1] if states else f"without a state, exit code {ran.returncode}"
        sys.exit(f"error: {task} of {day} ended {ended}: its log is above")
    print(f"{task} of {day}: success", flush=True)


def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["airflow", *arguments], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


if __name__ == "__main__":
    main()
