"""An Airflow of the tests' own: its home and its database in a temporary folder, no setting of the tester's."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS_PYTHON = ROOT / ".venv/bin/python"
SETTINGS_OF_THE_TESTER = (
    "AIRFLOW", "AWS_", "DBT_", "SPARK_", "RAW_URI", "STAGING_URI", "QUARANTINE_URI", "DUCKDB_PATH", "START_DATE",
    "USER_PURCHASE_DSN", "PSEUDONYM_", "PIPELINE_VERSION", "JOBS_PYTHON", "FILE_DEADLINE_HOURS", "MAX_REJECTED_SHARE",
)  # fmt: skip


def airflow_environment(home: Path) -> dict[str, str]:
    """The environment of an Airflow with its home there; the same for this process and for those that tests start."""
    lines = (ROOT / "airflow/airflow.env").read_text().splitlines()
    shared = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return shared | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "airflow/plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "JOBS_PYTHON": str(JOBS_PYTHON),
        "DBT_PROJECT_DIR": str(ROOT / "dbt_project"),
        "START_DATE": "2021-01-01",
    }


# Airflow reads its settings when it is first imported, which is before any fixture.
HOME = Path(tempfile.mkdtemp(prefix="airflow-tests-"))
for name in [name for name in os.environ if name.startswith(SETTINGS_OF_THE_TESTER)]:
    del os.environ[name]
os.environ.update(airflow_environment(HOME))


def pytest_unconfigure():
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables, for tests that run tasks."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def dags() -> dict:
    """All DAGs by id, parsed as they are with SPARK_RUNTIME=local and a folder for Terraform."""
    from airflow.dag_processing.dagbag import DagBag

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERRAFORM_DIR", str(HOME))
        bag = DagBag(ROOT / "airflow/dags")
    assert bag.import_errors == {}
    return bag.dags
