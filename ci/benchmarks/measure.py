"""What a command costs: wall time, CPU and memory of all its processes, those included that it leaves behind.

    run = measured(["python", "-m", "…"], environment, log)

The command is started by a process of its own (`python -m ci.benchmarks.measure`), to which Linux hands every orphan: the JVM and
the workers of a Spark job are children of a child, and nobody else would wait for them and learn their CPU time.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

PR_SET_CHILD_SUBREAPER = 36
MEMORY_EVERY_SECONDS = 0.25
ORPHANS_MAY_TAKE_SECONDS = 60


class Cost(NamedTuple):
    """Seconds until the command has ended; seconds of CPU, user and system, until the last of its processes has; the largest sum
    of the processes' shares of memory (PSS), in bytes, seen at any moment; the command's exit code."""

    wall: float
    cpu: float
    peak_bytes: int
    exit_code: int


def measured(command: Sequence[str], environment: dict[str, str], log: Path) -> Cost:
    """Run the command, its output to `log`. Linux only."""
    result = log.with_suffix(".json")
    observer = [sys.executable, "-m", "ci.benchmarks.measure", str(result), str(log), *command]
    subprocess.run(observer, env=environment, check=True)
    return Cost(**json.loads(result.read_text()))


def _observe(command: Sequence[str], log: Path) -> Cost:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peak, is_over = [0], threading.Event()
    watch = threading.Thread(target=_watch_memory, args=(peak, is_over))
    with open(log, "wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        watch.start()
        exit_code = process.wait()
        wall = time.perf_counter() - began
    _wait_for_orphans()
    is_over.set()
    watch.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    # a process that was gone before it was seen
    peak_bytes = max(peak[0], usage.ru_maxrss * 1024)
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak_bytes, exit_code)


def _wait_for_orphans() -> None:
    deadline = time.monotonic() + ORPHANS_MAY_TAKE_SECONDS
    while True:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            if time.monotonic() > deadline:
                names = [child.name() for child in psutil.Process().children(recursive=True)]
                raise TimeoutError(f"the command has ended, but {', '.join(names)} goes on")
            time.sleep(0.02)


def _watch_memory(peak: list[int], is_over: threading.Event) -> None:
    while not is_over.wait(MEMORY_EVERY_SECONDS):
        peak[0] = max(peak[0], sum(map(_share_of_memory, psutil.Process().children(recursive=True))))


def _share_of_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # has ended meanwhile
        return 0


if __name__ == "__main__":
    result, log, *command = sys.argv[1:]
    Path(result).write_text(json.dumps(_observe(command, Path(log))._asdict()))
