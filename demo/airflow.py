"""Airflow with the production DAGs on this machine and nothing else: what `make airflow` starts.

    python -m demo.airflow --port 8080

Generates sample feeds of the last three days, starts a PostgreSQL (the shop's table, and another database for Airflow's
own), and runs `airflow standalone` until Ctrl-C, on the address 127.0.0.1. Everything is kept below data/airflow: the
next start finds its runs again, and delivers the days that have passed. Any AIRFLOW__… variable of the caller counts.
"""

import argparse
import base64
import contextlib
import datetime
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg

from demo.ports import free_port, is_free
from demo.postgres import embedded_postgres
from demo.sample import generate
from spark_prep.shop.load_user_purchase import load_user_purchase

ROOT = Path(__file__).parents[1]
AIRFLOW = ROOT / ".venv-airflow/bin/airflow"
SAMPLE_DAYS = 3
START_SECONDS = 900
STOP_SECONDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.airflow",
        description="Airflow with the production DAGs and sample feeds, until Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=8080, help="of the web interface (default: %(default)s)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "data/airflow",
        help="where everything is kept (default: data/airflow)",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        run_airflow(arguments.folder.resolve(), arguments.port)


def run_airflow(folder: Path, port: int) -> None:
    if not is_free(port):
        sys.exit(f"error: port {port} is in use; choose another: make airflow PORT={port + 1}")
    days = deliver(folder)
    print(f"feeds       {days[0]} to {days[-1]}, in {folder}/raw", flush=True)
    with embedded_postgres(folder / "postgres") as dsn:
        lines, _ = load_user_purchase(dsn, f"{folder}/raw/user_purchase/user_purchase.csv")
        print(f"shop        user_purchase, {lines:,} lines", flush=True)
        environment = airflow_environment(folder, port, dsn, days[0])
        _write_command(folder / "airflow", environment)
        with _standalone(folder, environment) as airflow:
            print("airflow     starting …", flush=True)
            _wait_until_ready(airflow, folder, port)
            _say_where_to_look(folder, port, days)
            airflow.wait()
            sys.exit(f"error: Airflow has ended, see {folder}/standalone.log")


def deliver(folder: Path) -> list[datetime.date]:
    """Deliver the feeds of the days up to last_day() that are not there yet; returns all days that are there."""
    last = last_day(datetime.datetime.now(datetime.UTC))
    raw, answers = folder / "raw", folder / "answers.json"
    there = sorted(
        datetime.date.fromisoformat(day.name[-10:]) for day in raw.glob("log_reviews/insert_date=*")
    )
    first = there[0] if there else last - datetime.timedelta(days=SAMPLE_DAYS - 1)
    if not there or there[-1] < last:
        with tempfile.TemporaryDirectory() as sample:
            generate(sample, first, last)
            for of_day in Path(sample, "raw").glob("*/insert_date=*"):
                if not (delivered := raw / of_day.parent.name / of_day.name).exists():
                    shutil.copytree(of_day, delivered)
            (raw / "user_purchase").mkdir(exist_ok=True)
            shutil.copy(Path(sample, "user_purchase.csv"), raw / "user_purchase")
            # the answers hold for a sample of one piece
            answers.unlink(missing_ok=True)
            if not there:
                shutil.copy(Path(sample, "answers.json"), answers)
    return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]


def last_day(now: datetime.datetime) -> datetime.date:
    """The last day whose run of `staging` is due, on the day after, at the minute and hour (UTC) of the DAG's STAGING_CRON: it is the
    one that starts automatically."""
    minute, hour = map(int, os.environ.get("STAGING_CRON", "0 3 * * *").split()[:2])
    return (now - datetime.timedelta(days=1, hours=hour, minutes=minute)).date()


def airflow_environment(folder: Path, port: int, dsn: str, start_date: datetime.date) -> dict[str, str]:
    """All that Airflow gets: settings, and the variables and connections that elsewhere are in a secrets backend."""
    secret = _secrets(folder)
    warehouse = {"DUCKDB_PATH": f"{folder}/warehouse.duckdb", "STAGING_URI": f"{folder}/staging"}
    return {
        **_shared_settings(),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        # twice this many worker processes would do no more on a laptop
        "AIRFLOW__CORE__PARALLELISM": "16",
        # the scheduler starts its first tasks while the API that they need is still starting
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "10",
        **os.environ,
        # `airflow standalone` starts its parts by this name
        "PATH": f"{AIRFLOW.parent}:{os.environ['PATH']}",
        # triggers of the DAGs are imported by name, also where no DAG is parsed
        "PYTHONPATH": f"{ROOT}/airflow/dags",
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": f"{ROOT}/airflow/dags",
        "AIRFLOW__CORE__PLUGINS_FOLDER": f"{ROOT}/airflow/plugins",
        "AIRFLOW__CORE__FERNET_KEY": secret["fernet_key"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": f"{folder}/password.json",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": secret["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": secret["jwt"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _metadata_database(dsn),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "SPARK_RUNTIME": "local",
        "DBT_TARGET": "dev",
        "DBT_PROJECT_DIR": f"{ROOT}/dbt_project",
        "JOBS_PYTHON": sys.executable,
        "START_DATE": str(start_date),
        "AIRFLOW_VAR_RAW_URI": f"{folder}/raw",
        "AIRFLOW_VAR_STAGING_URI": f"{folder}/staging",
        "AIRFLOW_VAR_QUARANTINE_URI": f"{folder}/quarantine",
        "AIRFLOW_VAR_ARTIFACTS_URI": f"{folder}/artifacts",
        "AIRFLOW_VAR_START_DATE": str(start_date),
        "AIRFLOW_VAR_PSEUDONYM_SECRET": secret["pseudonym"],
        "AIRFLOW_VAR_PSEUDONYM_KEY_VERSION": "1",
        "AIRFLOW_VAR_QUARANTINE_SECRET": secret["quarantine"],
        "AIRFLOW_VAR_SUPPRESSION_SECRET": secret["suppression"],
        "AIRFLOW_VAR_WAREHOUSE": json.dumps(warehouse),
        "AIRFLOW_CONN_SHOP_DB": dsn,
    }


def _shared_settings() -> dict[str, str]:
    lines = (ROOT / "airflow/airflow.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _secrets(folder: Path) -> dict[str, str]:
    """Generated at the first start and kept, since the state that is kept was made with them."""
    file = folder / "secrets.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    made_up = {
        name: secrets.token_hex(32) for name in ("api", "jwt", "pseudonym", "quarantine", "suppression")
    }
    made_up["password"] = secrets.token_urlsafe(9)
    made_up["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    secret: dict[str, str] = made_up | kept
    if secret != kept:
        _write_privately(file, json.dumps(secret))
    _write_privately(folder / "password.json", json.dumps({"admin": secret["password"]}))
    return secret


def _write_privately(file: Path, text: str, mode: int = 0o600) -> None:
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as opened:
        opened.write(text)


def _metadata_database(dsn: str) -> str:
    """A database beside the shop's, as SQLAlchemy names it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = 'airflow'").fetchone():
            connection.execute("create database airflow")
    return dsn.replace("postgresql://", "postgresql+psycopg2://").replace("/postgres?", "/airflow?")


def _write_command(file: Path, environment: dict[str, str]) -> None:
    """Airflow's own command with the same settings, for another terminal."""
    settings = [
        f"export {name}={shlex.quote(value)}"
        for name, value in environment.items()
        if os.environ.get(name) != value
    ]
    _write_privately(file, "\n".join(["#!/bin/sh", *settings, f'exec {AIRFLOW} "$@"', ""]), 0o700)


@contextlib.contextmanager
def _standalone(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Airflow's four processes and what they start, as a process group of their own that ends with the `with`."""
    setpriv = shutil.which("setpriv")
    with open(folder / "standalone.log", "wb") as log:
        airflow = subprocess.Popen(
            [*([setpriv, "--pdeathsig=TERM", "--"] if setpriv else []), AIRFLOW, "standalone"],
            env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield airflow
    finally:
        for end, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(airflow.pid, end)
                _wait_for_the_group(airflow, seconds)


def _wait_for_the_group(leader: subprocess.Popen[bytes], seconds: float) -> None:
    """Raises ProcessLookupError once no process of the group is left."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        leader.poll()
        os.killpg(leader.pid, 0)
        time.sleep(0.1)


def _wait_until_ready(airflow: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(port):
        if airflow.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"error: Airflow did not start, see {folder}/standalone.log")
        time.sleep(0.5)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5) as answer:
            parts = json.load(answer)
    except (OSError, ValueError):
        return False
    return all(part["status"] == "healthy" for part in parts.values())


def _say_where_to_look(folder: Path, port: int, days: list[datetime.date]) -> None:
    command = os.path.relpath(folder / "airflow")
    print(f"""
address     http://127.0.0.1:{port}
user        admin
password    {_secrets(folder)["password"]}
logs        of tasks: in the web interface, or {folder}/logs; of Airflow: {folder}/standalone.log

The run of the last day starts automatically. The others, in another terminal:

    make backfill FROM={days[0]} TO={days[-1]}
    make rerun DATE={days[0]}
    {command} dags trigger user_purchase_load""")
    if (folder / "answers.json").exists():
        print(
            f"    .venv/bin/python -m demo.answers.check {folder}/warehouse.duckdb {folder}/answers.json    # after all days"
        )
    print(
        f"\nCtrl-C stops everything; the next start goes on from here. To start over, delete {folder}.",
        flush=True,
    )


if __name__ == "__main__":
    main()
