"""The dbt project as tasks: every seed and model with its tests, the docs site, the check of the whole warehouse.

Cosmos makes the tasks: a producer runs one `dbt build`, and a task for each model and its tests follows it. How they go on when something
fails is in dbt_build.py.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior

from pipeline.dbt_build import build_again_and_follow
from pipeline.jobs import JobProcess, settings_of
from pipeline.settings import DBT_PROJECT_DIR, DBT_TARGET, JOBS_PYTHON, day_of

# The tasks of the models look every three seconds how far the one dbt process is. They keep a worker's slot for it: a
# deferred task that resumes at once can be marked as failed by Airflow 3.3 (apache/airflow#71580).
FOLLOW = {"deferrable": False, "mode": "poke", "poke_interval": 3}


def models() -> DbtTaskGroup:
    """One `dbt build` of the day, and a task for each seed and model and for the tests of each, that follow it."""
    group = DbtTaskGroup(
        group_id="dbt",
        project_config=ProjectConfig(
            dbt_project_path=DBT_PROJECT_DIR,
            # a build product (`make airflow-manifest`): no dbt runs when this file is parsed
            manifest_path=DBT_PROJECT_DIR / "target/manifest.json",
            project_name="movie_analytics",
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name="movie_analytics",
            target_name=DBT_TARGET,
            profiles_yml_filepath=DBT_PROJECT_DIR / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=JOBS_PYTHON.with_name("dbt"),
        ),
        # One asset says that the marts of a day are there and tested (assets.MARTS), not one for each view.
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            emit_datasets=False,
            # no tasks; Cosmos would warn of each in every task's log
            exclude=[f"resource_type:{type_}" for type_ in ("analysis", "exposure", "operation")],
        ),
        operator_args={"pre_execute": read_settings_of_a_day, **FOLLOW},
    )
    for task in group.iter_tasks():
        build_again_and_follow(task)
    return group


def stage_external_sources() -> JobProcess:
    """Of all days; a build does it for its own days, before its first model."""
    return JobProcess(
        task_id="stage_external_sources",
        command=("dbt", "run-operation", "stage_external_sources"),
        settings=("warehouse",),
        execution_timeout=timedelta(minutes=30),
    )


def verify_warehouse() -> JobProcess:
    """All data tests, each on all that its tables hold."""
    return JobProcess(
        task_id="verify_warehouse",
        command=("dbt", "test", "--exclude-resource-type", "unit_test"),
        settings=("warehouse",),
    )


def publish_report() -> JobProcess:
    return JobProcess(
        task_id="publish_report",
        command=("python", "-m", "pages.report.build", "{folder}", "{folder}/site"),
        settings=("warehouse",),
        publishes="docs/report",
        execution_timeout=timedelta(minutes=30),
    )


def publish_docs() -> JobProcess:
    return JobProcess(
        task_id="publish_docs",
        command=("python", "-m", "pages.docs_site.build", "{folder}", "{folder}/site", "report/index.html"),
        settings=("warehouse",),
        publishes="docs",
        execution_timeout=timedelta(minutes=30),
    )


def read_settings_of_a_day(context: Context) -> None:
    """Where Cosmos and its dbt look for them: in the environment of the task's own process."""
    day = day_of(context["dag_run"])
    # Not as vars, for which dbt would parse the whole project again. Unit tests try the models' code, not the day's data.
    days = {"DBT_FROM_DATE": day, "DBT_TO_DATE": day, "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
    confirmed = context["ti"].xcom_pull("confirm_staged")
    if not confirmed:
        raise AirflowFailException(
            "confirm_staged did not run, so that it is not known what was checked: clear it"
        )
    staged = {
        "DBT_CHECKED_RUNS": json.dumps(confirmed["staged"]),
        "DBT_ACCEPTED": json.dumps(confirmed["accepted"]),
    }
    os.environ.update(settings_of(["warehouse"]), **days, **staged)
