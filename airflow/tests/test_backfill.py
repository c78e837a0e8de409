"""The backfill command of the documents, typed: every day from the first to the last gets a run, one at a time."""

import re
import shlex
import subprocess

import pytest

from conftest import JOBS_PYTHON, ROOT

PRINTED_BY_THE_DEMO = """
import datetime, pathlib, sys
from demo.airflow import _say_where_to_look
days = [datetime.date(2021, 1, 30), datetime.date(2021, 1, 31)]
_say_where_to_look(pathlib.Path(sys.argv[1]), 8080, days)
"""


def text_of(source: str, folder) -> str:
    if source == "make airflow":
        return subprocess.run(
            [JOBS_PYTHON, "-c", PRINTED_BY_THE_DEMO, folder],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return (ROOT / source).read_text()


@pytest.fixture(scope="module")
def staging(airflow_database) -> None:
    """The DAG, known to Airflow's database."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(ROOT / "airflow/dags/staging.py"), "dags-folder", None)


@pytest.mark.parametrize("days", [["2021-01-30", "2021-01-31"], ["2021-01-31"]], ids=len)
@pytest.mark.parametrize("source", ["docs/airflow.md", "airflow/RUNBOOK.md", "make airflow"])
def test_each_day_from_the_first_to_the_last_gets_a_run(staging, source, days, tmp_path):
    (command,) = re.findall(r"airflow (backfill create .*?)[`\n]", text_of(source, tmp_path))
    bounds = iter([days[0], days[-1]])
    command = re.sub(r"(?<=-date )(…|[0-9-]{10})", lambda _: next(bounds), command)
    assert backfill(shlex.split(command)) == (days, 1)


def backfill(words: list[str]) -> tuple[list[str], int]:
    """Type the command: the days that get a run, and how many run at a time."""
    from airflow.cli.cli_parser import get_parser
    from airflow.models.backfill import Backfill
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    command = get_parser().parse_args(words)
    command.func(command)
    with create_session() as session:
        backfill = session.scalars(select(Backfill).where(Backfill.completed_at.is_(None))).one()
        runs = session.scalars(select(DagRun).where(DagRun.backfill_id == backfill.id)).all()
        asked_for = sorted(run.partition_key for run in runs), backfill.max_active_runs
        # the next one starts from nothing
        backfill.completed_at = backfill.created_at
        session.execute(delete(DagRun))
    return asked_for
