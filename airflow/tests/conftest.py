"""An Airflow of the tests' own: its home and its database in a temporary folder, no setting of the tester's."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS_PYTHON = ROOT / ".venv/bin/python"
UV = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
SETTINGS_OF_THE_TESTER = (
    "AIRFLOW", "AWS_", "DBT_", "SPARK_", "RAW_URI", "STAGING_URI", "QUARANTINE_URI", "DUCKDB_PATH", "START_DATE",
    "USER_PURCHASE_DSN", "PSEUDONYM_", "PIPELINE_VERSION", "JOBS_PYTHON", "FILE_DEADLINE_HOURS", "MAX_REJECTED_SHARE", "MIN_USUAL_SHARE", "HEARTBEAT_URL", "CLASSIFIER", "OTHER_CLASSIFIERS", "MODEL_URI",
)  # fmt: skip


def shared_settings() -> dict[str, str]:
    """Those that hold for every Airflow."""
    lines = (ROOT / "airflow/airflow.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def airflow_environment(home: Path) -> dict[str, str]:
    """The environment of an Airflow with its home there; the same for this process and for those that tests start."""
    return shared_settings() | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "airflow/plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "JOBS_PYTHON": str(JOBS_PYTHON),
        "DBT_PROJECT_DIR": str(ROOT / "dbt_project"),
        "START_DATE": "2021-01-01",
    }


def installs(command: list[str | Path], **settings) -> None:
    """Run a command that installs by uv: from uv's cache if all is there. An index whose answers may not be kept has uv build
    Spark from its sources each time, a minute and two gigabytes."""
    environment = settings.pop("env", os.environ)
    cached = subprocess.run(
        command, env=environment | {"UV_OFFLINE": "1"}, **settings, stderr=subprocess.DEVNULL, check=False
    )
    if cached.returncode:
        subprocess.run(command, env=environment, **settings, check=True)


# Airflow reads its settings when it is first imported, which is before any fixture.
HOME = Path(tempfile.mkdtemp(prefix="airflow-tests-"))
for name in [name for name in os.environ if name.startswith(SETTINGS_OF_THE_TESTER)]:
    del os.environ[name]
os.environ.update(airflow_environment(HOME))


def pytest_unconfigure():
    shutil.rmtree(HOME, ignore_errors=True)


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="tests of an operator's day in full, more than an hour"
    )


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="only with --long (make test-airflow-long)")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def is_long(request) -> bool:
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables, for tests that run tasks."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def day_run(airflow_database, tmp_path_factory) -> Path:
    """The folder of a run of both DAGs."""
    from day_run import run_both_dags

    folder = tmp_path_factory.mktemp("day_run")
    run_both_dags(folder)
    return folder


@pytest.fixture(scope="session")
def dags() -> dict:
    """All DAGs by id, parsed as they are with SPARK_RUNTIME=local and a folder for Terraform."""
    from airflow.dag_processing.dagbag import DagBag

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERRAFORM_DIR", str(HOME))
        patch.setenv("HEARTBEAT_URL", "http://127.0.0.1/ping")
        bag = DagBag(ROOT / "airflow/dags")
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Path:
    from live import STACK

    folder = tmp_path_factory.mktemp("stack")
    (folder / "main.tf").write_text(STACK)
    return folder


@pytest.fixture(scope="session")
def airflow(tmp_path_factory, stack):
    """`make airflow` with feeds of two days."""
    from live import Airflow, jobs_python

    folder = tmp_path_factory.mktemp("airflow")
    # as if it had been started before: two days prove what three do
    deliver = "import pathlib, sys; from demo import airflow; airflow.SAMPLE_DAYS = 2\n"
    jobs_python("-c", f"{deliver}airflow.deliver(pathlib.Path(sys.argv[1]))", folder)
    airflow = Airflow(folder, stack)
    yield airflow
    if airflow.process.poll() is None:
        airflow.stop()


@pytest.fixture(scope="session")
def runs(airflow) -> dict[tuple[str, str], str]:
    """(dag, day) -> its run, which has succeeded: the last day's started automatically, the first day's after the load."""
    from live import days_of

    first, last = days_of(airflow.folder)
    runs = {("staging", last): airflow.run_of("staging", last, "scheduled")}
    load = airflow.dag("user_purchase_load", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("user_purchase_load", load)
    runs["user_purchase_load", first] = load
    for day in (last, first):
        runs["analytics", day] = airflow.run_of("analytics", day, "asset_triggered")
        airflow.wait_for_success("analytics", runs["analytics", day])
    (runs["staging", first],) = {run["dag_run_id"] for run in airflow.runs("staging")} - set(runs.values())
    return runs
