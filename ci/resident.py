"""Commands without their start: a process that has imported dbt, MetricFlow and the charts forks for each command.

    finished = dbt(["build"], cwd=project, environment=os.environ | settings, parsed=None)

dbt's start costs 4 seconds of imports, 1 of generating code and 4 of parsing, and most commands 1. Python's fork server
(multiprocessing) holds the imports and the code; a command has an environment, folder, output and exit code of its own in its fork, so
that no command sees another. What dbt makes of a parse is kept, and handed to later commands with the same settings. The days of a run,
the day of its profiles and its caps are not among these: the manifest does not depend on them (test_dbt_project has the test), and in
production Airflow relies on that too.
"""

import atexit
import hashlib
import json
import multiprocessing
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import yaml

# A safety net: a hundred times the usual.
TIMEOUT_SECONDS = 1800
DAYS = {"from_date", "to_date"}
OF_A_RUN = {"as_of_date", "bytes_per_day_warn", "bytes_per_day_fail"}

_processes = multiprocessing.get_context("forkserver")
# pytest, because a fork of a process that `python -m pytest` started imports it.
_processes.set_forkserver_preload(
    ["pytest", "dbt.cli.main", *(f"dbt.adapters.{name}" for name in ("duckdb", "redshift", "bigquery")),
     "dbt_metricflow.cli.main", "altair", "ci.generated_code"]
)  # fmt: skip


def dbt(
    arguments: Sequence[str], *, cwd: Path, environment: dict[str, str], parsed: Path | None
) -> subprocess.CompletedProcess[str]:
    """Run `dbt <arguments>`. `parsed` is the file that holds the manifest, or takes it when it is missing; None: parse.
    Raises TimeoutError, as the others do."""
    return _run(partial(_dbt, parsed), arguments, cwd, environment)


def metricflow(
    arguments: Sequence[str], *, cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `mf <arguments>`."""
    return _run(_metricflow, arguments, cwd, environment)


def module(
    name: str, arguments: Sequence[str], *, cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `python -m <name> <arguments>`."""
    return _run(partial(_module, name), arguments, cwd, environment)


def parsed_file(folder: Path, profiles: Path, settings: dict[str, str], arguments: Sequence[str]) -> Path:
    """The file in the folder for the manifest of a dbt command: named after everything that parsing depends on."""
    depends_on = {name: value for name, value in settings.items() if name != "DUCKDB_PATH"}
    given = {
        name: arguments[arguments.index(name) + 1] for name in ("--target", "--vars") if name in arguments
    }
    variables = yaml.safe_load(given.pop("--vars", "{}"))
    # One day without the other is refused by the parse.
    of_no_matter = OF_A_RUN | (DAYS if variables.keys() >= DAYS else set())
    depends_on |= given | {name: value for name, value in variables.items() if name not in of_no_matter}
    text = json.dumps([profiles.read_text(), depends_on], sort_keys=True, default=str)
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.msgpack"


def _run(
    main: Callable[[list[str]], int | None], arguments: Sequence[str], cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    arguments = list(map(str, arguments))
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = _processes.Process(target=_fork, args=(main, arguments, cwd, environment, output, errors))
        process.start()
        process.join(TIMEOUT_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeoutError(f"{arguments} took more than {TIMEOUT_SECONDS} s")
        assert process.exitcode is not None
        return subprocess.CompletedProcess(
            arguments, process.exitcode, output.read_text(), errors.read_text()
        )


def _fork(
    main: Callable[[list[str]], int | None],
    arguments: list[str],
    cwd: Path,
    environment: dict[str, str],
    output: Path,
    errors: Path,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for stream, file in ((1, output), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), stream)
    try:
        sys.exit(main(arguments))
    finally:
        # multiprocessing leaves them out. dbt-duckdb closes its file by one.
        atexit._run_exitfuncs()


def _dbt(parsed: Path | None, arguments: list[str]) -> int:
    from dbt.cli.exceptions import DbtUsageException
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest = None
    if parsed and parsed.exists():
        manifest = Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)
    result = dbtRunner(manifest).invoke(arguments)
    # dbt keeps what it parsed for its partial parsing. Moved into place whole, since other processes read it.
    kept = Path(os.environ["DBT_TARGET_PATH"]) / "partial_parse.msgpack"
    if parsed and not manifest and kept.exists():
        parsed.parent.mkdir(parents=True, exist_ok=True)
        part = parsed.with_suffix(f".{os.getpid()}")
        shutil.copyfile(kept, part)
        part.replace(parsed)
    if isinstance(result.exception, DbtUsageException):
        print(result.exception, file=sys.stderr)
    return 0 if result.success else 2 if result.exception else 1


def _metricflow(arguments: list[str]) -> None:
    from dbt_metricflow.cli.main import cli

    sys.argv = ["mf", *arguments]
    cli()


def _module(name: str, arguments: list[str]) -> None:
    sys.argv = [name, *arguments]
    sys.path.insert(0, os.getcwd())
    runpy.run_module(name, run_name="__main__", alter_sys=True)
