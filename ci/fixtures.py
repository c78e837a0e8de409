"""What tests of several rooms share: the project's manifest, a staged sample and the warehouse built from it."""

import fcntl
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from ci import staged_sample
from ci.staged_sample import Sample, Warehouse, staged_warehouse

# Spark's jobs are short in tests: Java's second compiler takes longer than it saves (the sample: 46 s of CPU; so 20).
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
# Without a key for raw records nothing can be staged.
os.environ["QUARANTINE_SECRET"] = Sample.QUARANTINE_SECRET


# Files of long tests that share no more than the sample: each may run in any process.
APART = {"test_pipeline.py", "test_profiles.py"}
LONGEST = APART | {"test_warehouses.py"}


class ByFileAndWarehouse(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file run in one process, unless it is one of those APART; where each is run on two warehouses
    (test_warehouses), in one for each."""

    def _split_scope(self, nodeid: str) -> str:
        if Path(nodeid.partition("::")[0]).name in APART:
            return nodeid
        warehouse = re.search(
            r"\[(redshift|bigquery)\b", nodeid
        )  # also [redshift-…], a test with further parameters
        return super()._split_scope(nodeid) + (f"[{warehouse[1]}]" if warehouse else "")


def pytest_xdist_make_scheduler(config, log):
    return ByFileAndWarehouse(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, then those with slow tests, so that no process is left with a long one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.name not in LONGEST, item.path not in slow))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """One for all processes of a test session (pytest-xdist)."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def dbt_parses_once(shared_folder):
    staged_sample.MANIFESTS = shared_folder / "manifests"


@pytest.fixture(scope="session")
def made_once(shared_folder) -> Callable[[str, Callable[[Path], None]], Path]:
    """Returns a function: the shared folder of a name, filled by the first process that asks for it while others wait.
    After a failure the next one tries again."""

    def folder_of(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared_folder / name, shared_folder / f"{name}.done"
        with open(shared_folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture
def own_project(tmp_path) -> Path:
    """A copy of the dbt project that a test may change."""
    ignore = shutil.ignore_patterns("target", "logs")
    return shutil.copytree(staged_sample.ROOT / "dbt_project", tmp_path / "project", ignore=ignore)


@pytest.fixture(scope="session")
def manifest(made_once) -> dict:
    """dbt's manifest of the project, parsed with warnings and deprecations as errors."""

    def parse(folder: Path) -> None:
        parsed = Warehouse(folder, folder / "staging").dbt(
            "parse", "--no-partial-parse", "--show-all-deprecations", "--warn-error"
        )
        assert parsed.returncode == 0, parsed.stdout

    return json.loads((made_once("manifest", parse) / "target" / "manifest.json").read_text())


@pytest.fixture(scope="session")
def sample(made_once) -> Sample:
    def make(folder: Path) -> None:
        sample = Sample(folder)
        prepared = sample.prepare()
        assert prepared.returncode == 0, prepared.stdout + prepared.stderr
        (folder / "sample.pickle").write_bytes(pickle.dumps(sample))

    return pickle.loads((made_once("sample", make) / "sample.pickle").read_bytes())  # noqa: S301 - made above


@pytest.fixture(scope="session")
def built(sample, made_once, tmp_path_factory) -> Warehouse:
    """The sample's days, built as one range: a copy for this process, since DuckDB lets one write at a time."""

    def build(folder: Path) -> None:
        staged_warehouse(folder, sample.staging).build(sample.DAYS[0], sample.DAYS[-1])

    own = tmp_path_factory.mktemp("built")
    shutil.copytree(made_once("built", build), own, dirs_exist_ok=True)
    return Warehouse(own, sample.staging)
