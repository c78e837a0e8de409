"""`make airflow` as a user starts it, driven through its REST API: real scheduler, workers, triggerer, Spark, PostgreSQL.

The tests follow each other on one Airflow with feeds of two days: the last day's run, which starts automatically, and a load of
the shop's history, which stages the first day; a backfill of both in which jobs, workers and waits are killed; Ctrl-C, and
the next start.
"""

import datetime
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS_PYTHON = ROOT / ".venv/bin/python"
# nothing of the tester's own, nor of the conftest beside
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG") if name in os.environ}
SETTINGS = {
    # A worker that died is noticed by the heartbeats that do not come; Airflow's own setting is five minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    # The DAG files do not change meanwhile; Airflow would read them every 30 seconds.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    # Half a day away: a run that became due meanwhile would wait for a day that nobody delivers, and the others for it.
    "STAGING_CRON": f"0 {(datetime.datetime.now(datetime.UTC).hour + 12) % 24} * * *",
}
STACK = 'resource "terraform_data" "cluster" {\n  input = "small"\n}\n'

pytestmark = [pytest.mark.slow]


class Airflow:
    """A running `make airflow`, with the words of its REST API that the tests need."""

    def __init__(self, folder: Path, stack: Path):
        self.folder = folder
        self.port = free_port()
        # a shell has what runs in its background, and all that it starts, ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [JOBS_PYTHON, "-m", "demo.airflow", "--port", str(self.port), "--folder", folder],
            cwd=ROOT, env={**ENVIRONMENT, **SETTINGS, "TERRAFORM_DIR": str(stack)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        else:
            raise AssertionError(self.said)
        password = re.search(r"^password +(\S+)$", self.said, re.MULTILINE)[1]
        self.token = None
        self.token = self.call("POST", "/auth/token", username="admin", password=password)["access_token"]

    def call(self, method: str, path: str, **body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None

    def dag(self, dag_id: str, path: str = "", method: str = "GET", **body):
        return self.call(method, f"/api/v2/dags/{dag_id}{path}", **body)

    def run(self, dag_id: str, run_id: str, path: str = "", method: str = "GET", **body):
        return self.dag(dag_id, f"/dagRuns/{urllib.parse.quote(run_id)}{path}", method, **body)

    def runs(self, dag_id: str) -> list[dict]:
        """In the order in which they were asked for."""
        return self.dag(dag_id, "/dagRuns?order_by=id&limit=100")["dag_runs"]

    def run_of(self, dag_id: str, day: str, type_: str) -> str:
        """The newest such run of the day, once it is there."""

        def find():
            found = [r for r in self.runs(dag_id) if r["partition_key"] == day and r["run_type"] == type_]
            return found[-1]["dag_run_id"] if found else None

        return wait_until(find)

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict:
        return self.run(dag_id, run_id, f"/taskInstances/{task_id}")

    def tasks(self, dag_id: str, run_id: str) -> list[dict]:
        return self.run(dag_id, run_id, "/taskInstances?limit=200")["task_instances"]

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> dict:
        return self.run(dag_id, run_id, f"/taskInstances/{task_id}/xcomEntries/return_value")["value"]

    def wait_for_task(self, dag_id: str, run_id: str, task_id: str, *states: str) -> dict:
        def look():
            task = self.task(dag_id, run_id, task_id)
            return task if task["state"] in states else None

        return wait_until(look)

    def wait_for_success(self, dag_id: str, run_id: str) -> None:
        def look():
            state = self.run(dag_id, run_id)["state"]
            if state == "failed":
                states = {task["task_id"]: task["state"] for task in self.tasks(dag_id, run_id)}
                raise AssertionError(f"{dag_id} {run_id} failed: {states}")
            return state == "success"

        wait_until(look)

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """As the button "Clear" does, with all that follows."""
        self.dag(
            dag_id, "/clearTaskInstances", "POST", dry_run=False, dag_run_id=run_id, task_ids=list(task_ids),
            include_downstream=True, only_failed=False, reset_dag_runs=True,
        )  # fmt: skip

    def wait_for_spark(self, job: str) -> int:
        """The Java process that the job has started, told by its memory from the launcher that comes before it."""
        python = wait_until(lambda: process_with(self.process.pid, "spark_prep.spark.submit", job))
        return wait_until(lambda: process_with(python, "-Xmx2g", "org.apache.spark.deploy.SparkSubmit"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(look):
    """For as long as pytest lets the test run; its report shows what was waited for."""
    while not (found := look()):
        time.sleep(1)
    return found


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def read(file: str) -> str:
    with suppress(OSError):
        return Path(file).read_bytes().decode(errors="replace")
    return ""


def descendants(root: int) -> set[int]:
    """The process and all that it has started."""
    stats = {pid: read(f"/proc/{pid}/stat").rpartition(")")[2].split() for pid in pids()}
    found = {root}
    while more := {pid for pid, stat in stats.items() if stat and int(stat[1]) in found} - found:
        found |= more
    return found


def process_with(root: int, *words: str) -> int | None:
    """One of the descendants whose command line has all the words."""
    lines = {pid: read(f"/proc/{pid}/cmdline") for pid in descendants(root)}
    return next((pid for pid, line in lines.items() if all(word in line for word in words)), None)


def days_of(folder: Path) -> list[str]:
    return sorted(day.name[-10:] for day in folder.glob("raw/movie_review/insert_date=*"))


def jobs_python(*arguments: str | Path) -> str:
    """Run Python in the environment of the jobs; the days that are delivered follow Airflow's schedule."""
    ran = subprocess.run(
        [JOBS_PYTHON, *arguments],
        cwd=ROOT, env=os.environ | SETTINGS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def assert_right_marts(folder: Path) -> None:
    warehouse, answers = folder / "warehouse.duckdb", folder / "answers.json"
    assert "all right" in jobs_python("-m", "demo.answers.check", warehouse, answers)


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stack")
    (folder / "main.tf").write_text(STACK)
    return folder


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, stack):
    folder = tmp_path_factory.mktemp("airflow")
    # as if it had been started before: two days prove what three do
    deliver = "import pathlib, sys; from demo import airflow; airflow.SAMPLE_DAYS = 2\n"
    jobs_python("-c", f"{deliver}airflow.deliver(pathlib.Path(sys.argv[1]))", folder)
    airflow = Airflow(folder, stack)
    yield airflow
    if airflow.process.poll() is None:
        airflow.stop()


@pytest.fixture(scope="module")
def runs(airflow) -> dict[tuple[str, str], str]:
    """(dag, day) -> its run, which has succeeded: the last day's started automatically, the first day's after the load."""
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


def test_a_port_in_use_is_said_before_anything_is_started(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [JOBS_PYTHON, "-m", "demo.airflow", "--port", str(port), "--folder", tmp_path / "airflow"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr == f"error: port {port} is in use; choose another: make airflow PORT={port + 1}\n"
    assert not (tmp_path / "airflow").exists()


def test_infrastructure_changes_what_a_person_approves_and_nothing_else(airflow, stack):
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform: the DAG infrastructure was not run")

    def answer(option: str) -> str:
        run = airflow.dag("infrastructure", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
        airflow.wait_for_task("infrastructure", run, "approve", "awaiting_input")
        asked = airflow.run("infrastructure", run, "/taskInstances/approve/-1/hitlDetails")
        assert "terraform_data.cluster will be" in asked["body"]
        # a person takes longer; a task that resumes at once can be marked as failed by Airflow 3.3 (apache/airflow#71580)
        time.sleep(10)
        airflow.run(
            "infrastructure", run, "/taskInstances/approve/-1/hitlDetails", "PATCH", chosen_options=[option]
        )
        airflow.wait_for_success("infrastructure", run)
        return airflow.task("infrastructure", run, "apply")["state"]

    state = stack / "terraform.tfstate"
    assert answer("Reject") == "skipped" and not state.exists()
    assert answer("Approve") == "success" and "small" in state.read_text()
    assert list(airflow.folder.glob("artifacts/infrastructure/*")) == []
    unchanged = airflow.dag("infrastructure", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("infrastructure", unchanged)
    assert {task["state"] for task in airflow.tasks("infrastructure", unchanged)} == {"skipped"}


def test_every_task_of_both_days_is_green(airflow, runs):
    """`user_purchase_load` starts `staging` for START_DATE, and `analytics` follows each day."""
    for (dag_id, day), run in runs.items():
        states = {task["task_id"]: task["state"] for task in airflow.tasks(dag_id, run)}
        assert set(states.values()) == {"success"}, (dag_id, day, states)


def test_the_marts_are_the_right_answers(airflow, runs):
    assert_right_marts(airflow.folder)


def test_the_load_counts_what_it_loaded_and_replaced(airflow, runs):
    run = runs["user_purchase_load", days_of(airflow.folder)[0]]
    counts = airflow.xcom("user_purchase_load", run, "load_user_purchase")
    assert counts["loaded"] == counts["replaced"] > 1000


def test_docs_and_report_are_published(airflow, runs):
    docs = airflow.folder / "artifacts/docs"
    assert (docs / "dbt_docs.html").stat().st_size > 1_000_000
    assert 'href="report/index.html"' in (docs / "index.html").read_text()
    assert {"index.html", "trust.html"} <= {page.name for page in (docs / "report").glob("*.html")}


def test_one_dbt_builds_a_day_however_many_tasks_follow_it(airflow, runs):
    count = "select count(distinct invocation_id) from analytics_audit.run_result"
    script = "import duckdb, sys; print(*duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())"
    builds = jobs_python("-c", script, airflow.folder / "warehouse.duckdb", count)
    assert int(builds) == len(days_of(airflow.folder))


def test_the_whole_warehouse_is_verified(airflow, runs):
    """On demand; on its own it waits for Sunday."""
    assert airflow.runs("verification") == []
    run = airflow.dag("verification", "/dagRuns", "POST", logical_date=None)["dag_run_id"]
    airflow.wait_for_success("verification", run)


def test_a_backfill_in_which_a_job_a_worker_and_a_wait_are_killed_gives_the_same_marts(airflow, runs):
    first, last = days_of(airflow.folder)
    before = {run["dag_run_id"] for run in airflow.runs("analytics")}
    feed = airflow.folder / f"raw/movie_review/insert_date={last}"
    withheld = feed.rename(airflow.folder / "withheld")
    printed = re.search(r"^ +(\S+ backfill create .*)", airflow.said, re.MULTILINE)[1]
    subprocess.run(printed.split(), cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=True)

    # the first day: Spark's process is killed, and the worker of another task with all that it holds
    run = airflow.run_of("staging", first, "backfill")
    spark = airflow.wait_for_spark("classify_reviews")
    time.sleep(3)
    os.kill(spark, signal.SIGKILL)
    failed = airflow.wait_for_task("staging", run, "classify_reviews", "up_for_retry", "failed")
    assert failed["try_number"] == 1
    parse_logs = airflow.wait_for_task("staging", run, "parse_logs", "running", "success")
    assert parse_logs["state"] == "running"
    orphan = airflow.wait_for_spark("parse_logs")
    os.kill(process_with(airflow.process.pid, "airflow worker", parse_logs["id"]), signal.SIGKILL)
    airflow.wait_for_task("staging", run, "parse_logs", "up_for_retry", "failed")
    wait_until(lambda: orphan not in pids())
    airflow.clear("staging", run, "classify_reviews", "parse_logs")
    airflow.wait_for_success("staging", run)

    # the last: its wait is given up, then the file arrives
    run = airflow.run_of("staging", last, "backfill")
    airflow.wait_for_task("staging", run, "wait_for_movie_review", "deferred")
    airflow.run("staging", run, "/taskInstances/wait_for_movie_review", "PATCH", new_state="failed")
    # cleared before the scheduler has looked at what follows, it would still mark that as failed
    airflow.wait_for_task("staging", run, "check_classified_movie_review", "upstream_failed")
    withheld.rename(feed)
    airflow.clear("staging", run, "wait_for_movie_review")
    airflow.wait_for_success("staging", run)

    wait_until(
        lambda: (
            {r["partition_key"] for r in airflow.runs("analytics") if r["dag_run_id"] not in before}
            == {first, last}
        )
    )
    for run in airflow.runs("analytics"):
        airflow.wait_for_success("analytics", run["dag_run_id"])
    assert_right_marts(airflow.folder)


def test_the_days_figures_are_in_airflow(airflow, runs):
    """Of the runs that knew of both days: those of the ledger, and those of each table, of its check."""
    ledger = json.loads((airflow.folder / "answers.json").read_text())["ledger"]
    for day in days_of(airflow.folder):
        expected = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in ledger if row["insert_date"] == day
        }  # fmt: skip
        summary = airflow.xcom(
            "analytics", airflow.run_of("analytics", day, "asset_triggered"), "summarize_day"
        )
        found = {
            row["table_name"]: (row["records_delivered"], row["records_in_marts"])
            for row in summary["ledger"]
        }
        assert found == expected and len(found) == 3
        assert summary["tests"]["pass"] > 20 and summary["tests"]["fail"] == 0
        backfill = airflow.run_of("staging", day, "backfill")
        checks = {
            table: airflow.xcom("staging", backfill, f"check_{table}")["delivered"] for table in expected
        }
        assert checks == {table: delivered for table, (delivered, _) in expected.items()}


def test_no_secret_is_left_in_airflow_or_downstream(airflow, runs):
    """Neither in rendered fields, XComs and logs nor in files; but for the files that hold them for their owner."""
    folder = airflow.folder
    settings = (folder / "airflow").read_text()
    pseudonym = json.loads((folder / "secrets.json").read_text())["pseudonym"]
    shop, metadata = (
        shlex.split(re.search(rf"^export {name}=(.*)$", settings, re.MULTILINE)[1])[0]
        for name in ("AIRFLOW_CONN_SHOP_DB", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    )
    assert pseudonym in settings
    # in columns of bytes, as PostgreSQL shows these
    secrets = [
        form for secret in (pseudonym, shop) for form in (secret.encode(), secret.encode().hex().encode())
    ]
    content = {table: rows.encode() for table, rows in tables_of(metadata)}
    assert "staging" in content["dag_run"].decode()
    holders = {folder / name for name in ("airflow", "secrets.json")}
    for file in folder.rglob("*"):
        if file.is_file() and file not in holders and folder / "postgres" not in file.parents:
            content[file] = file.read_bytes()
    assert folder / "standalone.log" in content
    assert [place for place, found in content.items() if any(secret in found for secret in secrets)] == []


def tables_of(database: str) -> Iterator[tuple[str, str]]:
    """Name and all rows, as text, of each table."""
    import sqlalchemy

    with sqlalchemy.create_engine(database).connect() as connection:
        query = "select tablename from pg_tables where schemaname = 'public'"
        for (table,) in connection.exec_driver_sql(query).all():
            rows = connection.exec_driver_sql(f'select t::text from "{table}" as t').all()
            yield table, "\n".join(row for (row,) in rows)


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_finds_its_runs(airflow, stack):
    runs = [run["dag_run_id"] for run in airflow.runs("staging")]
    # in the middle of a job
    day = days_of(airflow.folder)[0]
    run = airflow.dag("staging", "/dagRuns", "POST", logical_date=None, partition_key=day)["dag_run_id"]
    spark = airflow.wait_for_spark("classify_reviews")
    started = descendants(airflow.process.pid)
    assert spark in started and len(started) > 20
    airflow.stop()
    assert started & set(pids()) == set()

    again = Airflow(airflow.folder, stack)
    try:
        assert [run["dag_run_id"] for run in again.runs("staging")] == [*runs, run]
        assert again.said.split("password")[1].split()[0] == airflow.said.split("password")[1].split()[0]
    finally:
        again.stop()
