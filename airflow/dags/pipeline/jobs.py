"""One command of the jobs' environment (spark_prep, dbt) as a task.

Airflow and the jobs have environments of their own: the command runs as a process of the other one. What it must know
comes from variables and connections, read when the task runs, and reaches it as environment variables: never as
arguments or templated fields, which Airflow shows.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseOperator, Connection, Context, ObjectStoragePath, Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from pipeline.settings import DBT_PROJECT_DIR, DBT_TARGET, JOBS_PYTHON, PLATFORM, day_of

# Setting of a job -> the variable that holds it.
VARIABLES = {
    "RAW_URI": "raw_uri",
    "STAGING_URI": "staging_uri",
    "QUARANTINE_URI": "quarantine_uri",
    "START_DATE": "start_date",
    "PSEUDONYM_SECRET": "pseudonym_secret",
    "PSEUDONYM_SECRET_ID": "pseudonym_secret_id",
    "PSEUDONYM_KEY_VERSION": "pseudonym_key_version",
    "SUPPRESSION_SECRET": "suppression_secret",
    "SUPPRESSION_SECRET_ID": "suppression_secret_id",
    "QUARANTINE_SECRET": "quarantine_secret",
    "QUARANTINE_KEY_ID": "quarantine_key_id",
}
# What every job that writes staging needs.
STAGING_SETTINGS = (
    "STAGING_URI", "QUARANTINE_URI", "SUPPRESSION_SECRET", "SUPPRESSION_SECRET_ID", "QUARANTINE_SECRET", "QUARANTINE_KEY_ID",
)  # fmt: skip
# What dbt parsed when it made the manifest; each dbt starts from there and parses only what differs.
PARSED = DBT_PROJECT_DIR / "target/partial_parse.msgpack"
# How long a process that was asked to end may take for it.
GRACE_SECONDS = 20
# In the log; a JSON object of all days may be longer.
LONGEST_LINE = 4000
# Exit codes of spark_prep (errors.py): no other try can help; a person may accept it.
REFUSED, NEEDS_ACCEPTANCE = 2, 3

log = logging.getLogger(__name__)


class Refused(AirflowFailException):
    """The job says that no other try can help. `message` is its own, `figures` the JSON object that it has printed."""

    def __init__(self, message: str, figures: dict[str, Any]) -> None:
        super().__init__(message)
        self.message, self.figures = message, figures


class NeedsAcceptance(Refused):
    """A person may let it pass all the same."""


class JobProcess(BaseOperator):
    """Runs a command: ("python", "-m", …) or ("dbt", …), from the bin folder of the jobs' environment.

    `settings` names the environment variables that it needs, of those that settings_of() knows. What it prints goes to
    the log line by line; a last line that is a JSON object is the task's XCom. "{folder}" in the command is a folder that
    is gone afterwards, dbt's target folder too; with `publishes`, all that the command has put into {folder}/site goes to
    that place below the variable artifacts_uri.
    """

    template_fields: Sequence[str] = ("command",)
    ui_color = "#e8f0e4"

    def __init__(
        self,
        *,
        command: Sequence[str],
        settings: Sequence[str] = (),
        publishes: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.command = list(command)
        self.settings = tuple(settings)
        self.publishes = publishes
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> Any:
        with self._environment() as (folder, environment):
            command = [word.replace("{folder}", folder) for word in self.command]
            outcome = json_object(self._run(command, environment))
            if self.publishes:
                self._publish(Path(folder, "site"))
        for asset in self.outlets:
            # Said here since a run that was asked for by its date alone, not by its partition, has no key to pass on.
            context["outlet_events"][asset].add_partitions(day_of(context["dag_run"]))
        return outcome

    def on_kill(self) -> None:
        self._end_process_group()

    @contextmanager
    def _environment(self) -> Iterator[tuple[str, dict[str, str]]]:
        """A folder, and the environment of commands that may use it, as long as nobody else has the warehouse's file open."""
        settings = settings_of(self.settings)
        # dbt's own target folder holds the manifest that the DAGs are made from: it is not written to.
        with TemporaryDirectory(prefix=f"{self.task_id}-") as folder, alone_in_the_warehouse(settings):
            places = {"DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder, "PYTHONUNBUFFERED": "1"}
            yield folder, {**os.environ, **settings, **places}

    def _publish(self, site: Path) -> None:
        place = ObjectStoragePath(f"{Variable.get('artifacts_uri')}/{self.publishes}")
        for file in sorted(path for path in site.rglob("*") if path.is_file()):
            published = place / file.relative_to(site).as_posix()
            published.parent.mkdir(parents=True, exist_ok=True)
            published.write_bytes(file.read_bytes())
            self.log.info("published %s", published)

    def _run(self, command: list[str], environment: dict[str, str]) -> str:
        """The last line that it has printed."""
        program, *arguments = command
        self.log.info("%s", " ".join(command))
        self._process = subprocess.Popen(
            [*_tied_to_this_process(), JOBS_PYTHON.with_name(program), *arguments],
            cwd=DBT_PROJECT_DIR if program == "dbt" else DBT_PROJECT_DIR.parent,
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        last, figures = "", None
        try:
            for line in self._process.stdout or ():
                if line.strip():
                    last = line.strip()
                    figures = json_object(last) or figures
                    self.log.info("%s", line.rstrip()[:LONGEST_LINE])
            code = self._process.wait()
        finally:
            # also when the task is timed out or an exception comes in between: nothing goes on running
            self._end_process_group()
        if code:
            message = f"{' '.join(command)} ended with exit code {code}: {last}"
            # dbt's codes mean something else
            if program == "python" and code in (REFUSED, NEEDS_ACCEPTANCE):
                kind = Refused if code == REFUSED else NeedsAcceptance
                raise kind(message, figures or {})
            raise AirflowException(message)
        return last

    def _end_process_group(self) -> None:
        """Spark's JVM and dbt's threads are children: all of them, politely first."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def alone_in_the_warehouse(settings: dict[str, str]) -> Iterator[None]:
    """On DuckDB, wait until no other task has the warehouse's file open, for which it allows one process at a time. Redshift and
    BigQuery are not waited for."""
    if settings.get("DBT_TARGET") != "dev" or "DUCKDB_PATH" not in settings:
        yield
        return
    # The kernel gives the lock back when this process ends, however it ends.
    with open(f"{settings['DUCKDB_PATH']}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting for another task that has %s open", settings["DUCKDB_PATH"])
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tied_to_this_process() -> list[str]:
    """On Linux the command also ends when the worker is killed without a chance to clean up."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig=TERM", "--"] if setpriv else []


def settings_of(names: Sequence[str]) -> dict[str, str]:
    """Environment variables of a job, read from Airflow's variables and connections.

    "warehouse" means all that dbt's profile needs. A variable that is not set leaves its setting out; the job
    itself says what it lacks.
    """
    settings: dict[str, str] = {}
    for name in names:
        if name == "warehouse":
            settings |= {"DBT_TARGET": DBT_TARGET, "DBT_PROFILES_DIR": str(DBT_PROJECT_DIR)}
            if PARSED.exists():
                settings["DBT_PARTIAL_PARSE_FILE_PATH"] = str(PARSED)
            settings |= {
                key: str(value) for key, value in Variable.get("warehouse", deserialize_json=True).items()
            }
        elif name == "USER_PURCHASE_DSN":
            settings[name] = _dsn(Connection.get("shop_db"))
        elif (value := Variable.get(VARIABLES[name], default=None)) is not None:
            settings[name] = value
    return settings


def _dsn(connection: Connection) -> str:
    """As libpq takes it. With "iam" in the connection's extra the password is a token of this machine's identity, which is
    good for some minutes: long enough to log in."""
    extra = connection.extra_dejson
    if not extra.get("iam"):
        return connection.get_uri()
    port = connection.port or 5432
    if PLATFORM == "gcp":
        import google.auth
        from google.auth.transport.requests import Request

        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/sqlservice.login"])
        credentials.refresh(Request())
        token = credentials.token
    else:
        import boto3

        rds = boto3.client("rds", region_name=extra["region_name"])
        token = rds.generate_db_auth_token(connection.host, port, connection.login)
    user, password = quote(connection.login or "", safe=""), quote(token, safe="")
    return f"postgresql://{user}:{password}@{connection.host}:{port}/{connection.schema}?sslmode={extra['sslmode']}"


def json_object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    with suppress(json.JSONDecodeError):
        found: dict[str, Any] = json.loads(line)
        return found
    return None
