"""A running `make airflow` for tests: one for all of them, driven through its REST API.

Real scheduler, workers, triggerer, Spark, PostgreSQL, with feeds of two days: the last day's run starts automatically, and a load of the
shop's history stages the first day (fixtures airflow and runs, in conftest.py).
"""

import datetime
import fcntl
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from demo.ports import free_port

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


class Receiver:
    """What Airflow tells the outside: the address that heartbeat asks for, and a collector of OpenTelemetry."""

    def __init__(self) -> None:
        self.pings, self.metrics = 0, set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                receiver.pings += self.path == "/ping"
                self._answer()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                # of a binary message, where names are plain text
                receiver.metrics |= {name.decode() for name in re.findall(rb"airflow\.[a-z_.]+", body)}
                self._answer()

            def _answer(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self.server.server_port}"
        self.settings = {
            "HEARTBEAT_URL": f"{address}/ping",
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        }


class Airflow:
    """A running `make airflow`, with the words of its REST API that the tests need."""

    def __init__(self, folder: Path, stack: Path):
        self.folder, self.stack = folder, stack
        self.start()

    def start(self) -> None:
        """Also once more, after stop()."""
        self.port = free_port()
        self.receiver = Receiver()
        # a shell has what runs in its background, and all that it starts, ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [JOBS_PYTHON, "-m", "demo.airflow", "--port", str(self.port), "--folder", self.folder],
            cwd=ROOT, env={**ENVIRONMENT, **SETTINGS, **self.receiver.settings, "TERRAFORM_DIR": str(self.stack)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        else:
            raise AssertionError(self.said)
        self.password = re.search(r"^password +(\S+)$", self.said, re.MULTILINE)[1]
        self.token = None
        answer = self.call("POST", "/auth/token", username="admin", password=self.password)
        self.token = answer["access_token"]

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
        return self.dag(dag_id, "/dagRuns?order_by=id&limit=1000")["dag_runs"]

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

    def clear(self, dag_id: str, run_id: str, *task_ids: str, has_what_follows: bool = True) -> None:
        """As the button "Clear" does, with all that follows."""
        self.dag(
            dag_id, "/clearTaskInstances", "POST", dry_run=False, dag_run_id=run_id, task_ids=list(task_ids),
            include_downstream=has_what_follows, only_failed=False, reset_dag_runs=True,
        )  # fmt: skip

    def make(self, *words: str, is_refused: bool = False) -> str:
        """A command of the Makefile that talks to this Airflow; returns what it printed, or its error."""
        ran = self._outside(["make", "--no-print-directory", "--assume-old", ".venv/synced", *words])
        assert (ran.returncode != 0) == is_refused, ran.stdout + ran.stderr
        return ran.stderr if is_refused else ran.stdout

    def shell(self, script: str, **settings: str) -> str:
        """What an operator types; returns what it printed."""
        ran = self._outside(["bash", "-euo", "pipefail", "-c", script], **settings)
        assert ran.returncode == 0, script + ran.stdout + ran.stderr
        return ran.stdout

    def _outside(self, command: list[str], **settings: str) -> subprocess.CompletedProcess:
        """In another terminal, by someone who has a login."""
        there = {
            "AIRFLOW": f"http://127.0.0.1:{self.port}",
            "AIRFLOW_USER": "admin",
            "AIRFLOW_PASSWORD": self.password,
            "QUARANTINE_SECRET": json.loads((self.folder / "secrets.json").read_text())["quarantine"],
        }
        folders = {
            f"{name.upper()}_URI": str(self.folder / name) for name in ("raw", "staging", "quarantine")
        }
        return subprocess.run(
            command, cwd=ROOT, env={**ENVIRONMENT, **there, **folders, **settings}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def wait_until_settled(self) -> None:
        """Nothing runs and nothing waits to."""
        dags = ("staging", "analytics", "reconciliation")
        wait_until(
            lambda: not any(run["state"] in ("queued", "running") for dag in dags for run in self.runs(dag))
        )

    def rerun(self, day: str) -> str:
        """`make rerun`; the run of `staging` that it made."""
        before = {run["dag_run_id"] for run in self.runs("staging")}
        self.make("rerun", f"DATE={day}")
        (run,) = {run["dag_run_id"] for run in self.runs("staging")} - before
        return run

    def wait_for_build(self, day: str, before: list[dict]) -> str:
        """The run of `analytics` of the day that is new since `before` (runs()), which has succeeded."""
        known = {run["dag_run_id"] for run in before}

        def find():
            found = [
                r["dag_run_id"]
                for r in self.runs("analytics")
                if r["dag_run_id"] not in known and day_of(r) == day
            ]
            return found[-1] if found else None

        run = wait_until(find)
        self.wait_for_success("analytics", run)
        return run

    def log_of(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        return json.dumps(
            self.run(dag_id, run_id, f"/taskInstances/{task_id}/logs/{try_number}?full_content=true")
        )

    def wait_for_spark(self, job: str) -> int:
        """The Java process that the job has started."""
        return wait_until(lambda: self._spark_of(job))

    def halt_spark(self, *jobs: str) -> list[int]:
        """The Java processes of jobs that run at the same time, each of which stands still from when it was seen until it gets SIGCONT."""
        halted: dict[str, int] = {}

        def look():
            for job in jobs:
                if job not in halted and (process := self._spark_of(job)):
                    os.kill(process, signal.SIGSTOP)
                    halted[job] = process
            return len(halted) == len(jobs)

        wait_until(look)
        return [halted[job] for job in jobs]

    def _spark_of(self, job: str) -> int | None:
        """Not the launcher, which comes before it."""
        python = process_with(self.process.pid, "spark_prep.spark.submit", job)
        words = ("-Xmx", "org.apache.spark.deploy.SparkSubmit")
        return python and process_with(python, *words, without="org.apache.spark.launcher.Main")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.receiver.server.shutdown()


def day_of(run: dict) -> str | None:
    return run["partition_key"] or (run["conf"] or {}).get("day")


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


def process_with(root: int, *words: str, without: str = "\n") -> int | None:
    """One of the descendants whose command line has all the words, and not the other."""
    lines = {pid: read(f"/proc/{pid}/cmdline") for pid in descendants(root)}
    return next(
        (pid for pid, line in lines.items() if all(word in line for word in words) and without not in line),
        None,
    )


def days_of(folder: Path) -> list[str]:
    return sorted(day.name[-10:] for day in folder.glob("raw/movie_review/insert_date=*"))


def runbook_blocks(language: str) -> list[str]:
    text = (ROOT / "airflow/RUNBOOK.md").read_text()
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def jobs_python(*arguments: str | Path) -> str:
    """Run Python in the environment of the jobs; the days that are delivered follow Airflow's schedule."""
    ran = subprocess.run(
        [JOBS_PYTHON, *arguments],
        cwd=ROOT, env=os.environ | SETTINGS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def from_warehouse(folder: Path, *arguments: str | Path) -> str:
    """Run Python that reads the warehouse, when no task of Airflow has it open: DuckDB lets one process in."""
    with open(folder / "warehouse.duckdb.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return jobs_python(*arguments)


def query(airflow: Airflow, sql: str) -> list[list]:
    script = (
        "import duckdb, json, sys; connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(json.dumps(connection.execute(sys.argv[2]).fetchall(), default=str))"
    )
    return json.loads(from_warehouse(airflow.folder, "-c", script, airflow.folder / "warehouse.duckdb", sql))


def assert_right_marts(folder: Path) -> None:
    warehouse, answers = folder / "warehouse.duckdb", folder / "answers.json"
    assert "all right" in from_warehouse(folder, "-m", "demo.answers.check", warehouse, answers)


def tables_of(database: str) -> Iterator[tuple[str, str]]:
    """Name and all rows, as text, of each table."""
    import sqlalchemy

    with sqlalchemy.create_engine(database).connect() as connection:
        query = "select tablename from pg_tables where schemaname = 'public'"
        for (table,) in connection.exec_driver_sql(query).all():
            rows = connection.exec_driver_sql(f'select t::text from "{table}" as t').all()
            yield table, "\n".join(row for (row,) in rows)
