"""The runbook, as far as no Airflow has to run for it; test_operator.py does what its blocks say on a running one."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from live import runbook_blocks

from conftest import ROOT

RUNBOOK = (ROOT / "airflow/RUNBOOK.md").read_text()
DAY = "2021-01-31"
NOT_RUN = ("not tried on a running Airflow", "nor on a running Airflow")


def test_a_block_that_no_test_runs_says_so():
    """Those without a language: in their section, before them."""
    run_by_tests = r"^ *```(?:sh|sql)\n.*?^ *```$"
    others = re.sub(run_by_tests, "", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
    assert others != RUNBOOK and "```" in others
    silent = [
        section.partition("\n")[0]
        for section in re.split(r"^(?=#+ )", others, flags=re.MULTILINE)
        if "```" in section and not any(said in section.partition("```")[0] for said in NOT_RUN)
    ]
    assert silent == []


def run_of(day: str, runs: list[dict], folder: Path) -> subprocess.CompletedProcess:
    """What the shell function `run` says of an Airflow with these runs, the newest first."""
    (folder / "answer").write_text(json.dumps({"access_token": "t", "dag_runs": runs}))
    curl = folder / "curl"
    curl.write_text(f"#!/bin/sh\ncat {folder}/answer\n")
    curl.chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{runbook_blocks('sh')[0]}\nrun staging"],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "DAY": day, "AIRFLOW_USER": "u", "AIRFLOW_PASSWORD": "p"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "run",
    [
        {"partition_key": DAY},
        # a run that user_purchase_load has asked for
        {"logical_date": f"{DAY}T00:00:00Z"},
        # one of the reconciliation
        {"conf": {"day": DAY}},
    ],
)
def test_the_newest_run_of_a_day_is_found_whoever_asked_for_it(tmp_path, run):
    empty = {"partition_key": None, "logical_date": None, "conf": {}}
    runs = [
        {**empty, "dag_run_id": "of another day", "partition_key": "2021-02-01"},
        {**empty, "dag_run_id": "newest", **run},
        {**empty, "dag_run_id": "older", "partition_key": DAY},
    ]
    assert run_of(DAY, runs, tmp_path).stdout == "newest\n"
    none = run_of("2021-02-02", runs, tmp_path)
    assert none.returncode != 0 and "no run of 2021-02-02" in none.stderr
    assert "Traceback" not in none.stderr


def test_no_answer_of_the_api_is_cut_short(dags):
    """Airflow leaves out what is beyond its longest page, and does not say so."""
    from airflow.configuration import conf

    longest = conf.getint("api", "maximum_page_limit")
    for file in ("airflow/RUNBOOK.md", "airflow/tests/live.py"):
        asked = [int(limit) for limit in re.findall(r"\blimit=(\d+)", (ROOT / file).read_text())]
        assert len(asked) > 1 and max(asked) <= longest, file
    (of_tasks,) = {int(limit) for limit in re.findall(r"taskInstances\?limit=(\d+)", RUNBOOK)}
    assert len(dags["analytics"].tasks) <= of_tasks
