"""Terraform for the tests: each cloud's tree as a copy, initialised without its backend, and its mocked runs.

Where Terraform or a provider cannot be had, the tests that need it are skipped and say what was not checked.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from terraform.tests.cli import TREE, terraform
from terraform.tests.stack import Initialised, Mocked, Stack
from terraform.tests.versions import versions

MOCKED_RUNS = ("serverless", "cluster_and_provisioned", "glue_and_large")
# The same on the emulator, which needs minutes for each.
MODES = {
    "applied_serverless": {},
    "applied_cluster_and_provisioned": {
        "spark_mode": "cluster", "warehouse_mode": "provisioned", "allowed_cidrs": ["198.51.100.0/24", "10.20.128.0/20"],
    },
}  # fmt: skip

NOT_CHECKED: set[str] = set()


def not_checked(what: str, why: str) -> NoReturn:
    """Skip the test; the end of the output says it once for all tests."""
    NOT_CHECKED.add(f"not checked: validate, mocked runs and promises of {what}: {why}")
    pytest.skip(f"{what}: {why}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in sorted(NOT_CHECKED):
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Initialised:
    """cloud -> its folder in a copy of the tree, ready for validate and test."""
    if not shutil.which("terraform"):
        not_checked("terraform/aws and terraform/gcp", "there is no terraform here")
    copy = tmp_path_factory.mktemp("terraform") / "terraform"
    shutil.copytree(TREE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))

    @cache
    def init(cloud: str) -> Path:
        done = terraform(copy / cloud, "init", "-backend=false", "-input=false", "-no-color")
        if "Failed to query available provider packages" in done.stderr:
            not_checked(f"terraform/{cloud}", "there is no provider, and no way to the registry")
        assert done.returncode == 0, done.stdout + done.stderr
        return copy / cloud

    return init


@pytest.fixture(scope="session")
def mocked(initialised: Initialised) -> Mocked:
    """cloud -> the runs of its tests/*.tftest.hcl by name: status, errors, and the state that an apply left (stack) or
    the plan that was made (plan)."""

    @cache
    def runs(cloud: str) -> dict[str, SimpleNamespace]:
        # A version whose support ends would fail every run, not test_versions.py alone.
        endless = {one.name: {"version": one.version, "supported_until": None} for one in versions(cloud)}
        variables = f"-var=versions={json.dumps(endless)}"
        done = terraform(initialised(cloud), "test", "-json", "-verbose", "-no-color", variables)
        found: dict[str, SimpleNamespace] = {}
        for line in done.stdout.splitlines():
            message = json.loads(line)
            name = message.get("@testrun")
            run = (
                found.setdefault(name, SimpleNamespace(status="not run", errors=[], stack=None, plan=None))
                if name
                else None
            )
            if run and message["type"] == "test_run" and message["test_run"]["progress"] == "complete":
                run.status = message["test_run"]["status"]
            elif run and message["type"] == "test_state":
                run.stack = Stack(message["test_state"])
            elif run and message["type"] == "test_plan":
                run.plan = message["test_plan"]
            elif message["type"] == "diagnostic" and message["@level"] == "error":
                diagnostic = message["diagnostic"]
                where = run or found.setdefault(
                    "(before the runs)", SimpleNamespace(status="error", errors=[], stack=None, plan=None)
                )
                where.errors.append(f"{diagnostic['summary']}: {diagnostic.get('detail', '')}")
        assert found, done.stdout + done.stderr
        return found

    return runs


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--emulator", action="store_true", help="apply AWS against the emulator: make test-apply"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name == "test_apply.py" and not config.getoption("--emulator") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`stack` is each of the states of AWS that there are."""
    if "stack" in metafunc.fixturenames:
        states = MODES if metafunc.config.getoption("--emulator") else MOCKED_RUNS
        metafunc.parametrize("stack", states, indirect=True, scope="session")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, initialised: Initialised) -> Iterator[Stack]:
    if request.config.getoption("--emulator"):
        from terraform.tests.emulator import applied

        with applied(initialised("aws"), MODES[request.param]) as stack:
            yield stack
    else:
        run = request.getfixturevalue("mocked")("aws")[request.param]
        assert run.stack, run.errors
        yield run.stack
