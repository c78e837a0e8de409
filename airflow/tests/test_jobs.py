"""The operator JobProcess with real processes of the jobs' environment."""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import SplitResult, unquote, urlsplit

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from conftest import ROOT


def job(script: str, **kwargs):
    from pipeline.jobs import JobProcess

    return JobProcess(task_id="job", command=("python", "-c", script), **kwargs)


def is_running(pid: int) -> bool:
    """Zombies do not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition) -> None:
    """For as long as pytest lets the test run."""
    while not condition():
        time.sleep(0.05)


def test_it_runs_in_the_jobs_environment_beside_the_project():
    assert job("import json, os, pyspark; print(json.dumps({'cwd': os.getcwd()}))").execute({}) == {
        "cwd": str(ROOT)
    }


def test_a_last_line_that_is_a_json_object_is_returned_and_no_other():
    assert job("print('{\"rows\": 3}')").execute({}) == {"rows": 3}
    for last in ("3 rows", "[3]", "{3 rows}", ""):
        assert job(f"print({last!r})").execute({}) is None


def test_a_failure_says_the_command_the_exit_code_and_the_last_line():
    with pytest.raises(AirflowException, match=r"python -c .* ended with exit code 2: error: no such day"):
        job(
            "import sys; print('working'); print('error: no such day', file=sys.stderr); sys.exit(2)"
        ).execute({})


def test_what_no_other_try_can_help_is_not_tried_again(tmp_path):
    """By spark_prep's exit codes; the figures printed before are kept. dbt's own codes mean something else."""
    from pipeline.jobs import JobProcess, NeedsAcceptance, Refused

    def failed(code: int, task=job) -> AirflowException:
        with pytest.raises(AirflowException) as raised:
            task(f"import sys; print('{{\"run\": \"R\"}}'); print('error: why'); sys.exit({code})").execute(
                {}
            )
        return raised.value

    assert type(failed(2)) is Refused and isinstance(failed(2), AirflowFailException)
    assert type(failed(3)) is NeedsAcceptance and failed(3).figures == {"run": "R"}
    for code in (1, 75):
        assert not isinstance(failed(code), AirflowFailException)
    with pytest.raises(AirflowException) as raised:
        JobProcess(task_id="dbt", command=("dbt", "no-such-command")).execute({})
    assert "exit code 2" in str(raised.value) and not isinstance(raised.value, AirflowFailException)


def test_tasks_that_open_duckdb_queue_and_others_do_not(tmp_path):
    """The second waits for the first, also when that one is killed; on another warehouse both go on."""
    script = (
        "import pathlib, sys, time; from pipeline.jobs import alone_in_the_warehouse\n"
        "with alone_in_the_warehouse({'DBT_TARGET': sys.argv[1], 'DUCKDB_PATH': sys.argv[2]}):\n"
        "    print('in', flush=True); time.sleep(600)"
    )

    def start(target: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", script, target, tmp_path / "warehouse.duckdb"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "airflow/dags")}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    first = start("dev")
    try:
        assert first.stdout.readline() == "in\n"
        second, elsewhere = start("dev"), start("redshift")
        try:
            assert elsewhere.stdout.readline() == "in\n"
            assert "waiting for another task that has" in second.stdout.readline()
            first.kill()
            assert second.stdout.readline() == "in\n"
        finally:
            second.kill()
            elsewhere.kill()
    finally:
        first.kill()


def test_settings_come_from_variables_and_connections_and_only_those_asked_for(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_RAW_URI", "/raw")
    monkeypatch.setenv("AIRFLOW_VAR_PSEUDONYM_SECRET", "the secret of secrets")
    monkeypatch.setenv("AIRFLOW_VAR_WAREHOUSE", json.dumps({"DUCKDB_PATH": "/w.duckdb", "DBT_THREADS": 2}))
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", "postgresql://reader:pass@host:5432/shop?sslmode=require")
    names = ("RAW_URI", "PSEUDONYM_SECRET", "USER_PURCHASE_DSN", "DUCKDB_PATH", "DBT_THREADS", "STAGING_URI")
    script = f"import json, os; print(json.dumps({{n: os.environ.get(n) for n in {names}}}))"

    found = job(script, settings=("RAW_URI", "USER_PURCHASE_DSN", "warehouse", "STAGING_URI")).execute({})
    assert found == {
        "RAW_URI": "/raw",
        "PSEUDONYM_SECRET": None,
        "USER_PURCHASE_DSN": "postgres://reader:pass@host:5432/shop?sslmode=require",
        "DUCKDB_PATH": "/w.duckdb",
        "DBT_THREADS": "2",
        "STAGING_URI": None,
    }
    assert (
        job(script, settings=("PSEUDONYM_SECRET",)).execute({})["PSEUDONYM_SECRET"] == "the secret of secrets"
    )


def dsn_with_iam(monkeypatch, **extra) -> SplitResult:
    connection = {
        "conn_type": "postgres", "host": "db.internal", "schema": "shop", "login": "airflow@project.iam",
        "extra": {"iam": True, "sslmode": "require", **extra},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_DB", json.dumps(connection))
    script = "import json, os; print(json.dumps({'dsn': os.environ['USER_PURCHASE_DSN']}))"
    dsn = urlsplit(job(script, settings=("USER_PURCHASE_DSN",)).execute({})["dsn"])
    assert dsn.geturl().split(":")[1] == "//airflow%40project.iam"
    assert (dsn.hostname, dsn.port, dsn.path, dsn.query) == ("db.internal", 5432, "/shop", "sslmode=require")
    return dsn


def test_with_iam_the_password_is_a_token_of_aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-pod")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never sent")
    token = unquote(dsn_with_iam(monkeypatch, region_name="eu-west-1", aws_conn_id=None).password)
    assert token.startswith("db.internal:5432/?Action=connect&DBUser=airflow%40project.iam&")
    assert "of-the-pod" in token and "eu-west-1" in token and "never sent" not in token


class MetadataServer(BaseHTTPRequestHandler):
    """Stands in for the server that a machine of Google Cloud asks who it is."""

    def do_GET(self):
        answers = {"recursive=true": {"email": "airflow@project.iam", "scopes": []}}
        token = {"access_token": "token of the pod", "expires_in": 3600, "token_type": "Bearer"}
        scoped = "/token" in self.path and "sqlservice.login" in self.path
        answer = next(
            (a for ending, a in answers.items() if self.path.endswith(ending)), token if scoped else {}
        )
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments):
        pass


@pytest.mark.gcp
def test_with_iam_the_password_is_a_token_of_google(monkeypatch):
    monkeypatch.setattr("pipeline.jobs.PLATFORM", "gcp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), MetadataServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
            monkeypatch.setenv(name, f"127.0.0.1:{server.server_port}")
        # which reads them once
        importlib.reload(importlib.import_module("google.auth.compute_engine._metadata"))
        assert unquote(dsn_with_iam(monkeypatch).password) == "token of the pod"
    finally:
        server.shutdown()
        server.server_close()


def test_dbt_leaves_the_manifest_of_the_dags_alone():
    found = job(
        "import json, os; print(json.dumps({n: os.environ[n] for n in ('DBT_TARGET_PATH', 'DBT_LOG_PATH')}))"
    ).execute({})
    assert all(not place.startswith(str(ROOT)) and not Path(place).exists() for place in found.values())


def test_dbt_starts_from_what_was_parsed_with_the_manifest(tmp_path, monkeypatch):
    from pipeline import jobs

    parsed = tmp_path / "partial_parse.msgpack"
    monkeypatch.setattr(jobs, "PARSED", parsed)
    monkeypatch.setenv("AIRFLOW_VAR_WAREHOUSE", "{}")
    assert "DBT_PARTIAL_PARSE_FILE_PATH" not in jobs.settings_of(["warehouse"])
    parsed.touch()
    assert jobs.settings_of(["warehouse"])["DBT_PARTIAL_PARSE_FILE_PATH"] == str(parsed)


def test_what_is_published_lies_below_artifacts_uri(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_ARTIFACTS_URI", f"file://{tmp_path}/artifacts")
    script = (
        "import os, pathlib; site = pathlib.Path('{folder}', 'site'); (site / 'deep').mkdir(parents=True); "
        "assert os.environ['DBT_TARGET_PATH'] == '{folder}'; "
        "(site / 'index.html').write_text('index'); (site / 'deep/page.html').write_text('page')"
    )
    job(script, publishes="docs").execute({})
    docs = tmp_path / "artifacts/docs"
    assert {str(file.relative_to(docs)): file.read_text() for file in docs.rglob("*.html")} == {
        "index.html": "index",
        "deep/page.html": "page",
    }


def test_the_asset_is_told_for_the_day_also_without_a_partition_key():
    from pipeline.assets import STAGED

    told = defaultdict(list)
    events = {STAGED: SimpleNamespace(add_partitions=told["staged"].append)}
    for run in (
        {"dag_run": SimpleNamespace(partition_key=None, logical_date=datetime(2021, 1, 2, 3, tzinfo=UTC))},
        {"dag_run": SimpleNamespace(partition_key="2021-01-03")},
    ):
        job("", outlets=[STAGED]).execute({"outlet_events": events, **run})
    assert told["staged"] == ["2021-01-02", "2021-01-03"]
    with pytest.raises(AirflowException):
        job("raise SystemExit(1)", outlets=[STAGED]).execute({"outlet_events": events, **run})
    assert len(told["staged"]) == 2


@pytest.fixture
def child(tmp_path):
    """(script, pid): a script that starts a process of its own, as Spark does, and waits for it; that one's pid."""
    note = tmp_path / "pid"
    script = (
        "import pathlib, subprocess; child = subprocess.Popen(['sleep', '600']); "
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid)); child.wait()"
    )

    def pid() -> int:
        wait_until(lambda: note.exists() and note.read_text())
        return int(note.read_text())

    yield script, pid
    if note.exists() and is_running(int(note.read_text())):
        os.kill(int(note.read_text()), signal.SIGKILL)


def test_a_killed_task_leaves_no_process_behind(child):
    script, pid = child
    task = job(script)

    def fails():
        with pytest.raises(AirflowException):
            task.execute({})

    run = threading.Thread(target=fails, daemon=True)
    run.start()
    assert is_running(pid())
    task.on_kill()
    run.join()
    wait_until(lambda: not is_running(pid()))


def test_a_task_that_is_out_of_time_leaves_no_process_behind(child):
    """Airflow's execution_timeout raises from an alarm in the midst of execute."""
    script, pid = child

    def out_of_time(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGUSR1, out_of_time)
    # when the child is there
    threading.Thread(target=lambda: pid() and os.kill(os.getpid(), signal.SIGUSR1), daemon=True).start()
    try:
        with pytest.raises(TimeoutError):
            job(script).execute({})
    finally:
        signal.signal(signal.SIGUSR1, before)
    wait_until(lambda: not is_running(pid()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_killed_worker_takes_its_job_along(tmp_path):
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    task = f"JobProcess(task_id='job', command=('python', '-c', {script!r})).execute({{}})"
    worker = subprocess.Popen(
        [sys.executable, "-c", f"from pipeline.jobs import JobProcess\n{task}"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "airflow/dags")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        pid = int((tmp_path / "pid").read_text())
    finally:
        worker.kill()
        worker.wait()
    wait_until(lambda: not is_running(pid))
