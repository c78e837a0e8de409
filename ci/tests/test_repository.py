"""What holds for the repository as a whole: machine check, locks, settings, README."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ci.staged_sample import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_have_hashes_and_name_no_package_index(lock):
    text = lock.read_text()
    assert "://" not in text and "index-url" not in text
    pins = re.findall(r"^([a-z0-9][^\s=]*==\S+)", text, re.MULTILINE)
    assert pins
    # Each pin is followed by at least one hash.
    assert len(re.findall(r"^[a-z0-9][^\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)) == len(
        pins
    )


def test_locks_hold_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {
        "dev": ("spark", "dbt", "pages", "dev"),
        "jobs": ("spark", "dbt", "pages"),
        "cluster": ("cluster",),
        "spark40": ("spark40",),
        "spark41": ("spark41",),
        "airflow-aws": ("airflow", "airflow-aws"),
        "airflow-gcp": ("airflow", "airflow-gcp"),
        "airflow-test": ("airflow-test",),
        "dbt2": ("dbt2",),
        "terraform": ("terraform",),
    }
    assert {lock.stem for lock in LOCKS} == locked.keys()
    for name, extras in locked.items():
        pins = (ROOT / f"requirements/{name}.txt").read_text()
        for requirement in (r for extra in extras for r in project["optional-dependencies"][extra]):
            package = re.match(r"[a-z0-9-]+", requirement)[0]
            assert re.search(rf"^{package}==", pins, re.MULTILINE), (
                f"{package} is not in {name}.txt: make locks"
            )


def check_machine(tmp_path, java: str | None, *arguments: str) -> subprocess.CompletedProcess:
    """Run ci/check_machine.sh where `java -version` prints this; None: there is no Java."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    if java:
        (bin_ / "java").write_text(f"#!/bin/sh\necho '{java}' >&2\n")
        (bin_ / "java").chmod(0o755)
    for tool in ("bash", "sed", "head", "env"):
        (bin_ / tool).symlink_to(shutil.which(tool))
    (bin_ / "python3").symlink_to(sys.executable)
    return subprocess.run(
        [ROOT / "ci/check_machine.sh", *arguments],
        env={"PATH": str(bin_)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("java", "message"),
    [
        ('openjdk version "17.0.15" 2025-04-15', ""),
        ('openjdk version "21" 2023-09-19', ""),
        (None, "error: no Java found (looked for java). Spark needs Java 17 or 21; install one"),
        ('java version "1.8.0_402"', "error: java is Java 1.8. Spark needs Java 17 or 21; install one and set JAVA_HOME"),
        ('openjdk version "25.0.1" 2025-10-21', "error: java is Java 25. Spark needs Java 17 or 21"),
    ],
)  # fmt: skip
def test_a_missing_or_wrong_java_is_one_clear_line(tmp_path, java, message):
    checked = check_machine(tmp_path, java)
    assert (checked.returncode, checked.stdout) == (2 if message else 0, "")
    assert checked.stderr.startswith(message) and checked.stderr.count("\n") == (1 if message else 0)


def test_without_a_browser_a_user_who_may_not_install_one_is_told_what_is_not_checked(tmp_path):
    for tool in ("bash", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho installed\n")
    for tool in ("id", "apt-get"):
        (tmp_path / tool).chmod(0o755)
    told = subprocess.run(
        [ROOT / "pages/tests/install_chromium.sh"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("note: no Chromium here, so no page is checked in a browser")


def test_settings_are_documented():
    """Every setting that the code reads from the environment is in .env.example or in the profiles."""
    documented = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    documented |= set(re.findall(r"env_var\('([A-Z_]+)'", (ROOT / "profiles_template.yml").read_text()))
    from spark_prep.settings import PURPOSES

    assert PURPOSES.keys() <= documented
    sources = (ROOT / "dbt_project/models/staging/sources.yml").read_text()
    macros = "".join(file.read_text() for file in (ROOT / "dbt_project/macros").rglob("*.sql"))
    assert set(re.findall(r"env_var\('([A-Z_]+)'", sources + macros)) <= documented


def test_the_readme_names_commands_that_exist():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test", "run"} <= named <= targets
    ran = (ROOT / ".ci/run").read_text()
    assert "\nmake test\n" in ran, "what decides whether a change lands is the README's test command"


def test_make_run_builds_its_days_by_one_command_of_dbt(tmp_path):
    """A second command without the days would leave a new day without its partition on Redshift."""
    days = {
        "DATE=2021-01-31": (["--date", "2021-01-31"], "2021-01-31", "2021-01-31"),
        "FROM=2021-01-01 TO=2021-01-31": (
            ["--from", "2021-01-01", "--to", "2021-01-31"], "2021-01-01", "2021-01-31",
        ),
    }  # fmt: skip
    for given, (arguments, first, last) in days.items():
        prepared, built = made_by_stubs(tmp_path, "run", *given.split())
        assert prepared[1:] == ["-m", "spark_prep.prepare_staging", *arguments]
        assert (built[0], built[1:]) == (f"dbt {first} {last}", DBT_BUILD)


DBT_BUILD = ["--quiet", "build", "--exclude-resource-type", "unit_test"]
STUB = """#!/bin/bash
printf '%s\\0' "$(basename "$0") ${DBT_FROM_DATE:-} ${DBT_TO_DATE:-}${ERASE_CUSTOMER:+ of $ERASE_CUSTOMER}" "$@" >> "$STUB_LOG"
printf '\\n\\0' >> "$STUB_LOG"
"""


def made_by_stubs(folder: Path, *command: str) -> list[list[str]]:
    """Each python and dbt that make would have run: its name with dbt's days and whom to erase, and its arguments."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    for name in ("python", "dbt"):
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    subprocess.run(
        ["make", "--silent", "--no-print-directory", *(f"--old-file={file}" for file in INSTALLED), f"BIN={folder}",
         "DUCKDB_PATH=w.duckdb", *command],
        cwd=ROOT, env={**os.environ, "STUB_LOG": str(log)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    calls = log.read_text().split("\0\n\0")[:-1]
    return [call.split("\0") for call in calls]


INSTALLED = ("setup", ".venv-airflow/synced", "browser")


def test_what_is_given_to_make_is_no_shell(tmp_path):
    given = "2021-01-01;touch pwned $(id) `id` \"'"
    in_make = given.replace("$", "$$")
    for command, expected in {
        ("run", f"DATE={in_make}"): ["--date", given],
        ("run", f"FROM={in_make}", f"TO={in_make}"): ["--from", given, "--to", given],
        ("bench", f"SIZE={in_make}", f"ROUNDS={in_make}"): ["--size", given, "--rounds", given],
        ("bench", f"FEEDS={in_make}", f"HISTORIES={in_make}"): [
            "--feeds",
            *given.split(),
            "--histories",
            *given.split(),
        ],
        ("train", f"REVIEWS={in_make}", "LABELS=labels.csv", f"MODEL={in_make}", f"BLOCKS_BY={in_make}"): [
            *("--reviews", given, "--labels", "labels.csv", "--model", given, "--blocks-by", given)
        ],
        ("docs-serve", "--old-file=site/index.html", f"PORT={in_make}"): ["--directory", "site", given],
    }.items():
        called = made_by_stubs(tmp_path, *command)[0]
        assert called[-len(expected) :] == expected
    assert not (ROOT / "pwned").exists()


def test_whom_to_erase_is_in_no_argument_and_no_log_of_dbt(tmp_path):
    """dbt would take 012346, read as YAML, for 5350, and keeps its arguments and statements."""
    for options in ([], ["YES=1"]):
        counted, *_, erased = made_by_stubs(tmp_path, "erase", "CUSTOMER=012346", *options)
        assert counted[0].endswith("of 012346") and erased[0].endswith("of 012346")
        assert "--log-level-file none run-operation erase_customer" in " ".join(erased)
        assert "12346" not in " ".join(counted[1:] + erased[1:])


@pytest.mark.parametrize(
    "command",
    ["run DATE=2021-01-01", "erase CUSTOMER=1", "rekey", "replay DATE=2021-01-01 TABLE=review_logs"],
)
def test_what_changes_a_warehouse_never_takes_the_demos(command):
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DUCKDB_PATH", "DBT_TARGET")
    }
    ran = subprocess.run(
        ["make", "--old-file=setup", "BIN=/nowhere", *command.split()],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr.startswith("error: DUCKDB_PATH is not set")


def test_no_recipe_holds_what_is_given_to_make():
    text = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\b([A-Z_]+)=(?:…|20|dev|aws)", text)) - {"PUBLISH"}
    assert {"DATE", "FROM", "TO", "SIZE", "PORT", "CLOUD", "ENV", "REVIEWS", "BLOCKS_BY"} <= named
    # `$(if $(DATE),…` asks whether it was given
    given = r"(?:\$\([A-Z_]+\)|\$\(and \$\([A-Z_]+\)(?:,\$\([A-Z_]+\))+\))"
    pasted = re.sub(rf"\$\(if {given}+,", "", text)
    assert [name for name in named if f"$({name})" in pasted] == []


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("raw", f"{ROOT}/raw"),
        ("/tmp/my raw", "/tmp/my raw"),
        ("my raw", f"{ROOT}/my raw"),
        ("file:/tmp/raw", "/tmp/raw"),
        ("file:///tmp/raw", "/tmp/raw"),
        ("~/raw", f"{Path.home()}/raw"),
        ("/tmp/a$b#c", "/tmp/a$b#c"),
        ("it's/raw", f"{ROOT}/it's/raw"),
        ("s3://bucket/raw", "s3://bucket/raw"),
    ],
)
def test_make_takes_a_place_as_the_commands_do(given, place):
    show = '--eval=show: ; @echo "$$RAW_URI"'
    for environment, options in (({"RAW_URI": given}, []), ({}, [f"RAW_URI={given}"])):
        ran = subprocess.run(
            ["make", "--silent", "--no-print-directory", show, "show", *options],
            cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ran.stdout == f"{place}\n"


@pytest.mark.parametrize(
    "check",
    [
        "ruff check",
        "ruff format --check",
        r"mypy \.",
        "mypy --python-executable .* airflow/dags/",
        "sqlfluff lint",
    ],
)
def test_lint_runs_each_check(check):
    commands = subprocess.run(
        ["make", "--dry-run", "--always-make", "lint"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.search(rf"/bin/{check}", commands)


def test_each_exception_from_lint_has_its_reason():
    """`# noqa: S608 - why`, `# type: ignore[misc]  # why`."""
    files = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    lines = [(file, line) for file in files for line in (ROOT / file).read_text().splitlines()]
    assert [
        (file, line)
        for file, line in lines
        if re.search(r"# noqa(?!: [A-Z0-9, ]+ - \w)|# type: ignore(?!\[[a-z, -]+\]  # \w)", line)
        and not file.endswith("test_repository.py")
    ] == []
