"""What holds for the DAGs as they are written: they parse, fast and without secrets, keep the conventions, and fit each
other and the dbt project."""

import ast
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from airflow.timetables.base import TimeRestriction

from conftest import JOBS_PYTHON, ROOT, airflow_environment


class Anything:
    """For a template, a variable of any name."""

    def __getattr__(self, name):
        return self

    def __str__(self):
        return "gs://bucket/raw"


DOC_PARTS = ("**When**:", "**What**:", "**When it fails**:", "airflow/RUNBOOK.md")


AWS = ("local", "emr_serverless", "emr", "glue")
GCP = ("dataproc_serverless", "dataproc")
EVERY_RUNTIME = [*AWS, *(pytest.param(runtime, marks=pytest.mark.gcp) for runtime in GCP)]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory) -> dict[str, dict]:
    """Runtime -> what came of parsing all DAG files with it; the runtimes are those of this environment."""
    folder = tmp_path_factory.mktemp("parse")
    environment = {
        **os.environ, **airflow_environment(folder),
        "TERRAFORM_DIR": str(folder),
        "HEARTBEAT_URL": "http://127.0.0.1/ping",
        "AIRFLOW__SECRETS__BACKEND": "parse_dags.Recording",
        "PYTHONPATH": f"{ROOT}/airflow/dags:{ROOT}/airflow/tests",
    }  # fmt: skip
    finished = subprocess.run(
        [sys.executable, "-c", "import airflow, parse_dags; parse_dags.main()", *(GCP if find_spec("airflow.providers.google") else AWS)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("runtime", EVERY_RUNTIME)
def test_every_dag_parses_on_every_runtime(parsed, runtime):
    outcome = parsed[runtime]
    assert outcome["errors"] == []
    assert set(outcome["tasks"]) == {
        "staging",
        "analytics",
        "heartbeat",
        "reconciliation",
        "verification",
        "user_purchase_load",
        "infrastructure",
        # on a platform Airflow has no rights for it
        *(["erasure"] if runtime == "local" else []),
    }
    jobs = {
        "classify_reviews",
        "parse_logs",
        "wait_for_movie_review",
        "wait_for_log_reviews",
        "export_purchases",
    }
    assert jobs <= set(outcome["tasks"]["staging"])


@pytest.mark.slow
@pytest.mark.parametrize("runtime", EVERY_RUNTIME)
def test_parsing_reads_no_variable_or_connection_and_starts_nothing(parsed, runtime):
    """No dbt above all: every task parses its DAG again."""
    assert parsed[runtime]["done"] == []


def test_a_task_of_a_model_imports_little_that_the_scheduler_has_not():
    """As the scheduler starts, with the plugins and without them."""
    script = (
        "import airflow, sys; from airflow.listeners.listener import get_listener_manager; get_listener_manager()\n"
        "before = set(sys.modules); import analytics; print(len(set(sys.modules) - before))"
    )
    modules = {}
    for plugins in (ROOT / "airflow/plugins", ROOT / "airflow/no_plugins"):
        finished = subprocess.run(
            [sys.executable, "-c", script],
            env={
                **os.environ,
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
                "PYTHONPATH": f"{ROOT}/airflow/dags",
            },
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        modules[plugins.name] = int(finished.stdout.splitlines()[-1])
        # each task's log has what is said here
        assert "[warning" not in finished.stdout + finished.stderr
    assert modules["plugins"] < 50
    assert modules["no_plugins"] > 200


def test_imports_between_the_files_run_one_way():
    """Including those within functions."""
    dags = ROOT / "airflow/dags"
    files = {".".join(file.relative_to(dags).with_suffix("").parts): file for file in dags.rglob("*.py")}
    imports = {module: imported_by(file) & files.keys() for module, file in files.items()}
    assert "pipeline.settings" in imports["pipeline.files"]
    TopologicalSorter(imports).prepare()  # raises an error that names the circle


def imported_by(file) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    sources = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names |= {node.module for node in sources}
    return names | {f"{node.module}.{name.name}" for node in sources for name in node.names}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("SPARK_RUNTIME", "yarn", "SPARK_RUNTIME is 'yarn'; it must be one of local, emr_serverless"),
        # would be six runs for a day, and the reconciliation reads the hour
        (
            "STAGING_CRON",
            "0 */4 * * *",
            "STAGING_CRON is '0 */4 * * *'; it must be a minute and an hour of every day",
        ),
    ],
)
def test_a_setting_that_is_none_is_refused(name, value, error):
    refused = subprocess.run(
        [sys.executable, "-c", "import pipeline.settings"],
        env={**os.environ, name: value, "PYTHONPATH": str(ROOT / "airflow/dags")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert error in refused.stderr


def test_a_run_by_date_of_the_start_date_is_not_empty(dags):
    """Airflow ends a run of an earlier date than its tasks' at once, as a success; user_purchase_load asks for this one."""
    from pipeline.settings import START_DATE

    assert all(task.start_date <= START_DATE for task in dags["staging"].tasks)


@pytest.mark.parametrize(
    ("dag_id", "its_time"), [("verification", "2026-11-29T12:00Z"), ("reconciliation", "2026-11-29T07:00Z")]
)
def test_what_is_deployed_after_its_time_waits_for_the_next(dags, monkeypatch, dag_id, its_time):
    from airflow.serialization.decoders import decode_timetable
    from airflow.serialization.encoders import encode_timetable
    from airflow.timetables import trigger

    timetable = decode_timetable(encode_timetable(dags[dag_id].timetable))
    now = datetime.fromisoformat(its_time) + timedelta(minutes=1)
    monkeypatch.setattr(trigger, "utcnow", lambda: now)
    following = timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=None, latest=None, catchup=False),
    )
    assert following.run_after > now


def test_a_run_knows_its_day_or_says_that_it_needs_one():
    from pipeline.settings import day_of

    def run(**known) -> SimpleNamespace:
        return SimpleNamespace(**{"partition_key": None, "logical_date": None, "conf": None, **known})

    noon = datetime(2021, 1, 31, 12, tzinfo=UTC)
    assert day_of(run(partition_key="2021-01-30", logical_date=noon)) == "2021-01-30"
    assert day_of(run(logical_date=noon)) == "2021-01-31"
    assert day_of(run(conf={"day": "2021-01-29"})) == "2021-01-29"
    for key in (None, "yesterday"):
        with pytest.raises(ValueError, match=r"which day is meant\? Trigger with the day as partition key"):
            day_of(run(partition_key=key))


@pytest.mark.parametrize("dag_id", ["staging", "analytics"])
def test_every_template_of_a_day_can_be_rendered(dags, dag_id):
    dag = dags[dag_id]
    for task in dag.tasks:
        for field in task.template_fields:
            if "day_of(" in str(value := getattr(task, field, None)):
                run = SimpleNamespace(partition_key="2021-01-31", logical_date=None)
                rendered = task.render_template(value, {"dag_run": run, "var": Anything()})
                assert "2021-01-31" in str(rendered), f"{task.task_id}.{field}"


def test_every_dag_says_whose_it_is_what_it_does_and_what_to_do(dags):
    for dag in dags.values():
        assert {"movie-analytics"} < set(dag.tags), dag.dag_id
        assert all(part in dag.doc_md for part in DOC_PARTS), dag.dag_id
        assert dag.max_active_runs == 1 and not dag.catchup, dag.dag_id
        assert {task.owner for task in dag.tasks} == {"data-platform"}, dag.dag_id


def test_every_dag_is_in_the_docs(dags):
    rows = re.findall(r"^\| `(\w+)` \| ", (ROOT / "docs/airflow.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(dags)


def test_every_task_is_bounded_repeated_and_heard_of(dags):
    from pipeline.alerts import alert_on_failure
    from pipeline.retries import GrowingWaits

    for dag in dags.values():
        for task in dag.tasks:
            name = f"{dag.dag_id}.{task.task_id}"
            callbacks = task.on_failure_callback
            callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
            # Cosmos wraps the callback of its producer
            assert alert_on_failure in callbacks or task.task_id == "dbt.dbt_producer_watcher", name
            if task.task_id.startswith("wait_for_"):
                assert task.deferrable and task.timeout == timedelta(hours=12).total_seconds(), name
            elif name not in ("infrastructure.approve", "erasure.approve_erasure"):
                assert timedelta(0) < task.execution_timeout <= timedelta(hours=2), name
            if name != "infrastructure.apply":  # may have changed half of what it wanted to
                assert task.retries >= 1 and task.retry_delay >= timedelta(minutes=1), name
                assert isinstance(task.retry_policy, GrowingWaits), name


@pytest.mark.parametrize(
    ("try_number", "max_tries", "minutes"),
    [(1, 3, 1), (2, 3, 3), (3, 3, 9), (4, 6, 1), (6, 6, 9), (12, 13, 3)],
)
def test_waits_grow_since_a_task_was_cleared_and_never_two_are_the_same(try_number, max_tries, minutes):
    """Airflow's most tries are those that were made before it was cleared, and three more."""
    from pipeline.retries import GrowingWaits

    context = {"task": SimpleNamespace(retries=3)}
    waits = [
        GrowingWaits().evaluate(OSError(), try_number, max_tries, context).retry_delay for _ in range(50)
    ]
    assert len(set(waits)) == 50
    assert all(timedelta(minutes=minutes) <= wait <= timedelta(minutes=2 * minutes) for wait in waits)


def test_analytics_waits_for_the_one_asset_that_one_task_of_staging_tells(dags):
    """Events of several assets that arrive at once can be counted as two half days (apache/airflow#71070)."""
    told = {
        task.task_id: [asset.name for asset in task.outlets] for task in dags["staging"].tasks if task.outlets
    }
    assert told == {"release_day": ["staged"]}
    assert dags["analytics"].timetable.asset_condition.name == "staged"


def test_a_day_is_released_only_after_all_its_checks(dags):
    staging = dags["staging"]
    jobs = {"classified_movie_review": "classify_reviews", "review_logs": "parse_logs", "user_purchase": "export_purchases"}  # fmt: skip
    for table, job in jobs.items():
        assert staging.get_task(f"check_{table}").upstream_task_ids == {job}
    release = staging.get_task("release_day")
    assert release.upstream_task_ids == {f"check_{table}" for table in jobs}
    assert release.trigger_rule == "all_success"


def test_nothing_is_built_before_it_is_certain_what_is_staged(dags):
    analytics = dags["analytics"]
    built = {task_id for task_id in analytics.task_dict if task_id.startswith("dbt.")}
    assert built <= analytics.get_task("confirm_staged").get_flat_relative_ids(upstream=False)


@pytest.fixture(scope="module")
def manifest() -> dict:
    return json.loads((ROOT / "dbt_project/target/manifest.json").read_text())


def test_the_manifest_is_that_of_the_project(manifest, tmp_path):
    """It is built by `make airflow-manifest`; an old one would hide new models."""
    environment = {**os.environ, "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    environment["DBT_PROFILES_DIR"] = str(ROOT / "dbt_project")
    parsed = subprocess.run(
        [JOBS_PYTHON.with_name("dbt"), "--quiet", "parse"],
        cwd=ROOT / "dbt_project", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert parsed.returncode == 0, parsed.stdout
    fresh = json.loads((tmp_path / "manifest.json").read_text())
    assert set(manifest["nodes"]) == set(fresh["nodes"]), "make airflow-manifest"


def test_every_seed_and_model_has_a_task_and_every_test_is_followed(dags, manifest):
    tasks = dags["analytics"].task_dict
    watched = {
        task.model_unique_id: task
        for task in tasks.values()
        if hasattr(task, "model_unique_id") and not task.is_test_sensor
    }
    tested = {task.model_unique_id for task in tasks.values() if getattr(task, "is_test_sensor", False)}
    nodes = manifest["nodes"].items()
    assert set(watched) == {
        name for name, node in nodes if node["resource_type"] in ("seed", "model", "snapshot")
    }

    tests_of = tasks["dbt.dbt_producer_watcher"].tests_per_model
    followed = {test for tests in tests_of.values() for test in tests}
    tests = {name for name, node in nodes if node["resource_type"] == "test"}
    # A test without a parent is nobody's task; the dbt process itself fails with it.
    with_parents = {name for name in tests if manifest["parent_map"][name]}
    assert with_parents == followed
    assert tested == {model for model, tests in tests_of.items() if tests}


def test_one_dbt_stages_and_builds_and_the_day_is_summed_up_at_the_end(dags):
    """A second process of dbt would start, parse and log in again before the first model."""
    analytics = dags["analytics"]
    in_group = {task_id for task_id in analytics.task_dict if task_id.startswith("dbt.")}
    assert analytics.get_task("dbt.dbt_producer_watcher").get_flat_relative_ids(upstream=True) == {
        "confirm_staged"
    }
    others = {"confirm_staged", "summarize_day", "publish_report", "publish_docs", "reconcile"}
    assert in_group == set(analytics.task_dict) - others
    assert in_group <= analytics.get_task("summarize_day").get_flat_relative_ids(upstream=True)
    assert analytics.get_task("publish_report").upstream_task_ids == {"summarize_day"}
    # they link to the report
    assert analytics.get_task("publish_docs").upstream_task_ids == {"publish_report"}


def test_every_dbt_of_a_day_gets_it_by_the_environment(dags, monkeypatch):
    """By vars that differ from day to day dbt would parse the whole project every time."""
    names = (
        "DBT_FROM_DATE", "DBT_TO_DATE", "DBT_EXCLUDE_RESOURCE_TYPES", "DBT_TARGET", "DBT_PROFILES_DIR",
        "DBT_PARTIAL_PARSE_FILE_PATH", "DBT_CHECKED_RUNS", "DBT_ACCEPTED",
    )  # fmt: skip
    for name in names:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("AIRFLOW_VAR_WAREHOUSE", "{}")
    in_group = [task for task in dags["analytics"].tasks if hasattr(task, "profile_config")]
    assert len(in_group) > 60
    assert not any(task.vars for task in in_group)
    (pre_execute,) = {task._pre_execute_hook for task in in_group}
    confirmed = {
        "staged": {"review_logs": "R"},
        "accepted": [{"table": "review_logs", "by": "mary", "because": "…"}],
    }
    pre_execute(
        {
            "dag_run": SimpleNamespace(partition_key="2021-01-31", logical_date=None),
            "ti": SimpleNamespace(xcom_pull={"confirm_staged": confirmed}.get),
        }
    )
    assert json.loads(os.environ["DBT_CHECKED_RUNS"]) == {"review_logs": "R"}
    assert json.loads(os.environ["DBT_ACCEPTED"]) == confirmed["accepted"]
    assert os.environ["DBT_FROM_DATE"] == os.environ["DBT_TO_DATE"] == "2021-01-31"


def test_no_template_field_holds_a_secret(dags):
    """Rendered fields are shown to everybody who may look at a task."""
    for dag in dags.values():
        for task in dag.tasks:
            for field in task.template_fields:
                text = str(getattr(task, field, ""))
                assert not any(
                    word in text
                    for word in ("pseudonym_secret", "quarantine_secret", "conn.", "shop_db", "DSN")
                ), (
                    task.task_id,
                    field,
                )
